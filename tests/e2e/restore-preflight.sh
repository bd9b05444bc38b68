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
