#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sanitize: yes
# The master learns of a run when it begins and of its end, whatever dies in between.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../master-lib.sh"

check "a master is made" master_init
step "it starts" master_start
step "the administrator signs in" login admin 'correct horse battery'
step "a node is admitted" admit web-01
mkdir -p "$T/node/node" "$T/store" "$T/www" && echo hello >"$T/www/index.html"
(umask 077 && printf '%s\n' "$KEY" >"$T/node/node/api.key")
# a run that goes on until the file "go" is there
jq -n --arg t "$T" --arg url "$ROOT" '{server_id: "web-01", heartbeat_s: 1, master: {url: $url}, limits: {lock_wait_s: 0},
	sites: [{name: "shop", paths: [$t + "/www"], hooks: {before: ["sh -c '\''until [ -e \($t)/go ]; do sleep 0.05; done'\''"]}}],
	storage: [{name: "disk", type: "dir", path: ($t + "/store")}]}' >"$T/node.json"
jq 'del(.master)' "$T/node.json" >"$T/alone.json"
chmod 600 "$T"/*.json
noded() { felloe-noded "$1" -c "$T/node.json" --state "$T/node" "${@:2}"; }
backup() { spawn backup felloe-noded backup -q -c "$T/node.json" --state "$T/node"; }
agent() { spawn agent felloe-noded agent -c "$T/node.json" --state "$T/node"; }
ended() { wait "$(cat "$T/backup.pid")"; ENDED=$?; rm -f "$T/backup.pid"; }
runs() { call 200 GET /runs -H "$(AS)"; }
newest() { runs && is "[.items[0] | .state, (.rev | tostring)] | join(\" \")" "$1"; }
waiting() { sqlite3 "file:$T/node/node/outbox.db?mode=ro" "SELECT group_concat(rev || (json ->> '\$.state')) FROM run"; }
waits() { [ "$(waiting)" = "$1" ]; }

# ---- begin and end
agent
backup
check "a run in progress is known to the master" until_ok 20 newest "running 1"
check "with its site" is '.items[0].site' shop
check "and no end yet" is '.items[0].finished' null
UUID=$(jq -r '.items[0].uuid' "$BODY")
touch "$T/go"
ended
check "the run ends well" test $ENDED = 0
check "its end takes the place of its beginning" until_ok 20 newest "ok 2"
check "under the same id" is '.items[0].uuid' "$UUID"
check "once" is '.items | length' 1
check "it was the first" is '.items[0].previous' null

# ---- killed
rm "$T/go"
backup
check "another run begins" until_ok 20 newest "running 1"
stop_pid backup KILL
check "killed, the agent makes it aborted with a higher revision" until_ok 20 newest "aborted 2"
check "with a reason" is '.items[0].error.kind' aborted
check "and which was before it" is '.items[0].previous' "$UUID"
check "the node says the same" test "$(noded list --json | jq -r '.runs[0].state')" = aborted
backup
check "and one more" until_ok 20 newest "running 1"
stop_pid agent
stop_pid backup KILL
touch "$T/go"
check "without the agent the next run does it" run noded backup
check "and says so" says "was left unfinished and is now aborted"
agent
check "the master learns both when the agent is back" until_ok 20 newest "ok 2"
check "the aborted one too" is '[.items[].state] | join(" ")' "ok aborted aborted ok"

# ---- the master is away from before the beginning until after the end
stop_pid master
rm "$T/go"
backup
check "the beginning waits in the outbox" until_ok 20 waits 1running
touch "$T/go"
ended
check "the run does not mind" test $ENDED = 0
check "the end has taken its place there" waits 2ok
step "the master returns" master_start
five() { newest "ok 2" && is '.items | length' 5; }
check "and gets the end alone, once" until_ok 60 five
check "nothing waits any more" until_ok 20 waits ""

# ---- an outbox that cannot be written
stop_pid agent
if [ "$(id -u)" = 0 ]; then
	rm -f "$T"/node/node/outbox.db* && mkdir "$T/node/node/outbox.db"
	check "a run whose report cannot be kept is a good run" run noded backup
	check "which says what is the matter" says "the report for the master"
	rmdir "$T/node/node/outbox.db"
	check "the next look hands it over" run noded status
	check "as it ended" waits 2ok
else
	skip "a run whose report cannot be kept is a good run" "needs root"
fi

# ---- a node that was on its own first
check "a run without a master" run felloe-noded backup -c "$T/alone.json" --state "$T/node"
check "goes to nobody" test "$(waiting | grep -o ok | wc -l)" -le 1
agent
seven() { runs && is '.items | length' 7; }
check "and to the master once there is one, with all that it missed" until_ok 20 seven

# ---- held, pruned, forgotten
jq --arg t "$T" '.timers = [{name: "nightly", on_calendar: "*-*-* 03:10", keep: {last: 1}}]' "$T/node.json" >"$T/timed.json"
jq --arg t "$T" '.storage[0].name = "other"' "$T/timed.json" >"$T/lost.json"
chmod 600 "$T"/*.json
with() { felloe-noded "$2" -c "$T/$1.json" --state "$T/node" "${@:3}"; }
run_is() { call 200 GET "/runs/$1" -H "$(AS)" && is "$2" "$3"; } # UUID FILTER VALUE
good() { call 200 GET "/nodes/$NODE" -H "$(AS)" && is ".sites[] | select(.name == \"shop\") | .last_good != null" "$1"; }
check "a run of a timer" run with timed backup -q --timer nightly
FIRST=$(noded list --json | jq -r '.runs[0].uuid')
check "a run is held" run with timed hold "$FIRST"
check "the master shows that" until_ok 20 run_is "$FIRST" .held true
check "another one" run with timed backup -q --timer nightly
check "it is not pruned by the next run" run_is "$FIRST" .pruned null
check "it is let go" run with timed release "$FIRST"
check "which the master shows, too" until_ok 20 run_is "$FIRST" .held false
check "prune deletes it" run with timed prune shop
check "the master shows it as pruned" until_ok 20 run_is "$FIRST" '.pruned != null' true
check "with the time" recent "$(jq -r .pruned "$BODY")"
check "without an archive" is '.archives | length' 0
check "and still as what it was" is .state ok
check "the site has a good run" good true
check "its storage leaves the configuration, and its runs are forgotten" run with lost forget disk
check "then the site has no good run for the master, either" until_ok 20 good false
