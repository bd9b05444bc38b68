#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The document at /api/v1/openapi.json before a linter that others wrote, and the
# master behind a proxy that holds each request and each answer against it.
# timeout: 240
# stores: sqlite
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../master-lib.sh"
# shellcheck source=tests/npm-lib.sh
. "$HERE/npm-lib.sh"

master_init || note "$T/init.out"
step "the master starts" master_start
check "it serves the document" call 200 GET /openapi.json
cp "$BODY" "$T/openapi.json"
ETAG=$(tr -d '\r' <"$HEAD" | sed -n 's/^etag: //Ip')
check "and says when it is the same as before" call 304 GET /openapi.json -H "If-None-Match: $ETAG"
rows() { felloe-masterd routes | jq -r '.[] | "\(.method) \(if .root then "" else "/api/v1" end)\(.path) \(.role)"' | sort; }
told() { jq -r '.paths | to_entries[] | .key as $p | .value | to_entries[] | "\(.key | ascii_upcase) \($p) \(.value["x-role"])"' "$T/openapi.json" | sort; }
check "which holds every row of the route table" diff <(rows) <(told)

# ---- other people's tools, from npm
TOOLS=$BUILD/tests/openapi-tools
npm_or_end openapi 120 "the OpenAPI document before other people's tools"
export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true
check "a linter has nothing against it" "$TOOLS/node_modules/.bin/redocly" lint --config "$HERE/openapi/redocly.yaml" --max-problems 20 "$T/openapi.json"

# ---- every answer of a journey is what the document says
PROXY=$(free_port)
spawn prism "$TOOLS/node_modules/.bin/prism" proxy --errors -h 127.0.0.1 -p "$PROXY" "$T/openapi.json" "$ROOT"
proxy_up() { curl -sf -m 2 "http://127.0.0.1:$PROXY/health"; }
check "a proxy reads the document" until_ok 60 proxy_up || note "$T/prism.log"
API=http://127.0.0.1:$PROXY/api/v1
eval "plain_$(declare -f call)"
# the proxy would see an answer that is not as the document says
LIES=$(free_port)
jq '.components.schemas.Status.properties.status.enum = ["fine"]' "$T/openapi.json" >"$T/lies.json"
spawn lies "$TOOLS/node_modules/.bin/prism" proxy --errors -h 127.0.0.1 -p "$LIES" "$T/lies.json" "$ROOT"
caught() { curl -s -m 2 "http://127.0.0.1:$LIES/health" | grep -q VIOLATIONS; }
check "it catches a document that is wrong about an answer" until_ok 60 caught
stop_pid lies
# the proxy knows paths without a last / and wants to be told what a body is
call() { # STATUS METHOD PATH [CURL OPTIONS]
	local status=$1 method=$2 path=$3 arg type=()
	shift 3
	path=${path/%\//} path=${path/\/\?/?}
	for arg; do case $arg in '{'* | '['*) type=(-H 'Content-Type: application/json') ;; esac; done
	plain_call "$status" "$method" "$path" "${type[@]}" "$@"
}
bad() { call 422 "$@" && jq -e '.type | test("UNPROCESSABLE_ENTITY")' "$BODY" >/dev/null; }
check "and refuses what the document does not allow" bad POST /auth/refresh -d '{"refresh_token":7}'

check "a wrong password" call 401 POST /auth/login -d 'username=admin&password=wrong'
check "a sign-in" login admin 'correct horse battery'
check "one by JSON" call 200 POST /auth/login -d '{"username":"admin","password":"correct horse battery"}'
login admin 'correct horse battery'
check "me" call 200 GET /auth/me -H "$(AS)"
check "a refresh" call 200 POST /auth/refresh -d "{\"refresh_token\":\"$REFRESH\"}"
TOKEN=$(jq -r .access_token "$BODY")
check "an old refresh token" call 401 POST /auth/refresh -d '{"refresh_token":"nonsense"}'
step "a machine asks to join and reveals" join web-01
check "who waits" call 200 GET '/nodes?state=pending' -H "$(AS)"
check "as a page" call 200 GET '/nodes?state=pending&after=&limit=1' -H "$(AS)"
check "its status" call 200 GET "/nodes/status/$REQUEST"
check "an id that nobody has" call 404 GET /nodes/status/nobody
check "a commitment that does not fit" call 409 POST "/nodes/join-request/$REQUEST/reveal" -d "{\"nonce\":\"$(openssl rand -base64 32)\"}"
check "the waiting node" call 200 GET /nodes/1 -H "$(AS)"
check "its approval" call 200 POST /nodes/approve/1 -H "$(AS)" -d '{"tags":["prod","eu"]}'
check "a second one" call 409 POST /nodes/approve/1 -H "$(AS)" -d '{}'
check "the sealed key" call 200 GET "/nodes/status/$REQUEST"
KEY=$("$PAIR" open "$(jq -r .sealed_key "$BODY")" "$PUB" "$SECRET")
check "a node that never reported" call 200 GET /nodes/1 -H "$(AS)"
UUID=3b241101-e2bb-4255-8caf-4136c566a962
BASE='"cpu_usage":12.5,"disk_usage":40,"active_backups":1'
SAMPLE="{$BASE,\"memory\":{\"total\":8000,\"used\":3000},\"swap\":{\"total\":0,\"used\":0},\"load\":[0.5,0.4,0.3],\"disks\":[{\"mount\":\"/\",\"total\":100,\"used\":40,\"percent\":40,\"inodes_percent\":3}],\"io\":{\"read\":1,\"write\":2},\"net\":{\"rx\":3,\"tx\":4},\"pressure\":{\"cpu\":0,\"io\":0.5,\"memory\":0},\"uptime_s\":90,\"cores\":2,\"agent_version\":\"0.3\",\"outbox_depth\":0,\"runs\":[{\"uuid\":\"$UUID\",\"site\":\"shop\",\"phase\":\"dump\",\"started\":\"$(date -u +%FT%TZ)\",\"bytes_done\":5}],\"timers\":[{\"name\":\"nightly\",\"on_calendar\":\"*-*-* 03:00:00\",\"enabled\":true,\"active\":true,\"next\":\"$(date -u -d tomorrow +%FT%TZ)\",\"result\":\"success\"}]}"
check "a sample" call 200 POST /stats -H "X-API-KEY: $KEY" -d "$SAMPLE"
check "a list of samples" call 200 POST /stats -H "X-API-KEY: $KEY" -d "[{$BASE},{$BASE,\"ts\":\"$(date -u -d '5 minutes ago' +%FT%TZ)\"}]"
check "a sample with a key that nobody has" call 401 POST /stats -H 'X-API-KEY: nonsense' -d "{$BASE}"
RUN="\"uuid\":\"$UUID\",\"site\":\"shop\",\"started\":\"$(date -u -d '9 minutes ago' +%FT%TZ)\""
check "a run" call 200 PUT "/runs/$UUID" -H "X-API-KEY: $KEY" -d "{$RUN,\"rev\":1,\"state\":\"running\"}"
check "its end" call 200 PUT "/runs/$UUID" -H "X-API-KEY: $KEY" -d "{$RUN,\"rev\":2,\"state\":\"failed\",\"finished\":\"$(date -u +%FT%TZ)\",\"bytes_stored\":5,\"phases\":[{\"name\":\"dump\",\"ms\":5}],\"archives\":[{\"storage\":\"here\",\"key\":\"a/b\",\"size\":5}],\"error\":{\"kind\":\"net\",\"message\":\"no route\"},\"log\":\"a line\"}"
check "an older state of it" call 200 PUT "/runs/$UUID" -H "X-API-KEY: $KEY" -d "{$RUN,\"rev\":1,\"state\":\"running\"}"
check "the node, whole" call 200 GET /nodes/1 -H "$(AS)"
ETAG=$(tr -d '\r' <"$HEAD" | sed -n 's/^etag: //Ip')
check "all nodes" call 200 GET /nodes -H "$(AS)"
check "a search among them" call 200 GET '/nodes?health=failed&tag=prod&q=web' -H "$(AS)"
check "a node that is not there" call 404 GET /nodes/99 -H "$(AS)"
check "its series" call 200 GET '/nodes/1/stats?step=60' -H "$(AS)"
check "the runs" call 200 GET '/runs?node=1&state=failed' -H "$(AS)"
check "the run with its log" call 200 GET "/runs/$UUID" -H "$(AS)"
check "a run that is not there" call 404 GET /runs/3b241101-e2bb-4255-8caf-4136c566a963 -H "$(AS)"
check "the timers" call 200 GET /timers -H "$(AS)"
check "a token that is none" call 401 GET /timers -H "$(AS nonsense)"
check "a block" call 200 POST /nodes/block/1 -H "$(AS)" -d '{"reason":"sold"}'
check "its key then" call 403 POST /stats -H "X-API-KEY: $KEY" -d "{$BASE}"
check "the blocked node" call 200 GET /nodes/1 -H "$(AS)"
check "and back" call 200 POST /nodes/unblock/1 -H "$(AS)"
# ---- people, tokens, what is told
check "a join token" call 201 POST /join-tokens -H "$(AS)" -H 'Idempotency-Key: k' -d '{"name":"rack","uses":2}'
ID=$(jq -r .id "$BODY")
check "the same again" call 201 POST /join-tokens -H "$(AS)" -H 'Idempotency-Key: k' -d '{"name":"rack","uses":2}'
check "join tokens" call 200 GET /join-tokens -H "$(AS)"
check "one less" call 204 DELETE "/join-tokens/$ID" -H "$(AS)"
check "none of that number" call 404 DELETE "/join-tokens/$ID" -H "$(AS)"
check "a user" call 201 POST /users -H "$(AS)" -d '{"username":"anna","role":"viewer","tags":["prod"]}'
ID=$(jq -r .id "$BODY")
check "a name that is taken" call 409 POST /users -H "$(AS)" -d '{"username":"anna"}'
check "users" call 200 GET /users -H "$(AS)"
check "a page of them" call 200 GET '/users?limit=1&after=' -H "$(AS)"
check "a change" call 200 PATCH "/users/$ID" -H "$(AS)" -d '{"role":"node_admin","disabled":true}'
check "an end" call 204 DELETE "/users/$ID" -H "$(AS)"
check "an API token" call 201 POST /api-tokens -H "$(AS)" -d "{\"name\":\"ci\",\"expires\":\"$(date -u -d '1 day' +%FT%TZ)\"}"
ID=$(jq -r .id "$BODY") CI_TOKEN=$(jq -r .token "$BODY")
check "who it is" call 200 GET /auth/me -H "$(AS "$CI_TOKEN")"
check "what it may not" call 403 POST /nodes/approve/1 -H "$(AS "$CI_TOKEN")" -d '{}'
check "API tokens" call 200 GET /api-tokens -H "$(AS)"
check "its end" call 204 DELETE "/api-tokens/$ID" -H "$(AS)"
check "a seed for one-time codes" call 200 POST /auth/totp -H "$(AS)" -d '{"password":"correct horse battery"}'
check "a wrong code" call 403 PUT /auth/totp -H "$(AS)" -d '{"otp":"000000"}'
check "a node's name and tags" call 200 PATCH /nodes/1 -H "$(AS)" -d '{"name":"web-1","tags":["prod"],"note":"rack 7"}'
check "a new key" call 200 POST /nodes/1/rotate-key -H "$(AS)"
check "a request to a node" call 201 POST /nodes/1/requests -H "$(AS)" -d '{"verb":"backup"}'
RID=$(jq -r .id "$BODY")
check "which it is told" call 200 POST /stats -H "X-API-KEY: $KEY" -d "{$BASE}"
check "and answers" call 200 PUT "/node/requests/$RID" -H "X-API-KEY: $KEY" -d '{"state":"refused","reason":"not allowed here"}'
check "the request" call 200 GET "/nodes/1/requests/$RID" -H "$(AS)"
check "all of them" call 200 GET /nodes/1/requests -H "$(AS)"
check "one that is decided stays" call 409 DELETE "/nodes/1/requests/$RID" -H "$(AS)"
check "a channel" call 201 POST /channels -H "$(AS)" -d '{"name":"hook","kind":"webhook","url":"http://127.0.0.1:9/x"}'
check "a channel by mail" call 201 POST /channels -H "$(AS)" -d '{"name":"post","kind":"mail","host":"127.0.0.1","from":"a@example.org","to":["b@example.org"]}'
check "a test of one that nobody hears" call 502 POST /channels/1/test -H "$(AS)"
check "channels" call 200 GET /channels -H "$(AS)"
check "a change of one" call 200 PATCH /channels/1 -H "$(AS)" -d '{"enabled":false}'
check "its end" call 204 DELETE /channels/1 -H "$(AS)"
failed() { call 200 GET '/alerts?state=open' -H "$(AS)" && jq -e '.items | length > 0' "$BODY"; }
check "alerts" call 200 GET /alerts -H "$(AS)"
if until_ok 5 failed; then
	ID=$(jq -r '.items[0].id' "$BODY")
	check "an alert" call 200 GET "/alerts/$ID" -H "$(AS)"
	check "taken on" call 200 POST "/alerts/$ID/ack" -H "$(AS)"
	check "and not" call 200 DELETE "/alerts/$ID/ack" -H "$(AS)"
fi
check "who did what" call 200 GET /audit -H "$(AS)"
check "a new password" call 200 PUT /auth/password -H "$(AS)" -d '{"old_password":"correct horse battery","new_password":"another horse battery"}'
TOKEN=$(jq -r .access_token "$BODY")
check "a node's end" call 204 DELETE /nodes/1 -H "$(AS)"
check "logging out" call 204 POST /auth/logout -H "$(AS)"
API=http://127.0.0.1:$PROXY
check "health" call 200 GET /health
check "readiness" call 200 GET /ready
stop_pid prism
stop_pid master
