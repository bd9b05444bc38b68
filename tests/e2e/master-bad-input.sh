#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every route with what nobody should send; slow clients; too many connections.
# timeout: 400
# slow: yes
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../master-lib.sh"
command -v python3 >/dev/null || { skip "bad input" "apt-get install python3"; exit 0; }

with() { jq "$1" "$T/plain.json" >"$T/new.json" && cat "$T/new.json" >"$T/state/master.json"; }
bad() { python3 "$HERE/fake/bad_input" "$PORT" "$T/pw" "$KEY" "$1" | tee "$T/bad.$1"; return "${PIPESTATUS[0]}"; }
memory() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$(cat "$T/master.pid")/status"; }

master_init || note "$T/init.out"
cp "$T/state/master.json" "$T/plain.json"
with '.limits = {"login_per_minute": 100000, "join_per_minute": 100000}'
step "the master starts" master_start
login admin 'correct horse battery'
admit web-01 || echo "# cannot admit a node"
PID=$(cat "$T/master.pid")
check "each route refuses what is no request, in the words of the document" bad routes
check "all of them were asked" [ "$(sed -n 's/ routes$//p' "$T/bad.routes")" = "$(felloe-masterd routes | jq length)" ]
[ "$STORE" != sqlite ] || check "bytes that are no HTTP harm nobody" bad raw # they never meet the store
check "the master is the one that was started" curl -sf -m 40 "$ROOT/health"
if [ "$STORE" = sqlite ]; then
	BEFORE=$(memory)
	check "a third of it once more" bad again
	AFTER=$(memory)
	echo "# resident: $BEFORE kB, then $AFTER kB; $(sed -n 's/ requests$//p' "$T/bad.again") requests between"
	[ -n "${ASAN_OPTIONS:-}" ] || check "its memory stays" [ "$AFTER" -lt $((BEFORE + 12000)) ]
fi
alive() { [ "$(cat "$T/master.pid")" = "$PID" ] && kill -0 "$PID"; }
check "it lives" alive
check "people and nodes are served as before" call 200 POST /stats -H "X-API-KEY: $KEY" -d '{"cpu_usage":1,"disk_usage":1,"active_backups":0}'
stop_pid master
check "no error is in the log" bash -c "! grep -E 'error:|Sanitizer' '$T/master.log'"
[ "$STORE" = sqlite ] || exit 0 # clients and connections never meet the store

# ---- slow clients
with '.limits = {"headers_s": 1, "request_s": 2, "idle_s": 2}'
master_start
cat >"$T/slow.py" <<'PY'
# one byte after the other; how long it took until the master had enough
import socket, sys, time
port, what = int(sys.argv[1]), sys.argv[2]
s = socket.create_connection(("127.0.0.1", port))
s.settimeout(0.2)
if what == "headers":
    text = b"GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: " + b"y" * 1000
elif what == "body":
    s.sendall(b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
    text = b"y" * 1000
elif what == "silent":
    text = b""
else:
    s.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
    text = b""
begin = time.monotonic()
closed = False
at = 0
if what == "answers":
    # asks for megabytes and reads none of it
    import select
    p = select.poll()
    p.register(s, select.POLLRDHUP)
    s.setblocking(False)
    ask = b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
    while time.monotonic() - begin < 120 and not closed:
        try:
            s.send(ask * 20)
        except BlockingIOError:
            pass
        except OSError:
            closed = True
        closed = closed or bool(p.poll(100))
    print("closed after %.1f s" % (time.monotonic() - begin))
    sys.exit(0 if closed else 1)
while time.monotonic() - begin < 80 and not closed:
    try:
        if at < len(text):
            s.sendall(text[at:at + 1])
            at += 1
        got = s.recv(65536)
        closed = got == b""
    except socket.timeout:
        pass
    except OSError:
        closed = True
print("closed after %.1f s" % (time.monotonic() - begin))
sys.exit(0 if closed else 1)
PY
SLOW=()
for what in headers body silent idle answers; do
	python3 "$T/slow.py" "$PORT" "$what" >"$T/slow.$what" 2>&1 &
	SLOW[${#SLOW[@]}]=$!
done
i=0
for what in headers body silent idle answers; do
	wait "${SLOW[i]}"
	check "a client that is slow in its $what is let go" [ "$?" = 0 ]
	i=$((i + 1))
	echo "# $what: $(cat "$T/slow.$what")"
done
stop_pid master

# ---- connections
with '.limits = {"connections": 32, "connections_per_address": 8}'
master_start
cat >"$T/many.py" <<'PY'
# how many of N connections from an address are served while all are open
import socket, sys
port, address, n = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
open_ = []
served = 0
for _ in range(n):
    s = socket.socket()
    s.bind((address, 0))
    s.settimeout(60)
    try:
        s.connect(("127.0.0.1", port))
        s.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        served += s.recv(4096).startswith(b"HTTP/1.1 200")
    except OSError:
        pass
    open_.append(s)
print(served)
if len(sys.argv) > 4:
    open(sys.argv[4], "w").close()
    sys.stdin.read()
PY
mkfifo "$T/hold"
python3 "$T/many.py" "$PORT" 127.0.0.5 12 "$T/held" <"$T/hold" >"$T/many" &
MANY=$!
exec 7>"$T/hold"
until_ok 60 test -e "$T/held"
check "an address gets its share of connections" [ "$(cat "$T/many" 2>/dev/null || echo)" = "" -o "$(cat "$T/many")" = 8 ]
check "another address gets its own meanwhile" [ "$(python3 "$T/many.py" "$PORT" 127.0.0.6 4)" = 4 ]
exec 7>&-
wait "$MANY"
check "which is not more than the limit" [ "$(cat "$T/many")" = 8 ]
check "and has it again afterwards" until_ok 10 bash -c "[ \"\$(python3 '$T/many.py' '$PORT' 127.0.0.5 8)\" = 8 ]"
stop_pid master
check "no error is in the log of that" bash -c "! grep -E 'error:|Sanitizer' '$T/master.log'"
