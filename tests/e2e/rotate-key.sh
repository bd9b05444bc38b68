#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sanitize: yes
# timeout: 180
# A node gets a new key without losing a sample, whatever dies meanwhile; blocked and deleted nodes say so.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../master-lib.sh"
. "$(dirname "$0")/../node-lib.sh"

master_init
step "the master starts" master_start
step "the administrator signs in" login admin 'correct horse battery'
step "a node joins" enrol web-01
KEY_FILE=$T/web-01/state/node/api.key
agent web-01
check "it reports" until_ok 20 node_is "$NODE" .liveness online
check "and says so locally" until_ok 10 status_says web-01 "master: $ROOT, connected"
report() { call "$2" POST /stats -H "X-API-KEY: $1" -d '{"cpu_usage":1,"disk_usage":1,"active_backups":0}'; }

rotate() { call 200 POST "/nodes/$NODE/rotate-key" -H "$(AS)"; }
changed() { [ "$(cat "$KEY_FILE")" != "$1" ]; }
settled() { node_is "$NODE" '.new_key_waits // false' false && node_is "$NODE" .liveness online; }
OLD=$(cat "$KEY_FILE")
check "it is to get a new key" rotate
check "which it stores" until_ok 20 changed "$OLD"
check "for its owner alone" [ "$(stat -c %a "$KEY_FILE")" = 600 ]
check "and uses" until_ok 20 settled
check "the old one is refused" until_ok 5 report "$OLD" 401
check "without a word of trouble in its log" bash -c "! grep -qiE 'refuse|not take|denied' '$T/web-01-agent.log'"

# ---- killed between any two steps
for round in 1 2 3 4 5 6; do
	OLD=$(cat "$KEY_FILE")
	rotate >/dev/null
	if [ $((round % 2)) = 0 ]; then until_ok 20 changed "$OLD" >/dev/null; else sleep "0.$((RANDOM % 10))"; fi
	stop_pid web-01-agent KILL
	[ $round -lt 4 ] || { stop_pid master KILL; master_start >/dev/null; }
	agent web-01
	check "round $round: a killed agent goes on with one of its keys" until_ok 30 settled
done
check "each new key is one of its own" [ "$(grep -c 'a new key from the master is saved' "$T/web-01-agent.log")" -ge 2 ]

# ---- the node cannot open it
stop_pid web-01-agent
mv "$T/web-01/state/node/identity.json" "$T/identity.json"
rotate
agent web-01
check "a node that lost its pair says so" until_ok 20 hears web-01 "the old key stays in use"
check "once" [ "$(grep -c 'the old key stays in use' "$T/web-01-agent.log")" = 1 ]
check "and goes on with the old key" node_is "$NODE" .liveness online
mv "$T/identity.json" "$T/web-01/state/node/identity.json"
check "with the pair it takes the new one" until_ok 20 settled

# ---- without a public key there is nothing to seal with
call 202 POST /nodes/join-request -d '{"hostname":"old","ip_address":"10.0.0.9","system_info":"test"}'
call 200 GET "/nodes/?state=pending" -H "$(AS)"
PLAIN=$(jq -r '.[0].id' "$BODY")
call 200 POST "/nodes/approve/$PLAIN" -H "$(AS)"
check "a node without a public key cannot get one" call 409 POST "/nodes/$PLAIN/rotate-key" -H "$(AS)"
check "the way out is told" is ".detail | endswith(\"felloe-noded join on it and approve it with adopt $PLAIN\")" true

# ---- blocked, deleted
check "blocked" call 200 POST "/nodes/block/$NODE" -H "$(AS)" -d '{"reason":"lost laptop"}'
check "the agent says so" until_ok 20 hears web-01 "lost laptop"
check "so does status" status_says web-01 "it has blocked this node"
check "with the reason" status_says web-01 "lost laptop"
check "a blocked node gets no new key" call 409 POST "/nodes/$NODE/rotate-key" -H "$(AS)"
check "unblocked" call 200 POST "/nodes/unblock/$NODE" -H "$(AS)"
stop_pid web-01-agent
agent web-01
check "it is back" until_ok 20 node_is "$NODE" .liveness online
check "deleted" call 204 DELETE "/nodes/$NODE" -H "$(AS)"
check "the agent says what may have happened" until_ok 20 hears web-01 "was the node deleted there"
check "so does status" status_says web-01 "it does not know this node (any more)"
check "as JSON too" test "$(noded web-01 status --json | jq -r '.link.state')" = "unknown key"
check "it asks anew" run noded web-01 join
call 200 GET "/nodes/?state=pending" -H "$(AS)"
AGAIN=$(jq -r '.[0].id' "$BODY")
check "and gets its old place" call 200 POST "/nodes/approve/$AGAIN" -H "$(AS)" -d "{\"adopt\":$NODE}"
check "with its number" is .id "$NODE"
check "the running agent goes on with the new key" until_ok 30 node_is "$NODE" .liveness online
stop_pid web-01-agent
check "without an agent status says that" status_says web-01 "the agent does not run now"
