#!/bin/bash
# Values too large to be held in memory are read and written in slices, and
# sanitize: yes
# come back the same by our loader and by the stock client.
. "$(dirname "$0")/../lib.sh"

if ! command -v mariadbd >/dev/null; then
	skip "large values come back" "install mariadb-server"
	exit 0
fi
: "${HUGE_MB:=24}" # of the largest value
TOOL=$BUILD/tests/noded/dump_tool
PORT=$(free_port)
at_exit "'$RIGS/mariadb.sh' stop '$T/db'"
"$RIGS/mariadb.sh" start "$T/db" "$PORT" --max-allowed-packet="${PACKET:-64M}" >"$T/rig.log" 2>&1 || { note "$T/rig.log"; exit 1; }
TCP=127.0.0.1:$PORT

sql() { mariadb --defaults-file="$T/db/my.cnf" -uroot "$@"; }
dump() { # DB DIR [options]
	local db=$1 dir=$2
	shift 2
	rm -rf "$dir"
	mkdir -p "$dir"
	"$TOOL" dump "$TCP" backup backuppw "$db" "$dir" "$@"
}
fresh() { sql -e "DROP DATABASE IF EXISTS $1; CREATE DATABASE $1"; }
# sums DIR: each member's name and digest, whatever the order in which they came
sums() {
	local n=0 name
	while IFS= read -r name; do
		n=$((n + 1))
		printf '%s %s\n' "$name" "$(md5sum <"$1/$n.sql")"
	done <"$1/order" | sort
}
same_members() { diff <(sums "$1") <(sums "$2"); }

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
check "our loader takes them back" run "$TOOL" load "$TCP" rig rigpw huge_ours "$T/h2"
check "with the same digests, read in slices" run "$TOOL" check "$TCP" rig rigpw huge_ours "$T/h1"
check "and the same checksums" diff <(huge_sums huge) <(huge_sums huge_ours)
fresh huge_stock
members() { local n=0; while read -r; do cat "$1/$((++n)).sql"; done <"$1/order"; }
check "the stock client takes them back" bash -c "$(declare -f members sql); T='$T'; members '$T/h1' | sql --comments --max-allowed-packet=1G huge_stock"
check "with the same checksums" diff <(huge_sums huge) <(huge_sums huge_stock)
check "no statement is longer than 16 MiB" bash -c "$(declare -f members); members '$T/h1' | awk '{ n = length(\$0) } n >= 16777216 { exit 1 }'"
digest() { tr '\0' '\n' <"$T/h1/tables" | grep -A2 "^$1$" | sed -n 3p; }
export -f digest
export T
check "a table has the digest that it has when rows are read whole" bash -c "[ \"\$(digest blobs)\" = \"\$(digest whole)\" ] && [ -n \"\$(digest blobs)\" ]"
