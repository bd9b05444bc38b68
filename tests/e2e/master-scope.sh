#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# People who are limited to tags see and decide over their part of the fleet, and nothing shows them the rest.
# timeout: 120
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../master-lib.sh"

PW='correct horse battery'
master_init || note "$T/init.out"
for who in 'vera viewer' 'norbert node_admin'; do
	felloe-masterd user add "${who% *}" --state "$T/state" --role "${who#* }" --tags eu,shop --password-file "$T/pw" >/dev/null
done
step "the master starts" master_start
step "a limited viewer signs in" login vera "$PW"
VERA=$TOKEN
step "a limited administrator" login norbert "$PW"
NORBERT=$TOKEN
step "and one without a limit" login admin "$PW"

run_of() { # KEY UUID: a report of a finished run
	call 200 PUT "/runs/$2" -H "X-API-KEY: $1" -d "{\"uuid\":\"$2\",\"rev\":1,\"site\":\"shop\",\"state\":\"ok\",\"started\":\"$(date -u +%FT%TZ)\",\"finished\":\"$(date -u +%FT%TZ)\"}"
}
EU_RUN=3b241101-e2bb-4255-8caf-4136c566a961 US_RUN=3b241101-e2bb-4255-8caf-4136c566a962
SAMPLE='{"cpu_usage":10,"disk_usage":20,"active_backups":0,"timers":[{"name":"nightly","on_calendar":"daily","enabled":true}]}'
step "a machine in Europe" admit eu-1
EU=$NODE
check "is tagged" call 200 PATCH "/nodes/$EU" -H "$(AS)" -d '{"tags":["eu","web"]}'
check "reports" call 200 POST /stats -H "X-API-KEY: $KEY" -d "$SAMPLE"
check "and a run" run_of "$KEY" "$EU_RUN"
EU_KEY=$KEY
step "one in America" admit us-1
US=$NODE
check "is tagged too" call 200 PATCH "/nodes/$US" -H "$(AS)" -d '{"tags":["us"]}'
check "reports too" call 200 POST /stats -H "X-API-KEY: $KEY" -d "$SAMPLE"
check "and a run too" run_of "$KEY" "$US_RUN"
US_KEY=$KEY
step "one without tags" admit bare-1
BARE=$NODE

etag() { call 200 GET /nodes/ -H "$(AS "$1")" && tr -d '\r' <"$HEAD" | sed -n 's/^[Ee][Tt][Aa][Gg]: //p'; }
SEEN=$(etag "$TOKEN")
check "what one person knows of the list" call 304 GET /nodes/ -H "$(AS)" -H "If-None-Match: $SEEN"
check "says nothing of what another sees" call 200 GET /nodes/ -H "$(AS "$VERA")" -H "If-None-Match: $SEEN"

for token in "$VERA" "$NORBERT"; do
	check "the list holds one's own machines" call 200 GET "/nodes/?state=active" -H "$(AS "$token")"
	check "alone" is '[.[].name] | join(",")' eu-1
	check "one of them is shown" call 200 GET "/nodes/$EU" -H "$(AS "$token")"
	check "with its series" call 200 GET "/nodes/$EU/stats" -H "$(AS "$token")"
	for id in $US $BARE 4711; do
		check "node $id is not there" call 404 GET "/nodes/$id" -H "$(AS "$token")"
		check "as if it had never been" is .detail "there is no node $id"
		check "nor are its numbers" call 404 GET "/nodes/$id/stats" -H "$(AS "$token")"
	done
	check "runs are of one's own machines" call 200 GET /runs -H "$(AS "$token")"
	check "alone" is '[.items[].uuid] | join(",")' "$EU_RUN"
	check "not of others by number" call 200 GET "/runs?node=$US" -H "$(AS "$token")"
	check "none" is '.items | length' 0
	check "one run is shown" call 200 GET "/runs/$EU_RUN" -H "$(AS "$token")"
	check "the other is not there" call 404 GET "/runs/$US_RUN" -H "$(AS "$token")"
	check "timers are of one's own machines" call 200 GET /timers -H "$(AS "$token")"
	check "alone" is '[.items[].node] | join(",")' eu-1
	check "numbers for Prometheus too" bash -c "curl -s -H '$(AS "$token")' -H 'X-Forwarded-For: 192.0.2.1' '$ROOT/metrics' | grep -v '^#' | grep -q eu-1"
	check "not of others" bash -c "! curl -s -H '$(AS "$token")' -H 'X-Forwarded-For: 192.0.2.1' '$ROOT/metrics' | grep -qE 'us-1|bare-1'"
	check "me tells the limit" call 200 GET /auth/me -H "$(AS "$token")"
	check "which is" is '.tags | join(",")' eu,shop
done
pages() { # a page of one run each for somebody without a limit
	call 200 GET "/runs?limit=1" -H "$(AS)" && call 200 GET "/runs?limit=1&after=$(jq -r .next "$BODY")" -H "$(AS)" && is .next null
}
check "without a limit both runs are there" pages

# ---- what is wrong, what is asked of machines, storages
failed_run() { # KEY UUID
	call 200 PUT "/runs/$2" -H "X-API-KEY: $1" -d "{\"uuid\":\"$2\",\"rev\":1,\"site\":\"shop\",\"state\":\"failed\",\"started\":\"$(date -u +%FT%TZ)\",\"finished\":\"$(date -u +%FT%TZ)\",\"error\":{\"kind\":\"io\",\"message\":\"no\"}}"
}
check "a backup fails in Europe" failed_run "$EU_KEY" 3b241101-e2bb-4255-8caf-4136c566a963
check "and one in America" failed_run "$US_KEY" 3b241101-e2bb-4255-8caf-4136c566a964
both_alerts() { call 200 GET "/alerts?kind=failed_run" -H "$(AS)" && is '[.items[].node] | sort | join(",")' eu-1,us-1; }
check "who has no limit is told of both" until_ok 20 both_alerts
US_ALERT=$(jq '.items[] | select(.node == "us-1") | .id' "$BODY")
check "who is limited of one" call 200 GET "/alerts?kind=failed_run" -H "$(AS "$NORBERT")"
check "alone" is '[.items[].node] | join(",")' eu-1
check "the other one is not there" call 404 GET "/alerts/$US_ALERT" -H "$(AS "$NORBERT")"
check "nor to be taken on" call 404 POST "/alerts/$US_ALERT/ack" -H "$(AS "$NORBERT")"
check "nor to be put off" call 404 POST "/alerts/$US_ALERT/snooze" -H "$(AS "$NORBERT")" -d '{"for_s":600}'
check "one's own machine is asked for a backup" call 201 POST "/nodes/$EU/requests" -H "$(AS "$NORBERT")" -d '{"verb":"backup","site":"shop"}'
check "others are not" call 404 POST "/nodes/$US/requests" -H "$(AS "$NORBERT")" -d '{"verb":"backup","site":"shop"}'
check "nor does one see what they were asked" call 404 GET "/nodes/$US/requests" -H "$(AS "$NORBERT")"

# ---- deciding
for what in "POST /nodes/block/$US" "POST /nodes/unblock/$US" "PATCH /nodes/$US" "DELETE /nodes/$US" "POST /nodes/$US/rotate-key"; do
	check "$what is not for who does not see it" call 404 "${what% *}" "${what#* }" -H "$(AS "$NORBERT")" -d '{}'
done
check "one's own is blocked" call 200 POST "/nodes/block/$EU" -H "$(AS "$NORBERT")"
check "and let in" call 200 POST "/nodes/unblock/$EU" -H "$(AS "$NORBERT")"
check "it may be moved within the own tags" call 200 PATCH "/nodes/$EU" -H "$(AS "$NORBERT")" -d '{"tags":["shop","web"]}'
check "a foreign tag is not added" call 403 PATCH "/nodes/$EU" -H "$(AS "$NORBERT")" -d '{"tags":["shop","web","us"]}'
check "nor taken" call 403 PATCH "/nodes/$EU" -H "$(AS "$NORBERT")" -d '{"tags":["shop"]}'
check "nor are all the own ones" call 403 PATCH "/nodes/$EU" -H "$(AS "$NORBERT")" -d '{"tags":["web"]}'
check "its name is one's own affair" call 200 PATCH "/nodes/$EU" -H "$(AS "$NORBERT")" -d '{"name":"eu-one"}'

# ---- who waits
step "a new machine asks" join new-1
check "administrators see it, limited or not" call 200 GET "/nodes/?state=pending" -H "$(AS "$NORBERT")"
check "it" is '[.[].hostname] | join(",")' new-1
NEW=$(jq '.[0].id' "$BODY")
check "limited viewers do not" call 200 GET "/nodes/?state=pending" -H "$(AS "$VERA")"
check "at all" is length 0
check "nor by number" call 404 GET "/nodes/$NEW" -H "$(AS "$VERA")"
approve() { call "$1" POST "/nodes/approve/$NEW" -H "$(AS "$NORBERT")" -d "$2"; }
check "without tags it is not a limited one's to approve" approve 403 '{}'
check "and the answer says what to do" is '.detail | test("limited to the tags")' true
check "nor with those of others" approve 403 '{"tags":["us"]}'
check "nor with both" approve 403 '{"tags":["eu","us"]}'
check "nor in the place of a machine that is not seen" approve 404 "{\"adopt\":$US,\"tags\":[\"eu\"]}"
check "nor to block" call 403 POST "/nodes/block/$NEW" -H "$(AS "$NORBERT")"
check "nor to delete" call 403 DELETE "/nodes/$NEW" -H "$(AS "$NORBERT")"
check "nothing of that happened" call 200 GET "/nodes/$NEW" -H "$(AS)"
check "it waits" is .state pending
check "with the own tags it is" approve 200 '{"tags":["eu"]}'
check "and is seen" call 200 GET "/nodes/$NEW" -H "$(AS "$VERA")"
step "another asks" join new-2
check "with a number" call 200 GET "/nodes/?state=pending" -H "$(AS "$NORBERT")"
NEW=$(jq '.[0].id' "$BODY")
check "it may take the place of a machine that is seen" approve 200 "{\"adopt\":$EU}"
check "which keeps its number and tags" is '"\(.id) \(.name) \(.tags | join(","))"' "$EU eu-one shop,web"
step "one more asks" join new-3
check "who has no limit approves it without tags" call 200 GET "/nodes/?state=pending" -H "$(AS)"
NEW=$(jq '.[0].id' "$BODY")
check "so" call 200 POST "/nodes/approve/$NEW" -H "$(AS)"
check "and it is gone for limited administrators" call 404 GET "/nodes/$NEW" -H "$(AS "$NORBERT")"

# ---- a limit counts at once
check "the limit is lifted" call 200 GET /users -H "$(AS)"
VID=$(jq '.items[] | select(.username == "vera") | .id' "$BODY")
check "at once" call 200 PATCH "/users/$VID" -H "$(AS)" -d '{"tags":[]}'
check "the other machine is there" call 200 GET "/nodes/$US" -H "$(AS "$VERA")"
check "another limit" call 200 PATCH "/users/$VID" -H "$(AS)" -d '{"tags":["us"]}'
check "and the first is not" call 404 GET "/nodes/$EU" -H "$(AS "$VERA")"
stop_pid master
