#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a bad disk leaves: records of the node, its outbox, a sidecar, an archive.
# None of it may stop the next backup, or a restore of what is still there.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

mkdir -p "$T/www/uploads" "$T/store"
for i in $(seq 300); do echo "page $i" >"$T/www/page $i"; done
head -c 3000000 /dev/urandom >"$T/www/uploads/photo.jpg"
cat >"$T/config.json" <<JSON
{"server_id": "web-01.test", "master": {"url": "https://127.0.0.1:9", "api_key_file": "$T/key"},
 "sites": [{"name": "www", "paths": ["$T/www"]}], "storage": [{"name": "disk", "type": "dir", "path": "$T/store"}]}
JSON
echo key >"$T/key"
chmod 600 "$T/config.json" "$T/key"
noded() { felloe-noded -c "$T/config.json" --state "$T/state" "$@"; }
# spoil FILE OFFSET: 3000 bytes of it
spoil() { head -c 3000 /dev/urandom | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null; }

check "a backup ends with 0" run noded backup www
A=$(find "$T/store" -name '*.tar.zst')
cp "$A" "$T/good"
cp "$A.idx" "$T/good.idx"

spoil "$T/state/node/catalogue.db" 50
check "with damaged records the next backup is made, with a warning" run -e 3 noded backup www
check "it says what became of them" says "the catalogue of runs was damaged and is now"
check "they are kept" test -n "$(find "$T/state/node" -name 'catalogue.db.damaged-*')"
check "the new ones know the new run" test "$(noded list --json | jq '.runs | length')" = 1
check "and what was before is found on the storage" test "$(noded list --from disk | grep -c www-backup)" = 2

spoil "$T/state/node/outbox.db" 0
check "with a damaged outbox the next backup still ends with 0" run noded backup www
check "it says so" says "the outbox was damaged and is now"
check "and the run waits in a new one" test -s "$T/state/node/outbox.db"
RUN=$(noded list --json | jq -r '.runs[-1].uuid')
RUN1=$(tar --zstd -xOf "$T/good" manifest.json | jq -r .run)
back() { noded restore www --from disk --at "$RUN1" --to-dir "$T/back.$1"; }

head -c 500 /dev/urandom >"$A.idx"
check "a sidecar that is none does not stop a restore" run -e 3 back 1
check "the damage is told" says "the sidecar is damaged"
check "all files are back" diff -r "$T/www" "$T/back.1$T/www"
cp "$T/good.idx" "$A.idx"
HEAD=$(head -n 2 "$A.idx" | wc -c) D=$(sed -n 2p "$A.idx" | jq .directory)
printf 'xxxx' | dd of="$A.idx" bs=1 seek=$((HEAD + D + 300)) conv=notrunc 2>/dev/null
check "nor does one of which a part is damaged" run -e 3 back 2
check "all files are back again" diff -r "$T/www" "$T/back.2$T/www"
check "verify finds that part" run -e 1 noded verify www --from disk --run "$RUN1"
check "and says where" says "$(basename "$A") .idx:"
cp "$T/good.idx" "$A.idx"
printf 'xxxx' | dd of="$A.idx" bs=1 seek=$(($(stat -c %s "$A.idx") - 20)) conv=notrunc 2>/dev/null
check "verify finds a damaged manifest of the sidecar as well" run -e 1 noded verify www --from disk --run "$RUN1"
check "and says that, too" says ".idx: manifest in the sidecar"
check "a restore takes that of the archive" run back 5
cp "$(find "$T/store" -name '*.idx' ! -path "$A.idx" | tail -n 1)" "$A.idx"
check "the sidecar of another archive does not stop a restore" run -e 3 back 6
check "that is told" says "it is that of another archive"
check "and all files are back" diff -r "$T/www" "$T/back.6$T/www"
rm "$A.idx"
check "without a sidecar all is restored as well" run back 3
check "verify finds the archive sound" run noded verify www --from disk --run "$RUN1"
cp "$T/good.idx" "$A.idx"

printf 'xxxx' | dd of="$A" bs=1 seek=$(($(stat -c %s "$A") / 2)) conv=notrunc 2>/dev/null
check "verify finds a damaged archive" run -e 1 noded verify www --from disk --run "$RUN1"
check "by the file that is lost" says "photo.jpg"
check "and by nothing beside it" test "$(cat "$OUT" "$ERR" | grep -c DAMAGED)" = 1
check "a restore fails" run -e 1 back 4
check "naming it" says "photo.jpg"
check "with all others in place" test "$(find "$T/back.4" -type f -name 'page *' | wc -l)" = 300
check "and nothing of the damaged one" test -z "$(find "$T/back.4" -name photo.jpg)"
salvage() { noded restore www --from disk --at "$A_KEY" --to-dir "$T/back.$1" --salvage; }
A_KEY=${A#"$T/store/"}
check "with --salvage it ends with 3" run -e 3 salvage 7
check "and tells how many are lost" says "LOST: 1 member of the archive is damaged"
check "one" test "$(find "$T/www" -type f | wc -l)" = $(($(find "$T/back.7" -type f | wc -l) + 1))
truncate -s 1000000 "$A"
rm "$A.idx"
check "a stump without a sidecar is refused" run -e 1 back 8
check "with the way out" says "--salvage restores what is left"
check "which gives the files before the cut" run -e 3 salvage 9
check "all small ones" diff -r -x uploads "$T/www" "$T/back.9$T/www"
check "the run that was not touched is still sound" run noded verify www --run "$RUN"
