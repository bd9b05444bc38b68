#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A backup that is watched: the console, the verbs and the terminal of whoever runs it.
# timeout: 240
# stores: sqlite
# slow: yes
. "$(dirname "$0")/../lib.sh"
command -v tmux >/dev/null || { skip "a backup that is watched" "tmux is missing: apt-get install tmux"; exit 0; }
. "$(dirname "$0")/../master-lib.sh"
export XDG_CONFIG_HOME=$T/xdg
SOCKET=felloe-test-$$
tmux() { command tmux -L "$SOCKET" -f /dev/null "$@"; }
at_exit 'tmux kill-server'
tmux new-session -d -s keeper cat

screen() { tmux capture-pane -p -t "${PANE:-console}"; }
has() { screen | grep -qE -- "$1"; }
shows() { until_ok "${2:-20}" has "$1" || { screen; return 1; }; }
keys() { tmux send-keys -t console "$@"; }
found() { screen | grep -oE -- "$1" | head -n 1; }
changes() { # PATTERN: what it finds becomes another thing, and is still there
	local was
	was=$(found "$1")
	other() { local now; now=$(found "$1"); [ -n "$now" ] && [ "$now" != "$was" ]; }
	[ -n "$was" ] && until_ok 20 other "$1" || { screen; return 1; }
}

# ---- a master, a node, a storage at the end of a thin line
check "a master is made" master_init
step "it starts" master_start
step "the administrator signs in" login admin 'correct horse battery'
step "a node is admitted" admit web-01
S3_PORT=$(free_port)
at_exit "'$RIGS/faulty_s3.sh' stop '$T/s3'"
check "an S3 server starts" "$RIGS/faulty_s3.sh" start "$T/s3" "$S3_PORT"
mkdir -p "$T/node/node" "$T/www"
(umask 077 && printf '%s\n' "$KEY" >"$T/node/node/api.key")
for i in 01 02 03 04 05 06 07 08 09 10 11 12; do head -c 8000000 /dev/urandom >"$T/www/picture-$i.jpg"; done
jq -n --arg t "$T" --arg url "$ROOT" --arg s3 "http://127.0.0.1:$S3_PORT" '{server_id: "web-01", heartbeat_s: 1, master: {url: $url},
	sites: [{name: "shop", paths: [$t + "/www"]}], limits: {spool_gb: 0},
	storage: [{name: "far", type: "s3", endpoint: $s3, region: "us-east-1", bucket: "rig", access_key: "AKIARIG",
		secret_key: "rigsecret", max_upload_mbps: 24}]}' >"$T/node.json"
chmod 600 "$T/node.json"
noded() { felloe-noded "$1" -c "$T/node.json" --state "$T/node" "${@:2}"; }
spawn agent felloe-noded agent -c "$T/node.json" --state "$T/node"
export FELLOE_MASTER=$ROOT FELLOE_PASSWORD_FILE=$T/pw
check "the verbs sign in" run felloe login --user admin
tmux new-session -d -s console -x 80 -y 24 "TERM=screen-256color felloe --master $ROOT --user admin 2>$T/console.err; cat"
check "the console shows the node" shows 'web-01 .*● ok' 40
check "which was never backed up" has 'web-01 .*never'

# ---- while it goes
tmux new-session -d -s job -x 100 -y 10 "felloe-noded backup -c $T/node.json --state $T/node; echo EXIT \$?; cat"
check "Nodes shows how far it is" shows 'web-01 +» [0-9]+%' 40
check "and it moves" changes '» [0-9]+%'
keys Enter
check "its page names site and parts" shows 'BACKUP +shop \(files\)'
check "and shows the share" shows '[0-9]+% +files'
check "the bytes move" changes '[0-9.]+ of [0-9.]+ MiB'
check "the rate is there" shows '[0-9.]+ [KM]iB/s'
check "the item too" shows 'picture-[0-9]+'
check "and moves" changes 'picture-[0-9]+'
check "so is the storage" shows 'to far'
check "after a while the rest of the time" shows '[0-9a-z] left' 40
keys 3
check "its run is under Runs already" shows 'shop .*» running'
check "felloe runs has it" run felloe runs --json
check "as running" jq -e '.[0].state == "running" and .[0].finished == null' "$OUT"
UUID=$(jq -r '.[0].uuid' "$OUT")
check "felloe run shows one that goes on" run felloe run "$UUID"
check "as such" says "running"
check "felloe nodes too" run felloe nodes --json
check "with its progress" jq -e '.[0].runs[0] | .bytes_done > 0 and .bytes_total > .bytes_done' "$OUT"
terminal() { PANE=job shows '\[#+\.+\] shop: files .*[0-9]+% of .*ETA'; }
check "the terminal of the backup has a bar" terminal

# ---- the end
done_there() { PANE=job shows 'EXIT 0' 90; }
check "it ends well" done_there
check "Runs shows the end" shows 'shop .*✓ ok' 30
keys 1
check "the page has no bar any more" until_ok 20 bash -c "! tmux -L $SOCKET capture-pane -p -t console | grep -q '% *files'"
check "but the run as the last one" shows '✓'
keys Escape
check "Nodes is back to ok" shows 'web-01 .*● ok'
check "with a backup just now" shows 'web-01 .*✓ +[0-9]+[sm]? ?'
check "felloe run shows the end" run felloe run "$UUID"
check "with the archive" says "far:web-01/"
check "felloe runs in words" run felloe runs
check "has site and state" grep -qE 'web-01 +shop .*ok' "$OUT"
check "felloe runs --state failed has none" run felloe runs --state failed --json
check "as a list" jq -e '. == []' "$OUT"
check "felloe timers" run felloe timers --json
check "is a list" jq -e 'type == "array"' "$OUT"

# ---- a restore is seen by whoever makes it, too
echo 'get delay 1000' >"$T/s3/faults"
tmux new-session -d -s back -x 100 -y 10 "cd $T && felloe-noded restore shop --files / -c $T/node.json --state $T/node; echo EXIT \$?; cat"
back() { PANE=back shows '\[[#.]+\] shop: (plan|restore)'; }
check "its terminal has a bar" back
restored() { PANE=back shows 'EXIT 0' 60; }
check "it ends well" restored
check "the files are the same" diff -r "$T/www" "$(echo "$T"/shop-restored-*/"$T"/www)"
