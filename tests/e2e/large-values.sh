#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Values too large to be held in memory are read and written in slices, and
# come back the same by our loader and by the stock client.
# sanitize: yes
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/dump-lib.sh
. "$HERE/dump-lib.sh"

: "${HUGE_MB:=24}" # of the largest value
db_server --max-allowed-packet="${PACKET:-64M}"

fresh huge
cat >"$T/huge.sql" <<-SQL
	CREATE TABLE blobs (a VARCHAR(20) COLLATE utf8mb4_general_ci, b DATE, h LONGBLOB, t LONGTEXT, m MEDIUMTEXT CHARACTER SET latin1,
	  s TIMESTAMP NOT NULL DEFAULT '2001-01-01' ON UPDATE CURRENT_TIMESTAMP, PRIMARY KEY (a, b));
	INSERT INTO blobs (a, b, h, t) VALUES ('it''s small', '2000-01-01', 'x', 'y'), ('nulls', '2000-01-02', NULL, NULL),
	  ('limit', '2000-01-03', REPEAT('x', 4194304), REPEAT('é', 2097152)), ('above', '2000-01-03', REPEAT('x', 4194305), REPEAT('é', 2097153)),
	  ('Ärger', '2000-01-04', REPEAT(UNHEX('00FF27'), $HUGE_MB * 1048576 DIV 3), NULL),
	  ('text', '2000-01-05', NULL, CONCAT('x', REPEAT(_utf8mb4 x'F09F98800A27C3A90041', $HUGE_MB * 1048576 DIV 20)));
	INSERT INTO blobs (a, b, m) VALUES ('latin', '2000-01-06', REPEAT('ünï', 2000000));
	CREATE TABLE cells (id BIGINT PRIMARY KEY, v LONGTEXT, j JSON);
	INSERT INTO cells SELECT seq * 100, REPEAT(MD5(seq), 60), NULL FROM seq_1_to_12000;
	INSERT INTO cells VALUES (550, REPEAT('large one ', 700000), NULL), (551, REPEAT('large two ', 700000), '{}'),
	  (900050, 'and json', CONCAT('["', REPEAT('json ', 1200000), '"]'));
	CREATE TABLE keyless (v LONGBLOB); INSERT INTO keyless VALUES (REPEAT('k', 5000000)), (NULL), ('');
	CREATE TABLE isam (id INT PRIMARY KEY, v LONGBLOB) ENGINE=MyISAM; INSERT INTO isam VALUES (1, REPEAT('i', 6000000)), (2, 'x');
	CREATE TABLE whole AS SELECT * FROM blobs;
	ANALYZE TABLE cells;
SQL
check "there are values from under to far over the limit" bash -c "$(declare -f sql); T='$T'; sql huge <'$T/huge.sql'"
huge_sums() { [ "$(sql -N "$1" -e "SHOW TABLES" | wc -l)" = 5 ] && sql -N "$1" -e "CHECKSUM TABLE blobs,cells,keyless,isam,whole" | sed 's/^[^.]*\.//'; }
check "they are dumped by one" run dump huge "$T/h1"
check "and by two" run dump huge "$T/h2" --connections 2
check "into the same members" same_members "$T/h1" "$T/h2"
check "with the same digests" cmp "$T/h1/tables" "$T/h2/tables"
check "each of the rows that are too large apart" bash -c "[ \"\$(grep -c '20-data/.*\.v[0-9]*\.sql' '$T/h1/order')\" = 8 ]"
check "our loader takes them back" run load "$T/h2" huge_ours
check "with the same digests, read in slices" run agrees "$T/h1" huge_ours
check "and the same checksums" diff <(huge_sums huge) <(huge_sums huge_ours)
fresh huge_stock
check "the stock client takes them back" bash -c "$(declare -f members sql); T='$T'; members '$T/h1' | sql --comments --max-allowed-packet=1G huge_stock"
check "with the same checksums" diff <(huge_sums huge) <(huge_sums huge_stock)
check "no statement is longer than 16 MiB" bash -c "$(declare -f members); members '$T/h1' | awk 'length(\$0) >= 16777216 { long = 1 } END { exit long || NR < 100 }'"
digest() { tr '\0' '\n' <"$T/h1/tables" | grep -A2 "^$1$" | sed -n 3p; }
export -f digest
export T
check "a table has the digest that it has when rows are read whole" bash -c "[ \"\$(digest blobs)\" = \"\$(digest whole)\" ] && [ -n \"\$(digest blobs)\" ]"
