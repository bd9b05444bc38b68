#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A master moves from SQLite to PostgreSQL and back: people, nodes, keys, samples,
# runs, the audit trail and the numbers that come next.
# stores: own
# sanitize: yes
FELLOE_TEST_DATABASE=postgresql
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../master-lib.sh"
DATABASE=()
migrate() { # STATUS OPTIONS...
	local want=$1
	shift
	run -e "$want" felloe-masterd migrate --state "$T/state" "$@"
}

# ---- a master on SQLite with something in it
check "a master is made" master_init
step "it starts" master_start
step "the administrator signs in" login admin 'correct horse battery'
step "a node is admitted" admit web-01
KEY_1=$KEY NODE_1=$NODE
step "another" admit web-02
NODE_2=$NODE
step "a third waits" join web-03
AGO=$(date -u -d '10 minutes ago' +%s)
list=''
for i in $(seq 1 300); do
	list+=",{\"ts\":\"$(date -u -d "@$((AGO + i))" +%FT%TZ)\",\"cpu_usage\":$((i % 100)).25,\"disk_usage\":7,\"active_backups\":0}"
done
check "samples" call 200 POST /stats -H "X-API-KEY: $KEY_1" -d "[${list#,}]"
U=3b241101-e2bb-4255-8caf-4136c566a962
for i in $(seq 10 60); do
	call 200 PUT "/runs/${U%62}$i" -H "X-API-KEY: $KEY_1" -d "{\"uuid\":\"${U%62}$i\",\"rev\":1,\"site\":\"shöp\",\"state\":\"ok\",\"started\":\"$(date -u -d "@$AGO" +%FT%TZ)\",\"finished\":\"$(date -u -d "@$AGO" +%FT%TZ)\",\"log\":\"a 'line'\\\\n\"}" || break
done
check "and runs arrive" is .status recorded
check "a person is added" run felloe-masterd user add vera --role viewer --password-file "$T/pw" --state "$T/state"
check "the newest node goes, its number is never given again" call 200 POST "/nodes/block/$NODE_2" -H "$(AS)" -d '{"reason":"sold"}'
picture() { # what clients see, in a file
	{
		call 200 GET /nodes/ -H "$(AS)" && jq -S '[.[] | {id, name, hostname, state, created, reason}]' "$BODY"
		call 200 GET "/runs?limit=1000" -H "$(AS)" && jq -S . "$BODY"
		call 200 GET "/nodes/$NODE_1/stats?from=$(date -u -d "@$AGO" +%FT%TZ)&to=$(date -u -d "@$((AGO + 400))" +%FT%TZ)&step=1" -H "$(AS)" && jq -S '[.items[] | select(.samples > 0)]' "$BODY"
		felloe-masterd user list --state "$T/state"
	} >"$1"
}
same() { picture "$T/now" && diff "$1" "$T/now"; }
check "all that clients see" picture "$T/before"
check "is something" test "$(wc -c <"$T/before")" -gt 5000

# ---- refusals
check "while the master runs nothing is copied" migrate 4 --to "$PG_URI"
check "which is said" says "a master runs on this database"
stop_pid master
check "it must be told where to" migrate 2
check "not to itself" migrate 2 --to "sqlite:$T/state/master/master.db"
check "a kind that is none is refused" migrate 2 --to "mysql://x/y"

# ---- to PostgreSQL
printf '%s\n' "$PG_URI" >"$T/url"
from_stdin() { felloe-masterd migrate --state "$T/state" --to - <"$T/url" >"$OUT" 2>"$ERR" || { cat "$OUT" "$ERR"; false; }; }
check "it is copied, the address is read from standard input" from_stdin
check "each table is told of with its rows" says "ok  run, 51 rows"
check "and what to do then" says "set \"database\" in $T/state/master.json"
check "without the password" hides "$(cat "$PG_DIR/password")"
check "a second time there is something there" migrate 1 --to "$PG_URI"
check "which is said" says "holds data of a master already"
"$RIGS/postgres.sh" sql "$PG_DIR" -c 'DROP SCHEMA public CASCADE' -c 'CREATE SCHEMA public' -c 'CREATE TABLE other(x int)' -c 'INSERT INTO other VALUES(7)'
check "tables of somebody else are left alone" migrate 0 --to "$PG_URI" --switch
check "as they were" test "$("$RIGS/postgres.sh" sql "$PG_DIR" -tAc 'SELECT x FROM other')" = 7
check "the configuration names the new database" test "$(jq -r .database "$T/state/master.json")" = "$PG_URI"
check "its secret is the same, and it is for the owner alone" bash -c "jq -e '.jwt_secret | length > 30' '$T/state/master.json' && [ \$(stat -c %a '$T/state/master.json') = 600 ]"
check "the master starts on PostgreSQL" master_start
check "old tokens are good still" call 200 GET /auth/me -H "$(AS)"
step "the administrator signs in" login admin 'correct horse battery'
check "everything is there" same "$T/before"
check "the node's key works" call 200 POST /stats -H "X-API-KEY: $KEY_1" -d '{"cpu_usage":1,"disk_usage":1,"active_backups":0}'
check "the blocked one's does not" call 403 POST /stats -H "X-API-KEY: $KEY" -d '{"cpu_usage":1,"disk_usage":1,"active_backups":0}'
check "the waiting one is approved" call 200 GET "/nodes/?state=pending" -H "$(AS)"
check "by its number" call 200 POST "/nodes/approve/$(jq -r '.[0].id' "$BODY")" -H "$(AS)"
step "a new machine" admit web-04
check "has the next number" test "$NODE" = 4
check "the audit trail is whole" run felloe-masterd audit verify --state "$T/state"
check "all of it, with what is new" picture "$T/before"
stop_pid master

# ---- and back
mkdir "$T/back"
check "it is copied into a file" migrate 0 --to "sqlite:$T/back/m.db"
check "which is for its owner alone" test "$(stat -c %a "$T/back/m.db")" = 600
migrate 0 --to "sqlite:$T/back/n.db" --switch
check "the master starts on it" master_start
step "the administrator signs in once more" login admin 'correct horse battery'
check "everything is there again" same "$T/before"
check "the node's key works again" call 200 POST /stats -H "X-API-KEY: $KEY_1" -d '{"cpu_usage":1,"disk_usage":1,"active_backups":0}'
step "another new machine" admit web-05
check "has the next number after that" test "$NODE" = 5
check "the audit trail is whole still" run felloe-masterd audit verify --state "$T/state"
check "the copies agree" cmp <(sqlite3 "$T/back/m.db" 'SELECT count(*), sum(id), max(name) FROM node') <(database_sql "" 'SELECT count(*), sum(id), max(name) FROM node')
