#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 180
# stores: sqlite
# A suspect run on a node is an alert on the master until a good one follows or
# somebody says that it is right; runs that are deleted lose their archives there, too.
. "$(dirname "$0")/../lib.sh"
command -v tmux >/dev/null || { skip "a suspect run and its alert" "tmux is missing: apt-get install tmux"; exit 0; }
. "$(dirname "$0")/../master-lib.sh"
. "$(dirname "$0")/../node-lib.sh"
export XDG_CONFIG_HOME=$T/xdg FELLOE_MASTER=$ROOT FELLOE_PASSWORD_FILE=$T/pw
SOCKET=felloe-test-$$
tmux() { command tmux -L "$SOCKET" -f /dev/null "$@"; }
at_exit 'tmux kill-server'
screen() { tmux capture-pane -p -t console; }
has() { screen | grep -qE -- "$1"; }
shows() { until_ok "${2:-20}" has "$1" || { screen; return 1; }; }

check "a master is made" master_init
jq '.alerts = {"hold_s": 0}' "$T/state/master.json" >"$T/new.json" && cat "$T/new.json" >"$T/state/master.json"
step "it starts" master_start
step "the administrator signs in" login admin 'correct horse battery'
step "a node is enrolled" enrol web-01 '.timers = [{name: "nightly", on_calendar: "*-*-* 03:10", keep: {last: 1}}]'
agent web-01
files() { mkdir -p "$T/web-01/www/x" && for i in $(seq "$1"); do echo "$i" >"$T/web-01/www/x/$i"; done; }
backup() { noded web-01 backup -q --timer nightly; }
alerts() { call 200 GET "/alerts?kind=suspect_run&$1" -H "$(AS)"; }
open() { alerts "state=open" && is '.items | length' 1; }
closed() { alerts "state=closed" && is '.items | length' "$1"; }
newest() { call 200 GET /runs -H "$(AS)" && is '.items[0].state' "$1"; }

files 90
check "a good run" run backup
check "is good on the master, too" until_ok 20 newest ok
check "without an alert" alerts ""
check "of any state" is '.items | length' 0

# ---- suspect
rm -r "$T/web-01/www/x"
check "most files are gone: the run is suspect" run -e 1 backup
check "the alert opens" until_ok 30 open
check "it is critical" is '.items[0].severity' critical
check "the cause is that of the node" bash -c "jq -r '.items[0].cause' '$BODY' | grep -q 'cannot be relied on at .*there are 2 files, there were 93'"
check "the action is the way out" bash -c "jq -r '.items[0].next_step' '$BODY' | grep -q 'felloe-noded accept shop'"
check "the master has the run as suspect" newest suspect
check "with its kind" is '.items[0].error.kind' suspect
check "its archive is listed" is '.items[0].archives | length' 1
check "felloe signs in" run felloe login --user admin
check "felloe alerts shows it" run felloe alerts
check "as such" says "suspect_run"
tmux new-session -d -s console -x 110 -y 30 "TERM=screen-256color felloe --master $ROOT --user admin 2>$T/console.err; cat"
check "the console shows the node as failing" shows 'web-01 .*✗' 40
tmux send-keys -t console Enter
check "its page gives the reason" shows 'there are 2 files, there were 93'
tmux send-keys -t console 3
check "Runs shows it as suspect" shows 'shop .*▲ suspect'

# ---- right all the same
check "accepted on the node" run noded web-01 accept shop
check "the alert closes" until_ok 30 closed 1
check "the run is good on the master" until_ok 20 newest ok
check "in the console, too" shows 'shop .*✓ ok'
check "it is the one that was suspect" is '.items[0].error' null

# ---- a good one ends it, too
files 90
check "the files come back" run backup
rm -r "$T/web-01/www/x"
check "and go" run -e 1 backup
check "the alert opens again" until_ok 30 open
files 90
check "and come back" run backup
check "which closes it" until_ok 30 closed 2

# ---- what was deleted
count() { call 200 GET /runs -H "$(AS)" && is '[.items[] | select(.archives != [])] | length' "$1"; }
check "the runs that no rule keeps have no archives on the master, either" until_ok 30 count 1
check "but are remembered" is '.items | length' 5
check "with their state" is '[.items[].state] | join(" ")' "ok suspect ok ok ok"
