#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sanitize: yes
# timeout: 240
# What the master asks for is done by the node, once, if its own configuration allows it.
# slow: yes
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../master-lib.sh"
. "$(dirname "$0")/../node-lib.sh"

DB_PORT=$(free_port)
at_exit "'$RIGS/mariadb.sh' stop '$T/db'"
check "a database server starts" "$RIGS/mariadb.sh" start "$T/db" "$DB_PORT" || exit 1
sql() { "$RIGS/mariadb.sh" sql "$T/db" "$@"; }
sql -e 'CREATE DATABASE shop; CREATE TABLE shop.t (id int PRIMARY KEY, v text); INSERT INTO shop.t SELECT seq, MD5(seq) FROM shop.seq_1_to_500' 2>/dev/null ||
	sql -e 'CREATE DATABASE IF NOT EXISTS shop; USE shop; CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY, v text); INSERT INTO t SELECT seq, MD5(seq) FROM seq_1_to_500'
master_init
step "the master starts" master_start
step "the administrator signs in" login admin 'correct horse battery'
# a run of the site "slow" goes on until the file "go" is there
FILTER='.sites[0] += {db_host: "127.0.0.1:'$DB_PORT'", db_name: "shop", db_user: "rig", db_password: "rigpw"}
	| .sites += [{name: "slow", paths: .sites[0].paths, hooks: {before: ["sh -c '\''until [ -e '$T'/go ]; do sleep 0.05; done'\''"]}}]
	| .storage += [{name: "far", type: "s3", endpoint: "https://s3.example.net:9000/", region: "x", bucket: "b", weight: 0,
		access_key: "AKIATEST", secret_key: "never to be told"}]
	| .timers = [{name: "nightly", sites: ["shop"], on_calendar: "*-*-* 03:10"}] | .limits = {lock_wait_s: 0}'
step "a node joins" enrol web-01 "$FILTER"
agent web-01
# at once: the agent may read it at any moment
allow() { (umask 077 && jq --argjson v "$1" '.allow_requests = $v' "$T/web-01/config.json" >"$T/c") && mv "$T/c" "$T/web-01/config.json"; }
request() { call 201 POST "/nodes/$NODE/requests" -H "$(AS)" -d "$1" && RID=$(jq -r .id "$BODY"); }
stands() { call 200 GET "/nodes/$NODE/requests/$RID" -H "$(AS)" && is .state "$1"; }
done_well() { until_ok 60 stands "done"; }
archives() { find "$T/web-01/store" -name '*.tar.zst' | wc -l; }
runs() { call 200 GET "/runs?limit=1000" -H "$(AS)" && is '.items | length' "$1"; }

# ---- backup and verify, allowed unless the configuration says otherwise
step "a backup is asked for" request '{"verb":"backup","site":"shop"}'
check "and done" done_well
RUN=$(jq -r .run "$BODY")
call 200 GET "/runs/$RUN" -H "$(AS)"
check "it is a run of that site, by request" is '[.site, .state, .trigger] | join(" ")' "shop ok request"
check "an archive lies on the storage" [ "$(archives)" = 1 ]
storages() { call 200 GET /storages -H "$(AS)" && is '[.items[].storage | .name, .state, .weight] | map(tostring) | join(" ")' "disk ok 100 far drained 0"; }
agent_anew() { stop_pid web-01-agent; agent web-01; until_ok 20 storages; }
check "the storages are known to the master" agent_anew
check "with what lies on them and what is free" is '.items[0].storage | .used > 0 and .free > 0 and .last_ok != null' true
check "a bucket and a host, and nothing more of them" is '.items[1].storage | [.type, .endpoint, .bucket] | join(" ")' "s3 s3.example.net b"
check "no secret" bash -c "! grep -qE 'AKIATEST|never to be told' '$BODY'"
check "no process of it is a child of the agent" [ -z "$(pgrep -P "$(cat "$T/web-01-agent.pid")")" ]
step "it is to be verified" request "{\"verb\":\"verify\",\"site\":\"shop\",\"run\":\"$RUN\"}"
check "and is" done_well
check "the node says what it found" is '.reason | contains("sound")' true
step "a timer is asked for" request '{"verb":"backup","timer":"nightly"}'
check "and done" done_well
check "for its site" [ "$(archives)" = 2 ]
step "a run that there is not" request '{"verb":"verify","site":"shop","run":"deadbeef"}'
check "cannot be verified" until_ok 60 stands failed
check "the reason is told" is '.reason | contains("deadbeef")' true

# ---- refused
step "a restore is asked for" request '{"verb":"restore","site":"shop"}'
check "which the node has not been allowed" until_ok 20 stands refused
check "the reason names the key" is .reason 'allow_requests in the configuration of this node does not name "restore"'
step "a site that there is not" request '{"verb":"backup","site":"blog"}'
check "is refused" until_ok 20 stands refused
check "by name" is .reason 'this node has no site "blog"'
allow '[]'
hears_reload() { grep -q 'was read again' "$T/web-01-agent.log"; }
check "the configuration changes" until_ok 20 hears_reload
step "a backup is asked for" request '{"verb":"backup"}'
check "a node that allows nothing refuses that too" until_ok 20 stands refused
: >"$T/web-01-agent.log"
allow '["backup","verify","pause","resume","stop","restore"]'
check "the configuration changes again" until_ok 20 hears_reload

# ---- restore: beside what is there
step "a restore" request '{"verb":"restore","site":"shop"}'
check "is done" done_well
restored() { sql -N -e "SELECT count(*) FROM information_schema.tables WHERE table_schema LIKE 'shop\_restored\_%' AND table_name='t'"; }
check "into a database of its own" [ "$(restored)" = 1 ]
check "and a folder of its own" [ -n "$(find "$T/web-01/state/node/restored" -name index.html)" ]
check "the site's own is as it was" [ "$(sql -N -e 'SELECT count(*) FROM shop.t')" = 500 ]
step "one file" request "{\"verb\":\"restore\",\"site\":\"shop\",\"files\":[\"$T/web-01/www/index.html\"]}"
check "is restored" done_well
check "and no database with it" [ "$(restored)" = 1 ]

# ---- pause, resume
step "a pause" request '{"verb":"pause","timer":"nightly"}'
check "is made" done_well
check "the node is shown as paused" until_ok 20 node_is "$NODE" .health paused
check "with the reason" node_is "$NODE" '.reasons | join(" ")' "timer nightly is paused"
BEFORE=$(archives)
check "the timer does nothing now" run -e 4 noded web-01 backup --timer nightly
check "and says who wanted it so" says "was paused by admin of the master"
check "really nothing" [ "$(archives)" = "$BEFORE" ]
check "asked by name it works" run noded web-01 backup shop
step "resumed" request '{"verb":"resume"}'
check "in time" done_well
check "the node is well" until_ok 20 node_is "$NODE" .health ok
check "the timer works" run noded web-01 backup --timer nightly
check "a pause may be made on the node" run noded web-01 pause
check "and ended" run noded web-01 resume nightly
check "once" run -e 1 noded web-01 resume nightly

# ---- stop
step "a long backup" request '{"verb":"backup","site":"slow"}'
check "begins" until_ok 20 stands running
LONG=$RID
in_progress() { call 200 GET "/nodes/$NODE" -H "$(AS)" && RUN=$(jq -re '.runs[0].uuid' "$BODY"); }
until_ok 20 in_progress >/dev/null
in_progress
step "and is to be stopped" request "{\"verb\":\"stop\",\"run\":\"$RUN\"}"
check "which is done" done_well
RID=$LONG
check "the backup has failed" until_ok 20 stands failed
aborted() { call 200 GET "/runs/$RUN" -H "$(AS)" && is .state aborted; }
check "as aborted" until_ok 20 aborted
step "once more" request "{\"verb\":\"stop\",\"run\":\"$RUN\"}"
check "there is nothing to stop" until_ok 20 stands failed

# ---- never twice: the agent is killed while its request is carried out, again and again
BEFORE=$(archives)
# all rounds once; the other store and the sanitizers see two of each kind
ROUNDS=6 TIMES=4
[ "$STORE" = sqlite ] && [ -z "${ASAN_OPTIONS:-}" ] || ROUNDS=4 TIMES=1
for round in $(seq "$ROUNDS"); do
	rm -f "$T/go"
	step "round $round: a long backup" request '{"verb":"backup","site":"slow"}'
	until_ok 20 stands running >/dev/null
	[ $((round % 2)) = 0 ] || sleep "0.$((RANDOM % 10))"
	stop_pid web-01-agent KILL
	[ $round != 3 ] || { stop_pid master KILL; master_start >/dev/null; }
	agent web-01
	touch "$T/go"
	check "round $round: it goes on without its agent and is told of by the next" done_well
done
check "each was done once" [ "$(archives)" = $((BEFORE + ROUNDS)) ]
for _ in $(seq "$TIMES"); do
	request '{"verb":"backup","site":"shop"}'
	stop_pid web-01-agent KILL
	agent web-01
	ended() { stands "done" || stands failed; }
	until_ok 90 ended >/dev/null
done
ended_runs() { call 200 GET "/nodes/$NODE/requests?limit=$TIMES" -H "$(AS)" && jq '[.items[] | select(.state == "done" or .state == "failed")] | length' "$BODY"; }
check "killed at any moment, each comes to an end" [ "$(ended_runs)" = "$TIMES" ]
call 200 GET "/nodes/$NODE/requests?limit=$TIMES" -H "$(AS)"
DONE=$(jq '[.items[] | select(.state == "done")] | length' "$BODY")
check "and has made at most one archive" [ "$(archives)" = $((BEFORE + ROUNDS + DONE)) ]

# ---- taken back, expired, replayed
stop_pid web-01-agent
BEFORE=$(archives)
step "a backup is asked for while the agent is off" request '{"verb":"backup","site":"shop"}'
check "and withdrawn" call 200 DELETE "/nodes/$NODE/requests/$RID" -H "$(AS)"
step "another for ten seconds" request '{"verb":"backup","site":"shop","expires_s":10}'
check "which expires" until_ok 40 stands expired
agent web-01
: >"$T/web-01-agent.log"
step "a third" request '{"verb":"verify","site":"shop"}'
check "is done" done_well
check "the others never" [ "$(archives)" = "$BEFORE" ]
stop_pid master
database_change "$(ls "$T"/state/master/*.db 2>/dev/null)" \
	"UPDATE node_request SET state='pending', expires=expires+3600000 WHERE rid='$RID'" >/dev/null
step "a master whose database was put back hands it out again" master_start
: >"$T/web-01-agent.log"
until_ok 20 node_is "$NODE" .liveness online >/dev/null
check "the node tells it what became of it" until_ok 30 stands "done"
check "and does not do it again" bash -c "! grep -q 'asks for verify' '$T/web-01-agent.log'"
