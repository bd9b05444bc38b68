#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sanitize: yes
# timeout: 180
# A disk that fails while it is read: what was sound when the archive was looked at breaks before it is
# loaded. With --salvage each table that lacks rows is told, and has its indexes and foreign keys all the same.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

PORT=$(free_port)
at_exit "'$RIGS/mariadb.sh' stop '$T/db'"
check "a database server starts" "$RIGS/mariadb.sh" start "$T/db" "$PORT" || exit 1
sql() { "$RIGS/mariadb.sh" sql "$T/db" "$@"; }
# many: definitions over 4 MiB, so that they lie in two frames; the rows of aaa have their own
columns=$(for i in $(seq 60); do printf ', c%d tinyint COMMENT "%s"' "$i" "$(printf 'x%.0s' {1..1000})"; done)
{
	cat <<SQL
CREATE DATABASE shop;
USE shop;
CREATE TABLE parent (id int PRIMARY KEY, note varchar(90));
INSERT INTO parent SELECT seq, SHA2(seq, 256) FROM seq_1_to_100;
CREATE TABLE big (id int PRIMARY KEY, of int NOT NULL, mark int NOT NULL, body varbinary(4000), KEY by_mark (mark),
	UNIQUE KEY by_both (of, id), CONSTRAINT to_parent FOREIGN KEY (of) REFERENCES parent (id));
INSERT INTO big SELECT seq, seq % 100 + 1, seq % 7, CONCAT(RANDOM_BYTES(1000), RANDOM_BYTES(1000)) FROM seq_1_to_5000;
CREATE TABLE other LIKE parent;
INSERT INTO other SELECT * FROM parent;
CREATE TRIGGER of_other AFTER INSERT ON other FOR EACH ROW SET @x = 1;
CREATE DATABASE many;
USE many;
CREATE TABLE aaa (id int PRIMARY KEY, body varbinary(4000));
INSERT INTO aaa SELECT seq, CONCAT(RANDOM_BYTES(1000), RANDOM_BYTES(1000)) FROM seq_1_to_1000;
SQL
	for i in $(seq 10 79); do echo "CREATE TABLE fill$i (id int PRIMARY KEY$columns);"; done
	cat <<SQL
CREATE TABLE zzz (id int PRIMARY KEY, aaa int, CONSTRAINT to_aaa FOREIGN KEY (aaa) REFERENCES aaa (id));
INSERT INTO zzz VALUES (1, 1), (2, 2), (3, 3);
CREATE TRIGGER of_aaa AFTER INSERT ON aaa FOR EACH ROW SET @x = 1;
CREATE TRIGGER of_zzz AFTER INSERT ON zzz FOR EACH ROW SET @x = 1;
CREATE VIEW see_zzz AS SELECT id FROM zzz;
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
noded() { felloe-noded -c "$T/config.json" --state "$T/state" "$@"; }
take() { # SITE: its archive is A, its index in $T/index
	SITE=$1
	A=$(find "$T/store" -name "$SITE-*.tar.zst")
	cp "$A" "$T/good"
	tar --zstd -xOf "$A" index.jsonl >"$T/index"
}
at() { jq -r "select(.name == \"$1\") | .at" "$T/index"; }
len() { jq -r "select(.name == \"$1\") | .len" "$T/index"; }
spoil() { dd if=/dev/zero of="$A" bs=1 count=600 seek="$1" conv=notrunc status=none; }
# breaking TEXT COMMAND... -- restore arguments: out of the archive as it was, and COMMAND is done to it when
# TEXT is on its way to the server
breaking() {
	local text=$1 when=()
	shift
	while [ "$1" != -- ]; do when+=("$1"); shift; done
	shift
	local port
	port=$(free_port)
	spawn watch python3 "$HERE/fake/db-watch" "$port" "$PORT" "$text" "${when[@]}"
	until_ok 20 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port" || return 1
	printf '[client]\nuser=rig\npassword="rigpw"\nhost=127.0.0.1\nport=%s\n' "$port" >"$T/my.cnf"
	noded restore "$SITE" --db-defaults "$T/my.cnf" --from disk "$@"
	local rc=$?
	stop_pid watch
	grep -q seen "$T/watch.log" || { echo "it never sent $text"; return 99; }
	rm "$T/watch.log"
	return $rc
}
zeros() { echo dd if=/dev/zero of="$A" bs=1 count=600 seek="$1" conv=notrunc status=none; }
rows() { sql -N -e "SELECT COUNT(*) FROM $1.$2"; }
same() { # DB TABLE...: as in $SITE
	local t
	for t in "${@:2}"; do
		[ "$(sql -N -e "CHECKSUM TABLE $1.$t" | cut -f 2)" = "$(sql -N -e "CHECKSUM TABLE $SITE.$t" | cut -f 2)" ] ||
			{ echo "$1.$t differs"; return 1; }
	done
}
# defined DB TABLE: just like in $SITE, indexes and foreign keys too
defined() {
	diff <(sql -N -e "SHOW CREATE TABLE $1.$2") <(sql -N -e "SHOW CREATE TABLE $SITE.$2")
}
# incomplete DB: what was told of big is what is there, part of what was dumped
incomplete() {
	local n
	n=$(rows "$1" big)
	[ "$n" -gt 0 ] && [ "$n" -lt 5000 ] || { echo "$n rows"; return 1; }
	grep -qF "table big is INCOMPLETE: $n of 5000 rows came back" "$ERR" || { cat "$ERR"; return 1; }
	[ "$(sql -N -e "SELECT COUNT(*) FROM $1.big JOIN shop.big USING (id, of, mark, body)")" = "$n" ]
}

check "a backup ends with 0" run noded backup shop
take shop
mapfile -t MEMBERS < <(jq -r 'select(.name | startswith("db/20-data/big.")) | .name' "$T/index" | sort)
check "the large table has several members" test "${#MEMBERS[@]}" -ge 3
first=${MEMBERS[0]} second=${MEMBERS[-2]} last=${MEMBERS[-1]}
middle() { echo $(($(at "$1") + $(len "$1") / 2)); }

# ---- nothing was wrong when it was read for the first time
# shellcheck disable=SC2046
step "a frame breaks between the first reading and the load" run -e 3 breaking "CREATE DATABASE" $(zeros "$(middle "$second")") -- --to-db a1 --salvage
check "its member is named" says "lost: $second: frame at offset"
check "its table is INCOMPLETE, with its rows" incomplete a1
check "and has its indexes and its foreign key" defined a1 big
check "the others are what they were" same a1 parent other
check "with their definitions" defined a1 other
check "it is not called good" says "some not complete"
cp "$T/good" "$A"
# shellcheck disable=SC2046
step "without --salvage such a restore fails" run -e 1 breaking "CREATE DATABASE" $(zeros "$(middle "$second")") -- --to-db a2
check "naming the member" says "lost: $second:"
cp "$T/good" "$A"
printf 'dd if="%s" of="%s" bs=1 skip=%s seek=%s count=%s conv=notrunc status=none\n' "$T/good" "$A" "$(at "$last")" \
	"$(at "$first")" "$(len "$last")" >"$T/other-frame"
step "so it is with a sound frame that holds something else" run -e 3 breaking "CREATE DATABASE" sh "$T/other-frame" -- --to-db a3 --salvage
check "the member is named" says "lost: $first:"
check "the table told" incomplete a3
check "and whole but for its rows" defined a3 big
cp "$T/good" "$A"

# ---- one member is known to be lost, another breaks later: at the end, while rows are loaded
spoil "$(middle "$first")"
# shellcheck disable=SC2046
step "one more member breaks while rows are loaded" run -e 3 breaking "CREATE TABLE" $(zeros "$(middle "$last")") -- --to-db b1 --salvage
check "the first is named" says "lost: $first:"
check "so is the second" says "lost: $last:"
check "the table is told once" test "$(grep -c 'table big' "$ERR")" = 1
check "with its rows" incomplete b1
check "and has its keys" defined b1 big
check "the others are what they were" same b1 parent other
cp "$T/good" "$A"
# shellcheck disable=SC2046
step "in place nothing is replaced by what broke" run -e 1 breaking "CREATE DATABASE" $(zeros "$(middle "$second")") -- \
	--in-place --salvage --db shop:big
check "the table is as it was" test "$(rows shop big)" = 5000

# ---- definitions
check "a database of many tables is backed up" run noded backup many
take many
[ "$(at db/10-schema/2-tables/zzz.sql)" != "$(at db/10-schema/2-tables/aaa.sql)" ] || note "all definitions lie in one frame"
# shellcheck disable=SC2046
step "definitions break" run -e 3 breaking "CREATE DATABASE" $(zeros $(($(at db/10-schema/2-tables/zzz.sql) + 200))) -- --to-db c1 --salvage
check "the table without one is named" says "table zzz is LOST"
check "and is not there" test "$(sql -N -e "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'c1' AND TABLE_NAME = 'zzz'")" = 0
check "its view is told" says "a view is not restored"
check "what was before them is there" same c1 aaa
check "as it was" defined c1 aaa
check "no table is called whole that is not" hides "table zzz:"
cp "$T/good" "$A"
# shellcheck disable=SC2046
step "all definitions are gone" run -e 1 breaking "CREATE DATABASE" $(zeros $(($(at db/10-schema/2-tables/zzz.sql) + 200))) -- \
	--to-db c2 --salvage --db many:zzz
check "that is no restore" says "the definition of each table that is wanted is lost"
