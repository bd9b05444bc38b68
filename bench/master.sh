#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# POST /stats over keep-alive connections, each committed before its answer: the
# master on SQLite and on PostgreSQL, a constant answer of the same HTTP library
# (GET /health of the same process), and a small FastAPI + SQLAlchemy + SQLite
# service with one worker that does the same. Each server has one core, wrk the
# other; PostgreSQL runs on wrk's. usage: bench/master.sh BUILD [SECONDS [CONNECTIONS...]]
BUILD=$(cd "${1:?the build directory}" && pwd -P)
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$ROOT/bench/master-lib.sh"
EACH=${2:-5}
CONNECTIONS=("${@:3}")
[ ${#CONNECTIONS[@]} -gt 0 ] || CONNECTIONS=(64 256)
need wrk sqlite3 taskset curl python3 uvicorn

cat >"$T/get.lua" <<'LUA'
function done(s, l)
	io.write(string.format("requests %d\nseconds %.3f\nerrors %d\np50_us %d\np99_us %d\n", s.requests, s.duration / 1e6,
		s.errors.status + s.errors.connect + s.errors.read + s.errors.write + s.errors.timeout, l:percentile(50), l:percentile(99)))
end
LUA
WHOLE='{"cpu_usage":12.5,"disk_usage":40.25,"active_backups":0,"memory":{"total":8264208384,"used":3126140928},"swap":{"total":2147479552,"used":0},"load":[0.52,0.41,0.3],"io":{"read":12345,"write":678901},"net":{"rx":2345,"tx":6789},"uptime_s":123456,"disks":[{"mount":"/","total":42949672960,"used":17179869184,"percent":40.25,"inodes_percent":8}]}'
RATE=0 ANSWERS=0
# measure_http NAME CONNECTIONS SCRIPT URL: a line of the table; $RATE
measure_http() {
	local before after
	before=$(cpu_ms "$PID")
	FELLOE_NODES=$NODES taskset -c 1 wrk -t1 -c"$2" -d"${EACH}s" -s "$3" "$4" >"$T/out" 2>&1
	after=$(cpu_ms "$PID")
	ANSWERS=$((ANSWERS + $(awk '/^requests / { print $2 }' "$T/out")))
	RATE=$(awk '/^requests / { n = $2 } /^seconds / { print n / $2 }' "$T/out")
	awk -v name="$1" -v c="$2" -v ms=$((after - before)) -v rss="$(rss_mib "$PID")" '
		/^requests / { n = $2 } /^seconds / { s = $2 } /^errors / { e = $2 } /^p50_us / { a = $2 } /^p99_us / { b = $2 }
		END { printf "%-40s %5d %9.0f %8.1f %8.2f %8.2f %6d %7d\n", name, c, n / s, ms * 1000 / (n ? n : 1), a / 1000, b / 1000, rss, e }' "$T/out"
}
ratio() { awk -v n="$1" -v a="$2" -v b="$3" 'BEGIN { if (b > 0) printf "  %s %.2f\n", n, a / b }'; }

measure_master() { # sqlite|postgresql
	local c constant before
	master_make "$1"
	master_start "$1" 0
	# the first sample of a node also stores its report: not what is measured
	FELLOE_NODES=$NODES taskset -c 1 wrk -t1 -c64 -d1s -s "$ROOT/bench/stats.lua" "http://127.0.0.1:$PORT" >/dev/null
	for c in "${CONNECTIONS[@]}"; do
		measure_http "constant answer, $1" "$c" "$T/get.lua" "http://127.0.0.1:$PORT/health"
		constant=$RATE
		before=$(store_sql "$1" <<<'SELECT coalesce(sum(n), 0) FROM sample_journal')
		ANSWERS=0
		measure_http "POST /stats, $1" "$c" "$ROOT/bench/stats.lua" "http://127.0.0.1:$PORT"
		ratio "to the constant answer" "$RATE" "$constant"
		BEST[$1]=$(awk -v a="${BEST[$1]:-0}" -v b="$RATE" 'BEGIN { print (a > b ? a : b) }')
		FELLOE_BODY=$WHOLE measure_http "POST /stats of all values, $1" "$c" "$ROOT/bench/stats.lua" "http://127.0.0.1:$PORT"
		echo "  $ANSWERS answers, $(($(store_sql "$1" <<<'SELECT coalesce(sum(n), 0) FROM sample_journal') - before)) more samples in the journal"
	done
	stop_pid "$PID"
	grep -i -E 'error|warn' "$T/$1/log" || true
}
measure_seed() {
	local port=$((20000 + RANDOM % 20000))
	(cd "$ROOT/bench" && PYTHONDONTWRITEBYTECODE=1 SEED_DB="$T/seed.db" SEED_NODES=$NODES exec taskset -c 0 uvicorn seed_api:app --port "$port" --log-level warning) 2>"$T/seed.log" &
	PID=$!
	PIDS+=("$PID")
	wait_for "http://127.0.0.1:$port/health"
	measure_http "constant answer, FastAPI" 8 "$T/get.lua" "http://127.0.0.1:$port/health"
	measure_http "POST /stats, FastAPI+SQLAlchemy+SQLite" 8 "$ROOT/bench/stats.lua" "http://127.0.0.1:$port"
	BEST[seed]=$RATE
	measure_http "same" 64 "$ROOT/bench/stats.lua" "http://127.0.0.1:$port"
	BEST[seed]=$(awk -v a="${BEST[seed]}" -v b="$RATE" 'BEGIN { print (a > b ? a : b) }')
	stop_pid "$PID"
}

declare -A BEST
echo "$NODES nodes, $EACH s each, server on one core, $(df -T "$T" | awk 'END { print $2 }')"
printf '%-40s %5s %9s %8s %8s %8s %6s %7s\n' "" conn "per s" "CPU us" "p50 ms" "p99 ms" MiB errors
measure_master sqlite
if [ -x "$ROOT/tests/rigs/postgres.sh" ]; then measure_master postgresql; fi
measure_seed
ratio "POST /stats on SQLite to the FastAPI service:" "${BEST[sqlite]}" "${BEST[seed]}"
