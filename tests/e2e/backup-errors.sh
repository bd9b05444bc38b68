#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What goes wrong with a backup: the state, the exit code and the words.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

PORT=$(free_port)
at_exit "'$RIGS/mariadb.sh' stop '$T/db'"
check "a database server starts" "$RIGS/mariadb.sh" start "$T/db" "$PORT" || exit 1
sql() { "$RIGS/mariadb.sh" sql "$T/db" "$@"; }
sql <<'SQL'
CREATE DATABASE shop; CREATE DATABASE hollow; USE shop;
CREATE TABLE shop.t (id int PRIMARY KEY, v text);
INSERT INTO shop.t SELECT seq, REPEAT(MD5(seq), 10) FROM seq_1_to_3000;
SQL
W=$T/www SECRET=s3cr3t-$RANDOM$RANDOM
mkdir -p "$W/wp-content/uploads" "$T/store" "$T/cfg"
for i in 1 2 3; do echo "file $i" >"$W/wp-content/uploads/$i.txt"; done
noded() { felloe-noded --state "$T/state" "$@"; }
# config NAME [jq filter]: a good configuration, changed
config() {
	jq -n --arg w "$W" --arg t "$T" --arg port "$PORT" '{server_id: "web-01",
		sites: [{name: "shop", db_name: "shop", db_host: ("127.0.0.1:" + $port), db_user: "backup", db_password: "backuppw",
			wp_content_path: ($w + "/wp-content")}],
		storage: [{name: "disk", type: "dir", path: ($t + "/store")}]} | '"${2:-.}" >"$T/cfg/$1.json"
	chmod 600 "$T/cfg/$1.json"
}
last() { noded list --json | jq -r ".runs[0].$1"; }
config good

# ---- the configuration
check "a missing configuration is an error of configuration" run -e 2 noded backup -c "$T/cfg/none.json"
check "its path is named" says "$T/cfg/none.json: there is no such file"
printf '{\n  "sites": [\n    {"name": "shop",}\n  ]\n}\n' >"$T/cfg/bad.json"
check "bad JSON is an error of configuration" run -e 2 noded backup -c "$T/cfg/bad.json"
check "its line and column are named" says "bad.json: line 3, column 21"
config typo '.sites[0].exclud = ["x"]'
check "an unknown key does not stop a backup" run noded backup -c "$T/cfg/typo.json"
check "it is a warning with the nearest name" says 'sites[0].exclud: is not known; did you mean "exclude"?'
check "check takes it for an error" run -e 2 noded check -c "$T/cfg/typo.json"
config wrong '.sites[0].db_host = "h:0" | .sites += [.sites[0]] | .storage[0].type = "ftp" | .storage[0].weight = "x"'
check "several mistakes are told at once" run -e 2 noded backup -c "$T/cfg/wrong.json"
check "the first" says 'sites[0].db_host: "h:0"'
check "the second" says "sites[1].name"
check "the third" says 'storage[0].type: "ftp" is not one of s3, dir'
check "the fourth" says "storage[0].weight"
config enc '.encrypt_to = ["age1xyz"]'
check "a wish for encryption is refused, not passed over" run -e 2 noded backup -c "$T/cfg/enc.json"
check "a site that is not there is a mistake of usage" run -e 2 noded backup -c "$T/cfg/good.json" shp
check "the nearest is named" says 'did you mean "shop"?'
config timer '.timers = [{name: "nightly", sites: ["*"], on_calendar: "*-*-* 03:10"}]'
check "so is a timer that is not there" run -e 2 noded backup -c "$T/cfg/timer.json" --timer nihgtly
check "the nearest is named too" says 'did you mean "nightly"?'
config nosites '.sites = []'
check "no site at all is an error of configuration" run -e 2 noded backup -c "$T/cfg/nosites.json"
check "with the way out" says "felloe-noded sites finds"
check "an unknown option too" run -e 2 noded backup --dry-rum
check "an unknown verb too" run -e 2 noded backpu
check "with the nearest" says 'did you mean "backup"?'

# ---- the database
config dbpw ".sites[0].db_password = \"$SECRET\""
check "a wrong password ends the run with 5" run -e 5 noded backup -c "$T/cfg/dbpw.json"
check "the account is named" says "backup@127.0.0.1:$PORT"
check "the password is not" bash -c "! grep -F '$SECRET' '$OUT' '$ERR'"
check "the run is failed, as denied" test "$(last state),$(last error.kind)" = failed,denied
config dbdown '.sites[0].db_host = "127.0.0.1:1"'
check "a server that is away ends it with 1" run -e 1 noded backup -c "$T/cfg/dbdown.json"
config nodb '.sites[0].db_name = "nope"'
check "a database that is not there too" run -e 1 noded backup -c "$T/cfg/nodb.json"
check "by name" says "nope"
config hollow '.sites[0].db_name = "hollow"'
check "a database without tables is never a good run" run -e 1 noded backup -c "$T/cfg/hollow.json"
check "the reason is said" says "an empty backup is none"
config php ".sites[0] |= (del(.db_name, .db_user, .db_password) | .wp_config_path = \"$W/wp-config.php\")"
printf "<?php\ndefine('DB_NAME', 'shop');\ndefine('DB_USER', get_user());\n" >"$W/wp-config.php"
check "a wp-config.php that would have to run is refused" run -e 2 noded backup -c "$T/cfg/php.json"
check "with line, function and way out" says "line 3) is made by the function get_user(); give db_user in the configuration"
N=$(noded list --from disk -c "$T/cfg/good.json" --json | jq '.archives | length')
check "none of these left anything on the storage" test "$N" = 1

# ---- files
config nofiles ".sites[0] |= (del(.db_name) | .wp_content_path = \"$T/nothing\")"
check "a site whose files are all gone is never a good run" run -e 1 noded backup -c "$T/cfg/nofiles.json"
config partly ".sites[0].paths = [\"$T/nothing\"]"
check "a path that is missing is a warning" run -e 3 noded backup -c "$T/cfg/partly.json"
check "it is named" says "$T/nothing"
if [ "$(id -u)" = 0 ]; then AS=(setpriv --reuid 65534 --regid 65534 --clear-groups); else AS=(); fi
mkdir "$T/asuser" "$T/asuser/store" && echo secret >"$W/wp-content/private" && chmod 000 "$W/wp-content/private"
[ "$(id -u)" != 0 ] || chown -R 65534:65534 "$T/asuser"
config user ".storage[0].path = \"$T/asuser/store\""
[ "$(id -u)" != 0 ] || chown 65534 "$T/cfg/user.json"
check "a file that may not be read is skipped with 3" \
	run -e 3 "${AS[@]}" "$BUILD/felloe-noded" --state "$T/asuser/state" backup -c "$T/cfg/user.json"
check "the file is named" says "$W/wp-content/private"
check "the rest is there" test "$(tar --zstd -tf "$(find "$T/asuser/store" -name '*.zst')" | grep -c 'uploads/[123].txt')" = 3
rm -f "$W/wp-content/private"

# ---- storages
config gone ".storage[0].path = \"$T/not-mounted/store\""
check "a directory that is not there ends the run with 1" run -e 1 noded backup -c "$T/cfg/gone.json"
check "it is named" says "$T/not-mounted/store"
check "it was not made: a disk that is not mounted must be noticed" test ! -e "$T/not-mounted"
config second ".storage = [{name: \"first\", type: \"dir\", path: \"$T/not-mounted\", weight: 200}] + .storage"
check "the next storage takes the run, with a warning" run -e 3 noded backup -c "$T/cfg/second.json"
check "the warning says so" says "trying storage disk next"
check "the record knows where it is" test "$(last 'archives[0].storage')" = disk
config limit '.storage[0].storage_limit_gb = 0.000001'
check "a storage at its limit takes nothing" run -e 1 noded backup -c "$T/cfg/limit.json"
check "the numbers are said" says "storage_limit_gb"
config drained '.storage[0].weight = 0'
check "a drained storage is never written" run -e 2 noded backup -c "$T/cfg/drained.json"
check "check says so too" run -e 1 noded check -c "$T/cfg/drained.json"
sql -e "CREATE USER half@'127.0.0.1' IDENTIFIED BY 'pw'; GRANT SELECT, LOCK TABLES ON shop.* TO half@'127.0.0.1'"
config half '.sites[0] += {db_user: "half", db_password: "pw"}'
check "check warns of an account that cannot see all" run -e 3 noded check --only sites -c "$T/cfg/half.json"
check "with the rights that it lacks" says "half may not SHOW VIEW, TRIGGER, EVENT on database shop"
config every '.sites[0] += {db_name: "*", db_user: "half", db_password: "pw"}'
check "and may not see all databases" run -e 3 noded check --only sites -c "$T/cfg/every.json"
check "which is said" says "half may see some databases only"
sql -e "GRANT SHOW VIEW, TRIGGER, EVENT ON shop.* TO half@'127.0.0.1'"
check "one that may is right" run noded check --only sites -c "$T/cfg/half.json"
if [ "$(id -u)" = 0 ] && mkdir "$T/small" && mount -t tmpfs -o size=300k none "$T/small" 2>/dev/null; then
	at_exit "umount '$T/small'"
	head -c 900000 /dev/urandom >"$W/wp-content/uploads/big"
	config full ".storage[0].path = \"$T/small\""
	check "a full disk ends the run with 1" run -e 1 noded backup -c "$T/cfg/full.json"
	check "it says that no space is left" says "No space left"
	check "nothing is left on it" test -z "$(find "$T/small" -type f)"
	check "check finds the small disk in order while a backup has room there" run noded check --only storages -c "$T/cfg/full.json"
	config over ".storage = [{name: \"small\", type: \"dir\", path: \"$T/small\", weight: 200}] + .storage"
	check "a disk that fills in mid-stream: the run starts over on the next" run -e 3 noded backup -c "$T/cfg/over.json"
	check "and says so" says "starts over on storage disk"
	check "the archive there is sound" run noded verify --members -c "$T/cfg/over.json" shop
	check "check tells that the next backup does not fit on the small disk" run -e 1 noded check --only storages -c "$T/cfg/full.json"
	check "with what is free and what is needed" says "300 KiB are free in $T/small, the next backup of shop needs about "
	check "a run is refused for it at once" run -e 1 noded backup -c "$T/cfg/full.json"
	check "in the same figures" says "$T/small has 300 KiB free"
	mount -o remount,size=2500k "$T/small"
	check "a disk with room for two is nearly full" run -e 3 noded check --only storages -c "$T/cfg/full.json"
	check "which is said" says "storage disk is nearly full: 2.44 MiB are free in $T/small, one backup of each site needs about "
	rm -f "$W/wp-content/uploads/big"
else
	skip "a full disk ends the run with 1" "needs root and tmpfs"
fi

# ---- two at once, and one that dies
config slow '.sites[0].hooks = {before: ["sleep 60"]} | .limits = {lock_wait_s: 0}'
config nowait '.limits = {lock_wait_s: 0}'
spawn slow felloe-noded --state "$T/state" backup -c "$T/cfg/slow.json"
check "a run in progress is seen by status" until_ok 10 bash -c \
	"felloe-noded --state '$T/state' status --json -c '$T/cfg/good.json' | jq -e '.running[0].site == \"shop\"'"
check "a second run of the site ends with 4" run -e 4 noded backup -c "$T/cfg/nowait.json"
check "the holder of the lock is named" says "process $(cat "$T/slow.pid")"
check "it is skipped, not failed" test "$(last state)" = skipped
stop_pid slow TERM
check "SIGTERM makes a run aborted" test "$(noded list --json | jq -r '[.runs[] | select(.state == "aborted")] | length')" = 1
check "nothing runs any more" jq -e '.running == []' <(noded status --json -c "$T/cfg/good.json")

# a run that is killed while its upload is open: a locked table holds it there
sql -e "CREATE DATABASE hang; USE hang; CREATE TABLE a (id int PRIMARY KEY, v varbinary(4096)); CREATE TABLE z (id int PRIMARY KEY)
	; INSERT INTO a SELECT seq, RANDOM_BYTES(4000) FROM seq_1_to_4000; INSERT INTO z VALUES (1)"
config hang '.sites[0].db_name = "hang"'
in_list() { sql -N -e 'SHOW PROCESSLIST' | grep -F "$1"; }
hang() {
	spawn locker "$RIGS/mariadb.sh" sql "$T/db" -e 'LOCK TABLES hang.z WRITE; SELECT SLEEP(600) AS hang'
	until_ok 10 in_list 'AS hang' || return 1
	spawn hang felloe-noded --state "$T/state" backup -c "$T/cfg/hang.json"
	until_ok 20 bash -c "find '$T/store' -type f ! -name '*.zst' ! -name '*.idx' | grep -q ."
}
hang >"$T/hang.out" || note "$T/hang.out"
HALF=$(find "$T/store" -type f ! -name '*.zst' ! -name '*.idx' | wc -l)
check "half an upload lies on the storage under a temporary name" test "$HALF" -ge 1
kill -KILL "$(cat "$T/hang.pid")"; stop_pid hang
cp "$T/state/run/node/status/"*.json "$T/status.json"
cp "$T/status.json" "$T/state/run/node/status/$(jq -r .uuid "$T/status.json").json.Xy12Zz" # killed while it wrote that
check "the next run of the site tidies up" run noded backup -c "$T/cfg/good.json"
check "it says so" says "was left unfinished and is now aborted"
check "the dead run is aborted" test "$(noded list --json | jq -r '.runs[1].state')" = aborted
check "its upload is gone" test -z "$(find "$T/store" -type f ! -name '*.zst' ! -name '*.idx')"
check "and its status file" test -z "$(find "$T/state/run/node/status" -type f)"
stop_pid locker

# ---- a table that goes away, a table that is altered
sql -e "CREATE DATABASE busy; USE busy; CREATE TABLE busy.a (id int PRIMARY KEY, v longtext); CREATE TABLE busy.z (id int PRIMARY KEY)
	; INSERT INTO busy.a SELECT seq, REPEAT(MD5(seq), 20) FROM seq_1_to_3000"
config busy '.sites[0].db_name = "busy"'
race() { # the table goes between its listing and its reading: the one before it holds the run up there
	spawn holder "$RIGS/mariadb.sh" sql "$T/db" -e 'LOCK TABLES busy.a WRITE; SELECT SLEEP(600) AS busy'
	until_ok 10 in_list 'AS busy' || return 1
	felloe-noded --state "$T/state" backup -c "$T/cfg/busy.json" >"$T/race.log" 2>&1 &
	local pid=$! id
	until_ok 20 in_list 'metadata lock' && sql -e 'DROP TABLE busy.z'
	# the one of the run that was killed may sleep on, too: its client is gone, not its thread
	for id in $(sql -N -e "SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT SLEEP%'"); do sql -e "KILL $id"; done
	wait $pid || { cat "$T/race.log"; return 1; }
	tar --zstd -tf "$T/store/$(last 'archives[0].key')" >"$T/race.list"
	stop_pid holder
	cat "$T/race.log" "$T/race.list"
	grep -q 'starts over with a new snapshot' "$T/race.log" && ! grep -q 'tables/z.sql' "$T/race.list" && grep -q 'tables/a.sql' "$T/race.list"
}
check "a run during which a table vanishes starts over" race

# ---- damage
SOUND=$(noded list --json | jq '[.runs[] | select(.state == "ok")][0]')
ARCHIVE=$T/store/$(jq -r '.archives[0].key' <<<"$SOUND") RUN=$(jq -r .uuid <<<"$SOUND")
check "the archive is sound before" run noded verify --members -c "$T/cfg/good.json" shop
SIZE=$(stat -c %s "$ARCHIVE")
printf '\x00\xff\x00\xff' | dd of="$ARCHIVE" bs=1 seek=$((SIZE / 3)) conv=notrunc status=none
check "a flipped byte is found" run -e 1 noded verify -c "$T/cfg/good.json" shop
check "what it hit is named" says "DAMAGED"
check "--members names the member" run -e 1 noded verify --members -c "$T/cfg/good.json" shop --run "$RUN"
check "by its name in the archive" grep -Eq 'DAMAGED .*(db/|files/)' "$OUT"
truncate -s $((SIZE / 2)) "$ARCHIVE"
check "a cut archive is found" run -e 1 noded verify -c "$T/cfg/good.json" shop --run "$RUN"
rm "$ARCHIVE"
check "a lost archive is found" run -e 1 noded verify -c "$T/cfg/good.json" shop --run "$RUN"

# ---- hooks and notices
config hooks ".sites[0].hooks = {before: [\"sh -c 'echo before \$FELLOE_SITE >>$T/hooks; exit 0'\"],
	after: [\"sh -c 'echo after \$FELLOE_STATE_OF_RUN >>$T/hooks'\"], on_error: [\"sh -c 'echo error >>$T/hooks'\"]}"
check "hooks run before and after" run noded backup -c "$T/cfg/hooks.json"
check "they know the site and the outcome" test "$(tr '\n' , <"$T/hooks")" = "before shop,after ok,"
config hookfail ".sites[0].hooks = {before: [\"false\"], on_error: [\"touch $T/on_error\"]}"
check "a failing first hook fails the run" run -e 1 noded backup -c "$T/cfg/hookfail.json"
check "and its exit code is said" says "false ended with exit code 1"
check "the hook for errors ran" test -e "$T/on_error"
config afterfail '.sites[0].hooks = {after: ["false"]}'
check "a failing last hook is a warning" run -e 3 noded backup -c "$T/cfg/afterfail.json"
config notify ".notify = {command: [\"tee\", \"$T/notice\"]} | .sites[0].db_password = \"$SECRET\""
check "a failed run is told to the command" run -e 5 noded backup -c "$T/cfg/notify.json"
check "as JSON" jq -e '.run.state == "failed" and .run.site == "shop"' "$T/notice"

# ---- secrets
config secret ".sites[0].db_password = \"$SECRET\" | .storage += [{name: \"s3\", type: \"s3\", endpoint: \"http://127.0.0.1:1\",
	region: \"r\", bucket: \"b\", access_key: \"AK\", secret_key: \"$SECRET\", weight: 1}]"
noded check -c "$T/cfg/secret.json" >"$T/secret.log" 2>&1
noded check --json -c "$T/cfg/secret.json" >>"$T/secret.log" 2>&1
noded backup -v -c "$T/cfg/secret.json" >>"$T/secret.log" 2>&1
check "no secret is in any output" bash -c "[ -s '$T/secret.log' ] && ! grep -F '$SECRET' '$T/secret.log'"
check "nor in anything that the node keeps" bash -c "! grep -rF '$SECRET' '$T/state' '$T/notice'"
config envsecret ".sites[0].hooks = {before: [\"sh -c 'env >$T/env; tr \\\\\\\\0 \\\\\\\\n </proc/\$PPID/cmdline >>$T/env'\"]}"
FELLOE_PASSWORD_FILE=$SECRET noded backup -c "$T/cfg/envsecret.json" >/dev/null 2>&1
check "a hook sees neither our environment nor a secret in our arguments" bash -c "grep -q FELLOE_SITE '$T/env' && ! grep -qE '$SECRET|backuppw' '$T/env'"
