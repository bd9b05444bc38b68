#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# felloe-noded backup of a database into a directory, against
# mariadb-dump | zstd -3 -T2 > file and mydumper -c: wall, CPU and memory, alternating
# runs on one private server. CONNECTIONS=1 lets Felloe read over one. The tables fit into its buffer pool, so that its disk is
# not what is measured; POOL=256M shows the other case.
#   bench/backup.sh [BUILD_DIR [MEGABYTES [RUNS]]]
# Needs mariadb-server, zstd, time, mydumper. Figures are printed, never judged.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need /usr/bin/time zstd mariadbd mydumper
BUILD=$(cd "${1:-$ROOT/build/demo}" && pwd -P) MB=${2:-400} RUNS=${3:-3}
rig mariadb --innodb-buffer-pool-size="${POOL:-$((MB * 2 + 256))M}"
fill_shop "$MB"
node_config "$(shop_site)" "${CONNECTIONS:-2}"
printf '[client]\nuser=backup\npassword=backuppw\n' >"$T/backup.cnf"

for ((i = 0; i < RUNS; i++)); do
	rm -rf "$T/store"/*; sync
	measure felloe "$BUILD/felloe-noded" backup -c "$T/config.json" --state "$T/state" shop
	SIZE[felloe]=$(find "$T/store" -name '*.tar.zst' -printf '%s\n')
	sync
	measure dump bash -c "mariadb-dump --defaults-file='$T/mariadb/my.cnf' -ubackup -pbackuppw --single-transaction --hex-blob --routines --events --triggers shop | zstd -q -3 -T2 >'$T/dump.zst'"
	SIZE[dump]=$(stat -c %s "$T/dump.zst")
	rm "$T/dump.zst"
	sync
	measure mydumper mydumper --defaults-file="$T/backup.cnf" -S "$T/mariadb/mysql.sock" -u backup -p backuppw -B shop -c -t 2 \
		--trx-consistency-only -v 1 -o "$T/mydumper"
	SIZE[mydumper]=$(du -sb "$T/mydumper" | cut -f 1)
	rm -rf "$T/mydumper"
done
LABEL=([felloe]="felloe-noded backup" [dump]="mariadb-dump | zstd -3 -T2" [mydumper]="mydumper -c -t 2")
table felloe dump
echo
table felloe mydumper
