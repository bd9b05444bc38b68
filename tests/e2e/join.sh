#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sanitize: yes
# A node joins a master, reports, and loses nothing while the master is away.
. "$(dirname "$0")/../lib.sh"
for tool in jq curl sqlite3; do
	command -v "$tool" >/dev/null || { skip "a node joins its master" "$tool is missing: apt-get install $tool"; exit 77; }
done

. "$(dirname "$0")/../database-lib.sh"
PORT=$(free_port)
URL=http://127.0.0.1:$PORT
echo "a long test password" >"$T/password"
chmod 600 "$T/password"
run felloe-masterd init -c "$T/master.json" --state "$T/m" --listen "127.0.0.1:$PORT" --admin admin \
	--password-file "$T/password" "${DATABASE[@]}" || { note "$ERR"; exit 1; }
answers() { curl -fsS "$URL/health"; }
master_up() {
	spawn masterd felloe-masterd run -c "$T/master.json" --state "$T/m"
	until_ok 20 answers || { note "$T/masterd.log"; return 1; }
	curl -fsS "$URL/api/v1/auth/login" -d username=admin --data-urlencode "password@$T/password.raw" |
		jq -er '"Authorization: Bearer " + .access_token' >"$T/token"
}
printf 'a long test password' >"$T/password.raw"
api() { curl -fsS -X "$1" "$URL/api/v1$2" -H "@$T/token" -H 'Content-Type: application/json' ${3:+-d "$3"}; }

# node NAME: a scratch node with its own configuration and state
node() {
	mkdir -p "$T/$1"
	cat >"$T/$1/config.json" <<-END
		{"server_id": "$1", "sites": [{"name": "shop", "paths": ["$T/$1"]}], "heartbeat_s": 1,
		 "storage": [{"name": "disk", "type": "dir", "path": "$T/$1/backup"}]}
	END
	chmod 600 "$T/$1/config.json"
}
noded() { # NODE VERB...
	local n=$1 verb=$2
	shift 2
	felloe-noded "$verb" -c "$T/$n/config.json" --state "$T/$n/state" "$@"
}
code_of() { jq -r 'select(.event == "code") | .code' "$T/$1.log" | grep -m1 .; }
seen() { api GET /nodes/ | jq -r --arg n "$1" '.[] | select(.name == $n) | .'"$2"; }
seen_is() { [ "$(seen "$1" "$2")" = "$3" ]; }
depth() { sqlite3 "file:$T/$1/state/node/outbox.db?mode=ro" 'SELECT count(*) FROM sample'; }
at_least() { [ "$(depth "$1")" -ge "$2" ]; }
empty() { [ "$(depth "$1")" -le 1 ]; }
# stored FILTER: jq over the points of a second each of the last ten minutes
stored() { api GET "/nodes/1/stats?from=$(date -u -d '10 minutes ago' +%FT%TZ)&step=1" | jq -er "[.items[].samples] | $1"; }

check "the master starts" master_up

# ---- no master
node lost
check "an address where nobody listens is a clear error" run -e 1 noded lost join --master http://127.0.0.1:1
check "which names it" says "127.0.0.1"
check "a word that is no address is refused" run -e 2 noded lost join --master somewhere
check "with an example" says "https://"
check "and does not get into the configuration" [ -z "$(grep somewhere "$T/lost/config.json")" ]
check "join --wait=SECONDS gives up in time" run -e 1 noded lost join --master http://127.0.0.1:1 --wait=1
check "and says so" says "within 1 s"

echo '{' >"$T/broken.json"
check "apply refuses what is not JSON" run -e 2 noded lost apply "$T/broken.json" --unit-dir "$T/units"
check "naming the file that was given" says "$T/broken.json: line 2, column 1"

# ---- join
node web
spawn web-join felloe-noded join -c "$T/web/config.json" --state "$T/web/state" --master "$URL" --wait=60 --json
check "the node shows a code" until_ok 10 code_of web-join
CODE=$(code_of web-join)
check "the master shows the same code" seen_is web code "$CODE"
check "which is protected by the exchange" seen_is web code_protected true
check "the address of the master stands in the configuration now" grep -q "$URL" "$T/web/config.json"
check "the old configuration is kept" ls "$T"/web/config.json.2*

# killed while it waits: the same request, the same code
kill -9 "$(cat "$T/web-join.pid")"
stop_pid web-join
: >"$T/web-join.log"
spawn web-join felloe-noded join -c "$T/web/config.json" --state "$T/web/state" --wait=60 --json
check "a join that was killed goes on" until_ok 10 code_of web-join
check "with the same code" [ "$(code_of web-join)" = "$CODE" ]
check "and no second request was made" [ "$(api GET /nodes/ | jq '[.[] | select(.state == "pending")] | length')" = 1 ]
ID=$(seen web id)
check "an administrator approves" api POST "/nodes/approve/$ID" '{}'
check "join --wait ends by itself" until_ok 15 grep -q '"event":"active"' "$T/web-join.log"
check "the key is saved for its owner alone" [ "$(stat -c %a "$T/web/state/node/api.key")" = 600 ]
check "the pending request is forgotten" [ ! -e "$T/web/state/node/join.json" ]
check "join again says that it is done" run noded web join --wait=5
check "in words" says "joined already"

# ---- the agent
agent_up() { spawn "$1-agent" felloe-noded agent -c "$T/$1/config.json" --state "$T/$1/state"; }
agent_up web
check "heartbeats arrive" until_ok 15 seen_is web liveness online
measured() { seen web '| .sample.memory.total > 0 and .sample.disk_usage > 0' | grep -q true; }
check "with memory and disk" until_ok 10 measured

# ---- the master goes away
stop_pid masterd KILL
check "samples wait while the master is away" until_ok 20 at_least web 4
kill -9 "$(cat "$T/web-agent.pid")"
stop_pid web-agent
KEPT=$(depth web)
check "a killed agent loses none of them" [ "$KEPT" -ge 4 ]
agent_up web
check "and goes on beside what it finds" until_ok 20 at_least web "$((KEPT + 1))"
check "the master returns" master_up
check "what waited is back-filled" until_ok 60 empty web
check "once each" [ "$(stored 'max <= 2')" = true ]
check "with its own times" [ "$(stored "add >= $KEPT")" = true ]
kill -TERM "$(cat "$T/web-agent.pid")"
wait "$(cat "$T/web-agent.pid")"
check "SIGTERM ends the agent with exit code 0" [ $? = 0 ]

# ---- an agent goes on with a pending join
node late
check "join without --wait shows the code and ends" run noded late join --master "$URL"
check "in words" says "Pairing code"
agent_up late
ID=$(seen late id)
check "it is approved later" api POST "/nodes/approve/$ID" '{}'
check "the agent takes the key and reports" until_ok 40 seen_is late liveness online

# ---- blocked
api POST "/nodes/block/$ID" '{"reason":"stolen laptop"}' >/dev/null
check "a blocked node's agent says so" until_ok 20 grep -q "stolen laptop" "$T/late-agent.log"
check "join of a blocked node is refused" run -e 5 noded late join --wait=5
check "with the administrator's reason" says "stolen laptop"

node bad
spawn bad-join felloe-noded join -c "$T/bad/config.json" --state "$T/bad/state" --master "$URL" --wait=60 --json
until_ok 10 code_of bad-join >/dev/null
api POST "/nodes/block/$(seen bad id)" '{"reason":"unknown machine"}' >/dev/null
check "a request that is blocked ends the wait" until_ok 15 grep -q '"event":"blocked"' "$T/bad-join.log"
check "with the reason" grep -q "unknown machine" "$T/bad-join.log"
wait "$(cat "$T/bad-join.pid")"
check "and exit code 5" [ $? = 5 ]

# ---- over TLS with a pinned key: the code takes the master's public key in
stop_pid masterd
PORT=$(free_port)
URL=https://127.0.0.1:$PORT
run felloe-masterd init -c "$T/tls/master.json" --state "$T/tls/m" --listen "127.0.0.1:$PORT" --admin admin \
	--password-file "$T/password" --self-signed
PIN=$(grep -oh 'sha256//[A-Za-z0-9+/=]*' "$OUT" | head -n 1)
check "init --self-signed prints the pin" test -n "$PIN"
api() { curl -fsSk -X "$1" "$URL/api/v1$2" -H "@$T/token" -H 'Content-Type: application/json' ${3:+-d "$3"}; }
spawn tls-masterd felloe-masterd run -c "$T/tls/master.json" --state "$T/tls/m"
until_ok 20 curl -fsSk "$URL/health" || note "$T/tls-masterd.log"
curl -fsSk "$URL/api/v1/auth/login" -d username=admin --data-urlencode "password@$T/password.raw" |
	jq -er '"Authorization: Bearer " + .access_token' >"$T/token"
node safe
check "a certificate that nobody vouches for is refused" run -e 1 noded safe join --master "$URL"
check "as such" sh -c "grep -qiE 'certificate|pin' '$OUT' '$ERR'"
WRONG=sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
check "with its key, to compare and give" says "$PIN"
check "so is another key than the pinned one" run -e 1 noded safe join --master "$URL" --pin "$WRONG"
check "naming both keys" says "$PIN now, not $WRONG"
spawn safe-join felloe-noded join -c "$T/safe/config.json" --state "$T/safe/state" --master "$URL" --pin "$PIN" --wait=60 --json
check "with the pin the node shows its code" until_ok 10 code_of safe-join || note "$T/safe-join.log"
check "and the master the same" seen_is safe code "$(code_of safe-join)"
check "with who asked for it" seen_is safe asked_by "${SUDO_USER:-$(id -un)}"
check "approved" api POST "/nodes/approve/$(seen safe id)" '{}'
check "join ends" until_ok 15 grep -q '"event":"active"' "$T/safe-join.log"
agent_up safe
check "and the agent reports over TLS" until_ok 15 seen_is safe liveness online
