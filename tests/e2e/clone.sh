#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sanitize: yes
# timeout: 120
# A copied machine image: two agents with one key.
# stores: sqlite
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../master-lib.sh"
. "$(dirname "$0")/../node-lib.sh"

master_init
step "the master starts" master_start
step "the administrator signs in" login admin 'correct horse battery'
step "a node joins" enrol web-01
agent web-01
check "it reports" until_ok 20 node_is "$NODE" .liveness online

# ---- starting anew is no second machine
for _ in 1 2 3; do
	stop_pid web-01-agent
	agent web-01
	until_ok 20 node_is "$NODE" .liveness online >/dev/null
done
check "an agent that is started again is the same machine" node_is "$NODE" '.reasons | join(" ") | contains("two machines")' false

# ---- the image is copied, with its key and its pair
mkdir -p "$T/web-02"
cp -a "$T/web-01/config.json" "$T/web-02/"
cp -a "$T/web-01/state" "$T/web-02/state"
agent web-02
both() { node_is "$NODE" '.reasons | join(" ")' "two machines use this key: 127.0.0.1 and 127.0.0.1"; }
check "two machines with one key are found out" until_ok 20 both
check "the node wants a look" is .health warn
check "the copy is refused and says why" until_ok 20 hears web-02 "two machines use this key"
check "status of the copy says it too" status_says web-02 "another machine uses the key of this node"
check "the copy backs up all the same" run noded web-02 backup
samples() { call 200 GET "/nodes/$NODE/stats" -H "$(AS)" >/dev/null && jq '[.items[].samples] | add' "$BODY"; }
check "the first goes on reporting" until_ok 20 status_says web-01 connected
stop_pid web-01-agent
NOW=$(samples)
clone_again() { : >"$T/web-02-agent.log"; stop_pid web-02-agent; agent web-02; until_ok 20 hears web-02 "two machines use this key"; }
check "also when the first is off the copy is not taken for it" clone_again
check "nothing of the copy is stored" [ "$(samples)" = "$NOW" ]
runs() { call 200 GET /runs -H "$(AS)" && is '.items | length' "$1"; }
check "nor its run" runs 0
agent web-01

# ---- the mark outlives the master
stop_pid master KILL
step "the master is killed and starts again" master_start
check "it still knows" both
check "the first is still believed" until_ok 20 status_says web-01 connected

# ---- a new key for the first; the copy asks for its own
check "the administrator gives the node a new key" call 200 POST "/nodes/$NODE/rotate-key" -H "$(AS)"
cleared() { node_is "$NODE" '(.reasons | join(" ") | contains("two machines")) or (.new_key_waits // false)' false; }
check "the first takes it and the mark is gone" until_ok 30 cleared
check "the copy has not got it" [ "$(cat "$T/web-01/state/node/api.key")" != "$(cat "$T/web-02/state/node/api.key")" ]
check "it asks for a key of its own" run noded web-02 join --name web-02
call 200 GET "/nodes/?state=pending" -H "$(AS)"
COPY=$(jq -r '.[0].id' "$BODY")
check "as another node" call 200 POST "/nodes/approve/$COPY" -H "$(AS)" -d '{"name":"web-02"}'
check "and reports as that" until_ok 40 node_is "$COPY" .liveness online
check "with the run that it kept" until_ok 20 runs 1
check "under its own number" is '.items[0].node_id' "$COPY"
check "both are well" cleared

# ---- the other way: the copy is the one that stays
step "another node joins" enrol web-03
agent web-03
until_ok 20 node_is "$NODE" .liveness online >/dev/null
mkdir -p "$T/web-04"
cp -a "$T/web-03/config.json" "$T/web-04/"
cp -a "$T/web-03/state" "$T/web-04/state"
agent web-04
check "two again" until_ok 20 both
stop_pid web-03-agent
check "the copy asks" run noded web-04 join
call 200 GET "/nodes/?state=pending" -H "$(AS)"
COPY=$(jq -r '.[0].id' "$BODY")
check "and adopts the place" call 200 POST "/nodes/approve/$COPY" -H "$(AS)" -d "{\"adopt\":$NODE}"
adopted() { cleared && is '[.liveness, .id | tostring] | join(" ")' "online $NODE"; }
check "reports there, and the mark is gone" until_ok 40 adopted
agent web-03
check "the first machine's key is worth nothing now" until_ok 20 hears web-03 "does not take the key"
check "which leaves the other alone" adopted
