#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The gatekeeper over HTTP: who is kept out, names, notes, deleting, new keys, join tokens, requests.
# timeout: 180
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../master-lib.sh"

step "a master is made" master_init
step "it starts" master_start
step "the administrator signs in" login admin 'correct horse battery'
# ask FROM HOSTNAME STATUS: a machine without a key asks, coming from that address of loopback
ask() { call "$3" POST /nodes/join-request --interface "$1" -d "{\"hostname\":\"$2\",\"ip_address\":\"10.0.0.9\",\"system_info\":\"test\"}"; }
report() { call "$2" POST /stats -H "X-API-KEY: $1" -d '{"cpu_usage":1,"disk_usage":1,"active_backups":0}'; }

# ---- two machines of one host name
step "a machine called localhost is admitted" admit localhost
FIRST=$NODE
step "and blocked" call 200 POST "/nodes/block/$FIRST" -H "$(AS)" -d '{"reason":"lost"}'
check "another one of that name at another address may ask" ask 127.0.0.7 localhost 202
check "the same address may not" ask 127.0.0.1 localhost 403
check "and is told why" is .detail "this machine is blocked: lost: ask an admin to unblock it"
COMMITMENT=$("$PAIR" new | cut -d' ' -f4)
check "nor may the same key under another name" call 403 POST /nodes/join-request \
	-d "{\"hostname\":\"other\",\"ip_address\":\"10.0.0.9\",\"system_info\":\"test\",\"public_key\":\"$PUB\",\"commitment\":\"$COMMITMENT\"}"
stop_pid master
