# SPDX-License-Identifier: Apache-2.0
# For tests/e2e/master-*.sh: a master of the test's own on loopback, on
# either store (tests/database-lib.sh).
# shellcheck shell=bash disable=SC2034
PAIR=$BUILD/tests/e2e/pair
for tool in curl jq; do
	command -v "$tool" >/dev/null || { skip "the master over HTTP" "apt-get install $tool"; exit 0; }
done
. "$HERE/database-lib.sh"
PORT=$(free_port)
ROOT=http://127.0.0.1:$PORT
API=$ROOT/api/v1
TOKEN='' REFRESH='' NODE='' KEY='' PUB='' SECRET='' NONCE='' REQUEST='' MASTER_NONCE=''
STATUS='' BODY=$T/body HEAD=$T/head

master_init() { # OPTIONS...
	echo 'correct horse battery' >"$T/pw"
	chmod 600 "$T/pw"
	felloe-masterd init --state "$T/state" --listen "127.0.0.1:$PORT" --password-file "$T/pw" "${DATABASE[@]}" "$@" >"$T/init.out" 2>&1
}
master_up() { curl -sf -m 2 "$ROOT/ready"; }
master_start() {
	spawn master felloe-masterd --state "$T/state"
	until_ok 20 master_up
}
# call STATUS METHOD PATH [CURL OPTIONS]: body in $BODY, headers in $HEAD
call() {
	local want=$1 method=$2 path=$3
	shift 3
	STATUS=$(curl -s -m 40 -o "$BODY" -D "$HEAD" -w '%{http_code}' -X "$method" "$@" "$API$path") || STATUS="curl $?"
	[ "$STATUS" = "$want" ] && return 0
	echo "$method $path answered $STATUS, expected $want:"
	cat "$BODY" 2>/dev/null
	return 1
}
# is FILTER VALUE: jq over the last body
is() {
	local got
	got=$(jq -r "$1" "$BODY" 2>&1)
	[ "$got" = "$2" ] || { echo "$1 is $got, expected $2"; cat "$BODY"; return 1; }
}
# has_header TEXT: the last answer has this header line (case ignored)
has_header() { tr -d '\r' <"$HEAD" | grep -qix -- "$1" || { echo "no header $1"; cat "$HEAD"; return 1; }; }
login() { # USER PASSWORD: $TOKEN, $REFRESH
	call 200 POST /auth/login --data-urlencode "username=$1" --data-urlencode "password=$2" || return 1
	TOKEN=$(jq -r .access_token "$BODY") REFRESH=$(jq -r .refresh_token "$BODY")
}
AS() { printf 'Authorization: Bearer %s' "${1:-$TOKEN}"; }
# join HOSTNAME: a machine with a key asks and reveals; $PUB $SECRET $NONCE $REQUEST $MASTER_NONCE
join() {
	local commitment
	read -r PUB SECRET NONCE commitment < <("$PAIR" new)
	call 202 POST /nodes/join-request -d "{\"hostname\":\"$1\",\"ip_address\":\"10.0.0.9\",\"system_info\":\"test\",\"sites\":[\"shop\"],\"public_key\":\"$PUB\",\"commitment\":\"$commitment\"}" || return 1
	REQUEST=$(jq -r .request_id "$BODY") MASTER_NONCE=$(jq -r .master_nonce "$BODY")
	call 200 POST "/nodes/join-request/$REQUEST/reveal" -d "{\"nonce\":\"$NONCE\"}"
}
# admit HOSTNAME: join and approve it; $NODE (number) and $KEY
admit() {
	join "$1" || return 1
	call 200 GET "/nodes/?state=pending" -H "$(AS)" || return 1
	NODE=$(jq -r ".[] | select(.hostname == \"$1\") | .id" "$BODY")
	call 200 POST "/nodes/approve/$NODE" -H "$(AS)" || return 1
	call 200 GET "/nodes/status/$REQUEST" || return 1
	KEY=$("$PAIR" open "$(jq -r .sealed_key "$BODY")" "$PUB" "$SECRET")
	[ -n "$KEY" ]
}

# ---- a second master on the same database, which is PostgreSQL: at $B
second_init() {
	PORT_B=$(free_port) B=http://127.0.0.1:$PORT_B/api/v1
	jq --arg l "127.0.0.1:$PORT_B" --arg s "$T/state/second" '.listen = $l | .state_dir = $s' \
		"$T/state/master.json" >"$T/b.json"
	chmod 600 "$T/b.json"
}
second_up() { curl -sf -m 2 "http://127.0.0.1:$PORT_B/ready"; }
second_start() { spawn b felloe-masterd --state "$T/state" -c "$T/b.json" && until_ok 20 second_up; }
at() { local API=$1; shift; "$@"; } # at MASTER COMMAND...
soon() { until_ok 10 "$@" || { cat "$BODY"; return 1; }; }

# ---- one-time codes, made with openssl as a telephone would
# code OFFSET: of $SEED, for the step so many before or after now (RFC 6238)
code() {
	local key step mac at
	key=$(printf '%s' "$SEED" | base32 -d | od -An -v -tx1 | tr -d ' \n')
	step=$(printf '%016x' $(($(date +%s) / 30 + $1)))
	mac=$(printf '%b' "$(sed 's/../\\x&/g' <<<"$step")" | openssl dgst -sha1 -mac HMAC -macopt "hexkey:$key" -r | cut -c1-40)
	at=$((16#${mac:39:1} * 2))
	printf '%06d' $(((16#${mac:at:8} & 0x7fffffff) % 1000000))
}
# far enough from the end of a step that codes made now are judged in it
early() { [ $(($(date +%s) % 30)) -lt 15 ]; }
