#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Who did what: the trail that requests write, how it is read, and that no record is changed unseen.
# timeout: 120
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../master-lib.sh"
command -v sqlite3 >/dev/null || { skip "the audit trail" "apt-get install sqlite3"; exit 0; }

master_init || note "$T/init.out"
step "the master starts" master_start
step "an administrator signs in" login admin 'correct horse battery'
step "a machine is approved" admit web-01
check "it is blocked" call 200 POST "/nodes/block/$NODE" -H "$(AS)" -d '{"reason":"stolen \"laptop\""}'
check "and let in again" call 200 POST "/nodes/unblock/$NODE" -H "$(AS)"
check "a change that is refused" call 409 POST "/nodes/unblock/$NODE" -H "$(AS)"

check "the trail is read newest first" call 200 GET /audit -H "$(AS)"
check "it holds what was done, and nothing that was refused" is '[.items[] | select(.action | startswith("node.")) | .action] | join(" ")' "node.unblock node.block node.approve"
check "who did it, from where" is '[.items[] | select(.action == "node.approve") | "\(.who) \(.peer)"] | join(",")' "admin 127.0.0.1"
check "also who made the first user" is '.items[-1] | "\(.action) \(.object) \(.who | startswith("felloe-masterd ("))"' "user.add user admin true"
check "and who signed in" is '[.items[] | select(.action == "auth.login") | .object] | join(",")' "user admin"
check "to what" is '.items[0].object' "node $NODE (web-01)"
check "with what words" is '.items[] | select(.action == "node.block") | .detail.reason' 'stolen "laptop"'
check "numbers go down without gaps" is '[.items[].id] == [range(.items | length; 0; -1)]' true
COUNT=$(jq '.items | length' "$BODY")
check "a page ends with the way on" call 200 GET "/audit?limit=2" -H "$(AS)"
check "which is" is .next "$((COUNT - 1))"
check "the next page" call 200 GET "/audit?limit=2&after=$((COUNT - 1))" -H "$(AS)"
check "goes on there" is '.items[0].id' "$((COUNT - 2))"
check "one kind of action" call 200 GET "/audit?action=node.block" -H "$(AS)"
check "alone" is '[.items[].action] | unique | join(" ")' node.block
check "a family of actions" call 200 GET "/audit?action=node" -H "$(AS)"
check "of three" is '.items | length' 3
check "of somebody unknown" call 200 GET "/audit?who=nobody" -H "$(AS)"
check "there is nothing" is '.items | length' 0
check "since a time to come" call 200 GET "/audit?since=2100-01-01T00:00:00Z" -H "$(AS)"
check "there is nothing yet" is '.items | length' 0
check "a wrong time is refused" call 422 GET "/audit?since=yesterday" -H "$(AS)"
check "a wrong page is refused" call 422 GET "/audit?after=x" -H "$(AS)"

verify() { run -e "$1" felloe-masterd audit verify --state "$T/state" "${@:2}"; }
check "the whole trail is verified while the master runs" verify 0
check "which says so" says "the trail is as it was written; records: $COUNT"
check "as JSON too" verify 0 --json
is_out() { [ "$(jq -r "$1" "$OUT")" = "$2" ] || { cat "$OUT"; return 1; }; }
check "with the number of records" is_out '"\(.good) \(.verdict) \(.records)"' "true good $COUNT"
newest_hash() {
	local hex='lower(hex(hash))'
	[ "$STORE" = sqlite ] || hex="encode(hash,'hex')"
	database_sql "$T/state/master/master.db" "SELECT $hex FROM audit ORDER BY id DESC LIMIT 1"
}
HEAD_HASH=$(jq -r .head "$OUT")
check "a head is the hash of the newest record" test "$HEAD_HASH" = "$(newest_hash)"
check "after another change" call 200 POST "/nodes/block/$NODE" -H "$(AS)"
check "the head that was kept is still found" verify 0 --head "$HEAD_HASH"
check "with what came after it" says "the head that was kept is record $COUNT; 1 came after it"
check "a head that is none is refused" verify 2 --head zzz
check "a verb that is none is refused" run -e 2 felloe-masterd audit burn --state "$T/state"
stop_pid master
COUNT=$((COUNT + 1))

# tamper SQL: with a copy of the database
tamper() {
	local copy=$T/tampered
	rm -rf "$copy"
	mkdir -p "$copy"
	database_fork "$T/state/master/master.db" "$1" &&
		jq --arg d "$FORK" '.database = $d' "$T/state/master.json" >"$copy/master.json" && chmod 600 "$copy/master.json"
}
judged() { # STATUS VERDICT BAD [OPTIONS]
	run -e "$1" felloe-masterd audit verify -c "$T/tampered/master.json" --json "${@:4}" && is_out '"\(.verdict) \(.bad)"' "$2 $3"
}
MIDDLE=$((COUNT - 2))
check "a copy" tamper "SELECT 1"
check "is as good" judged 0 good null
check "one letter of a record is changed" tamper "UPDATE audit SET detail=replace(detail,'stolen','broken') WHERE action='node.block' AND detail LIKE '%stolen%'"
check "which is found" judged 1 changed "$MIDDLE"
check "a record is taken out" tamper "DELETE FROM audit WHERE id=2"
check "which is found as missing" judged 1 missing 2
check "two records change places" tamper "UPDATE audit SET id=-1 WHERE id=$MIDDLE; UPDATE audit SET id=$MIDDLE WHERE id=$((MIDDLE + 1)); UPDATE audit SET id=$((MIDDLE + 1)) WHERE id=-1"
check "which is found as such" judged 1 reordered "$MIDDLE"
check "the newest record is cut off" tamper "DELETE FROM audit WHERE id>=$((COUNT - 1))"
check "which the chain alone cannot tell" judged 0 good null
check "but who kept its head sees it" judged 1 cut null --head "$HEAD_HASH"
check "the man page tells of the verb" grep -q 'audit verify' "$HERE/../man/felloe-masterd.8"
