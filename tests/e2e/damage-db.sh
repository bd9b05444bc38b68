#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Databases out of archives that a bad disk has left: what is damaged is named,
# everything else comes back when it is asked for, and nothing looks whole that is not.
# timeout: 300
# slow: yes
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

PORT=$(free_port)
at_exit "'$RIGS/mariadb.sh' stop '$T/db'"
check "a database server starts" "$RIGS/mariadb.sh" start "$T/db" "$PORT" || exit 1
sql() { "$RIGS/mariadb.sh" sql "$T/db" "$@"; }
# many: definitions over 4 MiB, so that they lie in two frames
columns=$(for i in $(seq 60); do printf ', c%d tinyint COMMENT "%s"' "$i" "$(printf 'x%.0s' {1..1000})"; done)
{
	cat <<SQL
CREATE DATABASE shop;
USE shop;
CREATE TABLE big (id int PRIMARY KEY, body varbinary(4000));
INSERT INTO big SELECT seq, CONCAT(RANDOM_BYTES(1000), RANDOM_BYTES(1000)) FROM seq_1_to_5000;
CREATE TABLE child (id int PRIMARY KEY, note varchar(90));
INSERT INTO child SELECT seq, SHA2(seq, 256) FROM seq_1_to_500;
CREATE TABLE other LIKE child;
INSERT INTO other SELECT seq, SHA2(seq, 224) FROM seq_1_to_500;
CREATE TRIGGER of_child AFTER INSERT ON child FOR EACH ROW SET @x = 1;
CREATE DATABASE many;
USE many;
CREATE TABLE aaa (id int PRIMARY KEY);
CREATE SEQUENCE numbers;
SQL
	for i in $(seq 10 82); do echo "CREATE TABLE fill$i (id int PRIMARY KEY$columns);"; done
	cat <<SQL
CREATE TABLE numbered (id bigint PRIMARY KEY DEFAULT NEXTVAL(numbers), v int);
INSERT INTO numbered (v) SELECT seq FROM seq_1_to_100;
CREATE TABLE wide (id int PRIMARY KEY);
INSERT INTO wide (id) SELECT seq FROM seq_1_to_500;
INSERT INTO aaa SELECT id FROM wide;
CREATE TABLE zz (id int PRIMARY KEY, body varbinary(4000));
INSERT INTO zz SELECT seq, CONCAT(RANDOM_BYTES(1000), RANDOM_BYTES(1000)) FROM seq_1_to_700;
CREATE TRIGGER of_aaa AFTER INSERT ON aaa FOR EACH ROW SET @x = 1;
CREATE TRIGGER of_wide AFTER INSERT ON wide FOR EACH ROW SET @x = 1;
CREATE VIEW see_aaa AS SELECT id FROM aaa;
CREATE VIEW see_wide AS SELECT id FROM wide;
SQL
} | sql
mkdir "$T/store"
cat >"$T/config.json" <<JSON
{"server_id": "web-01.test",
 "sites": [{"name": "shop", "db_name": "shop", "db_host": "127.0.0.1:$PORT", "db_user": "backup", "db_password": "backuppw"},
           {"name": "many", "db_name": "many", "db_host": "127.0.0.1:$PORT", "db_user": "backup", "db_password": "backuppw"}],
 "storage": [{"name": "disk", "type": "dir", "path": "$T/store"}]}
JSON
chmod 600 "$T/config.json"
printf '[client]\nuser=rig\npassword="rigpw"\nhost=127.0.0.1\nport=%s\n' "$PORT" >"$T/my.cnf"
noded() { felloe-noded -c "$T/config.json" --state "$T/state" "$@"; }
# restore DB [OPTIONS]: out of the archive on the storage
restore() { noded restore "$SITE" --db-defaults "$T/my.cnf" --from disk --to-db "$@"; }
same() { # DB TABLE...: as in $SITE
	local t
	for t in "${@:2}"; do
		[ "$(sql -N -e "CHECKSUM TABLE $1.$t" | cut -f 2)" = "$(sql -N -e "CHECKSUM TABLE $SITE.$t" | cut -f 2)" ] ||
			{ echo "$1.$t differs"; return 1; }
	done
}
tables() { sql -N -e "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = '$1' ORDER BY 1" | tr '\n' ,; }
gone() { [ -z "$(sql -N -e "SHOW DATABASES LIKE '$1'")" ]; }

# take SITE: its archive is A, its index in $T/index
take() {
	SITE=$1
	A=$(find "$T/store" -name "$SITE-*.tar.zst")
	cp "$A" "$T/good" && cp "$A.idx" "$T/good.idx"
	tar --zstd -xOf "$A" index.jsonl >"$T/index"
}
at() { jq -r "select(.name == \"$1\") | .at" "$T/index"; }
len() { jq -r "select(.name == \"$1\") | .len" "$T/index"; }
# anew: the good one; spoil OFFSET [BYTES]: zeros there
anew() { cp "$T/good" "$A" && cp "$T/good.idx" "$A.idx"; }
spoil() { dd if=/dev/zero of="$A" bs=1 count="${2:-600}" seek="$1" conv=notrunc status=none; }

check "a backup ends with 0" run noded backup shop
take shop
SIZE=$(stat -c %s "$A")
INDEX=$(jq -s 'map(.at + .len) | max' "$T/index")
rows=$(jq -r 'select(.name | startswith("db/20-data/big.")) | .name' "$T/index" | sort | sed -n 2p)

# ---- a frame in the middle of a member of rows
spoil $(($(at "$rows") + $(len "$rows") / 2))
check "a restore of an archive with a damaged frame fails" run -e 1 restore a1
check "naming the member" says "lost: $rows: frame at offset"
check "and the way out" says "--salvage --fresh restores all the others"
check "with the name of the run, for which an older one would be taken now" grep -q -- '--at [0-9a-f]\{8\} --salvage' "$OUT" "$ERR"
check "and what stands there" says '`a1` is not complete'
check "of the tables that are whole it restores one alone" run restore a2 --db shop:child,other
check "like that" same a2 child other
check "with --salvage all the others come back, with 3" run -e 3 restore a3 --salvage
check "the table is named" says "table big is INCOMPLETE:"
check "with its rows" says "of 5000 rows came back"
check "and the member" says "lost: $rows:"
check "it is not called good" says "some not complete"
check "the others are what they were" same a3 child other
check "of the damaged one only whole members are there" test "$(sql -N -e "SELECT COUNT(*) FROM a3.big JOIN shop.big USING (id, body)")" = \
	"$(sql -N -e "SELECT COUNT(*) FROM a3.big")"
check "not all, and not none" test "$(sql -N -e "SELECT COUNT(*) BETWEEN 1 AND 4999 FROM a3.big")" = 1
check "--dry-run tells the losses beforehand" run -e 3 restore a4 --salvage --dry-run
check "by name" says "lost: $rows:"
check "and makes nothing" gone a4
check "a table that is not whole takes the place of no other" run -e 1 noded restore shop --db-defaults "$T/my.cnf" --from disk \
	--db shop:big --in-place --salvage
check "which is said" says "they do not take the place of what is there"
check "it is still there" test "$(sql -N -e 'SELECT COUNT(*) FROM shop.big')" = 5000
check "verify names it" run -e 1 noded verify shop --from disk --members
check "as lost" says "$rows: frame at offset"

# ---- the end of the archive
anew
spoil $((SIZE - 40)) 40
check "a damaged seek table costs nothing beside a sidecar" run restore c1
rm "$A.idx"
check "without one the restore says what it can do" run -e 1 restore c2
check "with that option" says "--salvage"
check "then all is there" run -e 3 restore c3 --salvage
check "it says how it was found" says "the index of the archive is lost"
check "and that it is proved" says "index.jsonl was found as well"
check "each table is compared" says "table big: 5000 rows, digest agrees"
check "all tables are" same c3 big child other
anew
spoil "$INDEX" $((SIZE - INDEX))
check "nor does a damaged index or manifest" run restore d1
check "all tables are there" same d1 big child other
check "verify tells that the end is damaged" run -e 1 noded verify shop --from disk
check "by the parts" says "SHA-256"
rm "$A.idx"
check "without index, manifest and sidecar all rows are still there" run -e 3 restore d2 --salvage
check "but proved by nothing" says "table big: 5000 rows, nothing to compare them with"
check "they are" same d2 big child other
python3 - "$T/good.idx" "$A.idx" <<'PY'
import json, sys
line1, line2, rest = open(sys.argv[1], 'rb').read().split(b'\n', 2)
head = json.loads(line2)
n = head.pop('manifest')
open(sys.argv[2], 'wb').write(line1 + b'\n' + json.dumps(head, separators=(',', ':')).encode() + b'\n' + rest[:-n])
PY
check "a sidecar without a manifest is not enough" run -e 1 restore d3
check "with --salvage it is" run -e 3 restore d3 --salvage
check "which is told" says "the manifest is lost"
check "all tables are" same d3 big child other

# ---- cut short
anew
truncate -s $(($(at "$rows") + 5000)) "$A"
check "an archive that is cut short is refused before anything is made" run -e 1 restore e1
check "as what it is" says "the archive is cut short"
check "with what is lost" says "lost: $rows:"
check "nothing is there" gone e1
if [ "$(at db/20-data/other.00001.sql)" -lt "$(at "$rows")" ]; then # tables come in any order
	check "tables before the cut are restored all the same" run -e 3 restore e2 --db shop:other
	check "like that" same e2 other
fi
check "the rest comes with --salvage" run -e 3 restore e3 --salvage
check "with the list" says "table big is INCOMPLETE:"
check "verify names what is cut off" run -e 1 noded verify shop --from disk
check "each member" says "db/30-post/4-triggers/00001.of_child.sql: the archive ends at"
rm "$A.idx"
check "without a sidecar it is refused" run -e 1 restore e4
check "and salvaged" run -e 3 restore e5 --salvage
check "with the tables that have a definition" test "$(tables e5)" = "big,child,other,"
check "and the rows before the cut" test "$(sql -N -e "SELECT COUNT(*) > 0 FROM e5.big")" = 1
truncate -s 100 "$A"
check "where nothing is left that is said" run -e 1 restore e6 --salvage
check "plainly" says "there is no sound frame in it"

# ---- sectors
anew
# two neighbours of one table: members of others may lie between its own
pair=$(jq -s -r '[.[] | select(.name | startswith("db/20-data/"))] | sort_by(.at) | . as $m | [range(1; length) |
	select(($m[.].name | startswith("db/20-data/big.")) and ($m[. - 1].name | startswith("db/20-data/big.")))][0] | $m[.].at' "$T/index")
spoil $((pair - 70000)) 140000
check "zeros over the end of one member and the beginning of another cost both" run -e 3 restore f1 --salvage
check "and no other" same f1 child other
anew
# no longer than what it covers: behind that may lie another table
n=$(len "$rows") first=$(len db/20-data/big.00001.sql)
dd if="$T/good" of="$A" bs=1 skip="$(at "$rows")" seek="$(at db/20-data/big.00001.sql)" \
	count=$((n < first ? n : first)) conv=notrunc status=none
check "a piece of another place is not taken for what belongs here" run -e 3 restore f2 --salvage
check "what it covers is lost" says "lost: db/20-data/big.00001.sql"
check "the others are what they were" same f2 child other

# ---- anywhere: DAMAGES times (2), sectors of zeros or a cut, with and without the sidecar
anywhere() {
	local i at t rc whole=0
	for i in $(seq "${DAMAGES:-2}"); do
		anew
		at=$((RANDOM * 32768 + RANDOM))
		if [ $((i % 4)) = 3 ]; then truncate -s $((at % SIZE)) "$A"; else spoil $((at % (SIZE - 4096))) 4096; fi
		[ $((i % 2)) = 0 ] || rm "$A.idx"
		restore wild --salvage >"$OUT" 2>"$ERR" </dev/null
		rc=$?
		[ $rc = 0 ] || [ $rc = 1 ] || [ $rc = 3 ] || { echo "at $at: ended with $rc"; return 1; }
		for t in big child other; do
			if grep -q "table $t: .*digest agrees" "$ERR"; then
				same wild "$t" || { echo "at $at"; return 1; }
				whole=$((whole + 1))
			elif [ $rc = 0 ]; then
				echo "at $at: nothing is said of $t"
				return 1
			elif [ -n "$(sql -N -e "SHOW DATABASES LIKE 'wild'")" ] && [ -n "$(sql -N -e "SHOW TABLES FROM wild LIKE '$t'")" ]; then
				# not called whole: less than there was, never anything else
				[ -z "$(sql -N -e "SELECT * FROM wild.$t EXCEPT SELECT * FROM shop.$t LIMIT 1")" ] ||
					{ echo "at $at: $t has rows that were never dumped"; return 1; }
			fi
		done
		sql -e "DROP DATABASE IF EXISTS wild"
	done
	echo "$whole tables came back whole"
}
check "whatever is damaged, what is called whole is what was dumped" anywhere

# ---- definitions
check "a database of many tables is backed up" run noded backup many
take many
[ "$(at db/10-schema/2-tables/wide.sql)" != "$(at db/10-schema/2-tables/aaa.sql)" ] || note "all definitions lie in one frame"
spoil $(($(at db/10-schema/2-tables/wide.sql) + 200))
check "without its definition a table is lost, the others are not" run -e 3 restore b1 --salvage
check "it is named" says "table wide is LOST"
check "its trigger goes with it" says "lost: db/30-post/4-triggers/00002.of_wide.sql: the definition of its table is lost"
check "and its view" says "a view is not restored"
check "nothing of it is there" test "$(tables b1 | sed 's/fill[0-9]*,//g')" = "aaa,numbers,see_aaa,"
# the order of the rows of small tables is not fixed
if [ "$(at db/20-data/aaa.00001.sql)" = "$(at db/10-schema/2-tables/wide.sql)" ]; then ROWS=0; else ROWS=500; fi
check "of the others all that is left" test "$(sql -N -e "SELECT COUNT(*) FROM b1.aaa")" = $ROWS
check "is told, and whether it is all" grep -q "table aaa is INCOMPLETE: 0 of 500 rows came back\|table aaa: 500 rows, digest agrees" "$ERR"
check "alone it cannot be had" run -e 1 restore b2 --db many:wide --salvage
anew
spoil $(($(at db/10-schema/2-tables/aaa.sql) + 200))
check "a table goes with its sequence" run -e 3 restore b3 --salvage
check "which is told" says "lost: db/10-schema/2-tables/numbered.sql:"
check "the others in that frame are what they were" same b3 wide
