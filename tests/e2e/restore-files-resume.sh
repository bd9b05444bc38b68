#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A restore of files that was cut off goes on when the same command is given
# again: what is whole is not fetched once more, what is not is.
# sanitize: yes
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/site-lib.sh
. "$HERE/site-lib.sh"

db_server
sql() { "$RIGS/mariadb.sh" sql "$T/db" -N "$@"; }
sql -e "CREATE DATABASE shop; USE shop; CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT seq, REPEAT(MD5(seq), 40) FROM seq_1_to_3000"
W=$T/www
mkdir -p "$W/sub/deep" "$W/shut"
for i in {10..19}; do head -c 1300000 /dev/urandom >"$W/big$i"; done   # each in frames of its own
for i in {10..39}; do head -c 3000 /dev/urandom >"$W/sub/small$i"; done
ln "$W/big12" "$W/sub/deep/hard"; ln -s ../big13 "$W/sub/soft"; mkfifo "$W/sub/pipe"
truncate -s 3M "$W/sparse"; printf x | dd of="$W/sparse" bs=1 seek=2000000 conv=notrunc status=none
touch -d '2020-02-02 02:02:02.123456789' "$W/big11" "$W/sub"; chmod 640 "$W/big14"; chmod 555 "$W/shut"
one_site shop shop rig ".sites[0].paths = [\"$W\"]"
check "a site with files is backed up" run noded backup
A=$(find "$T/store" -name '*.tar.zst')
tree() { (cd "$1" && find . -printf '%P %y %m %T@ %s %n %l\n' | sed 's/^ .*//' | sort && find . -type f -print0 | sort -z | xargs -0 sha256sum); }
tree "$W" >"$T/wanted"
same() { diff "$T/wanted" <(tree "$1$W"); }
none_of_ours() { [ -z "$(find "$1" -name '.felloe*')" ]; }
# hurt NAME: a byte of the member; mend: as it was
hurt() {
	local at
	at=$(tar --zstd -xOf "$T/good" index.jsonl | jq -r "select(.name == \"$1\") | .at + 40")
	printf 'XXXX' | dd of="$A" bs=1 seek="$at" conv=notrunc status=none
}
# A restore that met the damage has taken the run out of the good ones; a look at all of it gives it back.
mend() { cp "$T/good" "$A" && noded verify shop --run "$RUN" --members >"$T/mended" 2>&1; }
fetched() { sed -n 's/^done: \([0-9]*\) bytes.*/\1/p' "$OUT"; }
cp "$A" "$T/good"
SIZE=$(stat -c %s "$A")
RUN=$(noded list shop --json | jq -r '.runs[0].uuid')

# ---- cut off by an error in the middle
restore() { noded restore shop --files "$W" --to-dir "$T/to" "$@"; }
hurt "files$W/big18"
check "a restore that fails in the middle" run -e 1 restore
check "leaves what it unpacked" test -s "$T/to$W/big11"
check "another does not write there" run -e 1 noded restore shop --at "$RUN" --files "$W/sub" --to-dir "$T/to"
check "which is said" says "holds an unfinished restore of another archive, or with other options"
check "sound again the run is a good one" mend
head -c 1300000 /dev/urandom >"$T/other" && touch -r "$T/to$W/big11" "$T/other" && cp -p "$T/other" "$T/to$W/big11"   # same size and time
rm -f "$T/to$W/big10"; printf y >>"$T/to$W/big13"
check "a dry run says that it would go on" run restore --dry-run
check "in words" says "would go on with the unfinished restore in $T/to"
check "the same command goes on" run restore
check "and says so" says "resuming the restore into $T/to"
check "in the end all is as it was" same "$T/to"
check "most of it was not fetched again" test "$(fetched)" -lt $((SIZE * 7 / 10))
check "nothing of the work is left" none_of_ours "$T/to"
check "what is complete is not touched" run -e 1 restore
check "but refused" says "is not empty"

# ---- files are there, the database is not; under the usual name, which has the time in it
cd "$T" || exit 1
hurt db/20-data/t.00001.sql
check "files come first, then the database fails" run -e 1 noded restore shop
DIR=$(find "$T" -maxdepth 1 -name 'shop-restored-*')
check "they are there" same "$DIR"
check "the run is mended" mend
check "the same command goes on" run noded restore shop
check "with the database alone" says "all files are in ./${DIR##*/} already"
check "into the schema that was begun" test "$(sql -e "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE 'shop\_restored%'")" = 1
check "nothing of the work is left" none_of_ours "$DIR"
check "and there is one directory" test "$(find "$T" -maxdepth 1 -name 'shop-restored-*' | wc -l)" = 1

# ---- kill -9, wherever it is
killed() {
	felloe-noded -c "$T/config.json" --state "$T/state" restore shop --files "$W" --to-dir "$T/killed" >"$T/killed.log" 2>&1 &
	local pid=$!
	until_ok 30 test -e "$T/killed$W" || { cat "$T/killed.log"; return 1; }
	kill -9 "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	[ -d "$T/killed" ]
}
check "one is killed" killed
if none_of_ours "$T/killed"; then
	check "after its end" same "$T/killed"
else
	check "the same command goes on" run noded restore shop --files "$W" --to-dir "$T/killed"
	check "to the end" same "$T/killed"
fi
check "with --salvage it begins anew" run -e 1 noded restore shop --files "$W" --to-dir "$T/killed" --salvage
chmod -R u+w "$T"
