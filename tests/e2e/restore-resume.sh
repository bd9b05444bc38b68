#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sanitize: yes
# A restore that is killed, or whose server is, goes on where it stood when the
# same command is given again: no row is lost, none comes twice.
# slow: yes
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

PORT=$(free_port)
at_exit "'$RIGS/mariadb.sh' stop '$T/db'"
check "a database server starts" "$RIGS/mariadb.sh" start "$T/db" "$PORT" || exit 1
sql() { "$RIGS/mariadb.sh" sql "$T/db" "$@"; }
TABLES="a_keys b_nokey c_myisam d_memory e_child f_empty"
sql <<'SQL'
CREATE DATABASE shop; USE shop;
CREATE TABLE a_keys (id int AUTO_INCREMENT PRIMARY KEY, n int, v varchar(40), t text, KEY n (n), KEY v (v, n)) ENGINE=InnoDB;
INSERT INTO a_keys SELECT seq, seq MOD 977, MD5(seq), REPEAT(MD5(seq), 8) FROM seq_1_to_70000;
CREATE TABLE b_nokey (n int, t text) ENGINE=InnoDB; -- a member loaded twice would be seen
INSERT INTO b_nokey SELECT seq, REPEAT(MD5(seq), 30) FROM seq_1_to_20000;
CREATE TABLE c_myisam (n int, t text) ENGINE=MyISAM;
INSERT INTO c_myisam SELECT seq, REPEAT(MD5(seq), 30) FROM seq_1_to_10000;
CREATE TABLE d_memory (n int, v varchar(40)) ENGINE=MEMORY;
INSERT INTO d_memory SELECT seq, MD5(seq) FROM seq_1_to_500;
CREATE TABLE e_child (id int PRIMARY KEY, a int NOT NULL, KEY a (a), CONSTRAINT of_a FOREIGN KEY (a) REFERENCES a_keys (id)) ENGINE=InnoDB;
INSERT INTO e_child SELECT seq, seq FROM seq_1_to_5000;
CREATE TABLE f_empty (id int) ENGINE=InnoDB;
CREATE VIEW w AS SELECT COUNT(*) AS n FROM a_keys;
CREATE TRIGGER tr BEFORE INSERT ON e_child FOR EACH ROW SET NEW.a = NEW.a;
SQL
mkdir "$T/store"
cat >"$T/config.json" <<JSON
{"server_id": "web-01.test",
 "sites": [{"name": "shop", "db_name": "shop", "db_host": "127.0.0.1:$PORT", "db_user": "backup", "db_password": "backuppw"},
           {"name": "one", "db_name": "one", "db_host": "127.0.0.1:$PORT", "db_user": "backup", "db_password": "backuppw"}],
 "storage": [{"name": "disk", "type": "dir", "path": "$T/store"}]}
JSON
chmod 600 "$T/config.json"
printf '[client]\nuser=rig\npassword="rigpw"\nhost=127.0.0.1\nport=%s\n' "$PORT" >"$T/my.cnf"
noded() { felloe-noded -c "$T/config.json" --state "$T/state" "$@"; }
RESTORE=(felloe-noded -c "$T/config.json" --state "$T/state" restore shop --db-defaults "$T/my.cnf")
check "the database is backed up" run noded backup shop
A=$(find "$T/store" -name '*.tar.zst')
MEMBERS=$(tar --zstd -tf "$A" | grep -c '^db/20-data/')
check "in several members of rows" test "$MEMBERS" -ge 7
journal() { sql -N -e "SELECT COUNT(*) FROM $1.felloe_restore_journal WHERE kind = '$2'${3:+ AND name = '$3'}" 2>/dev/null; }
loaded() { [ "$(journal "$1" member || echo 0)" -ge "$2" ]; }
# of tables with transactions: what is loaded of the others is forgotten when a restore goes on
kept() { [ "$(sql -N -e "SELECT COUNT(*) FROM $1.felloe_restore_journal WHERE kind = 'member' AND name NOT LIKE 'db/20-data/c%' AND name NOT LIKE 'db/20-data/d%'" 2>/dev/null || echo 0)" -ge "$2" ]; }
copies() { sql -N -e "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE 'shop\_r%' OR SCHEMA_NAME LIKE 'felloe%'"; }
create() { for t in $TABLES; do sql -N -e "SHOW CREATE TABLE $1.$t"; done; }
sums() { for t in $TABLES; do sql -N -e "CHECKSUM TABLE $1.$t" | cut -f 2; done; }
SUMS=$(sums shop) CREATE=$(create shop)
# whole SCHEMA: it is what was dumped, with nothing added
whole() {
	[ "$(sums "$1")" = "$SUMS" ] || { echo "other rows:"; sums "$1"; return 1; }
	diff <(echo "$CREATE") <(create "$1") || return 1
	[ "$(sql -N -e "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = '$1'")" = 7 ] || { sql -e "SHOW TABLES IN $1"; return 1; }
	[ "$(sql -N -e "SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = '$1'")" = 1 ]
}
# while_it_runs COMMAND: until it is true of the restore, which stands still while it is asked: however long an answer
# takes, it cannot have ended meanwhile. It is left standing; go_on, or slay.
while_it_runs() {
	kill -STOP "$RPID" 2>/dev/null
	until "$@" >/dev/null 2>&1; do
		kill -CONT "$RPID" 2>/dev/null || { echo "the restore ended first"; cat "$T/begun"; return 1; }
		sleep 0.04
		kill -STOP "$RPID" 2>/dev/null
	done
}
go_on() { kill -CONT "$RPID"; }
# begin OPTIONS: a restore in the background
begin() { "${RESTORE[@]}" "$@" >"$T/begun" 2>&1 </dev/null & RPID=$!; }
slay() { kill -9 "$RPID"; wait "$RPID" 2>/dev/null; }

# ---- killed among its rows
begin --to-db one
check "a restore loads rows" while_it_runs kept one 2
slay
check "killed, it has left a journal" test "$(journal one head)" = 4
check "a backup of its schema says that it is not complete" run -e 3 noded backup one
check "in so many words" says "a restore into \`one\` is not finished"
check "and leaves the journal out" test "$(tar --zstd -tf "$(find "$T/store" -name 'one-*.tar.zst')" | grep -c felloe_restore)" = 0
check "a dry run says that it would be resumed" run "${RESTORE[@]}" --to-db one --dry-run
check "with the time" says "would go on with the unfinished restore in \`one\`, begun at"
check "other options are refused" run -e 1 "${RESTORE[@]}" --to-db one --definer invoker
check "clearly" says "holds a restore with other options"
check "the same command goes on" run "${RESTORE[@]}" --to-db one
check "and says from where" grep -Eq 'resuming the restore begun at .* UTC into `one`: ([2-9]|[1-9][0-9]+) of [0-9]+ members' "$ERR"
check "all is there once" whole one
check "a second one finds nothing to resume" run -e 1 "${RESTORE[@]}" --to-db one
check "but the schema" says 'the schema `one` exists'

# ---- killed when all rows are loaded, with the name that carries the time
begin
check "a restore under its default name begins" while_it_runs eval '[ -n "$(copies)" ]'
X=$(copies)
check "and has loaded its rows" while_it_runs loaded "$X" "$MEMBERS"
slay
check "the same command finds its schema" run "${RESTORE[@]}"
check "and names it" says "into \`$X\`"
check "no other was made" test "$(copies)" = "$X"
check "nothing is missing, nothing doubled" whole "$X"
sql -e "DROP DATABASE IF EXISTS \`$X\`"

# ---- the server is killed
begin --to-db two
check "another restore loads rows" while_it_runs loaded two 4
kill -9 "$(cat "$T/db/mariadbd.pid")"
go_on
wait "$RPID"
check "without its server it ends with an error" test $? -eq 1
check "and tells how to go on" grep -q 'the same command goes on with it' "$T/begun"
check "the server comes back" "$RIGS/mariadb.sh" start "$T/db" "$PORT"
check "the same command goes on there" run "${RESTORE[@]}" --to-db two
check "with what the server had kept" grep -Eq '`two`: [1-9][0-9]* of' "$ERR"
check "all is there once more" whole two
sql -e "DROP DATABASE one; DROP DATABASE two"

# ---- stopped politely, then begun anew
begin --to-db three
check "a third restore loads rows" while_it_runs loaded three 1
kill -TERM "$RPID"
go_on
wait "$RPID"
check "asked to end it does" test $? -ne 0
check "and says how to go on" grep -q 'the same command goes on with it' "$T/begun"
check "--fresh drops what there is" run "${RESTORE[@]}" --to-db three --fresh
check "and says so" says "the unfinished restore in \`three\`"
check "nothing was resumed" hides "resuming"
check "all is there" whole three
sql -e "DROP DATABASE three"

# ---- in place
sql -e "DELETE FROM shop.b_nokey WHERE n > 9; DELETE FROM shop.c_myisam WHERE n > 9"
begin --db shop:b_nokey,c_myisam --in-place
check "a restore aside begins" while_it_runs eval '[ -n "$(copies)" ]'
X=$(copies)
check "and loads rows" while_it_runs loaded "$X" 2
slay
check "killed it has not touched the tables in use" test "$(sql -N -e 'SELECT COUNT(*) FROM shop.b_nokey')" = 9
check "the same command goes on in place" run "${RESTORE[@]}" --db shop:b_nokey,c_myisam --in-place
check "with what was there" says "resuming the restore"
check "the tables are whole" test "$(sums shop | sed -n 2,3p)" = "$(sed -n 2,3p <<<"$SUMS")"
check "nothing of the work is left" test -z "$(copies)"

# ---- killed between the making of its schema and the first line of its journal: it waits there for a lock
lock_of() { echo "felloe_restore_$(printf %s "$1" | sha256sum | cut -c 1-16)_0"; }
made() { [ -n "$(sql -N -e "SHOW DATABASES LIKE '$1'")" ]; }
cut_when_made() { # SCHEMA OPTIONS
	coproc HOLDER { "$RIGS/mariadb.sh" sql "$T/db" -N --unbuffered; }
	exec 7>&"${HOLDER[1]}" 8<&"${HOLDER[0]}"
	echo "SELECT GET_LOCK('$(lock_of "$1")', 0);" >&7 && read -r _ <&8
	begin "${@:2}"
	until_ok 30 made "$1" || { cat "$T/begun"; return 1; }
	slay
	echo '\q' >&7
	exec 7>&- 8<&-
	wait "$HOLDER_PID" 2>/dev/null
	[ -z "$(sql -N -e "SHOW TABLES IN $1")" ] || { echo "it came too far"; return 1; }
}
step "a restore is killed when its schema is there, and nothing else" cut_when_made four --to-db four
check "a dry run tells what becomes of it" run "${RESTORE[@]}" --to-db four --dry-run
check "in words" says '`four` was made by a restore that was cut off before it loaded anything: it would be used'
check "the same command goes on" run "${RESTORE[@]}" --to-db four
check "all is there" whole four
check "without a mark" test "$(sql -N -e "SELECT SCHEMA_COMMENT FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'four'")" = ""
sql -e "DROP DATABASE four"
step "another one is killed there" cut_when_made four --to-db four
check "one with other options may take what is empty" run "${RESTORE[@]}" --to-db four --definer invoker
sql -e "DROP DATABASE four"
step "a third one is killed there" cut_when_made four --to-db four
sql -e "CREATE TABLE four.mine (id int)"
check "what somebody has put there since is not touched" run -e 1 "${RESTORE[@]}" --to-db four
check "but told" says 'the schema `four` exists on the server (1 table)'
sql -e "DROP DATABASE four; CREATE DATABASE four"
check "nor is an empty schema that somebody made" run -e 1 "${RESTORE[@]}" --to-db four
sql -e "DROP DATABASE four; DROP DATABASE shop"
step "one is killed there that chose the name itself" cut_when_made shop --same-names
check "one with other options makes another" run "${RESTORE[@]}" --events disable
check "of its own" says 'into `shop_restored_'
check "the same command finds it" run "${RESTORE[@]}" --same-names
check "and fills it" whole shop
