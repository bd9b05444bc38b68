#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Single tables restored, beside and in place: with their triggers and foreign
# keys, and with nothing of tables that were left out.
# slow: yes
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

PORT=$(free_port)
at_exit "'$RIGS/mariadb.sh' stop '$T/db'"
check "a database server starts" "$RIGS/mariadb.sh" start "$T/db" "$PORT" || exit 1
sql() { "$RIGS/mariadb.sh" sql "$T/db" "$@"; }
sql --comments <<'SQL'
CREATE DATABASE other;
CREATE TABLE other.t (id int);
CREATE DATABASE shop;
USE shop;
CREATE TABLE log (t varchar(40));
CREATE TABLE item (id int PRIMARY KEY, v varchar(40));
CREATE TABLE plain (id int PRIMARY KEY, v varchar(40));
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int PRIMARY KEY, pid int, FOREIGN KEY (pid) REFERENCES parent (id));
CREATE TABLE junk (id int PRIMARY KEY);
CREATE TABLE huge (b longblob, t longtext); -- no key
INSERT INTO huge VALUES (REPEAT(UNHEX('00FF27'), 13000000), REPEAT('é☃\'\\\\', 800000)), ('', NULL);
INSERT INTO parent VALUES (1), (2);
INSERT INTO child VALUES (1, 2);
INSERT INTO item SELECT seq, MD5(seq) FROM seq_1_to_500;
INSERT INTO plain SELECT seq, MD5(seq) FROM seq_1_to_500;
CREATE VIEW elsewhere AS SELECT id FROM other.t;
CREATE VIEW of_junk AS SELECT id FROM junk;
CREATE VIEW a_view_of_it AS SELECT id FROM of_junk;
CREATE VIEW sound AS SELECT id AS junk FROM item;
DELIMITER //
CREATE TRIGGER `b second?` AFTER INSERT ON item FOR EACH ROW INSERT INTO log VALUES ('one')//
CREATE TRIGGER `a first`   AFTER INSERT ON item FOR EACH ROW INSERT INTO log VALUES ('two')//
CREATE TRIGGER of_parent AFTER INSERT ON parent FOR EACH ROW INSERT INTO log VALUES ('parent')//
CREATE TRIGGER of_junk AFTER INSERT ON junk FOR EACH ROW INSERT INTO log VALUES ('junk')//
CREATE PROCEDURE p() BEGIN SELECT 1; /* this stays */ END//
SQL
mkdir "$T/store"
cat >"$T/config.json" <<JSON
{"server_id": "web-01.test",
 "sites": [{"name": "shop", "db_name": "shop", "db_host": "127.0.0.1:$PORT", "db_user": "backup", "db_password": "backuppw",
            "exclude_tables": ["junk"]}],
 "storage": [{"name": "disk", "type": "dir", "path": "$T/store"}]}
JSON
chmod 600 "$T/config.json"
printf '[client]\nuser=rig\npassword="rigpw"\nhost=127.0.0.1\nport=%s\n' "$PORT" >"$T/my.cnf"
noded() { felloe-noded -c "$T/config.json" --state "$T/state" "$@"; }
restore() { noded restore shop --db-defaults "$T/my.cnf" "$@"; }
triggers() { sql -N -e "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA='$1' ORDER BY EVENT_OBJECT_TABLE, ACTION_ORDER" | tr '\n' ,; }
views() { sql -N -e "SELECT TABLE_NAME FROM information_schema.VIEWS WHERE TABLE_SCHEMA='$1' ORDER BY 1" | tr '\n' ,; }
scratch() { sql -N -e "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE 'felloe%';
	SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_NAME LIKE 'felloe%'"; }
CHILD=$(sql -N -e "SHOW CREATE TABLE shop.child")

check "a view of a table that is left out makes the run a warning" run -e 3 noded backup shop
check "that names it" says "view \`of_junk\` refers to a table that exclude_tables leaves out"
check "and the view of that view" says "view \`a_view_of_it\`"
A=$(find "$T/store" -name '*.tar.zst')
check "the manifest tells the triggers of each table" test "$(tar --zstd -xOf "$A" manifest.json |
	jq -r '.database | .triggers, (.triggers_of[] | .table, .name)' | tr '\n' ,)" = "3,item,b second?,item,a first,parent,of_parent,"
check "the whole database is restored, though a table that was left out had a trigger" run restore --to-db whole
check "with its triggers in their order" test "$(triggers whole)" = "b second?,a first,of_parent,"
stock() { sql -e "CREATE DATABASE stock" && tar --zstd -xOf "$A" --wildcards 'db/*' | sql --comments --max-allowed-packet=1G stock; }
check "so does the stock client" stock
check "values of which one literal would not fit a packet came back" test \
	"$(sql -N -e 'CHECKSUM TABLE shop.huge, whole.huge, stock.huge' | cut -f 2 | uniq | wc -l)" = 1
sql -e "SET GLOBAL max_allowed_packet = 16777216"
check "a server that cannot hold a value is known before anything is loaded" run -e 1 restore --db shop:huge --to-db small
check "with the setting" says "SET GLOBAL max_allowed_packet=67108864"
sql -e "CREATE DATABASE small"
check "the stock client is told so, too, and loses nothing in silence" bash -c "! tar --zstd -xOf '$A' db/10-schema/2-tables/huge.sql \
	--wildcards 'db/20-data/huge.*' | '$RIGS/mariadb.sh' sql '$T/db' --comments --max-allowed-packet=1G small 2>'$T/small' &&
	grep -q 'a value is longer than max_allowed_packet' '$T/small'"
sql -e "SET GLOBAL max_allowed_packet = 67108864; DROP DATABASE small"
check "all views stand that can" test "$(views stock)" = "elsewhere,sound,"
check "and the comments of routines" grep -q 'this stays' <<<"$(sql -e 'SHOW CREATE PROCEDURE stock.p')"

sql -e "DROP DATABASE other"
check "a view of a schema that is gone does not cost the rest" run -e 3 restore --to-db less
check "it is named" says "5-views/elsewhere.sql"
check "as what is missing" says "'other.t' doesn't exist"
check "the others stand" test "$(views less)" = "sound,"
check "and the routines behind them" test "$(sql -N -e "SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA='less'")" = 1
check "a table without triggers is restored alone, without a warning" run restore --db shop:plain --to-db one
check "and without the triggers of others" test -z "$(triggers one)"
check "a table with triggers brings them" run restore --db shop:item --to-db two
check "all of them, in their order" test "$(triggers two)" = "b second?,a first,"

sql -e "UPDATE shop.item SET v='broken'; DROP TRIGGER shop.\`a first\`"
check "a table with triggers is restored in place" run restore --db shop:item,plain --in-place
check "its rows are as before" test "$(sql -N -e 'CHECKSUM TABLE shop.item' | cut -f 2)" = "$(sql -N -e 'CHECKSUM TABLE whole.item' | cut -f 2)"
check "its triggers too, with the one that was missing" test "$(triggers shop)" = "b second?,a first,of_junk,of_parent,"
check "they fire in their order" test "$(sql -N -e "INSERT INTO shop.item VALUES (1000, 'x'); SELECT t FROM shop.log" | tr '\n' ,)" = one,two,
check "nothing of the work is left" test -z "$(scratch)"

sql -e "CREATE TRIGGER shop.newer BEFORE INSERT ON shop.item FOR EACH ROW SET NEW.v = 1"
check "a trigger that the archive does not have is not sacrificed" run -e 1 restore --db shop:item --in-place
check "it is named" says '`newer`'
sql -e "DROP TRIGGER shop.newer; DROP TRIGGER shop.of_parent; CREATE TRIGGER shop.of_parent AFTER INSERT ON shop.plain FOR EACH ROW SET @x = 1"
check "a trigger that went to another table stays there" run -e 1 restore --db shop:parent --in-place
check "and is named" says '`of_parent`'
sql -e "DROP TRIGGER shop.of_parent"
check "a table to which a foreign key refers is replaced" run restore --db shop:parent --in-place
check "the key is what it was" test "$(sql -N -e 'SHOW CREATE TABLE shop.child')" = "$CHILD"
check "nothing is left" test -z "$(scratch)"

sql -e "CREATE USER low@127.0.0.1 IDENTIFIED BY 'low'; GRANT ALL ON \`low%\`.* TO low@127.0.0.1"
printf low >"$T/low" && chmod 600 "$T/low"
check "an account that may not set definers restores all the same" run -e 3 noded restore shop --to-db low1 --db-user low \
	--db-host "127.0.0.1:$PORT" --db-password-file "$T/low"
check "it says whose they are now" says "got the restoring account as DEFINER"
check "they are its own" test "$(sql -N -e "SELECT DISTINCT DEFINER FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'low1'
	UNION SELECT DEFINER FROM information_schema.VIEWS WHERE TABLE_SCHEMA = 'low1'")" = "low@127.0.0.1"
check "the others stay with who had them" test "$(sql -N -e "SELECT DISTINCT DEFINER FROM information_schema.TRIGGERS
	WHERE TRIGGER_SCHEMA = 'whole'")" = "root@localhost"
