#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sanitize: yes
# The archive against stock tar, bsdtar and zstd, and against damage.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
TOOL=$BUILD/tests/noded/archive_tool
ROOT=0
[ "$(id -u)" -ne 0 ] || ROOT=1

# ---- a tree with everything that can lie in one
S=$T/src
mkdir -p "$S/plain/deep/er" "$S/empty-dir" "$S/many" "$S/names"
echo 'hello' >"$S/plain/a.txt"
: >"$S/plain/empty"
head -c 3500000 /dev/urandom >"$S/plain/random.bin"
head -c 9500000 /dev/zero | tr '\0' 'x' >"$S/plain/deep/long.txt"
head -c 1048576 /dev/urandom >"$S/plain/just-1MiB"
head -c 1048577 /dev/urandom >"$S/plain/over-1MiB"
ln "$S/plain/a.txt" "$S/plain/deep/hard"
ln -s ../a.txt "$S/plain/deep/sym"
ln -s "/$(printf 'l%.0s' {1..150})" "$S/plain/deep/long-link"
ln -s "$S/plain" "$S/link-to-dir"
mkfifo "$S/plain/fifo"
for i in {1..300}; do head -c $((i * 37)) /dev/urandom >"$S/many/f$i"; done
truncate -s 20M "$S/plain/holes"
printf data1 | dd of="$S/plain/holes" bs=1 seek=5000000 conv=notrunc status=none
printf data2 | dd of="$S/plain/holes" bs=1 seek=15000000 conv=notrunc status=none
truncate -s 3M "$S/plain/only-a-hole"
truncate -s 2M "$S/plain/hole-then-end" && printf end >>"$S/plain/hole-then-end"
echo 1 >"$S/names/$(printf 'new\nline')"
echo 2 >"$S/names/quote'\"\\back"
echo 3 >"$S/names/$(printf 'bad\xff\xfeutf8')"
echo 4 >"$S/names/$(printf 'n%.0s' {1..230})"
mkdir -p "$S/names/$(printf 'd%.0s' {1..120})/$(printf 'e%.0s' {1..120})"
echo 5 >"$S/names/$(printf 'd%.0s' {1..120})/$(printf 'e%.0s' {1..120})/$(printf 'x\xff%.0s' {1..50})"
echo 6 >"$S/names/ünïcode €"
echo 7 >"$S/names/-rf *"
echo s >"$S/plain/setuid" && chmod 6755 "$S/plain/setuid"
echo r >"$S/plain/readonly" && chmod 0400 "$S/plain/readonly"
mkdir "$S/private" && echo p >"$S/private/p" && chmod 0700 "$S/private"
mkdir "$S/sticky" && chmod 1777 "$S/sticky"
touch -d '2001-02-03 04:05:06.123456789Z' "$S/plain/empty" "$S/many"
touch -d '1969-12-31 23:59:58.25Z' "$S/plain/a.txt"
touch -d '2200-01-01 00:00:00Z' "$S/plain/readonly"
touch -h -d '2002-02-02 02:02:02.5Z' "$S/plain/deep/sym"
[ $ROOT = 0 ] || { chown 12345:54321 "$S/many/f1"; chown 3000000:3000001 "$S/many/f2"; }
XATTR=
if setfattr -n user.comment -v 'a=b %25' "$S/plain/a.txt" 2>/dev/null; then
	XATTR=1
	setfattr -n user.empty "$S/plain/random.bin"
	setfattr -n user.dir -v d "$S/empty-dir"
	head -c 3000 /dev/urandom | base64 -w0 >"$T/xv" && setfattr -n user.long -v "$(cat "$T/xv")" "$S/plain/empty"
fi
ACL=
setfacl -m u:1234:rw "$S/plain/random.bin" 2>/dev/null && ACL=1

# facts DIR: everything stat knows, one line an entry, without inode and block numbers
facts() {
	(cd "$1" && find . -print0 | LC_ALL=C sort -z | xargs -0 stat --printf '%A %h %u %g %s %.9Y %F %N\n' |
		sed 's/^\(d.........\) [0-9]* \([0-9]* [0-9]*\) [0-9]*/\1 \2/')
}
# not getfattr -R: its order is the directory's, which a tmpfs turns around
attributes() { (cd "$1" && find . ! -type l -print0 | sort -z | xargs -0 getfattr -d -m - 2>/dev/null); }
same_tree() {
	facts "$1" >"$T/facts1" && facts "$2" >"$T/facts2" && diff "$T/facts1" "$T/facts2" &&
		(cd "$1" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum) >"$T/sums1" &&
		(cd "$2" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum) >"$T/sums2" &&
		diff "$T/sums1" "$T/sums2" || return 1
	[ -z "$XATTR" ] || diff <(attributes "$1") <(attributes "$2")
}

X=$T/x.tar.zst
check "a tree is packed" run "$TOOL" pack "$X" "$S"
check "nothing is skipped or changed" says "skipped 0 changed 0"

# ---- stock tools
check "zstd tests every frame" zstd -tq "$X"
check "zstd -lv reads the frames and their sizes" bash -c "zstd -lv '$X' | grep -q 'Check: XXH64'"
# GNU tar says that it does not know hdrcharset, which bsdtar needs for names that are not UTF-8
check "tar lists it without another word" bash -c "tar --zstd -tf '$X' >'$T/list' 2>'$T/list.err' && ! grep -v hdrcharset '$T/list.err'"
check "bsdtar lists it" bsdtar -tf "$X"
mkdir "$T/gnu" "$T/bsd"
check "tar unpacks it without another word" bash -c "tar --zstd -xpf '$X' --xattrs --xattrs-include='*' -C '$T/gnu' 2>&1 | grep -v -e hdrcharset -e 'implausibly old' -e 'in the future' | diff /dev/null -"
check "tar gives back the same tree" same_tree "$S" "$T/gnu/files$S"
check "bsdtar unpacks it" bsdtar -xpf "$X" -C "$T/bsd"
check "bsdtar gives back the same content" diff -r --no-dereference -x fifo "$S" "$T/bsd/files$S"
check "the holes are holes again with tar" test "$(stat -c %b "$T/gnu/files$S/plain/holes")" -lt 1000

# ---- our own reader
check "it verifies" run "$TOOL" verify "$X"
check "it is unpacked" run "$TOOL" unpack "$X" "$T/own"
check "the same tree comes back" same_tree "$S" "$T/own/files$S"
check "the holes are holes again" test "$(stat -c %b "$T/own/files$S/plain/holes")" -lt 1000
[ -z "$ACL" ] || check "the ACL comes back" bash -c "getfacl -c '$T/own/files$S/plain/random.bin' | grep -q user:1234:rw-"
check "a directory that is not empty is refused" run -e 1 "$TOOL" unpack "$X" "$T/own"
check "and the message says so" says "is not empty"
check "unless told" run env OVERWRITE=1 "$TOOL" unpack "$X" "$T/own"
check "the tree is still the same" same_tree "$S" "$T/own/files$S"
cp "$X" "$T/alone.tar.zst"
check "without its sidecar it verifies" run "$TOOL" verify "$T/alone.tar.zst"
check "the index is the same without the sidecar" bash -c "diff <('$TOOL' list '$X') <('$TOOL' list '$T/alone.tar.zst')"
check "one member comes out" bash -c "'$TOOL' cat '$X' 'files$S/plain/random.bin' | cmp - '$S/plain/random.bin'"
check "the manifest comes out" bash -c "'$TOOL' cat '$X' manifest.json | grep -q 'felloe-archive 1'"
check "a member that is not there is named" run -e 1 "$TOOL" cat "$X" nothing/here
check "by its name" says "nothing/here is not in the archive"
check "a part of the tree is unpacked" run "$TOOL" unpack "$X" "$T/part" "files$S/plain/deep" "files$S/many/f1*"
check "that part and no more" bash -c "test -f '$T/part/files$S/plain/deep/long.txt' && test -f '$T/part/files$S/many/f123' && ! test -e '$T/part/files$S/many/f2'"
check "a hard link without its file is told" bash -c "grep -q 'is a hard link to' '$ERR'"
run "$TOOL" pack "$T/twice" "$S"
check "a second archive has the same members in the same order" diff <(tar --zstd -tf "$X") <(tar --zstd -tf "$T/twice")

# ---- a byte range through zstd and tar gives one member
range_of() { "$TOOL" list "$X" "$1" | awk '{print $4, $5; exit}'; }
one_by_range() {
	local at len
	read -r at len < <(range_of "$1")
	rm -rf "$T/one" && mkdir "$T/one"
	dd if="$X" iflag=skip_bytes,count_bytes skip="$at" count="$len" status=none | zstd -dcq | tar -xf - -C "$T/one" "$1" && cmp "$T/one/$1" "/${1#files/}"
}
check "a long member by its byte range" one_by_range "files$S/plain/deep/long.txt"
check "a small member by its byte range" one_by_range "files$S/many/f200"
check "a member with a long name by its byte range" one_by_range "files$S/names/$(printf 'n%.0s' {1..230})"
by_hand() { # as docs/archive-format.md says
	local d
	d=$(sed -n 2p "$X.idx" | sed 's/.*"directory":\([0-9]*\).*/\1/')
	tail -n +3 "$X.idx" | tail -c +$((d + 1)) | zstd -dcq | grep -c '"name":"files'"$S"'/plain/a.txt"'
}
check "the sidecar is read by hand as the page says" by_hand

# ---- excludes
mkdir -p "$T/wp/cache/x" "$T/wp/plugins/p/cache" "$T/wp/uploads/cache" "$T/wp/plugins/p/node_modules/m" "$T/wp/tagged"
for f in cache/x/a plugins/p/cache/code.php uploads/cache/b uploads/pic.jpg plugins/p/node_modules/m/x debug.log a.log tagged/big; do echo x >"$T/wp/$f"; done
echo 'Signature: 8a477f597d28d172789f06886806bc55' >"$T/wp/tagged/CACHEDIR.TAG"
check "the WordPress rules and own globs leave out what they should" run env WORDPRESS=1 EXCLUDE='*.log:!debug.log' "$TOOL" pack "$T/wp.tar.zst" "$T/wp"
check "and nothing else" diff <("$TOOL" list "$T/wp.tar.zst" files | grep ^0 | sed "s|.*files$T/wp/||") <(printf '%s\n' debug.log plugins/p/cache/code.php tagged/CACHEDIR.TAG uploads/pic.jpg)

# ---- sizes over 8 GiB
mkdir "$T/huge" && truncate -s 20G "$T/huge/disk.img" && printf x | dd of="$T/huge/disk.img" bs=1 seek=19000000000 conv=notrunc status=none
check "a file of 20 GiB of holes is packed" run "$TOOL" pack "$T/huge.tar.zst" "$T/huge"
check "its holes are not" test "$(stat -c %s "$T/huge.tar.zst")" -lt 100000
check "it is unpacked" run "$TOOL" unpack "$T/huge.tar.zst" "$T/hx"
mkdir "$T/hg" && check "also by tar" tar --zstd -xf "$T/huge.tar.zst" -C "$T/hg"
huge_same() { [ "$(stat -c %s "$1")" = 21474836480 ] && [ "$(stat -c %b "$1")" -lt 100 ] && [ "$(dd if="$1" bs=1 skip=19000000000 count=1 status=none)" = x ]; }
check "ours has its size, its byte and its holes" huge_same "$T/hx/files$T/huge/disk.img"
check "so has that of tar" huge_same "$T/hg/files$T/huge/disk.img"

# ---- what cannot be read
mkdir "$T/odd" && echo ok >"$T/odd/fine"
python3 - "$T/odd/sock" <<'PY'
import socket, sys
socket.socket(socket.AF_UNIX).bind(sys.argv[1])
PY
check "a missing root and a socket do not end the run" run "$TOOL" pack "$T/odd.tar.zst" "$T/odd" "$T/not-there"
check "both are counted" says "skipped 1 changed 0 sockets 1"
check "the root is named" says "$T/not-there"
if [ $ROOT = 1 ] && command -v setpriv >/dev/null; then
	mkdir "$T/low" "$T/low/closed" && echo secret >"$T/low/secret" && echo x >"$T/low/closed/x" && chmod 600 "$T/low/secret" && chmod 700 "$T/low/closed" && echo ok >"$T/low/open"
	mkdir "$T/outdir" && chmod 777 "$T/outdir"
	check "files without permission do not end the run" run setpriv --reuid 65534 --regid 65534 --clear-groups "$TOOL" pack "$T/outdir/low.tar.zst" "$T/low"
	check "they are counted" says "skipped 2"
	check "and named" says "$T/low/secret: open: Permission denied"
	check "a plain user unpacks it" run setpriv --reuid 65534 --regid 65534 --clear-groups "$TOOL" unpack "$T/outdir/low.tar.zst" "$T/outdir/x"
else
	skip "files without permission do not end the run" "needs root and setpriv"
fi
mkdir "$T/grow" && head -c 40000000 /dev/zero >"$T/grow/log"
writer() { while :; do printf 'one more line\n' >>"$T/grow/log"; truncate -s -3 "$T/grow/log"; printf x >>"$T/grow/log"; done; }
writer & W=$!
at_exit "kill $W"
check "a file that grows while it is read is packed" run "$TOOL" pack "$T/grow.tar.zst" "$T/grow"
check "and marked" says "changed 1"
kill $W && wait $W 2>/dev/null
check "that archive verifies" run "$TOOL" verify "$T/grow.tar.zst"
check "and stock tar reads it" bash -c "tar --zstd -tf '$T/grow.tar.zst' >/dev/null"

# ---- damage
poke() { # FILE OFFSET: turn the bits of one byte
	python3 - "$1" "$2" <<'PY'
import sys
with open(sys.argv[1], 'r+b') as f:
    f.seek(int(sys.argv[2])); b = f.read(1)[0]
    f.seek(int(sys.argv[2])); f.write(bytes([b ^ 0xff]))
PY
}
D=$T/d.tar.zst
cp "$X" "$D" && cp "$X.idx" "$D.idx"
read -r AT LEN < <(range_of "files$S/plain/random.bin")
poke "$D" $((AT + LEN / 2))
check "a damaged byte fails the check" run -e 1 "$TOOL" verify "$D"
check "and names the member" says "damaged: files$S/plain/random.bin"
check "a strict reading ends there" run -e 1 env STRICT=1 "$TOOL" unpack "$D" "$T/stop"
check "reading the member fails" run -e 1 "$TOOL" cat "$D" "files$S/plain/random.bin"
check "the message names it" says "random.bin"
check "its neighbours are still read" bash -c "'$TOOL' cat '$D' 'files$S/plain/deep/long.txt' | cmp - '$S/plain/deep/long.txt'"
check "all the others are unpacked" run -e 1 "$TOOL" unpack "$D" "$T/dx"
check "only that one is lost" test "$(grep -c ^damaged "$OUT")" -eq 1
check "nothing of the damaged one is left" bash -c "! test -e '$T/dx/files$S/plain/random.bin' && diff -r --no-dereference -x fifo -x random.bin '$S' '$T/dx/files$S'"
cp "$X" "$D"
read -r AT LEN < <(range_of "files$S/many/f7")
poke "$D" $((AT + LEN / 2))
check "a damaged frame of small members names them" run -e 1 "$TOOL" verify "$D"
check "each of them" says "files$S/many/f7:"
check "without a listener the error names some" run -e 1 env STRICT=1 "$TOOL" unpack "$D" "$T/strict" "files$S/many"
check "with the offset" says "frame at offset $AT"
SIZE=$(stat -c %s "$X")
head -c $((SIZE / 2)) "$X" >"$D"
check "an archive cut in half fails" run -e 1 "$TOOL" verify "$D"
check "with its sidecar the first members are still unpacked" run -e 1 "$TOOL" unpack "$D" "$T/half"
check "the others are named" says "damaged: files$S/private/p"
check "they are right" cmp "$S/many/f1" "$T/half/files$S/many/f1"
rm "$D.idx"
check "without the sidecar it is refused" run -e 1 "$TOOL" list "$D"
check "and told to be cut short" says "cut short"
cp "$X" "$D" && head -c 100 "$X.idx" >"$D.idx"
check "a cut sidecar is told" run -e 1 "$TOOL" list "$D"
check "as damage of the sidecar" says "sidecar"
