#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A copy of another name uses itself and not the original; definers and events
# become what was asked for.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/site-lib.sh
. "$HERE/site-lib.sh"

db_server --event-scheduler=ON
sql() { "$RIGS/mariadb.sh" sql "$T/db" -N "$@"; }
sql --comments <<'SQL'
CREATE USER gone@localhost; GRANT ALL ON *.* TO gone@localhost;
CREATE DATABASE other; CREATE TABLE other.t (id int); INSERT INTO other.t VALUES (7);
CREATE DATABASE shop; USE shop;
CREATE SEQUENCE seq START WITH 100;
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int PRIMARY KEY DEFAULT nextval(shop.seq), pid int, CONSTRAINT fk FOREIGN KEY (pid) REFERENCES shop.parent (id));
CREATE TABLE shop (id int PRIMARY KEY, name varchar(60));
INSERT INTO parent VALUES (1), (2); INSERT INTO child VALUES (1, 2); INSERT INTO shop VALUES (1, 'from shop.parent');
CREATE TABLE log (what varchar(60), n int);
DELIMITER //
CREATE FUNCTION f(a int) RETURNS int DETERMINISTIC RETURN a + 1//
CREATE FUNCTION count_parents() RETURNS int READS SQL DATA BEGIN RETURN (SELECT COUNT(*) FROM shop.parent, `shop`.`shop` WHERE shop.id = 1); END//
CREATE PROCEDURE clear_log() BEGIN DELETE FROM shop.log; CALL shop.note('shop.log cleared'); END//
CREATE PROCEDURE note(w varchar(60)) INSERT INTO log VALUES (w, shop.f(0))//
CREATE PROCEDURE dynamic() BEGIN EXECUTE IMMEDIATE 'SELECT COUNT(*) FROM shop.parent'; END//
SET sql_mode='ANSI_QUOTES,NO_BACKSLASH_ESCAPES'//
CREATE PROCEDURE quoted() BEGIN INSERT INTO "shop"."log" VALUES ('back\', 3); END//
SET sql_mode='ORACLE'//
CREATE PACKAGE pack AS PROCEDURE p; END//
CREATE PACKAGE BODY pack AS PROCEDURE p AS BEGIN INSERT INTO shop.log VALUES ('pack', 4); END; END//
SET sql_mode=DEFAULT//
CREATE TRIGGER of_parent AFTER INSERT ON parent FOR EACH ROW INSERT INTO shop.log VALUES ('trigger', NEW.id)//
CREATE EVENT tick ON SCHEDULE EVERY 1 DAY STARTS '2020-01-01' ON COMPLETION PRESERVE DO INSERT INTO shop.log VALUES ('event', 1)//
CREATE EVENT off ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1//
DELIMITER ;
CREATE VIEW v AS SELECT shop.parent.id AS id, shop.f(shop.parent.id) AS f, 'shop.parent' AS s FROM shop.parent JOIN shop.child ON child.pid = parent.id;
CREATE VIEW alias AS SELECT shop.name FROM shop.shop AS shop;
CREATE VIEW foreigner AS SELECT id FROM other.t;
CREATE DEFINER=gone@localhost VIEW orphan AS SELECT 1 AS a;
CREATE DEFINER=gone@localhost PROCEDURE orphaned() SQL SECURITY DEFINER SELECT CURRENT_USER();
DROP USER gone@localhost;
SQL
one_site shop shop rig
restore() { noded restore shop --db-defaults "$T/my.cnf" "$@"; }
names() { # SCHEMA: every definition of it that names the schema shop
	sql -e "SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA='$1' AND ROUTINE_DEFINITION REGEXP 'shop[\`\"]?\\\\.';
		SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA='$1' AND ACTION_STATEMENT REGEXP 'shop[\`\"]?\\\\.';
		SELECT EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA='$1' AND EVENT_DEFINITION REGEXP 'shop[\`\"]?\\\\.'" | sort | tr '\n' ,
}
definers() { sql -e "SELECT DISTINCT DEFINER FROM information_schema.VIEWS WHERE TABLE_SCHEMA='$1' UNION SELECT DEFINER FROM information_schema.ROUTINES
	WHERE ROUTINE_SCHEMA='$1' UNION SELECT DEFINER FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA='$1' ORDER BY 1" | tr '\n' ,; }
run noded backup

check "a dry run tells what would be" run -e 3 restore --to-db copy --dry-run
check "the events that would run" says "1 event would run in the copy too"
check "a body that names the old schema" says 'procedure `clear_log` names the database `shop`'
check "a definer that is gone" says 'view `orphan` would get another DEFINER; it was gone@localhost'
check "and made nothing" test -z "$(sql -e "SHOW DATABASES LIKE 'copy'")"

check "a copy under another name is a warning while bodies name the old one" run -e 3 restore --to-db copy
check "with their number" says "8 programs of the copy still name \`shop\` (--rewrite-bodies"
check "its views do not name the original" test "$(sql -e 'DROP TABLE IF EXISTS other.x; SELECT COUNT(*) FROM copy.v')" = 1
check "nor do the definitions of its views" test -z "$(sql -e "SELECT TABLE_NAME FROM information_schema.VIEWS WHERE TABLE_SCHEMA='copy' AND VIEW_DEFINITION REGEXP '\`shop\`\\\\.\`(parent|child|shop|f)\`'")"
check "an alias called like the schema is kept" test "$(sql -e 'SELECT * FROM copy.alias')" = "from shop.parent"
check "a view of a foreign schema is kept" test "$(sql -e 'SELECT * FROM copy.foreigner')" = 7
check "strings are" test "$(sql -e 'SELECT s FROM copy.v')" = shop.parent
check "its sequence counts on its own" test "$(sql -e 'INSERT INTO copy.child (pid) VALUES (1); SELECT MAX(id) FROM copy.child; SELECT NEXTVAL(shop.seq)' | tr '\n' ,)" = "100,100,"
check "its foreign key refers to its own table" test "$(sql -e "SELECT UNIQUE_CONSTRAINT_SCHEMA FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA='copy'")" = copy
check "bodies are as they were" test "$(names copy)" = "$(names shop)"
check "an account that exists stays the definer, one that does not gives way" test "$(definers copy)" = "rig@127.0.0.1,root@localhost,"

check "bodies are rewritten on demand, strings are told" run -e 3 restore --to-db full --rewrite-bodies --events disable
check "by name" says 'procedure `dynamic` has a string that names the database `shop`'
check "two of them" says "2 programs of the copy still name \`shop\`"
check "no body but those with strings, or an alias, names the original" test "$(names full)" = "clear_log,count_parents,dynamic,"
sql -e "DELETE FROM shop.log; DELETE FROM full.log; CALL full.note('x'); CALL full.quoted; CALL full.pack.p; INSERT INTO full.parent VALUES (9)"
check "they use the copy" test "$(sql -e 'SELECT what FROM full.log' | tr '\n' ,)" = 'x,back\\,pack,trigger,'
check "and not the original" test "$(sql -e 'SELECT COUNT(*) FROM shop.log')" = 0
check "an alias in a body is kept" test "$(sql -e 'SELECT full.count_parents()')" = 3
sql -e "CALL full.clear_log"
check "a procedure that calls another" test "$(sql -e 'SELECT what FROM full.log')" = "shop.log cleared"
check "events are disabled" test "$(sql -e "SELECT DISTINCT STATUS FROM information_schema.EVENTS WHERE EVENT_SCHEMA='full'")" = DISABLED
check "the others were not" test "$(sql -e "SELECT STATUS FROM information_schema.EVENTS WHERE EVENT_SCHEMA='copy' AND EVENT_NAME='tick'")" = ENABLED

check "without definers" run -e 3 restore --to-db bare --definer invoker
check "all belong to who restored" test "$(definers bare)" = "rig@127.0.0.1,"
check "and run with the rights of who uses them" test "$(sql -e "SELECT DISTINCT SECURITY_TYPE FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA='bare' AND ROUTINE_TYPE IN ('PROCEDURE', 'FUNCTION')
	UNION SELECT SECURITY_TYPE FROM information_schema.VIEWS WHERE TABLE_SCHEMA='bare'")" = INVOKER
sql -e "GRANT EXECUTE, SELECT ON *.* TO backup@localhost"
check "with a definer" run -e 3 restore --to-db given --definer backup@localhost
check "all have it" test "$(definers given)" = "backup@localhost,"
check "a word that is almost right gets a hint" run -e 2 restore --to-db x --events disbale
check "which one" says 'did you mean "disable"?'
check "a definer that is none is refused" run -e 2 restore --to-db x --definer keeep
check "with a hint" says 'did you mean "keep"?'
