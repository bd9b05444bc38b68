#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Sessions, tokens and one-time codes where they are hardest: two masters on one
# database that are asked in turns, and a master that is killed over an answer.
# timeout: 180
# stores: sqlite
# (it brings its own PostgreSQL)
FELLOE_TEST_DATABASE=postgresql
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../master-lib.sh"
PW='correct horse battery'
A=$API

master_init || note "$T/init.out"
second_init
step "the first master starts" master_start
step "the second one on the same database" second_start

# ---- a session of one is one of the other, without a wait
in_turns() { # 20 sign-ins at one, each used at the other at once
	local i
	for i in $(seq 1 20); do
		at "$A" login admin "$PW" && at "$B" call 200 GET /auth/me -H "$(AS)" || return 1
	done
}
step "sign-ins at one count at the other at once" in_turns
made_at_once() { # users made at one sign in at the other and are known by the first, at once
	local i name
	ADMIN=$TOKEN
	for i in 1 2 3 4 5; do
		name=user$i
		at "$A" call 201 POST /users -H "$(AS "$ADMIN")" -d "{\"username\":\"$name\",\"password\":\"a password of mine\"}" || return 1
		at "$B" login "$name" 'a password of mine' && at "$A" call 200 GET /auth/me -H "$(AS)" &&
			at "$B" call 200 GET /auth/me -H "$(AS)" || return 1
	done
}
step "so do users" made_at_once
step "an administrator signs in" at "$A" login admin "$PW"

# ---- refresh tokens turn in one row
refresh() { # STATUS [TOKEN]: $REFRESH is the next one
	call "$1" POST /auth/refresh -d "{\"refresh_token\":\"${2:-$REFRESH}\"}" || return 1
	[ "$1" != 200 ] || { REFRESH=$(jq -r .refresh_token "$BODY") TOKEN=$(jq -r .access_token "$BODY"); }
}
turns() {
	local i
	for i in 1 2 3 4 5 6; do
		at "$A" refresh 200 && at "$B" call 200 GET /auth/me -H "$(AS)" && at "$B" refresh 200 || return 1
	done
}
step "refresh tokens are taken by both in turns" turns
OLD=$REFRESH
step "one more turn at the first" at "$A" refresh 200
ONCE=$REFRESH
step "the predecessor, at the second" at "$B" refresh 200 "$OLD"
check "gives the same successor" [ "$REFRESH" = "$ONCE" ]
both_at_once() { # the same token at both at the same time: the same successor
	local one two pids=()
	for api in "$A" "$B"; do
		curl -s -m 20 -X POST "$api/auth/refresh" -d "{\"refresh_token\":\"$REFRESH\"}" >"$T/turn.${api//[^0-9]/}" &
		pids+=($!)
	done
	wait "${pids[@]}"
	one=$(jq -r .refresh_token "$T/turn.${A//[^0-9]/}") two=$(jq -r .refresh_token "$T/turn.${B//[^0-9]/}")
	[ "$one" = "$two" ] && [ "$one" != null ] || { cat "$T"/turn.*; return 1; }
	REFRESH=$one
}
many_at_once() { local i; for i in 1 2 3 4 5 6 7 8; do both_at_once || return 1; done; }
step "the same one at both at the same time" many_at_once
step "another turn" at "$A" refresh 200
step "and another" at "$B" refresh 200
step "an old one is theft, whoever sees it" at "$B" refresh 401 "$OLD"
step "the session is ended there" at "$B" call 401 GET /auth/me -H "$(AS)"
step "and at the first" at "$A" soon call 401 GET /auth/me -H "$(AS)"
step "its newest token too" at "$A" refresh 401

# ---- what one takes away the other does not give
step "an administrator signs in again" at "$A" login admin "$PW"
ADMIN=$TOKEN
step "somebody at the second" at "$B" login user1 'a password of mine'
GUEST=$TOKEN
step "is made an administrator at the first" at "$A" call 200 PATCH /users/2 -H "$(AS "$ADMIN")" -d '{"role":"super_admin"}'
step "and is one at the second" at "$B" soon call 200 GET /users -H "$(AS "$GUEST")"
step "is lowered" at "$A" call 200 PATCH /users/2 -H "$(AS "$ADMIN")" -d '{"role":"viewer"}'
step "at both" at "$B" soon call 403 GET /users -H "$(AS "$GUEST")"
step "is disabled" at "$A" call 200 PATCH /users/2 -H "$(AS "$ADMIN")" -d '{"disabled":true}'
step "and out" at "$B" soon call 401 GET /auth/me -H "$(AS "$GUEST")"
last_one() { # two administrators lower each other at the two masters at the same time: one stays
	local supers first
	at "$A" call 200 PATCH /users/3 -H "$(AS "$ADMIN")" -d '{"role":"super_admin"}' || return 1
	at "$B" login user2 'a password of mine' || return 1
	curl -s -m 20 -o "$T/one" -X PATCH "$A/users/3" -H "$(AS "$ADMIN")" -d '{"role":"viewer"}' &
	first=$!
	curl -s -m 20 -o "$T/two" -X PATCH "$B/users/1" -H "$(AS "$TOKEN")" -d '{"role":"viewer"}' &
	wait "$first" $!
	supers=$(database_sql "" "SELECT count(*) FROM account WHERE role='super_admin'")
	[ "$supers" = 1 ] || { echo "$supers are left"; cat "$T/one" "$T/two"; return 1; }
	database_sql "" "UPDATE account SET role='super_admin' WHERE id=1; UPDATE account SET role='viewer' WHERE id=3; UPDATE meta SET value=value+1 WHERE name='auth_rev'"
}
step "two who lower each other at the same time do not both win" last_one
step "the administrator is one" at "$A" soon call 200 GET /users -H "$(AS "$ADMIN")"
step "an API token made at the first" at "$A" call 201 POST /api-tokens -H "$(AS "$ADMIN")" -d "{\"name\":\"ci\",\"expires\":\"$(date -u -d '+1 hour' +%FT%TZ)\"}"
CI_TOKEN=$(jq -r .token "$BODY") CI_ID=$(jq .id "$BODY")
step "is good at the second" at "$B" soon call 200 GET /nodes/ -H "$(AS "$CI_TOKEN")"
step "deleted at the first" at "$A" call 204 DELETE "/api-tokens/$CI_ID" -H "$(AS "$ADMIN")"
step "it is not" at "$B" soon call 401 GET /nodes/ -H "$(AS "$CI_TOKEN")"

# ---- one code, two masters: one sign-in
step "one-time codes" at "$A" call 200 POST /auth/totp -H "$(AS "$ADMIN")" -d "{\"password\":\"$PW\"}"
SEED=$(jq -r .secret "$BODY")
until_ok 30 early
step "are switched on" at "$A" call 200 PUT /auth/totp -H "$(AS "$ADMIN")" -d "{\"otp\":\"$(code -1)\"}"
one_code() {
	local code i got pids=()
	code=$(code 0)
	for i in 1 2 3; do
		for api in "$A" "$B"; do
			curl -s -m 20 -o /dev/null -w '%{http_code}\n' -X POST "$api/auth/login" --data-urlencode username=admin \
				--data-urlencode "password=$PW" --data-urlencode "otp=$code" >"$T/code.$i.${api//[^0-9]/}" &
			pids+=($!)
		done
	done
	wait "${pids[@]}"
	got=$(cat "$T"/code.* | grep -c '^200$')
	[ "$got" = 1 ] || { echo "$got signed in"; cat "$T"/code.*; return 1; }
}
step "six who come with the same code at the same time: one gets in" one_code
check "the trail of both is one chain" run felloe-masterd audit verify --state "$T/state"
stop_pid b

# ---- killed over an answer: no client is taken for a thief
check "the codes are off" run felloe-masterd user totp-off admin --state "$T/state"
signs_in() { at "$A" login admin "$PW"; }
step "the administrator signs in" soon signs_in
survives() {
	local i old lost
	for i in 1 2 3 4 5 6; do
		old=$REFRESH
		curl -s -m 20 -o "$T/lost" -X POST "$A/auth/refresh" -d "{\"refresh_token\":\"$old\"}" &
		lost=$!
		[ $((i % 2)) = 1 ] || wait "$lost"
		stop_pid master KILL
		wait "$lost"
		master_start || return 1
		# whether the turn was committed or not, the token that the client has is good
		refresh 200 "$old" && call 200 GET /auth/me -H "$(AS)" || return 1
	done
}
step "refresh over kill -9" survives
check "the trail is whole" run felloe-masterd audit verify --state "$T/state"
no_reuse() { call 200 GET "/audit?action=auth.reuse" -H "$(AS)" && is '.items | length' 1; }
step "and tells of one theft alone" no_reuse
stop_pid master
