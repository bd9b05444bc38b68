#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Consoles that watch a fleet: CPU of one core and memory of the master while NODES
# nodes with a heartbeat of 10 s report random numbers (the worst case: each of them
# changes its line each time), first alone, then with CLIENTS streams of events.
# usage: bench/events.sh BUILD [SECONDS [NODES [CLIENTS [sqlite|postgresql]]]]
BUILD=$(cd "${1:?the build directory}" && pwd -P)
LAST=${2:-60} NODES=${3:-10000} CLIENTS=${4:-200} KIND=${5:-sqlite}
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$ROOT/bench/master-lib.sh"
need sqlite3 taskset curl python3 cc jq
for each in fleet listen; do cc -O2 -D_GNU_SOURCE -o "$T/$each" "$ROOT/bench/$each.c"; done
ulimit -n "$(ulimit -Hn)"
master_make "$KIND"
jq '.limits.connections = 20000' "$T/$KIND/master.json" >"$T/json" && cat "$T/json" >"$T/$KIND/master.json"
master_start "$KIND" 0,1
login() { curl -sf --data-urlencode username=admin --data-urlencode "password=$(cat "$T/$KIND/pw")" "http://127.0.0.1:$PORT/api/v1/auth/login" | jq -r .access_token; }
# figures WHAT: CPU and memory over LAST seconds
figures() {
	local before after start
	before=$(cpu_ms "$PID") start=$EPOCHREALTIME
	sleep "$LAST"
	after=$(cpu_ms "$PID")
	awk -v w="$1" -v a="$before" -v b="$after" -v s="$start" -v e="$EPOCHREALTIME" -v now="$(awk '/^VmRSS/ { print $2 / 1024 }' "/proc/$PID/status")" -v m="$(rss_mib "$PID")" \
		'BEGIN { printf "%-28s CPU %5.2f %% of one core, RSS %.0f MiB (most %.0f)\n", w, (b - a) / 10 / (e - s), now, m }'
}
echo "$NODES nodes, heartbeat 10 s, $CLIENTS streams of events, master on $KIND, $LAST s each"
"$T/fleet" 127.0.0.1 "$PORT" "$NODES" 10 "$((LAST * 2 + 35))" >"$T/fleet.out" &
PIDS+=("$!")
sleep 15 # all have connected
figures "the fleet alone"
"$T/listen" 127.0.0.1 "$PORT" "$(login)" '?topics=node,run,alert,join' "$CLIENTS" "$((LAST + 5))" >"$T/listen.out" &
LISTEN=$!
PIDS+=("$LISTEN")
sleep 3
figures "with $CLIENTS streams"
wait "$LISTEN" || true
cat "$T/listen.out"
grep -i -E 'error|warn' "$T/$KIND/log" | tail -5 || true
