#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# felloe-noded backup of a database to S3 on loopback, against what else does it:
# mariadb-dump | zstd -3 -T2 | aws s3 cp -, the same | rclone rcat, and mydumper -c
# followed by rclone copy. Wall, CPU (all processes of the client's side) and
# memory, runs in turn. The storage is a private OpenStack Swift with its S3 layer;
# the last line says how fast it takes as many bytes from rclone: it should be no limit.
#   bench/backup-s3.sh [BUILD_DIR [MEGABYTES [RUNS]]]
# Needs mariadb-server, zstd, time, swift, awscli, rclone, mydumper. Figures are
# printed, never judged.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need /usr/bin/time zstd mariadbd aws rclone mydumper
BUILD=$(cd "${1:-$ROOT/build/demo}" && pwd -P) MB=${2:-400} RUNS=${3:-3}
aws=$(type -P /usr/bin/aws || type -P aws)
unset AWS_CA_BUNDLE http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY
rig mariadb --innodb-buffer-pool-size="${POOL:-$((MB * 2 + 256))}M"
fill_shop "$MB"
rig swift_s3
# shellcheck disable=SC1091
. "$T/swift_s3/env"
S3_BUCKET=felloe
export AWS_ACCESS_KEY_ID=$S3_ACCESS_KEY AWS_SECRET_ACCESS_KEY=$S3_SECRET_KEY AWS_DEFAULT_REGION=$S3_REGION AWS_EC2_METADATA_DISABLED=true
export RCLONE_CONFIG=$T/rclone.conf RCLONE_CONFIG_RIG_TYPE=s3 RCLONE_CONFIG_RIG_PROVIDER=Other RCLONE_CONFIG_RIG_ENDPOINT=$S3_ENDPOINT \
	RCLONE_CONFIG_RIG_ACCESS_KEY_ID=$S3_ACCESS_KEY RCLONE_CONFIG_RIG_SECRET_ACCESS_KEY=$S3_SECRET_KEY \
	RCLONE_CONFIG_RIG_REGION=$S3_REGION RCLONE_S3_NO_CHECK_BUCKET=true
: >"$T/rclone.conf"
rclone mkdir -q rig:$S3_BUCKET --s3-no-check-bucket=false
printf '[client]\nuser=backup\npassword=backuppw\nsocket=%s\n' "$T/mariadb/mysql.sock" >"$T/backup.cnf"
printf '{"server_id":"bench","sites":[%s],"storage":[{"name":"s3","type":"s3","endpoint":"%s","region":"%s","bucket":"%s","access_key":"%s","secret_key":"%s"}]}\n' \
	"$(shop_site)" "$S3_ENDPOINT" "$S3_REGION" "$S3_BUCKET" "$S3_ACCESS_KEY" "$S3_SECRET_KEY" >"$T/config.json"
chmod 600 "$T/config.json" "$T/backup.cnf"
dump="mariadb-dump --defaults-file='$T/backup.cnf' --single-transaction --hex-blob --routines --events --triggers shop | zstd -q -3 -T2"
mydump="mydumper --defaults-file='$T/backup.cnf' -S '$T/mariadb/mysql.sock' -u backup -p backuppw -B shop -c -t 2 --trx-consistency-only -v 1 -o '$T/mydumper'"
# stored PREFIX: bytes of the objects below it
stored() { rclone size --json "rig:$S3_BUCKET/$1" | sed 's/.*"bytes":\([0-9]*\).*/\1/'; }
forget() { rclone delete -q "rig:$S3_BUCKET" >/dev/null 2>&1 || true; rm -rf "$T/mydumper"; sync; }

for ((i = 0; i < RUNS; i++)); do
	forget
	measure felloe "$BUILD/felloe-noded" backup -q -c "$T/config.json" --state "$T/state" shop
	SIZE[felloe]=$(stored bench)
	forget
	measure aws bash -o pipefail -c "$dump | '$aws' --endpoint-url '$S3_ENDPOINT' s3 cp --quiet - 's3://$S3_BUCKET/aws.sql.zst'"
	SIZE[aws]=$(stored aws.sql.zst)
	forget
	measure rclone bash -o pipefail -c "$dump | rclone rcat 'rig:$S3_BUCKET/rclone.sql.zst'"
	SIZE[rclone]=$(stored rclone.sql.zst)
	forget
	measure mydumper bash -c "$mydump && rclone copy '$T/mydumper' 'rig:$S3_BUCKET/mydumper'"
	SIZE[mydumper]=$(stored mydumper)
done
LABEL=([felloe]="felloe-noded backup" [aws]="mariadb-dump | zstd | aws s3 cp -" [rclone]="mariadb-dump | zstd | rclone rcat" [mydumper]="mydumper -c; rclone copy")
for other in aws rclone mydumper; do table felloe $other; echo; done

head -c "${SIZE[felloe]}" /dev/urandom >"$T/bytes"
forget
measure rclone_copy rclone copyto "$T/bytes" "rig:$S3_BUCKET/bytes"
printf 'the storage takes %s bytes from rclone copy in %.2f s\n' "${SIZE[felloe]}" "$(median rclone_copy 2)"
