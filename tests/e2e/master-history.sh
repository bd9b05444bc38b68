#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sanitize: yes
# The history of samples: journal, blocks and rollups; back-fill, repeats and
# kill -9 in between lose nothing and count nothing twice; what is past its time goes.
# slow: yes
. "$(dirname "$0")/../lib.sh"
. "$HERE/master-lib.sh"
DB=$T/state/master/master.db
step "init" master_init
step "start" master_start
login admin 'correct horse battery'
step "a node joins" admit web-01

at() { date -u -d "@$1" +%Y-%m-%dT%H:%M:%SZ; }
HOUR=$(($(date +%s) / 3600 * 3600))
# samples START COUNT STEP: a list, cpu 0 1 ... 9 0 1 ..., disks 10 and 20 %
samples() {
	jq -nc --argjson t "$1" --argjson n "$2" --argjson step "$3" '[range($n) | {
		ts: (($t + . * $step) | todate), cpu_usage: (. % 10), disk_usage: 20, active_backups: (. % 2),
		memory: {total: 8000000000, used: 4000000000}, load: [0.5, 0.25, 0.125], io: {read: 1000, write: 0},
		disks: [{mount: "/", percent: 10}, {mount: "/data", percent: 20}]}]' >"$T/list"
}
post() { samples "$@" && call 200 POST /stats -H "X-API-KEY: $KEY" -d "@$T/list"; }
# series FROM TO STEP: in $BODY
series() { call 200 GET "/nodes/1/stats?from=$(at "$1")&to=$(at "$2")&step=$3" -H "$(AS)"; }
count() { series "$1" "$2" "$3" && is '[.items[].samples] | add // 0' "$4"; }
resolution() { is .resolution "$1"; }

RAW=$((HOUR - 7200)) MINUTES=$((HOUR - 3 * 86400)) HOURS=$((HOUR - 20 * 86400))
# ---- from memory
check "samples of two hours ago are taken" post $RAW 360 10
check "those of three days ago" post $MINUTES 90 10
check "and of twenty days ago" post $HOURS 360 10
check "and what nobody keeps any more" post $((HOUR - 800 * 86400)) 3 10
all_there() {
	count $RAW $((RAW + 3600)) 1 360 && resolution raw &&
		count $MINUTES $((MINUTES + 3600)) 60 90 && resolution minute &&
		count $HOURS $((HOURS + 7200)) 3600 360 && resolution hour &&
		count $((HOUR - 800 * 86400)) $((HOUR - 799 * 86400)) 3600 0
}
step "all of them are in the series" all_there

# ---- packed
# what memory holds at the start is packed first; the journal is empty at the end
rows() { database_sql "$DB" "SELECT count(*) FROM $1"; }
is_packed() { [ "$(rows sample_journal)" = 0 ]; }
restart() { # SIGNAL
	stop_pid master "$1"
	master_start
}
check "they wait in the journal" [ "$(rows sample_journal)" -ge 4 ]
step "after kill -9 the master starts again" restart KILL
check "and packs what the journal holds" until_ok 60 is_packed
step "nothing is lost by it, nothing doubled" all_there
check "the hour of samples is a block" [ "$(rows sample_raw)" = 1 ]
check "the days have blocks of minutes" [ "$(rows sample_minute)" -ge 2 ]

# ---- what the series say
step "a step of a minute of three days ago" series $MINUTES $((MINUTES + 3600)) 60
check "has the mean" is '.items[0].cpu_usage' 2.5
check "and the maximum" is '.items[0].cpu_max' 5
check "the second one too" is '[.items[1].cpu_usage, .items[1].cpu_max] | join(" ")' "5.2 9"
check "memory within a thousandth" is '.items[0].memory_used / 4000000000 | . > 0.999 and . < 1.001' true
check "load" is '[.items[0].load1, .items[0].load5, .items[0].load1_max] | join(" ")' "0.5 0.25 0.5"
check "what was never told is absent" is '.items[0] | has("net_rx") or has("swap_used")' false
check "each mount" is '.items[0].disks | to_entries | map("\(.key) \(.value)") | join(", ")' "/ 10, /data 20"
check "after it there is nothing, not zero" is '.items | length' 15
step "an hour of twenty days ago" series $HOURS $((HOURS + 7200)) 3600
check "has one point" is '.items | length' 1
check "with the mean of all" is '[.items[0].cpu_usage, .items[0].cpu_max, .items[0].active_backups] | join(" ")' "4.5 9 0.5"
step "steps finer than what is kept are as fine as it" series $HOURS $((HOURS + 7200)) 10
check "and say so" is '[.step_s, .resolution] | join(" ")' "3600 hour"
step "a step of several" series $MINUTES $((MINUTES + 3600)) 300
check "joins them" is '[.items[].samples] | join(" ")' "30 30 30"

# ---- repeats
again() { post $RAW 360 10 && post $MINUTES 90 10 && post $HOURS 360 10; }
step "all is sent again" again
step "before it is packed it counts once" all_there
step "and after" restart KILL
check "being packed" until_ok 60 is_packed
step "too" all_there

# ---- more of an hour that is packed, out of order
check "what came between is taken" post $((RAW + 5)) 180 10
check "and what came after" post $((RAW + 3600)) 60 10
more_there() {
	count $RAW $((RAW + 3600)) 1 540 && count $((RAW + 3600)) $((RAW + 7200)) 1 60 &&
		series $RAW $((RAW + 3600)) 3600 && is '.items[0].cpu_usage' 4.5
}
step "beside what is packed" more_there
step "a restart" restart TERM
check "packs it" until_ok 60 is_packed
step "into the same block" more_there
check "of an hour each" [ "$(rows sample_raw)" = 2 ]
day() { count $((HOUR - 86400 * 2)) $((HOUR + 3600)) 60 600 && resolution minute; }
step "and the minutes have both" day

# ---- a crash between packing and the end of the journal
check "one more hour" post $((RAW - 3600)) 360 10
stop_pid master KILL
case $STORE in
sqlite) change() { sqlite3 "$DB" "$1"; } ;;
*) change() { pg_sql -c "$1"; } ;;
esac
check "a row that is damaged is among it" change "INSERT INTO sample_journal(origin,id,at,n,doc) VALUES('broken',1,1,1,$([ "$STORE" = sqlite ] && echo "x'01'" || echo "'\\x01'"))"
check "its journal is kept aside" change "CREATE TABLE aside AS SELECT * FROM sample_journal"
step "the master packs it" master_start
check "its log names the row that is damaged" grep -q "row 1 of broken" "$T/master.log"
check "and deletes the journal" until_ok 60 is_packed
stop_pid master KILL
check "as if that had not been committed" change "INSERT INTO sample_journal SELECT * FROM aside"
step "it starts" master_start
crashed() { count $((RAW - 3600)) $RAW 1 360 && count $((HOUR - 86400 * 2)) $((HOUR + 3600)) 60 960; }
step "and what is in both counts once" crashed
check "it is packed again" until_ok 60 is_packed
step "and counts once" crashed

# ---- a block that cannot be read
step "stop" stop_pid master
check "a block is damaged" change "UPDATE sample_raw SET doc=$([ "$STORE" = sqlite ] && echo "x'0102'" || echo "'\\x0102'") WHERE start=${RAW}000"
step "the master starts all the same" master_start
check "and shows the others" count $((RAW - 3600)) $RAW 1 360
check "and none for that hour" count $RAW $((RAW + 3600)) 1 0
check "its log names the block" grep -q "node 1, raw block ${RAW}000" "$T/master.log"
check "what comes for the hour is taken" post $((RAW + 1)) 5 10
step "and packed" restart TERM
check "over it" until_ok 60 is_packed
check "as new" count $RAW $((RAW + 3600)) 1 5

# ---- what is past its time
step "stop" stop_pid master
CONFIG=$(find "$T/state" -name master.json)
jq '. + {keep_raw_h: 1, keep_minute_d: 1, keep_hour_d: 10}' "$CONFIG" >"$T/new.json" && cat "$T/new.json" >"$CONFIG"
step "with less to keep it starts" master_start
fewer() { [ "$(rows sample_raw)" -le 1 ] && [ "$(rows "sample_minute WHERE start < ${MINUTES}000 + 86400000")" = 0 ]; }
check "and deletes what is past its time" until_ok 60 fewer
check "hours of today are" count $((RAW - 3600)) $RAW 3600 360
check "by the hour or by the minute" is '.resolution != "raw"' true

# ---- limits
check "from after to" call 422 GET "/nodes/1/stats?from=$(at "$HOUR")&to=$(at "$RAW")" -H "$(AS)"
check "too many points" call 422 GET "/nodes/1/stats?from=$(at "$HOURS")&step=1" -H "$(AS)"
check "a node that there is not" call 404 GET /nodes/99/stats -H "$(AS)"
stop_pid master
check "the log tells of nothing but the damage" bash -c "! grep -E 'error:|Sanitizer' '$T/master.log' | grep -v -e 'raw block ${RAW}000' -e 'row 1 of broken'"
