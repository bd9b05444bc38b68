#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# verify --full: a run is proven restorable in a private server that is thrown away.
# sanitize: yes
# timeout: 240
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

PORT=$(free_port)
at_exit "'$RIGS/mariadb.sh' stop '$T/db'"
check "a database server starts" "$RIGS/mariadb.sh" start "$T/db" "$PORT" || exit 1
sql() { "$RIGS/mariadb.sh" sql "$T/db" "$@"; }
sql --comments <<'SQL'
CREATE DATABASE shop CHARACTER SET latin1;
USE shop;
CREATE TABLE item (id int PRIMARY KEY AUTO_INCREMENT, v varchar(40) CHARACTER SET utf8mb4, f float, KEY (v));
INSERT INTO item (v, f) SELECT CONCAT('é☃ ', MD5(seq)), seq / 3 FROM seq_1_to_3000;
CREATE TABLE log (t varchar(40)) ENGINE=Aria;
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int PRIMARY KEY, pid int, FOREIGN KEY (pid) REFERENCES parent (id));
INSERT INTO parent VALUES (1), (2);
INSERT INTO child VALUES (1, 2);
CREATE TABLE gone (id int);
CREATE SEQUENCE seq START WITH 7;
CREATE DEFINER='dead one'@'%' VIEW titles AS SELECT id, v FROM shop.item;
CREATE VIEW dead AS SELECT id FROM gone;
DROP TABLE gone;
CREATE DATABASE other;
CREATE TABLE other.t (id int);
CREATE VIEW elsewhere AS SELECT id FROM other.t;
DELIMITER //
CREATE DEFINER='dead one'@'%' TRIGGER added AFTER INSERT ON item FOR EACH ROW INSERT INTO log VALUES ('one')//
CREATE DEFINER='dead one'@'%' FUNCTION twice(a int) RETURNS int DETERMINISTIC RETURN a * 2//
CREATE PROCEDURE p() BEGIN SELECT 1; END//
CREATE DEFINER='dead one'@'%' EVENT tick ON SCHEDULE EVERY 1 SECOND DO INSERT INTO log VALUES ('tick')//
SQL
mkdir -p "$T/store" "$T/www" "$T/state" # the account of the private server passes through
head -c 300000 /dev/urandom >"$T/www/photo.jpg"
cat >"$T/config.json" <<JSON
{"server_id": "web-01.test",
 "sites": [{"name": "shop", "db_name": "shop", "db_host": "127.0.0.1:$PORT", "db_user": "backup", "db_password": "backuppw",
            "paths": ["$T/www"]},
           {"name": "www", "paths": ["$T/www"]}],
 "storage": [{"name": "disk", "type": "dir", "path": "$T/store"}]}
JSON
chmod 600 "$T/config.json"
noded() { felloe-noded -c "$T/config.json" --state "$T/state" "$@"; }
last() { noded list "$1" --json | jq -r ".runs[0].$2"; }
# all that production has: names of schemas, their objects and rows
production() {
	sql -N -e "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES
		WHERE TABLE_SCHEMA NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys') ORDER BY 1, 2;
		SELECT SCHEMA_NAME FROM information_schema.SCHEMATA ORDER BY 1; SELECT User, Host FROM mysql.user ORDER BY 1, 2;
		CHECKSUM TABLE shop.item, shop.log, shop.parent, shop.child, other.t"
}
nothing_left() { ! ls -d "${1:-$T/state/proof}"/proof-* 2>/dev/null; }
# processes that work in one of its directories
no_server() { [ -z "$(find /proc -maxdepth 2 -name cwd -lname "$T/*/proof-*" 2>/dev/null | tee "$T/servers")" ] || { cat "$T/servers"; return 1; }; }
# a proof that has come as far as its server; it is stopped there
begin() {
	felloe-noded -c "$T/config.json" --state "$T/state" verify shop --full >"$T/begun.log" 2>&1 & # no function: its pid is needed
	VERIFY=$! BEGUN=
	while kill -0 $VERIFY 2>/dev/null; do
		compgen -G "$T/state/proof/proof-*/server.pid" >/dev/null && { kill -STOP $VERIFY && BEGUN=yes; return; }
		sleep 0.01
	done
}

check "a site with dead definers, events and views is backed up" run -e 3 noded backup shop
check "one of files too" run noded backup www
BEFORE=$(production)
check "the run restores" run noded verify shop --full
check "which is said" says "proven restorable"
check "with what was compared" says "4 tables, 3003 rows, all digests agree; 1 view, 1 trigger, 2 routines, 1 event"
check "nothing is left of the server" nothing_left
check "nor does it run" no_server
check "production is as it was" test "$BEFORE" = "$(production)"
TODAY=$(last shop 'proven[:10]')
check "the record has the time" recent "$(last shop proven)"
check "list shows the day" bash -c "felloe-noded list shop --state '$T/state' | grep -q 'warning .* $TODAY  disk'"
check "status too" bash -c "felloe-noded status -c '$T/config.json' --state '$T/state' | grep -q 'proven restorable $TODAY'"
check "a run of files alone needs no server" run noded verify www --full --server /nonexistent
check "it is proven as well" says "proven restorable"
check "a place that is not there" run -e 1 noded verify shop --full --dir "$T/elsewhere"
check "is named with the way out" says "--dir: there is no directory $T/elsewhere: make it first, or leave --dir out for $T/state/proof"
check "and is not made" test ! -e "$T/elsewhere"
check "nor is a file taken for one" run -e 1 noded verify shop --full --dir "$T/config.json"
mkdir "$T/elsewhere"
check "as JSON" run noded verify shop --full --json --dir "$T/elsewhere"
check "it names the databases" test "$(jq -r '.sites[0] | .databases[0] | [.name, .proven, .tables, .rows, .triggers] | @csv' "$OUT")" = '"shop",true,4,3003,1'
check "nothing is left in the place that was chosen" nothing_left "$T/elsewhere"

# ---- when it cannot be told
PROVEN=$(last shop proven)
check "a server program that is none" run -e 1 noded verify shop --full --server /nonexistent
check "is named" says "--server: /nonexistent is no program that can be started"
check "one that is no server" run -e 1 noded verify shop --full --server /bin/true
check "is named, too" says "the private server (/bin/true) does not start"
mkdir -p -m 700 "$T/closed" "$T/closed/x"
if [ "$(id -u)" = 0 ]; then
	check "a place that the account of the server cannot reach" run -e 1 noded verify shop --full --dir "$T/closed/x"
	check "is named with the way out" says "cannot pass through $T/closed: choose another place with --dir"
fi
check "options of --full want it" run -e 2 noded verify shop --dir "$T"
check "none of this changed what was known" test "$(last shop proven)" = "$PROVEN"

# ---- who we are
if [ "$(id -u)" = 0 ]; then
	check "root that may not change its account proves as well" run setpriv --bounding-set=-setuid,-setgid \
		felloe-noded -c "$T/config.json" --state "$T/state" verify shop --full
	check "and says that it did" says "proven restorable"
	cp "$T/config.json" "$T/nobody.json" && chown -R nobody: "$T/nobody.json" "$T/store"
	install -d -o nobody -m 700 "$T/own"
	check "so does an ordinary account, from the storage alone" run setpriv --reuid=nobody --regid=nogroup --clear-groups \
		felloe-noded -c "$T/nobody.json" --state "$T/own" verify shop --full --from disk
	check "which has no record to write to" says "not written down: this node has no record of the whole run"
	check "nothing is left of its server" nothing_left "$T/own/proof"
fi

# ---- the node dies in the middle
begin
check "a proof has its server" test "$BEGUN" = yes
kill -9 $VERIFY
check "when felloe-noded is killed the server ends" until_ok 20 no_server
check "and its directory goes" until_ok 20 nothing_left
begin
check "another proof has its server" test "$BEGUN" = yes
kill -9 "$(pgrep -P $VERIFY)" $VERIFY
check "when its keeper is killed too it runs on" bash -c "! ls -d /proc/\$(cat '$T'/state/proof/proof-*/server.pid) 2>&1 | grep -q cannot"
check "the next run" run noded verify shop --full
check "ends it" no_server
check "removes its directory" nothing_left
check "and says so" says "which a dead run left with its server running"
begin
check "a third proof has its server" test "$BEGUN" = yes
kill -TERM $VERIFY
kill -CONT $VERIFY
wait $VERIFY
check "on SIGTERM it ends with 1" test $? = 1
check "the server is gone" no_server
check "and its directory" nothing_left
check "production is as it was" test "$BEFORE" = "$(production)"
