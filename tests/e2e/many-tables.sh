#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 120
# Many small tables: what each of them costs in memory stays little, and all of them
# come back. TABLES=100000 needs some 10 GB and an hour.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

TABLES=${TABLES:-200}
PORT=$(free_port)
at_exit "'$RIGS/mariadb.sh' stop '$T/db'"
check "a database server starts" "$RIGS/mariadb.sh" start "$T/db" "$PORT" --innodb-file-per-table=0 \
	--innodb-flush-log-at-trx-commit=0 --sync-frm=0 --table-definition-cache=$((TABLES * 3 + 400)) || exit 1
sql() { "$RIGS/mariadb.sh" sql "$T/db" "$@"; }
table() {
	printf 'CREATE TABLE wp_%s_posts (ID bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, author bigint NOT NULL DEFAULT 0, ' "$1"
	printf 'title text, content longtext, state varchar(20) NOT NULL DEFAULT "publish", KEY author (author));\n'
	[ $(($1 % 4)) != 0 ] || printf 'INSERT INTO wp_%s_posts (title) VALUES ("Hello %s"), (NULL);\n' "$1" "$1"
}
make() {
	echo "SET sql_log_bin=0; CREATE DATABASE net; USE net; SET autocommit=0;"
	for ((i = 1; i <= TABLES; i++)); do table "$i"; done
	echo "CREATE TRIGGER last_one BEFORE INSERT ON wp_${TABLES}_posts FOR EACH ROW SET NEW.author = 1; COMMIT;"
}
fill() { make | sql; }
check "$TABLES tables are made" fill
mkdir "$T/store"
cat >"$T/config.json" <<JSON
{"server_id": "web-01.test", "sites": [{"name": "net", "db_host": "127.0.0.1:$PORT", "db_name": "net", "db_user": "backup", "db_password": "backuppw"}],
 "storage": [{"name": "disk", "type": "dir", "path": "$T/store"}]}
JSON
chmod 600 "$T/config.json"
printf '[client]\nuser=rig\npassword="rigpw"\nhost=127.0.0.1\nport=%s\n' "$PORT" >"$T/my.cnf"
chmod 600 "$T/my.cnf"
# peak of the memory in KiB goes to $T/peak
noded() {
	python3 -c 'import resource, subprocess, sys
rc = subprocess.call(sys.argv[2:])
open(sys.argv[1], "w").write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(rc)' "$T/peak" felloe-noded "$1" -c "$T/config.json" --state "$T/state" "${@:2}"
}
small() { echo "# $1: $(($(cat "$T/peak") / 1024)) MiB"; [ "$(cat "$T/peak")" -le $((96 * 1024)) ]; }
count() { sql -N -e "SELECT COUNT(*), SUM(TABLE_NAME LIKE 'wp%posts') FROM information_schema.TABLES WHERE TABLE_SCHEMA = '$1'"; }
describe() { sql -N -e "SHOW CREATE TABLE $1.wp_${TABLES}_posts; SHOW CREATE TABLE $1.wp_1_posts; SELECT * FROM $1.wp_4_posts"; }

check "they are backed up" run noded backup -q net
check "in 96 MiB" small backup
check "the run knows them all" test "$(felloe-noded list -c "$T/config.json" --state "$T/state" --json | grep -o "\"tables\": *$TABLES\b" | wc -l)" = 1
check "the archive is sound" run noded verify net
check "in 96 MiB" small verify
check "one table is restored" run noded restore net --db "net:wp_4_posts" --to-db one --db-defaults "$T/my.cnf"
check "alone" test "$(count one)" = "$(printf '1\t1')"
check "in 96 MiB" small "restore of one table"
check "some are restored by a pattern" run noded restore net --db "net:wp_1*" --to-db some --db-defaults "$T/my.cnf"
check "as many as there are" test "$(count some)" = "$(sql -N -e "SELECT COUNT(*), COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'net' AND TABLE_NAME LIKE 'wp\\_1%'")"
check "in 96 MiB" small "restore of some"
drops() { sql -N -e "SHOW GLOBAL STATUS LIKE 'Com_drop_table'" | cut -f 2; }
DROPPED=$(drops)
check "all are restored" run noded restore net --to-db back --db-defaults "$T/my.cnf"
check "without looking for tables in a schema that was just made" test $(($(drops) - DROPPED)) -lt 10
check "every one of them" says "$TABLES tables"
check "each is there" test "$(count back)" = "$(count net)"
check "as it was" test "$(describe back)" = "$(describe net)"
check "with the trigger" test "$(sql -N -e "SELECT EVENT_OBJECT_TABLE FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'back'")" = "wp_${TABLES}_posts"
check "in 96 MiB" small restore
