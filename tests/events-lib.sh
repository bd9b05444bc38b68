# SPDX-License-Identifier: Apache-2.0
# For tests that listen to GET /events; after tests/master-lib.sh.
# shellcheck shell=bash
# listen NAME QUERY [CURL OPTIONS]: a client with $LISTENER (else $TOKEN) in the background; all
# it reads is in $T/NAME.ev
listen() {
	local name=$1 query=$2
	shift 2
	rm -f "$T/$name.ev" "$T/$name.end"
	(
		curl -sN -m 60 -o "$T/$name.ev" -D "$T/$name.head" -H "$(AS "${LISTENER:-$TOKEN}")" "$@" "${EVENTS:-$API}/events$query" &
		echo $! >"$T/$name.curl"
		wait $!
		echo $? >"$T/$name.end"
	) &
	at_exit "hang_up $name"
	until_ok 10 bash -c "grep -qs '^id: ' '$T/$name.ev' || test -e '$T/$name.end'"
	grep -q '^id: ' "$T/$name.ev"
}
hang_up() { kill "$(cat "$T/$1.curl")" 2>/dev/null; until_ok 10 test -s "$T/$1.end"; }
# ended NAME: the master ended it properly, with the last chunk of the body
ended() { [ "$(cat "$T/$1.end" 2>/dev/null)" = 0 ]; }
# data NAME TOPIC: what its frames carried, one a line
data() { sed -n "/^event: $2\$/{n;s/^data: //p}" "$T/$1.ev"; }
# told NAME TOPIC FILTER: did a frame come for which jq says something true?
told() { data "$1" "$2" | jq -e -s "any(.[]; $3)"; }
will_tell() { until_ok 10 told "$@" || { cat "$T/$1.ev"; return 1; }; }
last_id() { sed -n 's/^id: //p' "$T/$1.ev" | tail -n 1; }
sample() { # CPU [MORE]: a sample of the node with $KEY
	call 200 POST /stats -H "X-API-KEY: $KEY" -d "{\"cpu_usage\":$1,\"disk_usage\":40,\"active_backups\":0${2:-}}"
}
run_put() { # UUID REV STATE [MORE]
	call 200 PUT "/runs/$1" -H "X-API-KEY: $KEY" \
		-d "{\"uuid\":\"$1\",\"rev\":$2,\"site\":\"shop\",\"state\":\"$3\",\"started\":\"2026-11-23T03:10:00Z\"${4:-}}"
}
