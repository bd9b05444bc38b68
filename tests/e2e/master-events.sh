#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# GET /events: what is told to whom, coming back, who is slow, and every end.
# timeout: 180
# sanitize: yes
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../master-lib.sh"
. "$HERE/events-lib.sh"
U=3b241101-e2bb-4255-8caf-4136c566a9

master_init || note "$T/init.out"
jq '.limits = {event_streams: 20, login_per_minute: 1000}' "$T/state/master.json" >"$T/new" && cat "$T/new" >"$T/state/master.json"
step "the master starts" master_start
step "an admin signs in" login admin 'correct horse battery'

# ---- frames
step "a stream opens with its place" listen all ''
no_more_header() { tr -d '\r' <"$T/all.head" | grep -qix -- "$1"; }
check "as text/event-stream" no_more_header 'Content-Type: text/event-stream'
check "that nobody may keep" no_more_header 'Cache-Control: no-store'
check "and no proxy may hold back" no_more_header 'X-Accel-Buffering: no'
step "a machine joins" join web-01
step "that is told as a join" will_tell all join '.items[0] | .hostname == "web-01" and .state == "pending" and .code_protected'
step "and as a new line" will_tell all node '.items[0].hostname == "web-01"'
call 200 GET "/nodes/?state=pending" -H "$(AS)"
NODE=$(jq -r '.[0].id' "$BODY")
call 200 POST "/nodes/approve/$NODE" -H "$(AS)"
step "the approval is told" will_tell all join '.items[0].state == "active"'
call 200 GET "/nodes/status/$REQUEST"
KEY=$("$PAIR" open "$(jq -r .sealed_key "$BODY")" "$PUB" "$SECRET")
sample 10
step "its first sample changes the line" will_tell all node '.items[0] | .liveness == "online" and .sample.cpu_usage == 10'
step "a stream of one machine's samples opens" listen one "?topics=sample&nodes=$NODE"
sample 33
step "later ones come as numbers" will_tell all node ".samples[0] | .id == $NODE and .sample.cpu_usage == 33 and .cpu_minute != null"
step "and to those who named it as whole samples" will_tell one sample ".items[0] | .node_id == $NODE and .sample.disk_usage == 40"
check "to nobody else" [ -z "$(data all sample)" ]
check "and nothing else to them" bash -c "! grep -q '^event: node' '$T/one.ev'"
run_put "${U}01" 1 running ',"log":"of the log not a word"'
step "a run is told as the list shows it" will_tell all run ".items[0] | .uuid == \"${U}01\" and .node == \"web-01\" and .state == \"running\""
check "without its log" bash -c "! grep -q 'not a word' '$T/all.ev'"
hang_up one

# ---- coming back
PLACE=$(last_id all)
hang_up all
run_put "${U}01" 2 ok ',"finished":"2026-11-23T03:20:00Z"'
sample 77
step "who comes back with the last id" listen back '' -H "Last-Event-ID: $PLACE"
step "is told the run that it missed" will_tell back run ".items[0] | .uuid == \"${U}01\" and .state == \"ok\""
step "and the line that changed" will_tell back node '.items[0].last_run.state == "ok"'
check "without a reset" bash -c "! grep -q reset '$T/back.ev'"
read_so_far() { [[ $(last_id "$1") == "$(database_sql "$T/state/master/master.db" 'SELECT max(id) FROM event')-"* ]]; }
sample 60
step "what is new follows" will_tell back node 'any(.items[], .samples[]; .sample.cpu_usage == 60)'
step "the place goes on with the journal" until_ok 10 read_so_far back
hang_up back
PLACE=$(last_id back)
step "who missed nothing" listen same '' -H "Last-Event-ID: $PLACE"
sample 12
step "is told what is new only" will_tell same node 'any(.items[], .samples[]; .sample.cpu_usage == 12)'
check "and no old run" [ -z "$(data same run)" ]
hang_up same
for id in "1-00000000-1" "$PLACE-1" "999999${PLACE}" "nonsense"; do
	step "the id $id of another life gets a reset" listen other '' -H "Last-Event-ID: $id"
	step "which says so" will_tell other reset '. == {}'
	hang_up other
done

# ---- what is asked wrongly
check "a topic that is none is refused" call 422 GET '/events?topics=node,weather' -H "$(AS)"
check "samples of nobody are refused" call 422 GET '/events?topics=sample' -H "$(AS)"
check "a machine has a number" call 422 GET '/events?nodes=web-01' -H "$(AS)"
check "at most 200 of them" call 422 GET "/events?nodes=$(seq -s, 1 201)" -H "$(AS)"
check "who takes JSON only is told" call 406 GET /events -H "$(AS)" -H 'Accept: application/json'
check "a node's key opens nothing" call 401 GET /events -H "X-API-KEY: $KEY"
head_only() { curl -sI -m 40 -H "$(AS)" "$API/events" | grep -qi 'text/event-stream'; }
check "HEAD answers and ends" head_only

# ---- who may see what
tagged() { database_write "UPDATE account SET tags='[\"shop\"]' WHERE name='limited'; UPDATE meta SET value=value+1 WHERE name='auth_rev'"; }
database_write() { if [ -n "$PG_URI" ]; then pg_sql -qc "$1"; else sqlite3 "$T/state/master/master.db" ".timeout 5000" "$1"; fi; }
felloe-masterd user add limited --state "$T/state" --password-file "$T/pw" >"$T/user.out" 2>&1 || note "$T/user.out"
tagged
ADMIN=$TOKEN
limited_in() { login limited 'correct horse battery' && call 200 GET /nodes/ -H "$(AS)" && is length 0; }
step "a viewer of the tag shop sees no machine without it" until_ok 10 limited_in
LIMITED=$TOKEN TOKEN=$ADMIN
LISTENER=$LIMITED step "and opens a stream" listen limited "?nodes=$NODE&topics=node,run,alert,join,sample"
step "beside one who sees all" listen all ''
OTHER=$KEY
sample 50
step "a machine with the tag joins" join shop-01
call 200 GET "/nodes/?state=pending" -H "$(AS)"
SHOP=$(jq -r '.[0].id' "$BODY")
call 200 POST "/nodes/approve/$SHOP" -H "$(AS)" -d '{"tags":["shop"]}'
call 200 GET "/nodes/status/$REQUEST"
KEY=$("$PAIR" open "$(jq -r .sealed_key "$BODY")" "$PUB" "$SECRET")
sample 51
run_put "${U}02" 1 ok ',"finished":"2026-11-23T03:20:00Z"'
step "its line is told to both" will_tell limited node ".items[0].id == $SHOP"
step "and its run" will_tell limited run '.items[0].node == "shop-01"'
KEY=$OTHER step "a run of the other machine fails" run_put "${U}04" 1 failed ',"finished":"2026-11-23T03:20:00Z","error":{"kind":"db","message":"gone"}'
alert_of_list() { # the frame has what the list has
	call 200 GET "/alerts?node=$NODE&kind=failed_run" -H "$(AS)" && told all alert ".items[0] == $(jq -c '.items[0]' "$BODY")"
}
step "its alert is told as the list shows it" until_ok 20 alert_of_list
step "who sees all is told of the other one" will_tell all node ".samples[0].id == $NODE"
check "who does not is not" bash -c "! grep -q web-01 '$T/limited.ev' && ! grep -q '\"node_id\":$NODE' '$T/limited.ev'"
KEY=$OTHER

# ---- every end
other_rights() { database_write "UPDATE account SET tags='[\"else\"]' WHERE name='limited'; UPDATE meta SET value=value+1 WHERE name='auth_rev'"; }
other_rights
step "with other rights the stream ends" until_ok 10 ended limited
hang_up all
login admin 'correct horse battery'
GUEST=$TOKEN TOKEN=$ADMIN
LISTENER=$GUEST step "a session of its own listens" listen guest ''
check "it signs out" call 204 POST /auth/logout -H "$(AS "$GUEST")"
step "and its stream ends" until_ok 10 ended guest
b64() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
SECRET_TEXT=$(jq -r .jwt_secret "$T/state/master.json")
SID=$(cut -d. -f2 <<<"$TOKEN" | tr '_-' '/+' | sed 's/$/==/' | base64 -di 2>/dev/null | jq -r .sid)
SHORT=$(printf '{"alg":"HS256","typ":"JWT"}' | b64).$(printf '{"sub":"admin","role":"super_admin","sid":"%s","iss":"felloe-masterd","aud":"felloe","iat":%d,"exp":%d}' "$SID" "$(date +%s)" "$(($(date +%s) + 3))" | b64)
SHORT=$SHORT.$(printf '%s' "$SHORT" | openssl dgst -sha256 -hmac "$SECRET_TEXT" -binary | b64)
LISTENER=$SHORT step "a token that lasts 3 s opens a stream" listen short ''
step "that ends with it" until_ok 10 ended short
CROWD=0
full() { # until one gets no place; some are held by those who left a moment ago
	while ((++CROWD <= 20)); do listen "crowd$CROWD" '?topics=run' || { grep -q '"status":503' "$T/crowd$CROWD.ev" && break; }; done
	[ "$CROWD" -gt 3 ]
}
step "streams are served up to the limit" full
check "and no more" call 503 GET /events -H "$(AS)"
check "and told when to try again" has_header 'Retry-After: 10'
for ((i = 1; i < CROWD; i++)); do hang_up "crowd$i"; done
# who left is noticed by the second write at the latest
none_left() { run_put "${U}03" "$((++REV))" running && curl -sf "$ROOT/metrics" | grep -qx 'felloe_event_clients 0'; }
REV=0
step "places of those who left are given back" until_ok 20 none_left
check "and given again" call 200 GET /events -H "$(AS)" -I

# ---- who reads slowly
cat >"$T/slow.py" <<'PY'
import os, socket, sys, time
port, token, mark, go = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
s.settimeout(30)
s.connect(("127.0.0.1", port))
s.sendall(f"GET /api/v1/events?topics=run HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
got = s.recv(600)
open(mark, "wb").close()
while not os.path.exists(go):
    time.sleep(0.05)
while b"event: reset" not in got[-70000:]:
    more = s.recv(65536)
    if not more: sys.exit("the stream ended without a reset")
    got += more
print(len(got))
PY
python3 "$T/slow.py" "$PORT" "$TOKEN" "$T/slow.on" "$T/slow.go" >"$T/slow.out" 2>&1 &
SLOW=$!
until_ok 10 test -e "$T/slow.on"
step "one who reads is there too" listen quick '?topics=run'
python3 - >"$T/archives" <<'PY'
print(',"archives":' + str([{"storage": "s", "db": "", "key": "k" * 1000, "size": 1, "sha256": "0" * 64} for i in range(150)]).replace("'", '"'))
PY
heavy() { # the same five runs again and again, 160 KB each
	local i round
	for round in $(seq 1 12); do
		for i in 10 11 12 13 14; do run_put_big "$U$i" "$round" || return 1; done
		until_ok 10 grep -qF "\"uuid\":\"${U}14\",\"rev\":$round," "$T/quick.ev" || return 1
	done
}
run_put_big() {
	printf '{"uuid":"%s","rev":%d,"site":"shop","state":"running","started":"2026-11-23T03:10:00Z"%s}' "$1" "$2" "$(cat "$T/archives")" >"$T/big"
	call 200 PUT "/runs/$1" -H "X-API-KEY: $KEY" -d "@$T/big"
}
step "much is told to both" heavy
: >"$T/slow.go"
step "who did not read gets a reset instead of all that" wait "$SLOW"
note "$T/slow.out"
check "without a crash" master_up

# ---- the end of the master
step "the last stream is open" listen last ''
stop_pid master
check "the master stops although streams are open, without a threat" bash -c "! grep -q 'did not end within' '$T/master.log'"
step "and ends them properly" until_ok 5 ended last
