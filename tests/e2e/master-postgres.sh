#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A master and its PostgreSQL: restarts and crashes of the server under load, a
# server that is not there, addresses and passwords.
# stores: own
# timeout: 240
# slow: yes
FELLOE_TEST_DATABASE=postgresql
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../master-lib.sh"
command -v python3 >/dev/null || { skip "PostgreSQL under load" "apt-get install python3"; exit 0; }
PASSWORD=$(cat "$PG_DIR/password")
pg() { "$RIGS/postgres.sh" "$1" "$PG_DIR" "${@:2}"; }
pg_start() { pg start "$PG_PORT"; }

# ---- addresses
check "the version names the databases" bash -c 'felloe-masterd --version | grep -F "SQLite, PostgreSQL"'
refused() { # STATUS URL
	run -e "$1" felloe-masterd init --state "$T/other" --database "$2" --password-file "$T/pw"
}
echo 'correct horse battery' >"$T/pw" && chmod 600 "$T/pw"
check "an address that cannot be read is refused" refused 2 "postgresql://rig:zzsecretzz%zz@127.0.0.1:$PG_PORT/rig"
check "without its password" hides zzsecretzz
check "a wrong password is refused" refused 1 "postgresql://rig:zzsecretzz@127.0.0.1:$PG_PORT/rig"
check "and named with user, server and database" says "database postgresql://rig@127.0.0.1:$PG_PORT/rig: "
check "and not shown" hides zzsecretzz
check "a server that is not there is refused" refused 1 "postgresql://rig:zzsecretzz@127.0.0.1:$PORT/rig"
check "by name" says "postgresql://rig@127.0.0.1:$PORT/rig: "
check "and without the password" hides zzsecretzz
check "a database that is not there is refused" refused 1 "postgresql://rig:$PASSWORD@127.0.0.1:$PG_PORT/nowhere"
check "and named" says 'database "nowhere" does not exist'
check "another scheme is refused" refused 2 "mysql://rig:zzsecretzz@127.0.0.1/rig"
check "with those that there are" says "postgresql://user@host/database"
check "and without what stands behind it" hides zzsecretzz
check "nothing was written" test ! -e "$T/other/master.json"

# ---- the password from a file, more than one host, a service
printf '127.0.0.1:%s:rig:rig:%s\n' "$PG_PORT" "$PASSWORD" >"$T/pgpass"
printf '[felloe]\nhost=127.0.0.1\nport=%s\nuser=rig\ndbname=rig\n' "$PG_PORT" >"$T/services"
chmod 600 "$T/pgpass"
export PGPASSFILE=$T/pgpass PGSERVICEFILE=$T/services
DEAD=$(free_port)
PG_URI=postgresql://rig@127.0.0.1:$DEAD,127.0.0.1:$PG_PORT/rig?connect_timeout=3
DATABASE=(--database "$PG_URI")
check "a master is made: the second host answers, the password is in a file" master_init
check "the password is nowhere in its configuration" bash -c "! grep -rqF '$PASSWORD' '$T/state'"
check "check says what it is connected to" run felloe-masterd check --state "$T/state"
check "and how new it is" says "PostgreSQL 15"
jq '.database = "postgresql://?service=felloe"' "$T/state/master.json" >"$T/service.json" && chmod 600 "$T/service.json"
check "a service of libpq's does as well" run felloe-masterd check -c "$T/service.json"

# ---- a server that goes away
step "the master starts" master_start
step "the administrator signs in" login admin 'correct horse battery'
step "a node is admitted" admit web-01
named() { pg sql -tAc "SELECT DISTINCT application_name FROM pg_stat_activity WHERE datname='rig' AND pid<>pg_backend_pid()"; }
check "its connections have a name" test "$(named)" = felloe-masterd
UUID_NONE=3b241101-e2bb-4255-8caf-4136c566a962
mkdir "$T/load"
spawn fleet python3 "$HERE/fake/fleet" "$PORT" "$KEY" "$T/load" 4
answered() { [ "$(grep -c '^200' "$T/load/answers")" -ge "$1" ]; }
more() { # N: so many more answers of 200
	local now
	now=$(grep -c '^200' "$T/load/answers")
	until_ok 40 answered $((now + $1))
}
busy() { grep -q '^503' <(tail -n +"$MARK" "$T/load/answers"); }
mark() { MARK=$(($(wc -l <"$T/load/answers") + 1)); }
not_ready() { [ "$(curl -s -o "$BODY" -w '%{http_code}' "$ROOT/ready")" = 503 ]; }
check "nodes report" more 50
mark
check "PostgreSQL is shut down" pg stop
check "nodes are told to come again" until_ok 20 busy
check "the master is not ready" until_ok 20 not_ready
check "and says why, without the password" bash -c "grep -F '127.0.0.1' '$BODY' && ! grep -F '$PASSWORD' '$BODY'"
check "but alive" curl -sf "$ROOT/health"
later() { call 503 "$@" && tr -d '\r' <"$HEAD" | grep -qiE '^Retry-After: [0-9]+$'; }
for what in "GET /runs" "GET /runs/$UUID_NONE" "GET /nodes/$NODE/stats" "GET /alerts" "GET /audit" "POST /nodes/block/$NODE" "POST /auth/logout"; do
	# shellcheck disable=SC2086
	check "$what is answered with 503 and when to come again" later $what -H "$(AS)"
done
check "so is signing in" later POST /auth/login --data-urlencode username=admin --data-urlencode 'password=correct horse battery'
check "and a machine that asks to join" later POST /nodes/join-request -d '{"hostname":"web-09","ip_address":"10.0.0.9","system_info":"test"}'
check "what is in memory is shown" call 200 GET /nodes/ -H "$(AS)"
check "it starts again" pg_start
check "the master is ready by itself" until_ok 20 master_up
check "nodes report again" more 50
for round in 1 2 3; do
	check "PostgreSQL is killed ($round)" pg stop KILL
	check "and recovers ($round)" pg_start
	check "nodes report again ($round)" more 50
done
check "every connection is ended from outside" pg sql -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name='felloe-masterd'"
check "nodes report again (4)" more 50
# a machine that hangs: connections are taken, and nothing is said
frozen="$(head -n 1 "$PG_DIR/data/postmaster.pid") $(pg sql -tAc "SELECT pid FROM pg_stat_activity WHERE application_name='felloe-masterd'")"
mark
# shellcheck disable=SC2086
check "the server stands still" kill -STOP $frozen
check "the master is not ready then" until_ok 40 not_ready
check "nor can nodes report" until_ok 40 busy
at_once() {
	local i
	for i in 1 2 3 4 5 6 7 8; do
		[ "$(curl -s -m 3 -o "$BODY" -w '%{http_code}' "$ROOT$1")" = "$2" ] || { echo "$1, time $i"; cat "$BODY"; return 1; }
	done
}
check "no thread waits for it from then on" at_once /health 200
check "whoever needs it is told at once" at_once /ready 503
# shellcheck disable=SC2086
check "it goes on" kill -CONT $frozen
check "the master is ready without a restart" until_ok 40 master_up
check "nodes report again (still)" more 50
# a server that is there and says nothing: its processes stand still, what they hold is let go by KILL
frozen=$(pg sql -tAc "SELECT pid FROM pg_stat_activity WHERE application_name='felloe-masterd'")
starts() { grep -c 'ready to accept connections' "$PG_DIR/server.log"; }
STARTS=$(starts)
started_anew() { [ "$(starts)" -gt "$STARTS" ]; }
mark
# shellcheck disable=SC2086
check "every connection falls silent" kill -STOP $frozen
check "nodes are told to come again, none waits for ever" until_ok 40 busy
# shellcheck disable=SC2086
check "when they are gone" kill -KILL $frozen
# a server that lost a process this way ends all others and recovers; until it saw that it goes on answering
check "PostgreSQL starts anew" until_ok 40 started_anew
check "nodes report again (5)" more 50
touch "$T/load/stop"
wait "$(cat "$T/fleet.pid")"
rm -f "$T/fleet.pid"
odd() { cut -d' ' -f1,2 "$T/load/answers" | sort | uniq -c | sort -rn; ! grep -vE '^(200 -|503 [0-9]+)$' "$T/load/answers" | sort | uniq -c | grep .; }
check "nothing but 200, and 503 with Retry-After, was ever answered" odd
from() { date -u -d "@$((BEGIN - $1))" +%FT%TZ; }
BEGIN=$(($(sort -n "$T/load/samples" | tail -n 1) / 1000))
stored() { call 200 GET "/nodes/$NODE/stats?from=$(from 600)&to=$(from -2)&step=1" -H "$(AS)" && is '[.items[].samples] | add' "$1"; }
check "no sample was sent under two times" test "$(sort "$T/load/samples" | uniq -d | wc -l)" = 0
check "every sample is there that was answered with 200, once" stored "$(wc -l <"$T/load/samples")"
pg sql -tAc "SELECT uuid,rev FROM run ORDER BY uuid" | sort >"$T/runs.there"
check "every run too" cmp <(sort "$T/load/runs") "$T/runs.there"
events() { pg sql -tAc "SELECT count(*) = count(DISTINCT ref) FROM event WHERE kind='run'"; }
check "each was told of once" test "$(events)" = t
check "the master never stopped" kill -0 "$(cat "$T/master.pid")"
note "$T/master.log" 100 >"$T/tail"
check "its log knows no password" bash -c "! grep -F '$PASSWORD' '$T/master.log'"
check "nor a statement that failed for another reason" bash -c "! grep -E 'SQLSTATE (42|25|22|XX)' '$T/master.log'"

stop_pid master
check "the master starts anew" master_start
step "the administrator signs in again" login admin 'correct horse battery'
check "and has every sample from the database" stored "$(wc -l <"$T/load/samples")"
listed() {
	call 200 GET "/runs?node=$NODE&limit=1000" -H "$(AS)" && is '.items | length' "$(head -n 1000 "$T/load/runs" | wc -l)"
}
check "and the runs" listed

# ---- the schema
check "a database that lacks a migration makes it not ready" pg sql -c "DELETE FROM felloe_schema WHERE version=(SELECT max(version) FROM felloe_schema)"
check "which /ready says" until_ok 5 not_ready
check "with the reason" grep -q 'migration' "$BODY"
pg sql -c "INSERT INTO felloe_schema SELECT max(version)+1 FROM felloe_schema"
pg sql -c "INSERT INTO felloe_schema VALUES(9000)"
check "a newer one too" until_ok 5 not_ready
stop_pid master
check "a master refuses to start on it" run -e 2 felloe-masterd run --state "$T/state"
check "and names both versions" says "has version 9000, this program knows up to"
pg sql -c "DELETE FROM felloe_schema WHERE version=9000"

# ---- not there when the master starts
pg stop
check "without its server it ends, for systemd to try again" run -e 1 felloe-masterd run --state "$T/state"
check "with the reason" says "127.0.0.1:"
check "for every host" says "port $DEAD failed"
check "and without the password" hides "$PASSWORD"
