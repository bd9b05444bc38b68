#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The master's own database, copied while nodes report: whole, and good to start from.
# stores: sqlite
# timeout: 90
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../master-lib.sh"
for tool in python3 sqlite3; do
	command -v $tool >/dev/null || { skip "a copy under load" "apt-get install $tool"; exit 0; }
done

master_init || note "$T/init.out"
step "the master starts" master_start
login admin 'correct horse battery'
step "a node is admitted" admit web-01
mkdir "$T/load"
spawn fleet python3 "$HERE/fake/fleet" "$PORT" "$KEY" "$T/load" 4
answered() { [ "$(grep -c '^200' "$T/load/answers")" -ge "$1" ]; }
check "nodes report" until_ok 30 answered 300
for i in 1 2 3; do
	cp "$T/load/runs" "$T/before.$i"
	check "copy $i is made meanwhile" run felloe-masterd backup "$T/copy$i.db" --state "$T/state"
done
MEANWHILE=$(grep -c '^200' "$T/load/answers")
further() { answered $((MEANWHILE + 100)); }
check "reports go on" until_ok 30 further
touch "$T/load/stop"
wait "$(cat "$T/fleet.pid")"
rm -f "$T/fleet.pid"
check "none was refused meanwhile" bash -c "! grep -vE '^(200|503)' '$T/load/answers'"
stop_pid master
# every run of the list is in the copy, with the revision that was answered or a newer one
holds() { # COPY LIST
	python3 - "$@" <<'PY'
import sqlite3, sys
have = dict(sqlite3.connect(sys.argv[1]).execute("SELECT uuid, rev FROM run"))
told = [line.strip().split("|") for line in open(sys.argv[2]) if line.endswith("\n")]
lost = [u for u, rev in told if have.get(u, -1) < int(rev)]
print("%d of %d runs are not in %s" % (len(lost), len(told), sys.argv[1]))
sys.exit(0 if told and not lost else 1)
PY
}
for i in 1 2 3; do
	check "copy $i is whole" [ "$(sqlite3 "$T/copy$i.db" 'PRAGMA integrity_check')" = ok ]
	check "with all that was answered before" holds "$T/copy$i.db" "$T/before.$i"
done
check "it is for its owner alone" [ "$(stat -c %a "$T/copy3.db")" = 600 ]

# ---- the disk is lost: the copy takes its place
rm -f "$T"/state/master/master.db*
check "without it no master starts, as if it had never known a node" run -e 2 felloe-masterd --state "$T/state"
check "what to do is told" says "does not exist: is its disk mounted?"
check "nothing was made in its place" test ! -e "$T/state/master/master.db"
cp "$T/copy3.db" "$T/state/master/master.db"
dd if=/dev/urandom of="$T/state/master/master.db" bs=4096 seek=1 count=20 conv=notrunc 2>/dev/null
check "nor on a damaged one" run -e 1 felloe-masterd --state "$T/state"
check "with the way out" says "put a copy that felloe-masterd backup made in its place"
rm -f "$T"/state/master/master.db*
cp "$T/copy3.db" "$T/state/master/master.db"
step "a master starts from the copy" master_start
step "knows its people" login admin 'correct horse battery'
check "its nodes" call 200 GET /nodes/1 -H "$(AS)"
check "by name" is '.name' web-01
check "and their keys" call 200 POST /stats -H "X-API-KEY: $KEY" -d '{"cpu_usage":1,"disk_usage":1,"active_backups":0}'
check "what was done is still proven" run felloe-masterd audit verify --state "$T/state"
stop_pid master
check "no error is in the log" bash -c "! grep -E 'error:|Sanitizer' '$T/master.log'"
