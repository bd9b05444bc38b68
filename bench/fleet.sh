#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A fleet of simulated nodes (bench/fleet.c) with a heartbeat of 10 s: CPU of one
# core and memory of the master, delay of GET /nodes/?limit=100 meanwhile, and how
# a restart in the middle goes. usage: bench/fleet.sh BUILD [SECONDS [NODES [sqlite|postgresql]]]
BUILD=$(cd "${1:?the build directory}" && pwd -P)
SECONDS_ALL=${2:-600} NODES=${3:-10000} KIND=${4:-sqlite}
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$ROOT/bench/master-lib.sh"
need sqlite3 taskset curl python3 cc
cc -O2 -D_GNU_SOURCE -o "$T/fleet" "$ROOT/bench/fleet.c"
ulimit -n "$(ulimit -Hn)"
master_make "$KIND"
master_start "$KIND" 0,1
login() { curl -sf --data-urlencode username=admin --data-urlencode "password=$(cat "$T/$KIND/pw")" "http://127.0.0.1:$PORT/api/v1/auth/login" | sed 's/.*"access_token": *"\([^"]*\)".*/\1/'; }
# ask SECONDS: GET of a page once every 100 ms over one connection; p50 and p99
ask() {
	python3 - "$PORT" "$1" "$(login)" <<-'PY'
		import http.client, sys, time
		port, seconds, token = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
		c, took, bad, after = http.client.HTTPConnection("127.0.0.1", port), [], 0, ""
		until = time.monotonic() + seconds
		while time.monotonic() < until:
		    t = time.monotonic()
		    try:
		        c.request("GET", "/api/v1/nodes/?after=&limit=100", headers={"Authorization": "Bearer " + token})
		        r = c.getresponse(); r.read(); bad += r.status != 200
		    except OSError:
		        c.close(); bad += 1
		    took.append(time.monotonic() - t)
		    time.sleep(0.1)
		took.sort()
		print(f"GET /nodes/ first 100: p50 {took[len(took) // 2] * 1000:.2f} ms, p99 {took[int(len(took) * 0.99)] * 1000:.2f} ms, {len(took)} asked, {bad} failed")
	PY
}
echo "$NODES nodes, heartbeat 10 s, $SECONDS_ALL s, master on $KIND, database on $(df -T "$T" | awk 'END { print $2 }')"
"$T/fleet" 127.0.0.1 "$PORT" "$NODES" 10 "$SECONDS_ALL" >"$T/fleet.out" &
FLEET=$!
PIDS+=("$FLEET")
sleep 12 # all have connected
before=$(cpu_ms "$PID") start=$EPOCHREALTIME
ask "$(awk -v s="$SECONDS_ALL" 'BEGIN { w = s - 60; print w < 800 ? w : 800 }')"
after=$(cpu_ms "$PID")
awk -v a="$before" -v b="$after" -v s="$start" -v e="$EPOCHREALTIME" -v m="$(peak_mib "$PID")" -v now="$(awk '/^VmRSS/ { print $2 / 1024 }' "/proc/$PID/status")" \
	'BEGIN { printf "master: CPU %.2f %% of one core, RSS %.0f MiB (most %.0f)\n", (b - a) / 10 / (e - s), now, m }'
du -sk "$T/$KIND" | awk '{ printf "on disk: %.1f MiB\n", $1 / 1024 }'
echo "restart in the middle:"
stop_pid "$PID"
master_start "$KIND" 0,1
wait "$FLEET" || true
PIDS=("$PID")
cat "$T/fleet.out"
stop_pid "$PID"
grep -i -E 'error|warn' "$T/$KIND/log" | tail -5 || true
