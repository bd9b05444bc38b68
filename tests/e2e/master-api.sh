#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The master over HTTP: sign-in, pairing, reports, lists, limits, restart, kill.
# timeout: 180
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../master-lib.sh"

# ---- init
check "init writes a configuration and a database" master_init
mode() { [ "$(stat -c %a "$1")" = "$2" ]; }
check "master.json is for its owner alone" mode "$T/state/master.json" 600
check "init prints no password that a file gave" bash -c "! grep -q 'correct horse' '$T/init.out'"
check "a second init refuses to overwrite" run -e 1 felloe-masterd init --state "$T/state"
check "and says how to go on" says "felloe-masterd user passwd"
check "init refuses plain HTTP beyond loopback" run -e 2 felloe-masterd init --state "$T/other" --listen 0.0.0.0:8443
check "and names the ways out" says "--self-signed"
check "init without a password file prints one, once" run felloe-masterd init --state "$T/made" --listen 127.0.0.1:1 --admin root
check "that says for whom" says "user root, password "
relative() { cd "$T" && felloe-masterd init --state near --listen 127.0.0.1:1 --self-signed --password-file "$T/near.pw"; }
echo 'near enough to type' >"$T/near.pw" && chmod 600 "$T/near.pw"
check "init takes a relative folder" run relative
check "and what it writes is found from anywhere" run felloe-masterd check -c "$T/near/master.json"
mv "$T/near/master.json" "$T/kept.json"
rm "$T/near/master.crt" "$T/near/master.key"
check "a lost master.json is no new master" run -e 1 felloe-masterd init --state "$T/near" --listen 127.0.0.1:1 --self-signed
check "the way out is told" says "put its master.json back"
check "and nothing is left behind" test ! -e "$T/near/master.key" -a ! -e "$T/near/master.json"
check "what init does not take is refused" run -e 2 felloe-masterd init --state "$T/other" now
check "by name" says '"now" is too much'
check "check finds all in order" run felloe-masterd check --state "$T/state"
sed 's/"listen"/"lisen"/' "$T/state/master.json" >"$T/typo.json" && chmod 600 "$T/typo.json"
check "an unknown key is refused" run -e 2 felloe-masterd check -c "$T/typo.json"
check "with the nearest known one" says 'did you mean "listen"'
chmod 644 "$T/typo.json"
check "a configuration that others may read is refused" run -e 2 felloe-masterd run -c "$T/typo.json"
check "with the command to run" says "chmod 600"

# ---- start, sign-in
step "the master starts and is ready" master_start
check "a wrong password is refused" call 401 POST /auth/login -d 'username=admin&password=wrong'
cp "$BODY" "$T/wrong"
check "an unknown user too" call 401 POST /auth/login -d 'username=nobody&password=wrong'
check "and both get the same answer" cmp "$BODY" "$T/wrong"
check "errors are problem documents" has_header "content-type: application/problem+json"
step "the admin signs in by a form" login admin 'correct horse battery'
check "the admin signs in by JSON" call 200 POST /auth/login -H 'Content-Type: application/json' \
	-d '{"username":"admin","password":"correct horse battery"}'
check "me says who I am" call 200 GET /auth/me -H "$(AS)"
check "with the role" is .role super_admin
OLD=$REFRESH
check "a refresh gives new tokens" call 200 POST /auth/refresh -d "{\"refresh_token\":\"$OLD\"}"
NEW=$(jq -r .refresh_token "$BODY")
check "the predecessor gets the same successor again" call 200 POST /auth/refresh -d "{\"refresh_token\":\"$OLD\"}"
check "the very same" is .refresh_token "$NEW"
check "the successor is rotated" call 200 POST /auth/refresh -d "{\"refresh_token\":\"$NEW\"}"
check "a token two behind ends the session" call 401 POST /auth/refresh -d "{\"refresh_token\":\"$OLD\"}"
check "so that its access token is worth nothing" call 401 GET /auth/me -H "$(AS)"
login admin 'correct horse battery'
check "logout ends the session" call 204 POST /auth/logout -H "$(AS)"
check "at once" call 401 GET /auth/me -H "$(AS)"
login admin 'correct horse battery'

# ---- pairing
step "a machine asks and reveals" join web-01
CODE=$("$PAIR" code "$PUB" "$NONCE" "$MASTER_NONCE" "$REQUEST")
check "the admin sees it waiting" call 200 GET "/nodes/?state=pending" -H "$(AS)"
check "with the code that the node computes" is '.[0].code' "$CODE"
check "with the address the master saw" is '.[0].peer_address' 127.0.0.1
check "with a key fingerprint" is '.[0].key_fingerprint | startswith("SHA256:")' true
check "its status is pending" call 200 GET "/nodes/status/$REQUEST"
check "in a word" is .status pending
check "the same nonce again is harmless" call 200 POST "/nodes/join-request/$REQUEST/reveal" -d "{\"nonce\":\"$NONCE\"}"
read -r _ _ OTHER _ < <("$PAIR" new)
check "another nonce is refused" call 409 POST "/nodes/join-request/$REQUEST/reveal" -d "{\"nonce\":\"$OTHER\"}"
curl -s -m 40 "$API/nodes/status/$REQUEST?wait=25" >"$T/longpoll" &
LONGPOLL=$!
check "approve lets it in" call 200 POST /nodes/approve/1 -H "$(AS)" -d '{"tags":["prod"]}'
wait "$LONGPOLL"
check "the sleeping status call wakes with the sealed key" jq -e '.status == "active" and (.sealed_key | length > 80)' "$T/longpoll"
KEY=$("$PAIR" open "$(jq -r .sealed_key "$T/longpoll")" "$PUB" "$SECRET")
check "which opens for the node's key alone" [ -n "$KEY" ]
check "the database does not hold the key" database_lacks "$T/state/master/master.db" "$KEY"
check "a second approve says who was faster" call 409 POST /nodes/approve/1 -H "$(AS)"
check "by name" is '.detail | startswith("admin approved web-01")' true
read -r P2 _ N2 C2 < <("$PAIR" new)
call 202 POST /nodes/join-request -d "{\"hostname\":\"web-02\",\"public_key\":\"$P2\",\"commitment\":\"$C2\"}"
R2=$(jq -r .request_id "$BODY")
check "the same key and commitment meet the same request" call 202 POST /nodes/join-request -d "{\"hostname\":\"web-02\",\"public_key\":\"$P2\",\"commitment\":\"$C2\"}"
check "by the same id" is .request_id "$R2"
check "without the reveal nobody can approve" call 409 POST /nodes/approve/2 -H "$(AS)"
check "a nonce that does not fit the commitment is refused" call 422 POST "/nodes/join-request/$R2/reveal" -d "{\"nonce\":\"$NONCE\"}"
call 200 POST "/nodes/join-request/$R2/reveal" -d "{\"nonce\":\"$N2\"}"
join web-01
check "a name in use is marked" bash -c "curl -s '$API/nodes/?state=pending' -H '$(AS)' | jq -e '.[] | select(.hostname == \"web-01\") | .name_in_use'"
check "and needs another name" call 409 POST /nodes/approve/3 -H "$(AS)"
check "or the adoption of the old node" call 200 POST /nodes/approve/3 -H "$(AS)" -d '{"adopt":1}'
check "whose number it takes" is .id 1
check "the key of the machine before is worth nothing now" call 401 POST /stats -H "X-API-KEY: $KEY" -d '{"cpu_usage":1,"disk_usage":1,"active_backups":0}'
call 200 GET "/nodes/status/$REQUEST"
KEY=$("$PAIR" open "$(jq -r .sealed_key "$BODY")" "$PUB" "$SECRET")
check "an id that nobody was given is unknown" call 404 GET /nodes/status/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
check "a machine without a key gets a code" call 202 POST /nodes/join-request -d '{"hostname":"plain"}'
PLAIN=$(jq -r .request_id "$BODY")
check "and is admitted all the same" call 200 POST /nodes/approve/4 -H "$(AS)"
call 200 GET "/nodes/status/$PLAIN"
PLAIN_KEY=$(jq -r .api_key "$BODY")
check "its key works" call 200 POST /stats -H "X-API-KEY: $PLAIN_KEY" -d '{"cpu_usage":1,"disk_usage":1,"active_backups":0}'
gone() { call 200 GET "/nodes/status/$PLAIN" && is '.api_key // "gone"' gone; }
check "and is not handed out again after its first use" until_ok 5 gone

# ---- samples
NOW=$(date -u +%Y-%m-%dT%H:%M:%S)
SAMPLE='{"cpu_usage":42.5,"disk_usage":40,"active_backups":0,"memory":{"total":8000,"used":3000},"disks":[{"mount":"/","total":100,"used":40,"percent":40}]}'
check "a sample is recorded" call 200 POST /stats -H "X-API-KEY: $KEY" -d "$SAMPLE"
check "under the node's name" is .node web-01
check "a list fills in the past" call 200 POST /stats -H "X-API-KEY: $KEY" \
	-d "[{\"ts\":\"${NOW%:*}:00.001Z\",\"cpu_usage\":1,\"disk_usage\":1,\"active_backups\":0},{\"ts\":\"${NOW%:*}:00.002Z\",\"cpu_usage\":3,\"disk_usage\":1,\"active_backups\":0}]"
check "sent twice it is known" call 200 POST /stats -H "X-API-KEY: $KEY" \
	-d "[{\"ts\":\"${NOW%:*}:00.001Z\",\"cpu_usage\":1,\"disk_usage\":1,\"active_backups\":0}]"
samples() { call 200 GET "/nodes/1/stats?step=3600" -H "$(AS)" && is '[.items[].samples] | add' "$1"; }
check "the series counts each sample once" samples 3
check "a sample may name its agent" call 200 POST /stats -H "X-API-KEY: $KEY" -d '{"cpu_usage":1,"disk_usage":1,"active_backups":0,"agent_version":"9.8.7"}'
check "the list of nodes is asked" call 200 GET /nodes/ -H "$(AS)"
check "and tells which agent reports" is '.[] | select(.id == 1) | .agent_version' 9.8.7
check "wrong types are told with their paths" call 422 POST /stats -H "X-API-KEY: $KEY" -d '[{"cpu_usage":"x","disk_usage":101,"active_backups":0}]'
check "all of them" is '[.errors[].path] | join(" ")' "[0].cpu_usage [0].disk_usage"
check "501 samples are too many" call 422 POST /stats -H "X-API-KEY: $KEY" -d "[$(printf '1,%.0s' {1..500})1]"
check "a clock an hour ahead is told" call 200 POST /stats -H "X-API-KEY: $KEY" -d "{\"ts\":\"2099-01-01T00:00:00Z\",\"cpu_usage\":1,\"disk_usage\":1,\"active_backups\":0}"
call 200 GET /nodes/1 -H "$(AS)"
check "by the node's health" is .health warn
check "unknown members are ignored" call 200 POST /stats -H "X-API-KEY: $KEY" -d '{"cpu_usage":1,"disk_usage":1,"active_backups":0,"new":{"x":1}}'
check "an unknown key is refused" call 401 POST /stats -H "X-API-KEY: nonsense" -d "$SAMPLE"

# ---- runs
UUID=3b241101-e2bb-4255-8caf-4136c566a962
run_doc() { printf '{"uuid":"%s","rev":%d,"site":"shop","state":"%s","started":"%sZ","finished":"%sZ","bytes_stored":5000,"log":"line\\n"%s}' "$UUID" "$1" "$2" "$NOW" "$NOW" "${3:-}"; }
check "a run is recorded" call 200 PUT "/runs/$UUID" -H "X-API-KEY: $KEY" -d "$(run_doc 2 failed ',"error":{"kind":"storage","message":"403 AccessDenied"}')"
check "as news" is .status recorded
check "a lower rev changes nothing" call 200 PUT "/runs/$UUID" -H "X-API-KEY: $KEY" -d "$(run_doc 1 ok)"
check "and says so" is .status known
call 200 GET /nodes/1 -H "$(AS)"
check "a failed run makes the node failed" is .health failed
check "with the reason" is '.reasons | map(select(contains("403 AccessDenied"))) | length' 1
check "a higher rev replaces it" call 200 PUT "/runs/$UUID" -H "X-API-KEY: $KEY" -d "$(run_doc 3 ok)"
check "the uuid of another node is refused" call 409 PUT "/runs/$UUID" -H "X-API-KEY: $PLAIN_KEY" -d "$(run_doc 9 ok)"
check "another uuid in the path too" call 422 PUT "/runs/${UUID%2}3" -H "X-API-KEY: $KEY" -d "$(run_doc 9 ok)"
check "runs are listed" call 200 GET "/runs?node=1&site=shop&state=ok" -H "$(AS)"
check "with their node, without the log" is '.items[0] | .node + " " + .state + " " + (has("log") | tostring)' "web-01 ok false"
check "a run is shown with its log" call 200 GET "/runs/$UUID" -H "$(AS)"
check "line by line" is .log $'line'
for i in 1 2 3 4 5; do
	UUID=3b241101-e2bb-4255-8caf-4136c566000$i call 200 PUT "/runs/3b241101-e2bb-4255-8caf-4136c566000$i" -H "X-API-KEY: $KEY" \
		-d "$(UUID=3b241101-e2bb-4255-8caf-4136c566000$i run_doc 1 ok)"
done
pages() {
	local after='' seen=0
	while call 200 GET "/runs?limit=2&after=$after" -H "$(AS)"; do
		seen=$((seen + $(jq '.items | length' "$BODY")))
		after=$(jq -r '.next // ""' "$BODY")
		[ -n "$after" ] || break
	done
	[ "$seen" = 6 ] || { echo "saw $seen of 6"; return 1; }
}
check "page by page each run comes once" pages
check "a cursor that we did not give is refused" call 422 GET "/runs?after=x" -H "$(AS)"
check "a state that there is not, too" call 422 GET "/runs?state=fine" -H "$(AS)"

# ---- lists, ETag
check "all nodes are a plain array" call 200 GET /nodes/ -H "$(AS)"
ETAG=$(tr -d '\r' <"$HEAD" | sed -n 's/^etag: //Ip')
check "what has not changed is not sent again" call 304 GET /nodes/ -H "$(AS)" -H "If-None-Match: $ETAG"
check "a sample changes it" call 200 POST /stats -H "X-API-KEY: $KEY" -d "$SAMPLE"
check "then it is" call 200 GET /nodes/ -H "$(AS)" -H "If-None-Match: $ETAG"
check "pages of nodes have a cursor" call 200 GET "/nodes/?after=&limit=2" -H "$(AS)"
check "to go on with" is '(.items | length | tostring) + " " + .next' "2 2"
check "nodes are found by tag" call 200 GET "/nodes/?tag=nothing" -H "$(AS)"
check "or not" is length 0
check "timers are listed" call 200 GET /timers -H "$(AS)"
check "a node that there is not" call 404 GET /nodes/99 -H "$(AS)"

# ---- block
check "block keeps a node out" call 200 POST /nodes/block/1 -H "$(AS)" -d '{"reason":"stolen"}'
check "its key is refused" call 403 POST /stats -H "X-API-KEY: $KEY" -d "$SAMPLE"
check "with the reason" is '.detail | contains("stolen")' true
check "its status says so" call 200 GET "/nodes/status/$REQUEST"
check "in a word" is '.status + " " + .reason' "blocked stolen"
check "the blocked nodes are listed" call 200 GET "/nodes/?state=blocked" -H "$(AS)"
check "with what tells which machine it is" is '.[0].system_info + " " + (.[0].key_fingerprint | .[0:7])' "test SHA256:"
check "it cannot ask anew" call 403 POST /nodes/join-request -d '{"hostname":"web-01"}'
check "unblock lets it in" call 200 POST /nodes/unblock/1 -H "$(AS)"
check "with its old key" call 200 POST /stats -H "X-API-KEY: $KEY" -d "$SAMPLE"

# ---- what a stranger may send
head -c 300000 /dev/zero | tr '\0' ' ' >"$T/big"
check "a body over 256 KiB is refused" call 413 POST /stats -H "X-API-KEY: $KEY" --data-binary "@$T/big"
check "also without its length" call 413 POST /stats -H "X-API-KEY: $KEY" -H 'Transfer-Encoding: chunked' --data-binary "@$T/big"
check "what is not JSON is refused" call 400 POST /stats -H "X-API-KEY: $KEY" -d '{"cpu_usage":1,'
check "with line and column" is '.detail | contains("line 1, column ")' true
check "no body at all" call 400 POST /stats -H "X-API-KEY: $KEY"
check "a NUL byte" call 400 POST /stats -H "X-API-KEY: $KEY" --data-binary $'{"cpu_usage":1}\x01'
check "deep nesting" call 400 POST /stats -H "X-API-KEY: $KEY" -d "$(printf '[%.0s' {1..2000})"
check "a path that there is not" call 404 GET /nothing
check "a wrong method" call 405 DELETE /runs/x
check "with what would do" has_header "allow: PUT, GET"
raw() { exec 3<>"/dev/tcp/127.0.0.1/$PORT" && printf '%b' "$1" >&3 && head -c 200 <&3 >"$T/raw"; exec 3>&- 3<&-; }
check "half a request and a closed connection harm nobody" bash -c "exec 3<>/dev/tcp/127.0.0.1/$PORT; printf 'POST /api/v1/stats HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{' >&3; exec 3>&-"
check "the master is still there" master_up
check "a truncated pairing is refused" call 422 POST /nodes/join-request -d '{"hostname":"x","public_key":"AAAA","commitment":"AAAA"}'
check "a hostname with control characters too" call 422 POST /nodes/join-request -d '{"hostname":"x\u001b[2J"}'
check "those of one character beyond ASCII, and what hides, too" call 422 POST /nodes/join-request -d '{"hostname":"x\u009b31m\u202ey"}'
check "the answer names the field" is .detail "hostname: holds control or invisible characters"
join twin
join twin
call 200 GET "/nodes/?state=pending&q=twin" -H "$(AS)"
read -r FIRST SECOND < <(jq -r '[.[].id] | join(" ")' "$BODY")
check "two machines of one name may wait" is '[.[].name_in_use] | join(" ")' "false false"
check "one is let in" call 200 POST "/nodes/approve/$FIRST" -H "$(AS)"
call 200 GET "/nodes/$SECOND" -H "$(AS)"
check "the other is marked from then on" is .name_in_use true
flood() { local i; for i in $(seq 60); do call 202 POST /nodes/join-request -d "{\"hostname\":\"flood-$i\"}" >/dev/null || break; done; [ "$STATUS" = 429 ] && has_header 'retry-after: [0-9]*'; }
check "a flood of join-requests is slowed down" flood
guess() { local i; for i in $(seq 15); do call 401 POST /auth/login -d 'username=admin&password=x' >/dev/null || break; done; [ "$STATUS" = 429 ]; }
check "which says when to try again" is '.hint | test("^try again in [0-9]+ s$")' true
check "and so is guessing passwords" guess
jq --arg l "127.0.0.1:$PORT" '.listen = $l' "$T/made/master.json" >"$T/taken.json" && cat "$T/taken.json" >"$T/made/master.json"
check "a second master on its port ends" run -e 1 timeout 20 felloe-masterd run --state "$T/made"
check "and tells how to find whose it is" says "ss -ltnp 'sport = :$PORT'"
check "and the other way out" says "set another \"listen\" in master.json): Address already in use"

# ---- people
check "a viewer is added while the master runs" run felloe-masterd user add val --state "$T/state" --role viewer
check "whose password is shown once" says "password of val: "
check "twice is a conflict" run -e 1 felloe-masterd user add val --state "$T/state"
check "a role that there is not" run -e 2 felloe-masterd user add eve --state "$T/state" --role root
check "users are listed" run felloe-masterd user list --state "$T/state" --json
check "by name" says '"username":"val"'
unseen() { felloe-masterd user list --state "$T/state" >/dev/full; }
check "what cannot be printed is a failure" run -e 1 unseen
check "that is told" says "felloe-masterd: what was to be printed is not written"
check "a new password" run felloe-masterd user passwd admin --state "$T/state"
ended() { ! call 200 GET /auth/me -H "$(AS)" >/dev/null; }
check "ends the sessions within a second or two" until_ok 5 ended
felloe-masterd user passwd admin --state "$T/state" --password-file "$T/pw" >/dev/null

# ---- its own database
if [ "$STORE" = postgresql ]; then
	check "backup sends to the means of PostgreSQL" run -e 2 felloe-masterd backup "$T/copy.db" --state "$T/state"
	check "by name" says "pg_dump --format=custom --file=$T/copy.db"
	check "and writes nothing" test ! -e "$T/copy.db"
else
	check "the database is copied while it is in use" run felloe-masterd backup "$T/copy.db" --state "$T/state"
	jq --arg db "sqlite:$T/copy.db" '.database = $db' "$T/state/master.json" >"$T/copy.json" && chmod 600 "$T/copy.json"
	check "whole and readable" run felloe-masterd check -c "$T/copy.json"
	check "never over a file" run -e 1 felloe-masterd backup "$T/copy.db" --state "$T/state"
fi

# ---- restart, kill
stop_pid master
step "after SIGTERM it starts again" master_start
step "and knows its people" login admin 'correct horse battery'
call 200 GET /nodes/1 -H "$(AS)"
check "its nodes and their state" is '.name + " " + .state + " " + .last_run.state' "web-01 active ok"
check "its series" samples 8
check "and the key" call 200 POST /stats -H "X-API-KEY: $KEY" -d "$SAMPLE"

# what was acknowledged before a kill -9 is there after it
PAST=$(date -u -d '2 hours ago' +%Y-%m-%dT%H:%M)
pour() { # one sample after the other; each acknowledged one is a line of $T/acked
	local i=0 at
	while :; do
		i=$((i + 1))
		at=$(printf '%s:00.%03dZ' "$PAST" "$i")
		curl -sf -m 5 "$API/stats" -H "X-API-KEY: $KEY" -d "{\"ts\":\"$at\",\"cpu_usage\":7,\"disk_usage\":1,\"active_backups\":0}" >/dev/null || return 0
		echo "$at" >>"$T/acked"
	done
}
pour &
POUR=$!
enough() { [ "$(wc -l <"$T/acked" 2>/dev/null || echo 0)" -ge 40 ]; }
until_ok 30 enough
stop_pid master KILL
wait "$POUR"
step "after kill -9 it starts again" master_start
login admin 'correct horse battery'
ACKED=$(wc -l <"$T/acked")
kept() {
	call 200 GET "/nodes/1/stats?from=${PAST}:00Z&to=${PAST}:59Z&step=1" -H "$(AS)" || return 1
	local n
	n=$(jq '[.items[].samples] | add' "$BODY")
	echo "acknowledged $ACKED, kept $n"
	[ "$n" -ge "$ACKED" ] && [ "$n" -le $((ACKED + 1)) ]
}
check "and has every acknowledged sample" kept
check "SIGHUP takes new limits" bash -c "kill -HUP $(cat "$T/master.pid")"
until_ok 5 grep -q SIGHUP "$T/master.log"
stop_pid master
check "it ends without an error in its log" bash -c "! grep -E 'error:|Sanitizer' '$T/master.log'"
