#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A site backed up into a directory: opened by stock tools, listed, verified,
# restored as a whole, as one table in place, as files.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

PORT=$(free_port)
at_exit "'$RIGS/mariadb.sh' stop '$T/db'"
check "a database server starts" "$RIGS/mariadb.sh" start "$T/db" "$PORT" || exit 1
sql() { "$RIGS/mariadb.sh" sql "$T/db" "$@"; }

# ---- a site
sql <<'SQL'
CREATE DATABASE shop CHARACTER SET utf8mb4;
USE shop;
CREATE TABLE wp_options (option_id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, option_name varchar(191) NOT NULL UNIQUE,
  option_value longtext NOT NULL, autoload varchar(20) NOT NULL DEFAULT 'yes');
CREATE TABLE wp_posts (ID bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, post_title text NOT NULL, post_content longtext,
  post_date datetime NOT NULL DEFAULT '0000-00-00 00:00:00', score float, KEY d (post_date));
CREATE TABLE wp_sessions (id int PRIMARY KEY, data blob);
INSERT INTO wp_options (option_name, option_value) SELECT CONCAT('o', seq), REPEAT(MD5(seq), 5) FROM seq_1_to_2000;
INSERT INTO wp_posts (post_title, post_content, score) SELECT CONCAT('Ünï ', seq, ' 😀'), REPEAT(MD5(seq), 40), seq / 3
  FROM seq_1_to_12000;
INSERT INTO wp_sessions SELECT seq, UNHEX(MD5(seq)) FROM seq_1_to_50;
CREATE VIEW wp_titles AS SELECT ID, post_title FROM wp_posts;
SQL
W=$T/www
mkdir -p "$W/wp-content/uploads/2026" "$W/wp-content/cache" "$T/store"
cat >"$W/wp-config.php" <<PHP
<?php
// define('DB_NAME', 'wrong');
define( 'DB_NAME', 'shop' );
define( 'DB_USER', "backup" );
define( 'DB_PASSWORD', 'backup' . 'pw' );
define( 'DB_HOST', '127.0.0.1:$PORT' );
require_once ABSPATH . 'wp-settings.php';
PHP
head -c 2500000 /dev/urandom >"$W/wp-content/uploads/2026/photo.jpg"
echo hello >"$W/wp-content/uploads/a file with ünï.txt"
ln -s a\ file\ with\ ünï.txt "$W/wp-content/uploads/link"
echo junk >"$W/wp-content/cache/page.html"
echo log >"$W/wp-content/x.log"
cat >"$T/config.json" <<JSON
{"server_id": "web-01.test",
 "sites": [{"name": "shop", "wp_config_path": "$W/wp-config.php", "wp_content_path": "$W/wp-content",
            "exclude": ["*.log"], "exclude_tables": ["wp_sessions:data"]}],
 "storage": [{"name": "disk", "type": "dir", "path": "$T/store"}]}
JSON
chmod 600 "$T/config.json"
printf 'rigpw\n' >"$T/pw" && chmod 600 "$T/pw"
printf '[client]\nuser=rig\npassword="rigpw"\nhost=127.0.0.1\nport=%s\n' "$PORT" >"$T/my.cnf"
noded() { felloe-noded -c "$T/config.json" --state "$T/state" "$@"; }
sums() { sql -N -e "CHECKSUM TABLE $1.wp_options, $1.wp_posts, $1.wp_sessions" | sed "s/^$1\.//"; }
BEFORE=$(sums shop)

# ---- backup
check "check finds everything in order" run noded check
check "it says so" says "ok       site shop: database shop"
check "a dry run stores nothing" run noded backup --dry-run
check "it names the key" says "/shop-backup-"
check "nothing is there yet" test -z "$(find "$T/store" -type f)"
check "a backup ends with 0" run noded backup
check "it says where it is" says "stored on disk"
A=$(find "$T/store" -name 'shop-backup-*.tar.zst')
check "there is one archive, named by server, day, site and second" test \
	"$(find "$T/store" -type f -name '*.zst' | sed "s,$T/store/,," | grep -Ec '^web-01\.test/[0-9]{4}/[0-9]{2}/[0-9]{2}/shop-backup-[0-9]{8}-[0-9]{6}\.tar\.zst$')" = 1
check "its sidecar lies beside it" test -s "$A.idx"
check "nothing else was left" test "$(find "$T/store" -type f | wc -l)" = 2

# ---- stock tools
mkdir "$T/stock"
check "stock tar unpacks it" tar --zstd -xf "$A" -C "$T/stock"
check "zstd finds nothing wrong" zstd -tq "$A"
check "RESTORE.txt is the first member" test "$(tar --zstd -tf "$A" | head -n 1)" = RESTORE.txt
check "the manifest is the last member" test "$(tar --zstd -tf "$A" | tail -n 1)" = manifest.json
check "the manifest counts the rows" jq -e '.database.rows == 14000 and (.database.tables | length) == 3
	and .format == "felloe-archive 1" and .files.skipped == 0 and (.database.snapshot.file | length) > 0' "$T/stock/manifest.json"
check "the files are the same" diff -r --no-dereference -x cache -x x.log "$W" "$T/stock/files$W"
check "what WordPress can make again was left out" test ! -e "$T/stock/files$W/wp-content/cache"
check "what was excluded was left out" test ! -e "$T/stock/files$W/wp-content/x.log"
stock_load() { sql -e "CREATE DATABASE stock" && tar --zstd -xOf "$A" --wildcards 'db/*' | sql --max-allowed-packet=1G stock; }
check "the stock client loads it as RESTORE.txt says" stock_load
check "the tables are equal" test "$(sums stock | grep -v sessions)" = "$(grep -v sessions <<<"$BEFORE")"
check "of the table without data only the structure is there" test "$(sql -N -e 'SELECT COUNT(*) FROM stock.wp_sessions')" = 0
check "the view is there" test "$(sql -N -e 'SELECT COUNT(*) FROM stock.wp_titles')" = 12000

# ---- list, verify, status
check "list shows the run" run noded list
check "with its state" says " ok "
check "list --json is JSON of one run" jq -e '.runs | length == 1 and .[0].state == "ok" and .[0].archives[0].storage == "disk"' \
	<(noded list --json)
check "list --from reads the storage itself" run noded list --from disk
check "and finds the archive" says "$(basename "$A")"
check "verify finds the archive sound" run noded verify shop
check "verify --members too" run noded verify --members shop
check "status knows no site alone" run -e 2 noded status shop
check "status knows the last good run" run noded status
check "by its storage" says "last good"
RUN=$(noded list --json | jq -r '.runs[0].uuid')

# ---- restore
check "a restore goes into a new schema and a new directory" run noded restore shop --db-defaults "$T/my.cnf" --to-dir "$T/back"
check "it compares rows and digests" says "all digests agree"
check "it says how much it fetched" says "bytes fetched"
COPY=$(sed -n 's/^database: \([^,]*\),.*/\1/p' "$OUT")
check "the schema is named after the database and the time" grep -Eq '^shop_restored_[0-9]{14}$' <<<"$COPY"
check "the copy's tables are equal" test "$(sums "$COPY" | grep -v sessions)" = "$(grep -v sessions <<<"$BEFORE")"
check "the files are back" diff -r --no-dereference -x cache -x x.log "$W" "$T/back$W"
check "the original was not touched" test "$(sums shop)" = "$BEFORE"
check "an existing schema is never written into" run -e 1 noded restore shop --db shop --to-db shop --db-defaults "$T/my.cnf"
check "it says what to do" says "--to-db"

sql -e 'DROP TABLE shop.wp_options'
check "a dry run of the restore of the dropped table changes nothing" \
	run noded restore shop --db shop:wp_options --in-place --dry-run --db-defaults "$T/my.cnf"
check "the table is still gone" test -z "$(sql -N -e "SHOW TABLES IN shop LIKE 'wp_options'")"
check "the dropped table is restored in place" run noded restore shop --db shop:wp_options --in-place \
	--db-host "127.0.0.1:$PORT" --db-user rig --db-password-file "$T/pw"
check "all tables are as before" test "$(sums shop)" = "$BEFORE"
FETCHED=$(sed -n 's/.*: \([0-9]*\) bytes fetched.*/\1/p' "$OUT")
check "only a part of the archive was fetched" test "$FETCHED" -lt $(($(stat -c %s "$A") / 4))
check "no scratch schema is left" test -z "$(sql -N -e "SHOW DATABASES LIKE 'felloe%'")"

sql -e "UPDATE shop.wp_posts SET post_title='broken' WHERE ID % 7 = 0"
check "a damaged table is replaced in place" run noded restore shop --db shop:wp_posts --in-place --at "${RUN:0:8}" --db-defaults "$T/my.cnf"
check "its rows are as before" test "$(sums shop)" = "$BEFORE"

sql -e "CREATE TRIGGER shop.t BEFORE INSERT ON shop.wp_posts FOR EACH ROW SET NEW.score = 1"
check "a table with a trigger is not replaced" run -e 1 noded restore shop --db shop:wp_posts --in-place --db-defaults "$T/my.cnf"
check "the trigger is named as the reason" says "the trigger \`t\`"
check "the trigger is still there" test "$(sql -N -e "SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA='shop'")" = 1
sql -e "DROP TRIGGER shop.t"

check "one file comes back alone" run noded restore shop --files "$W/wp-content/uploads/2026" --to-dir "$T/one"
check "and nothing else" test "$(cd "$T/one" && find . -type f)" = ".$W/wp-content/uploads/2026/photo.jpg"
check "a path that is only the beginning of a name is not found" run -e 1 noded restore shop --files "$W/wp-content/up" --to-dir "$T/none"
check "it is named" says "holds nothing of $W/wp-content/up"
check "nor does one that is found hide one that is not" run -e 1 noded restore shop --files "$W/wp-config.php" --files /nope --to-dir "$T/none"
check "nothing was unpacked" test ! -e "$T/none"
check "it is the same" cmp "$W/wp-content/uploads/2026/photo.jpg" "$T/one$W/wp-content/uploads/2026/photo.jpg"

rm -rf "$T/state"
check "without its records the node finds the archive on the storage" run noded restore shop --from disk \
	--db shop:wp_options --to-db later --db-defaults "$T/my.cnf"
check "and restores it" says "all digests agree"
check "a wrong name of a table is told with the nearest" run -e 1 noded restore shop --from disk --db shop:wp_option --to-db x --db-defaults "$T/my.cnf"
check "by name" says 'did you mean "wp_options"?'
check "no run of a time before all runs" run -e 1 noded restore shop --from disk --at 2001-01-01 --files /

# ---- a second backup, the whole server
cat >"$T/all.json" <<JSON
{"server_id": "web-01.test", "sites": [{"name": "all", "db_name": "*", "db_exclude": ["stock"], "db_host": "127.0.0.1:$PORT",
  "db_user": "backup", "db_password": "backuppw", "paths": ["$W/wp-content/uploads"]}],
 "storage": [{"name": "disk", "type": "dir", "path": "$T/store2"}]}
JSON
chmod 600 "$T/all.json"
mkdir "$T/store2"
check "a whole server is backed up" run felloe-noded -c "$T/all.json" --state "$T/state" backup all
check "one archive a database, one for the files" test "$(find "$T/store2" -name '*.zst' | sed 's,.*/,,;s/-backup.*//' | sort | tr '\n' ' ')" = \
	"all all-later all-shop all-$COPY "
check "all of its databases do not fit one schema" run -e 2 felloe-noded -c "$T/all.json" --state "$T/state" restore all --to-db x --db-defaults "$T/my.cnf"
check "that is said" says "choose with --db"
check "one of its databases is restored" run felloe-noded -c "$T/all.json" --state "$T/state" restore all --db shop --to-db shop3 --db-defaults "$T/my.cnf"
check "the tables of the whole server's copy are equal" test "$(sums shop3)" = "$BEFORE"
check "all of its archives are sound" run felloe-noded -c "$T/all.json" --state "$T/state" verify all --members
jq '.sites[0].exclude_tables = ["wp_options:data", "nope"]' "$T/all.json" >"$T/less.json" && chmod 600 "$T/less.json"
check "a table to exclude that no database has is a warning" run -e 3 felloe-noded -c "$T/less.json" --state "$T/state" backup all
check "which names it" says 'there is no table "nope" in any database'
check "one that some database has is none" bash -c "! grep -q 'no table \"wp_options' '$OUT'"
