#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The gatekeeper over HTTP: who is kept out, names, notes, deleting, new keys, join tokens, requests.
# timeout: 300
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../master-lib.sh"

step "a master is made" master_init
step "it starts" master_start
step "the administrator signs in" login admin 'correct horse battery'
DB_FILE=$(ls "$T"/state/master/*.db 2>/dev/null)
# ask FROM HOSTNAME STATUS: a machine without a key asks, coming from that address of loopback
ask() { call "$3" POST /nodes/join-request --interface "$1" -d "{\"hostname\":\"$2\",\"ip_address\":\"10.0.0.9\",\"system_info\":\"test\"}"; }
report() { call "$2" POST /stats -H "X-API-KEY: $1" -d '{"cpu_usage":1,"disk_usage":1,"active_backups":0}'; }

# ---- two machines of one host name
step "a machine called localhost is admitted" admit localhost
FIRST=$NODE
step "and blocked" call 200 POST "/nodes/block/$FIRST" -H "$(AS)" -d '{"reason":"lost"}'
check "another one of that name at another address may ask" ask 127.0.0.7 localhost 202
check "the same address may not" ask 127.0.0.1 localhost 403
check "and is told why" is .detail "this machine is blocked: lost: ask an admin to unblock it"
COMMITMENT=$("$PAIR" new | cut -d' ' -f4)
check "nor may the same key under another name" call 403 POST /nodes/join-request \
	-d "{\"hostname\":\"other\",\"ip_address\":\"10.0.0.9\",\"system_info\":\"test\",\"public_key\":\"$PUB\",\"commitment\":\"$COMMITMENT\"}"
step "unblocked" call 200 POST "/nodes/unblock/$FIRST" -H "$(AS)"

# ---- a machine that asks again
plain() { call 202 POST /nodes/join-request -d '{"hostname":"plain"}' && jq -r .request_id "$BODY" >"$T/$1"; }
became() { call 200 GET "/nodes/status/$(cat "$T/$1")" && is .status "$2"; }
check "a machine without a key asks" plain first
check "and again" plain second
check "the id is another" bash -c "! cmp -s '$T/first' '$T/second'"
check "the request before has expired" became first expired
check "the new one waits" became second pending
step "it asks with a key" join plain
check "which ends the one without" became second expired
check "alone" call 200 GET "/nodes/status/$REQUEST"
check "of all that wait" is .status pending

# ---- name, tags, note
step "another machine is admitted" admit web-02
check "name, tags and note change" call 200 PATCH "/nodes/$NODE" -H "$(AS)" -d '{"name":"web-2","tags":["prod","shop"],"note":"second rack"}'
check "all of them" is '[.name, .note] + .tags | join(" ")' "web-2 second rack prod shop"
check "what is not given stays" call 200 PATCH "/nodes/$NODE" -H "$(AS)" -d '{"note":""}'
check "and an empty note goes" is '[.name, .note // "none"] | join(" ")' "web-2 none"
check "the name of another is refused" call 409 PATCH "/nodes/$NODE" -H "$(AS)" -d '{"name":"localhost"}'
check "an empty name too" call 422 PATCH "/nodes/$NODE" -H "$(AS)" -d '{"name":""}'
check "and a number for one" call 422 PATCH "/nodes/$NODE" -H "$(AS)" -d '{"name":7}'

# ---- a new key, to be fetched with a report
check "rotate-key answers the node" call 200 POST "/nodes/$NODE/rotate-key" -H "$(AS)"
check "whose new key waits" is .new_key_waits true
check "the old key is good" report "$KEY" 200
FIRST_NEW=$("$PAIR" open "$(jq -r .new_key "$BODY")" "$PUB" "$SECRET")
check "the answer carries a new one, sealed" [ ${#FIRST_NEW} = 43 ]
check "a second call" call 200 POST "/nodes/$NODE/rotate-key" -H "$(AS)"
report "$KEY" 200
check "changes nothing" [ "$("$PAIR" open "$(jq -r .new_key "$BODY")" "$PUB" "$SECRET")" = "$FIRST_NEW" ]
stop_pid master KILL
step "the master is killed and starts again" master_start
check "the old key is still good" report "$KEY" 200
check "so is the new one" report "$FIRST_NEW" 200
old_refused() { report "$KEY" 401; }
check "which ends the old one" until_ok 5 old_refused
check "and is offered no more" report "$FIRST_NEW" 200
check "in its answer" is 'has("new_key")' false
KEY=$FIRST_NEW
SECOND=$NODE

# ---- away with it
check "a node is deleted" call 204 DELETE "/nodes/$NODE" -H "$(AS)"
check "its key is refused at once" report "$KEY" 401
check "it is in no list" call 404 GET "/nodes/$NODE" -H "$(AS)"
check "nor to be changed" call 404 PATCH "/nodes/$NODE" -H "$(AS)" -d '{"note":"x"}'
step "its name is free again" admit web-2
OTHER=$NODE
step "a machine asks" join web-03
call 200 GET "/nodes/?state=pending" -H "$(AS)"
NODE=$(jq -r '.[] | select(.hostname == "web-03") | .id' "$BODY")
check "it cannot take the deleted one's place under a name in use" call 409 POST "/nodes/approve/$NODE" -H "$(AS)" -d "{\"adopt\":$SECOND}"
check "but under another" call 200 POST "/nodes/approve/$NODE" -H "$(AS)" -d "{\"adopt\":$SECOND,\"name\":\"web-3\"}"
check "with its number" is '[.id, .name, .state] | join(" ")' "$SECOND web-3 active"
step "a machine asks" join web-04
call 200 GET "/nodes/?state=pending" -H "$(AS)"
NODE=$(jq -r '.[] | select(.hostname == "web-04") | .id' "$BODY")
check "one that waits is deleted" call 204 DELETE "/nodes/$NODE" -H "$(AS)"
check "its request has expired" call 200 GET "/nodes/status/$REQUEST"
check "in a word" is .status expired
stop_pid master
database_change "$T/state/master/master.db" "UPDATE node SET state='deleted', deleted=1, key_hash=NULL WHERE id=$OTHER"
step "the master starts again" master_start
forgotten() { [ "$(database_sql "$T/state/master/master.db" "SELECT count(*) FROM node WHERE id=$OTHER")" = 0 ]; }
check "a node deleted over 30 days ago is forgotten" until_ok 20 forgotten

# ---- a thousand that wait, and a day later
check "a machine without a key is admitted" plain unused
call 200 GET '/nodes/?state=pending' -H "$(AS)"
call 200 POST "/nodes/approve/$(jq '.[] | select(.hostname == "plain" and (.code_protected | not)) | .id' "$BODY")" -H "$(AS)" -d '{"name":"plain-2"}'
offered() { call 200 GET "/nodes/status/$(cat "$T/unused")" && is '"\(.status) \(has("api_key"))"' "active $1"; }
check "its key is there to be fetched" offered true
stop_pid master
FLOOD="WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<1000)"
NOW_MS=$(date +%s)000
database_change "$T/state/master/master.db" "$FLOOD INSERT INTO node(name,hostname,state,created,facts) SELECT 'flood-'||i,'flood-'||i,'pending',$NOW_MS,'{}' FROM n" >/dev/null
database_change "$T/state/master/master.db" "INSERT INTO join_request(request_id,node_id,state,hostname,ip_address,peer_address,code,name_in_use,created) SELECT hostname,id,'pending',hostname,'','192.0.2.1','FLOOD-1',0,created FROM node WHERE hostname LIKE 'flood-%'" >/dev/null
step "a thousand machines wait" master_start
check "one more is turned away" call 503 POST /nodes/join-request -d '{"hostname":"late"}'
check "and told what to do" is '.detail | startswith("1000 nodes wait for approval already")' true
check "with a time to come back" has_header 'retry-after: [0-9]*'
stop_pid master
database_change "$T/state/master/master.db" "UPDATE join_request SET created=created-86400000+2000 WHERE hostname LIKE 'flood-%'" >/dev/null
database_change "$T/state/master/master.db" "UPDATE join_request SET decided=decided-90000000 WHERE hostname='plain'" >/dev/null
waiting() { [ "$(database_sql "$T/state/master/master.db" "SELECT count(*) FROM node WHERE state='pending' AND hostname LIKE 'flood-%'")" = "$1" ]; }
until_ok 10 bash -c "[ \$(date +%s)000 -gt $((NOW_MS + 3000)) ]"
step "a day later" master_start
check "they have expired, all of them" until_ok 60 waiting 0
check "and others may ask" call 202 POST /nodes/join-request -d '{"hostname":"late"}'
check "one is told so" call 200 GET /nodes/status/flood-7
check "in a word" is .status expired
check "a key that nobody fetched in a day is gone" offered false

# ---- join tokens
token() { call 201 POST /join-tokens -H "$(AS)" -d "$1" && TOKEN_TEXT=$(jq -r .token "$BODY") TOKEN_ID=$(jq -r .id "$BODY"); }
# bring HOSTNAME STATUS: a machine asks with the token and reveals
bring() {
	local commitment
	read -r PUB SECRET NONCE commitment < <("$PAIR" new)
	call "$2" POST /nodes/join-request -d "{\"hostname\":\"$1\",\"public_key\":\"$PUB\",\"commitment\":\"$commitment\",\"join_token\":\"$TOKEN_TEXT\"}" || return 1
	[ "$2" = 202 ] || return 0
	REQUEST=$(jq -r .request_id "$BODY") COMMITMENT=$commitment
}
reveal() { call 200 POST "/nodes/join-request/$REQUEST/reveal" -d "{\"nonce\":\"$NONCE\"}"; }
step "a token is made" token '{"name":"rack 3","tags":["fra"],"pre_approved":true}'
check "with its prefix and 256 bits" [ "${TOKEN_TEXT:0:4}${#TOKEN_TEXT}" = flj_47 ]
check "it is never shown again" call 200 GET /join-tokens -H "$(AS)"
check "at all" is '[.items[] | has("token")] | any' false
check "nor stands it in the database" database_lacks "$DB_FILE" "${TOKEN_TEXT#flj_}"
step "a machine asks with it" bring rack3-1 202
check "the same request again" call 202 POST /nodes/join-request -d "{\"hostname\":\"rack3-1\",\"public_key\":\"$PUB\",\"commitment\":\"$COMMITMENT\",\"join_token\":\"$TOKEN_TEXT\"}"
check "meets the same request" is .request_id "$REQUEST"
check "it is not active before the reveal" call 200 GET "/nodes/status/$REQUEST"
check "but pending" is .status pending
read -r _ _ WRONG _ < <("$PAIR" new)
check "a nonce that does not fit lets nobody in" call 422 POST "/nodes/join-request/$REQUEST/reveal" -d "{\"nonce\":\"$WRONG\"}"
check "the reveal does" reveal
check "its status" call 200 GET "/nodes/status/$REQUEST"
check "is active" is .status active
KEY=$("$PAIR" open "$(jq -r .sealed_key "$BODY")" "$PUB" "$SECRET")
check "with a key that works" report "$KEY" 200
call 200 GET /nodes/ -H "$(AS)"
check "and the tags of the token" is '.[] | select(.name == "rack3-1") | .tags | join(" ")' fra
check "a second machine is refused" bring rack3-2 403
check "and told why" is .detail "the join token rack 3 is used up (1 of 1): ask an admin for a new one"
# ---- strangers fill the room for those who wait
crowd() {
	database_change "$DB_FILE" "INSERT INTO node(name,hostname,state,created,facts) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL \
		SELECT i+1 FROM n WHERE i<1000) SELECT 'crowd-' || i, 'crowd-' || i, 'pending', $(date +%s)000, '{}' FROM n"
}
check "a thousand ask" crowd
check "the next one is told to come again" call 503 POST /nodes/join-request -d '{"hostname":"late"}'
step "a machine with a token" token '{"pre_approved":true}'
step "is taken all the same" bring rack4-1 202
check "and let in" reveal
check "the thousand are gone" database_change "$DB_FILE" "DELETE FROM node WHERE name LIKE 'crowd-%'"
TOKEN_TEXT=flj_unknown
check "so is one with a token that is not known" bring rack3-2 403
check "and told why" is .detail "this join token is not known here: ask an admin for a new one"
step "a token for two, not approved" token '{"uses":2}'
step "a machine asks with it" bring rack3-3 202
reveal
check "it waits for an admin" call 200 GET "/nodes/status/$REQUEST"
check "as pending" is .status pending
check "no more uses are left to it" call 200 PATCH "/join-tokens/$TOKEN_ID" -H "$(AS)" -d '{"uses":1,"name":"rack 4"}'
check "which is shown" is '[.name, .uses, .used, .state, has("token")] | join(" ")' "rack 4 1 1 used up false"
check "and counts" bring rack3-5 403
check "more are" call 200 PATCH "/join-tokens/$TOKEN_ID" -H "$(AS)" -d '{"uses":5,"tags":["b"],"pre_approved":true,"ttl_s":120}'
check "with all the rest" is '[.name, .state, .tags[0], .pre_approved, (.expires | fromdate? // sub("\\..*Z"; "Z") | if type == "string" then fromdate else . end) - now > 60] | join(" ")' "rack 4 open b true true"
check "it is for 60 s at least" call 422 PATCH "/join-tokens/$TOKEN_ID" -H "$(AS)" -d '{"ttl_s":1}'
check "a name is not empty" call 422 PATCH "/join-tokens/$TOKEN_ID" -H "$(AS)" -d '{"name":""}'
check "a token that there is not stays so" call 404 PATCH /join-tokens/4711 -H "$(AS)" -d '{"uses":2}'
check "the token is taken away" call 204 DELETE "/join-tokens/$TOKEN_ID" -H "$(AS)"
check "and lets nobody in" bring rack3-4 403
check "twice is once too often" call 404 DELETE "/join-tokens/$TOKEN_ID" -H "$(AS)"
step "a token" token '{"pre_approved":true,"ttl_s":60}'
database_change "$T/state/master/master.db" "UPDATE join_token SET expires=expires-3660000 WHERE id=$TOKEN_ID"
check "that has expired" bring rack3-5 403
check "says since when" is '.detail | startswith("the join token unnamed expired 1h")' true
step "a token" token '{"pre_approved":true}'
step "for a machine whose name is in use" bring localhost 202
check "is revealed" reveal
check "but" call 200 GET "/nodes/status/$REQUEST"
check "waits for an admin" is .status pending
for bad in '{"ttl_s":59}' '{"ttl_s":2592001}' '{"uses":0}' '{"tags":["a b"]}' '{"pre_approved":1}' '{"name":7}'; do
	check "$bad is refused" call 422 POST /join-tokens -H "$(AS)" -d "$bad"
done
# ---- requests to nodes
step "a node is admitted" admit web-09
request() { call 201 POST "/nodes/$NODE/requests" -H "$(AS)" -d "$1" && RID=$(jq -r .id "$BODY"); }
tell() { call "$1" PUT "/node/requests/$RID" -H "X-API-KEY: $KEY" -d "$2"; }
stands() { call 200 GET "/nodes/$NODE/requests/$RID" -H "$(AS)" && is .state "$1"; }
orders() { report "$KEY" 200 && is '[.requests[].id] | join(" ")' "$1"; }
for bad in '{}' '{"verb":"format"}' '{"verb":"stop"}' '{"verb":"restore"}' '{"verb":"backup","run":"abcd"}' \
	'{"verb":"backup","site":"../x"}' '{"verb":"restore","site":"shop","files":["etc/passwd"]}' \
	'{"verb":"restore","site":"shop","db":"-x"}' '{"verb":"backup","expires_s":9}' '{"verb":"backup","site":7}'; do
	check "$bad is refused" call 422 POST "/nodes/$NODE/requests" -H "$(AS)" -d "$bad"
done
step "a backup is asked for" request '{"verb":"backup","site":"shop"}'
check "it waits" is '[.state, .verb, .args.site, .created_by] | join(" ")' "pending backup shop admin"
check "the node gets it with its report" orders "$RID"
check "with all that it needs" is '.requests[0] | [.verb, .site, .created_by, (.expires | type)] | join(" ")' "backup shop admin string"
FIRST_RID=$RID
step "another one" request '{"verb":"verify"}'
check "the node gets both, the older first" orders "$FIRST_RID $RID"
check "one is withdrawn" call 200 DELETE "/nodes/$NODE/requests/$RID" -H "$(AS)"
check "and not handed out any more" orders "$FIRST_RID"
check "nor to be carried out" tell 409 '{"state":"accepted"}'
RID=$FIRST_RID
stop_pid master KILL
step "the master is killed and starts again" master_start
check "what waits is still there" orders "$RID"
check "it is accepted" tell 200 '{"state":"accepted"}'
check "and waits no more" orders ""
check "accepting it twice is harmless" tell 200 '{"state":"accepted"}'
check "it is too late to withdraw it" call 409 DELETE "/nodes/$NODE/requests/$RID" -H "$(AS)"
check "it is done" tell 200 '{"state":"done","run":"3b241101-e2bb-4255-8caf-4136c566a962"}'
check "which stands" stands "done"
check "with the run" is .run 3b241101-e2bb-4255-8caf-4136c566a962
check "an older word changes nothing" tell 200 '{"state":"running"}'
check "at all" stands "done"
check "a state that is none of the node's is refused" tell 422 '{"state":"withdrawn"}'
check "they are listed, newest first" call 200 GET "/nodes/$NODE/requests?limit=1" -H "$(AS)"
check "page by page" is '.items[0].state + " " + (.next | type)' "withdrawn string"
call 200 GET "/nodes/$NODE/requests?limit=1&after=$(jq -r .next "$BODY")" -H "$(AS)"
check "to the end" is '.items[0].state + " " + (.next | type)' "done null"
step "one for ten seconds" request '{"verb":"backup","expires_s":10}'
check "expires" until_ok 30 stands expired
check "and cannot be accepted then" tell 409 '{"state":"accepted"}'
OWN=$KEY
step "another node" admit web-10
check "cannot speak for it" call 404 PUT "/node/requests/$FIRST_RID" -H "X-API-KEY: $KEY" -d '{"state":"done"}'
call 200 POST "/nodes/block/$NODE" -H "$(AS)"
check "a blocked node cannot be asked" call 409 POST "/nodes/$NODE/requests" -H "$(AS)" -d '{"verb":"backup"}'
stop_pid master
audited() { database_sql "$T/state/master/master.db" 'SELECT DISTINCT action FROM audit' | grep -qx "$1"; }
for action in node.approve node.block node.unblock node.change node.delete node.purge node.rotate_key node.key_used join_token.add join_token.delete \
	request.add request.withdraw request.accepted request.done request.expired; do
	check "$action stands in it" audited "$action"
done
