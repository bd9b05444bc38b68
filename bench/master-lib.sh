# SPDX-License-Identifier: Apache-2.0
# Servers that take POST /stats, for bench/master.sh and bench/fleet.sh; after bench/lib.sh.
# shellcheck shell=bash disable=SC2034
: "${NODES:=1000}"

# nodes_sql: NODES approved nodes with the keys of bench/stats.lua and bench/fleet.c
nodes_sql() { # QUOTE_BEFORE QUOTE_AFTER of a hash: x' ' or '\x '
	python3 - "$NODES" "$1" "$2" <<-'PY'
		import hashlib, sys, time
		now = int(time.time() * 1000)
		count, before, after = int(sys.argv[1]), sys.argv[2], sys.argv[3]
		print("BEGIN;")
		for i in range(1, count + 1):
		    key = hashlib.sha256(b"bench-key-%06d" % i).hexdigest()
		    print("INSERT INTO node(name,hostname,state,key_hash,created,approved,facts) "
		          f"VALUES('n{i}','n{i}','active',{before}{key}{after},{now},{now},'{{}}');")
		print("COMMIT;")
	PY
}
wait_for() { local n; for ((n = 0; n < 400; n++)); do ! curl -sf -m 1 "$1" >/dev/null || return 0; sleep 0.05; done; echo "$1 does not answer" >&2; exit 1; }
# master_make sqlite|postgresql: a store in $T/NAME with NODES nodes; $PORT, $ADMIN_PASSWORD in $T/NAME/pw
master_make() {
	local kind=$1 dir=$T/$1 database=()
	mkdir -p "$dir"
	if [ "$kind" = postgresql ]; then
		rig postgres safe
		database=(--database "$(sed -n 's/^PG_URI=//p' "$T/postgres/env")")
	fi
	PORT=$((20000 + RANDOM % 20000))
	echo 'correct horse battery' >"$dir/pw" && chmod 600 "$dir/pw"
	"$BUILD/felloe-masterd" init --state "$dir" --listen "127.0.0.1:$PORT" --password-file "$dir/pw" "${database[@]}" >"$dir/init.log" 2>&1 ||
		{ cat "$dir/init.log" >&2; exit 1; }
	if [ "$kind" = postgresql ]; then nodes_sql "'\\x" "'"; else nodes_sql "x'" "'"; fi | store_sql "$kind" >/dev/null
}
# store_sql sqlite|postgresql: standard input, in that store
store_sql() {
	if [ "$1" = postgresql ]; then
		"$ROOT/tests/rigs/postgres.sh" sql "$T/postgres" -qtA -v ON_ERROR_STOP=1
	else
		sqlite3 "$T/sqlite/master/master.db"
	fi
}
# master_start NAME CORES: $PID
master_start() {
	taskset -c "$2" "$BUILD/felloe-masterd" --state "$T/$1" 2>>"$T/$1/log" &
	PID=$!
	PIDS+=("$PID")
	wait_for "http://127.0.0.1:$PORT/ready"
}
stop_pid() {
	local each keep=()
	kill "$1" && wait "$1" || true
	for each in "${PIDS[@]}"; do [ "$each" = "$1" ] || keep+=("$each"); done
	PIDS=("${keep[@]}")
}
# CPU of a process in ms, memory in MiB (peak by peak_mib)
cpu_ms() { awk '{ sub(/.*\) /, ""); print ($12 + $13) * 10 }' "/proc/$1/stat"; }
rss_mib() { awk '/^VmRSS/ { printf "%.0f", $2 / 1024 }' "/proc/$1/status"; }
peak_mib() { awk '/^VmHWM/ { printf "%.0f", $2 / 1024 }' "/proc/$1/status"; }
