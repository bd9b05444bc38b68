#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sanitize: yes
# The storage in a directory: sizes, a disk that is full, a writer that is killed.
. "$(dirname "$0")/../lib.sh"
TOOL=$BUILD/tests/noded/store_tool
[ -x "$TOOL" ] || { skip "storage in a directory" "tests/noded/store_tool is not built"; exit 77; }
MIB=1048576
mkdir "$T/disk"
storage() { printf '{"name":"disk","type":"dir","path":"%s"}\n' "$1" >"$T/disk.json"; }
t() { "$TOOL" "$T/disk.json" "$@"; }
refused() { # KIND TEXT COMMAND...
	local kind=$1 text=$2
	shift 2
	run -e 1 "$@" && says "$text" && { grep -q "^$kind: " "$ERR" || { cat "$ERR"; return 1; }; }
}
empty() { [ -z "$(ls -A "$1")" ] || { ls -lAR "$1"; return 1; }; }
put_same() { t put "$1" "$2" >"$T/said" && t get "$2" | cmp - "$1" && grep -q "$(sha256sum <"$1" | cut -d' ' -f1)" "$T/said"; }
storage "$T/disk"
: >"$T/0"
head -c 1 /dev/urandom >"$T/1"
head -c $((40 * MIB)) /dev/urandom >"$T/big"

check "a test writes, reads and removes" run t try
check "and leaves nothing" empty "$T/disk"
for f in 0 1 big; do check "an object ($f) comes back as it was" put_same "$T/$f" "a/2026/$f"; done
check "objects are not for others" test "$(stat -c %a "$T/disk/a/2026/big")$(stat -c %a "$T/disk/a")" = 600700
check "all are deleted" sh -c "for f in 0 1 big; do '$TOOL' '$T/disk.json' delete a/2026/\$f || exit 1; done"
check "with their directories" empty "$T/disk"

mkfifo "$T/pipe"
exec 8<>"$T/pipe"
"$TOOL" "$T/disk.json" put - k/killed <"$T/pipe" >/dev/null 2>&1 8>&- &
writer=$!
(exec cat "$T/big" >&8) 2>/dev/null &
feeder=$!
check "a writer is at work" until_ok 20 sh -c "find '$T/disk' -name '.felloe-tmp.*' -size +1k | grep ."
check "nothing is listed yet" test -z "$(t list)"
kill -KILL "$writer"
kill "$feeder" 2>/dev/null
wait "$writer" "$feeder" 2>/dev/null
exec 8>&-
check "a young rest of a killed writer stays" test "$(t sweep '' 3600)" = 0
find "$T/disk" -name '.felloe-tmp.*' -exec touch -d '2 hours ago' {} +
check "an old one is swept" test "$(t sweep '' 3600)" = 1
check "with its directory" empty "$T/disk"

mkdir "$T/small"
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=4m none "$T/small" 2>/dev/null; then
	at_exit "umount '$T/small'"
	storage "$T/small"
	check "an estimate over the free space is refused at once" refused space "are needed" t put "$T/1" k 8000000
	check "a disk that fills up is told as such" refused space "No space left on device" t put "$T/big" a/k
	check "and nothing is left on it" empty "$T/small"
	check "what fits still fits" put_same "$T/1" a/k
else
	skip "a disk that fills up is told as such" "needs root and a tmpfs"
fi
storage "$T/big"
check "a file is not a directory" refused storage "is not a directory" t list
storage "$T/none"
check "a directory that is not there is not made" refused notfound "create it (or mount it)" t put "$T/1" k
check "indeed" test ! -e "$T/none"
