#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What comes between a run and its snapshot: an ALTER, KILL, a server that dies.
# The run begins again and says so, or fails and says why; the site goes on.
# sanitize: yes
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

if ! command -v mariadbd >/dev/null; then
	skip "a run begins again after an ALTER" "install mariadb-server"
	exit 0
fi
PORT=$(free_port)
at_exit "'$RIGS/mariadb.sh' stop '$T/db'"
"$RIGS/mariadb.sh" start "$T/db" "$PORT" >"$T/rig.log" 2>&1 || { note "$T/rig.log"; exit 1; }
sql() { mariadb --defaults-file="$T/db/my.cnf" -uroot "$@"; }
sql <<'SQL'
CREATE DATABASE shop; USE shop;
CREATE TABLE a (id INT PRIMARY KEY, v INT); INSERT INTO a VALUES (1, 10), (2, 20);
CREATE TABLE b (id INT PRIMARY KEY) ENGINE=MyISAM; INSERT INTO b VALUES (1);
CREATE TABLE z (id INT PRIMARY KEY, v INT); INSERT INTO z VALUES (1, 100);
SQL
jq -n --arg t "$T" --arg a "127.0.0.1:$PORT" '{server_id: "web-01", limits: {mysql_connections: 2, ddl_wait_s: 2}, sites: [
	{name: "shop", db_name: "shop", db_host: $a, db_user: "backup", db_password: "backuppw"}],
	storage: [{name: "disk", type: "dir", path: ($t + "/store")}]}' >"$T/c.json"
jq '.limits.mysql_connections = 1' "$T/c.json" >"$T/one.json"
chmod 600 "$T"/*.json && mkdir "$T/store"
noded() { felloe-noded --state "$T/state" "$@"; }
last() { noded list --json | jq -r ".runs[0].$1"; }
in_list() { sql -N -e "SHOW FULL PROCESSLIST" | grep -E "$1"; }
# hold: somebody has the table z, so that a run waits there with the others read and locked
hold() {
	sql -e "SELECT 1" >/dev/null
	spawn locker "$RIGS/mariadb.sh" sql "$T/db" -e 'LOCK TABLES shop.z WRITE; DO SLEEP(300)'
	until_ok 10 in_list SLEEP
}
let_go() {
	sql -N -e "SELECT CONCAT('KILL ', ID, ';') FROM information_schema.PROCESSLIST WHERE INFO LIKE 'DO SLEEP%'" | sql
	stop_pid locker
}
begin() { # [config]
	: >"$T/run.log"
	spawn run felloe-noded --state "$T/state" backup -c "${1:-$T/one.json}" shop
}
at_z() { in_list 'backup.*Query.*Waiting for table metadata lock.*`z`'; } # one that was killed may still be there
join() { # wait for the run's end
	wait "$(cat "$T/run.pid")"
	STATUS=$?
	rm -f "$T/run.pid"
}
ended() { # STATUS: the run has ended with it
	[ "$STATUS" = "$1" ] || { echo "status $STATUS"; cat "$T/run.log"; return 1; }
}
log_says() { grep -qF -- "$1" "$T/run.log" || { cat "$T/run.log"; return 1; }; }
alive() { kill -0 "$(cat "$T/run.pid")"; }
definition() { tar --zstd -xOf "$(find "$T/store" -name 'shop-*.tar.zst' | sort | tail -n 1)" db/10-schema/2-tables/a.sql; }

# ---- ALTERs without a pause: an upgrade that goes from table to table, or a plug-in gone wild
sql <<'SQL'
CREATE DATABASE storm; USE storm;
CREATE TABLE big (id INT PRIMARY KEY AUTO_INCREMENT, t TEXT); INSERT INTO big (t) SELECT REPEAT(MD5(seq), 32) FROM seq_1_to_20000;
CREATE TABLE small (id INT PRIMARY KEY) AS SELECT seq AS id FROM seq_1_to_10;
CREATE USER admin@'127.0.0.1' IDENTIFIED BY 'adminpw'; GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES, RELOAD, PROCESS, BINLOG
	MONITOR, BINLOG ADMIN, SLAVE MONITOR ON *.* TO admin@'127.0.0.1';
SQL
jq '.limits.ddl_wait_s = 60 | .sites[0] += {name: "storm", db_name: "storm", db_user: "admin", db_password: "adminpw"}' "$T/c.json" >"$T/storm.json"
chmod 600 "$T/storm.json"
alter_storm() { # until it is told to end; whoever waits for much longer than the run allows fails
	local some='SET lock_wait_timeout=120' i
	for ((i = 0; i < 20; i++)); do some+="; ALTER TABLE big COMMENT='$i'; DO SLEEP(0.005)"; done
	while [ ! -e "$T/calm" ] && sql storm -e "$some" 2>"$T/storm.err"; do
		echo more >>"$T/storm.out"
	done
	[ -e "$T/calm" ]
	echo "$?" >"$T/storm.status"
}
alter_storm &
STORM=$!
check "a table is altered again and again" until_ok 60 test -s "$T/storm.out"
check "it is backed up all the same" run noded backup -c "$T/storm.json" storm
check "the archive is sound" run noded verify --members -c "$T/storm.json" storm
check "with all rows" test "$(noded list storm --json | jq -r '.runs[0] | "\(.rows) \(.tables)"')" = "20010 2"
touch "$T/calm"
wait "$STORM"
check "no ALTER waited for too long" test "$(cat "$T/storm.status")" = 0 || note "$T/storm.err"

# ---- an ALTER
for config in one c; do
	check "a run ($config.json) waits for a table that somebody has locked" hold
	begin "$T/$config.json"
	check "it waits there" until_ok 20 at_z
	check "an ALTER of one that it has read gets through" sql shop -e "SET lock_wait_timeout=60; ALTER TABLE a ADD COLUMN added_$config INT"
	check "while the run lives" alive
	let_go
	join
	check "the run then succeeds" ended 0
	check "it has said what happened" log_says 'another statement waits for the table `shop`.`a`, which this backup reads (limits.ddl_wait_s=2)'
	check "and that it begins again" log_says 'the run starts over with a new snapshot'
	check "the archive has the table as it is now" grep -q "added_$config" <(definition)
done
check "with all its rows" test "$(last rows)" = 4
check "the lock that nobody can wait out is held again" hold
alter_forever() {
	local i
	for ((i = 0; i < 20; i++)); do
		until_ok 20 at_z || return
		sql shop -e "SET lock_wait_timeout=60; ALTER TABLE a COMMENT='$i'" || return
	done
}
begin
alter_forever >/dev/null 2>&1 &
ALTERS=$!
join
check "a run that is disturbed three times fails" ended 1
kill "$ALTERS" 2>/dev/null
wait "$ALTERS" 2>/dev/null
check "naming the table" log_says '`shop`.`a`, which this backup reads'
check "with the ways out" log_says '3 snapshots in a row were given up: back up at a quieter time, raise limits.ddl_wait_s or leave the table out'
check "as a conflict" test "$(last state),$(last error.kind)" = failed,conflict
check "it left nothing on the storage" test "$(find "$T/store" -type f ! -name '*.zst' ! -name '*.idx' | wc -l)" = 0
check "nor in the server" until_ok 10 bash -c "! '$RIGS/mariadb.sh' sql '$T/db' -N -e 'SHOW PROCESSLIST' | grep -q backup"

# ---- a connection that is lost
begin
check "it waits there" until_ok 20 at_z
check "its connections are killed" sql -e "KILL USER backup@127.0.0.1"
check "the run begins again" until_ok 20 grep -q 'starts over with a new snapshot' "$T/run.log"
let_go
join
check "and succeeds" ended 0
check "it has said what happened" log_says 'table `z`: database backup@127.0.0.1'
check "the lock is held again" hold
begin
check "it waits there" until_ok 20 at_z
check "its connections are killed" sql -e "KILL USER backup@127.0.0.1"
check "the run begins again" until_ok 20 bash -c "grep -q 'starts over with a new snapshot' '$T/run.log'"
check "it waits there" until_ok 20 at_z
check "they are killed a second time" sql -e "KILL USER backup@127.0.0.1"
join
check "that ends the run" ended 1
check "as an error of the network" test "$(last state),$(last error.kind)" = failed,net
check "with the table" log_says 'table `z`'

# ---- a server that dies
begin
check "it waits there" until_ok 20 at_z
check "the server is killed" kill -KILL "$(cat "$T/db/mariadbd.pid")"
stop_pid locker
check "the run begins again" until_ok 20 grep -q 'starts over with a new snapshot' "$T/run.log"
check "the server comes back" "$RIGS/mariadb.sh" start "$T/db" "$PORT"
join
check "the run succeeds" ended 0
check "with all rows" test "$(last rows)" = 4
check "its archive is sound" noded verify -c "$T/c.json" shop
