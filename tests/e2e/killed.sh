#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 200
# A backup killed at random points (KILLS of them, 10): whatever is called good can be
# restored, nothing is left of the rest, and each dead run is told once.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
unset http_proxy https_proxy all_proxy
: "${KILLS:=10}" "${SEED:=4}"
RANDOM=$SEED
PORT=$(free_port)
at_exit "'$RIGS/mariadb.sh' stop '$T/db'"
check "a database server starts" "$RIGS/mariadb.sh" start "$T/db" "$PORT" || exit 1
sql() { "$RIGS/mariadb.sh" sql "$T/db" "$@"; }
sql -e "CREATE DATABASE shop; USE shop; CREATE TABLE a (id int PRIMARY KEY, v varbinary(4096)); CREATE TABLE b LIKE a; CREATE TABLE c LIKE a
	; INSERT INTO a SELECT seq, RANDOM_BYTES(4000) FROM seq_1_to_1000; INSERT INTO b SELECT * FROM a; INSERT INTO c SELECT * FROM a"
mkdir -p "$T/www" "$T/store" && for i in 1 2 3 4 5 6 7 8; do head -c 1000000 /dev/urandom >"$T/www/$i"; done
HOOK=$(free_port)
spawn target python3 "$HERE/fake/notify" "$T" "$HOOK"
until_ok 20 curl -sf "http://127.0.0.1:$HOOK/up" >/dev/null
: >"$T/requests"
jq -n --arg t "$T" --arg p "$PORT" --arg h "http://127.0.0.1:$HOOK" '{server_id: "web-01", sites: [{name: "shop", db_name: "shop",
	db_host: ("127.0.0.1:" + $p), db_user: "backup", db_password: "backuppw", paths: [$t + "/www"]}], notify: {webhook: ($h + "/hook")},
	storage: [{name: "disk", type: "dir", path: ($t + "/store")}]}' >"$T/config.json" && chmod 600 "$T/config.json"
noded() { felloe-noded "$1" -c "$T/config.json" --state "$T/state" "${@:2}"; }
states() { noded list --json | jq -r "[.runs[] | select(.state == \"$1\")] | length"; }

BEGAN=$(date +%s%3N)
check "a run that nobody disturbs" run noded backup -q
TAKES=$(($(date +%s%3N) - BEGAN))
GOOD=1
sound() { # every run that is called good is whole, and no other one is called so
	local id
	for id in $(noded list --json | jq -r '.runs[] | select(.state == "ok" or .state == "warning") | .uuid'); do
		noded verify shop --run "$id" || return 1
	done
	for id in $(noded list --json | jq -r '.runs[] | select(.state == "ok" or .state == "warning") | .archives[].key'); do
		[ "$(tar --zstd -tf "$T/store/$id" | tail -n 1)" = manifest.json ] || return 1
	done
}
# how long a run takes is another thing each time on a machine with other work: when they end before they are
# killed the next is killed sooner, when they have not begun, later
for _ in $(seq "$KILLS"); do
	DEAD=$(states aborted) ENDED=$(states ok)
	spawn backup felloe-noded backup -q -c "$T/config.json" --state "$T/state"
	sleep "$((RANDOM % (TAKES + TAKES / 5)))e-3"
	stop_pid backup KILL
	noded status >/dev/null 2>&1
	if [ "$(states ok)" != "$ENDED" ]; then TAKES=$((TAKES * 2 / 3 + 10)); elif [ "$(states aborted)" = "$DEAD" ]; then TAKES=$((TAKES * 3 / 2)); fi
	# the archive of each good one is checked; the many of a long test only when they are new
	[ "$(states ok)" = "$GOOD" ] || { GOOD=$(states ok); sound >"$T/sound" 2>&1 || { note "$T/sound"; break; }; }
done
check "after $KILLS kills every good run can be restored" sound
check "none is called suspect, failed or running" test "$(noded list --json | jq -r '[.runs[] | select(.state != "ok" and .state != "aborted")] | length')" = 0
check "some were aborted" test "$(states aborted)" -ge 1
check "each is told to the webhook, once" test "$(jq -sr '[.[] | select(.path == "/hook") | .body | fromjson | .run | select(.state == "aborted") | .uuid] | (length | tostring) + " " + (unique | length | tostring)' "$T/requests")" = \
	"$(states aborted) $(states aborted)"
find "$T/state/run/node/status" -type f -exec touch -d '1 hour ago' {} +
check "the next run is good" run noded backup -q
check "nothing is left of the dead ones" test "$(find "$T/store" -type f | wc -l)" = $((2 * $(states ok)))
check "nor a lock or a progress" test -z "$(find "$T/state/run/node/status" "$T/state/run/node/lock" -type f ! -name .guard)"
