#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sanitize: yes
# What may happen to an agent: a master that forgot it, a full disk, a second agent, a wrong clock.
# stores: sqlite
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../master-lib.sh"

mkdir -p "$T/www"
noded() { felloe-noded "$1" -c "$T/node.json" --state "$T/node" "${@:2}"; }
agent() { spawn agent felloe-noded agent -c "$T/node.json" --state "$T/node"; }
jq -n --arg t "$T" --arg url "$ROOT" '{server_id: "web-01", heartbeat_s: 1, master: {url: $url},
	sites: [{name: "shop", paths: [$t + "/www"]}], storage: [{name: "disk", type: "dir", path: ($t + "/store")}]}' >"$T/node.json"
chmod 600 "$T/node.json"
# node NUMBER FILTER VALUE
node() { call 200 GET "/nodes/$1" -H "$(AS)" && is "$2" "$3"; }
reports() { node "$1" .liveness online; }
moves() { # NUMBER: new samples come in
	call 200 GET "/nodes/$1" -H "$(AS)" || return 1
	local was
	was=$(jq -r .last_seen "$BODY")
	newer() { call 200 GET "/nodes/$1" -H "$(AS)" && [ "$(jq -r .last_seen "$BODY")" != "$was" ]; }
	until_ok 20 newer "$1"
}
hears() { grep -qF -- "$1" "$T/agent.log" || { tail "$T/agent.log"; return 1; }; }

master_init
master_start
stop_pid master
cp -a "$T/state" "$T/older"
step "the master starts" master_start
step "the administrator signs in" login admin 'correct horse battery'
step "a node is admitted" admit web-01
FIRST=$NODE
mkdir -p "$T/node/node" && (umask 077 && printf '%s\n' "$KEY" >"$T/node/node/api.key")
agent
check "its agent reports" until_ok 20 reports "$FIRST"

# ---- a second agent
check "a second agent of the same folder is refused" run -e 4 noded agent
check "with the folder" says "another agent works in $T/node/node"
check "and the first goes on" moves "$FIRST"

# ---- the master comes back from an older copy of its database
stop_pid master
rm -rf "$T/state" && mv "$T/older" "$T/state"
master_start
login admin 'correct horse battery'
check "a master that forgot the node refuses its key" until_ok 40 hears "does not take the key of this node"
check "the agent says what may have happened" hears "an older copy of it restored"
check "and what to do" hears "Run: felloe-noded join"
check "once" test "$(grep -c 'does not take the key' "$T/agent.log")" = 1
check "the node asks again" run noded join
check "with a code" says "Pairing code"
call 200 GET "/nodes/?state=pending" -H "$(AS)"
NODE=$(jq -r '.[0].id' "$BODY")
check "it is approved" call 200 POST "/nodes/approve/$NODE" -H "$(AS)"
check "the same agent takes the new key and reports" until_ok 60 reports "$NODE"
sent() { [ "$(sqlite3 "file:$T/node/node/outbox.db?mode=ro" 'SELECT count(*) FROM sample')" -le 1 ]; }
check "and sends what it had kept" until_ok 60 sent
stop_pid agent

# ---- clocks
sample() { # MINUTES off, as one or as a list
	printf "$2" "{\"ts\":\"$(date -u -d "$1 minutes" +%FT%TZ)\",\"cpu_usage\":1,\"disk_usage\":1,\"active_backups\":0}" >"$T/sample"
	call 200 POST /stats -H "X-API-KEY: $KEY" -d @"$T/sample"
}
step "another node is admitted" admit web-02
check "a clock 10 minutes ahead" sample +10 %s
check "is shown" node "$NODE" .clock_skew true
check "as a reason to look" node "$NODE" '.reasons | join(" ") | contains("clock is off")' true
right() { sample +0 %s && node "$NODE" .clock_skew false; }
check "put right, it is not" until_ok 10 right
check "a clock 10 minutes behind" sample -10 %s
check "is shown" node "$NODE" .clock_skew true
check "and its values are those of the moment" node "$NODE" .liveness online
right
check "what is back-filled may be old" sample -10 '[%s]'
check "and is no wrong clock" node "$NODE" .clock_skew false

# ---- a full disk
if [ "$(id -u)" = 0 ] && mkdir "$T/small" && mount -t tmpfs -o size=1m none "$T/small" 2>/dev/null; then
	at_exit "umount '$T/small'"
	cp -a "$T/node/node" "$T/small/node"
	small() { spawn agent felloe-noded agent -c "$T/node.json" --state "$T/small"; }
	fill() { dd if=/dev/zero of="$T/small/ballast" bs=4k 2>/dev/null; ! dd if=/dev/zero of="$T/small/more" bs=4k count=1 2>/dev/null; }
	: >"$T/agent.log"
	small
	call 200 GET "/nodes/" -H "$(AS)"
	NODE=$(jq -r '.[] | select(.name == "web-01" and .state == "active") | .id' "$BODY")
	check "an agent on a small disk" until_ok 20 reports "$NODE"
	check "fills up" fill
	check "it is said" until_ok 30 hears "database or disk is full"
	check "the agent goes on reporting" moves "$NODE"
	stop_pid agent KILL
	rm -f "$T"/small/node/outbox.db*
	fill
	: >"$T/agent.log"
	small
	check "an agent that starts on a full disk says so" until_ok 20 hears "until there is room nothing is kept"
	check "and reports" moves "$NODE"
	rm -f "$T/small/ballast" "$T/small/more"
	kill -TERM "$(cat "$T/agent.pid")"
	wait "$(cat "$T/agent.pid")"
	check "SIGTERM ends it well" test $? = 0
	rm -f "$T/agent.pid"
else
	skip "an agent on a small disk" "needs root and tmpfs"
fi
