#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One-time codes, made here with openssl as a telephone would: switched on, asked for, each taken once, recovery, off.
# timeout: 180
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../master-lib.sh"

PW='correct horse battery'
master_init || note "$T/init.out"
step "the master starts" master_start
step "an administrator signs in" login admin "$PW"

SEED=''
sign_in() { # STATUS [OTP]
	call "$1" POST /auth/login -H 'Content-Type: application/json' -d "{\"username\":\"admin\",\"password\":\"${3:-$PW}\"${2:+,\"otp\":\"$2\"}}" || return 1
	[ "$1" != 200 ] || TOKEN=$(jq -r .access_token "$BODY")
}
asks() { is .otp_required true; }
get_seed() { call 200 POST /auth/totp -H "$(AS)" -d "{\"password\":\"$PW\"}" && SEED=$(jq -r .secret "$BODY"); }

check "a seed needs the password" call 403 POST /auth/totp -H "$(AS)" -d '{"password":"wrong"}'
step "with it there is one" get_seed
check "of 32 letters" bash -c "[[ $SEED =~ ^[A-Z2-7]{32}$ ]]"
check "with a URI for the telephone" is '.uri | test("^otpauth://totp/Felloe:admin\\?secret=[A-Z2-7]{32}&issuer=Felloe")' true
check "it does not count yet" sign_in 200
check "nor does the database hold it in clear" database_lacks "$T/state/master/master.db" "$SEED"
check "a wrong code does not switch it on" call 403 PUT /auth/totp -H "$(AS)" -d '{"otp":"12345"}'
until_ok 30 early
FIRST=$(code -1) # a later step would have another one
check "a code of it does" call 200 PUT /auth/totp -H "$(AS)" -d "{\"otp\":\"$FIRST\"}"
check "and gives 8 recovery codes" is '[.recovery_codes[] | select(test("^[a-z0-9]{5}-[a-z0-9]{5}$"))] | unique | length' 8
mapfile -t RECOVERY < <(jq -r '.recovery_codes[]' "$BODY")
check "me knows" call 200 GET /auth/me -H "$(AS)"
check "that it is on" is '"\(.totp) \(.recovery_codes)"' "true 8"
check "no second seed while it is on" call 409 POST /auth/totp -H "$(AS)" -d "{\"password\":\"$PW\"}"

check "the password alone is not enough now" sign_in 401
check "and the answer asks for a code" asks
check "a wrong password is not told of codes" sign_in 401 "" "wrong password"
check "not at all" is .otp_required null
check "nor with a code" sign_in 401 "$(code 0)" "wrong password"
check "which the answer does not tell" is .otp_required null
check "the code that switched it on is used up" sign_in 401 "$FIRST"
check "and asked for anew" asks
SECOND=$(code 0)
check "the code of now signs in" sign_in 200 "$SECOND"
check "the one after too, in a form with a blank" call 200 POST /auth/login --data-urlencode username=admin --data-urlencode "password=$PW" --data-urlencode "otp=$(code 1 | sed 's/.../& /')"
check "each once" sign_in 401 "$SECOND"
held_up() { # a code too far ahead, until there is a pause; at most 9 tries
	local i
	for ((i = 0; i < 9; i++)); do
		sign_in 401 "$(code 3)" >/dev/null && asks && continue
		[ "$STATUS" = 429 ] && return 0
		cat "$BODY"
		return 1
	done
	echo "never held up"
	return 1
}
check "who tries codes is held up" held_up
check "with the time to wait" bash -c "tr -d '\r' <'$HEAD' | grep -qi '^retry-after: [1-9]'"
check "also for recovery codes" sign_in 429 "${RECOVERY[0]}"
check "the sessions that are open work on" call 200 GET /auth/me -H "$(AS)"

# the pause is in memory: a new master
stop_pid master
step "the master starts again" master_start
check "the session outlived it" call 200 GET /auth/me -H "$(AS)"
check "a recovery code signs in" sign_in 200 "${RECOVERY[0]}"
check "once" sign_in 401 "${RECOVERY[0]}"
check "another one in capitals without its dash" sign_in 200 "$(tr -d - <<<"${RECOVERY[1]^^}")"
check "two are used up" call 200 GET /auth/me -H "$(AS)"
check "six are left" is .recovery_codes 6
check "a stranger's is none" sign_in 401 aaaaa-aaaaa

# ---- off
check "off needs the password" call 403 DELETE /auth/totp -H "$(AS)" -d "{\"password\":\"wrong\",\"otp\":\"${RECOVERY[2]}\"}"
check "and a code" call 422 DELETE /auth/totp -H "$(AS)" -d "{\"password\":\"$PW\"}"
check "with both it is off" call 204 DELETE /auth/totp -H "$(AS)" -d "{\"password\":\"$PW\",\"otp\":\"${RECOVERY[2]}\"}"
check "and the password enough" sign_in 200
check "no recovery code is left" call 200 GET /auth/me -H "$(AS)"
check "none" is '"\(.totp) \(.recovery_codes)"' "false 0"
check "off twice" call 409 DELETE /auth/totp -H "$(AS)" -d "{\"password\":\"$PW\",\"otp\":\"${RECOVERY[3]}\"}"

# ---- a lost telephone
until_ok 30 early
step "on again with a new seed" get_seed
check "whose code counts" call 200 PUT /auth/totp -H "$(AS)" -d "{\"otp\":\"$(code 0)\"}"
check "asked for again" sign_in 401
check "the operator switches it off" run felloe-masterd user totp-off admin --state "$T/state"
check "and the password is enough" until_ok 5 sign_in 200
check "the trail tells all of it" call 200 GET "/audit?action=user" -H "$(AS)"
check "in its order" is '[.items[] | select(.action != "user.add") | if .detail.totp then "off" else .action end] | reverse | join(" ")' "user.totp_seed user.totp_on off user.totp_seed user.totp_on off"
check "and how one signed in" call 200 GET "/audit?action=auth.login" -H "$(AS)"
check "with what code" is '[.items[] | .detail.otp // "none"] | reverse | join(",")' "none,none,code,code,recovery code,recovery code,none,none"

# ---- another secret: the seed cannot be opened
until_ok 30 early
step "on once more" get_seed
check "with a code" call 200 PUT /auth/totp -H "$(AS)" -d "{\"otp\":\"$(code 0)\"}"
stop_pid master
jq '.jwt_secret = "another secret of more than thirty-two"' "$T/state/master.json" >"$T/m" && cat "$T/m" >"$T/state/master.json"
check "check warns of another secret" run felloe-masterd check --state "$T/state"
check "in words" says "warn  jwt_secret is not the one"
step "a master with another secret" master_start
check "so does its log" grep -q "warning: jwt_secret is not the one" "$T/master.log"
check "cannot read the seed, and lets nobody in for that" sign_in 500 "$(code 1)"
check "which it tells" is '.detail | test("jwt_secret")' true
stop_pid master
