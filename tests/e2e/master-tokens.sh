#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# API tokens: made, used within their role, scopes and tags, noted, revoked, expired.
# timeout: 120
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../master-lib.sh"

PW='correct horse battery'
master_init || note "$T/init.out"
step "the master starts" master_start
step "an administrator signs in" login admin "$PW"
SOON=$(date -u -d '+1 hour' +%FT%TZ)
TOKEN_ID='' SECRET_TOKEN=''
make() { # JSON: a token; $TOKEN_ID $SECRET_TOKEN
	call 201 POST /api-tokens -H "$(AS)" -d "$1" || return 1
	TOKEN_ID=$(jq .id "$BODY") SECRET_TOKEN=$(jq -r .token "$BODY")
}
step "a machine" admit web-01
FIRST=$NODE
step "another" admit web-02
SECOND=$NODE
check "the first is tagged" call 200 PATCH "/nodes/$FIRST" -H "$(AS)" -d '{"tags":["eu"]}'
check "the second too" call 200 PATCH "/nodes/$SECOND" -H "$(AS)" -d '{"tags":["us"]}'

step "a token is made" make "{\"name\":\"ci\",\"expires\":\"$SOON\"}"
READ=$SECRET_TOKEN READ_ID=$TOKEN_ID
check "of 256 bits with a prefix" bash -c "[[ $READ =~ ^flt_[A-Za-z0-9_-]{43}$ ]]"
check "with the least that one may" is '"\(.role) \(.scopes | join(",")) \(.tags | length) \(.created_by) \(.last_used)"' "viewer read 0 admin null"
check "the database does not hold it" database_lacks "$T/state/master/master.db" "${READ#flt_}"
check "nor does another file" bash -c "! grep -rqaF '${READ#flt_}' '$T/state'"
check "nor in the list" call 200 GET /api-tokens -H "$(AS)"
check "which shows it without" is '.items[] | select(.name == "ci") | has("token")' false
check "it reads" call 200 GET /nodes/ -H "$(AS "$READ")"
check "and is told who it is" call 200 GET /auth/me -H "$(AS "$READ")"
check "by name" is '"\(.username) \(.token) \(.role)"' "admin ci viewer"
used() { call 200 GET /api-tokens -H "$(AS)" && is '.items[] | select(.name == "ci") | "\(.last_used != null) \(.last_peer)"' "true 127.0.0.1"; }
check "its use is noted" until_ok 5 used
check "it may not what needs a higher role" call 403 POST "/nodes/block/$FIRST" -H "$(AS "$READ")"
check "nor see people" call 403 GET /users -H "$(AS "$READ")"
for row in 'POST /auth/logout' 'PUT /auth/password' 'POST /auth/totp' 'PUT /auth/totp' 'DELETE /auth/totp'; do
	check "$row is not for tokens" call 403 "${row% *}" "${row#* }" -H "$(AS "$READ")" -d '{"password":"x","old_password":"x","new_password":"y","otp":"1"}'
done

step "one that reads as super_admin" make "{\"name\":\"reader\",\"role\":\"super_admin\",\"expires\":\"$SOON\"}"
check "sees people" call 200 GET /users -H "$(AS "$SECRET_TOKEN")"
check "but changes nothing" call 403 POST "/nodes/block/$FIRST" -H "$(AS "$SECRET_TOKEN")"
check "and is told why" is .detail "this API token is for: read; this needs: write"
step "one that writes" make "{\"name\":\"writer\",\"role\":\"super_admin\",\"scopes\":[\"write\"],\"expires\":\"$SOON\"}"
WRITE=$SECRET_TOKEN WRITE_ID=$TOKEN_ID
check "blocks" call 200 POST "/nodes/block/$FIRST" -H "$(AS "$WRITE")"
check "and unblocks" call 200 POST "/nodes/unblock/$FIRST" -H "$(AS "$WRITE")"
check "which the trail tells by its name" call 200 GET "/audit?who=token:writer" -H "$(AS)"
check "both times" is '[.items[].action] | join(" ")' "node.unblock node.block"
check "but makes no other token" call 403 POST /api-tokens -H "$(AS "$WRITE")" -d "{\"name\":\"child\",\"expires\":\"$SOON\"}"
change() { call "$1" PATCH "/api-tokens/$WRITE_ID" -H "$(AS)" -d "$2"; }
check "with the way out" is '[.detail, .hint] | join("; ")' "an API token may not do this; sign in as a person"
check "which changes none either" call 403 PATCH "/api-tokens/$WRITE_ID" -H "$(AS "$WRITE")" -d '{"name":"child"}'
check "a person takes its role down" change 200 '{"role":"viewer"}'
check "and is shown it without the secret" is '"\(.name) \(.role) \(.scopes | join(",")) \(has("token"))"' "writer viewer read,write false"
check "which counts at once" call 403 POST "/nodes/block/$FIRST" -H "$(AS "$WRITE")"
check "its tags" change 200 '{"role":"node_admin","tags":["us"]}'
check "too" call 404 GET "/nodes/$FIRST" -H "$(AS "$WRITE")"
check "its scopes" change 200 '{"scopes":["read"]}'
check "too" call 403 POST "/nodes/block/$SECOND" -H "$(AS "$WRITE")"
check "its name and its end" change 200 "{\"name\":\"writer-2\",\"expires\":\"$SOON\"}"
check "and the rest stays" is '"\(.name) \(.role) \(.tags | join(","))"' "writer-2 node_admin us"
check "tags do not limit a super_admin" change 422 '{"role":"super_admin"}'
check "a name that is taken is refused" change 409 '{"name":"ci"}'
check "an end that was" change 422 '{"expires":"2020-01-01T00:00:00Z"}'
check "a role that is none" change 422 '{"role":"king"}'
check "a scope that is none" change 422 '{"scopes":["all"]}'
check "a token that there is not" call 404 PATCH /api-tokens/4711 -H "$(AS)" -d '{"name":"x"}'
check "the trail has it" call 200 GET '/audit?action=api_token.change' -H "$(AS)"
check "three times and once" is '.items | length' 4
check "it is what it was" change 200 '{"name":"writer","role":"super_admin","tags":[],"scopes":["write"]}'
step "one for numbers" make "{\"name\":\"prometheus\",\"scopes\":[\"metrics\"],\"expires\":\"$SOON\"}"
METRICS=$SECRET_TOKEN
far() { curl -s -o "$BODY" -w '%{http_code}' -H 'X-Forwarded-For: 192.0.2.7' "$@" "$ROOT/metrics"; }
check "numbers are not for strangers" [ "$(far)" = 401 ]
check "nor for a token that is none" [ "$(far -H "$(AS flt_none)")" = 401 ]
check "but for this one" [ "$(far -H "$(AS "$METRICS")")" = 200 ]
check "and for one that reads" [ "$(far -H "$(AS "$READ")")" = 200 ]
check "it sees nothing else" call 403 GET /nodes/ -H "$(AS "$METRICS")"

step "one that is limited to tags" make "{\"name\":\"eu\",\"role\":\"node_admin\",\"scopes\":[\"read\",\"write\"],\"tags\":[\"eu\"],\"expires\":\"$SOON\"}"
EU=$SECRET_TOKEN
check "sees its machines" call 200 GET "/nodes/?state=active" -H "$(AS "$EU")"
check "alone" is '[.[].name] | join(",")' web-01
check "the other one is not there" call 404 GET "/nodes/$SECOND" -H "$(AS "$EU")"
check "nor to be blocked" call 404 POST "/nodes/block/$SECOND" -H "$(AS "$EU")"

bad() { call 422 POST /api-tokens -H "$(AS)" -d "$1" && is '.errors[0].path' "$2"; }
check "without an end there is none" bad '{"name":"x"}' expires
check "nor one that has ended" bad '{"name":"x","expires":"2020-01-01T00:00:00Z"}' expires
check "nor one for two years" bad "{\"name\":\"x\",\"expires\":\"$(date -u -d '+2 years' +%FT%TZ)\"}" expires
check "nor with a scope that is none" bad "{\"name\":\"x\",\"expires\":\"$SOON\",\"scopes\":[\"all\"]}" scopes
check "nor with a role of nodes" bad "{\"name\":\"x\",\"expires\":\"$SOON\",\"role\":\"node\"}" role
check "nor without a name" bad "{\"expires\":\"$SOON\"}" name
check "nor a limited super_admin" bad "{\"name\":\"x\",\"role\":\"super_admin\",\"tags\":[\"eu\"],\"expires\":\"$SOON\"}" tags
check "nor with a name that is taken" call 409 POST /api-tokens -H "$(AS)" -d "{\"name\":\"ci\",\"expires\":\"$SOON\"}"
check "a letter more or less is no token" call 401 GET /nodes/ -H "$(AS "${READ}x")"
check "nor is the text without its prefix" call 401 GET /nodes/ -H "$(AS "${READ#flt_}")"
check "nor as the key of a node" call 401 POST /stats -H "X-API-KEY: $READ" -d '{}'

# ---- ends
check "it is deleted" call 204 DELETE "/api-tokens/$READ_ID" -H "$(AS)"
check "and refused at once" call 401 GET /nodes/ -H "$(AS "$READ")"
check "it is gone" call 404 DELETE "/api-tokens/$READ_ID" -H "$(AS)"
check "a token may delete itself" call 204 DELETE "/api-tokens/$WRITE_ID" -H "$(AS "$WRITE")"
check "and is refused then" call 401 GET /nodes/ -H "$(AS "$WRITE")"
short() { # a busy machine may take longer to ask than the token would live
	local s
	for s in 2 8 32; do ! make "{\"name\":\"short\",\"expires\":\"$(date -u -d "+$s seconds" +%FT%T.%3NZ)\"}" || return 0; done
	return 1
}
step "one that ends soon" short
SHORT_TOKEN=$SECRET_TOKEN
ended() { call 401 GET /nodes/ -H "$(AS "$SHORT_TOKEN")" && is .detail "the API token has expired"; }
check "ends" until_ok 10 ended

# ---- with its maker
check "another super_admin" call 201 POST /users -H "$(AS)" -d '{"username":"boss","role":"super_admin","password":"the one who makes them"}'
BOSS=$(jq .id "$BODY") ADMIN=$TOKEN
step "signs in" login boss 'the one who makes them'
step "and makes a token" make "{\"name\":\"of-boss\",\"role\":\"super_admin\",\"expires\":\"$SOON\"}"
check "which works" call 200 GET /users -H "$(AS "$SECRET_TOKEN")"
check "the maker is lowered" call 200 PATCH "/users/$BOSS" -H "$(AS "$ADMIN")" -d '{"role":"viewer","tags":["us"]}'
check "so is the token" call 403 GET /users -H "$(AS "$SECRET_TOKEN")"
check "and sees only what the maker sees" call 200 GET "/nodes/?state=active" -H "$(AS "$SECRET_TOKEN")"
check "nothing else" is '[.[].name] | join(",")' web-02
check "the maker is disabled" call 200 PATCH "/users/$BOSS" -H "$(AS "$ADMIN")" -d '{"disabled":true}'
check "so is the token" call 401 GET /nodes/ -H "$(AS "$SECRET_TOKEN")"
check "the maker is deleted" call 204 DELETE "/users/$BOSS" -H "$(AS "$ADMIN")"
check "the token with him" call 200 GET /api-tokens -H "$(AS "$ADMIN")"
check "it is not listed" is '[.items[] | select(.name == "of-boss")] | length' 0
stop_pid master
step "after a new start" master_start
check "tokens work as before" call 200 GET "/nodes/?state=active" -H "$(AS "$EU")"
check "and the trail is whole" run felloe-masterd audit verify --state "$T/state"
stop_pid master
