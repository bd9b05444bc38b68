#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A whole server is proven restorable: several databases side by side, and its accounts.
# timeout: 180
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

PORT=$(free_port)
at_exit "'$RIGS/mariadb.sh' stop '$T/db'"
check "a database server starts" "$RIGS/mariadb.sh" start "$T/db" "$PORT" || exit 1
sql() { "$RIGS/mariadb.sh" sql "$T/db" "$@"; }
sql <<'SQL'
CREATE DATABASE aa; CREATE DATABASE bb; CREATE DATABASE `odd ``名`;
CREATE TABLE bb.t (id int PRIMARY KEY, v varchar(20)); USE bb; INSERT INTO t SELECT seq, seq FROM seq_1_to_100;
CREATE TABLE aa.own (id int PRIMARY KEY); INSERT INTO aa.own VALUES (1);
CREATE VIEW aa.other AS SELECT id FROM bb.t;
CREATE VIEW bb.back AS SELECT o.id FROM aa.other o JOIN aa.own USING (id);
CREATE TABLE `odd ``名`.t (id int PRIMARY KEY);
CREATE TABLE aa.gone (id int);
CREATE USER shop@localhost IDENTIFIED BY 'secret'; GRANT ALL ON aa.* TO shop@localhost;
CREATE USER report@'%' IDENTIFIED BY 'x'; GRANT SELECT ON aa.gone TO report@'%'; GRANT SELECT (id) ON bb.t TO report@'%';
CREATE ROLE readers; GRANT SELECT ON *.* TO readers; GRANT readers TO report@'%'; GRANT SUPER, FILE ON *.* TO shop@localhost;
DROP TABLE aa.gone;
SQL
mkdir -p "$T/store" "$T/state" # the account of the private server passes through
jq -n --arg t "$T" --arg port "$PORT" '{server_id: "web-01", sites: [{name: "all", db_name: "*", db_host: ("127.0.0.1:" + $port),
	db_user: "rig", db_password: "rigpw"}], storage: [{name: "disk", type: "dir", path: ($t + "/store")}]}' >"$T/config.json"
chmod 600 "$T/config.json"
noded() { felloe-noded "$1" -c "$T/config.json" --state "$T/state" "${@:2}"; }
last() { noded list --json | jq -r ".runs[0].$1"; }

noded backup all >"$T/backup.log" 2>&1
check "the whole server is backed up" test $? -le 3 || note "$T/backup.log"
check "an archive a database" test "$(last 'archives | length')" = 3
BEFORE=$(sql -N -e "SELECT User, Host FROM mysql.user ORDER BY 1, 2; SHOW DATABASES")
check "it restores" run noded verify all --full
check "every database" test "$(grep -c 'was restored' "$OUT")" = 3
check "views of one database on the other are made" says "2 views that refer to other databases of the run were made after them"
check "and counted" test "$(grep -c '; 1 view,' "$OUT")" = 2
check "the accounts too" says "users/accounts.sql: the server takes its"
check "rights on what is gone are told" says "about what is not there"
check "the run is proven" recent "$(last proven)"
check "production has the same accounts and databases" test "$BEFORE" = "$(sql -N -e "SELECT User, Host FROM mysql.user ORDER BY 1, 2; SHOW DATABASES")"

# ---- an archive whose accounts say something else
A=$(find "$T/store" -name 'all-bb-*.tar.zst')
cp "$A" "$T/good" && rm "$A.idx"
"$BUILD/tests/noded/archive_tool" change "$T/good" "$A" 'CREATE ROLE' 'DROP TABLES' >"$T/changed"
check "statements about something else are not run" run -e 1 noded verify all --full
check "but named" says 'proof failed: users/accounts.sql: "DROP TABLES'
check "the run is suspect" test "$(last state)" = suspect
