#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A long dump never freezes the site: whoever alters a table that is being read
# gets through, and the dump is then right, or begun again, or failed; never wrong.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/dump-lib.sh
. "$HERE/dump-lib.sh"

db_server
ROWS=8000 # more than one member
fresh_mid() {
	sql -e "DROP DATABASE IF EXISTS mid; CREATE DATABASE mid; USE mid;
		CREATE TABLE a_first (id INT PRIMARY KEY, v INT); INSERT INTO a_first VALUES (1, 10), (2, 20);
		CREATE TABLE big (id INT PRIMARY KEY, t TEXT) COMMENT='made'; INSERT INTO big SELECT seq, REPEAT(MD5(seq), 40) FROM seq_1_to_$ROWS;
		CREATE TABLE later (id INT PRIMARY KEY, v INT); INSERT INTO later VALUES (1, 100), (2, 200);
		CREATE TABLE other (id INT PRIMARY KEY, v INT); INSERT INTO other VALUES (1, -1), (2, -2);
		CREATE TABLE plain (id INT, v INT) ENGINE=MyISAM; INSERT INTO plain VALUES (1, 5)"
}
dump_mid() { dump mid "$T/d" "$@"; }
load_back() { sql -e 'DROP DATABASE IF EXISTS back' && load "$T/d" back && agrees "$T/d" back; }
sql -e "CREATE USER admin@'127.0.0.1' IDENTIFIED BY 'adminpw'; GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES, RELOAD, PROCESS, BINLOG
	MONITOR, BINLOG ADMIN, SLAVE MONITOR ON *.* TO admin@'127.0.0.1';
	CREATE USER plain@'127.0.0.1' IDENTIFIED BY 'plainpw'; GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON mid.* TO plain@'127.0.0.1'"

# ---- the statement comes from the sink itself: while it waits the reader waits in the sink, for ever but for the watch
for AS in backup admin; do
	for n in 1 3; do
		fresh_mid
		check "an ALTER of the table that is being read gets through ($AS, $n connections)" \
			run -e 1 dump_mid --connections $n --wait 1 --at db/20-data/big.00001 --sql "SET lock_wait_timeout=30; ALTER TABLE big COMMENT='altered'"
		check "it was done" test "$(sql -N -e "SELECT TABLE_COMMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA='mid' AND TABLE_NAME='big'")" = altered
		check "the dump is given up for it, naming the table" says 'conflict: dump of `mid`: another statement waits for the table `mid`.`big`'
		check "and no footer was written" bash -c "! grep -q footer '$T/d/order'"
	done
done
AS=backup ROWS=100
fresh_mid
check "so does an INSERT into a table that is locked because it has no snapshots" \
	run -e 1 dump_mid --wait 1 --at db/20-data/plain --sql "SET lock_wait_timeout=30; INSERT INTO plain VALUES (2, 6)"
check "that names the table too" says 'another statement waits for the table `mid`.`plain`'
check "the row is there" test "$(sql -N -e 'SELECT COUNT(*) FROM mid.plain')" = 2
fresh_mid
check "a table without snapshots is locked while it is read" \
	run -e 1 dump_mid --wait 10 --at db/20-data/plain --sql "SET lock_wait_timeout=1; INSERT INTO plain VALUES (2, 6)"
check "a writer with less patience is refused" says 'Lock wait timeout exceeded'
check "and can write afterwards" sql mid -e "INSERT INTO plain VALUES (2, 6)"
fresh_mid
check "a DROP DATABASE gets through as well" run -e 1 dump_mid --wait 1 --at db/20-data/big.00001 --sql "SET lock_wait_timeout=30; DROP DATABASE mid"
check "the dump is given up for it" says 'conflict: '
fresh_mid
check "whoever waits for another table of that name does not matter" \
	run dump_mid --wait 1 --at db/20-data/big.00001 --sql "CREATE DATABASE IF NOT EXISTS elsewhere; CREATE OR REPLACE TABLE elsewhere.big (i INT)"
sql mid -e "CREATE TABLE queue (id INT AUTO_INCREMENT PRIMARY KEY, v INT)"
check "and the first row of a table, which brings a counter to its definition, is no change of it" \
	run dump_mid --at db/20-data/a_first --sql "INSERT INTO queue (v) VALUES (1)"
check "the table is empty in the dump, as it was" load_back
AS=plain ROWS=100
fresh_mid
check "an account that may not see others' statements dumps too" run dump_mid --connections 2
check "over one connection, saying why" says 'method: single (whether the binary log leaves databases out is not known (GRANT BINLOG MONITOR)'
check "with the other grant" says 'GRANT RELOAD'
AS=backup

# ---- a table that somebody alters again and again: locked from the beginning of the snapshot, read first, given back
AS=admin ROWS=3000
ALTER="ALTER TABLE big COMMENT='x', ADD COLUMN z INT DEFAULT 7"
fresh_mid
check "a dump that an ALTER came before is given up" run -e 1 dump_mid --at db/00-header --sql "DO SLEEP(1.1); $ALTER"
check "it knows at which table" says 'disturbed at mid.big'
for n in 1 3; do
	fresh_mid
	check "a hot table cannot be altered before it is read ($n connections)" \
		run -e 1 dump_mid --connections $n --hot big --wait 60 --at db/00-header --sql "SET lock_wait_timeout=1; $ALTER"
	check "whoever tried has waited" says 'busy: dump of `mid`: database rig@'
	check "the others can" run -e 1 dump_mid --connections $n --hot big --wait 60 --at db/00-header --sql "SET lock_wait_timeout=60; ALTER TABLE later ADD COLUMN z INT"
	fresh_mid
	check "nobody waits for it longer than allowed" \
		run -e 1 dump_mid --connections $n --hot big --wait 1 --at db/00-header --sql "SET lock_wait_timeout=60; $ALTER"
	check "the dump is given up for it" says 'conflict: dump of `mid`: another statement waits for the table `mid`.`big`'
	fresh_mid
	check "it is given back before the end" \
		run dump_mid --connections $n --hot big --hot gone --hot plain --wait 60 --at db/99-footer --sql "SET lock_wait_timeout=60; $ALTER"
	check "the dump is right" load_back
done
fresh_mid
check "and before any other table is read" run dump_mid --hot big --wait 60 --at db/20-data/later --sql "SET lock_wait_timeout=60; $ALTER"
check "it was read first" test "$(grep -m 1 -o '^db/20-data/.*' "$T/d/order")" = db/20-data/big.00001.sql
AS=backup

# ---- definitions that change while the dump runs: right or failed. A server tells when a table was made or renamed in
# whole seconds: hence the SLEEPs
AS=admin
right_or_conflict() { # WHAT MEMBER SQL
	fresh_mid
	dump_mid --connections "${N:-1}" --wait 1 --at "$2" --sql "SET lock_wait_timeout=30; $3" >"$OUT" 2>"$ERR"
	case $? in
	0) load_back >"$T/load.out" 2>&1 || { cat "$T/load.out"; return 1; }
	   sum=$(sql -N -e "SELECT (SELECT SUM(v) FROM back.later), (SELECT SUM(v) FROM back.a_first), (SELECT COUNT(*) FROM back.big)" 2>&1)
	   [ "$sum" = $'300\t30\t'$ROWS ] || { echo "wrong: $sum"; return 1; }
	   echo right >"$T/outcome" ;;
	1) grep -q '^conflict: ' "$ERR" || { cat "$ERR"; return 1; }
	   echo conflict >"$T/outcome" ;;
	*) cat "$OUT" "$ERR"; return 1 ;;
	esac
}
while IFS='|' read -r what member statement outcome; do
	check "$what: right or begun again" right_or_conflict "$what" "$member" "$statement"
	check "here: $outcome" grep -qx "$outcome" "$T/outcome"
done <<'CASES'
a column comes to a table not yet read|db/20-data/big.00001|ALTER TABLE later ADD COLUMN z INT DEFAULT 7|conflict
a column goes from it|db/20-data/big.00001|ALTER TABLE later DROP COLUMN v|conflict
its comment changes|db/20-data/big.00001|DO SLEEP(1.1);ALTER TABLE later COMMENT='x'|conflict
it is dropped|db/20-data/big.00001|DROP TABLE later|conflict
it is emptied by TRUNCATE|db/20-data/big.00001|TRUNCATE later|conflict
it is renamed|db/20-data/big.00001|RENAME TABLE later TO elsewhen|conflict
it changes its name with another one|db/20-data/big.00001|DO SLEEP(1.1);RENAME TABLE later TO x, other TO later, x TO other|conflict
it is replaced|db/20-data/big.00001|CREATE OR REPLACE TABLE later (id INT PRIMARY KEY, v INT)|conflict
a table that was read already takes its name|db/20-data/big.00001|DO SLEEP(1.1);RENAME TABLE later TO x, a_first TO later|conflict
a table comes that was not there|db/20-data/big.00001|CREATE TABLE new (i INT)|right
a table that was read already changes|db/20-data/big.00001|ALTER TABLE a_first ADD COLUMN z INT|right
rows of it change|db/20-data/big.00001|UPDATE later SET v = 0|right
CASES
# without BINLOG ADMIN a table that was read stays locked: the snapshot is given up instead
AS=backup
while IFS='|' read -r what member statement outcome; do
	check "$what, without BINLOG ADMIN: right or begun again" right_or_conflict "$what" "$member" "$statement"
	check "here: $outcome" grep -qx "$outcome" "$T/outcome"
done <<'CASES'
a table that was read already changes|db/20-data/big.00001|ALTER TABLE a_first ADD COLUMN z INT|conflict
one that was not changes|db/20-data/big.00001|ALTER TABLE later ADD COLUMN z INT|conflict
rows change|db/20-data/big.00001|UPDATE a_first SET v = 0|right
CASES
N=3
while IFS='|' read -r what member statement; do
	check "$what, with three connections: right or begun again" right_or_conflict "$what" "$member" "$statement"
done <<'CASES'
an ALTER|db/10-schema/2-tables/big|ALTER TABLE later ADD COLUMN z INT DEFAULT 7
a DROP|db/10-schema/2-tables/big|DROP TABLE later
a RENAME|db/20-data|RENAME TABLE later TO x, other TO later, x TO other
a TRUNCATE|db/00-header|TRUNCATE later
CASES
