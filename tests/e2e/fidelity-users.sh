#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The users, roles and grants of a server come back as they were: by the member
# users/accounts.sql of a real archive and the stock client.
# sanitize: yes
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

TOOL=$BUILD/tests/noded/dump_tool
PORT=$(free_port)
at_exit "'$RIGS/mariadb.sh' stop '$T/db'"
check "a database server starts" "$RIGS/mariadb.sh" start "$T/db" "$PORT" || exit 1
sql() { "$RIGS/mariadb.sh" sql "$T/db" "$@"; }
rig() { mariadb --no-defaults -urig -prigpw -h127.0.0.1 -P"$PORT" "$@"; }

sql <<'SQL'
CREATE DATABASE acc; CREATE DATABASE `od``d_%`;
CREATE TABLE acc.t (a INT, `b TO c` INT);
CREATE PROCEDURE acc.p() SELECT 1;
CREATE FUNCTION acc.f() RETURNS INT RETURN 1;
CREATE USER 'we`ird''"\\'@'%' IDENTIFIED BY 'x' REQUIRE SSL WITH MAX_QUERIES_PER_HOUR 5 MAX_UPDATES_PER_HOUR 6
  MAX_CONNECTIONS_PER_HOUR 8 MAX_USER_CONNECTIONS 7 MAX_STATEMENT_TIME 1.5 PASSWORD EXPIRE INTERVAL 10 DAY ACCOUNT LOCK;
CREATE USER lim@'10.0.0.0/255.255.255.0' IDENTIFIED VIA unix_socket OR mysql_native_password USING PASSWORD('y')
  REQUIRE SUBJECT '/CN=x''y' AND ISSUER '/CN=z' PASSWORD EXPIRE NEVER;
CREATE USER expired@localhost IDENTIFIED BY 'e' PASSWORD EXPIRE;
CREATE USER twice@localhost IDENTIFIED BY 'e' PASSWORD EXPIRE INTERVAL 3 DAY;
ALTER USER twice@localhost PASSWORD EXPIRE;
CREATE USER ciph@'%.example.org' REQUIRE CIPHER 'AES128-SHA';
CREATE USER ''@localhost;
CREATE USER 'nöbödy 日本'@localhost IDENTIFIED BY 'ü';
CREATE ROLE r1; CREATE ROLE `r ``2`; CREATE ROLE inner_role WITH ADMIN r1;
CREATE ROLE outer_role WITH ADMIN lim@'10.0.0.0/255.255.255.0'; CREATE ROLE nothing;
GRANT r1 TO `r ``2`; GRANT `r ``2` TO lim@'10.0.0.0/255.255.255.0' WITH ADMIN OPTION;
GRANT r1 TO expired@localhost; SET DEFAULT ROLE r1 FOR expired@localhost;
GRANT r1 TO PUBLIC; GRANT SELECT ON acc.t TO PUBLIC; GRANT SHOW DATABASES ON *.* TO PUBLIC;
GRANT SELECT ON *.* TO r1; GRANT SELECT (a), INSERT (a, `b TO c`), UPDATE (`b TO c`) ON acc.t TO `r ``2`;
GRANT ALL ON acc.* TO lim@'10.0.0.0/255.255.255.0' WITH GRANT OPTION; GRANT EXECUTE ON FUNCTION acc.f TO inner_role;
GRANT EXECUTE, ALTER ROUTINE ON PROCEDURE acc.p TO expired@localhost WITH GRANT OPTION;
GRANT ALL ON *.* TO 'we`ird''"\\'@'%' WITH GRANT OPTION; GRANT PROXY ON lim@'10.0.0.0/255.255.255.0' TO expired@localhost;
GRANT INSERT ON `a\_%`.* TO ''@localhost; GRANT DELETE ON `od``d\_\%`.* TO ciph@'%.example.org';
GRANT USAGE ON *.* TO twice@localhost WITH GRANT OPTION;
SQL
state() { # what the server itself remembers, but for times
	sql -N -r -e "SELECT Host, User, JSON_REMOVE(Priv, '\$.password_last_changed', '\$.version_id') FROM mysql.global_priv
			WHERE User NOT IN ('root', 'mariadb.sys') ORDER BY 1, 2;
		SELECT * FROM mysql.roles_mapping ORDER BY 1, 2, 3;
		SELECT * FROM mysql.db ORDER BY 1, 2, 3;
		SELECT Host, Db, User, Table_name, Table_priv, Column_priv FROM mysql.tables_priv ORDER BY 1, 2, 3, 4;
		SELECT Host, Db, User, Table_name, Column_name, Column_priv FROM mysql.columns_priv ORDER BY 1, 2, 3, 4, 5;
		SELECT Host, Db, User, Routine_name, Routine_type, Proc_priv FROM mysql.procs_priv ORDER BY 1, 2, 3, 4;
		SELECT Host, User, Proxied_host, Proxied_user, With_grant FROM mysql.proxies_priv WHERE User <> 'root' ORDER BY 1, 2, 3"
}
forget() {
	sql -N -r -e "SELECT CONCAT('DROP ROLE \`', REPLACE(User, '\`', '\`\`'), '\`;') FROM mysql.user WHERE is_role = 'Y' AND User <> 'PUBLIC';
		SELECT CONCAT('DROP USER \`', REPLACE(User, '\`', '\`\`'), '\`@\`', Host, '\`;') FROM mysql.user
		WHERE is_role = 'N' AND User NOT IN ('root', 'mariadb.sys', 'rig', 'backup');
		SELECT 'REVOKE ALL, GRANT OPTION FROM PUBLIC;'" | sql
}
state >"$T/before"
check "there is much to bring back" test "$(wc -l <"$T/before")" -ge 37

cat >"$T/config.json" <<JSON
{"server_id": "web-01.test", "sites": [
  {"name": "all", "db_name": "*", "db_host": "127.0.0.1:$PORT", "db_user": "backup", "db_password": "backuppw"},
  {"name": "one", "db_name": "acc", "db_host": "127.0.0.1:$PORT", "db_user": "backup", "db_password": "backuppw"},
  {"name": "few", "db_name": "acc", "db_users": true, "db_host": "127.0.0.1:$PORT", "db_user": "few", "db_password": "few"}],
 "storage": [{"name": "disk", "type": "dir", "path": "$T/store"}]}
JSON
chmod 600 "$T/config.json"
mkdir "$T/store"
noded() { felloe-noded -c "$T/config.json" --state "$T/state" "$@"; }
archive() { find "$T/store" -name "$1-backup-*.tar.zst"; }

check "a whole server is backed up with its accounts, nothing is wrong about an empty database" run -e 3 noded backup all
check "nor is a warning about accounts" hides "accounts"
A=$(archive all-acc)
users() { tar --zstd -xOf "$A" users/accounts.sql; }
check "each archive has them" test "$(for a in "$T"/store/*/*/*/*/*.tar.zst; do tar --zstd -tf "$a" | grep -x users/accounts.sql; done | wc -l)" = 2
check "the manifest counts them" test "$(tar --zstd -xOf "$A" manifest.json | jq .database.accounts)" = 20
check "RESTORE.txt says how to load them" bash -c "tar --zstd -xOf '$A' RESTORE.txt | grep -q 'users/accounts.sql | mariadb -f'"
check "no recipe for a database meets them" bash -c "! tar --zstd -xOf '$A' --wildcards 'db/*' | grep -q 'CREATE USER'"
check "the backup of one database has none" run noded backup one
check "unless it is told to" bash -c "! tar --zstd -tf '$(archive one)' | grep -q users/"
check "accounts of the server's own are not in it" bash -c "! tar --zstd -xOf '$A' users/accounts.sql | grep -qE 'mariadb.sys|\`mysql\`'"
check "nor names that the server does not resolve" bash -c "! tar --zstd -xOf '$A' users/accounts.sql | grep -q 'root.@.$(hostname)'"

forget
check "all are gone" test "$(sql -N -e "SELECT COUNT(*) FROM mysql.user WHERE User NOT IN ('root', 'mariadb.sys', 'rig', 'backup')")" = 1
check "the stock client brings them back, loaded by an account that is admin of no role" \
	bash -c "$(declare -f users rig); A='$A' PORT=$PORT; users | rig -f 2>&1 | grep -v 'GRANT PROXY\|^-*\$\|^ERROR 1698\|^\$' >'$T/said'; cat '$T/said'; [ ! -s '$T/said' ]"
root_loads() { users | sql -f 2>&1 | grep -v 'GRANT .* TO .* WITH ADMIN OPTION\|^-*$\|^ERROR 1698\|^$' >"$T/said"; cat "$T/said"; [ ! -s "$T/said" ]; }
check "root may pass on the rest" root_loads
check "each account, role and right is as before" diff "$T/before" <(state)
check "who loaded them has no role of his own" test "$(sql -N -e "SELECT COUNT(*) FROM mysql.roles_mapping WHERE User = 'rig'")" = 0
check "an account with its old password logs in" mariadb --no-defaults -S "$T/db/mysql.sock" -u"nöbödy 日本" -p"ü" -e 'SELECT 1'
check "all of it can be loaded once more" root_loads
check "and nothing is other than before" diff "$T/before" <(state)
sql -e "SET PASSWORD FOR 'nöbödy 日本'@localhost = PASSWORD('newer'); DROP TABLE acc.t; REVOKE EXECUTE ON FUNCTION acc.f FROM inner_role"
users | sql -f >"$OUT" 2>&1
check "a right on a table that is gone is an error" grep -q "Table 'acc.t' doesn't exist" "$OUT"
check "behind which -f goes on" test "$(sql -N -e "SELECT COUNT(*) FROM mysql.procs_priv WHERE User = 'inner_role'")" = 1
check "an account that is there keeps its password" mariadb --no-defaults -S "$T/db/mysql.sock" -u"nöbödy 日本" -pnewer -e 'SELECT 1'
check "the role that helped is gone" test "$(sql -N -e "SELECT COUNT(*) FROM mysql.user WHERE User = 'felloe_accounts'")" = 0

# ---- what may not be read
sql -e "REVOKE r1 FROM PUBLIC; CREATE TABLE acc.t (a INT); CREATE USER few@'127.0.0.1' IDENTIFIED BY 'few'; GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, EXECUTE ON acc.* TO few@'127.0.0.1'"
check "an account without the right makes the run a warning" run -e 3 noded backup few
check "that names the grant" says 'GRANT SELECT ON mysql.* to the account of the backup, or set db_users to false'
check "the database is in the archive all the same" bash -c "tar --zstd -tf '$(archive few)' | grep -q db/99-footer"
check "the accounts are not" bash -c "! tar --zstd -tf '$(archive few)' | grep -q users/"
check "one that may read some of it only is told so too" bash -c "'$RIGS/mariadb.sh' sql '$T/db' -e \"GRANT SELECT ON mysql.user TO few@'127.0.0.1'\"
	'$TOOL' users 127.0.0.1:$PORT few few - '$T/few.sql' | grep 'GRANT SELECT ON mysql'"
