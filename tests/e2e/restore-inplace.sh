#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# In place: a whole database, or tables with foreign keys in any direction, become
# what they were; either all or nothing, and a restore that was killed goes on.
# timeout: 180
# slow: yes
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/site-lib.sh
. "$HERE/site-lib.sh"

db_server
sql() { "$RIGS/mariadb.sh" sql "$T/db" -N "$@"; }
# names as long as they can be
LONG=$(printf 'k%.0s' {1..63})
sql --comments <<SQL
CREATE DATABASE shop COLLATE utf8mb4_bin; USE shop;
CREATE SEQUENCE seq START WITH 100; SELECT NEXTVAL(seq) INTO @x;
CREATE TABLE parent (id int PRIMARY KEY, name varchar(20));
CREATE TABLE child (id int PRIMARY KEY DEFAULT nextval(seq), pid int, CONSTRAINT \`fk of child\` FOREIGN KEY (pid) REFERENCES parent (id) ON DELETE CASCADE,
	FOREIGN KEY (pid) REFERENCES parent (id) ON UPDATE CASCADE);
CREATE TABLE a (id int PRIMARY KEY, b int); CREATE TABLE b (id int PRIMARY KEY, a int, CONSTRAINT fk_b FOREIGN KEY (a) REFERENCES a (id));
ALTER TABLE a ADD CONSTRAINT fk_a FOREIGN KEY (b) REFERENCES b (id);
CREATE TABLE self (id int PRIMARY KEY, up int, CONSTRAINT fk_self FOREIGN KEY (up) REFERENCES self (id));
CREATE TABLE log (what varchar(40), n int);
CREATE TABLE named (id int PRIMARY KEY, x int, y int, z int, CONSTRAINT ${LONG}1 FOREIGN KEY (x) REFERENCES parent (id),
	CONSTRAINT ${LONG}2 FOREIGN KEY (y) REFERENCES parent (id), CONSTRAINT ${LONG//k/ö}3 FOREIGN KEY (z) REFERENCES parent (id),
	CONSTRAINT felloe_key FOREIGN KEY (z) REFERENCES self (id), KEY ${LONG}4 (y, x));
CREATE TABLE versions (id int PRIMARY KEY) WITH SYSTEM VERSIONING;
CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 3;
INSERT INTO parent SELECT seq, LEFT(MD5(seq), 20) FROM seq_1_to_300; INSERT INTO child SELECT seq, seq FROM seq_1_to_300;
INSERT INTO a VALUES (1, NULL); INSERT INTO b VALUES (1, 1); UPDATE a SET b = 1; INSERT INTO self VALUES (1, 1);
INSERT INTO parts SELECT seq FROM seq_1_to_50; INSERT INTO named VALUES (1, 1, 2, 1);
DELIMITER //
CREATE FUNCTION f(a int) RETURNS int DETERMINISTIC RETURN a + 1//
CREATE FUNCTION held() RETURNS int DETERMINISTIC RETURN 7//
CREATE PROCEDURE p() SELECT COUNT(*) FROM shop.parent//
SET sql_mode='ORACLE'//
CREATE PACKAGE pack AS PROCEDURE p; END//
CREATE PACKAGE BODY pack AS PROCEDURE p AS BEGIN INSERT INTO log VALUES ('pack', 4); END; END//
SET sql_mode=DEFAULT//
CREATE TRIGGER \`z first\` AFTER UPDATE ON parent FOR EACH ROW INSERT INTO log VALUES ('one', NEW.id)//
CREATE TRIGGER \`a second\` AFTER UPDATE ON parent FOR EACH ROW INSERT INTO log VALUES ('two', NEW.id)//
CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1//
DELIMITER ;
CREATE VIEW v1 AS SELECT id, f(id) FROM parent; CREATE VIEW a_v2 AS SELECT * FROM v1;
CREATE DATABASE outside; CREATE TABLE outside.c (pid int, CONSTRAINT fk_out FOREIGN KEY (pid) REFERENCES shop.parent (id));
INSERT INTO outside.c VALUES (300); CREATE TABLE outside.named (x int, CONSTRAINT ${LONG}9 FOREIGN KEY (x) REFERENCES shop.parent (id),
	CONSTRAINT ${LONG}8 FOREIGN KEY (x) REFERENCES shop.self (id));
CREATE USER reader@127.0.0.1 IDENTIFIED BY 'r'; GRANT SELECT ON shop.parent TO reader@127.0.0.1;
CREATE ROLE \`tel\`\`lers\`; GRANT EXECUTE, ALTER ROUTINE ON FUNCTION shop.held TO reader@127.0.0.1 WITH GRANT OPTION;
GRANT EXECUTE ON FUNCTION shop.held TO \`tel\`\`lers\`; GRANT EXECUTE ON FUNCTION shop.held TO PUBLIC;
SET sql_mode='ORACLE'; GRANT EXECUTE ON PACKAGE shop.pack TO reader@127.0.0.1; GRANT EXECUTE ON PACKAGE BODY shop.pack TO reader@127.0.0.1;
SQL
one_site shop shop rig
restore() { noded restore shop "$@"; }
# all of a schema, but for what moves by itself
state() {
	sql -e "SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA='$1' ORDER BY 1;
		SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME='$1';
		SELECT TRIGGER_NAME, ACTION_ORDER, ACTION_STATEMENT, DEFINER FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA='$1' ORDER BY 1;
		SELECT ROUTINE_NAME, ROUTINE_TYPE, ROUTINE_DEFINITION FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA='$1' ORDER BY 1, 2;
		SELECT User, Host, Routine_type, Routine_name, Proc_priv FROM mysql.procs_priv WHERE Db='$1' ORDER BY 1, 2, 3, 4;
		SELECT EVENT_NAME, STATUS, EVENT_DEFINITION FROM information_schema.EVENTS WHERE EVENT_SCHEMA='$1' ORDER BY 1;
		SELECT TABLE_NAME, VIEW_DEFINITION FROM information_schema.VIEWS WHERE TABLE_SCHEMA='$1' ORDER BY 1"
	for t in parent child a b self versions parts named; do sql -r -e "SHOW CREATE TABLE $1.$t"; sql -e "CHECKSUM TABLE $1.$t"; done
	sql -r -e "SHOW CREATE TABLE outside.c; SHOW CREATE TABLE outside.named"
}
scratch() { sql -e "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE '%felloe%'" | tr '\n' ,; }
unchanged() { diff "$T/before" <(state shop); }
run noded backup
check "the backup is there" test -n "$(find "$T/store" -name '*.tar.zst')"
RUN=$(noded list --json | jq -r '[.. | .uuid? // empty][0]' | cut -c 1-8)
OLD=shop_felloe_old_$RUN
state shop >"$T/before"
check "and rights on routines are among what has to stay" test "$(grep -c "EXECUTE\|Execute" "$T/before")" = 5
break_it() {
	sql -e "USE shop; DROP VIEW a_v2; DROP PROCEDURE p; DROP TRIGGER \`z first\`; UPDATE parent SET name = 'broken'; DELETE FROM child;
		CREATE VIEW surplus AS SELECT 1; CREATE PROCEDURE surplus_p() SELECT 2; CREATE EVENT surplus_e ON SCHEDULE EVERY 1 DAY DO SELECT 3;
		CREATE TRIGGER surplus_t AFTER INSERT ON log FOR EACH ROW SET @a = 1; ALTER DATABASE shop COLLATE utf8mb4_general_ci;
		CREATE OR REPLACE FUNCTION f(a int) RETURNS int DETERMINISTIC RETURN 0"
}

# ---- the whole database
break_it
check "a whole database is not replaced without a word" run -e 2 restore --db shop --in-place
check "which is said" says "--yes"
check "a dry run may look" run restore --db shop --in-place --dry-run
check "it is replaced" run restore --db shop --in-place --yes
check "and is what it was, to the last key, trigger and event" unchanged
check "the sequence counts on in its own schema" test "$(sql -e 'INSERT INTO shop.child (pid) VALUES (7); SELECT MAX(id) FROM shop.child')" -gt 300
check "rights on tables are as they were" mariadb --no-defaults -h127.0.0.1 -P"$PORT" -ureader -pr -e 'SELECT * FROM shop.parent'
check "rights on routines are in use" mariadb --no-defaults -h127.0.0.1 -P"$PORT" -ureader -pr -e 'SELECT shop.held()'
check "a key from outside refers to the new table" bash -c "! '$RIGS/mariadb.sh' sql '$T/db' -e 'DELETE FROM shop.parent WHERE id = 300' 2>/dev/null"
check "its triggers fire in their order" test "$(sql -e "UPDATE shop.parent SET name = 'x' WHERE id = 1; SELECT what FROM shop.log" | tr '\n' ,)" = "one,two,"
check "nothing of the work is left" test -z "$(scratch)"

sql -e "CREATE TABLE shop.newer (id int PRIMARY KEY); INSERT INTO shop.newer VALUES (5); DELETE FROM outside.c; INSERT INTO shop.parent VALUES (999, 'x');
	INSERT INTO outside.c VALUES (999)"
check "a table that the archive does not have makes a warning" run -e 3 restore --db shop --in-place --yes
check "it is named" says "table \`newer\` is not in the archive: it goes to \`$OLD\`"
check "it is kept with its rows" test "$(sql -e "SELECT id FROM $OLD.newer")" = 5
check "with the programs as text" test "$(sql -e "SELECT COUNT(*) FROM $OLD.felloe_programs WHERE kind IN ('TRIGGER', 'VIEW', 'PROCEDURE', 'PACKAGE BODY')")" = 6
check "rows outside whose parent is gone are told" says "1 row of \`outside\`.\`c\` refers to a row that \`shop\`.\`parent\` does not have any more"
check "the rest is what it was" unchanged
check "another restore does not touch what is kept" run -e 1 restore --db shop --in-place --yes
check "but says where it is" says "\`$OLD\` is there"
sql -e "DROP DATABASE $OLD; UPDATE outside.c SET pid = 300"
check "what was in use is kept on demand" run restore --db shop --in-place --yes --keep-old
check "as it was" test "$(sql -e "SELECT COUNT(*) FROM $OLD.child")" = 300
sql -e "DROP DATABASE $OLD; INSERT INTO mysql.procs_priv (Host, Db, User, Routine_name, Routine_type, Grantor, Proc_priv)
	VALUES ('h', 'shop', 'ghost', 'held', 'FUNCTION', '', 'Execute')"
check "a right that cannot be given back makes a warning" run -e 3 restore --db shop --in-place --yes
check "with its statement" says "grant it again: GRANT EXECUTE ON FUNCTION \`shop\`.\`held\` TO \`ghost\`@\`h\`"
check "no account is made for it" test "$(sql -e "SELECT COUNT(*) FROM mysql.global_priv WHERE User = 'ghost'")" = 0
sql -e "DELETE FROM mysql.procs_priv WHERE User = 'ghost'; FLUSH PRIVILEGES; CREATE USER low@127.0.0.1 IDENTIFIED BY 'low';
	GRANT ALL ON \`%shop%\`.* TO low@127.0.0.1"
check "all others are there" unchanged
printf low >"$T/low" && chmod 600 "$T/low"
check "who may not see rights on routines is warned before anything is done" run -e 3 restore --db shop --in-place --dry-run --db-user low \
	--db-host "127.0.0.1:$PORT" --db-password-file "$T/low"
check "with the way out" says "rights on single routines of \`shop\` (GRANT EXECUTE ON FUNCTION ...) would be lost, if there are any: low may not read them (GRANT SELECT ON mysql.procs_priv)"

# ---- single tables with foreign keys
sql -e "UPDATE shop.parent SET name = 'broken'; DELETE FROM shop.child WHERE id > 9"
check "a table to which keys refer is replaced" run restore --db shop:parent --in-place
check "a table that has keys too" run restore --db shop:child --in-place
check "and all is as it was" unchanged
check "both in one go, and some of a circle" run restore --db "shop:par?nt,child,a,self" --in-place
check "and all is as it was still" unchanged
check "nothing of the work is left" test -z "$(scratch)"
sql -e "SET foreign_key_checks=0; DELETE FROM shop.parent; INSERT INTO shop.parent VALUES (1, 'x')"
check "rows without a parent are told" run -e 3 restore --db shop:child,b --in-place
check "by key" says "299 rows of \`shop\`.\`child\` refer to rows that \`shop\`.\`parent\` does not have any more (foreign key \`fk of child\`)"
check "the database is made whole again" run restore --db shop --in-place --yes
check "a table alone brings the sequence of its default" run restore --db shop:child --to-db alone
check "which counts there" test "$(sql -e "SET foreign_key_checks=0; INSERT INTO alone.child (pid) VALUES (1); SHOW CREATE TABLE alone.child" | grep -c 'nextval(`alone`.`seq`)')" = 1
sql -e "DROP DATABASE alone"

# ---- failures and kill -9: the server is held where it hurts, by a lock on a table
hold() { # SQL that takes a lock: until release
	coproc HOLDER { "$RIGS/mariadb.sh" sql "$T/db" -N --unbuffered; }
	exec 7>&"${HOLDER[1]}" 8<&"${HOLDER[0]}"
	echo "$1; SELECT 'held';" >&7 && read -r _ <&8
}
release() { printf 'ROLLBACK;\n\\q\n' >&7; exec 7>&- 8<&-; wait "$HOLDER_PID" 2>/dev/null; }
waits() { [ "$(sql -e "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE LIKE 'Waiting for table metadata lock'")" -gt 0 ]; }
none_waits() { ! waits; }
kill_when_it_waits() { # restore options: killed as soon as the server makes it wait
	felloe-noded -c "$T/config.json" --state "$T/state" restore shop "$@" >"$T/killed" 2>&1 </dev/null &
	local pid=$!
	until_ok 30 waits || { cat "$T/killed"; return 1; }
	kill -9 "$pid"
	wait "$pid" 2>/dev/null
	release
	until_ok 40 none_waits
}
sql -e "UPDATE shop.parent SET name = 'late'; DROP VIEW shop.a_v2"
sql -e "SHOW CREATE TABLE shop.child; CHECKSUM TABLE shop.parent, shop.child" >"$T/late"
hold "BEGIN; SELECT COUNT(*) FROM shop.parent LIMIT 0"
check "a restore is killed before the tables moved" kill_when_it_waits --db shop --in-place --yes
check "the database has its old rows, or the new ones" bash -c "[ \$('$RIGS/mariadb.sh' sql '$T/db' -N -e 'SELECT COUNT(*) FROM shop.parent') = 300 ]"
check "the same command goes on" run restore --db shop --in-place --yes
check "and says so" says "the copy in \`felloe_scratch_${RUN}_shop\` is complete, its swap goes on"
check "in the end all is as it was" unchanged
check "nothing is left" test -z "$(scratch)"
sql -e "UPDATE shop.parent SET name = 'late'; DROP VIEW shop.a_v2; CREATE TABLE shop.newer SELECT 6 AS id"
hold "BEGIN; SELECT COUNT(*) FROM outside.c LIMIT 0"
check "one is killed after the tables moved, before a key was mended" kill_when_it_waits --db shop --in-place --yes
check "another restore does not go on with it" run -e 1 restore --db shop:parent --in-place
check "which is said, with the way out" says "give that command again first"
check "the tables are the new ones" test "$(sql -e "SELECT COUNT(*) FROM shop.parent WHERE name = 'late'")" = 0
check "the same command goes on" run -e 3 restore --db shop --in-place --yes
check "and keeps the table that the archive does not have" test "$(sql -e "SELECT id FROM $OLD.newer; DROP DATABASE $OLD")" = 6
check "in the end all is as it was" unchanged
check "nothing is left" test -z "$(scratch)"

# ---- databases whose long names begin alike, in letters of two bytes
ALIKE=a$(printf 'ö%.0s' {1..38}) # cut at any even byte, half a letter is left
for n in 1 2; do
	sql -e "CREATE DATABASE $ALIKE$n; CREATE TABLE $ALIKE$n.t SELECT $n AS n"
	one_site "long$n" "$ALIKE$n" rig
	check "the database $n of a long name is backed up" run noded backup "long$n"
	sql -e "UPDATE $ALIKE$n.t SET n = 8 + $n"
	check "comes back in place" run noded restore "long$n" --db "$ALIKE$n" --in-place --yes --keep-old
	check "with what it held" test "$(sql -e "SELECT n FROM $ALIKE$n.t")" = "$n"
	old=$(sql -e "SELECT MAX(TABLE_SCHEMA) FROM information_schema.TABLES WHERE TABLE_SCHEMA LIKE 'aööö%felloe_old%' AND TABLE_NAME = 't'")
	check "and what was there is kept" test "$(sql -e "SELECT n FROM \`$old\`.t")" = "$((8 + n))"
	sql -e "DROP DATABASE \`$old\`"
	check "a copy of it gets a name that the server takes" run noded restore "long$n"
done
