#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Who asks, when a proxy stands in between; names of requests in the log.
# timeout: 90
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../master-lib.sh"

master_init || note "$T/init.out"
cp "$T/state/master.json" "$T/plain.json"
with() { jq "$1" "$T/plain.json" >"$T/new.json" && cat "$T/new.json" >"$T/state/master.json"; }
restart() { stop_pid master; spawn master felloe-masterd --state "$T/state" --verbose; until_ok 20 master_up; }
peer() { call 200 GET '/nodes?state=pending' -H "$(AS)" && is '.[-1].peer_address' "$1"; }
ask() { call 202 POST /nodes/join-request -d "{\"hostname\":\"h$RANDOM$RANDOM\"}" "$@"; }

restart
login admin 'correct horse battery'
ask -H 'X-Forwarded-For: 198.51.100.7' -H 'Forwarded: for=198.51.100.8'
check "without trusted proxies nobody is believed" peer 127.0.0.1

with '.trusted_proxies = ["127.0.0.0/8"] | .limits = {"login_per_minute": 2}'
restart
login admin 'correct horse battery'
ask -H 'X-Forwarded-For: 198.51.100.7'
check "a trusted proxy is" peer 198.51.100.7
ask -H 'X-Forwarded-For: 203.0.113.1, 198.51.100.9'
check "about the one that it saw itself" peer 198.51.100.9
ask -H 'X-Forwarded-For: 203.0.113.1' -H 'X-Forwarded-For: 198.51.100.10'
check "also when the client wrote a line of its own" peer 198.51.100.10
ask -H 'Forwarded: for=203.0.113.1'
check "the header that our proxy does not set is anybody's" peer 127.0.0.1
ask -H "X-Forwarded-For: $(printf '203.0.113.1, %.0s' {1..150})198.51.100.11"
check "a long list is read from its end" peer 198.51.100.11
for _ in 1 2 3; do call 401 POST /auth/login -d "username=guess$RANDOM&password=no" -H 'X-Forwarded-For: 198.51.100.66' >/dev/null; done
check "who guesses passwords behind the proxy is stopped" call 429 POST /auth/login -d 'username=guess&password=no' -H 'X-Forwarded-For: 198.51.100.66'
check "and he alone" call 200 POST /auth/login -d 'username=admin' --data-urlencode 'password=correct horse battery' -H 'X-Forwarded-For: 198.51.100.67'
check "whatever he writes in front" call 429 POST /auth/login -d 'username=admin&password=no' -H 'X-Forwarded-For: 1.2.3.4, 198.51.100.66'

with '.trusted_proxies = ["127.0.0.1"] | .proxy_header = "Forwarded"'
restart
login admin 'correct horse battery'
ask -H 'Forwarded: for="[2001:db8::7]:4711";proto=https' -H 'X-Forwarded-For: 203.0.113.1'
check "proxy_header says which one to read" peer 2001:db8::7

ID="abc-123$(printf 'x%.0s' {1..200})"
check "a request may have a name" call 200 GET /auth/me -H "$(AS)" -H "X-Request-Id: $ID"
check "which the answer has too, cut" has_header "x-request-id: ${ID:0:63}"
call 200 GET /auth/me -H "$(AS)" -H $'X-Request-Id: evil\x1b[31m"\\forged'
check "without what a log cannot take" has_header 'x-request-id: evil31mforged'
check "the log has a line for it" grep -q 'GET /auth/me 200, [0-9]* us, from 127.0.0.1, admin, request evil31mforged' "$T/master.log"
call 404 GET "/nodes/status/$(printf 'S%.0s' {1..43})"
check "and for a path with something secret its pattern" grep -q 'GET /nodes/status/{id} 404' "$T/master.log"
check "alone" bash -c "! grep -q SSSSSSSS '$T/master.log'"
stop_pid master
check "no error is in the log" bash -c "! grep -E 'error:|Sanitizer' '$T/master.log'"
