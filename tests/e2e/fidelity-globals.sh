#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Global variables of a server that are defaults of every session do not change
# what a backup holds, nor what comes back: sql_select_limit once left all but
# the first table out, without a word.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/site-lib.sh
. "$HERE/site-lib.sh"
# shellcheck source=tests/same-lib.sh
. "$HERE/same-lib.sh"

db_server --event-scheduler=OFF
one_site all '*' backup
# a root client that none of it reaches
sql() {
	"$RIGS/mariadb.sh" sql "$T/db" --init-command="SET SESSION sql_mode='', time_zone='+00:00', sql_select_limit=18446744073709551615,
		sql_safe_updates=0, sql_big_selects=1, autocommit=1, completion_type=0, tx_read_only=0, sql_quote_show_create=1,
		system_versioning_asof=DEFAULT, tmp_disk_table_size=18446744073709551615" "$@"
}
globals() { "$RIGS/mariadb.sh" sql "$T/db" -e "SET GLOBAL $1"; }
DBS=(s1 s2 s3 s4 old)
# what a server took without innodb_strict_mode, and columns without a default
{
	echo 'CREATE DATABASE old; USE old; SET innodb_strict_mode=0, explicit_defaults_for_timestamp=1;'
	echo "CREATE TABLE wide (id INT PRIMARY KEY, $(seq -s ', ' -f 'c%.0f VARCHAR(200)' 190), KEY (c1)) ENGINE=InnoDB ROW_FORMAT=COMPACT CHARSET=latin1;"
	echo "CREATE TABLE options (id INT PRIMARY KEY, n INT, KEY (n) KEY_BLOCK_SIZE=3) ENGINE=InnoDB ROW_FORMAT=DYNAMIC KEY_BLOCK_SIZE=8;"
	echo "CREATE TABLE fixed (id INT) ENGINE=InnoDB ROW_FORMAT=FIXED; INSERT INTO fixed VALUES (1), (2);"
	echo "CREATE TABLE times (a TIMESTAMP NOT NULL, b TIMESTAMP NOT NULL, c TIMESTAMP NULL) ENGINE=InnoDB; INSERT INTO times VALUES (0, 1, NULL);"
	echo "INSERT INTO wide (id, c1) VALUES (1, 'x'), (2, 'y');"
	echo "CREATE TABLE by_transaction (id INT, a BIGINT UNSIGNED AS ROW START, z BIGINT UNSIGNED AS ROW END, PERIOD FOR SYSTEM_TIME (a, z))
		WITH SYSTEM VERSIONING ENGINE=InnoDB; INSERT INTO by_transaction (id) VALUES (1), (2), (3);"
	echo "CREATE VIEW broken AS SELECT id FROM fixed; ALTER TABLE fixed CHANGE id n INT;"
} | sql
python3 "$HERE/schema_gen.py" 1 4 | sql -f >"$T/made.log" 2>&1
describe_all "${DBS[@]}" >"$T/before"
check "there is something to lose" test "$(wc -l <"$T/before")" -gt 1000
cp -p "$T/my.cnf" "$T/rig.cnf"
# one that init_connect reaches
sql -e "CREATE USER plain@'127.0.0.1' IDENTIFIED BY 'plainpw'; GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX,
	ALTER, LOCK TABLES, EXECUTE, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, EVENT, TRIGGER, DELETE HISTORY, SET USER ON *.*
	TO plain@'127.0.0.1'"
printf '[client]\nuser=plain\npassword="plainpw"\nhost=127.0.0.1\nport=%s\n' "$PORT" >"$T/my.cnf"

comes_back() {
	rm -rf "$T/store" "$T/state" && mkdir "$T/store"
	noded backup all >"$OUT" 2>&1 || [ $? -eq 3 ] || { cat "$OUT"; return 1; }
	printf 'DROP DATABASE %s;\n' "${DBS[@]}" | sql || return 1
	noded restore all --same-names --db-defaults "$T/my.cnf" >"$OUT" 2>&1 || { cat "$OUT"; return 1; }
	describe_all "${DBS[@]}" >"$T/after" && diff "$T/before" "$T/after"
}
globals "system_versioning_asof='2001-01-01', max_error_count=0, tmp_disk_table_size=1024, tmp_memory_table_size=1024, idle_write_transaction_timeout=1"
check "a server that shows a day of the past, keeps warnings to itself, and has little room for answers" comes_back
check "rows of a table versioned by transactions are those of now" test "$(sql -N -e "SELECT COUNT(*) FROM old.by_transaction")" = 3
globals "system_versioning_asof=DEFAULT, max_error_count=DEFAULT, tmp_disk_table_size=DEFAULT, tmp_memory_table_size=DEFAULT, idle_write_transaction_timeout=DEFAULT"
globals "enforce_storage_engine=Aria"
one_table() { run -e "$1" noded restore all --db old:fixed --to-db as_told --db-defaults "$2"; }
check "a server that makes other tables than it is told to is refused" one_table 1 "$T/my.cnf"
check "with the table, the setting and the way out" says "table \`fixed\` is InnoDB, and the server here makes every table Aria (enforce_storage_engine): SET GLOBAL"
check "for an account that may, it is switched off" one_table 0 "$T/rig.cnf"
check "the engine is the right one" test "$(sql -N -e "SELECT ENGINE FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'as_told' AND TABLE_NAME = 'fixed'")" = InnoDB
globals "enforce_storage_engine=NULL" && sql -e "DROP DATABASE as_told"
globals "innodb_strict_mode=1, explicit_defaults_for_timestamp=0, sql_select_limit=1, sql_safe_updates=1, sql_big_selects=0, max_join_size=1, time_zone='-11:30'"
check "a server that shortens answers, and makes tables in another way" comes_back
stock_client() {
	sql -e "DROP DATABASE old; CREATE DATABASE old" && tar --zstd -xOf "$(find "$T/store" -name 'all-old-*.tar.zst')" --wildcards 'db/*' |
		"$RIGS/mariadb.sh" sql "$T/db" --comments old || return 1
	describe_all "${DBS[@]}" >"$T/after" && diff "$T/before" "$T/after"
}
check "such tables come back by the stock client too" stock_client
globals "sql_select_limit=DEFAULT, autocommit=0, completion_type=2, tx_read_only=1, tx_isolation='READ-UNCOMMITTED'"
check "a server that holds back what is written" comes_back
globals "sql_mode='ORACLE,NO_BACKSLASH_ESCAPES,EMPTY_STRING_IS_NULL,STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE',
	init_connect='SET sql_quote_show_create=0, sql_auto_is_null=1, character_set_results=sjis, collation_connection=swe7_bin, sql_mode=ANSI_QUOTES'"
check "a server that reads SQL in another way" comes_back
