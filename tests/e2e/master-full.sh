#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A disk without room for the master's database: what cannot be kept is refused,
# what is known is shown, and with room again all goes on.
# stores: sqlite
. "$(dirname "$0")/../lib.sh"
. "$HERE/master-lib.sh"
DISK=$T/state/master
mkdir -p "$DISK"
mount -t tmpfs -o size=6m,mode=700 none "$DISK" 2>/dev/null || { skip "a full disk" "mounting a small one needs root"; exit 0; }
at_exit "umount '$DISK'"
step "init" master_init
step "start" master_start
login admin 'correct horse battery'
step "a node joins" admit web-01
report() { call "$1" POST /stats -H "X-API-KEY: $KEY" -d '{"cpu_usage":1,"disk_usage":1,"active_backups":0}'; }
step "it reports" report 200

dd if=/dev/zero of="$DISK/fill" bs=64k 2>/dev/null
check "there is no room" test "$(df --output=avail "$DISK" | tail -n 1)" -lt 64
# the log of the database may have room left for some
until_ok 20 call 507 POST /join-tokens -H "$(AS)" -d '{"name":"more"}'
check "a change is refused then" is .title "No space left"
check "with the place" bash -c "grep -qF master/master.db \"$BODY\""
check "reports are refused" report 507
not_ready() { [ "$(curl -s -o "$BODY" -w '%{http_code}' "$ROOT/ready")" = 503 ]; }
check "the master is not ready" until_ok 20 not_ready
check "and says why" grep -q "full" "$BODY"
check "but alive" curl -sf "$ROOT/health"
check "what it knows is shown" call 200 GET /nodes/1 -H "$(AS)"
many() { local i; for i in $(seq 1 40); do report 507 || return 1; done; }
step "many reports are refused" many
check "and the log does not grow with each" [ "$(grep -c 'nothing of' "$T/master.log")" -le 3 ]
check "check warns" run felloe-masterd check --state "$T/state"
check "of the room" says "are free in $DISK"
rm "$DISK/fill"
check "with room again it is ready by itself" until_ok 20 master_up
step "reports are taken" report 200
step "and changes" call 201 POST /join-tokens -H "$(AS)" -d '{"name":"again"}'
check "it says so once" grep -q "takes changes again" "$T/master.log"

# ---- a start without room
dd if=/dev/zero of="$DISK/fill" bs=64k 2>/dev/null
stop_pid master KILL
step "it starts without room" spawn master felloe-masterd --state "$T/state"
alive() { curl -sf -m 2 "$ROOT/health"; }
check "and answers" until_ok 20 alive
check "with what it knows" call 200 GET /nodes/1 -H "$(AS)"

rm "$DISK/fill"
check "it is ready when there is room" until_ok 20 master_up
step "and takes reports" report 200
stop_pid master
check "the database is whole" [ "$(sqlite3 "$DISK/master.db" 'PRAGMA integrity_check')" = ok ]
check "and the trail" run felloe-masterd audit verify --state "$T/state"
