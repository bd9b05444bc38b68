#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sanitize: yes
# The S3 storage against a strict server that fails on order: every fault ends in
# the right result or the right message, and nothing is left behind.
. "$(dirname "$0")/../lib.sh"
TOOL=$BUILD/tests/noded/store_tool
[ -x "$TOOL" ] || { skip "S3 with faults" "tests/noded/store_tool is not built"; exit 77; }
unset http_proxy https_proxy all_proxy
export FELLOE_STATE=$T/state FELLOE_S3_RETRY_MS=2
S3=$T/s3
PORT=$(free_port)
"$RIGS/faulty_s3.sh" start "$S3" "$PORT" >/dev/null || exit 1
at_exit "$RIGS/faulty_s3.sh stop $S3"

# storage FILE [MEMBER...]: a storage[] entry; later members win over earlier ones
storage() {
	local to=$1
	shift
	python3 - "$to" "$PORT" "$@" <<'PY'
import json, sys
o = {"name": "rig", "type": "s3", "endpoint": "http://127.0.0.1:" + sys.argv[2], "region": "us-east-1",
     "bucket": "rig", "access_key": "AKIARIG", "secret_key": "rigsecret"}
for member in sys.argv[3:]:
    o.update(json.loads("{" + member + "}"))
json.dump(o, open(sys.argv[1], "w"))
PY
}
storage "$T/rig.json"
t() { "$TOOL" "$T/rig.json" "$@"; }
faults() { : >"$S3/log"; printf '%s\n' "$@" >"$S3/faults.tmp"; mv "$S3/faults.tmp" "$S3/faults"; }
no_faults() { : >"$S3/faults"; : >"$S3/log"; }
requests() { grep -c "^$1 " "$S3/log"; }
clean() { # no object of this key, no open upload
	[ -z "$(ls "$S3/uploads")" ] || { echo "open uploads:"; ls "$S3/uploads"; return 1; }
	[ ! -e "$S3/objects/$1" ] || { echo "object $1 exists"; return 1; }
}
no_uploads() { [ -z "$(ls "$S3/uploads")" ] || { ls "$S3/uploads"; return 1; }; }
same() { t get "$2" >"$T/back" && cmp "$1" "$T/back"; }
put_same() { t put "$1" "$2" >/dev/null && same "$1" "$2"; }
# refused KIND TEXT COMMAND...: fails with that kind and says that
refused() {
	local kind=$1 text=$2
	shift 2
	run -e 1 "$@" || return 1
	grep -q "^$kind: " "$ERR" || { echo "not of kind $kind:"; cat "$ERR"; return 1; }
	says "$text" || return 1
	! grep -q rigsecret "$ERR" || { echo "the secret key is shown"; return 1; }
}
MIB=1048576
: >"$T/0"
printf x >"$T/1"
for n in $((8 * MIB - 1)) $((8 * MIB)) $((8 * MIB + 1)) $((40 * MIB)); do head -c "$n" /dev/urandom >"$T/$n"; done
BIG=$T/$((40 * MIB)) TWO=$T/$((8 * MIB + 1)) ONE=$T/1

check "a test writes, reads and removes" run t try
check "a test leaves nothing" test -z "$(ls "$S3/objects")"
for n in 0 1 $((8 * MIB - 1)) $((8 * MIB)) $((8 * MIB + 1)) $((40 * MIB)); do
	check "$n bytes come back as they were" put_same "$T/$n" "size/$n"
done
no_faults
t put "$T/$((8 * MIB))" size/one >/dev/null
check "what fits one part goes as one PUT" test "$(requests put)$(requests initiate)" = 10
t put "$TWO" size/two >/dev/null
check "one byte more goes as two parts" test "$(requests part)" = 2
check "the digest is that of the whole" sh -c "'$TOOL' '$T/rig.json' put '$BIG' size/d | grep -q \"\$(sha256sum <'$BIG' | cut -d' ' -f1)\""

range() { # OFFSET N [no size asked]
	t get "size/$((40 * MIB))" "$1" ${3-"$2"} >"$T/back" && [ "$(stat -c %s "$T/back")" = "$2" ] && cmp -n "$2" -i "$1:0" "$BIG" "$T/back"
}
check "a range is what it says" range 12345678 1000001
check "the first byte alone is a range" range 0 1
check "a range to the end needs no size" range $((40 * MIB - 3)) 3 ""
check "nothing after the end is no error" sh -c "test -z \"\$('$TOOL' '$T/rig.json' get size/1 1)\""
check "a range past the end is damage" refused damaged "it has 1 bytes, more were expected" t get size/1 5 1
check "a range that runs over the end is damage" refused damaged "it ends after 1 bytes, 10 were expected" t get size/1 0 10
check "an object that does not exist is named" refused notfound 'look at "no/such"' t head no/such
check "reading what does not exist is refused" refused notfound NoSuchKey t get no/such
check "deleting what does not exist is fine" t delete no/such

check "a reader may read other things meanwhile" test "$(t nested size/1)" = 1

KEYS=('odd/a b' 'odd/a+b' "odd/a'b\"c" 'odd/a//b' 'odd/ü€' 'odd/x&y<z>' 'odd/50%41' 'odd/*~!()' 'odd/[1]?#')
for k in "${KEYS[@]}"; do t put "$ONE" "$k" >/dev/null; done
printf '1 %s\n' "${KEYS[@]}" | sort >"$T/expected"
list_odd() { t list odd/ >"$T/got" && sort "$T/got" | diff - "$T/expected" && LC_ALL=C sort -c "$T/got"; }
check "odd keys are listed as they are" list_odd
faults "list page 2"
check "a listing of many pages is whole" list_odd
check "it took as many pages as it must" test "$(requests list)" = 5
no_faults
odd_back() { local k; for k in "${KEYS[@]}"; do t get "$k" | cmp - "$ONE" && t delete "$k" || return 1; done; }
check "odd keys are read and deleted" odd_back
check "none is left" test -z "$(t list odd/)"

# ---- what passes is tried again
faults "put reset x2"
check "a reset connection is tried again" put_same "$ONE" r/reset
check "it took three tries" test "$(requests put)" = 3
faults "put status 503/SlowDown x3" "head status 500/InternalError x1"
check "503 SlowDown and 500 are tried again" put_same "$ONE" r/slow
faults "put lost x1"
check "a lost answer to PUT is settled" put_same "$ONE" r/lost
faults "part reset x3" "part status 500/InternalError x2" "part status 400/RequestTimeout x1" "initiate status 429 x1"
check "parts are tried again one by one" put_same "$BIG" r/parts
faults "part lost x2"
check "lost answers to parts are settled" put_same "$BIG" r/lostparts
faults "initiate lost x1"
check "a lost answer to the begin does no harm" put_same "$TWO" r/begin
check "and its upload is swept" no_uploads
faults "complete error200 InternalError x2"
check "an error inside of 200 is seen" put_same "$TWO" r/e200
check "and complete was tried again" test "$(requests complete)" = 3
faults "complete lost x1"
check "a complete that was done though its answer was lost counts" put_same "$TWO" r/lostcomplete
check "it was not asked for ever" test "$(requests complete)" -le 2
faults "complete reset x1"
check "a complete that was lost on its way is sent again" put_same "$TWO" r/resetcomplete
faults "complete emptyetag"
check "an empty ETag in the answer does no harm" put_same "$TWO" r/etag
faults "get cut 3000000 x5"
check "a read that is cut goes on where it ended" same "$BIG" "size/$((40 * MIB))"
check "from where it was" test "$(requests get)" = 6
faults "list badxml x1"
check "an answer that is not XML is asked for again" run t list size/
faults "get slow" "head delay 50"
check "a slow answer is waited for" same "$ONE" r/slow
faults "any skew 3600"
check "a clock that is an hour off is learnt" run t small r/skew text
check "at once, with one more request" test "$(requests put)" = 2
faults "any skew -86400"
check "even from HEAD, which gives no reason" run t head r/skew
no_faults

# ---- what does not pass ends with the right words, and leaves nothing
faults "put status 503/SlowDown"
check "a storage that stays down is given up" refused storage "tried 8 times: write \"f/down\": 127.0.0.1:$PORT answers 503 SlowDown" t put "$ONE" f/down
check "after eight tries" test "$(requests put)" = 8
check "nothing is left" clean f%2Fdown
faults "put reset"
check "a connection that always breaks is a network error" refused net "the connection was lost" t put "$ONE" f/reset
faults "put lost"
check "lost answers for ever: an error" refused net "the connection was lost" t put "$ONE" f/lost
check "and what had been stored is removed" clean f%2Flost
faults "put status 403/AccessDenied"
check "403 is final" refused forbidden "403 AccessDenied" t put "$ONE" f/403
check "and not tried again" test "$(requests put)" = 1
faults "part status 403/AccessDenied"
check "a part that is refused ends the upload" refused forbidden "write a part of \"f/part\"" t put "$BIG" f/part
check "the upload is aborted" clean f%2Fpart
faults "part status 503/SlowDown"
check "parts that never go through end the upload" refused storage "tried 8 times" t put "$BIG" f/parts
check "that upload is aborted too" clean f%2Fparts
faults "part emptyetag"
check "a part without an ETag is an error" refused storage "gave no ETag" t put "$TWO" f/noetag
faults "complete error200 InternalError"
check "a complete that never succeeds is an error" refused storage "200 InternalError" t put "$TWO" f/complete
check "and leaves nothing" clean f%2Fcomplete
faults "complete status 400/InvalidPart"
check "a refused complete is final" refused storage "400 InvalidPart" t put "$TWO" f/invalid
check "and leaves nothing, too" clean f%2Finvalid
faults "head shortsize"
check "an object of the wrong size does not count" refused damaged "has 0 bytes after the upload, 1 were sent" t put "$ONE" f/short
check "and is removed" clean f%2Fshort
faults "initiate status 507"
check "a full storage says so" refused space "the storage is full" t put "$TWO" f/full
faults "put status 403/QuotaExceeded"
check "a quota says so" refused space "403 QuotaExceeded" t put "$ONE" f/quota
faults "any status 403/RequestTimeTooSkewed"
check "a clock that cannot be agreed on is final" refused denied "this machine's clock is wrong" t list
check "after one more request" test "$(requests list)" = 2
faults "any wrongregion eu-west-3"
check "the region that the server wants is named" refused storage 'wants region "eu-west-3"; storage[].region is "us-east-1"' t list
faults "any wrongregion eu-west-3" "list status 301/PermanentRedirect"
check "also by a redirect, which is not followed" refused storage 'wants region "eu-west-3"' t list
faults "list badxml"
check "a server that speaks no XML is an error" refused storage "cannot be read as XML" t list
faults "get cut 0"
check "a read that never moves on is given up" refused net "the connection was lost" t get size/1
no_faults

storage "$T/bad.json" '"bucket": "nowhere"'
check "a missing bucket is named, with the way out" refused notfound \
	"bucket \"nowhere\" does not exist at 127.0.0.1:$PORT; create it or correct storage[].bucket" "$TOOL" "$T/bad.json" list
check "a test says so at its first step" refused notfound 'list failed storage "rig": bucket "nowhere" does not exist' "$TOOL" "$T/bad.json" try
storage "$T/bad.json" '"access_key": "AKIAOTHER"'
check "an unknown access key is denied" refused denied "storage[].access_key is not known there" "$TOOL" "$T/bad.json" list
storage "$T/bad.json" '"secret_key": "wrong-rigsecre"'
check "a wrong secret key is denied" refused denied "storage[].secret_key does not belong to the access key" "$TOOL" "$T/bad.json" list
storage "$T/bad.json" "\"endpoint\": \"http://127.0.0.1:$(free_port)\""
check "a closed port is told apart" refused net "connection refused; nothing listens there" "$TOOL" "$T/bad.json" try
storage "$T/bad.json" "\"endpoint\": \"https://127.0.0.1:$PORT\""
check "https to a plain server is told apart" refused net "TLS" "$TOOL" "$T/bad.json" try
storage "$T/bad.json" '"endpoint": "http://no.such.host.invalid"'
check "an unknown host is told apart" refused net "the host name is not known (DNS)" "$TOOL" "$T/bad.json" try
check "and the rest of a test is not tried then" grep -q '^write - ' "$OUT"
faults "put status 403/AccessDenied"
check "a key that may only read is seen by a test" refused forbidden "write failed" t try
check "which does not read then" grep -q '^read - ' "$OUT"
no_faults

printf 'rigsecret\n' >"$T/secret"
chmod 600 "$T/secret"
printf 'tok/en+==\n' >"$T/token"
chmod 600 "$T/token"
storage "$T/file.json" '"secret_key": ""' "\"secret_key_file\": \"$T/secret\"" "\"session_token_file\": \"$T/token\"" \
	'"storage_class": "STANDARD_IA"' '"max_upload_mbps": 4000'
check "secrets from files, a session token and a storage class are signed" run "$TOOL" "$T/file.json" put "$TWO" file/two
chmod 644 "$T/secret"
check "a secret that others may read is refused" refused config "run: chmod 600 $T/secret" "$TOOL" "$T/file.json" list
storage "$T/host.json" "\"endpoint\": \"http://localhost:$PORT\"" '"path_style": false'
check "the bucket may stand in the host name" run "$TOOL" "$T/host.json" put "$TWO" "host/a b"

# ---- what a killed client leaves is swept
mkfifo "$T/pipe"
exec 8<>"$T/pipe"
feed() { # NAME COMMAND...: as spawn, but fed from the pipe
	"${@:2}" <"$T/pipe" >>"$T/$1.log" 2>&1 8>&- &
	echo $! >"$T/$1.pid"
	at_exit "stop_pid $1"
}
no_faults
feed client "$TOOL" "$T/rig.json" put - k/killed
(exec cat "$TWO" "$TWO" >&8) &
feeder=$!
check "a client has sent a part" until_ok 20 grep -q '^part 200' "$S3/log"
stop_pid client KILL
kill "$feeder" 2>/dev/null
wait "$feeder" 2>/dev/null
exec 8>&-
check "its upload lies open" test -n "$(ls "$S3/uploads")"
check "an upload of an hour is asked for: none" test "$(t sweep k/ 3600)" = 0
check "another prefix is not swept" test "$(t sweep other/ 0)" = 0
faults "uploads page 1"
sleep_past() { [ "$(date +%s)" -gt "$(stat -c %Y "$S3"/uploads/*/key | sort -n | tail -1)" ]; }
until_ok 5 sleep_past
check "sweeping finds it" test "$(t sweep k/ 0)" = 1
check "once" test "$(t sweep k/ 0)" = 0
check "now nothing is left" clean k%2Fkilled
faults "abort status 500/InternalError"
faults_and_abort() { echo "part status 403/AccessDenied" >>"$S3/faults" && refused forbidden AccessDenied t put "$TWO" k/noabort; }
check "an abort that fails does not hide the error" faults_and_abort
no_faults
until_ok 5 sleep_past
check "and is swept later" test "$(t sweep '' 0)" = 1
faults "part status 503/SlowDown"
FELLOE_S3_RETRY_MS=60000 spawn stopped "$TOOL" "$T/rig.json" put "$BIG" k/stopped
check "a client waits for its next try" until_ok 20 grep -q '^part 503' "$S3/log"
stop_pid stopped TERM
check "SIGTERM ends it" grep -q '^aborted: ' "$T/stopped.log"
check "and leaves nothing" clean k%2Fstopped
no_faults

# ---- memory does not grow with the object, nor with the part
peak_under() { # MB ESTIMATE SPOOL
	head -c $((300 * MIB)) /dev/zero | t put - "mem/$2" "$2" "$3" >"$T/got" || return 1
	read -r size _ peak <"$T/got"
	[ "$size" = $((300 * MIB)) ] && [ "$peak" -lt $(($1 * 1024)) ] || { echo "size $size, peak $peak kB"; return 1; }
	echo "# 300 MiB, estimate $2, spool $3: peak $peak kB" >&3
	t delete "mem/$2"
}
exec 3>&1
[ ! -r "$BUILD/config.h" ] || ! grep -q 'define HAVE_SANITIZERS 1' "$BUILD/config.h" || PEAK=4000
check "300 MiB pass through less than 64 MB" peak_under "${PEAK:-64}" 0 0
check "in parts of 8 MiB with a spool" peak_under "${PEAK:-64}" 314572800 1073741824
check "in parts of 128 MiB with a spool" peak_under "${PEAK:-64}" 1000000000000 1073741824
check "the spool leaves no file" test -z "$(find "$FELLOE_STATE" -type f 2>/dev/null)"
