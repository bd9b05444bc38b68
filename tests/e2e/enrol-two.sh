#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A node behind a balancer of two masters on one PostgreSQL: new keys, requests and twins are theirs together.
# timeout: 180
# stores: sqlite
# (it brings its own PostgreSQL)
FELLOE_TEST_DATABASE=postgresql
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../master-lib.sh"
. "$(dirname "$0")/../node-lib.sh"
PORT_BOTH=$(free_port)

master_init || note "$T/init.out"
second_init
step "the first master starts" master_start
step "the second one starts on the same database" second_start
spawn both python3 "$RIGS/round_robin.py" "$PORT_BOTH" "$PORT" "$PORT_B"
ROOT=http://127.0.0.1:$PORT_BOTH API=http://127.0.0.1:$PORT_BOTH/api/v1
signed_in() { login admin 'correct horse battery' && call 200 GET /auth/me -H "$(AS)" && call 200 GET /auth/me -H "$(AS)"; }
step "the administrator signs in" until_ok 20 signed_in
login admin 'correct horse battery'
both_know() { call 200 GET /auth/me -H "$(AS)" && call 200 GET /auth/me -H "$(AS)"; } # they take turns
until_ok 20 both_know

# ---- a token is used up for both
call 201 POST /join-tokens -H "$(AS)" -d '{"pre_approved":true}'
(umask 077 && jq -r .token "$BODY" >"$T/token")
node web-01
check "a node joins with a token, one word at each master" run noded web-01 join --token-file "$T/token" --wait=20
node web-02
check "the token is used up at both" run -e 5 noded web-02 join --token-file "$T/token" --wait=5
agent web-01
there() { call 200 GET /nodes/ -H "$(AS)" && NODE=$(jq -re '.[0].id' "$BODY") && node_is "$NODE" .liveness online && node_is "$NODE" .liveness online; }
check "both see it online" until_ok 20 there
there

# ---- a new key
OLD=$(cat "$T/web-01/state/node/api.key")
check "one is asked for a new key" call 200 POST "/nodes/$NODE/rotate-key" -H "$(AS)"
settled() { [ "$(cat "$T/web-01/state/node/api.key")" != "$OLD" ] && node_is "$NODE" '.new_key_waits // false' false && node_is "$NODE" '.new_key_waits // false' false; }
check "the node takes it, and both know" until_ok 30 settled
refused() { call 401 POST /stats -H "X-API-KEY: $OLD" -d '{"cpu_usage":1,"disk_usage":1,"active_backups":0}'; }
refused_by_both() { refused && refused; }
check "both refuse the old one" until_ok 10 refused_by_both
check "the node is not thrown out" there
check "and never was" bash -c "! grep -qi 'does not take the key' '$T/web-01-agent.log'"

# ---- a request
call 201 POST "/nodes/$NODE/requests" -H "$(AS)" -d '{"verb":"backup","site":"shop"}'
RID=$(jq -r .id "$BODY")
stands() { call 200 GET "/nodes/$NODE/requests/$RID" -H "$(AS)" && is .state "$1"; }
check "what one is asked for is done, whichever the node meets" until_ok 60 stands "done"
archives() { find "$T/web-01/store" -name '*.tar.zst' | wc -l; }
check "once" [ "$(archives)" = 1 ]
for _ in 1 2 3; do
	call 201 POST "/nodes/$NODE/requests" -H "$(AS)" -d '{"verb":"backup","site":"shop"}'
	RID=$(jq -r .id "$BODY")
	until_ok 60 stands "done" >/dev/null
done
check "each once" [ "$(archives)" = 4 ]

# ---- twins that keep to one master each
ONE=http://127.0.0.1:$PORT/api/v1 WEB_01=$NODE
step "another machine is let in" at "$ONE" admit web-09
reports() { # MASTER INSTANCE: its status in $STATUS
	at "$1" call 200 POST /stats -H "X-API-KEY: $KEY" -H "X-Felloe-Instance: $2" -d '{"cpu_usage":1,"disk_usage":1,"active_backups":0}' >/dev/null
	[ "$STATUS" = 200 ] || [ "$STATUS" = 409 ]
}
one_is_refused() { reports "$ONE" first && [ "$STATUS" = 200 ] && reports "$B" second && [ "$STATUS" = 200 ] && return 1; [ "$STATUS" = 409 ]; }
check "two machines with its key are found out though each master hears one of them only" until_ok 20 one_is_refused
NODE=$WEB_01

# ---- twins
mkdir -p "$T/web-03"
cp -a "$T/web-01/config.json" "$T/web-03/"
cp -a "$T/web-01/state" "$T/web-03/state"
agent web-03
flagged() { node_is "$NODE" '.reasons | join(" ") | contains("two machines")' true; }
flagged_by_both() { flagged && flagged; }
check "a copy of the machine is found out, by both" until_ok 40 flagged_by_both || { note "$T/web-01-agent.log"; note "$T/web-03-agent.log"; }
one_of_two() { hears web-01 "two machines" || hears web-03 "two machines"; }
check "and one of the two is refused" until_ok 30 one_of_two
