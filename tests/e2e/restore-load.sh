#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sanitize: yes
# The loader: several connections give what one gives, indexes and foreign keys
# that are added afterwards stand where they stood, and what goes wrong is named.
# slow: yes
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

PORT=$(free_port)
at_exit "'$RIGS/mariadb.sh' stop '$T/db'"
check "a database server starts" "$RIGS/mariadb.sh" start "$T/db" "$PORT" --general-log-file="$T/db/general.log" || exit 1
sql() { "$RIGS/mariadb.sh" sql "$T/db" "$@"; }
# the first four over 4 MiB each, or their keys would stay where they are
sql <<'SQL'
CREATE DATABASE shop; USE shop;
CREATE TABLE a_parent (id int AUTO_INCREMENT PRIMARY KEY, code int NOT NULL, pad text, KEY code (code), KEY pad (pad(20))) ENGINE=InnoDB;
INSERT INTO a_parent SELECT seq, seq MOD 1000, REPEAT(MD5(seq), 12) FROM seq_1_to_12000;
CREATE TABLE b_many (id int, u1 int, u2 varchar(40), `k``1` int COMMENT 'KEY `x` (`y`)), ) ENGINE=MyISAM, it''s', k2 varchar(40) DEFAULT 'a,(\\''', parent int, code int,
  body text, KEY z_last_by_name (k2), UNIQUE KEY u2 (u2), KEY `odd, ``name` (`k``1`, k2(10)), PRIMARY KEY (id), FULLTEXT KEY words (body), KEY a_first_by_name (u1) COMMENT 'it''s, a (key)',
  UNIQUE KEY u1 (u1), KEY parent (parent), KEY code (code), CONSTRAINT `b to a` FOREIGN KEY (parent) REFERENCES a_parent (id) ON DELETE CASCADE,
  CONSTRAINT a_by_code FOREIGN KEY (code) REFERENCES a_parent (code), CONSTRAINT positive CHECK (id > 0 AND k2 <> ',')) ENGINE=InnoDB;
INSERT INTO b_many SELECT seq, seq, MD5(seq), seq MOD 77, MD5(seq MOD 99), 1 + seq MOD 12000, seq MOD 1000, REPEAT(CONCAT(MD5(seq), ' '), 12) FROM seq_1_to_12000;
CREATE TABLE c_counter (n int, id int AUTO_INCREMENT, t text, KEY before_it (n), KEY id (id), KEY behind (n, id)) ENGINE=InnoDB;
INSERT INTO c_counter SELECT seq, seq, REPEAT(MD5(seq), 12) FROM seq_1_to_12000;
CREATE TABLE d_map (id int PRIMARY KEY, p point NOT NULL, n int, t text, KEY n (n), SPATIAL KEY p (p), KEY t (t(30))) ENGINE=InnoDB;
INSERT INTO d_map SELECT seq, POINT(seq, -seq), seq, REPEAT(MD5(seq), 12) FROM seq_1_to_12000;
CREATE TABLE e_made (id int PRIMARY KEY, t text, l int AS (LENGTH(t)) VIRTUAL, s varchar(9) AS (LEFT(t, 9)) STORED, KEY l (l), KEY s (s), KEY t (t(20))) ENGINE=InnoDB;
INSERT INTO e_made (id, t) SELECT seq, REPEAT(MD5(seq), 12) FROM seq_1_to_500;
CREATE TABLE f_parts (id int, n int, t text, PRIMARY KEY (id), KEY n (n)) ENGINE=InnoDB PARTITION BY HASH (id) PARTITIONS 3;
INSERT INTO f_parts SELECT seq, seq, REPEAT(MD5(seq), 12) FROM seq_1_to_500;
CREATE TABLE g_past (id int PRIMARY KEY, n int, t text, KEY n (n)) ENGINE=InnoDB WITH SYSTEM VERSIONING;
INSERT INTO g_past SELECT seq, seq, REPEAT(MD5(seq), 12) FROM seq_1_to_500;
CREATE TABLE h_one (id int PRIMARY KEY, other int, KEY other (other)) ENGINE=InnoDB;
CREATE TABLE h_two (id int PRIMARY KEY, other int, CONSTRAINT to_one FOREIGN KEY (other) REFERENCES h_one (id)) ENGINE=InnoDB;
ALTER TABLE h_one ADD CONSTRAINT to_two FOREIGN KEY (other) REFERENCES h_two (id);
INSERT INTO h_one VALUES (1, NULL); INSERT INTO h_two VALUES (1, 1); UPDATE h_one SET other = 1;
CREATE TABLE z_last (id int PRIMARY KEY, t text) ENGINE=InnoDB;
INSERT INTO z_last SELECT seq, REPEAT(MD5(seq), 25) FROM seq_1_to_12000;
CREATE TABLE z_session (id int PRIMARY KEY) ENGINE=InnoDB;
INSERT INTO z_session VALUES (1);
SQL
TABLES=$(sql -N -e "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'shop' ORDER BY 1")
mkdir "$T/store"
config() {
	cat >"$T/config$1.json" <<JSON
{"server_id": "web-01.test", "limits": {"mysql_connections": $1},
 "sites": [{"name": "shop", "db_name": "shop", "db_host": "127.0.0.1:$PORT", "db_user": "backup", "db_password": "backuppw",
            "exclude_tables": ["z_session:data"]}],
 "storage": [{"name": "disk", "type": "dir", "path": "$T/store"}]}
JSON
	chmod 600 "$T/config$1.json"
}
config 1; config 4
printf '[client]\nuser=rig\npassword="rigpw"\nhost=127.0.0.1\nport=%s\n' "$PORT" >"$T/my.cnf"
# restore CONNECTIONS OPTIONS...
restore() { felloe-noded -c "$T/config$1.json" --state "$T/state" restore shop --db-defaults "$T/my.cnf" "${@:2}"; }
create() { for t in $TABLES; do sql -N -e "SHOW CREATE TABLE $1.$t"; done; }
sums() { for t in $TABLES; do [ "$t" = z_session ] || sql -N -e "CHECKSUM TABLE $1.$t" | cut -f 2; done; }
rows_of() { sql -N -e "SELECT COUNT(*) FROM $1"; }

check "the database is backed up" run felloe-noded -c "$T/config1.json" --state "$T/state" backup shop
check "it is restored over one connection" run restore 1 --to-db serial
sql -e "SET GLOBAL general_log = 1"
check "and over four" run restore 4 --to-db side
sql -e "SET GLOBAL general_log = 0"
check "every table was compared" says "10 tables, 61502 rows, all digests agree"
check "that of which no rows were wanted is there" test "$(rows_of side.z_session)" = 0
check "one connection makes each table as it was" diff <(create shop) <(create serial)
check "so do four" diff <(create shop) <(create side)
check "one loads the rows that were there" test "$(sums serial)" = "$(sums shop)"
check "so do four" test "$(sums side)" = "$(sums shop)"
check "more than one connection had rows to load" test \
	"$(grep -oE '[0-9]+ Query	INSERT INTO `[a-z_]+`' "$T/db/general.log" | cut -d ' ' -f 1 | sort -u | wc -l)" -gt 1
added() { grep -oE 'ALTER TABLE `[a-z_]+` ADD (KEY|CONSTRAINT)' "$T/db/general.log" | tr -d '\`' | cut -d ' ' -f 3,5 | LC_ALL=C sort -u | tr '\n' ,; }
check "indexes came after the rows where that is possible, foreign keys everywhere" test "$(added)" = \
	"a_parent KEY,b_many CONSTRAINT,b_many KEY,c_counter KEY,d_map KEY,h_one CONSTRAINT,h_two CONSTRAINT,"
check "the foreign keys work" eval "! sql -e 'INSERT INTO side.h_two VALUES (9, 99)' 2>/dev/null"
check "also that to an index which is not unique" eval "! sql -e 'UPDATE side.b_many SET code = -1 WHERE id = 5' 2>/dev/null"
check "and let pass what is right" sql -e "UPDATE side.b_many SET code = 7, parent = 8 WHERE id = 5"
sql -e "DROP DATABASE serial; DROP DATABASE side"

# ---- an archive whose digests are right, and whose SQL is not
A=$(find "$T/store" -name '*.tar.zst')
cp "$A" "$T/good" && mv "$A.idx" "$T/good.idx"
check "a member is given a row twice" test "$("$BUILD/tests/noded/archive_tool" change "$T/good" "$A" "(12000,'" "(11999,'")" = "changed 1"
check "which is an error" run -e 1 restore 4 --to-db forged
check "that names the member" says "db/20-data/z_last.0000"
check "and the row" says "Duplicate entry '11999' for key 'PRIMARY'"
check "nothing of that member is there" test "$(rows_of "forged.z_last WHERE id BETWEEN 11900 AND 12000")" = 0
check "a dry run finds the journal" run restore 4 --to-db forged --dry-run
check "and how much is there" says "members of rows are loaded"
cp "$T/good" "$A" && cp "$T/good.idx" "$A.idx"
check "from the archive as it was it goes on" run restore 4 --to-db forged
check "to the end" test "$(sums forged)" = "$(sums shop)"
sql -e "DROP DATABASE forged"

# ---- somebody writes into the copy while it is made
# meddle SCHEMA SQL: a restore, and a statement as soon as its table is there. The server itself tries it again and
# again: what came from outside might come when the restore is over
meddle() {
	sql --delimiter=// -e "BEGIN NOT ATOMIC
		DECLARE waits INT DEFAULT 1;
		WHILE waits BETWEEN 1 AND 100000 DO
			BEGIN
				DECLARE CONTINUE HANDLER FOR SQLEXCEPTION SET waits = -waits + 1;
				SET waits = -waits;
				$2;
			END;
			DO SLEEP(0.001);
		END WHILE;
	END //" 2>"$T/meddle" & MEDDLER=$!
	until_ok 20 eval '[ "$(sql -N -e "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE = '"'User sleep'"'")" -ge 1 ]'
	restore 4 --to-db "$1" >"$OUT" 2>"$ERR" </dev/null
}
meddle more "INSERT INTO more.z_last VALUES (-1, 'mine')"
check "a row too many is an error" test $? -eq 1
wait "$MEDDLER"
check "that names the table, what was found and what was expected" says "table z_last: 12001 rows (12000 were dumped), rows are missing or too many"
check "and where the copy is" says "the copy is in \`more\`"
check "there is nothing to go on with" test "$(sql -N -e "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_NAME LIKE 'felloe%'")" = 0
sql -e "DROP DATABASE more"

# ---- a server without room
SUMS=$(sums shop)
"$RIGS/mariadb.sh" stop "$T/db" >/dev/null
at_exit "'$RIGS/mariadb.sh' stop '$T/tiny'"
check "a server with little room starts" "$RIGS/mariadb.sh" start "$T/tiny" "$PORT" --innodb-file-per-table=0 --innodb-data-file-path=ibdata1:12M
check "a restore into it fails" run -e 1 restore 4 --to-db full
check "because a table is full" says "is full (1114)"
check "it says how to go on" says "the same command goes on with it"
"$RIGS/mariadb.sh" stop "$T/tiny" >/dev/null
check "with more room" "$RIGS/mariadb.sh" start "$T/tiny" "$PORT" --innodb-data-file-path=ibdata1:12M:autoextend
check "it goes on" run restore 4 --to-db full
sql() { "$RIGS/mariadb.sh" sql "$T/tiny" "$@"; }
check "and is complete" test "$(sums full)" = "$SUMS"
