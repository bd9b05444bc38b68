#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Whatever is done to a master that logs all it can: no secret is in its log, its
# arguments, its environment, or in the answer to a request that was refused.
# timeout: 120
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../master-lib.sh"
command -v python3 >/dev/null || { skip "secrets" "apt-get install python3"; exit 0; }

: >"$T/secrets" >"$T/refused"
# keep NAME SECRET...: must be seen nowhere
keep() { local name=$1 s; shift; for s; do [ ${#s} -lt 8 ] || printf '%s\t%s\n' "$name" "$s" >>"$T/secrets"; done; }
eval "plain_$(declare -f call)"
call() {
	plain_call "$@"
	local rc=$?
	case $STATUS in 4* | 5*) { echo "$2 ${3%%/[A-Za-z0-9_-]*}/..."; cat "$BODY"; echo; } >>"$T/refused" ;; esac
	return "$rc"
}
get() { jq -r "$1 // empty" "$BODY"; }

check "a master is made" master_init
keep "password of the admin" 'correct horse battery'
keep jwt_secret "$(jq -r .jwt_secret "$T/state/master.json")"
if [ -n "$PG_URI" ]; then keep "password of the database" "$(cat "$PG_DIR/password")"; fi
jq '.limits = {"login_per_minute": 1000, "join_per_minute": 1000}' "$T/state/master.json" >"$T/new.json" && cat "$T/new.json" >"$T/state/master.json"
spawn master felloe-masterd --state "$T/state" --verbose --log-format json
until_ok 20 master_up
PID=$(cat "$T/master.pid")
check "a sign-in" login admin 'correct horse battery'
login admin 'correct horse battery'
keep "access token" "$TOKEN" "${TOKEN##*.}"
keep "refresh token" "$REFRESH"
call 401 POST /auth/login -d 'username=admin&password=wrong-horse-battery'
keep "a wrong password" wrong-horse-battery
call 401 POST /auth/login -d 'username=typed-into-the-wrong-field&password=wrong-horse-battery'
keep "password in the wrong field" typed-into-the-wrong-field
call 400 POST /auth/login -H 'Content-Type: application/json' -d '{"username":"admin","password":"broken-json-secret"'
keep "password of a broken body" broken-json-secret
call 422 POST /auth/login -H 'Content-Type: application/json' -d '{"username":["admin"],"password":"wrong-type-secret"}'
keep "password beside a wrong type" wrong-type-secret
call 200 POST /auth/refresh -d "{\"refresh_token\":\"$REFRESH\"}"
NEXT=$(get .refresh_token)
keep "refresh token" "$NEXT" "$(get .access_token)"
call 200 POST /auth/refresh -d "{\"refresh_token\":\"$NEXT\"}"
keep "refresh token" "$(get .refresh_token)" "$(get .access_token)"
call 401 POST /auth/refresh -d "{\"refresh_token\":\"$REFRESH\"}"
login admin 'correct horse battery'
keep "access token" "$TOKEN" "${TOKEN##*.}"
call 401 GET /auth/me -H "Authorization: Bearer garbage-that-is-a-token"
keep "a wrong token" garbage-that-is-a-token
call 401 POST /stats -H 'X-API-KEY: garbage-that-is-a-key' -d '{}'
keep "a wrong key" garbage-that-is-a-key
# ---- joining, by a key and without one
admit web-01 || echo "# cannot admit a node"
keep "request id" "$REQUEST"
keep "API key" "$KEY"
call 202 POST /nodes/join-request -d '{"hostname":"plain"}'
keep "request id" "$(get .request_id)"
PLAIN=$(get .request_id)
call 200 POST /nodes/approve/2 -H "$(AS)"
call 200 GET "/nodes/status/$PLAIN"
check "a key in clear" [ -n "$(get .api_key)" ]
keep "API key" "$(get .api_key)"
call 200 POST /stats -H "X-API-KEY: $(get .api_key)" -d '{"cpu_usage":1,"disk_usage":1,"active_backups":0}'
call 422 POST /stats -H "X-API-KEY: $KEY" -d '{"cpu_usage":"x"}'
WRONG=$(tr 'A-Za-z' 'B-ZAb-za' <<<"$PLAIN")
call 404 GET "/nodes/status/$WRONG"
keep "a wrong request id" "$WRONG"
call 200 POST /nodes/block/2 -H "$(AS)" -d '{"reason":"test"}'
call 403 POST /nodes/join-request -d '{"hostname":"plain"}'
# ---- what is shown once
call 201 POST /join-tokens -H "$(AS)" -H 'Idempotency-Key: once' -d '{"name":"rack"}'
check "a join token" [ -n "$(get .token)" ]
JOIN=$(get .token)
keep "join token" "$JOIN" "${JOIN#flj_}"
call 201 POST /join-tokens -H "$(AS)" -H 'Idempotency-Key: once' -d '{"name":"rack"}'
call 422 POST /join-tokens -H "$(AS)" -H 'Idempotency-Key: once' -d '{"name":"rack2"}'
call 202 POST /nodes/join-request -d "{\"hostname\":\"by-token\",\"join_token\":\"$JOIN\"}"
keep "request id" "$(get .request_id)"
call 403 POST /nodes/join-request -d '{"hostname":"by-token","join_token":"flj_garbage-that-is-a-token"}'
keep "a wrong join token" flj_garbage-that-is-a-token
call 201 POST /api-tokens -H "$(AS)" -d "{\"name\":\"ci\",\"role\":\"viewer\",\"expires\":\"$(date -u -d '1 day' +%FT%TZ)\"}"
check "an API token" [ -n "$(get .token)" ]
API_TOKEN=$(get .token)
keep "API token" "$API_TOKEN" "${API_TOKEN#flt_}"
call 200 GET /nodes -H "Authorization: Bearer $API_TOKEN"
call 403 POST /nodes/approve/1 -H "Authorization: Bearer $API_TOKEN"
call 401 GET /nodes -H "Authorization: Bearer ${API_TOKEN%?}"
call 201 POST /users -H "$(AS)" -d '{"username":"anna"}'
check "a made password" [ -n "$(get .password)" ]
keep "password" "$(get .password)"
ANNA=$(get .id)
call 200 PATCH "/users/$ANNA" -H "$(AS)" -d '{"password":"patched-horse-battery"}'
keep "password" patched-horse-battery
call 422 PATCH "/users/$ANNA" -H "$(AS)" -d '{"password":"short12","role":"nobody-knows"}'
call 409 POST /users -H "$(AS)" -d '{"username":"anna","password":"conflict-horse-battery"}'
keep "password" conflict-horse-battery
call 403 PUT /auth/password -H "$(AS)" -d '{"old_password":"not-the-old-one","new_password":"new-horse-battery"}'
keep "password" not-the-old-one new-horse-battery
call 200 POST /auth/totp -H "$(AS)" -d '{"password":"correct horse battery"}'
check "a seed of one-time codes" [ -n "$(get .secret)" ]
SEED=$(get .secret)
keep "seed" "$SEED"
call 403 PUT /auth/totp -H "$(AS)" -d '{"otp":"000000"}'
otp() { python3 -c '
import base64, hashlib, hmac, struct, sys, time
d = hmac.new(base64.b32decode(sys.argv[1]), struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
o = d[-1] & 15
print("%06d" % ((struct.unpack(">I", d[o:o + 4])[0] & 0x7fffffff) % 1000000))' "$SEED"; }
check "which are switched on" call 200 PUT /auth/totp -H "$(AS)" -d "{\"otp\":\"$(otp)\"}"
call 200 PUT /auth/totp -H "$(AS)" -d "{\"otp\":\"$(otp)\"}" >/dev/null || true
check "a channel" call 201 POST /channels -H "$(AS)" -d '{"name":"hook","kind":"webhook","url":"http://127.0.0.1:9/url-hook-path","secret":"hmac-secret-of-the-channel"}'
keep "secret of a channel" hmac-secret-of-the-channel url-hook-path
call 200 POST /channels/1/test -H "$(AS)" || call 502 POST /channels/1/test -H "$(AS)"
call 201 POST /channels -H "$(AS)" -d '{"name":"made","kind":"webhook","url":"http://127.0.0.1:9/url-hook-path"}'
keep "made secret of a channel" "$(get .secret)"
call 201 POST /channels -H "$(AS)" -d '{"name":"post","kind":"mail","host":"127.0.0.1","port":9,"from":"felloe@example.org","to":["a@example.org"],"tls":"none","user":"felloe","password":"smtp-password-of-the-channel"}'
keep "password of a channel" smtp-password-of-the-channel
call 422 POST /channels -H "$(AS)" -d '{"name":"bad name","kind":"webhook","url":"http://127.0.0.1:9/url-hook-path","secret":"hmac-secret-of-the-channel"}'
call 200 GET /channels -H "$(AS)" && cp "$BODY" "$T/channels"
curl -sf -m 40 "$ROOT/metrics" >"$T/metrics"
kill -HUP "$PID"
until_ok 5 grep -q SIGHUP "$T/master.log"

tr '\0' '\n' <"/proc/$PID/cmdline" >"$T/cmdline"
tr '\0' '\n' <"/proc/$PID/environ" >"$T/environ"
call 200 GET '/audit?limit=1000' -H "$(AS)" && cp "$BODY" "$T/audit"
stop_pid master
echo "# $(cut -f1 "$T/secrets" | wc -l) secrets, $(wc -l <"$T/master.log") lines of log, $(grep -c '^[A-Z]* /' "$T/refused") refusals"
check "the log is one of machines" jq -es 'length > 30' "$T/master.log"
hides_all() { # FILE
	local name secret bad=0
	[ -s "$1" ] || { echo "$1 is empty"; return 1; }
	while IFS=$'\t' read -r name secret; do
		if grep -qF -- "$secret" "$1"; then
			echo "$name:"
			grep -nF -- "$secret" "$1" | head -n 3
			bad=1
		fi
	done <"$T/secrets"
	return "$bad"
}
for where in master.log cmdline refused metrics audit channels; do
	check "no secret is in $where" hides_all "$T/$where"
done
check "none in the environment" bash -c "$(declare -f hides_all); T='$T'; echo x >>'$T/environ'; hides_all '$T/environ'"
