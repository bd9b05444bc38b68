#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sanitize: full
# The S3 storage against OpenStack Swift's s3api: an independent judge of
# signatures, digests, regions and the order of parts.
. "$(dirname "$0")/../lib.sh"
TOOL=$BUILD/tests/noded/store_tool
[ -x "$TOOL" ] || { skip "S3 of Swift" "tests/noded/store_tool is not built"; exit 77; }
[ -e /usr/bin/swift-proxy-server ] || { skip "S3 of Swift" "swift-proxy is not installed"; exit 77; }
unset http_proxy https_proxy all_proxy
export FELLOE_STATE=$T/state FELLOE_S3_RETRY_MS=50
PORT=$(free_port 5)
"$RIGS/swift_s3.sh" start "$T/swift" "$PORT" >"$T/rig.log" 2>&1 || { note "$T/rig.log"; exit 1; }
at_exit "$RIGS/swift_s3.sh stop $T/swift"

storage() { # FILE ACCESS SECRET REGION BUCKET
	printf '{"name":"swift","type":"s3","endpoint":"http://127.0.0.1:%s","access_key":"%s","secret_key":"%s","region":"%s","bucket":"%s"}\n' \
		"$PORT" "$2" "$3" "$4" "$5" >"$T/$1.json"
}
storage rig test:rig rigsecret0123456789 us-east-1 felloe
t() { "$TOOL" "$T/rig.json" "$@"; }
refused() { # KIND TEXT COMMAND...
	local kind=$1 text=$2
	shift 2
	run -e 1 "$@" && says "$text" && { grep -q "^$kind: " "$ERR" || { cat "$ERR"; return 1; }; }
}
put_same() { t put "$1" "$2" >/dev/null && t get "$2" | cmp - "$1"; }
MIB=1048576
: >"$T/0"
printf x >"$T/1"
for n in $((8 * MIB - 1)) $((8 * MIB)) $((8 * MIB + 1)) $((40 * MIB)); do head -c "$n" /dev/urandom >"$T/$n"; done
BIG=$T/$((40 * MIB))

check "a bucket that is not there is named" refused notfound 'bucket "felloe" does not exist at' t list
check "the bucket is made" t bucket
check "a test writes, reads and removes" run t try
for n in 0 1 $((8 * MIB - 1)) $((8 * MIB)) $((8 * MIB + 1)) $((40 * MIB)); do
	check "$n bytes come back as they were" put_same "$T/$n" "size/$n"
done
range() { t get "size/$((40 * MIB))" "$1" "$2" >"$T/back" && [ "$(stat -c %s "$T/back")" = "$2" ] && cmp -n "$2" -i "$1:0" "$BIG" "$T/back"; }
check "a range across parts is what it says" range 8388000 9000000
check "a range past the end is damage" refused damaged "it has 1 bytes" t get size/1 5 1
check "an object that does not exist is named" refused notfound 'look at "no/such"' t head no/such
check "deleting what does not exist is fine" t delete no/such

KEYS=('odd/a b' 'odd/a+b' "odd/a'b\"c" 'odd/a//b' 'odd/ü€' 'odd/x&y<z>' 'odd/50%41' 'odd/*~!()' 'odd/[1]?#')
for k in "${KEYS[@]}"; do t put "$T/1" "$k" >/dev/null; done
printf '1 %s\n' "${KEYS[@]}" | sort >"$T/expected"
check "odd keys are listed as they are" sh -c "'$TOOL' '$T/rig.json' list odd/ | sort | diff - '$T/expected'"
odd_back() { local k; for k in "${KEYS[@]}"; do t get "$k" | cmp - "$T/1" && t delete "$k" || return 1; done; }
check "odd keys are read and deleted" odd_back
check "the parts of a multipart object go with it" t delete "size/$((40 * MIB))"

# a client that dies in the middle
mkfifo "$T/pipe"
exec 8<>"$T/pipe"
"$TOOL" "$T/rig.json" put - k/killed <"$T/pipe" >/dev/null 2>&1 8>&- &
client=$!
(exec cat "$BIG" >&8) &
feeder=$!
check "a client has sent parts" until_ok 30 sh -c "grep -h 'PUT.*k/killed/.*/1 ' '$T'/swift/log/*.log"
kill -KILL "$client" "$feeder" 2>/dev/null
wait "$client" "$feeder" 2>/dev/null
exec 8>&-
swept() { [ "$(t sweep k/ 0)" = 1 ]; }
check "its upload is swept" until_ok 10 swept
check "once" test "$(t sweep k/ 0)" = 0
check "and nothing of it is listed" test -z "$(t list k/)"

storage bad test:rig wrong us-east-1 felloe
check "a wrong secret key is denied" refused denied "storage[].secret_key does not belong to the access key" "$TOOL" "$T/bad.json" list
storage bad test:rig rigsecret0123456789 eu-west-3 felloe
check "the region that the server wants is named" refused storage 'wants region "us-east-1"; storage[].region is "eu-west-3"' "$TOOL" "$T/bad.json" list
storage bad other:rig othersecret0123456789 us-east-1 felloe
check "a stranger's bucket is refused" run -e 1 "$TOOL" "$T/bad.json" list
