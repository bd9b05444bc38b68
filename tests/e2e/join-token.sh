#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sanitize: yes
# timeout: 120
# Nodes join with tokens, without anybody at the console.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../master-lib.sh"
. "$(dirname "$0")/../node-lib.sh"

master_init
step "the master starts" master_start
step "the administrator signs in" login admin 'correct horse battery'
token() { # FILE BODY
	call 201 POST /join-tokens -H "$(AS)" -d "$2" && (umask 077 && jq -r .token "$BODY" >"$T/$1")
}
step "a token for one machine" token one '{"name":"one","tags":["fra"],"pre_approved":true}'
node web-01
node web-02
chmod 644 "$T/one"
check "a token file that others may read is refused" run -e 2 noded web-01 join --token-file "$T/one"
check "with the command to run" says "chmod 600"
chmod 600 "$T/one"
check "an empty one too" run -e 2 noded web-01 join --token-file /dev/null
echo flj_nonsense >"$T/bad" && chmod 600 "$T/bad"
check "a token that is not known is refused" run -e 5 noded web-01 join --token-file "$T/bad" --wait=10
check "in words" says "not known here"
check "and nothing waits for approval" bash -c "! ls '$T'/web-01/state/node/join.json"

# ---- two machines, one token for one of them
noded web-01 join --token-file "$T/one" --wait=20 >"$T/first" 2>&1 &
FIRST=$!
noded web-02 join --token-file - --wait=20 <"$T/one" >"$T/second" 2>&1 &
SECOND=$!
wait $FIRST
FIRST=$?
wait $SECOND
SECOND=$?
check "of two machines with a token for one, one gets in" [ "$((FIRST == 0)) $((SECOND == 0))" = "$([ $FIRST = 0 ] && echo "1 0" || echo "0 1")" ]
check "the other is told why" grep -q "is used up (1 of 1)" "$T/first" "$T/second"
check "with exit code 5" [ $((FIRST + SECOND)) = 5 ]
IN=web-01 OUT_NODE=web-02
[ $FIRST = 0 ] || IN=web-02 OUT_NODE=web-01
agent $IN
active() { call 200 GET /nodes/ -H "$(AS)" && is ".[] | select(.name == \"$1\") | [.state, .liveness] + .tags | join(\" \")" "active online $2"; }
check "its agent reports at once, with the tags of the token" until_ok 20 active $IN fra
check "approved by the token" bash -c "jq -e '.[0].approved_by // \"token one\"' '$BODY'"
check "the token stands in no state file any more" bash -c "! grep -rqF '$(cat "$T/one")' '$T/$IN'"

# ---- not approved beforehand: an admin decides, and the token gave the tags
step "a token for any number, not approved" token many '{"name":"many","uses":5,"tags":["ams"]}'
export FELLOE_JOIN_TOKEN
FELLOE_JOIN_TOKEN=$(cat "$T/many")
check "the environment gives it too" run noded $OUT_NODE join
unset FELLOE_JOIN_TOKEN
check "the code is shown" says "Pairing code"
waiting() { call 200 GET "/nodes/?state=pending" -H "$(AS)" && is ".[] | select(.name == \"$OUT_NODE\") | .tags | join(\" \")" ams; }
check "it waits for approval with the tags" waiting
NODE=$(jq -r ".[] | select(.name == \"$OUT_NODE\") | .id" "$BODY")
check "the same token again goes on with the same request" run noded $OUT_NODE join --token-file "$T/many"
used() { call 200 GET /join-tokens -H "$(AS)" && is '.items[] | select(.name == "many") | .used' 1; }
check "which counts once" used
check "an admin approves" call 200 POST "/nodes/approve/$NODE" -H "$(AS)"
check "and the node is in" run noded $OUT_NODE join --wait=20

# ---- a request that waits without a token is made anew with one
node web-03
check "a machine asks without" run noded web-03 join
step "gets a token" token late '{"pre_approved":true}'
check "and is in with it" run noded web-03 join --token-file "$T/late" --wait=20
check "no other request of it is left" bash -c "$(declare -f call AS); $(declare -p BODY HEAD API TOKEN); call 200 GET '/nodes/?state=pending' -H \"\$(AS)\" && [ \$(jq length \"\$BODY\") = 0 ]"
stop_pid master
check "no token stands in a log" bash -c "! grep -rqE 'flj_[A-Za-z0-9_-]{20}' '$T'/*.log '$T/first' '$T/second'"
