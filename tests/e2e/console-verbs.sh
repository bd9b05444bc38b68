#!/bin/bash
# The verbs of felloe for scripts against a real master with a real node.
# slow: yes
# shellcheck disable=SC2016
. "$(dirname "$0")/../lib.sh"

export XDG_CONFIG_HOME=$T/xdg
PORT=$(free_port)
URL=http://127.0.0.1:$PORT
echo 'correct horse' >"$T/password"
chmod 600 "$T/password"
check "a master is made" run felloe-masterd init -c "$T/master.json" --state "$T/state" --listen "127.0.0.1:$PORT" \
	--password-file "$T/password"
answers() { curl -s "$URL/health" | grep -q ok; }
master_up() { spawn master felloe-masterd run -c "$T/master.json" && until_ok 20 answers; }
master_up
export FELLOE_MASTER=$URL FELLOE_PASSWORD_FILE=$T/password
check "nothing goes without signing in" run -e 5 felloe alerts
check "not even events" run -e 5 felloe events
check "login" run felloe login --user admin

# ---- what is common to them
check "an unknown sub-verb is refused, the nearest offered" run -e 2 felloe alerts snoze 3
check "by name" says 'felloe alerts has no "snoze"; did you mean "snooze"?'
check "a sub-verb with too little tells its usage" run -e 2 felloe alerts ack
check "in full" says "usage: felloe alerts ack ID"
check "a verb with a typo too" run -e 2 felloe alrts
check "offers the nearest" says 'did you mean "alerts"'
for verb in storages request channels alerts events stats users tokens audit password totp rename tags note delete rotate-key; do
	check "felloe $verb --help" run felloe $verb --help
	check "fits 80 columns" awk 'length > 80 { exit 1 }' "$OUT"
done

# ---- join tokens; a node that needs no approval
check "no join token yet" run felloe tokens --join
check "and the way to one" says "felloe tokens add NAME --join"
check "a join token is made" run felloe tokens add rollout --join --uses 3 --pre-approved --tags shop,fra --json
JOIN=$(jq -r .token "$OUT")
check "its secret is shown" test "${JOIN#flj_}" != "$JOIN"
check "the list shows it" run felloe tokens --join
check "with its uses and tags" grep -qE 'rollout +open +0 +3 .* yes .*shop' "$OUT"
check "but not the secret" bash -c "! grep -q 'flj_' '$OUT'"
mkdir "$T/store"
jq -n --arg p "$T/store" '{server_id: "web-01", heartbeat_s: 1, sites: [], storage: [{name: "disk", type: "dir", path: $p}]}' >"$T/node.json"
chmod 600 "$T/node.json"
spawn join felloe-noded join --master "$URL" --name web-01 -c "$T/node.json" --state "$T/nodestate" --wait=60
waits() { felloe pending --json | jq -e 'length == 1'; }
check "a node asks" until_ok 30 waits
check "and is approved" until_ok 20 felloe approve 1
joined() { ! kill -0 "$(cat "$T/join.pid")" 2>/dev/null; }
check "and has its key" until_ok 30 joined
spawn agent felloe-noded agent -c "$T/node.json" --state "$T/nodestate"
reports() { felloe node 1 --json | jq -e '.sample.cpu_usage != null'; }
check "and reports" until_ok 60 reports

# ---- users
check "users" run felloe users
check "lists the first one" grep -qE '^1 +admin +super_admin' "$OUT"
check "a user is made, with a password" run felloe users add mia --role node_admin --tags shop --json
jq -r .password "$OUT" >"$T/mia"
chmod 600 "$T/mia"
check "which is long enough" test "$(wc -c <"$T/mia")" -gt 10
check "a second of the name is refused" run -e 1 felloe users add mia
check "a role that is none too" run -e 1 felloe users role mia king
check "another role" run felloe users role mia viewer
check "other tags, by number" run felloe users tags 2 shop,fra --json
check "are taken" jq -e '.role == "viewer" and (.tags | length == 2)' "$OUT"
check "none lifts the limit" run felloe users tags 2 none --json
check "and is no tag" jq -e '.tags == []' "$OUT"
as_mia() { XDG_CONFIG_HOME=$T/mia.xdg FELLOE_PASSWORD_FILE=$T/mia "$@"; }
check "the user signs in" run as_mia felloe login --user mia
check "and may not see the users" run -e 5 as_mia felloe users
echo 'a better horse' >"$T/mia2"
chmod 600 "$T/mia2"
check "password changes the own one" run as_mia felloe password --new-file "$T/mia2"
check "and the session goes on" run as_mia felloe whoami
check "the old one is wrong now" run -e 5 as_mia felloe login --user mia
cp "$T/mia2" "$T/mia"
check "the new one is right" run as_mia felloe login --user mia
check "a password file that others may read is refused" bash -c "chmod 644 '$T/mia2'; ! felloe users password mia --password-file '$T/mia2'"
check "a password from standard input" bash -c "echo 'the third horse' | felloe users password mia --password-file -"
check "disable" run felloe users disable mia
check "ends the session" run -e 5 as_mia felloe nodes
check "enable" run felloe users enable mia
check "a user that is not there" run -e 1 felloe users disable nobody
check "is told with the way out" says "felloe users lists"
check "the last administrator cannot go" run -e 1 felloe users delete admin
check "delete" run felloe users delete mia

# ---- one-time codes
SEED=
code() { # OFFSET: of the step so many before or after now (RFC 6238)
	local key step mac at
	key=$(printf '%s' "$SEED" | base32 -d | od -An -v -tx1 | tr -d ' \n')
	step=$(printf '%016x' $(($(date +%s) / 30 + $1)))
	mac=$(printf '%b' "$(sed 's/../\\x&/g' <<<"$step")" | openssl dgst -sha1 -mac HMAC -macopt "hexkey:$key" -r | cut -c1-40)
	at=$((16#${mac:39:1} * 2))
	printf '%06d\n' $(((16#${mac:at:8} & 0x7fffffff) % 1000000))
}
# the code is made only when the seed has been shown: a pipe that waits
mkfifo "$T/codes"
totp_on() {
	FELLOE_OTP_FILE=- felloe totp on <"$T/codes" >"$T/totp.out" 2>"$T/totp.err" &
	local pid=$!
	exec 7>"$T/codes"
	seed_shown() { SEED=$(sed -n 's/^Secret.*: *//p' "$T/totp.err" | tr -d ' \n'); [ -n "$SEED" ]; }
	until_ok 20 seed_shown && code 0 >&7
	exec 7>&-
	wait $pid
}
check_here() { local what=$1; shift; if "$@"; then check "$what" true; else check "$what" bash -c "cat '$T/totp.out' '$T/totp.err'; false"; fi; }
check_here "totp on shows the secret and takes a code of it" totp_on
check "with the address for a telephone" grep -q '^otpauth://totp/Felloe:admin?secret=' "$T/totp.err"
check "and gives recovery codes" test "$(grep -c '^  ' "$T/totp.out")" = 8
RECOVERY=$(sed -n 's/^  //p' "$T/totp.out" | head -n 1)
check "sign-in without a code does not do" run -e 2 felloe login --user admin
check "it says what is missing" says "One-time code"
(umask 077; echo 000000 >"$T/otp")
export FELLOE_OTP_FILE=$T/otp
check "nor with a wrong one" run -e 5 felloe login --user admin
echo "$RECOVERY" >"$T/otp"
check "a recovery code does" run felloe login --user admin
sed -n 's/^  //p' "$T/totp.out" | sed -n 2p >"$T/otp"
check "totp off" run felloe totp off
unset FELLOE_OTP_FILE
check "and sign-in goes without again" run felloe login --user admin

# ---- API tokens
check "an API token is made" run felloe tokens add backup-check --scopes read --expires 2d
API=$(grep -o 'flt_[A-Za-z0-9_-]*' "$OUT")
check "it works" bash -c "curl -sf -H 'Authorization: Bearer $API' '$URL/api/v1/nodes/' | jq -e 'length == 1'"
check "the list has its name, not its secret" bash -c "felloe tokens | grep -q backup-check && ! felloe tokens --json | grep -q '$API'"
check "revoke" run felloe tokens revoke backup-check
check "ends it" bash -c "! curl -sf -H 'Authorization: Bearer $API' '$URL/api/v1/nodes/'"

# ---- channels
check "no channel yet" run felloe channels
check "and the way to one" says "felloe channels add NAME"
HOOK=$(free_port)
(umask 077; echo "http://127.0.0.1:$HOOK/hook" >"$T/url")
check "a webhook is made" run felloe channels add pager --kind webhook --url-file "$T/url" --severity critical --json
check "with a secret made for it" jq -e '.secret | length >= 16' "$OUT"
check "the list shows it, its path not" bash -c "felloe channels | grep -q 'pager.*webhook' && ! felloe channels --json | grep -q /hook"
check "a test that nobody hears fails" run -e 1 felloe channels test pager
check "and says why" says "127.0.0.1:$HOOK"
check "a kind that is none" run -e 1 felloe channels add fax --kind fax
check "a channel goes" run felloe channels delete pager

# ---- events
spawn events felloe events --follow --json --topics node,join,sample --nodes 1
spawn words felloe events --follow
logged() { grep -q -- "$2" "$T/$1.log"; }
check "events bring the node's samples" until_ok 60 logged events '"event":"sample"'
check "the other stream brings some, too" until_ok 60 test -s "$T/words.log"
check "each line of them is JSON" jq -e -s 'length > 0 and all(.event != null and .data.items != null)' "$T/events.log"

# ---- a node's name, tags, note
check "rename" run felloe rename 1 shop-07
check "tells the new name" says "shop-07"
check "an event tells of it" until_ok 20 logged words "shop-07"
check "tags" run felloe tags 1 shop,ams --json
check "replace those before" jq -e '.tags == ["shop","ams"] or .tags == ["ams","shop"]' "$OUT"
check "no tags" run felloe tags 1 "" --json
check "takes all away" jq -e '.tags == []' "$OUT"
check "a note" run felloe note 1 "in the cellar; ask Mia" --json
check "is kept" jq -e '.note == "in the cellar; ask Mia"' "$OUT"
check "an ID is a number" run -e 2 felloe rename web-01 x
check "of a node that is there" run -e 1 felloe rename 77 x
check "rotate-key" run felloe rotate-key 1
check "says when" says "with its next report"

# ---- requests
check "a verb that no node knows is refused" run -e 2 felloe request 1 bakup
check "with the nearest" says 'did you mean "backup"'
check "a request" run felloe request 1 backup --expires 10m
check "waits for the node" says "(backup): pending"
check "is listed" run felloe request 1
check "with who asked" grep -qE 'admin +backup' "$OUT"
check "one that the node does not allow" run -e 5 felloe request 1 pause --wait
check "is told as it stands" grep -qE '^Request [0-9a-f-]{36} \(pause\): refused: ' "$OUT"
check "one that it allows is waited for" run felloe request 1 verify --wait
check "until it is done" grep -qE '^Request [0-9a-f-]{36} \(verify\): done' "$OUT"
check "as JSON too" run felloe request 1 --json
check "with its state" jq -e 'length == 3 and all(.state | length > 0) and any(.verb == "backup")' "$OUT"

# ---- storages
has_storage() { felloe storages --json | jq -e '.[0].storage.name == "disk"'; }
check "the node's storage is known" until_ok 60 has_storage
check "storages" run felloe storages
check "shows it in words" grep -qE 'shop-07 +disk +dir' "$OUT"
check "storages --json is a list" bash -c "felloe storages --json | jq -e 'type == \"array\"'"

# ---- numbers
check "stats" run felloe stats 1
check "is a table" says "MEMORY"
check "with a step of its own" run felloe stats 1 --since 15m --step 30s --json
check "as JSON" jq -e '.node_id == 1 and (.items | length > 0)' "$OUT"
check "a span that is none" run -e 2 felloe stats 1 --since soon
check "is told with the form" says "write it like 90s, 15m, 4h or 2d"

# ---- alerts: the node falls silent
check "all quiet" run felloe alerts
stop_pid agent
check "alerts --json" run felloe alerts --json
check "is a list" jq -e 'type == "array"' "$OUT"
check "an alert that is not there" run -e 1 felloe alerts ack 999999
check "a state that is none" run -e 2 felloe alerts --state broken
check "an alert's ID is a number" run -e 2 felloe alerts show web

# ---- audit
check "audit" run felloe audit
check "tells who renamed" grep -qE 'admin +127.0.0.1 +node\.' "$OUT"
check "of one kind" run felloe audit --action join_token --json
check "and only of it" jq -e 'length > 0 and all(.action | startswith("join_token"))' "$OUT"
check "of a span" run felloe audit --since 1h --who admin --limit 2 --json
check "and at most so many" jq -e 'length == 2' "$OUT"

# ---- revoke, delete
check "revoke by name" run felloe tokens revoke rollout --join
check "the list is empty again or says so" run felloe tokens --join
check "deleting is not done unasked" run -e 2 felloe delete 1
check "delete --yes" run felloe delete 1 --yes
check "it is gone" run -e 1 felloe node 1
check "events tell of that" until_ok 20 logged words "node 1 is gone"

# ---- events and a master that goes
check "without --follow the end of the stream is the end" bash -c '
	timeout 60 felloe events >"$0/ends.log" 2>&1 & pid=$!
	until [ -e "$0/sent" ]; do kill -s TERM "$(cat "$0/master.pid")" 2>/dev/null && touch "$0/sent"; sleep 0.2; done
	wait $pid; [ $? -lt 2 ]' "$T"
check "with --follow it waits for the master" until_ok 20 logged words "trying again"
master_up
check "and goes on" bash -c "felloe tokens add again --join >/dev/null; kill -0 \$(cat '$T/words.pid')"
