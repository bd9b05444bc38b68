#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The dumper alone, everything thrown away, against mariadb-dump --single-transaction
# --hex-blob >/dev/null: CPU of the client, wall, memory, alternating runs on one private
# server. Shapes of rows: shop (short rows, long texts), narrow (five small
# columns), blobs (of 8 KiB). The last table is the shop read over two connections.
#   bench/dump.sh [BUILD_DIR [MEGABYTES [RUNS]]]
# Needs mariadb-server, time. Figures are printed, never judged.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need /usr/bin/time mariadbd
BUILD=$(cd "${1:-$ROOT/build/demo}" && pwd -P) MB=${2:-200} RUNS=${3:-3}
TOOL=$BUILD/tests/noded/dump_tool
[ -x "$TOOL" ] || { echo "make -C $BUILD tests/noded/dump_tool first" >&2; exit 1; }
rig mariadb --innodb-buffer-pool-size="${POOL:-$((MB * 3 + 256))M}"
fill_shop "$MB"
rows=$((MB * 1000000 / 50)) blobs=$((MB * 1000000 / 16500))
echo "filling $rows narrow rows and $blobs blobs ..." >&2
sql <<-SQL
	CREATE DATABASE blobs; CREATE DATABASE narrow; USE narrow;
	CREATE TABLE narrow.n (id int AUTO_INCREMENT PRIMARY KEY, a int NOT NULL, b smallint, c bigint NOT NULL, d date);
	INSERT INTO narrow.n SELECT seq, seq * 7 % 1000003, seq % 30000, seq * 1000003, '2020-01-01' + INTERVAL seq % 2000 DAY FROM seq_1_to_$rows;
	CREATE TABLE blobs.b (id int AUTO_INCREMENT PRIMARY KEY, v mediumblob);
	INSERT INTO blobs.b SELECT seq, REPEAT(UNHEX(SHA2(seq, 512)), 128) FROM seq_1_to_$blobs;
	ANALYZE TABLE shop.wp_orders, shop.wp_posts, narrow.n, blobs.b;
	FLUSH TABLES shop.wp_orders, shop.wp_posts, narrow.n, blobs.b FOR EXPORT;
	UNLOCK TABLES;
SQL
for db in shop narrow blobs; do
	for ((i = 0; i < RUNS; i++)); do
		measure "$db" "$TOOL" dump "localhost:$T/mariadb/mysql.sock" backup backuppw "$db" -
		SIZE[$db]=$(sed -n 's/^tables .* bytes \([0-9]*\) .*/\1/p' "$T/out")
		measure "$db-dump" bash -c "mariadb-dump --defaults-file='$T/mariadb/my.cnf' -ubackup -pbackuppw --single-transaction --hex-blob $db >/dev/null"
	done
	LABEL[$db]="felloe, $db" LABEL[$db-dump]="mariadb-dump, $db"
	table "$db" "$db-dump"
done
for ((i = 0; i < RUNS; i++)); do
	measure two "$TOOL" dump "localhost:$T/mariadb/mysql.sock" backup backuppw shop - --connections 2
done
LABEL[two]="felloe, shop, two connections" SIZE[two]=${SIZE[shop]}
table two shop-dump
