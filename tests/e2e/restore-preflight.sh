#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A restore that cannot end well does not begin: every reason is named at once.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/site-lib.sh
. "$HERE/site-lib.sh"

db_server
sql() { "$RIGS/mariadb.sh" sql "$T/db" -N "$@"; }
sql <<'SQL'
CREATE DATABASE shop; USE shop;
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (pid int, FOREIGN KEY (pid) REFERENCES parent (id));
CREATE TABLE arch (id int) ENGINE=MyISAM;
CREATE TABLE many (id int) WITH SYSTEM VERSIONING;
CREATE SEQUENCE seq;
INSERT INTO parent VALUES (1);
CREATE FUNCTION f() RETURNS int DETERMINISTIC RETURN 1;
CREATE TRIGGER tr BEFORE INSERT ON parent FOR EACH ROW SET @a = 1;
CREATE VIEW v AS SELECT id FROM parent;
CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1;
CREATE USER low@127.0.0.1 IDENTIFIED BY 'low'; GRANT SELECT, CREATE ON `copy%`.* TO low@127.0.0.1;
CREATE USER most@127.0.0.1 IDENTIFIED BY 'low'; GRANT ALL ON `copy%`.* TO most@127.0.0.1;
SQL
one_site shop shop rig
printf low >"$T/low" && chmod 600 "$T/low"
restore() { noded restore shop --db-host "127.0.0.1:$PORT" --db-user "${WHO:-low}" --db-password-file "$T/low" "$@"; }
as_rig() { noded restore shop "$@"; }
run noded backup
nothing() { [ -z "$(sql -e "SHOW DATABASES LIKE 'copy%'; SHOW DATABASES LIKE 'felloe%'")" ]; }

check "rights that are missing stop a restore before it begins" run -e 5 restore --to-db copy
check "all of them are named" says "low may not INSERT, DROP, ALTER, REFERENCES, CREATE VIEW, TRIGGER, EVENT, CREATE ROUTINE, ALTER ROUTINE on \`copy\`"
check "nothing was made" nothing
sql -e "SET GLOBAL log_bin_trust_function_creators = 0; SET GLOBAL read_only = 1"
check "a dry run finds the same, and everything else" run -e 5 restore --to-db copy --dry-run
check "that functions need more with a binary log" says "error 1419"
check "that the server is read only" says "the server is read_only"
check "with the rights" says "low may not INSERT"
check "and their number" says "3 things are in the way"
sql -e "SET GLOBAL read_only = 0"
WHO=most
check "who may all on the schema is stopped by the rest" run -e 5 restore --to-db copy
check "alone, it is the message itself" says "error: most@127.0.0.1 may not make functions and triggers: the binary log is on (error 1419)"
sql -e "SET GLOBAL log_bin_trust_function_creators = 1"
check "and then goes through, without the definers that he may not set" run -e 3 restore --to-db copy
check "which are listed" says 'trigger `tr` gets another DEFINER; it was root@localhost'
sql -e "DROP DATABASE copy; GRANT CREATE, SELECT ON other.* TO most@127.0.0.1; CREATE ROLE helper; GRANT ALL ON other.* TO helper;
	GRANT helper TO most@127.0.0.1"
check "a role that is not on does not help" run -e 5 restore --to-db other
sql -e "SET DEFAULT ROLE helper FOR most@127.0.0.1"
check "one that is on does" run -e 3 restore --to-db other
sql -e "DROP DATABASE other; CREATE DATABASE copy"
check "a schema that exists is refused" run -e 1 as_rig --to-db copy
check "by name" says "the schema \`copy\` exists"
sql -e "DROP DATABASE copy"

# ---- a server that has less
check "the account of the rig restores all of it" run as_rig --to-db copy
sql -e "DROP DATABASE copy; INSTALL SONAME 'ha_archive'; ALTER TABLE shop.arch ENGINE=ARCHIVE"
at_exit "'$RIGS/mariadb.sh' stop '$T/poor'"
PORT2=$(free_port)
check "another server, without an engine" "$RIGS/mariadb.sh" start "$T/poor" "$PORT2"
run noded backup
printf rigpw >"$T/rigpw" && chmod 600 "$T/rigpw"
poor() { noded restore shop --db-host "127.0.0.1:$PORT2" --db-user rig --db-password-file "$T/rigpw" "$@"; }
check "an engine that is not there is named" run -e 1 poor --to-db copy
check "with the table" says "has no storage engine \"ARCHIVE\", which table \`arch\` needs"
check "nothing was made there" test -z "$("$RIGS/mariadb.sh" sql "$T/poor" -N -e "SHOW DATABASES LIKE 'copy'")"
check "a table that does not need it is restored" run poor --db shop:many --to-db copy

# ---- one that is smaller, and one that does not tell letters apart
sql -e "SET NAMES utf8mb4; USE shop; ALTER TABLE arch ENGINE=InnoDB; CREATE TABLE Parent (id int); CREATE TABLE Zwölf (id int); CREATE TABLE Long_ (t longtext);
	INSERT INTO Long_ VALUES (REPEAT('x', 3000000)); CREATE VIEW V2 AS SELECT id FROM Zwölf; CREATE VIEW ZWÖLF AS SELECT 1"
run noded backup
poor_sql() { "$RIGS/mariadb.sh" sql "$T/poor" -N "$@"; }
check "it is stopped" "$RIGS/mariadb.sh" stop "$T/poor"
check "and started with small packets, small letters, no events" "$RIGS/mariadb.sh" start "$T/poor" "$PORT2" --max-allowed-packet=2M --lower-case-table-names=1 \
	--event-scheduler=DISABLED
poor_sql -e "DROP DATABASE copy"
check "what it could not take is refused" run -e 1 poor --to-db copy
check "a row that is too long" says "table \`Long_\` has a row or value of 2.86 MiB"
check "with the setting that helps" says "max_allowed_packet of the server here is 2.00 MiB: SET GLOBAL max_allowed_packet=4194304"
check "two names that are one" says "\`Parent\` and \`parent\` are one name for the server here (lower_case_table_names=1)"
check "also beyond ASCII, of a view too" says "\`ZWÖLF\` and \`Zwölf\` are one name"
check "events" says "the server here takes no events (event_scheduler=DISABLED): start it with event_scheduler=OFF"
check "all at once" says "4 things are in the way"
check "nothing was made there" test -z "$(poor_sql -e "SHOW DATABASES LIKE 'copy'")"
poor_sql -e "SET GLOBAL max_allowed_packet=4194304"
check "what can be told apart and fits is restored, with a warning" run -e 3 poor --db shop:Zwölf,Long_,child,parent --to-db copy
check "for names that change" says "table \`Long_\` is called \`long_\`"
check "with their number" says "2 tables and views have other names in the copy"
check "the rows are there" test "$(poor_sql -e "SELECT LENGTH(t) FROM copy.long_")" = 3000000
poor_sql -e "CREATE DATABASE shop"
check "they do not take another's place" run -e 1 poor --db shop:Long_ --in-place
check "which is said" says "\`Long_\` would be called \`long_\` by the server here (lower_case_table_names=1), so it cannot take its place"
