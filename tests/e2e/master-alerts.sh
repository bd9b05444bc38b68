#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the master finds wrong by itself: alerts open, repeat, close; what people say to them.
# timeout: 240
# slow: yes
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../master-lib.sh"

config() { # JQ FILTER: change master.json
	jq "$1" "$T/state/master.json" >"$T/new.json" && cat "$T/new.json" >"$T/state/master.json"
}
rfc() { date -u -d "@$1" +%FT%TZ; }
# sample KEY MEMBERS: a report of the moment
sample() {
	call 200 POST /stats -H "X-API-KEY: $1" -d "{\"cpu_usage\":5,\"disk_usage\":20,\"active_backups\":0,\"outbox_depth\":1$2}"
}
# run KEY UUID STATE MEMBERS
report() {
	local now
	now=$(date +%s)
	call 200 PUT "/runs/$2" -H "X-API-KEY: $1" -d "{\"uuid\":\"$2\",\"rev\":$REV,\"site\":\"shop\",\"timer\":\"nightly\",\"trigger\":\"timer\",\"what\":\"db\",\"state\":\"$3\",\"started\":\"$(rfc $((now - 5)))\",\"finished\":\"$(rfc $((now - 1)))\"$4}" || return 1
	REV=$((REV + 1))
}
REV=1 ALERT=0
alerts() { call 200 GET "/alerts?$1" -H "$(AS)"; }
# open KIND NODE: exactly one is open, its number in $ALERT
open() { alerts "kind=$1&node=$2" && is '.items | length' 1 && ALERT=$(jq .items[0].id "$BODY"); }
none() { alerts "kind=$1&node=$2" && is '.items | length' 0; }
# looked: the master has looked at all nodes since: an alert of a third one has come and gone
looked() {
	sample "$KEY3" '' && report "$KEY3" 44444444-4444-4444-8444-444444444444 failed '' && until_ok 30 open failed_run "$THREE" &&
		report "$KEY3" 44444444-4444-4444-8444-444444444444 ok '' && until_ok 30 none failed_run "$THREE"
}
closed() { alerts "state=closed&kind=$1&node=$2" && is '.items[0].state' closed; }

master_init
config '.alerts = {"hold_s": 1, "silent_after_s": 6, "notice_every_s": 1, "repeat_s": 3, "missed_grace_s": 30}'
check "a limit of alerts that is out of range is refused" bash -c "
	jq '.alerts.hold_s = -1' '$T/state/master.json' >'$T/bad.json' && chmod 600 '$T/bad.json'
	! felloe-masterd check -c '$T/bad.json' 2>'$T/bad.err' && grep -q alerts.hold_s '$T/bad.err'"
step "the master starts" master_start
step "the admin signs in" login admin 'correct horse battery'
step "a machine is let in" admit web-1
ONE=$NODE KEY1=$KEY
step "a second one" admit web-2
TWO=$NODE KEY2=$KEY
step "and one to tell the time by" admit web-3
THREE=$NODE KEY3=$KEY
check "nothing is wrong at first" alerts ''
check "an empty page" is '.items | length' 0

# ---- runs
sample "$KEY1" '' && sample "$KEY2" ''
A=11111111-1111-4111-8111-111111111111 B=22222222-2222-4222-8222-222222222222 C=33333333-3333-4333-8333-333333333333
check "a run fails" report "$KEY1" $A failed ',"error":{"kind":"storage","message":"s3-a: 403 AccessDenied"}'
check "its alert opens" until_ok 10 open failed_run "$ONE"
open failed_run "$ONE"
check "with the site" is '.items[0].ref' shop
check "the run" is '.items[0].run' $A
check "severity" is '.items[0].severity' critical
check "the cause in words" bash -c "jq -r '.items[0].cause' '$BODY' | grep -q 'the backup of shop failed at .* UTC: s3-a: 403 AccessDenied'"
check "and a next step" bash -c "jq -r '.items[0].next_step' '$BODY' | grep -q 'felloe run $A'"
check "the storage that refuses is told too" until_ok 10 open storage_refusing "$ONE"
check "one alert is there by its number" call 200 GET "/alerts/$ALERT" -H "$(AS)"
check "an alert that is not there is 404" call 404 GET /alerts/999999 -H "$(AS)"
check "an unknown kind is refused" call 422 GET '/alerts?kind=nonsense' -H "$(AS)"
check "an unknown state too" call 422 GET '/alerts?state=nonsense' -H "$(AS)"
etag() {
	local tag
	alerts '' && tag=$(tr -d '\r' <"$HEAD" | sed -n 's/^etag: //Ip') && call 304 GET '/alerts' -H "$(AS)" -H "If-None-Match: $tag"
}
check "an unchanged list is 304" until_ok 10 etag

check "the next run fails too" report "$KEY1" $B failed ',"error":{"kind":"storage","message":"s3-a: 403 AccessDenied"}'
twice() { open failed_run "$ONE" && is '.items[0].count' 2; }
check "that counts on the same alert" until_ok 10 twice
check "with the newer run" is '.items[0].run' $B

# ---- what people say
check "a viewer's token is not needed to be wrong: without one it is 401" call 401 POST "/alerts/$ALERT/ack"
check "an admin looks after it" call 200 POST "/alerts/$ALERT/ack" -H "$(AS)"
check "that shows" is .state acked
check "with the name" is .acked_by admin
check "and not any more" call 200 DELETE "/alerts/$ALERT/ack" -H "$(AS)"
check "that shows too" is .state open
check "snooze wants a time" call 422 POST "/alerts/$ALERT/snooze" -H "$(AS)" -d '{}'
check "of at most 30 days" call 422 POST "/alerts/$ALERT/snooze" -H "$(AS)" -d '{"for_s":99999999}'
check "and not in the past" call 422 POST "/alerts/$ALERT/snooze" -H "$(AS)" -d '{"until":"2020-01-01T00:00:00Z"}'
check "it sleeps" call 200 POST "/alerts/$ALERT/snooze" -H "$(AS)" -d '{"for_s":3600}'
check "that shows as well" is .state snoozed
check "and wakes" call 200 DELETE "/alerts/$ALERT/snooze" -H "$(AS)"
check "again open" is .state open

check "a good run" report "$KEY1" $C ok ''
check "closes it" until_ok 10 none failed_run "$ONE"
check "by recovery" closed failed_run "$ONE"
check "which is told" is '.items[0].closed_why' recovered
check "nobody can look after what is over" call 409 POST "/alerts/$ALERT/ack" -H "$(AS)"
check "the storage has recovered too" until_ok 10 none storage_refusing "$ONE"
check "the node tells the age of its last good backup" call 200 GET "/nodes/$ONE" -H "$(AS)"
check "for the worst site" is '.last_good_age_s < 600' true
check "and for each" is '.sites[0].last_good_age_s < 600' true

# ---- a disk
check "a disk is nearly full" sample "$KEY2" ',"disks":[{"mount":"/srv","total":1000000,"used":930000,"percent":93}]'
check "its alert opens" until_ok 10 open disk_full "$TWO"
open disk_full "$TWO"
check "for the mount" is '.items[0].ref' /srv
check "as a warning" is '.items[0].severity' warning
sample "$KEY2" ',"disks":[{"mount":"/srv","total":1000000,"used":970000,"percent":97}]'
critical() { open disk_full "$TWO" && is '.items[0].severity' critical; }
check "which becomes critical" until_ok 10 critical
sample "$KEY2" ',"disks":[{"mount":"/srv","total":1000000,"used":100000,"percent":10}]'
check "and closes when there is room" until_ok 10 none disk_full "$TWO"

# ---- silence
check "a node that says nothing" until_ok 20 open node_silent "$TWO"
open node_silent "$TWO"
SILENT=$ALERT
stop_pid master KILL
step "the master is killed and starts again" master_start
login admin 'correct horse battery'
still() { sample "$KEY1" ''; open node_silent "$TWO" && [ "$ALERT" = "$SILENT" ]; }
check "the alert is still the same" still
step "after the master has looked" looked
check "not closed for the sake of the restart, nor doubled" still
back() { sample "$KEY2" '' && none node_silent "$TWO"; }
check "the node is back: it recovers" until_ok 15 back

# ---- a disk that fills up: ten days of history
history() {
	jq -nc --argjson now "$(date +%s)" '[range(240; 0; -1) as $h | {ts: ($now - $h * 3600 | todate), cpu_usage: 5, disk_usage: 20,
		active_backups: 0, disks: [{mount: "/data", total: 1000, used: 500, percent: (85 - $h * 0.15)}]}]' >"$T/history" &&
		call 200 POST /stats -H "X-API-KEY: $KEY3" --data-binary "@$T/history" &&
		sample "$KEY3" ',"disks":[{"mount":"/data","total":1000,"used":850,"percent":85}]'
}
check "a node hands over ten days of history" history
stop_pid master
step "the master is stopped and starts again" master_start
login admin 'correct horse battery'
filling() { sample "$KEY1" '' && sample "$KEY3" ',"disks":[{"mount":"/data","total":1000,"used":850,"percent":85}]' && open disk_forecast "$THREE"; }
check "its disk is told to be full soon" until_ok 30 filling
open disk_forecast "$THREE"
check "in four days" bash -c "jq -r '.items[0].cause' '$BODY' | grep -q '/data will be full in about 4 days: it grew by 3.. % a day over the last [0-9]* days'"

# ---- missed runs, by the clock of the node
# timer TS NEXT LAST: seconds from $BASE
timer() {
	printf ',"ts":"%s","uptime_s":100000,"timers":[{"name":"nightly","on_calendar":"*-*-* 03:00:00","enabled":true,"active":true,"next":"%s","last":"%s","spread_s":0,"result":"success"}]' \
		"$(rfc $((BASE + $1)))" "$(rfc $((BASE + $2)))" "$(rfc $((BASE + $3)))"
}
BASE=$(date +%s)
check "a timer declares its next firing" sample "$KEY1" "$(timer 5 100 -90000)"
step "the master has seen it" looked
check "its time passes, within the grace" sample "$KEY1" "$(timer 125 86500 -90000)"
step "the master has looked" looked
check "no alarm yet" none missed_run "$ONE"
check "the grace is over, its history still on the way" call 200 POST /stats -H "X-API-KEY: $KEY1" -d \
	"{\"cpu_usage\":5,\"disk_usage\":20,\"active_backups\":0,\"outbox_depth\":9$(timer 135 86500 -90000)}"
step "the master has looked again" looked
check "and waits for it" none missed_run "$ONE"
check "all has come" sample "$KEY1" "$(timer 136 86500 -90000)"
check "and the firing was missed" until_ok 10 open missed_run "$ONE"
missing() { call 200 GET "/nodes/$ONE" -H "$(AS)" && is '.missing_runs[0].timer' nightly && is .health failed; }
check "the node shows it" until_ok 10 missing
check "with the reason" bash -c "jq -r '.reasons[]' '$BODY' | grep -q 'timer nightly should have fired'"
check "the timer fires" sample "$KEY1" "$(timer 190 86500 180)"
check "and the alert closes" until_ok 30 none missed_run "$ONE"

check "a node is blocked" call 200 POST "/nodes/block/$TWO" -H "$(AS)" -d '{"reason":"test"}'
check "who sees everything pages through it" alerts 'state=all&limit=2'
check "two at a time" is '.items | length' 2
NEXT=$(jq -r .next "$BODY") LAST=$(jq '.items[1].id' "$BODY")
check "and goes on below" alerts "state=all&limit=2&after=$NEXT"
check "without doubles" bash -c "[ \$(jq '.items[0].id' '$BODY') -lt $LAST ]"

# ---- other rules
FULL=',"disks":[{"mount":"/srv","total":100,"used":60,"percent":60}]'
keeps_filling() { sample "$KEY3" "$FULL" && open disk_full "$THREE"; }
check "a disk with room is reported" sample "$KEY3" "$FULL"
check "after it a run fails" report "$KEY3" 44444444-4444-4444-8444-444444444444 failed ''
step "the master has looked" until_ok 30 open failed_run "$THREE"
check "none" none disk_full "$THREE"
config '.alerts.disk_percent = 50'
kill -HUP "$(cat "$T/master.pid")"
check "after SIGHUP another limit counts" until_ok 30 keeps_filling
check "of that disk" is '.items[0].ref' /srv
config '.alerts.disk_percent = 5'
kill -HUP "$(cat "$T/master.pid")"
check "one out of range does not" until_ok 10 grep -q 'SIGHUP: the old configuration stays.*alerts.disk_percent' "$T/master.log"
