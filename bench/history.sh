#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A simulated year of samples (every 10 s; tests/masterd/history_tool.c): bytes on
# disk by resolution, time of a node's day, what packing costs, and the memory of
# a master that holds ten minutes of 10,000 nodes (packing those takes five minutes: it is spread). NODES have a whole history; what
# is said of 10,000 is theirs times 10,000 / NODES.
# usage: bench/history.sh BUILD [NODES [FLEET]]
BUILD=$(cd "${1:?usage: bench/history.sh BUILD [NODES [FLEET]]}" && pwd -P)
NODES=${2:-200} FLEET=${3:-10000}
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/master-lib.sh"
need sqlite3 curl jq python3 taskset
TOOL=$BUILD/tests/masterd/history_tool
[ -x "$TOOL" ] || { echo "make -C $BUILD tests/masterd/history_tool" >&2; exit 1; }

make_master() { # NAME NODES
	NODES=$2
	master_make sqlite
	mv "$T/sqlite" "$T/$1"
	sed -i "s#$T/sqlite/#$T/$1/#g" "$(find "$T/$1" -name master.json)"
	DB=$(find "$T/$1" -name master.db)
}
start() { # NAME
	taskset -c 0 "$BUILD/felloe-masterd" --state "$T/$1" --verbose 2>>"$T/$1/log" &
	PID=$!
	PIDS+=("$PID")
	wait_for "http://127.0.0.1:$PORT/ready"
}
end() { kill "$PID" && wait "$PID" || true; }
cpu() { awk '{ print ($14 + $15) * 10 }' "/proc/$PID/stat"; } # ms
memory() { awk -v k="$1:" '$1 == k { print int($2 / 1024) }' "/proc/$PID/status"; }
until_packed() { until [ "$(sqlite3 "file:$DB?mode=ro" 'SELECT count(*) FROM sample_journal')" = 0 ]; do sleep 0.1; done; }

# ---- size
history=$NODES
make_master year "$history"
began=$(date +%s)
"$TOOL" fill "sqlite:$DB" "$history" 2>/dev/null
sqlite3 "$DB" 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
echo "$history nodes, a sample every 10 s; filled in $(($(date +%s) - began)) s"
printf '%-8s %9s %10s %13s %16s\n' resolution blocks "KiB each" "MiB on disk" "GB for $FLEET"
for r in raw minute hour; do
	sqlite3 -separator ' ' "$DB" "SELECT '$r', count(*), avg(length(doc)) / 1024.0,
		(SELECT sum(pgsize) FROM dbstat WHERE name IN ('sample_$r', 'sqlite_autoindex_sample_${r}_1')) FROM sample_$r"
done | awk -v n="$history" -v fleet="$FLEET" '
	{ printf "%-8s %9d %10.2f %13.1f %16.2f\n", $1, $2, $3, $4 / 1048576, $4 / n * fleet / 1e9; all += $4 }
	END { printf "%-8s %9s %10s %13.1f %16.2f   (bar 6)\n", "all", "", "", all / 1048576, all / n * fleet / 1e9 }'

# ---- queries, over HTTP with JSON
start year
token=$(curl -sf "http://127.0.0.1:$PORT/api/v1/auth/login" --data-urlencode username=admin \
	--data-urlencode "password=$(cat "$T/year/pw")" | jq -r .access_token)
query() { # NAME SECONDS STEP
	local i node from
	from=$(date -u -d "@$(($(date +%s) - $2))" +%FT%TZ)
	for ((i = 0; i < 60; i++)); do
		node=$((i * 7 % history + 1))
		curl -s -o "$T/answer" -w '%{time_total}\n' -H "Authorization: Bearer $token" \
			"http://127.0.0.1:$PORT/api/v1/nodes/$node/stats?from=$from&step=$3"
	done | sort -n >"$T/times"
	awk -v name="$1" -v points="$(jq '.items | length' "$T/answer")" -v res="$(jq -r .resolution "$T/answer")" '
		{ v[NR] = $1 * 1000 } END { printf "%-26s %-7s %5d points  median %5.1f ms  worst of 60 %5.1f ms\n", name, res, points, v[int(NR / 2)], v[NR] }' "$T/times"
}
query "" 3600 10 >/dev/null
query "a day, by 10 s" $((86400 - 600)) 10
query "a day, by 4 min" $((86400 - 600)) 240
query "14 days, by the hour" $((14 * 86400 - 600)) 3600
query "a year, by the day" $((365 * 86400)) 86400
end

# ---- packing into what is there
"$TOOL" journal "sqlite:$DB" "$history" 10
start year
before=$(cpu)
until_packed
awk -v ms=$(($(cpu) - before)) -v n="$history" -v fleet="$FLEET" -v took="$(sed -n 's/.*samples packed in \([0-9]*\) ms.*/\1/p' "$T/year/log" | tail -1)" \
	'BEGIN { printf "packing 10 min: %.2f ms CPU a node, %.1f s CPU for %d nodes (every 10 min), in turn within %.1f s\n", ms / n, ms / n * fleet / 1000, fleet, took / 1000 }'
end

# ---- memory
make_master fleet "$FLEET"
"$TOOL" journal "sqlite:$DB" "$FLEET" 10
size=$(sqlite3 "$DB" 'SELECT sum(length(doc)) FROM sample_journal')
began=$(date +%s%N)
start fleet
echo "$FLEET nodes with ten minutes of samples ($((size / 1048576)) MiB of journal): ready in $((($(date +%s%N) - began) / 1000000)) ms, $(memory VmRSS) MiB resident (bar 256)"
until_packed
echo "after they are packed: $(memory VmRSS) MiB, at most $(memory VmHWM) MiB"
grep -i -E 'error|warn' "$T"/*/log || true
