#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# GET /metrics before Prometheus' own judge, and its numbers against what was done.
# timeout: 90
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../master-lib.sh"

scrape() { curl -sf -m 10 "$ROOT/metrics" >"$T/metrics"; }
# value NAME{LABELS}: of the last scrape
value() { awk -v n="$1" 'substr($0, 1, length(n) + 1) == n " " { print $NF }' "$T/metrics"; }
shows() { [ "$(value "$1")" = "$2" ] || { echo "$1 is $(value "$1"), expected $2"; return 1; }; }
above() { awk -v v="$(value "$1")" -v least="$2" 'BEGIN { exit !(v + 0 > least) }' || { echo "$1 is $(value "$1")"; return 1; }; }

master_init || note "$T/init.out"
step "the master starts" master_start
login admin 'correct horse battery'
check "a new master has numbers" scrape
check "of no machine" shows 'felloe_nodes{state="active"}' 0
admit 'web-01' || echo "# cannot admit a node"
read -r P _ _ C < <("$PAIR" new)
call 202 POST /nodes/join-request -d "{\"hostname\":\"waits\",\"public_key\":\"$P\",\"commitment\":\"$C\"}"
BASE='"cpu_usage":12.5,"disk_usage":40,"active_backups":0'
for _ in 1 2 3; do call 200 POST /stats -H "X-API-KEY: $KEY" -d "{$BASE}"; done
PAST=$(date -u -d '1 hour ago' +%FT%T)
call 200 POST /stats -H "X-API-KEY: $KEY" -d "[{$BASE,\"ts\":\"$PAST.001Z\"},{$BASE,\"ts\":\"$PAST.002Z\"}]"
put_run() { # NUMBER SITE STATE HOURS AGO [MORE JSON]
	call 200 PUT "/runs/3b241101-e2bb-4255-8caf-41360000000$1" -H "X-API-KEY: $KEY" \
		-d "{\"uuid\":\"3b241101-e2bb-4255-8caf-41360000000$1\",\"rev\":1,\"site\":\"$2\",\"state\":\"$3\",\"started\":\"$(date -u -d "$4 hours ago" +%FT%TZ)\",\"finished\":\"$(date -u -d "$4 hours ago" +%FT%TZ)\"${5:-}}"
}
put_run 1 shop ok 30
put_run 2 blog ok 2
put_run 3 wiki failed 3
put_run 4 old ok 20 ",\"proven\":\"$(date -u -d '40 days ago' +%FT%TZ)\""
FINE=$(($(date +%s) - 172800))
put_run 5 fine ok 20 ",\"proven\":\"$(date -u -d "@$FINE" +%FT%TZ)\""
put_run 6 sick suspect 20 ',"error":{"kind":"damaged","message":"damaged: db/x: gone"}'
put_run 7 odd suspect 20 ',"error":{"kind":"suspect","message":"table t is gone"}'
call 404 GET /nothing/here -H "$(AS)"
call 401 GET /nodes
check "they are scraped" scrape || exit 0
check "in the form that Prometheus takes" bash -c "promtool check metrics <'$T/metrics'"
check "machines are counted by state" shows 'felloe_nodes{state="active"}' 1
check "those that wait too" shows 'felloe_nodes{state="pending"}' 1
check "by health" shows 'felloe_nodes_health{health="failed"}' 1
check "by liveness" shows 'felloe_nodes_liveness{liveness="online"}' 1
check "samples are" shows felloe_samples_total 5
check "runs that ended, once each" shows 'felloe_runs_total{state="ok"}' 4
check "by how" shows 'felloe_runs_total{state="failed"}' 1
check "sites without any backup" shows felloe_sites_without_backup 3
check "sites whose last run is suspect" shows 'felloe_sites_last_run{state="suspect"}' 2
check "those of which it is damaged" shows felloe_sites_damaged 1
check "sites that were never proven" shows felloe_sites_without_proof 5
check "sites with an old proof" shows 'felloe_sites_proof_older{than="30d"}' 1
check "or none that old" shows 'felloe_sites_proof_older{than="90d"}' 0
check "the oldest proof's age" above felloe_proof_age_worst_seconds 3455990
check "how many sites are shown" shows felloe_proof_shown_sites 2
check "the time of a proof" shows 'felloe_proof_timestamp_seconds{node_id="1",node="web-01",site="fine"}' "$FINE"
check "sites with an old one" shows 'felloe_sites_backup_older{than="26h"}' 1
check "the worst age is that of the oldest" above felloe_backup_age_worst_seconds 107990
check "each site has its own" above 'felloe_backup_age_seconds{node_id="1",node="web-01",site="blog"}' 7190
check "requests are counted by route" shows 'felloe_http_requests_total{route="POST /api/v1/stats",status="2xx"}' 4
check "paths that nobody knows share one" shows 'felloe_http_requests_total{route="none",status="4xx"}' 1
check "what is refused counts as such" shows 'felloe_http_requests_total{route="GET /api/v1/nodes",status="4xx"}' 1
check "latency has a histogram" shows 'felloe_http_request_duration_seconds_count{route="POST /api/v1/stats"}' 4
check "that adds up" shows 'felloe_http_request_duration_seconds_bucket{route="POST /api/v1/stats",le="+Inf"}' 4
check "the process tells its memory" above process_resident_memory_bytes 1000000
began() { local at; at=$(value process_start_time_seconds); [ $(($(date +%s) - ${at%.*})) -le 60 ]; }
check "and when it started" began
check "no label is a path" bash -c "! grep -E '/nodes/[0-9]|3b241101' '$T/metrics'"
cp "$T/metrics" "$T/first"
sleep_free() { scrape && [ "$(value 'felloe_http_requests_total{route="GET /metrics",status="2xx"}')" -ge 3 ]; }
check "a second scrape counts on" until_ok 5 sleep_free
check "with the same names" diff <(sed 's/[{ ].*//' "$T/first" | grep -v '^#' | sort -u) <(sed 's/[{ ].*//' "$T/metrics" | grep -v '^#' | sort -u)
falls() {
	awk 'NR == FNR { if ($1 ~ /_total/) was[$1] = $2; next } ($1 in was) && $2 + 0 < was[$1] + 0 { print; bad = 1 } END { exit !bad }' "$T/first" "$T/metrics"
}
check "no counter falls" bash -c "! $(declare -f falls); T='$T'; ! falls"
check "through a proxy it takes a token" run -e 22 curl -sf "$ROOT/metrics" -H 'X-Forwarded-For: 127.0.0.1'
check "a token is enough" curl -sf "$ROOT/metrics" -H 'Forwarded: for=127.0.0.1' -H "$(AS)"
call 201 POST /api-tokens -H "$(AS)" -d "{\"name\":\"prometheus\",\"scopes\":[\"metrics\"],\"expires\":\"$(date -u -d '1 day' +%FT%TZ)\"}"
PROMETHEUS=$(jq -r .token "$BODY")
check "an API token for metrics is" curl -sf "$ROOT/metrics" -H 'X-Forwarded-For: 127.0.0.1' -H "$(AS "$PROMETHEUS")"
check "for nothing else" call 403 GET /nodes -H "$(AS "$PROMETHEUS")"
felloe-masterd user add part --state "$T/state" --role viewer --tags elsewhere --password-file "$T/pw" >/dev/null 2>&1 && {
	login part 'correct horse battery'
	curl -sf "$ROOT/metrics" -H 'X-Forwarded-For: 127.0.0.1' -H "$(AS)" >"$T/metrics"
	check "who sees a part of the fleet counts that part" shows 'felloe_nodes{state="active"}' 0
	check "and names no site of the rest" bash -c "! grep -q shop '$T/metrics'"
}
stop_pid master
check "no error is in the log" bash -c "! grep -E 'error:|Sanitizer' '$T/master.log'"
