#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# People: made, changed and deleted over HTTP and at the command line; what counts at once; new passwords.
# timeout: 180
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../master-lib.sh"

PW='correct horse battery'
JSON=(-H 'Content-Type: application/json') # curl says it is a form
master_init || note "$T/init.out"
step "the master starts" master_start
step "an administrator signs in" login admin "$PW"
ADMIN=$TOKEN

# ---- made
check "the first user is listed" call 200 GET /users -H "$(AS "$ADMIN")"
check "as super_admin without a limit" is '.items[] | "\(.id) \(.username) \(.role) \(.tags | length) \(.disabled) \(.totp)"' "1 admin super_admin 0 false false"
check "a viewer is made" call 201 POST /users -H "$(AS "$ADMIN")" -d '{"username":"vera","password":"a viewer of things"}'
check "with the defaults" is '"\(.username) \(.role) \(.tags) \(.password)"' 'vera viewer [] null'
VERA=$(jq .id "$BODY")
check "a name that is taken is refused" call 409 POST /users -H "$(AS "$ADMIN")" -d '{"username":"vera"}'
check "without a password one is made" call 201 POST /users -H "$(AS "$ADMIN")" -d '{"username":"norbert","role":"node_admin","tags":["eu","shop"]}'
NORBERT=$(jq .id "$BODY") MADE=$(jq -r .password "$BODY")
check "which is shown" [ "${#MADE}" = 18 ]
step "and works" login norbert "$MADE"
check "the user knows the own limits" call 200 GET /auth/me -H "$(AS)"
check "all of them" is '"\(.username) \(.role) \(.tags | join(",")) \(.totp) \(.recovery_codes) \(.token)"' "norbert node_admin eu,shop false 0 null"
bad() { call 422 "$1" "$2" -H "$(AS "$ADMIN")" -d "$3" && is '.errors[0].path' "$4"; }
check "a short password is refused" bad POST /users '{"username":"x1","password":"short"}' password
check "one with the name in it" bad POST /users '{"username":"anna","password":"xxx-anna-xxx"}' password
check "one of one letter" bad POST /users '{"username":"anna","password":"aaaaaaaaaaaaaaa"}' password
check "a role that is none" bad POST /users '{"username":"anna","role":"node"}' role
check "a name with blanks" bad POST /users '{"username":"an na"}' username
check "no name" bad POST /users '{}' username
check "tags that are none" bad POST /users '{"username":"anna","tags":["a b"]}' tags
check "a super_admin with a limit is refused" call 422 POST /users -H "$(AS "$ADMIN")" -d '{"username":"anna","role":"super_admin","tags":["eu"]}'
check "lists come in pages" call 200 GET "/users?limit=2" -H "$(AS "$ADMIN")"
check "of two" is '.items | length' 2
check "which lead on" call 200 GET "/users?limit=2&after=$(jq -r .next "$BODY")" -H "$(AS "$ADMIN")"
check "to the end" is '"\(.items | length) \(.next)"' "1 null"

# ---- what counts at once
step "the viewer signs in" login vera 'a viewer of things'
V=$TOKEN VREFRESH=$REFRESH
check "and may not read the trail" call 403 GET /audit -H "$(AS "$V")"
check "made a super_admin" call 200 PATCH "/users/$VERA" -H "$(AS "$ADMIN")" -d '{"role":"super_admin"}'
check "the same token may" call 200 GET /audit -H "$(AS "$V")"
check "made a viewer again" call 200 PATCH "/users/$VERA" -H "$(AS "$ADMIN")" -d '{"role":"viewer"}'
check "it may not any more" call 403 GET /audit -H "$(AS "$V")"
check "disabled" call 200 PATCH "/users/$VERA" -H "$(AS "$ADMIN")" -d '{"disabled":true}'
check "the token is worth nothing" call 401 GET /nodes/ -H "$(AS "$V")"
check "nor is the refresh token" call 401 POST /auth/refresh -d "{\"refresh_token\":\"$VREFRESH\"}"
check "nor the password" call 401 POST /auth/login "${JSON[@]}" -d '{"username":"vera","password":"a viewer of things"}'
check "enabled again" call 200 PATCH "/users/$VERA" -H "$(AS "$ADMIN")" -d '{"disabled":false}'
check "the old session stays ended" call 401 GET /nodes/ -H "$(AS "$V")"
step "but one may sign in" login vera 'a viewer of things'
V=$TOKEN
check "a new password with the name in it is refused" call 422 PATCH "/users/$VERA" -H "$(AS "$ADMIN")" -d '{"password":"another one for vera"}'
check "a new password from above" call 200 PATCH "/users/$VERA" -H "$(AS "$ADMIN")" -d '{"password":"an entirely new one"}'
check "ends the sessions" call 401 GET /nodes/ -H "$(AS "$V")"
step "and is the one to use" login vera 'an entirely new one'
V=$TOKEN

# ---- the last super_admin
check "the last super_admin is not lowered" call 409 PATCH /users/1 -H "$(AS "$ADMIN")" -d '{"role":"viewer"}'
check "nor disabled" call 409 PATCH /users/1 -H "$(AS "$ADMIN")" -d '{"disabled":true}'
check "nor deleted" call 409 DELETE /users/1 -H "$(AS "$ADMIN")"
check "and is as before" call 200 GET /users -H "$(AS "$ADMIN")"
check "in every respect" is '.items[0] | "\(.role) \(.disabled)"' "super_admin false"

# ---- the own password
check "the old one must be right" call 403 PUT /auth/password -H "$(AS "$V")" -d '{"old_password":"wrong","new_password":"something of my own"}'
check "the new one good" call 422 PUT /auth/password -H "$(AS "$V")" -d '{"old_password":"an entirely new one","new_password":"short"}'
check "and new" call 422 PUT /auth/password -H "$(AS "$V")" -d '{"old_password":"an entirely new one","new_password":"an entirely new one"}'
step "a second session" login vera 'an entirely new one'
OTHER=$TOKEN
check "a new password answers new tokens" call 200 PUT /auth/password -H "$(AS "$V")" -d '{"old_password":"an entirely new one","new_password":"something of my own"}'
NEW=$(jq -r .access_token "$BODY") NEWREFRESH=$(jq -r .refresh_token "$BODY")
check "that work" call 200 GET /auth/me -H "$(AS "$NEW")"
check "and are refreshed" call 200 POST /auth/refresh -d "{\"refresh_token\":\"$NEWREFRESH\"}"
check "the session that asked is ended" call 401 GET /auth/me -H "$(AS "$V")"
check "the other one too" call 401 GET /auth/me -H "$(AS "$OTHER")"
check "the old password is gone" call 401 POST /auth/login "${JSON[@]}" -d '{"username":"vera","password":"an entirely new one"}'
step "two sessions of the new one" login vera 'something of my own'
ONE=$TOKEN
step "the second" login vera 'something of my own'
check "log-out of all" call 204 POST "/auth/logout?all=true" -H "$(AS)"
check "ends this one" call 401 GET /auth/me -H "$(AS)"
check "and that one" call 401 GET /auth/me -H "$(AS "$ONE")"

# ---- deleted
step "somebody to be deleted signs in" login norbert "$MADE"
check "is deleted" call 204 DELETE "/users/$NORBERT" -H "$(AS "$ADMIN")"
check "at once" call 401 GET /auth/me -H "$(AS)"
check "for good" call 404 DELETE "/users/$NORBERT" -H "$(AS "$ADMIN")"
check "a number that is none" call 404 PATCH /users/x -H "$(AS "$ADMIN")" -d '{}'

# ---- guessing
guess() { # NAME: until it is held up; at most 40 tries
	local i
	for ((i = 0; i < 40; i++)); do
		call 401 POST /auth/login "${JSON[@]}" -d "{\"username\":\"$1\",\"password\":\"wrong wrong wrong\"}" >/dev/null && continue
		[ "$STATUS" = 429 ] && return 0
		cat "$BODY"
		return 1
	done
	echo "never held up"
	return 1
}
check "who guesses is held up" guess vera
check "and told for how long" bash -c "tr -d '\r' <'$HEAD' | grep -qi '^retry-after: [1-9]'"
check "the trail tells of it, not of each try" call 200 GET "/audit?action=auth.lockout" -H "$(AS "$ADMIN")"
check "with the name" is '[.items[] | .object] | unique | join(",")' "user vera"
check "at most once for the address and once for the name" is '.items | length <= 2' true
check "and names each change of people" call 200 GET "/audit?action=user" -H "$(AS "$ADMIN")"
check "without any password" bash -c "! grep -qE 'entirely|horse|things|my own' '$BODY'"
check "in their order" is '[.items[].action] | unique | join(" ")' "user.add user.change user.delete user.password"

# ---- guessing from many places, as a proxy that is believed tells them
stop_pid master
# few tries come back in the time that a busy machine takes for one: 9 of a name in a minute
jq '.trusted_proxies = ["127.0.0.1"] | .limits.login_per_minute = 3' "$T/state/master.json" >"$T/m" && cat "$T/m" >"$T/state/master.json"
step "the master starts behind a proxy" master_start
from() { printf 'X-Forwarded-For: %s' "$1"; }
try() { # STATUS ADDRESS PASSWORD
	call "$1" POST /auth/login "${JSON[@]}" -H "$(from "$2")" -d "{\"username\":\"vera\",\"password\":\"$3\"}"
}
check "she signs in at home" try 200 2001:db8:1:1::5 'something of my own'
everywhere() { # until her name is held up at an address that did nothing; at most 60 tries
	local i
	for ((i = 0; i < 60; i++)); do
		try 401 "192.0.2.$i" 'wrong wrong wrong' >/dev/null && continue
		[ "$STATUS" = 429 ] && [ "$i" -ge 9 ] && return 0
		echo "try $i:"
		cat "$BODY"
		return 1
	done
	echo "never held up"
	return 1
}
check "who guesses from many addresses is held up" everywhere
check "for her name, not the address" is '.detail | test("with this name")' true
# one try comes back now and then; two at once do not
right_too() { try 429 198.51.100.1 'something of my own' || try 429 198.51.100.1 'something of my own'; }
check "also with the right password" right_too
check "but not at home" try 200 2001:db8:1:1::5 'something of my own'
check "nor is anybody else" call 200 POST /auth/login "${JSON[@]}" -H "$(from 198.51.100.2)" -d "{\"username\":\"admin\",\"password\":\"$PW\"}"
network() { # all tries of a network of 64 bits count together
	local i
	for ((i = 0; i < 20; i++)); do
		call 401 POST /auth/login "${JSON[@]}" -H "$(from "2001:db8:2:2::$i")" -d '{"username":"nobody","password":"wrong wrong"}' >/dev/null || break
	done
	[ "$STATUS" = 429 ] && is '.detail | test("from 2001:db8:2:2::")' true
}
check "addresses of one network count as one" network
check "the trail tells of tries with a name that nobody has" call 200 GET "/audit?action=auth.lockout" -H "$(AS "$ADMIN")"
check "but not the name, which may be a password in the wrong field" is '[.items[] | .object] | unique | join(",")' "user (unknown),user vera"

# ---- at the command line
user() { run -e "$1" felloe-masterd user "${@:2}" --state "$T/state"; }
check "the command line makes a user with a limit" user 0 add olga --role node_admin --tags eu,us --password-file "$T/pw"
check "lists" user 0 list
check "with the tags" says '["eu","us"]'
check "lifts the limit" user 0 tags olga none
check "raises" user 0 role olga super_admin
check "does not limit a super_admin" user 1 tags olga eu
check "lowers the first one now" user 0 role admin viewer
check "but not the last one" user 1 role olga viewer
check "and says why" says "no super_admin who can sign in would be left"
check "nor disables it" user 1 disable olga
check "nor deletes it" user 1 delete olga
check "a running master knows within a second" until_ok 5 call 403 GET /users -H "$(AS "$ADMIN")"
check "a role that is none is refused" user 1 role admin king
check "so is a verb" user 2 crown admin
check "and a name too many" user 2 disable admin olga
check "somebody unknown" user 1 disable nobody
check "disables" user 0 disable admin
check "which counts" until_ok 5 call 401 GET /auth/me -H "$(AS "$ADMIN")"
check "enables" user 0 enable admin
check "deletes" user 0 delete admin
check "as JSON only one is a super_admin" user 0 list --json
check "namely" bash -c "[ \"\$(jq -r '[.[] | select(.role == \"super_admin\") | .username] | join(\",\")' '$OUT')\" = olga ]"
printf 'short\n' >"$T/short" && chmod 600 "$T/short"
check "a short password is refused" user 1 passwd olga --password-file "$T/short"
check "all of this stands in the trail" run felloe-masterd audit verify --state "$T/state"
stop_pid master
