#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bytes, latency, memory and CPU of the console on a pseudo terminal.

usage: bench/console.py [FELLOE] [NODES] [SECONDS] [events|poll]

The master here is a table of prepared answers (1,000 nodes a page, each about
as long as a real one), so that only the console is measured: once a second
the numbers of every row are new ("all"), of 1 % of the rows, or of none. With
events (the default) it tells so by GET /events, as a felloe-masterd does; with
poll it has no such route and the console asks (ETag, 304)."""
import atexit, fcntl, http.server, json, os, pty, resource, select, shutil, signal, statistics, struct, sys, tempfile, termios, threading, time

FELLOE = sys.argv[1] if len(sys.argv) > 1 else "./felloe"
NODES = int(sys.argv[2]) if len(sys.argv) > 2 else 10000
SECONDS = int(sys.argv[3]) if len(sys.argv) > 3 else 20
EVENTS = (sys.argv[4] if len(sys.argv) > 4 else "events") == "events"
PAGE = 1000
STAMP = "2026-11-23T12:00:00Z"


def node(i, turn):
    cpu = (i * 7 + turn * 13) % 100
    return {"id": i, "name": "web-%05d.example.net" % i, "hostname": "web-%05d" % i, "state": "active",
            "health": "ok" if i % 50 else "warn", "reasons": [] if i % 50 else ["disk / is 91 % full"], "liveness": "online",
            "last_seen": STAMP, "peer_address": "10.1.%d.%d" % (i // 250, i % 250), "created": STAMP, "tags": [],
            "sample": {"ts": STAMP, "cpu_usage": cpu, "disk_usage": 30 + (i + turn) % 60, "active_backups": 0,
                       "memory": {"total": 8000000000, "used": 3000000000 + cpu * 1000000}},
            "cpu_trend": [(cpu + k * 3) % 100 for k in range(24)], "runs": [],
            "last_run": {"uuid": "0b8f2c1e-1111-4222-8333-%012d" % i, "site": "shop", "state": "ok", "started": STAMP,
                         "finished": STAMP, "bytes_stored": 41000000000 + i}, "last_good": STAMP,
            "next_run": "2027-01-01T00:00:00Z"}


class Fleet:
    """Prepared pages: variants[turn][page]; mode says what changes a second."""

    def __init__(self):
        starts = range(1, NODES + 1, PAGE)
        self.variants = [[self.page(s, t, lambda i: True) for s in starts] for t in range(3)]
        self.few = [[self.page(s, t, lambda i: i % 100 == 7) for s in starts] for t in range(3)]
        self.frames = {"all": [self.frame(t, lambda i: True) for t in range(3)],
                       "few": [self.frame(t, lambda i: i % 100 == 7) for t in range(3)]}
        self.mode = "all"

    @staticmethod
    def frame(turn, changes):
        samples = []
        for i in range(1, NODES + 1):
            if changes(i):
                n = node(i, turn)
                samples.append({"id": i, "last_seen": STAMP, "sample": n["sample"], "cpu_minute": n["sample"]["cpu_usage"]})
        data = json.dumps({"items": [], "samples": samples, "gone": []}, separators=(",", ":"))
        return data.encode()

    @staticmethod
    def page(start, turn, changes):
        last = min(start + PAGE - 1, NODES)
        items = [node(i, turn if changes(i) else 0) for i in range(start, last + 1)]
        return json.dumps({"items": items, "next": str(last) if last < NODES else None}, separators=(",", ":")).encode()

    def answer(self, after):
        turn = 0 if self.mode == "none" else int(time.time()) % 3
        pages = self.few if self.mode == "few" else self.variants
        return "\"%s-%d\"" % (self.mode, turn), pages[turn][after // PAGE]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def events(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b": hello\nid: 1\n\n")
        number, last = 1, time.time()
        try:
            while True:
                time.sleep(1 - time.time() % 1)
                number += 1
                if fleet.mode != "none":
                    frame = fleet.frames[fleet.mode][int(time.time()) % 3]
                    self.wfile.write(b"event: node\nid: %d\ndata: " % number + frame + b"\n\n")
                    last = time.time()
                elif time.time() - last > 15:
                    self.wfile.write(b":\n\n")
                    last = time.time()
        except OSError:
            self.close_connection = True

    def do_GET(self):
        if self.path.startswith("/api/v1/events") and EVENTS:
            return self.events()
        if not self.path.startswith("/api/v1/nodes/"):
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        after = 0
        if "after=" in self.path:
            after = int(self.path.split("after=")[1].split("&")[0] or 0)
        etag, body = fleet.answer(after)
        same = self.headers.get("If-None-Match") == etag
        self.send_response(304 if same else 200)
        self.send_header("ETag", etag)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "0" if same else str(len(body)))
        self.end_headers()
        if not same:
            self.wfile.write(body)


class Console:
    def __init__(self, url, rows=24, cols=80):
        self.home = tempfile.mkdtemp(prefix="felloe-bench.")
        atexit.register(shutil.rmtree, self.home, ignore_errors=True)
        os.makedirs(self.home + "/felloe", mode=0o700)
        with open(os.open(self.home + "/felloe/session", os.O_CREAT | os.O_WRONLY, 0o600), "w") as f:
            json.dump({"master": url, "user": "admin", "role": "viewer", "access_token": "x", "refresh_token": "y",
                       "expires": "2099-01-01T00:00:00Z"}, f)
        self.started = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", LC_ALL="C.UTF-8", XDG_CONFIG_HOME=self.home)
            os.execv(FELLOE, [FELLOE])
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def read(self, seconds):
        """All bytes that come within so many seconds, with the time of each piece."""
        end, pieces = time.perf_counter() + seconds, []
        while (left := end - time.perf_counter()) > 0:
            if select.select([self.fd], [], [], left)[0]:
                pieces.append((time.perf_counter(), os.read(self.fd, 65536)))
        return pieces

    def until(self, text, seconds=20):
        seen, end = b"", time.perf_counter() + seconds
        while time.perf_counter() < end:
            if select.select([self.fd], [], [], 0.5)[0]:
                seen += os.read(self.fd, 65536)
                if text in seen:
                    return time.perf_counter() - self.started, len(seen)
        raise SystemExit("not seen: %r in %r" % (text, seen[-400:]))

    def first_byte(self, key, quiet=0.002):
        while select.select([self.fd], [], [], quiet)[0]:
            os.read(self.fd, 65536)
        at = time.perf_counter()
        os.write(self.fd, key)
        if not select.select([self.fd], [], [], 2)[0]:
            return None
        return (time.perf_counter() - at) * 1000

    def status(self, *names):
        with open("/proc/%d/status" % self.pid) as f:
            lines = dict(line.split(":", 1) for line in f)
        return [lines[n].strip() for n in names]

    def cpu(self):
        total = 0
        for task in os.listdir("/proc/%d/task" % self.pid):
            with open("/proc/%d/task/%s/schedstat" % (self.pid, task)) as f:
                total += int(f.read().split()[0])
        return total / 1e9

    def switches(self):
        total = 0
        for task in os.listdir("/proc/%d/task" % self.pid):
            with open("/proc/%d/task/%s/status" % (self.pid, task)) as f:
                total += sum(int(line.split()[1]) for line in f if "ctxt_switches" in line)
        return total

    def end(self):
        os.kill(self.pid, signal.SIGTERM)
        while True:
            try:
                if not os.read(self.fd, 65536):
                    break
            except OSError:
                break
        os.waitpid(self.pid, 0)


def refreshes(pieces):
    """Bytes of each burst: pieces less than 0.2 s apart belong together."""
    bursts, last = [], 0
    for at, data in pieces:
        if at - last > 0.2:
            bursts.append(0)
        bursts[-1] += len(data)
        last = at
    return bursts


def p95(values):
    return sorted(values)[int(len(values) * 0.95)]


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    c = Console("http://127.0.0.1:%d" % server.server_address[1])
    rows_at, first = c.until(b"web-0")
    print("nodes %d, 80x24, %d s each, %s" % (NODES, SECONDS, "events" if EVENTS else "asking"))
    print("first rows after %.0f ms, %d bytes" % (rows_at * 1000, first))
    for mode, name in (("all", "all rows change"), ("few", "1 % change"), ("none", "nothing changes")):
        fleet.mode = mode
        c.read(12)
        cpu, switches = c.cpu(), c.switches()
        pieces = c.read(SECONDS)
        bursts = refreshes(pieces) or [0]
        total = sum(len(d) for _, d in pieces)
        print("%-16s %6.0f bytes a second, %5.0f a refresh (max %d), CPU %.2f %%, %.1f switches/s" % (
            name, total / SECONDS, statistics.mean(bursts), max(bursts), (c.cpu() - cpu) * 100 / SECONDS,
            (c.switches() - switches) / SECONDS))
    fleet.mode = "all"
    times = []
    for i in range(200):
        t = c.first_byte(b"j" if i % 20 < 10 else b"k")
        if t is not None:
            times.append(t)
        time.sleep(0.07)
    print("key to first byte: median %.1f ms, p95 %.1f ms (%d keys)" % (statistics.median(times), p95(times), len(times)))
    os.write(c.fd, b"/")
    c.read(0.3)
    times = []
    for ch in b"web-001":
        times.append(c.first_byte(bytes([ch])) or 0)
        time.sleep(0.1)
    os.write(c.fd, b"\x1b")
    c.read(0.5)
    print("filter key: p95 %.1f ms" % p95(times))
    os.write(c.fd, b"\x0c")
    print("full redraw: %d bytes" % sum(len(d) for _, d in c.read(0.15)))
    os.write(c.fd, b"j" * 500)
    print("500 keys at once: %d bytes" % sum(len(d) for _, d in c.read(0.5)))
    print("RSS %s, peak %s" % tuple(c.status("VmRSS", "VmHWM")))
    c.end()


fleet = Fleet()
main()
