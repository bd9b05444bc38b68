#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# While a writer moves money between tables and databases, each copy has all of
# it: with any number of connections, by any way to take the snapshot, from a
# replica too; and what the binary log has after a copy's position makes it equal
# to the original.
# timeout: 400
# slow: yes
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

if ! command -v mariadbd >/dev/null; then
	skip "a copy made while others write keeps the sum" "install mariadb-server"
	exit 0
fi
TOOL=$BUILD/tests/noded/dump_tool
PORT=$(free_port 2) PORT2=$((PORT + 1))
at_exit "'$RIGS/mariadb.sh' stop '$T/a'; '$RIGS/mariadb.sh' stop '$T/b'"
"$RIGS/mariadb.sh" start "$T/a" "$PORT" >"$T/rig.log" 2>&1 || { note "$T/rig.log"; exit 1; }
"$RIGS/mariadb.sh" start "$T/b" "$PORT2" --server-id=2 --log-slave-updates=0 >"$T/rig.log" 2>&1 || { note "$T/rig.log"; exit 1; }
sql() { mariadb --defaults-file="$T/a/my.cnf" -uroot "$@"; }
sql_b() { mariadb --defaults-file="$T/b/my.cnf" -uroot "$@"; }

accounts="CREATE USER nolog@'127.0.0.1' IDENTIFIED BY 'pw'; GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES, RELOAD, PROCESS, SLAVE MONITOR
	ON *.* TO nolog@'127.0.0.1'; GRANT SELECT ON mysql.* TO nolog@'127.0.0.1';
	CREATE USER poor@'127.0.0.1' IDENTIFIED BY 'pw'; GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON *.* TO poor@'127.0.0.1';
	CREATE USER full@'127.0.0.1' IDENTIFIED BY 'pw'; GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES, RELOAD, PROCESS, BINLOG MONITOR,
	BINLOG ADMIN, SLAVE MONITOR ON *.* TO full@'127.0.0.1'"
sql -e "$accounts" && sql_b -e "SET sql_log_bin=0; $accounts"
# one transaction: 1 leaves bank.a for bank.z, and all four tables count it
sql <<'SQL'
CREATE DATABASE bank; CREATE DATABASE vault; USE bank;
CREATE TABLE a (id INT PRIMARY KEY, v INT NOT NULL, n INT NOT NULL); INSERT INTO a SELECT seq, 0, 0 FROM seq_1_to_50;
CREATE TABLE filler (id INT PRIMARY KEY, t TEXT); INSERT INTO filler SELECT seq, REPEAT(MD5(seq), 30) FROM seq_1_to_2000;
CREATE TABLE filler2 LIKE filler; INSERT INTO filler2 SELECT * FROM filler;
CREATE TABLE j (id INT AUTO_INCREMENT PRIMARY KEY);
CREATE TABLE z LIKE a; INSERT INTO z SELECT * FROM a;
CREATE TABLE vault.a_j (id INT AUTO_INCREMENT PRIMARY KEY);
DELIMITER //
CREATE PROCEDURE run(pause DOUBLE) LOOP
	SET @i = 1 + FLOOR(RAND() * 50), @k = 1 + FLOOR(RAND() * 50); -- in WHERE it would be another one a row
	START TRANSACTION;
	UPDATE a SET v = v - 1, n = n + 1 WHERE id = @i;
	INSERT INTO j () VALUES ();
	INSERT INTO vault.a_j () VALUES ();
	UPDATE z SET v = v + 1, n = n + 1 WHERE id = @k;
	COMMIT;
	IF pause > 0 THEN DO SLEEP(pause); END IF;
END LOOP //
SQL
writer() { spawn writer mariadb --defaults-file="$T/a/my.cnf" -uroot bank -e "CALL run(${1:-0.0005})"; until_ok 20 moved; }
moved() { [ "$(sql -N -e 'SELECT COUNT(*) > 20 FROM bank.j')" = 1 ]; }
stop_writer() {
	sql -N -e "SELECT CONCAT('KILL ', ID, ';') FROM information_schema.PROCESSLIST WHERE USER = 'root' AND ID <> CONNECTION_ID() AND DB = 'bank'" | sql
	stop_pid writer
}
held() { # CLIENT DB: nothing is lost in this copy of bank
	local got
	got=$("$1" -N "$2" -e "SELECT (SELECT SUM(v) FROM a) + (SELECT SUM(v) FROM z), (SELECT SUM(n) FROM a) - (SELECT COUNT(*) FROM j),
		(SELECT SUM(n) FROM z) - (SELECT COUNT(*) FROM j), (SELECT COUNT(*) > 20 FROM j)")
	[ "$got" = $'0\t0\t0\t1' ] || { echo "sums are off: $got"; return 1; }
}
# copy HOST ACCOUNT METHOD CONNECTIONS [options]: a dump that says METHOD and has all
copy() {
	local host=$1 as=$2 method=$3 n=$4
	shift 4
	rm -rf "$T/d" && mkdir "$T/d" && run "$TOOL" dump "$host" "$as" pw bank "$T/d" --connections "$n" "$@" || return 1
	grep -q "^method: $method " "$OUT" || { cat "$OUT"; return 1; }
	sql_b -e 'SET sql_log_bin=0; DROP DATABASE IF EXISTS copy' && "$TOOL" load "127.0.0.1:$PORT2" rig rigpw copy "$T/d" &&
		held sql_b copy && sql_b -e 'SET sql_log_bin=0; DROP DATABASE copy'
}
A=127.0.0.1:$PORT B=127.0.0.1:$PORT2
check "a writer commits as fast as it can" writer 0
for i in 1 2 3 4 5 6; do # by the position of the log, or when that never stands still, by the next way
	check "$i: 4 connections between its commits" copy "$A" full '[a-z-]*' 4
done
stop_writer
# so many rows would be copied twenty times from here on
sql -e "UPDATE bank.a SET v = 0, n = 0; UPDATE bank.z SET v = 0, n = 0; TRUNCATE bank.j; TRUNCATE vault.a_j"
check "a writer that leaves some time to others" writer
# slower COMMAND...: when the command says that commits came in between, the writer leaves more time: how much the
# snapshots of several connections need is another thing on each machine
slower() {
	local pause
	for pause in '' 0.02 0.2 1; do
		[ -z "$pause" ] || { stop_writer; writer "$pause"; }
		if "$@"; then return 0; fi
		grep -q 'times a commit came in between' "$OUT" "$ERR" || return 1
	done
	return 1
}

# ---- the ways
check "one connection" copy "$A" full single 1
for n in 2 4; do
	check "$n connections at one position of the binary log" slower copy "$A" full binlog-snapshot $n
	check "$n connections under BACKUP STAGE" copy "$A" nolog backup-stage $n
	check "it says why" says 'whether the binary log leaves databases out is not known (GRANT BINLOG MONITOR)'
done
check "4 connections under a short read lock" copy "$A" full read-lock 4 --method read-lock
check "4 wanted by an account that may not lock: one" copy "$A" poor single 4
check "it says why" says '(GRANT BINLOG MONITOR); the account may not use BACKUP STAGE (GRANT RELOAD))'
sql -e "SET GLOBAL tx_isolation = 'READ-COMMITTED'"
check "a server whose default is READ COMMITTED: 4 connections" slower copy "$A" full binlog-snapshot 4
check "and one" copy "$A" poor single 1
check "and under BACKUP STAGE" copy "$A" nolog backup-stage 4
sql -e "SET GLOBAL tx_isolation = DEFAULT"
blocked() { # somebody holds a lock that BACKUP STAGE and the read lock wait for
	spawn blocker "$RIGS/mariadb.sh" sql "$T/a" -e 'BACKUP STAGE START; SELECT SLEEP(600)'
	until_ok 10 bash -c "'$RIGS/mariadb.sh' sql '$T/a' -N -e 'SHOW PROCESSLIST' | grep -qF 'SELECT SLEEP'" # the writer sleeps as well
}
check "another backup holds BACKUP STAGE" blocked
check "it is not waited for longer than ddl_wait_s: one connection" copy "$A" nolog single 2 --wait 1
check "it says why" says 'BACKUP STAGE had to wait too long for others'
stop_pid blocker
sql -N -e "SELECT CONCAT('KILL ', ID, ';') FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT SLEEP%'" | sql

# ---- all databases of a run, and the way back by the binary log
jq -n --arg t "$T" --arg a "$A" --arg b "$B" '{server_id: "web-01", limits: {mysql_connections: 3}, sites: [
	{name: "all", db_name: "*", db_host: $a, db_user: "full", db_password: "pw", db_users: false},
	{name: "copy", db_name: "bank", db_host: $b, db_user: "nolog", db_password: "pw"}],
	storage: [{name: "disk", type: "dir", path: ($t + "/store")}]}' >"$T/c.json"
chmod 600 "$T/c.json" && mkdir "$T/store"
backup() { run felloe-noded --state "$T/state" backup -c "$T/c.json" "$@"; }
archive() { find "$T/store" -name "$1-backup-*.tar.zst" | sort | tail -n 1; }
of() { tar --zstd -xOf "$(archive "$1")" manifest.json | jq -r ".database.snapshot.$2"; }
restored() { # ARCHIVE DB
	sql_b -e "SET sql_log_bin=0; DROP DATABASE IF EXISTS $2; CREATE DATABASE $2" &&
		tar --zstd -xOf "$(archive "$1")" --wildcards 'db/*' | sql_b --init-command='SET sql_log_bin=0' --comments "$2"
}
both() {
	restored all-bank bank && restored all-vault vault && held sql_b bank || return 1
	[ "$(sql_b -N -e 'SELECT (SELECT COUNT(*) FROM bank.j) - (SELECT COUNT(*) FROM vault.a_j)')" = 0 ] ||
		{ sql_b -e 'SELECT (SELECT COUNT(*) FROM bank.j), (SELECT COUNT(*) FROM vault.a_j)'; return 1; }
}
backup_together() {
	backup all || return 1
	[ "$(of all-bank method)" = binlog-snapshot ] || { echo 'times a commit came in between' >>"$OUT"; return 1; }
}
check "a whole server is backed up while the writer runs" slower backup_together
check "by several connections" test "$(of all-bank method),$(of all-bank connections)" = binlog-snapshot,3
check "both databases are of one point" both
FILE=$(of all-bank file) POSITION=$(of all-bank position) GTID=$(of all-bank gtid)
check "the manifests have one position" test "$(of all-vault file):$(of all-vault position)" = "$FILE:$POSITION"
sql -e "FLUSH BINARY LOGS"
moved_on() { [ "$(sql -N -e 'SELECT COUNT(*) FROM bank.j')" -gt "$(($(sql_b -N -e 'SELECT COUNT(*) FROM bank.j') + 100))" ]; }
check "the writer goes on" until_ok 20 moved_on
stop_writer
sums() { "$1" -N -e 'CHECKSUM TABLE bank.a, bank.z, bank.j, bank.filler, vault.a_j'; }
sums sql >"$T/sums"
same() { sums sql_b | diff "$T/sums" -; }
replay() { # START: all logs from FILE on
	local logs
	logs=$(sql -N -e 'SHOW BINARY LOGS' | cut -f1 | sed -n "/^$FILE\$/,\$p" | sed "s,^,$T/a/data/,")
	# shellcheck disable=SC2086
	mariadb-binlog --no-defaults --disable-log-bin --start-position="$1" $logs >"$T/replay.sql" && sql_b <"$T/replay.sql"
}
check "the copy is behind" bash -c "! diff -q '$T/sums' <(mariadb --defaults-file='$T/b/my.cnf' -uroot -N -e 'CHECKSUM TABLE bank.a, bank.z, bank.j')"
check "the log from file and position on" replay "$POSITION"
check "makes it equal" same
check "the same copy again" both
check "the log from the GTID on" replay "$GTID"
check "makes it equal" same

# ---- a replica, made from the copy
follow() {
	sql_b -e "STOP SLAVE; SET GLOBAL gtid_slave_pos = '$1'; CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=$PORT, MASTER_USER='rig',
		MASTER_PASSWORD='rigpw', MASTER_USE_GTID=slave_pos; START SLAVE" 2>&1
}
caught_up() { sums sql >"$T/sums" && same; }
check "the copy again becomes a replica at its GTID" both && follow "$GTID"
check "it comes to be equal" until_ok 120 caught_up
check "the writer runs again" writer
check "a replica that does not log what it replicates: not by the binary log" copy "$B" full backup-stage 3
check "it says why" says 'this replica does not log what it replicates (log_slave_updates)'
check "a backup of the replica" backup copy
check "has all" bash -c "$(declare -f restored held archive sql_b); T='$T'; restored copy copy && held sql_b copy"
check "it knows its source" test "$(of copy 'source.channels[0] | "\(.host):\(.port)"')" = "$A"
check "with a file and a position there" test "$(of copy 'source.channels[0] | (.file | startswith("binlog.")) and .position > 0')" = true
SOURCE=$(of copy source.gtid)
check "and the GTID" bash -c "[[ '$SOURCE' =~ ^0-1-[0-9]+$ ]]"
stop_writer
check "the replica catches up" until_ok 120 caught_up
again() { # vault is not in that copy: what it has more goes. By number: a killed writer leaves a hole among the ids
	local more
	sql_b -e "STOP SLAVE; SET sql_log_bin=0; DROP DATABASE bank" && restored copy bank || return 1
	more=$(sql_b -N -e 'SELECT (SELECT COUNT(*) FROM vault.a_j) - (SELECT COUNT(*) FROM bank.j)')
	sql_b -e "SET sql_log_bin=0; DELETE FROM vault.a_j ORDER BY id DESC LIMIT $more" && follow "$SOURCE"
}
check "a copy of the replica follows from that GTID" again
check "and comes to be equal" until_ok 120 caught_up

# ---- other servers where a position that stands still proves nothing
restart() { sql_b -e 'STOP SLAVE' && "$RIGS/mariadb.sh" stop "$T/b" >/dev/null && "$RIGS/mariadb.sh" start "$T/b" "$PORT2" --server-id=2 "$@" >/dev/null &&
	sql_b -e 'START SLAVE' 2>&1; }
check "the writer runs once more" writer
check "the replica logs what it replicates" restart --log-slave-updates=1
check "then it counts" slower copy "$B" full binlog-snapshot 3
check "the replica leaves databases out of its log" restart --log-slave-updates=1 --binlog-ignore-db=bank
check "then it does not" copy "$B" full backup-stage 3
check "it says why" says 'the binary log leaves databases out (binlog_do_db, binlog_ignore_db)'
check "the replica has no binary log" restart --skip-log-bin
check "then it does not either" copy "$B" full backup-stage 3
check "it says why" says 'the binary log is off'
stop_writer
