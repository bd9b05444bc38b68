#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two masters on one PostgreSQL behind a balancer that takes turns: what one of
# them did counts at the other one, and background work is done once.
# timeout: 180
# stores: sqlite
# (it brings its own PostgreSQL)
FELLOE_TEST_DATABASE=postgresql
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../master-lib.sh"
. "$HERE/events-lib.sh"
U=3b241101-e2bb-4255-8caf-4136c566a9
PORT_BOTH=$(free_port)
A=$API BOTH=http://127.0.0.1:$PORT_BOTH/api/v1
has() { call "$1" GET "$2" "${@:4}" && jq -e "$3" "$BODY"; } # STATUS PATH FILTER [CURL OPTIONS]

master_init || note "$T/init.out"
second_init
step "the first master starts" master_start
step "the second one starts on the same database" second_start
jq --arg s "$T/state/third" '.state_dir = $s | .jwt_secret = "another secret of more than thirty-two"' \
	"$T/b.json" >"$T/c.json" && chmod 600 "$T/c.json"
check "one with another secret does not" run -e 4 felloe-masterd --state "$T/state" -c "$T/c.json"
check "and says why" says "another master works on this database with another jwt_secret"
spawn both python3 "$RIGS/round_robin.py" "$PORT_BOTH" "$PORT" "$PORT_B"
step "the balancer takes turns between them" until_ok 10 at "$BOTH" call 401 GET /nodes/
step "a sign-in at one" at "$A" login admin 'correct horse battery'
step "is one at the other" at "$B" soon call 200 GET /auth/me -H "$(AS)"
both_know_me() { local i; for i in 1 2 3 4; do call 200 GET /auth/me -H "$(AS)" || return 1; done; }
step "whoever is asked" at "$BOTH" both_know_me

# ---- a machine comes in at one and is let in at the other
EVENTS=$A step "a console listens at the first" listen a ''
EVENTS=$B step "one at the second" listen b ''
step "a machine asks the first" at "$A" join web-01
find_it() { call 200 GET "/nodes/?state=pending" -H "$(AS)" && NODE=$(jq -er '.[0].id' "$BODY"); }
NODE=''
until_ok 10 at "$B" has 200 "/nodes/?state=pending" 'length == 1' -H "$(AS)"
step "the second shows it" at "$B" find_it
step "both consoles are told" will_tell a join '.items[0].hostname == "web-01"'
step "by their own master" will_tell b join '.items[0].hostname == "web-01"'
curl -s -m 40 -w '\n' "$A/nodes/status/$REQUEST?wait=25" >"$T/poll" &
POLL=$!
step "the second lets it in" at "$B" call 200 POST "/nodes/approve/$NODE" -H "$(AS)"
start=$SECONDS
step "the machine that waits at the first is woken" wait "$POLL"
check "long before its wait is over" [ "$((SECONDS - start))" -lt 20 ]
check "by the approval" jq -e '.status == "active"' "$T/poll"
KEY=$("$PAIR" open "$(jq -r .sealed_key "$T/poll")" "$PUB" "$SECRET")
step "its key is good at the master that did not approve, at once" at "$A" sample 10
step "and at the other" at "$B" sample 20
at_once() { # join at one, approve at the other without a moment in between, report to the first
	at "$A" join "$1" || return 1
	NODE2=$(database_sql "" "SELECT id FROM node WHERE hostname='$1'")
	at "$B" call 200 POST "/nodes/approve/$NODE2" -H "$(AS)" || return 1
	at "$A" call 200 GET "/nodes/status/$REQUEST" || return 1
	KEY2=$("$PAIR" open "$(jq -r .sealed_key "$BODY")" "$PUB" "$SECRET")
	at "$A" call 200 POST /stats -H "X-API-KEY: $KEY2" -d '{"cpu_usage":1,"disk_usage":1,"active_backups":0}'
}
step "nobody has to wait for the news" at_once web-02
check "a key that nobody knows is refused by both" at "$A" call 401 POST /stats -H "X-API-KEY: $KEY-" -d '{}'
check "again and again" at "$B" call 401 POST /stats -H "X-API-KEY: $KEY-" -d '{}'

# ---- reports take turns
turns() { local i; for i in $(seq 1 20); do sample "$i" || return 1; done; }
step "samples take turns" at "$BOTH" turns
newest_is_20() { has 200 "/nodes/$NODE" '.sample.cpu_usage == 20' -H "$(AS)"; }
step "the first shows the newest" at "$A" soon newest_is_20
step "and the second" at "$B" soon newest_is_20
sum_is() { has 200 "/nodes/$NODE/stats" '[.items[].samples] | add == 22' -H "$(AS)"; }
step "the first has all of them in its series" at "$A" soon sum_is
step "and the second" at "$B" soon sum_is
step "a run begins at one" at "$A" run_put "${U}01" 1 running
step "and ends at the other" at "$B" run_put "${U}01" 2 ok ',"finished":"2026-11-23T03:20:00Z"'
step "a late report of its beginning is old to both" at "$A" run_put "${U}01" 1 running
check "and says so" is .status known
step "the console of the first is told" will_tell a run '.items[0] | .state == "ok" and .rev == 2'
step "and that of the second" will_tell b run '.items[0] | .state == "ok" and .rev == 2'
good_run() { has 200 "/nodes/$NODE" '.last_run.state == "ok" and .sites[0].running_since == null' -H "$(AS)"; }
step "both know how it ended" at "$A" soon good_run
step "in their memory" at "$B" soon good_run
other_place() { EVENTS=$B listen c '' -H "Last-Event-ID: $(last_id a)" && will_tell c reset '. == {}'; }
step "a console that comes back to the other master reads anew" other_place
hang_up c

# ---- a block counts everywhere within a second
refused() { call 403 POST /stats -H "X-API-KEY: $KEY" -d '{"cpu_usage":1,"disk_usage":1,"active_backups":0}'; }
step "the first blocks it" at "$A" call 200 POST "/nodes/block/$NODE" -H "$(AS)" -d '{"reason":"stolen"}'
start=${EPOCHREALTIME/./}
step "the second refuses it too" at "$B" soon refused
took=$(((${EPOCHREALTIME/./} - start) / 1000))
echo "# after $took ms"
check "and both consoles show it" will_tell a node '.items[0].state == "blocked"'
check "with the reason" will_tell b node '.items[0].reason == "stolen"'
step "the second lets it in again" at "$B" call 200 POST "/nodes/unblock/$NODE" -H "$(AS)"
step "the first believes it" at "$A" until_ok 10 sample 5
GUEST=$TOKEN
step "who signs out at one" at "$A" call 204 POST /auth/logout -H "$(AS)"
step "is out at the other" at "$B" soon call 401 GET /auth/me -H "$(AS "$GUEST")"
step "and listens no more" until_ok 10 ended b
at "$A" login admin 'correct horse battery'

# ---- the database goes and comes back
EVENTS=$B step "a console listens at the second" listen b '?topics=run,node'
restart() { "$RIGS/postgres.sh" stop "$PG_DIR" && "$RIGS/postgres.sh" start "$PG_DIR" "$PG_PORT"; }
step "PostgreSQL is restarted" restart
step "the first takes reports again" at "$A" until_ok 30 sample 31
step "and runs" at "$A" until_ok 30 run_put "${U}02" 1 failed ',"finished":"2026-11-23T03:20:00Z","error":{"kind":"io","message":"disk"}'
step "of which the console of the second is told" until_ok 30 told b run ".items[0].uuid == \"${U}02\""
step "as of the numbers" until_ok 30 told b node 'any(.items[], .samples[]; .sample.cpu_usage == 31)'
check "on the same stream" test ! -e "$T/b.end"

# ---- one sleeps for longer than the journal is kept
kill -STOP "$(cat "$T/b.pid")"
step "while the second sleeps a machine is blocked" at "$A" call 200 POST "/nodes/block/$NODE" -H "$(AS)"
step "and another one joins" at "$A" join web-03
database_sql "" "DELETE FROM event WHERE id < (SELECT max(id) FROM event)" >/dev/null
kill -CONT "$(cat "$T/b.pid")"
step "when it wakes it refuses the one" at "$B" soon refused
step "shows the other" at "$B" soon has 200 "/nodes/?state=pending" 'length == 1' -H "$(AS)"
check "says why it read everything" grep -q 'reading everything anew' "$T/b.log"
step "and tells its clients to do so too" will_tell b reset '. == {}'
step "the machine is let in again" at "$B" call 200 POST "/nodes/unblock/$NODE" -H "$(AS)"
step "at both" at "$A" until_ok 10 sample 6

# ---- background work is done once; who leads may die
holder() { database_sql "" "SELECT holder FROM lease WHERE name='background'"; }
says_it_leads() { tail -n 1 < <(grep -h 'background work' "$T/$1.log") | grep -q 'this master'; }
one_leads() { if says_it_leads master; then ! says_it_leads b; else says_it_leads b; fi; }
step "one of them leads, the other one does not" until_ok 20 one_leads
LEADER=master OTHER=b URL=$B
if says_it_leads b; then LEADER=b OTHER=master URL=$A; fi
FIRST=$(holder)
check "the database says who" [ -n "$FIRST" ]
stop_pid "$LEADER" KILL
takes_over() { says_it_leads "$OTHER" && [ "$(holder)" != "$FIRST" ]; }
step "when it is killed the other one takes over" until_ok 30 takes_over
step "what is left serves on behind the balancer" at "$BOTH" sample 9
step "and shows it" at "$URL" soon has 200 "/nodes/$NODE" '.sample.cpu_usage == 9' -H "$(AS)"
if [ "$LEADER" = b ]; then step "the killed one comes back" second_start; else step "the killed one comes back" master_start; fi
step "with all that happened meanwhile" at "$A" soon has 200 "/nodes/$NODE" '.sample.cpu_usage == 9' -H "$(AS)"
SECOND=$(holder)
stop_pid "$OTHER"
gave_up() { [ -n "$SECOND" ] && [ "$(holder)" != "$SECOND" ]; }
step "who stops by itself does not keep its lease" gave_up
back_leads() { says_it_leads "$LEADER"; }
step "and the other one leads" until_ok 20 back_leads
