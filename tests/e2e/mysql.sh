#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The dumper and the loader against a real MariaDB: each type and object comes
# back the same by our loader and by the stock client, and what goes wrong in
# the middle is an error, never a short dump.
# sanitize: yes
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/dump-lib.sh
. "$HERE/dump-lib.sh"

db_server
SOCKET=localhost:$T/db/mysql.sock

# every definition of a database, in the words of the server
describe() {
	local kinds
	kinds="SELECT CONCAT('SHOW CREATE ', CASE TABLE_TYPE WHEN 'VIEW' THEN 'VIEW' WHEN 'SEQUENCE' THEN 'SEQUENCE' ELSE 'TABLE' END,
			' \`', REPLACE(TABLE_NAME, '\`', '\`\`'), '\`;', IF(TABLE_TYPE = 'SEQUENCE', CONCAT('SELECT * FROM \`',
			REPLACE(TABLE_NAME, '\`', '\`\`'), '\`;'), ''))
		FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME <> 'broken' ORDER BY TABLE_NAME;
		SELECT CONCAT('SHOW CREATE ', ROUTINE_TYPE, ' \`', REPLACE(ROUTINE_NAME, '\`', '\`\`'), '\`;')
		FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE() ORDER BY ROUTINE_TYPE, ROUTINE_NAME;
		SELECT CONCAT('SHOW CREATE TRIGGER \`', TRIGGER_NAME, '\`; SELECT ACTION_ORDER, TRIGGER_NAME FROM
			information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE() AND TRIGGER_NAME = ''', TRIGGER_NAME, ''';')
		FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE() ORDER BY TRIGGER_NAME;
		SELECT CONCAT('SHOW CREATE EVENT \`', EVENT_NAME, '\`;') FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE();
		SELECT 'SELECT @@collation_database;'"
	sql -N -r "$1" -e "$kinds" >"$T/kinds.sql" || return 1
	sql -E "$1" <"$T/kinds.sql" | sed -e "s/\`$1\`\./\`Shop\`./g" -e '/^ *Created: /d' \
		-e '/mm_qualified after\|mm_qualified AFTER/s/`Shop`\.//g'
}
checksums() {
	sql -N -r "$1" -e "SELECT CONCAT('CHECKSUM TABLE \`', REPLACE(TABLE_NAME, '\`', '\`\`'), '\`;') FROM information_schema.TABLES
		WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE' ORDER BY TABLE_NAME" >"$T/checksums.sql"
	sql -N -r "$1" <"$T/checksums.sql" | sed "s/^$1\.//"
}
same_as_shop() {
	local what=$1 db=$2
	"$what" Shop >"$T/$what.Shop" && "$what" "$db" >"$T/$what.$db" || return 1
	[ "$(wc -l <"$T/$what.Shop")" -ge 20 ] || { echo "too little to compare"; return 1; }
	diff "$T/$what.Shop" "$T/$what.$db"
}

fresh Shop
{
	cat "$HERE/e2e/mysql_objects.sql"
	# one byte a letter: an author whose client spoke latin1
	printf 'SET NAMES latin1;\n'
	printf "CREATE VIEW latin_view AS SELECT '\xe9t\xe9' AS saison;\nDELIMITER \$\$\n"
	printf "CREATE FUNCTION latin_text() RETURNS VARCHAR(20) DETERMINISTIC RETURN '\xe9t\xe9' \$\$\nDELIMITER ;\n"
	printf 'SET NAMES utf8mb4;\nALTER DATABASE COLLATE utf8mb4_general_ci;\n'
	printf 'CREATE FUNCTION other(a VARCHAR(9)) RETURNS VARCHAR(9) DETERMINISTIC RETURN a;\n'
	printf 'ALTER DATABASE COLLATE utf8mb4_unicode_ci;\n'
} >"$T/shop.sql"
check "a schema with every type and object is there" sql --comments Shop <"$T/shop.sql"

# ---- there and back
check "a dump succeeds with the rights of a backup account" run dump Shop "$T/d"
check "the dump tells where in the binary log it stands" grep -qE '^position: binlog\.[0-9]+:[0-9]+, GTID 0-1-[0-9]+$' "$OUT"
gtid_of_place() {
	local file offset gtid
	IFS=' ,:' read -r _ file offset _ gtid < <(grep '^position:' "$OUT") && sql -N -e "SELECT BINLOG_GTID_POS('$file', $offset)" | grep -Fx "$gtid"
}
check "the GTID is that of this place" gtid_of_place
check "a table without snapshots is locked, and no warning" hides myisam_one
check "a view that refers to nothing is a warning" says 'view `broken` refers to a table, column or function that is not there'
check "each kind of object is counted" says 'views 6 triggers 4 routines 7 events 1 sequences 2'
check "no member names the database" bash -c '! grep -aE "^(USE|CREATE DATABASE)|\`Shop\`\.\`[^S]" '"$T"'/d/[0-9]*.sql'
for piece in 7 1000 1000000; do
	sql -e 'DROP DATABASE IF EXISTS ours'
	check "our loader takes it back in pieces of $piece bytes" run load "$T/d" ours --piece $piece
done
check "rows and digests of the loaded tables agree" run agrees "$T/d" ours
check "each table has its checksum again" same_as_shop checksums ours
check "each definition is the same again" same_as_shop describe ours
check "no member gives up unique_checks, without which a full disk can lose rows in silence" \
	bash -c "! grep -lq unique_checks=0 '$T'/d/*.sql && grep -lq unique_checks=1 '$T'/d/*.sql"
fresh stock
check "the stock client takes it back" bash -c "$(declare -f members sql); T='$T'; members '$T/d' | sql --comments stock"
check "each table has its checksum again (stock client)" same_as_shop checksums stock
check "each definition is the same again (stock client)" same_as_shop describe stock
check "rows and digests agree (stock client)" run agrees "$T/d" stock
sql stock -e "UPDATE numbers SET f = f * 1.0000002 WHERE id = 1; TRUNCATE log_rows"
check "a changed value is found by the digest" run -e 1 agrees "$T/d" stock
check "that names the table" says 'table `numbers`'
fresh alone
check "one table is restored alone by the stock client" \
	bash -c "$(declare -f members sql); T='$T'; members '$T/d' '/(2-tables/texts|20-data/texts\.[0-9]+)\.sql' | sql alone &&
		[ \"\$(sql -N -e 'CHECKSUM TABLE Shop.texts, alone.texts' | cut -f2 | uniq | wc -l)\" = 1 ]"
check "a session is left as it was found" bash -c "$(declare -f members sql); T='$T'
	vars='SELECT @@sql_mode, @@time_zone, @@foreign_key_checks, @@unique_checks, @@autocommit, @@character_set_client,
		@@collation_connection, @@sql_notes, @@check_constraint_checks, @@innodb_strict_mode,
		@@explicit_defaults_for_timestamp'
	{ echo \"\$vars;\"; members '$T/d'; echo \"\$vars;\"; } | sql -N --comments alone >'$T/vars' &&
	[ \"\$(sort -u '$T/vars' | wc -l)\" = 1 ] && [ \"\$(wc -l <'$T/vars')\" = 2 ]"
check "definers are replaced on request" run load "$T/d" invoked --definer invoker
check "all that has a definer has the new one" bash -c "[ \"\$(mariadb --defaults-file='$T/db/my.cnf' -uroot -N -e \"
	SELECT DISTINCT DEFINER FROM (SELECT DEFINER FROM information_schema.VIEWS WHERE TABLE_SCHEMA = 'invoked' UNION ALL
	SELECT DEFINER FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'invoked' UNION ALL SELECT DEFINER FROM
	information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'invoked' UNION ALL SELECT DEFINER FROM information_schema.EVENTS
	WHERE EVENT_SCHEMA = 'invoked') x\")\" = rig@127.0.0.1 ]"
check "a database that is there already is not written to" run -e 1 load "$T/d" ours
check "and the message says what to do" says 'database `ours` is there already: name another with --to-db'

# ---- what is left out
check "tables can be left out, or their rows" run dump Shop "$T/x" --exclude cache --exclude sessions:data --exclude nope
check "an excluded table has no member" bash -c "! grep -q cache '$T/x/order'"
check "one excluded by :data has its structure only" bash -c "[ \"\$(grep -c sessions '$T/x/order')\" = 1 ]"
check "a name that is not there is told" says 'no table "nope"'
check "those that are there are not" bash -c "! grep -e 'no table \"cache' -e 'no table \"sessions' '$OUT'"

# ---- reaching the server
check "a dump works over the socket" run "$TOOL" dump "$SOCKET" backup backuppw Shop -
check "a wrong password is told from a missing server" run -e 5 "$TOOL" dump "$TCP" backup wrong-secret Shop -
check "the message names the account and the way out" says 'database backup@127.0.0.1:'
check "and hints at the setting" says 'check db_user and db_password'
check "the password itself is not in it" bash -c "! grep -q wrong-secret '$ERR'"
check "an unreachable server is a network error" run -e 1 "$TOOL" dump "127.0.0.1:$(free_port)" backup backuppw Shop -
check "of that kind, with a hint" says 'is the server running, and is db_host right?'
check "a socket that is not there is named" run -e 1 "$TOOL" dump "localhost:$T/no.sock" backup backuppw Shop -
check "with its path" says "$T/no.sock"
check "a database that is not there is named" run -e 1 "$TOOL" dump "$TCP" backup backuppw nowhere -
check "in the message" says "Unknown database 'nowhere'"
check "an impossible db_host is shown" run -e 2 "$TOOL" dump "127.0.0.1:port" backup backuppw Shop -
check "with the part that is wrong" says '"port" is neither a port (1-65535) nor the path of a socket'

sql -e "CREATE USER strict@'127.0.0.1' IDENTIFIED BY 'strict' REQUIRE SSL; GRANT SELECT, SHOW VIEW ON Shop.* TO strict@'127.0.0.1'"
check "a connection is encrypted where the server can" run "$TOOL" dump "$TCP" strict strict Shop -
check "and is not with db_ssl off" run -e 5 "$TOOL" dump "$TCP" strict strict Shop - --ssl off
check "a server with the right certificate is accepted" run "$TOOL" dump "$TCP" strict strict Shop - --ssl verify --ca "$T/db/tls/ca.crt"
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/other.key" -out "$T/other.crt" -days 2 -subj /CN=other 2>/dev/null
check "one signed by another authority is refused" \
	run -e 1 "$TOOL" dump "$TCP" strict strict Shop - --ssl verify --ca "$T/other.crt"
check "with a hint at the setting" says 'db_ssl and db_ssl_ca'

# ---- what the account may not read
sql -e "CREATE USER narrow@'127.0.0.1' IDENTIFIED BY 'narrow'; GRANT SELECT ON Shop.* TO narrow@'127.0.0.1';
	GRANT EXECUTE ON FUNCTION Shop.twice TO narrow@'127.0.0.1'"
check "a dump by a narrow account ends" run "$TOOL" dump "$TCP" narrow narrow Shop -
check "a body that may not be read is a warning with the grant" says 'FUNCTION `twice` is not in the backup: its body may not be read; GRANT'
check "views without SHOW VIEW are a warning" says 'VIEW `own_name` is not in the backup'
check "triggers that are not visible are a warning" says 'triggers of `Shop`'
check "events that are not visible are a warning" says 'events of `Shop`'
check "a table without snapshots that may not be locked is one" says 'table `myisam_one` is MyISAM, which has no snapshots, and could not be locked'
check "with the grant" says "GRANT LOCK TABLES"

# ---- what happens in the middle
fresh mid
sql mid -e "CREATE TABLE a_small (id INT PRIMARY KEY); CREATE TABLE big (id INT PRIMARY KEY, t TEXT); CREATE TABLE later (id INT PRIMARY KEY);
	INSERT INTO later VALUES (1); INSERT INTO big SELECT seq, REPEAT(MD5(seq), 40) FROM seq_1_to_30000"
check "a table dropped after it was listed is an error" run -e 1 dump mid "$T/m" --at db/10-schema/2-tables/a_small --sql 'DROP TABLE later'
check "that names it" says 'table `later`'
sql mid -e "CREATE TABLE later (id INT PRIMARY KEY); INSERT INTO later VALUES (1)"
check "a table dropped before its rows were read is an error" run -e 1 dump mid "$T/m" --at db/20-data/big --sql 'DROP TABLE later'
check "that names it too" says 'table `later`'
check "and no footer was written" bash -c "! grep -q footer '$T/m/order'"
sql mid -e "CREATE TABLE later (id INT PRIMARY KEY); INSERT INTO later VALUES (1)"
check "a table altered before its rows were read is an error" \
	run -e 1 dump mid "$T/m" --at db/20-data/big --sql 'ALTER TABLE later ADD COLUMN x INT DEFAULT 3'
check "that says so" says 'table `later` was altered while the dump ran'
check "a table emptied by TRUNCATE is an error, not an empty table" \
	run -e 1 dump mid "$T/m" --at db/20-data/big --sql 'TRUNCATE TABLE later'
check "a row changed meanwhile is dumped as it was" run dump mid "$T/m" --at db/20-data/big --sql 'DELETE FROM big WHERE id > 10'
check "with all rows of the snapshot" bash -c "[ \"\$(cat '$T'/m/[0-9]*.sql | grep -ac '^([0-9]*,')\" = 30000 ]"
sql mid -e "INSERT INTO big SELECT seq, REPEAT(MD5(seq), 40) FROM seq_11_to_30000"
check "a connection that is killed between rows is a network error" \
	run -e 1 dump mid "$T/m" --at db/20-data/big.00001 --sql 'KILL USER backup@127.0.0.1'
check "of that kind" says 'net: '
check "that names the table" says 'table `big`'
check "and no footer was written by it" bash -c "! grep -q footer '$T/m/order'"
check "a dump that is asked to stop ends soon" run -e 1 dump mid "$T/m" --stop db/20-data/big.00001
check "as aborted" says 'aborted: '
check "without reading on" bash -c "[ \"\$(grep -c big.0000 '$T/m/order')\" -le 2 ]"
