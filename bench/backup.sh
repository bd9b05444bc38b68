#!/usr/bin/env bash
# felloe-noded backup of a database into a directory, against
# mariadb-dump | zstd -3 -T2 > file: wall, CPU and memory, alternating runs on
# one private server, one table.
#   bench/backup.sh [BUILD_DIR [MEGABYTES [RUNS]]]
# Needs mariadb-server, zstd, time. Figures are printed, never judged.
set -euo pipefail
export LC_ALL=C.UTF-8
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
BUILD=$(cd "${1:-$ROOT/build/demo}" && pwd -P) MB=${2:-400} RUNS=${3:-3}
T=$(mktemp -d "${TMPDIR:-/tmp}/felloe-bench.XXXXXX") && chmod 755 "$T"
finish() { "$ROOT/tests/rigs/mariadb.sh" stop "$T/db" >/dev/null 2>&1 || true; rm -rf "$T"; }
trap finish EXIT
trap 'exit 130' INT TERM

port=$((20000 + RANDOM % 30000))
"$ROOT/tests/rigs/mariadb.sh" start "$T/db" $port >/dev/null
sql() { mariadb --defaults-file="$T/db/my.cnf" -uroot "$@"; }
rows=$((MB * 1000000 / 660))
echo "filling $rows orders and $((rows / 4)) posts ..." >&2
sql <<SQL
CREATE DATABASE shop; USE shop;
CREATE TABLE wp_orders (id bigint unsigned AUTO_INCREMENT PRIMARY KEY, customer int NOT NULL, total decimal(12,2) NOT NULL, weight float, placed datetime NOT NULL,
  note text, token varbinary(32), KEY customer (customer)) ENGINE=InnoDB;
CREATE TABLE wp_posts (id bigint unsigned AUTO_INCREMENT PRIMARY KEY, title text, body longtext) ENGINE=InnoDB;
INSERT INTO wp_orders (customer,total,weight,placed,note,token)
  SELECT seq % 9973, seq / 7, seq / 3, TIMESTAMPADD(SECOND, seq, '2020-01-01'), CONCAT('Order ', seq, ': ', SHA2(seq,224), ' it''s "fine"\n'), UNHEX(SHA2(seq,256)) FROM seq_1_to_$rows;
INSERT INTO wp_posts (title, body) SELECT CONCAT('Post ', seq), REPEAT(CONCAT('<p>Paragraph ', seq, ' ', MD5(seq), '</p>\n'), 40) FROM seq_1_to_$((rows / 4));
SQL
mkdir "$T/store"
cat >"$T/config.json" <<JSON
{"server_id":"bench","sites":[{"name":"shop","db_host":"localhost:$T/db/mysql.sock","db_name":"shop","db_user":"backup","db_password":"backuppw"}],
 "storage":[{"name":"disk","type":"dir","path":"$T/store"}]}
JSON
chmod 600 "$T/config.json"

# measure NAME COMMAND...: one line "name wall cpu rss_kb"
measure() { local n=$1; shift; /usr/bin/time -o "$T/time" -f '%e %U %S %M' "$@" >/dev/null 2>"$T/err" || { cat "$T/err" >&2; exit 1; }; awk -v n="$n" '{print n, $1, $2+$3, $4}' "$T/time" >>"$T/figures"; }
for ((i = 0; i < RUNS; i++)); do
	rm -rf "$T/store"/*; sync
	measure felloe "$BUILD/felloe-noded" backup -c "$T/config.json" --state "$T/state" shop
	felloe_size=$(find "$T/store" -name '*.tar.zst' -printf '%s\n')
	sync
	measure mariadb-dump bash -c "mariadb-dump --defaults-file='$T/db/my.cnf' -ubackup -pbackuppw --single-transaction --hex-blob --routines --events --triggers shop | zstd -q -3 -T2 >'$T/dump.zst'"
	dump_size=$(stat -c %s "$T/dump.zst")
done
median() { awk -v n="$1" -v c="$2" '$1==n {print $c}' "$T/figures" | sort -n | awk '{v[NR]=$1} END {print v[int((NR+1)/2)]}'; }
printf '%-34s %9s %9s %9s %12s\n' "median of $RUNS" "wall s" "CPU s" "RSS MB" "stored bytes"
for n in felloe mariadb-dump; do
	[ $n = felloe ] && label="felloe-noded backup" size=$felloe_size || label="mariadb-dump | zstd -3 -T2" size=$dump_size
	printf '%-34s %9.2f %9.2f %9.1f %12d\n' "$label" "$(median $n 2)" "$(median $n 3)" "$(awk -v k="$(median $n 4)" 'BEGIN {print k/1024}')" "$size"
done
awk -v a="$(median felloe 2)" -v b="$(median mariadb-dump 2)" -v c="$(median felloe 3)" -v d="$(median mariadb-dump 3)" \
	'BEGIN {printf "%-34s %9.2f %9.2f\n", "ratio", a/b, c/d}'
