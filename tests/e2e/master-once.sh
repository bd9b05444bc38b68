#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Idempotency-Key: a change is made once and answered twice; also by two masters.
# timeout: 120
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../master-lib.sh"
command -v sqlite3 >/dev/null || { skip "Idempotency-Key" "apt-get install sqlite3"; exit 0; }

master_init || note "$T/init.out"
felloe-masterd user add second --state "$T/state" --role super_admin --password-file "$T/pw" >/dev/null
step "the master starts" master_start
login second 'correct horse battery'
SECOND=$TOKEN
login admin 'correct horse battery'

once() { # STATUS KEY METHOD PATH [CURL OPTIONS]
	local status=$1 key=$2
	shift 2
	call "$status" "$@" -H "Idempotency-Key: $key"
}
count() { call 200 GET /join-tokens -H "$(AS)" && is '.items | length' "$1"; }
MAKE='{"name":"rack","uses":3}'
check "something is made under a key" once 201 k1 POST /join-tokens -H "$(AS)" -d "$MAKE"
cp "$BODY" "$T/first"
fresh() { ! has_header 'idempotency-replayed: true' >/dev/null; }
check "for the first time" fresh
check "again under the same key" once 201 k1 POST /join-tokens -H "$(AS)" -d "$MAKE"
check "it is answered the same, the token too" cmp "$BODY" "$T/first"
check "and marked" has_header 'idempotency-replayed: true'
check "but made once" count 1
check "what is not the same is refused" once 422 k1 POST /join-tokens -H "$(AS)" -d '{"name":"other"}'
check "by name" is '.detail | startswith("Idempotency-Key:")' true
check "the same body at another path too" once 422 k1 POST /nodes/approve/1 -H "$(AS)" -d "$MAKE"
check "another user's key is another key" once 201 k1 POST /join-tokens -H "$(AS "$SECOND")" -d "$MAKE"
check "with another answer" bash -c "! cmp -s '$BODY' '$T/first'"
check "a refusal is kept as well" once 404 k2 POST /nodes/block/77 -H "$(AS)"
check "to the letter" once 404 k2 POST /nodes/block/77 -H "$(AS)"
check "marked" has_header 'idempotency-replayed: true'
check "as a problem document" has_header 'content-type: application/problem+json'
check "an answer without a body" once 204 k3 DELETE "/join-tokens/$(jq .id "$T/first")" -H "$(AS)"
check "comes again without one" once 204 k3 DELETE "/join-tokens/$(jq .id "$T/first")" -H "$(AS)"
long=$(printf 'k%.0s' {1..129})
for key in '' "$long" 'a b' $'caf\xc3\xa9'; do
	check "a key such as \"${key:0:9}\" is refused" once "$([ -n "$key" ] && echo 422 || echo 201)" "$key" POST /join-tokens -H "$(AS)" -d "{\"name\":\"n$RANDOM\"}"
done
check "reading takes no key" once 200 k1 GET /nodes -H "$(AS)"
SECRET=$(jq -r .token "$T/first")
if [ -f "$T/state/master/master.db" ]; then
	check "the database does not hold what is shown once" bash -c "! grep -aqF '$SECRET' '$T'/state/master/master.db*"
	sql() { sqlite3 -cmd '.timeout 5000' "$T/state/master/master.db" "$1"; }
else
	sql() { "$RIGS/postgres.sh" sql "$PG_DIR" -qtAc "$1"; }
	check "the database does not hold what is shown once" bash -c "! '$RIGS/postgres.sh' sql '$PG_DIR' -tAc 'SELECT answer FROM idempotency' | grep -qF '$SECRET'"
fi

# a master that died over a request left this behind
BODY3='{"name":"left"}'
DIGEST=$({ printf 'POST /api/v1/join-tokens\0'; printf '%s' "$BODY3"; } | openssl sha256 -r | cut -d' ' -f1)
OWNER=$(sql "SELECT owner FROM idempotency WHERE name='k3'")
HEX="x'$DIGEST'"
[ -f "$T/state/master/master.db" ] || HEX="'\\x$DIGEST'"
check "what is running" sql "INSERT INTO idempotency(owner,name,digest,done,at,status) VALUES('$OWNER','k4',$HEX,0,$(date +%s%3N),0)"
check "is not made a second time" once 409 k4 POST /join-tokens -H "$(AS)" -d "$BODY3"
check "for now" has_header 'retry-after: 1'
sql "UPDATE idempotency SET at=at-130000 WHERE name='k4'"
check "what died over two minutes ago is" once 201 k4 POST /join-tokens -H "$(AS)" -d "$BODY3"
sql "UPDATE idempotency SET at=at-86500000 WHERE name='k1'"
check "after a day a key is new" once 201 k1 POST /join-tokens -H "$(AS)" -d '{"name":"nextday"}'

# ten at once with one key: one is made, the others wait or get its answer
for i in {1..10}; do
	curl -s -m 20 -o "$T/race.$i" -w '%{http_code}\n' -X POST "$API/join-tokens" -H "$(AS)" -H 'Idempotency-Key: race' -d '{"name":"race"}' >"$T/race.$i.status" &
	RACERS[i]=$!
done
wait "${RACERS[@]}"
check "of ten at once each is answered 201 or 409" bash -c "! grep -hvxE '201|409' '$T'/race.*.status"
check "and one is made" bash -c "curl -s '$API/join-tokens' -H '$(AS)' | jq -e '[.items[] | select(.name == \"race\")] | length == 1'"
check "all 201 tell of the same one" bash -c "[ \"\$(grep -l 201 '$T'/race.*.status | sed 's/.status$//' | xargs -n 1 jq .id | sort -u | wc -l)\" = 1 ]"

if [ ! -f "$T/state/master/master.db" ]; then
	OTHER=$(free_port)
	mkdir "$T/b" && jq --arg l "127.0.0.1:$OTHER" --arg d "$T/b/master" '.listen = $l | .state_dir = $d' "$T/state/master.json" >"$T/b/master.json" && chmod 600 "$T/b/master.json"
	spawn second felloe-masterd run -c "$T/b/master.json"
	until_ok 20 curl -sf -m 2 "http://127.0.0.1:$OTHER/ready"
	FIRST_API=$API
	check "one master makes something" once 201 two POST /join-tokens -H "$(AS)" -d '{"name":"two"}'
	cp "$BODY" "$T/first"
	API=http://127.0.0.1:$OTHER/api/v1
	check "the other knows it" once 201 two POST /join-tokens -H "$(AS)" -d '{"name":"two"}'
	check "and answers the same" cmp "$BODY" "$T/first"
	API=$FIRST_API
	stop_pid second
fi
stop_pid master
check "no error is in the log" bash -c "! grep -E 'error:|Sanitizer' '$T/master.log'"
