#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A fresh server gets everything in one command: databases under their own names,
# accounts, roles and grants.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

PORT=$(free_port)
at_exit "'$RIGS/mariadb.sh' stop '$T/db'"
check "a database server starts" "$RIGS/mariadb.sh" start "$T/db" "$PORT" || exit 1
sql() { "$RIGS/mariadb.sh" sql "$T/db" -N "$@"; }
sql <<'SQL'
CREATE DATABASE one; CREATE DATABASE two;
CREATE USER boss@localhost IDENTIFIED BY 'b'; GRANT ALL ON *.* TO boss@localhost;
CREATE ROLE readers; GRANT SELECT ON one.* TO readers; CREATE USER ann@'%' IDENTIFIED BY 'a'; GRANT readers TO ann@'%';
CREATE TABLE one.t (id int PRIMARY KEY); INSERT INTO one.t VALUES (1);
CREATE TABLE two.u (id int PRIMARY KEY); INSERT INTO two.u VALUES (2);
GRANT INSERT ON two.u TO ann@'%';
CREATE DEFINER=boss@localhost VIEW one.v AS SELECT id FROM one.t;
CREATE DEFINER=boss@localhost PROCEDURE one.p() SELECT 1;
SQL
mkdir "$T/store"
config() { # PORT
	cat >"$T/config.json" <<JSON
{"server_id": "web-01.test",
 "sites": [{"name": "all", "db_name": "*", "db_host": "127.0.0.1:$1", "db_user": "rig", "db_password": "rigpw"},
  {"name": "one", "db_name": "one", "db_host": "127.0.0.1:$1", "db_user": "rig", "db_password": "rigpw"}],
 "storage": [{"name": "disk", "type": "dir", "path": "$T/store"}]}
JSON
	chmod 600 "$T/config.json"
}
noded() { felloe-noded -c "$T/config.json" --state "$T/${STATE:-state}" "$@"; }
config "$PORT"
check "the server is backed up" run noded backup
check "names that are there are refused" run -e 1 noded restore all --same-names
check "which says so" says "the schema \`one\` exists"
check "accounts that were not backed up are asked for in vain" run -e 1 noded restore one --to-db x --with-users
check "which names the key" says "db_users"

PORT2=$(free_port)
at_exit "'$RIGS/mariadb.sh' stop '$T/new'"
check "a fresh server starts" "$RIGS/mariadb.sh" start "$T/new" "$PORT2"
new() { "$RIGS/mariadb.sh" sql "$T/new" -N "$@"; }
new -e "CREATE USER ann@'%' IDENTIFIED BY 'newer'"
config "$PORT2"
STATE=fresh
check "one command restores it, without records" run -e 3 noded restore all --from disk --same-names --with-users
check "what an account that is not root may not pass on is counted" says "statements about accounts were refused"
check "each database is told" says "database: two, 1 table, 1 row"
check "both databases are there" test "$(new -e 'SELECT id FROM one.t UNION SELECT id FROM two.u' | tr '\n' ,)" = "1,2,"
check "and that accounts stay" says "keep their passwords"
check "an account that was there keeps its password" mariadb --no-defaults -S "$T/new/mysql.sock" -uann -pnewer -e 'SELECT 1'
check "and has its rights and role" test "$(new -e "SHOW GRANTS FOR ann@'%'" | grep -c 'readers\|INSERT ON `two`.`u`')" = 2
check "definers are theirs" test "$(new -e "SELECT DEFINER FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'one'")" = boss@localhost
