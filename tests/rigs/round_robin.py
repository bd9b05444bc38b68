#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A balancer for tests: each new connection goes to the next of the back ends;
one that does not take it is passed over.
usage: round_robin.py PORT BACKEND_PORT..."""
import asyncio
import sys


async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    writer.close()


async def main():
    ports = [int(p) for p in sys.argv[2:]]
    turn = 0

    async def take(reader, writer):
        nonlocal turn
        for _ in ports:
            port = ports[turn % len(ports)]
            turn += 1
            try:
                back = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                continue
            await asyncio.gather(pump(reader, back[1]), pump(back[0], writer))
            return
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", int(sys.argv[1]))
    async with server:
        await server.serve_forever()


asyncio.run(main())
