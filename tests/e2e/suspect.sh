#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
# A run that stored a perfect copy of something that cannot be right is suspect,
# until somebody says that it is right.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
unset http_proxy https_proxy all_proxy
PORT=$(free_port)
at_exit "'$RIGS/mariadb.sh' stop '$T/db'"
check "a database server starts" "$RIGS/mariadb.sh" start "$T/db" "$PORT" || exit 1
sql() { "$RIGS/mariadb.sh" sql "$T/db" "$@"; }
HOOK=$(free_port)
spawn target python3 "$HERE/fake/notify" "$T" "$HOOK"
until_ok 20 curl -sf "http://127.0.0.1:$HOOK/up" >/dev/null
asked() { jq -sc "$1" "$T/requests"; }
asked_is() { [ "$(asked "$1")" = "$2" ] || { asked .; return 1; }; }
forget() { : >"$T/requests"; }

sql <<'SQL'
CREATE DATABASE shop; USE shop;
CREATE TABLE wp_options (option_id int PRIMARY KEY, v varchar(60));
CREATE TABLE wp_posts (id int PRIMARY KEY, v varchar(60));
CREATE TABLE wp_users (id int PRIMARY KEY, v varchar(60));
CREATE TABLE wp_orders (id int PRIMARY KEY, v varchar(60));
CREATE TABLE wp_sessions (id int PRIMARY KEY, v varchar(60));
CREATE TABLE small (id int PRIMARY KEY);
INSERT INTO wp_options SELECT seq, MD5(seq) FROM seq_1_to_300;
INSERT INTO wp_posts SELECT seq, MD5(seq) FROM seq_1_to_6000;
INSERT INTO wp_users SELECT seq, MD5(seq) FROM seq_1_to_4;
INSERT INTO wp_orders SELECT seq, MD5(seq) FROM seq_1_to_4000;
INSERT INTO wp_sessions SELECT seq, MD5(seq) FROM seq_1_to_3000;
INSERT INTO small VALUES (1), (2), (3);
SQL
mkdir -p "$T/www" "$T/store" && echo hello >"$T/www/index.html"
# config NAME jq-filter
config() {
	jq -n --arg t "$T" --arg p "$PORT" --arg h "http://127.0.0.1:$HOOK" '{server_id: "web-01", sites: [{name: "shop", db_name: "shop",
		db_host: ("127.0.0.1:" + $p), db_user: "backup", db_password: "backuppw", paths: [$t + "/www"]}],
		plausibility: {ignore_tables: ["*_sessions"]}, notify: {ping_url: ($h + "/ping"), webhook: ($h + "/hook")},
		storage: [{name: "disk", type: "dir", path: ($t + "/store")}]} | '"${2:-.}" >"$T/$1.json" && chmod 600 "$T/$1.json"
}
config good
noded() { felloe-noded "$1" --state "$T/state" "${@:2}"; }
backup() { noded backup -q -c "$T/${1:-good}.json"; }
newest() { noded list --json | jq -r ".runs[0].$1"; }
newest_is() { [ "$(newest "$1")" = "$2" ] || { noded list --json | jq '.runs[0]'; return 1; }; }
archive() { echo "$T/store/$(newest 'archives[0].key')"; }

# ---- what changes every day is no reason
check "the first run is good" run backup
sql -D shop -e "DELETE FROM small WHERE id > 1; TRUNCATE wp_sessions; DELETE FROM wp_orders WHERE id > 3000; CREATE TABLE fresh (id int PRIMARY KEY)"
check "small tables may shrink, ignored ones be emptied, others lose a quarter" run backup

# ---- a table that is gone
forget
sql -D shop -e "DROP TABLE wp_orders; DROP TABLE fresh"
check "a table vanished: the run ends with 1" run -e 1 backup
check "it names the table and what it had" says "table shop.wp_orders is gone, it had 3000 rows"
check "and the way out" says "felloe-noded accept shop"
check "the run is suspect" newest_is state suspect
check "by its kind" newest_is error.kind suspect
check "an empty table that went is not missed" hides fresh
check "the archive is there and sound" test -s "$(archive)"
check "as verify finds" run noded verify -c "$T/good.json" shop --run "$(newest uuid)" --members
check "the webhook was told, ping_url was not" asked_is '[.[].path]' '["/hook"]'
check "by the state" asked_is '[.[].body | fromjson | .run.state]' '["suspect"]'
check "status says so" run noded status -c "$T/good.json"
check "with the reason" says "table shop.wp_orders is gone"
check "restore takes the last good one" run noded restore -c "$T/good.json" shop --dry-run --db shop:wp_orders --to-db later
check "the next run is compared with the good one, too" run -e 1 backup
config without '.sites[0].exclude_tables = ["wp_orders"]'
check "a table that the configuration leaves out now is not missed" run -e 3 backup without
sql -D shop -e "CREATE TABLE wp_orders (id int PRIMARY KEY, v varchar(60)); INSERT INTO wp_orders SELECT seq, MD5(seq) FROM seq_1_to_3000"
check "and it may come back" run backup

# ---- the rows of a table
sql -D shop -e "DELETE FROM wp_orders WHERE id > 1000"
check "a table lost two of three rows: suspect" run -e 1 backup
check "with both numbers" says "table shop.wp_orders has 1000 rows, it had 3000 (66 % fewer)"
config lax '.plausibility.rows_drop_pct = 70'
check "another share lets it pass" run backup lax
sql -D shop -e "DELETE FROM wp_posts"
check "an emptied table: suspect" run -e 1 backup
check "it says how many rows there were" says "table shop.wp_posts is empty, it had 6000 rows"
check "and that there is more" says "(and 1 more); if this is right"
check "each finding is in the log of the run" grep -q 'suspect: database shop has' <(newest log)
config off '.plausibility.rows_drop_pct = 0 | .plausibility.size_drop_pct = 0'
check "without a share nothing is compared" run backup off
sql -D shop -e "DELETE FROM wp_options"
check "WordPress without options: suspect" run -e 1 backup
check "that is said" says "table shop.wp_options is empty: WordPress cannot work without it"

# ---- accepted
RUN=$(newest uuid)
check "accept wants a site that is one" run -e 2 noded accept -c "$T/good.json" blog
check "or a run that is suspect" run -e 1 noded accept -c "$T/good.json" shop "$(noded list --json | jq -r '.runs[1].uuid')"
check "which it says" says "is not suspect, it is ok"
check "accepted" run noded accept -c "$T/good.json" shop "${RUN:0:8}"
check "it says what follows" says "the next ones are compared with it"
check "the run is good" newest_is state ok
check "its log tells" grep -q 'accepted by hand' <(newest log)
check "and the next run is" run backup
check "a first run of such a site would be suspect" run -e 1 felloe-noded backup -q -c "$T/good.json" --state "$T/state2"

# ---- what becomes of it later is told as well
forget
A=$(archive) RUN=$(newest uuid)
mv "$A" "$T/away"
check "its archive is lost" run -e 1 noded verify -c "$T/good.json" shop
check "the webhook is told" asked_is '[.[].path, (.[].body | fromjson | .run | .uuid, .error.kind)]' "[\"/hook\",\"$RUN\",\"damaged\"]"
check "once" run -e 1 noded verify -c "$T/good.json" shop --run "$RUN"
check "and not again" asked_is '[.[].path]' '["/hook"]'
mv "$T/away" "$A"
check "it is found again" run noded verify -c "$T/good.json" shop --run "$RUN"
check "which pings nobody: no backup was made" asked_is '[.[].path]' '["/hook"]'

# ---- a guard that could not look says nothing for the run
records() { python3 -c 'import sqlite3, sys; c = sqlite3.connect(sys.argv[1], timeout=10); c.execute(sys.argv[2]); c.commit()' "$T/state/node/catalogue.db" "$1"; }
records "DELETE FROM tables WHERE run = '$(newest uuid)'"
check "the records of the last good run lost its tables: suspect" run -e 1 backup
check "as nothing was compared" says "it could not be compared with the last good run: of the 6 tables of run"
check "the run is suspect" newest_is state suspect
check "with the way out" says "if it is right: felloe-noded accept shop"
check "which is taken" run noded accept -c "$T/good.json" shop
check "the next run has something to be compared with" run backup

# ---- files
mkdir "$T/www/photos" && for i in $(seq 200); do head -c 30000 /dev/zero | tr '\0' 'a' >"$T/www/photos/$i.jpg"; done
check "files come" run backup
for i in $(seq 200); do head -c 30000 /dev/zero >"$T/www/photos/$i.jpg"; done
check "all of them turned blank: suspect" run -e 1 backup
check "they are counted" says "200 of 203 files hold nothing but zero bytes"
for i in $(seq 200); do head -c 30000 /dev/urandom >"$T/www/photos/$i.jpg"; done
check "all of them encrypted: suspect" run -e 1 backup
check "as it compresses" says "the data does not compress any more"
rm -r "$T/www/photos"
check "all of them gone: suspect" run -e 1 backup
check "with the numbers" says "there are 2 files, there were 203"
check "restore without a word takes the last good one" run noded restore -c "$T/good.json" shop --files "$T/www/photos/7.jpg" --to-dir "$T/back"
check "which has them" test "$(head -c 5 "$T/back$T/www/photos/7.jpg")" = aaaaa

# ---- a whole server
sql -e "INSERT INTO shop.wp_options VALUES (1, 'x'); CREATE DATABASE blog; CREATE TABLE blog.t (id int PRIMARY KEY); INSERT INTO blog.t VALUES (1), (2); CREATE DATABASE third; CREATE TABLE third.t (id int)"
config all '.sites[0] += {name: "all", db_name: "*"} | del(.sites[0].paths)'
check "a whole server" run backup all
sql -e "DROP DATABASE blog; DROP DATABASE third"
check "without one of its databases: suspect" run -e 1 backup all
check "by name; the empty one is not missed" says "database blog is gone, it had 2 rows; if this is right"
config less '.sites[0] += {name: "all", db_name: "*", db_exclude: ["blog"]} | del(.sites[0].paths)'
check "left out by the configuration it is not missed" run backup less
