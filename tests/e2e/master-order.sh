#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sanitize: yes
# timeout: 120
# The newest run of a site is the one that was made last, whatever the node's clock said: a time far ahead or far
# behind hides none, also among runs that are handed over late. What is kept and damaged is told, though it is old.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/master-lib.sh
. "$(dirname "$0")/../master-lib.sh"
command -v python3 >/dev/null || { skip "the order of runs" "apt-get install python3"; exit 0; }
DB=$T/state/master/master.db
SINK=$T/sink HOOK=$(free_port 3)
mkdir "$SINK"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout "$T/mail.key" -out "$T/mail.crt" 2>/dev/null
spawn sinks python3 "$HERE/fake/notice-sinks" "$SINK" "$HOOK" $((HOOK + 1)) "$T/mail.crt" "$T/mail.key"
until_ok 20 test -e "$SINK/ready"
# told EVENT WORDS: the webhook heard of it
told() { sed -s '1,/^\r$/d' "$SINK"/hook-* 2>/dev/null | jq -r '.notices[] | .event + " " + .alert.cause' | grep -q "^$1 .*$2"; }
step "init" master_init
jq '.alerts = {"hold_s": 0, "notice_every_s": 1}' "$T/state/master.json" >"$T/new.json" && cat "$T/new.json" >"$T/state/master.json"
step "start" master_start
step "the administrator signs in" login admin 'correct horse battery'
step "a node joins" admit web-01
check "and reports" call 200 POST /stats -H "X-API-KEY: $KEY" -d '{"cpu_usage":1,"disk_usage":1,"active_backups":0}'

NOW=$(date +%s)
rfc() { date -u -d "@$1" +%Y-%m-%dT%H:%M:%SZ; }
id() { printf '3b241101-e2bb-4255-8caf-41360000%04d' "$1"; }
# put N REV STATE STARTED PREVIOUS [MORE]: run N, made after PREVIOUS (0: none that is known); it took a minute
put() {
	local previous='' finished
	[ "$5" = 0 ] || previous="\"previous\":\"$(id "$5")\","
	finished=$([ "$3" = running ] && echo null || echo "\"$(rfc $(($4 + 60)))\"")
	call 200 PUT "/runs/$(id "$1")" -H "X-API-KEY: $KEY" \
		-d "{\"uuid\":\"$(id "$1")\",$previous\"rev\":$2,\"site\":\"shop\",\"state\":\"$3\",\"started\":\"$(rfc "$4")\",\"finished\":$finished${6:-}}"
}
order() { # "N N ...": newest first
	call 200 GET "/runs?limit=2" -H "$(AS)" || return 1
	local got next
	got=$(jq -r '.items[].uuid[-2:] | tonumber' "$BODY")
	while next=$(jq -r '.next // empty' "$BODY") && [ -n "$next" ]; do
		call 200 GET "/runs?limit=2&after=$next" -H "$(AS)" || return 1
		got+=$'\n'$(jq -r '.items[].uuid[-2:] | tonumber' "$BODY")
	done
	got=$(paste -sd ' ' <<<"$got")
	[ "$got" = "$1" ] || { echo "the order is $got, expected $1"; return 1; }
}
node() { call 200 GET "/nodes/$NODE" -H "$(AS)" && is "$1" "$2"; }
last() { node '[.last_run.uuid[-2:], .last_run.state] | join(" ")' "$1"; }
field() { call 200 GET "/runs/$(id "$1")" -H "$(AS)" && is "$2" "$3"; }
near() { # N FIELD: within the life of this test
	call 200 GET "/runs/$(id "$1")" -H "$(AS)" || return 1
	local t
	t=$(date -d "$(jq -r ".$2" "$BODY")" +%s)
	[ "$t" -ge "$NOW" ] && [ "$t" -le "$(date +%s)" ] || { echo "$2 is $(rfc "$t")"; return 1; }
}

# ---- a clock that is ten years ahead, then right again
AHEAD=$((NOW + 315360000))
check "a run of ten years ahead begins" put 1 1 running "$AHEAD" 0 ',"began":"1999-01-01T00:00:00Z"'
check "it counts as begun now" near 1 began
check "its own time stays as it was" field 1 '.started[:4]' "$(date -u -d "@$AHEAD" +%Y)"
check "how far ahead the clock was is there" field 1 '.clock_ahead_s / 86400 | floor' 3649
check "the log names node, run and clock" grep -qE 'web-01: run 3b241101 of shop says that it began at 20.* ahead of this clock' "$T/master.log"
check "it ends well" put 1 2 ok "$AHEAD" 0
check "by the master's clock" near 1 ended
LATER=$((NOW - 1))
check "the next run, with a clock that is right, fails" put 2 1 failed $LATER 1
check "it is the newest" order "2 1"
check "of the node" last "02 failed"
check "which fails with it" node .health failed
check "the last good one is not of the future" node "(.sites[0].last_good | sub(\"[.].*Z\"; \"Z\") | fromdate) <= $(date +%s)" true
check "what comes of an old run later" put 1 3 ok "$AHEAD" 0 ',"held":true'
check "changes no order" order "2 1"
check "the log told of the clock once" test "$(grep -c 'ahead of this clock' "$T/master.log")" = 1

# ---- handed over late
check "a run of three days ago comes" put 3 1 ok $((NOW - 3 * 86400)) 0
check "behind the others" order "2 1 3"
check "then what the node made while nobody heard it: one ahead" put 4 1 ok "$AHEAD" 2
check "one that failed the day before yesterday" put 5 1 failed $((NOW - 2 * 86400)) 4
check "one of 1970" put 6 1 warning 3600 5
order_all() { order "6 5 4 2 1 3" && last "06 warning"; }
step "they stand as they were made" order_all
check "none ended before it began" field 6 '(.ended | sub("[.].*Z"; "Z") | fromdate) >= (.began | sub("[.].*Z"; "Z") | fromdate)' true
check "a second time nothing changes" put 4 1 ok "$AHEAD" 2
step "neither the order" order_all
check "a run that the master never heard of before it" put 7 1 ok $((NOW - 3600)) 99
step "stands by its own time" order "6 5 4 2 1 7 3"
check "since looks at the same time" call 200 GET "/runs?since=$(rfc $((NOW - 7200)))" -H "$(AS)"
check "as the order does" is '.items | length' 6

# ---- kept and damaged
DAMAGED=',"error":{"kind":"damaged","message":"damaged: files/x"},"archives":[{"storage":"here","key":"a","size":1,"damage":"files/x","damage_at":"2026-01-02T03:04:05Z"}]'
alert() { # STATE FILTER VALUE
	call 200 GET "/alerts?kind=damaged_run&state=$1" -H "$(AS)" && is "$2" "$3"
}
count() { alert open '.items | length' "$1"; }
check "no older run is damaged" count 0
check "a webhook asks for these alone" call 201 POST /channels -H "$(AS)" \
	-d "{\"name\":\"hook\",\"kind\":\"webhook\",\"url\":\"http://127.0.0.1:$HOOK/\",\"kinds\":[\"damaged_run\"]}"
check "one is found damaged" put 3 2 suspect $((NOW - 3 * 86400)) 0 "$DAMAGED"
check "which is told" until_ok 20 count 1
check "as a warning" is '.items[0] | [.severity, .ref, .run[-2:]] | join(" ")' "warning shop 03"
check "with its day" is ".items[0].cause | contains(\"the backup of shop of $(date -u -d "@$((NOW - 3 * 86400))" +%F)\")" true
check "and what to do" is '.items[0].next_step | contains("felloe-noded verify shop --run 3b241101")' true
check "the webhook is told" until_ok 20 told opened 'the backup of shop of .* is kept and is damaged'
check "the node has it as a reason" node '[.reasons[] | select(contains("older backup of shop that is kept is damaged"))] | length' 1
check "and the site a count" node '.sites[0].damaged' 1
check "the archive has the time" field 3 '.archives[0].damage_at[:10]' 2026-01-02
check "a held one, too" put 1 4 suspect "$AHEAD" 0 "$DAMAGED,\"held\":true"
check "makes it critical" until_ok 20 alert open '.items[0].severity' critical
check "of two" is '.items[0].cause | startswith("2 older backups of shop are kept, 1 of them held by hand, and are damaged")' true
check "it is one alert" alert open '.items | length' 1
check "the newest one is another matter" put 6 2 suspect 3600 5 "$DAMAGED"
suspect() { call 200 GET "/alerts?kind=suspect_run&state=open" -H "$(AS)" && is '.items | length' "$1"; }
check "that has an alert of its own" until_ok 20 suspect 1
check "and is not counted there" alert open '.items[0].cause[:1]' 2
check "the metrics count all" curl -sf -o "$T/metrics" "$ROOT/metrics"
check "of them" grep -qx 'felloe_runs_damaged 3' "$T/metrics"
stop_pid master
step "the master starts again" master_start
step "the order is the same" order "6 5 4 2 1 7 3"
check "it knows all three" node '.sites[0].damaged' 3
check "a good run follows" put 8 1 ok $((NOW - 1)) 6
three() { alert open '.items[0].cause[:1]' 3 && suspect 0; }
check "the one before it is an older one now" until_ok 20 three
check "one is sound again" put 6 3 warning 3600 5
check "one was given up" put 3 3 suspect $((NOW - 3 * 86400)) 0 ",\"pruned\":\"$(rfc "$NOW")\",\"error\":{\"kind\":\"damaged\",\"message\":\"x\"}"
check "and the last is sound" put 1 5 ok "$AHEAD" 0
check "then it is over" until_ok 20 count 0
check "the webhook is told that, too" until_ok 20 told recovered ''
check "by itself" alert closed '.items[0].closed_why' recovered
check "the site counts none" node '.sites[0].damaged' 0

# ---- a failure is the last word until another run ended, also to a master that has just begun
check "a run fails" put 9 1 failed "$NOW" 8
check "the next one is skipped" put 10 1 skipped "$NOW" 9
check "the failure stays" last "09 failed"
stop_pid master
# ---- beside this master was one of an older version, which knows no order
check "a run is as such a one wrote it" database_change "$DB" "UPDATE run SET began=0, ended=0, ahead=0 WHERE uuid='$(id 9)'"
step "the master starts with it" master_start
check "it knows the failure, when the node tells the rest of it" put 9 2 failed "$NOW" 8
check "in its place" order "10 9 8 6 5 4 2 1 7 3"
stop_pid master
step "the master starts once more" master_start
check "and tells of the failure as before" last "09 failed"
# ---- a database of before
stop_pid master
TAKE_BACK="DROP INDEX run_began; DROP INDEX run_node_began; CREATE INDEX run_started ON run(started, uuid);
	CREATE INDEX run_node ON run(node_id, started); ALTER TABLE run DROP COLUMN began; ALTER TABLE run DROP COLUMN ended;
	ALTER TABLE run DROP COLUMN ahead; ALTER TABLE run DROP COLUMN damaged; UPDATE run SET received=received-10000000 WHERE uuid='$(id 1)';"
case $STORE in
sqlite) VERSION=$(database_sql "$DB" 'PRAGMA user_version') BACK="PRAGMA user_version=$((VERSION - 1))" ;;
*) BACK="DELETE FROM felloe_schema WHERE version=(SELECT max(version) FROM felloe_schema)" ;;
esac
check "without what orders runs" database_change "$DB" "BEGIN; $TAKE_BACK $BACK; COMMIT"
step "the master starts" master_start
check "the time when it heard of a run last stands in for a wrong one" order "4 10 9 8 2 7 1 5 3 6"
check "how far ahead the clock was is known" field 1 '.clock_ahead_s > 300000000' true
check "and no last good run is of the future" node "(.sites[0].last_good | sub(\"[.].*Z\"; \"Z\") | fromdate) <= $(date +%s)" true
stop_pid master
check "the log tells of nothing else" bash -c "! grep -E 'error:|Sanitizer' '$T/master.log'"
