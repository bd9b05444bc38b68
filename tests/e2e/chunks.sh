#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Rows read over several connections, in chunks: the same rows, digests and
# members as over one connection, and a reader that fails ends all.
# sanitize: yes
# slow: yes
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/dump-lib.sh
. "$HERE/dump-lib.sh"

# sizes decide how a table is read: they are those of ANALYZE, not of a thread in the background
db_server --innodb-stats-auto-recalc=0

fresh many
{
	for i in $(seq 40); do
		echo "CREATE TABLE t$i (id INT PRIMARY KEY, v TEXT); INSERT INTO t$i SELECT seq, REPEAT(MD5(seq * $i), 5) FROM seq_1_to_$((i * 40));"
	done
	echo "CREATE TABLE big (id INT AUTO_INCREMENT PRIMARY KEY, v TEXT); INSERT INTO big SELECT seq, REPEAT(MD5(seq), 20) FROM seq_1_to_40000; ANALYZE TABLE big;"
} >"$T/many.sql"
sql many <"$T/many.sql"

check "a dump over one connection" run dump many "$T/one"
check "a dump over four" run dump many "$T/four" --connections 4
check "is read by several threads" bash -c "[ \"\$(sed -n 's/.* readers //p' '$OUT')\" -gt 1 ]"
check "both have the same members, byte for byte" same_members "$T/one" "$T/four"
check "and the same rows and digests in the same order" cmp "$T/one/tables" "$T/four/tables"
check "what came over four is taken back" run load "$T/four" back
check "and agrees" run agrees "$T/four" back

# ---- one table
fresh lone
check "there is a database with one large table" sql lone -e "CREATE TABLE big LIKE many.big; INSERT INTO big SELECT * FROM many.big; ANALYZE TABLE big"
check "which two read together" run dump lone "$T/l2" --connections 2 --at db/20-data/big.00001 --sql 'DO SLEEP(1)'
check "both having a part" bash -c "[ \"\$(sed -n 's/.* readers //p' '$OUT')\" = 2 ]"
check "of what one reads alone" run dump lone "$T/l1"
check "the same" same_members "$T/l1" "$T/l2"

# ---- keys of every kind
fresh kinds
cat >"$T/kinds.sql" <<-'SQL'
	CREATE TABLE plain (id INT AUTO_INCREMENT PRIMARY KEY, v TEXT, w BLOB);
	INSERT INTO plain SELECT seq, REPEAT(MD5(seq), 12), UNHEX(SHA2(seq, 512)) FROM seq_1_to_40000;
	CREATE TABLE gaps (id BIGINT PRIMARY KEY, v TEXT);
	INSERT INTO gaps SELECT CAST(seq AS SIGNED) * seq * seq * 1000 - 4000000000000000, REPEAT(MD5(seq), 30) FROM seq_1_to_20000;
	INSERT INTO gaps VALUES (-9223372036854775808, 'least'), (9223372036854775807, 'greatest'), (0, 'zero'), (-1, 'minus');
	CREATE TABLE wide (id BIGINT UNSIGNED PRIMARY KEY, v TEXT);
	INSERT INTO wide SELECT (18446744073709551615 DIV 20001) * seq, REPEAT(MD5(seq), 30) FROM seq_1_to_20000;
	INSERT INTO wide VALUES (0, 'zero'), (18446744073709551615, 'greatest'), (9223372036854775807, 'a'), (9223372036854775808, 'b');
	CREATE TABLE pair (o INT, t SMALLINT UNSIGNED, v TEXT, PRIMARY KEY (t, o));
	INSERT INTO pair SELECT seq, seq % 50, REPEAT(MD5(seq), 25) FROM seq_1_to_25000;
	CREATE TABLE down (id INT, v TEXT, PRIMARY KEY (id DESC));
	INSERT INTO down SELECT seq, REPEAT(MD5(seq), 30) FROM seq_1_to_20000;
	CREATE TABLE parted (id INT PRIMARY KEY, v TEXT) PARTITION BY HASH (id) PARTITIONS 4;
	INSERT INTO parted SELECT seq * 3, REPEAT(MD5(seq), 30) FROM seq_1_to_20000;
	CREATE TABLE words (w VARCHAR(60) COLLATE utf8mb4_general_ci PRIMARY KEY, v TEXT);
	INSERT INTO words SELECT CONCAT(ELT(seq % 4 + 1, 'É', 'e', 'Zz', 'ß'), SHA1(seq)), REPEAT(MD5(seq), 22) FROM seq_1_to_25000;
	CREATE TABLE money (d DECIMAL(20,4), e ENUM('x','y','z'), b BINARY(4), v TEXT, PRIMARY KEY (d, e, b));
	INSERT INTO money SELECT (CAST(seq AS SIGNED) - 9000) / 7, 1 + seq % 3, UNHEX(LPAD(HEX(seq), 8, '0')), REPEAT(MD5(seq), 25) FROM seq_1_to_22000;
	CREATE TABLE days (d DATE, s DATETIME(6), v TEXT, PRIMARY KEY (d, s DESC));
	INSERT INTO days SELECT '2000-01-01' + INTERVAL seq % 900 DAY, '2001-01-01' + INTERVAL seq MICROSECOND, REPEAT(MD5(seq), 25) FROM seq_1_to_22000;
	CREATE TABLE texts (t TEXT, v TEXT, PRIMARY KEY (t(20)));
	INSERT INTO texts SELECT CONCAT(MD5(seq), SHA1(seq)), REPEAT(MD5(seq), 25) FROM seq_1_to_22000;
	CREATE TABLE stand_in (u INT NOT NULL UNIQUE, v TEXT);
	INSERT INTO stand_in SELECT seq, REPEAT(MD5(seq), 30) FROM seq_1_to_20000;
	CREATE TABLE none (a INT UNIQUE, v TEXT);
	INSERT INTO none SELECT IF(seq % 3, seq, NULL), REPEAT(MD5(seq), 30) FROM seq_1_to_20000;
	CREATE TABLE approx (f FLOAT PRIMARY KEY, v TEXT);
	INSERT INTO approx SELECT seq / 3, REPEAT(MD5(seq), 25) FROM seq_1_to_22000;
	CREATE TABLE covered (id INT PRIMARY KEY, a INT, KEY (a));
	INSERT INTO covered SELECT seq, 100000 - seq FROM seq_1_to_60000;
	CREATE TABLE isam (id INT PRIMARY KEY, v TEXT) ENGINE=MyISAM;
	INSERT INTO isam SELECT 20000 - seq, REPEAT(MD5(seq), 30) FROM seq_1_to_12000;
	CREATE TABLE empty (id INT PRIMARY KEY);
	ANALYZE TABLE plain, gaps, wide, pair, down, parted, words, money, days, texts, stand_in, none, approx, covered;
SQL
check "there are tables with keys of every kind" sql kinds -e "source $T/kinds.sql"
checksums() { [ "$(sql -N "$1" -e "SHOW TABLES" | wc -l)" = 16 ] && sql -N "$1" -e "CHECKSUM TABLE plain,gaps,wide,pair,down,parted,words,money,days,texts,stand_in,none,approx,covered,isam,empty" | sed 's/^[^.]*\.//'; }
mkdir "$T/g1" "$T/g3"
check "keys of every kind are read by one" run dump kinds "$T/k1" --grid "$T/g1"
check "and by three" run dump kinds "$T/k3" --connections 3 --grid "$T/g3"
check "into the same members" same_members "$T/k1" "$T/k3"
check "with the same digests" cmp "$T/k1/tables" "$T/k3/tables"
check "and the same grids" diff -r "$T/g1" "$T/g3"
check "a table of the grid has several chunks" bash -c "[ \"\$(grep -c '20-data/plain\.' '$T/k1/order')\" -ge 4 ]"
check "all of it comes back" run load "$T/k3" kinds_back
check "with the same rows and digests" run agrees "$T/k1" kinds_back
check "and the same checksums" diff <(checksums kinds) <(checksums kinds_back)

# ---- from day to day
other_members() { diff <(sums "$1") <(sums "$2") | grep -c '^>'; }
check "three rows of three tables change" sql kinds -e "UPDATE plain SET v = 'changed' WHERE id = 20001; UPDATE gaps SET v = 'changed' WHERE id = 0;
	UPDATE words SET v = CONCAT('x', SUBSTRING(v, 2)) WHERE w LIKE 'Zz9a%' LIMIT 1"
check "the next day's dump" run dump kinds "$T/n1" --connections 2 --grid "$T/g1"
check "has three other members when three rows of three tables changed" bash -c "$(declare -f other_members sums); T='$T'; [ \"\$(other_members '$T/k1' '$T/n1')\" = 3 ]"
check "of those tables" bash -c "$(declare -f sums); diff <(sums '$T/k1') <(sums '$T/n1') | sed -n 's/^> .*data.\([a-z]*\)\..*/\1/p' | tr '\n' ' ' | grep -qx 'gaps plain words '"
check "many rows of two tables come and go" sql kinds -e "INSERT INTO plain SELECT seq, REPEAT(MD5(seq), 12), 'new' FROM seq_40001_to_44000; DELETE FROM plain WHERE id BETWEEN 100 AND 300; DELETE FROM none LIMIT 5"
check "a table that grew at its end and lost rows at its start" run dump kinds "$T/n2" --grid "$T/g1"
unchanged() { comm -12 <(sums "$1" | grep "data/$3\." | cut -d' ' -f2 | sort) <(sums "$2" | grep "data/$3\." | cut -d' ' -f2 | sort) | wc -l; }
check "keeps its chunks in between" bash -c "$(declare -f unchanged sums); [ \"\$(unchanged '$T/n1' '$T/n2' plain)\" -ge 2 ]"
check "and one without a key most of its members" bash -c "$(declare -f unchanged sums); [ \"\$(unchanged '$T/n1' '$T/n2' none)\" -ge 1 ]"

# ---- one fails
check "a reader that loses its connection ends all" \
	run -e 1 dump many "$T/m" --connections 3 --at db/20-data/big.00001 --sql 'KILL USER backup@127.0.0.1'
check "and says why" says 'net: '
check "with no footer" bash -c "! grep -q footer '$T/m/order'"
check "so does a table that vanished" run -e 1 dump many "$T/m" --connections 3 --at db/10-schema/2-tables/t9 --sql 'DROP TABLE t9'
check "that names it" says 't9'
check "a stop ends all readers" run -e 1 dump many "$T/m" --connections 3 --stop db/20-data/big.00001
check "as aborted" says 'aborted: '
