#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A restore told to a program: lines of JSON, the last of them the result.
# sanitize: yes
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

PORT=$(free_port)
at_exit "'$RIGS/mariadb.sh' stop '$T/db'"
check "a database server starts" "$RIGS/mariadb.sh" start "$T/db" "$PORT" || exit 1
sql() { "$RIGS/mariadb.sh" sql "$T/db" -N "$@"; }
sql <<'SQL'
CREATE DATABASE shop; USE shop;
CREATE TABLE posts (id int PRIMARY KEY, body text); INSERT INTO posts SELECT seq, MD5(seq) FROM seq_1_to_500;
CREATE TABLE `odd "name"` (id int); INSERT INTO `odd "name"` VALUES (1), (2);
CREATE VIEW v AS SELECT id FROM posts;
SQL
mkdir -p "$T/store" "$T/www/sub"
echo hello >"$T/www/index.html"; echo sub >"$T/www/sub/a b"
cat >"$T/config.json" <<JSON
{"server_id": "web-01.test",
 "sites": [{"name": "plain", "db_name": "shop", "db_host": "127.0.0.1:$PORT", "db_user": "rig", "db_password": "rigpw"}, {"name": "www", "paths": ["$T/www"]},
	{"name": "all", "db_name": "*", "db_host": "127.0.0.1:$PORT", "db_user": "rig", "db_password": "rigpw"},
	{"name": "shop", "db_name": "shop", "db_host": "127.0.0.1:$PORT", "db_user": "rig", "db_password": "rigpw", "paths": ["$T/www"]}],
 "storage": [{"name": "disk", "type": "dir", "path": "$T/store"}]}
JSON
chmod 600 "$T/config.json"
noded() { felloe-noded -c "$T/config.json" --state "$T/state" "$@"; }
restore() { noded restore shop --json "$@"; }
# is FILTER: the events of the last run, as one list, are so
is() { jq -es "$1" <"$OUT" >/dev/null || { cat "$OUT"; return 1; }; }
check "a backup" run noded backup shop

check "a dry run is told" run restore --dry-run --to-db copy --to-dir "$T/files"
check "in lines of JSON that each have a name" is 'length > 3 and all(has("event"))'
check "with the archive" is '[.[] | select(.event == "archive")] | length == 1 and .[0].storage == "disk" and (.[0].key | endswith(".tar.zst")) and (.[0].run | length == 36)'
check "what would go where" is '[.[] | select(.event == "plan")] | (.[0] | .what == "database" and .from == "shop" and .to == "copy" and .bytes > 1000) and
	(.[1] | .what == "files" and (.to | endswith("/files")) and .members >= 3)'
check "and the result last" is '.[-1] | .event == "result" and .state == "ok" and .dry_run and .warnings == 0 and .error == null'
check "a restore is told" run restore --to-db copy --to-dir "$T/files"
check "each table with its rows, and what its digest says" is '[.[] | select(.event == "table")] | sort_by(.name) |
	map([.name, .rows, .dumped, .digest]) == [["odd \"name\"", 2, 2, "agrees"], ["posts", 500, 500, "agrees"]]'
check "how far it is, with all that there is" is '[.[] | select(.event == "progress")] | any(.phase == "restore" and .bytes_total > 1000)'
check "nothing twice" is 'all(.event != "note" or (.text | contains("digest") | not))'
check "what came of it" is '[.[] | select(.event == "restored")] | length == 1 and (.[0] | .database == "copy" and .tables == 2 and .rows == 502 and .lost == 0 and
	.files >= 3 and (.dir | endswith("/files")) and .fetched > 0)'
check "and the end" is '.[-1] | .state == "ok" and (.dry_run | not)'
check "there it is" test "$(sql -e 'SELECT COUNT(*) FROM copy.posts') $(find "$T/files" -type f | wc -l)" = "500 2"

sql -e "CREATE USER low@127.0.0.1 IDENTIFIED BY 'low'; GRANT SELECT ON copy.* TO low@127.0.0.1"
printf low >"$T/low" && chmod 600 "$T/low"
check "obstacles are told, all of them" run -e 5 restore --db shop --to-db copy --db-user low --db-password-file "$T/low"
check "each with its kind" is '[.[] | select(.event == "obstacle")] | (map(.kind) | sort) == ["conflict", "forbidden"] and any(.text | contains("`copy` exists"))'
check "then the failure" is '.[-1] | .event == "result" and .state == "failed" and .error_kind != null and (.error | contains("things are in the way"))'
check "a wrong option ends with a result too" run -e 2 restore --events sometimes
check "as its only line" is 'length == 1 and .[0].state == "failed" and .[0].error_kind == "usage"'
sql -e "CREATE DATABASE gone; CREATE TABLE gone.t (id int); CREATE VIEW shop.w AS SELECT * FROM gone.t"
run noded backup shop
sql -e "DROP DATABASE copy; DROP DATABASE gone"
check "a warning is told" run -e 3 restore --db shop --to-db copy
check "as one" is 'any(.event == "warning" and (.text | contains("a view is not restored"))) and (.[-1] | .state == "warning" and .warnings == 1)'

# ---- damage
ARCHIVE=$(find "$T/store" -name '*.tar.zst' | sort | tail -1)
AT=$(tar --zstd -xOf "$ARCHIVE" index.jsonl | jq -r 'select(.name == "files'"$T"'/www/index.html") | .at + 20')
printf 'XXXX' | dd of="$ARCHIVE" bs=1 seek="$AT" conv=notrunc status=none
check "members that are damaged are told" run -e 3 restore --files "$T/www" --salvage --to-dir "$T/files2"
check "by name" is "any(.event == \"lost\" and .member == \"files$T/www/index.html\")"
check "with their number" is '[.[] | select(.event == "restored")][0].lost > 0'

# ---- options for what the run does not have
sql -e "DROP VIEW shop.w; CREATE DATABASE blog; CREATE TABLE blog.t (id int PRIMARY KEY); INSERT INTO blog.t VALUES (1)"
run noded backup plain www all
# refused SITE TEXT OPTIONS...: with 1 or 2, in words, and nothing is made
refused() {
	run -e "${EXPECT:-1}" noded restore "$1" "${@:3}" && says "$2" && [ ! -e "$T/aside" ] &&
		[ "$(sql -e "SELECT GROUP_CONCAT(SCHEMA_NAME ORDER BY 1) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME REGEXP 'copy|rest|felloe'")" = copy ]
}
check "a directory for files that are not there" refused plain "has no files: leave --to-dir out" --to-dir "$T/aside"
check "files that are not there" refused plain "has no files: leave --files out" --files /etc
check "a database of a run without one" refused www "has no database \"shop\"; it has files only: leave --db out" --db shop
check "a schema for it" refused www "has no database: leave --to-db out" --to-db aside
check "a database that the run does not have" refused all "has no database \"wiki\"; it has blog, " --db wiki
check "one that is nearly called so" refused all 'has no database "blgo"; did you mean "blog"?' --db blgo
EXPECT=2
check "a directory, and only a database is wanted" refused shop "add --files PATH" --db shop --to-dir "$T/aside"
check "a schema, and only files are wanted" refused shop "--to-db is for databases" --files / --to-db aside
check "one schema for several databases" refused all "--to-db is the name for one" --to-db aside
RUN=$(noded list all --json | jq -r '.runs[0].uuid')
check "all databases in place at once" refused all "--in-place replaces one database at a time" --in-place --yes
check "with the commands that do it" says "felloe-noded restore all --at $RUN --db blog --in-place"
check "on another server as well" refused all "one database at a time" --in-place --yes --db-host 127.0.0.1:1 --db-user rig
check "with commands for that server" says "restore all --at $RUN --db blog --in-place --db-host 127.0.0.1:1 --db-user rig"
sql -e "DELETE FROM blog.t"
check "which do it" run noded restore all --at "$RUN" --db blog --in-place --yes
check "as it was" test "$(sql -e 'SELECT COUNT(*) FROM blog.t')" = 1
sql -e "DROP DATABASE blog"
EXPECT=1
check "a database that is not there has no place" refused all "nothing to replace: --same-names" --at "$RUN" --db blog --in-place --yes
check "nor has a table of it" refused all "nothing to replace: --same-names" --at "$RUN" --db blog:t --in-place
check "that way it comes back" run noded restore all --at "$RUN" --db blog --same-names
check "a schema of the server's own" refused plain "is the server's own" --to-db mysql
check "the database itself" refused plain "--db shop --in-place replaces it" --to-db shop
EXPECT=2
check "a name that is too long" refused plain "1 to 64 characters, this one has 65" --to-db "$(printf 'ü%.0s' {1..65})"
