#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# POST /stats, each committed before its answer to SQLite (synchronous=FULL), or with
# STORE=postgresql to a PostgreSQL server of its own (fsync on, the other core),
# against a constant answer (GET /health) of the same server in the same run.
# The server has one core, wrk another. usage: [SECONDS=5] bench/stats.sh [build directory]
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd -P)
build=$(cd "${1:-.}" && pwd -P)
seconds=${SECONDS_EACH:-5} nodes=${FELLOE_NODES:-1000} connections=${CONNECTIONS:-64}
for tool in wrk sqlite3 taskset curl; do
	command -v "$tool" >/dev/null || { echo "$tool is missing (apt-get install wrk sqlite3 util-linux curl)" >&2; exit 77; }
done
t=$(mktemp -d "${TMPDIR:-/tmp}/felloe-bench.XXXXXX")
pid=
rig=$here/../tests/rigs/postgres.sh
cleanup() {
	[ -z "$pid" ] || { kill "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; }
	[ ! -d "$t/pg" ] || "$rig" stop "$t/pg"
	rm -rf "$t"
}
trap cleanup EXIT
port=$((20000 + RANDOM % 20000))
case ${STORE:=sqlite} in
sqlite)
	url=sqlite:$t/master/master.db byte="x'%s'"
	sql() { sqlite3 "$t/master/master.db"; }
	;;
postgresql)
	chmod 755 "$t"
	taskset -c 1 "$rig" start "$t/pg" $((port + 1)) safe >"$t/pg.log" || { status=$?; cat "$t/pg.log" >&2; exit $status; }
	url=$(sed -n 's/^PG_URI=//p' "$t/pg/env") byte="'\\\\x%s'"
	sql() { "$rig" sql "$t/pg" -tA; }
	;;
*) echo "STORE is sqlite or postgresql" >&2; exit 2 ;;
esac
"$build/felloe-masterd" init --state "$t" --listen "127.0.0.1:$port" --database "$url" >/dev/null
now=$(date +%s%3N)
for ((i = 1; i <= nodes; i++)); do
	read -r hash _ < <(printf 'bench-key-%06d' "$i" | sha256sum)
	# shellcheck disable=SC2059
	printf "INSERT INTO node(name,hostname,state,key_hash,created,approved,facts) VALUES('n%d','n%d','active',$byte,%d,%d,'{}');\n" "$i" "$i" "$hash" "$now" "$now"
done | { echo 'BEGIN;'; cat; echo 'COMMIT;'; } | sql
taskset -c 0 "$build/felloe-masterd" --state "$t" 2>"$t/log" &
pid=$!
until curl -sf "http://127.0.0.1:$port/ready" >/dev/null; do sleep 0.05; done

cpu() { awk '{ print ($14 + $15) * 10 }' "/proc/$pid/stat"; } # ms
measure() { # NAME ARGS...: a table line
	local name=$1 before after
	shift
	before=$(cpu)
	FELLOE_NODES=$nodes taskset -c 1 wrk -t1 -c"$connections" -d"${seconds}s" "$@" >"$t/out" 2>&1
	after=$(cpu)
	awk -v name="$name" -v ms=$((after - before)) '
		/^requests / { n = $2 } /^seconds / { s = $2 } /^errors / { e = $2 } /^p50_us / { a = $2 } /^p99_us / { b = $2 }
		END { printf "%-28s %9.0f/s  %6.1f us CPU each  p50 %5.2f ms  p99 %6.2f ms  errors %d\n",
			name, n / s, ms * 1000 / n, a / 1000, b / 1000, e; print n / s > "'"$t"'/rate" }' "$t/out"
}
cat >"$t/get.lua" <<'LUA'
function done(s, l)
	io.write(string.format("requests %d\nseconds %.3f\nerrors %d\np50_us %d\np99_us %d\n", s.requests, s.duration / 1e6,
		s.errors.status + s.errors.connect + s.errors.read + s.errors.write + s.errors.timeout, l:percentile(50), l:percentile(99)))
end
LUA
# the first sample of a node also stores its report: not what is measured
FELLOE_NODES=$nodes taskset -c 1 wrk -t1 -c"$connections" -d1s -s "$here/stats.lua" "http://127.0.0.1:$port" >/dev/null
echo "$STORE, $connections connections, $nodes nodes, ${seconds} s each, server on one core, $(df -T "$t" | awk 'END { print $2 }')"
measure "GET /health (constant)" -s "$t/get.lua" "http://127.0.0.1:$port/health"
constant=$(cat "$t/rate")
rows=$(sql <<<'SELECT coalesce(sum(n), 0) FROM sample_journal')
measure "POST /stats (3 values)" -s "$here/stats.lua" "http://127.0.0.1:$port"
small=$(cat "$t/rate")
n=$(awk '/^requests / { print $2 }' "$t/out")
FELLOE_BODY='{"cpu_usage":12.5,"disk_usage":40.25,"active_backups":0,"memory":{"total":8264208384,"used":3126140928},"swap":{"total":2147479552,"used":0},"load":[0.52,0.41,0.3],"io":{"read":12345,"write":678901},"net":{"rx":2345,"tx":6789},"uptime_s":123456,"disks":[{"mount":"/","total":42949672960,"used":17179869184,"percent":40.25,"inodes_percent":8}]}' \
	measure "POST /stats (whole)" -s "$here/stats.lua" "http://127.0.0.1:$port"
awk -v a="$small" -v b="$constant" 'BEGIN { printf "POST /stats : constant = %.2f (bar 0.35, 25000/s)\n", a / b }'
got=$(sql <<<'SELECT coalesce(sum(n), 0) FROM sample_journal')
echo "samples committed in all: $got ($rows before, $n answers in the second line)"
grep -i -E 'error|warn' "$t/log" || true
