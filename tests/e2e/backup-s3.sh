#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A site backed up to S3: OpenStack Swift as an independent judge, then a server
# that fails on order, with a directory as the second storage.
# slow: yes
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
unset http_proxy https_proxy all_proxy
export FELLOE_S3_RETRY_MS=20

DB_PORT=$(free_port)
at_exit "'$RIGS/mariadb.sh' stop '$T/db'"
check "a database server starts" "$RIGS/mariadb.sh" start "$T/db" "$DB_PORT" || exit 1
sql() { "$RIGS/mariadb.sh" sql "$T/db" "$@"; }
sql <<'SQL'
CREATE DATABASE shop; USE shop;
CREATE TABLE small (id int PRIMARY KEY, v varchar(100));
CREATE TABLE large (id int PRIMARY KEY, v varbinary(4096));
INSERT INTO small SELECT seq, MD5(seq) FROM seq_1_to_500;
INSERT INTO large SELECT seq, RANDOM_BYTES(1000) FROM seq_1_to_24000;
SQL
SUMS=$(sql -N -e 'CHECKSUM TABLE shop.small, shop.large')
mkdir -p "$T/www" "$T/store" && head -c 3000000 /dev/urandom >"$T/www/photo.jpg"
printf '[client]\nuser=rig\npassword=rigpw\nhost=127.0.0.1\nport=%s\n' "$DB_PORT" >"$T/my.cnf"
noded() { felloe-noded --state "$T/state" "$@"; }
config() { # NAME STORAGES: the site with these storages
	jq -n --arg t "$T" --arg port "$DB_PORT" --argjson storage "$2" '{server_id: "web-01",
		sites: [{name: "shop", db_name: "shop", db_host: ("127.0.0.1:" + $port), db_user: "backup", db_password: "backuppw",
			paths: [$t + "/www"]}], storage: $storage, limits: {spool_gb: 0}}' >"$T/$1.json"
	chmod 600 "$T/$1.json"
}
s3() { # NAME PORT KEY SECRET BUCKET
	printf '{"name":"%s","type":"s3","endpoint":"http://127.0.0.1:%s","region":"us-east-1","access_key":"%s","secret_key":"%s","bucket":"%s","weight":200}' "$@"
}
DISK="{\"name\":\"disk\",\"type\":\"dir\",\"path\":\"$T/store\",\"weight\":10}"
last() { noded list --json | jq -r ".runs[0].$1"; }
drop_and_restore() { # CONFIG: one table, in place
	sql -e 'DROP TABLE shop.small' &&
		run noded restore shop -c "$T/$1.json" --db shop:small --in-place --db-defaults "$T/my.cnf" &&
		[ "$(sql -N -e 'CHECKSUM TABLE shop.small, shop.large')" = "$SUMS" ]
}
fetched() { sed -n 's/.*: \([0-9]*\) bytes fetched.*/\1/p' "$OUT"; }

# ---- Swift
if [ -e /usr/bin/swift-proxy-server ]; then
	PORT=$(free_port 5)
	at_exit "$RIGS/swift_s3.sh stop $T/swift"
	check "Swift starts" "$RIGS/swift_s3.sh" start "$T/swift" "$PORT"
	config swift "[$(s3 swift "$PORT" test:rig rigsecret0123456789 felloe)]"
	check "a bucket that is not there ends the run with 1" run -e 1 noded backup -c "$T/swift.json"
	check "it is named" says 'bucket "felloe" does not exist'
	curl_s3() { curl -sf --aws-sigv4 "aws:amz:us-east-1:s3" --user "test:rig:rigsecret0123456789" "$@"; }
	make_bucket() { "$BUILD/tests/noded/store_tool" "$T/rig.json" bucket; }
	s3 swift "$PORT" test:rig rigsecret0123456789 felloe >"$T/rig.json"
	check "the bucket is made" make_bucket
	config denied "[$(s3 swift "$PORT" test:rig wrongsecret felloe)]"
	check "a wrong secret key ends the run" run -e 5 noded backup -c "$T/denied.json"
	check "check tries all four steps" run noded check -c "$T/swift.json"
	check "a backup in several parts ends with 0" run noded backup -c "$T/swift.json"
	KEY=$(last 'archives[0].key')
	check "it is larger than a part" test "$(last 'archives[0].size')" -gt 16777216
	get_key() { "$BUILD/tests/noded/store_tool" "$T/rig.json" get "$1" >"$2"; }
	check "the object is fetched" get_key "$KEY" "$T/object.tar.zst"
	mkdir "$T/stock"
	check "stock tar opens it" tar --zstd -xf "$T/object.tar.zst" -C "$T/stock"
	check "its files are the same" diff -r "$T/www" "$T/stock/files$T/www"
	check "verify --members reads it from there" run noded verify --members -c "$T/swift.json" shop
	check "one dropped table is restored from the object" drop_and_restore swift
	check "less than 1 MiB of it was fetched" test "$(fetched)" -lt 1048576
	check "all of it is restored without the node's records" run noded restore shop -c "$T/swift.json" --from swift \
		--to-db copy --to-dir "$T/back" --db-defaults "$T/my.cnf"
	check "with all digests" says "all digests agree"
	check "list --from finds it" run noded list --from swift -c "$T/swift.json"
	check "by its key" says "$KEY"
	"$RIGS/swift_s3.sh" stop "$T/swift" >/dev/null 2>&1
	config both "[$(s3 swift "$PORT" test:rig rigsecret0123456789 felloe), $DISK]"
	check "with Swift away the next storage takes the run" run -e 3 noded backup -c "$T/both.json"
	check "and the record says which" test "$(last 'archives[0].storage')" = disk
else
	skip "S3 of Swift" "swift-proxy is not installed"
fi

# ---- a server that fails on order
rm -rf "$T/state"
S3=$T/s3
at_exit "$RIGS/faulty_s3.sh stop $S3"
start_faulty() { # a port may be taken between the look and the start
	for _ in 1 2 3 4 5; do
		PORT=$(free_port)
		"$RIGS/faulty_s3.sh" start "$S3" "$PORT" && return
	done
	return 1
}
start_faulty >"$T/rig.log" 2>&1 || { note "$T/rig.log"; exit 1; }
faults() { printf '%s\n' "$@" >"$S3/faults.tmp"; mv "$S3/faults.tmp" "$S3/faults"; }
no_uploads() { [ -z "$(ls "$S3/uploads")" ] || { ls "$S3/uploads"; return 1; }; }
config one "[$(s3 rig "$PORT" AKIARIG rigsecret rig)]"
config two "[$(s3 rig "$PORT" AKIARIG rigsecret rig), $DISK]"
fresh() { rm -rf "$T/state" && faults "$@"; }

fresh "part reset x2" "complete status 503/SlowDown x1" "initiate status 500/InternalError x1"
check "passing faults are survived" run noded backup -c "$T/one.json"
check "the archive is sound" run noded verify --members -c "$T/one.json" shop
check "no upload is left open" no_uploads

fresh "any status 403/AccessDenied"
check "a storage that forbids it refuses at once: the next one takes the run" run -e 3 noded backup -c "$T/two.json"
check "it is a warning" says "disk"
check "the archive lies on the second" test "$(last 'archives[0].storage')" = disk

fresh "part status 403/AccessDenied"
check "a storage that dies in mid-stream: the run starts over on the next" run -e 3 noded backup -c "$T/two.json"
check "and says so" says "starts over on storage disk"
check "no upload is left open on the first" no_uploads
check "the archive on the second is sound" run noded verify --members -c "$T/two.json" shop
check "the table comes back from there" drop_and_restore two

fresh "complete error200 InternalError"
check "a 200 with an error in it is no success" run -e 3 noded backup -c "$T/two.json"
check "the run went to the second storage" test "$(last 'archives[0].storage')" = disk
fresh "head shortsize"
check "an object of another size than was written does not count" run -e 3 noded backup -c "$T/two.json"
check "nor here" test "$(last 'archives[0].storage')" = disk
objects() { find "$S3/objects" -type f | wc -l; }
BEFORE=$(objects)
fresh "put status 403/AccessDenied"
check "an archive whose sidecar cannot be written does not count" run -e 3 noded backup -c "$T/two.json"
check "nor here, either" test "$(last 'archives[0].storage')" = disk
check "and is not left behind" test "$(objects)" = "$BEFORE"
fresh "get status 403/AccessDenied"
check "nor one whose sidecar cannot be read again" run -e 3 noded backup -c "$T/two.json"
check "it is on the second storage" test "$(last 'archives[0].storage')" = disk
check "and on no other" test "$(objects)" = "$BEFORE"
fresh "part status 403/AccessDenied"
check "with one storage only the run fails, as refused" run -e 5 noded backup -c "$T/one.json"
check "its state is failed, and it has no archive" test "$(last state),$(last 'archives | length')" = failed,0
check "the secret key is in no output" bash -c "! grep -rF rigsecret '$OUT' '$ERR' '$T/state'"

# what a killed run left on S3 is removed by the next
fresh "part delay 3000"
spawn hang felloe-noded --state "$T/state" backup -c "$T/one.json"
check "an upload is open" until_ok 20 bash -c "[ -n \"\$(ls '$S3/uploads')\" ]"
stop_pid hang KILL
faults ""
check "the next run is good" run noded backup -c "$T/one.json"
check "it removed what the dead run left" no_uploads
check "and made it aborted" test "$(noded list --json | jq -r '.runs[1].state')" = aborted
