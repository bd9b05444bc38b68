#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# felloe-noded restore of a database into a new schema, against
# zstd -d | mariadb: wall, CPU (of the client's side, and the server's) and memory, alternating
# runs on one private server; Felloe also compares rows and digests afterwards.
# Then the bytes that it fetches for one table of an archive on S3.
#   bench/restore.sh [BUILD_DIR [MEGABYTES [RUNS]]]
# Needs mariadb-server, zstd, jq, python3, time. Figures are printed, never judged.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need /usr/bin/time zstd mariadbd jq python3
BUILD=$(cd "${1:-$ROOT/build/demo}" && pwd -P) MB=${2:-200} RUNS=${3:-3}
rig mariadb --innodb-buffer-pool-size="${POOL:-$((MB * 4 + 256))}M" --innodb-log-file-size=1G --skip-log-bin
fill_shop "$MB"
node_config "$(shop_site)"
printf '[client]\nuser=root\nsocket=%s\n' "$T/mariadb/mysql.sock" >"$T/root.cnf"

# server NAME COMMAND...: measure, with the CPU that the server spent on it in $T/server
server_cpu() { awk '{print ($14 + $15) / 100}' "/proc/$(cat "$T/mariadb/mariadbd.pid")/stat"; }
server() {
	local before
	before=$(server_cpu)
	measure "$@"
	awk -v n="$1" -v a="$before" -v b="$(server_cpu)" 'BEGIN {print n, b - a}' >>"$T/server"
}
noded backup -q shop >/dev/null
mariadb-dump --defaults-file="$T/mariadb/my.cnf" -ubackup -pbackuppw --single-transaction --hex-blob --routines --events --triggers shop | zstd -q -3 -T2 >"$T/dump.zst"
for ((i = 0; i < RUNS; i++)); do
	sql -e "DROP DATABASE IF EXISTS back"; sync
	server felloe "$BUILD/felloe-noded" restore shop -c "$T/config.json" --state "$T/state" --db shop --to-db back --db-defaults "$T/root.cnf"
	sql -e "DROP DATABASE IF EXISTS back; CREATE DATABASE back"; sync
	server client bash -c "zstd -dcq '$T/dump.zst' | mariadb --defaults-file='$T/root.cnf' back"
done
SIZE=([felloe]=$(find "$T/store" -name '*.tar.zst' -printf '%s\n') [client]=$(stat -c %s "$T/dump.zst"))
LABEL=([felloe]="felloe-noded restore" [client]="zstd -d | mariadb")
table felloe client
for n in felloe client; do
	printf '%-34s %9s %9.2f\n' "the server's CPU, ${LABEL[$n]}" '' "$(awk -v n=$n '$1 == n {print $2}' "$T/server" | sort -n |
		awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}')"
done

# ---- one table out of S3
rig faulty_s3
# shellcheck disable=SC1091
. "$T/faulty_s3/env"
printf '{"server_id":"bench","sites":[%s],"storage":[{"name":"s3","type":"s3","endpoint":"%s","region":"%s","bucket":"%s","access_key":"%s","secret_key":"%s"}]}\n' \
	"$(shop_site)" "$S3_ENDPOINT" "$S3_REGION" "$S3_BUCKET" "$S3_ACCESS_KEY" "$S3_SECRET_KEY" >"$T/config.json"
noded backup -q shop >/dev/null
find "$T/faulty_s3" -name '*.tar.zst' -exec cp {} "$T/object.tar.zst" \;
noded restore shop --db shop:wp_posts --to-db one --db-defaults "$T/root.cnf" >"$T/out" 2>&1 || { cat "$T/out" >&2; exit 1; }
fetched=$(sed -n 's/.*: \([0-9]*\) bytes fetched.*/\1/p' "$T/out")
table_bytes=$(tar --zstd -xOf "$T/object.tar.zst" index.jsonl |
	jq -s '[.[] | select(.name | startswith("db/20-data/wp_posts.")) | [.at, .len]] | unique | map(.[1]) | add')
printf '\n%-34s %14s\n' "one table of an archive on S3" "bytes"
printf '%-34s %14d\n' "the archive" "$(stat -c %s "$T/object.tar.zst")" "wp_posts in it, compressed" "$table_bytes" "fetched to restore it" "$fetched"
