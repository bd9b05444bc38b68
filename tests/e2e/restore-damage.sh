#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sanitize: yes
# timeout: 180
# A restore that meets damage takes the green from the run, as verify does, here and at the master. A storage or a
# server that is away, or an archive that could be read after all, is no damage.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/master-lib.sh
. "$(dirname "$0")/../master-lib.sh"
# shellcheck source=tests/node-lib.sh
. "$(dirname "$0")/../node-lib.sh"
unset http_proxy https_proxy all_proxy
export FELLOE_S3_RETRY_MS=2

S3=$T/s3 S3PORT=$(free_port)
at_exit "'$RIGS/faulty_s3.sh' stop '$S3'"
check "an S3 server starts" "$RIGS/faulty_s3.sh" start "$S3" "$S3PORT" || exit 1
DBPORT=$(free_port)
at_exit "'$RIGS/mariadb.sh' stop '$T/db'"
check "a database server starts" "$RIGS/mariadb.sh" start "$T/db" "$DBPORT" || exit 1
sql() { "$RIGS/mariadb.sh" sql "$T/db" -N "$@"; }
sql -e "CREATE DATABASE shop; USE shop; CREATE TABLE t (id int PRIMARY KEY, v varbinary(2000)); INSERT INTO t SELECT seq, RANDOM_BYTES(1000) FROM seq_1_to_6000"
HOOK=$(free_port)
spawn target python3 "$HERE/fake/notify" "$T" "$HOOK"
until_ok 20 curl -sf "http://127.0.0.1:$HOOK/up" >/dev/null
: >"$T/requests"
master_init
step "the master starts" master_start
step "the administrator signs in" login admin 'correct horse battery'
step "a node joins" enrol web-01 ".sites[0] += {db_name: \"shop\", db_host: \"127.0.0.1:$DBPORT\", db_user: \"rig\", db_password: \"rigpw\"} |
	.notify = {webhook: \"http://127.0.0.1:$HOOK/hook\"} |
	.sites += [{name: \"away\", paths: [\"$T/web-01/www\"]}] | .storage += [{name: \"cloud\", type: \"s3\", endpoint: \"http://127.0.0.1:$S3PORT\",
	region: \"us-east-1\", bucket: \"rig\", access_key: \"AKIARIG\", secret_key: \"rigsecret\"}]"
head -c 5000000 /dev/urandom >"$T/web-01/www/photo"
agent web-01
noded_() { noded web-01 "$@"; }
run_at() { noded_ list shop --json | jq -r ".runs[$1].$2"; }
state_is() { [ "$(run_at "$1" state)" = "$2" ] || { noded_ list shop; return 1; }; }
run_is() { call 200 GET "/runs/$RUN" -H "$(AS)" && is "$1" "$2"; }
told() { [ "$(jq -sr --arg r "$RUN" '[.[] | select(.path == "/hook") | .body | fromjson | .run | select(.uuid == $r)] | length' "$T/requests")" = "$1" ]; }
member() { tar --zstd -xOf "$1" index.jsonl | jq -r "select(.name | startswith(\"$2\")) | .$3" | head -n 1; }
# spoil MEMBER: zeros in the middle of it
spoil() { dd if=/dev/zero of="$A" bs=1 count=300 seek=$(($(member "$T/good" "$1" at) + $(member "$T/good" "$1" len) / 2)) conv=notrunc status=none; }
whole() { # as it was, and looked at
	cp "$T/good" "$A" && cp "$T/good.idx" "$A.idx"
	run noded_ verify shop --run "$RUN" --members && state_is 0 warning
}

check "a backup is made" run noded_ backup shop
check "and another" run noded_ backup shop
RUN=$(run_at 0 uuid) A=$T/web-01/store/$(run_at 0 'archives[0].key') FIRST=$(run_at 1 'archives[0].key')
cp "$A" "$T/good" && cp "$A.idx" "$T/good.idx"
check "the master knows it" until_ok 60 run_is .state ok

# ---- what is no damage
check "a server that does not answer" run -e 1 noded_ restore shop --db shop --to-db copy --db-host 127.0.0.1:1 --db-user rig
check "takes nothing from the run" state_is 0 ok
mv "$T/web-01/store" "$T/unmounted" && mkdir "$T/web-01/store"
check "nor does a disk that is not mounted" run -e 1 noded_ restore shop --to-dir "$T/none"
rmdir "$T/web-01/store" && mv "$T/unmounted" "$T/web-01/store"
check "the run is what it was" state_is 0 ok

# ---- a member of rows
spoil db/20-data/t.
check "a restore that meets damage fails" run -e 1 noded_ restore shop --db shop --to-db copy
check "and says what follows" says "run ${RUN:0:8} of shop is suspect now (db/20-data/t."
check "with the way to have it all the same" says "no restore takes it unless it is named with --at ${RUN:0:8}"
check "the run is suspect" state_is 0 suspect
check "the list names the archive" test "$(noded_ list --json | jq -c '.damaged')" = "[\"$RUN\"]"
check "the master has it" until_ok 60 run_is .state suspect
check "with the reason" is '.error | .kind + " " + .message | startswith("damaged damaged: db/20-data/t.")' true
check "people are told" until_ok 20 told 1
check "the next restore takes the one before" run noded_ restore shop --db shop --to-db before
check "and says so" says "$FIRST"
check "named it is refused again" run -e 1 noded_ restore shop --at "$RUN" --db shop --to-db copy --fresh
check "that is no news" hides "suspect now"
check "its files are whole" run noded_ restore shop --at "$RUN" --files / --to-dir "$T/files"
check "a look as deep gives the green back" whole

# ---- with --salvage, in a dry run, without asking the records
spoil db/20-data/t.
check "what --salvage finds beforehand counts" run -e 3 noded_ restore shop --from disk --at "$RUN" --db shop --to-db part --salvage --dry-run
check "as well" state_is 0 suspect
check "it is given back" whole

# ---- files
spoil files/
check "a damaged file" run -e 1 noded_ restore shop --files / --to-dir "$T/more"
check "counts too" says "run ${RUN:0:8} of shop is suspect now (files"
check "as it should" state_is 0 suspect
check "it is given back again" whole

# ---- an archive that cannot be opened
rm "$A.idx" && truncate -s -100 "$A"
check "an archive without an end cannot be opened" run -e 1 noded_ restore shop --to-dir "$T/none"
check "that is damage" state_is 0 suspect
check "at the master as well" until_ok 60 run_is .state suspect
check "with its index and its end it is given back" whole

# ---- a connection that breaks
jq '.storage |= reverse' "$T/web-01/config.json" >"$T/two" && cp "$T/two" "$T/web-01/config.json"
check "a backup goes to S3" run noded_ backup away
faults() { printf '%s\n' "$@" >"$S3/faults.tmp"; mv "$S3/faults.tmp" "$S3/faults"; }
for fault in "get cut 0" "get status 503" "get error200 InternalError"; do
	faults "$fault"
	check "a restore from a storage with \"$fault\" ends" run -e 1 noded_ restore away --to-dir "$T/cut"
	check "also with --salvage" run -e 1 noded_ restore away --salvage --to-dir "$T/cut"
	check "but that is no damage" hides "suspect now"
done
faults "get cut 300000"
check "one that is cut each time goes on" run noded_ restore away --to-dir "$T/cut"
check "to its end" cmp "$T/web-01/www/photo" "$T/cut$T/web-01/www/photo"
faults
check "the run is good all the time" test "$(noded_ list away --json | jq -r '.runs[0].state')" = ok
