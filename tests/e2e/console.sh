#!/bin/bash
# The console in a real terminal (tmux) against a real master with a real node.
# shellcheck disable=SC2016
# stores: sqlite
. "$(dirname "$0")/../lib.sh"

command -v tmux >/dev/null || { skip "the console in a terminal" "tmux is missing: apt-get install tmux"; exit 0; }
export XDG_CONFIG_HOME=$T/xdg
SOCKET=felloe-test-$$
tmux() { command tmux -L "$SOCKET" -f /dev/null "$@"; }
at_exit 'tmux kill-server'
tmux new-session -d -s keeper cat # a server without a session would end between two of them

# ---- the picture is polled, never waited for by time
screen() { tmux capture-pane -p -t console; }
has() { screen | grep -qF -- "$1"; }
shows() { until_ok "${2:-15}" has "$1" || { screen; return 1; }; }
lacks() { ! has "$1"; }
gone() { until_ok "${2:-15}" lacks "$1" || { screen; return 1; }; }
keys() { tmux send-keys -t console "$@"; }
size_is() { [ "$(screen | wc -l)" -le "$2" ] && screen | awk -v w="$1" 'length > w { exit 1 }'; }
run_console() {
	tmux kill-session -t console 2>/dev/null
	tmux new-session -d -s console -x 80 -y 24 \
		"stty -a >$T/stty.before; TERM=screen-256color felloe $* 2>$T/console.err; stty -a >$T/stty.after; echo DONE; cat"
}

# ---- a master and a node
. "$(dirname "$0")/../database-lib.sh"
PORT=$(free_port)
URL=https://127.0.0.1:$PORT
echo 'correct horse' >"$T/password"
chmod 600 "$T/password"
check "a master is made" run felloe-masterd init -c "$T/master.json" --state "$T/state" --listen "127.0.0.1:$PORT" \
	--self-signed --password-file "$T/password" "${DATABASE[@]}"
PIN=$(grep -ho 'sha256//[A-Za-z0-9+/=]*' "$OUT" "$ERR" | head -n 1)
answers() { curl -sk "$URL/health" | grep -q ok; }
master_up() { spawn master felloe-masterd run -c "$T/master.json" && until_ok 20 answers; }
master_up
echo '{"server_id": "web-01", "sites": [], "storage": []}' >"$T/node.json"
chmod 600 "$T/node.json"

# ---- sign in
run_console --master "$URL" --user admin
check "the console asks who signs in" shows "Sign in to see the fleet."
keys 'wrong' Enter
check "an unknown certificate is shown before it is trusted" shows "$PIN"
keys 'yes' Tab Enter
check "another word than trust does not do" shows 'That is not "trust".'
keys C-u 'trust' Tab Enter
check "a wrong password is told, the user is kept" shows "wrong user or password"
keys 'correct horse' Enter
check "the right password opens the list of nodes" shows "No nodes yet. On a node run: felloe configure"
keys Y
check "an unbound key says where the keys are listed" shows "Y does nothing here, ? lists keys."

# ---- a node asks, its code is compared, it is approved
spawn node felloe-noded join --master "$URL" --pin "$PIN" --name web-01.fra -c "$T/node.json" --state "$T/nodestate" --wait=120
check "the node that asks is counted" shows "2 Approvals·1"
keys 2
code_known() { CODE=$(grep -ho '[A-Z]\{4\}-[0-9]\{4\}' "$T/node.log" | head -n 1) && [ -n "$CODE" ]; }
until_ok 20 code_known
code_known
check "Approvals shows the code of the node's own screen" shows "$CODE"
keys A
check "A asks before it approves" shows "< Approve >    [ Cancel ]"
keys Enter
check "Enter alone means no" shows "Nothing was changed."
keys A
shows "< Approve >" >/dev/null
keys BTab Enter
check "approving is told" shows "✓ web-01.fra is approved."
check "nobody waits any more" shows "Nobody waits."
agent_done() { ! kill -0 "$(cat "$T/node.pid")" 2>/dev/null; }
check "the node got its key" until_ok 30 agent_done
spawn agent felloe-noded agent -c "$T/node.json" --state "$T/nodestate"

# ---- its page
keys 1
check "the node reports" shows "● ok" 40
keys Enter
check "its page shows the CPU" shows "┌ CPU "
check "and the memory" shows "┌ MEMORY"
check "and the disks" shows "GiB │"
first=$(screen | grep -o 'CPU.*load[ 0-9.]*' | head -n 1)
moved() { [ "$(screen | grep -o 'CPU.*load[ 0-9.]*' | head -n 1)" != "$first" ]; }
check "the values move by themselves" until_ok 60 moved
keys 2
check "Timers is a page of it" shows "NEXT RUN"
keys 3
check "Runs is a page of it" shows "No run yet."
keys Escape
check "Esc goes back to the list" shows "LAST BACKUP"
check "the title says that changes are told" shows "● live"

# ---- a run fails: told within moments, looked after
NODE_KEY=$(cat "$T/nodestate/node/api.key")
put_run() { # UUID REV STATE
	curl -sk --fail-with-body -X PUT -H "X-API-KEY: $NODE_KEY" -H 'Content-Type: application/json' "$URL/api/v1/runs/$1" -d "{\"uuid\":\"$1\",\"site\":\"shop\",
		\"trigger\":\"manual\",\"timer\":\"nightly\",\"rev\":$2,\"state\":\"$3\",\"started\":\"$(date -u +%FT%TZ)\",\"finished\":\"$(date -u +%FT%TZ)\",
		\"error\":{\"kind\":\"database\",\"message\":\"it broke\"}}"
}
check "a run fails" put_run 0b8f2c1e-1111-4222-8333-444455556666 1 failed
check "the list shows it by itself" shows "✗ FAILED"
check "an alert is counted" shows "3 Alerts·1"
keys 3
check "Alerts shows it" shows "backup failed: shop"
check "with the cause" shows "it broke"
keys K
check "K asks" shows "< Acknowledge >    [ Cancel ]"
keys BTab Enter
check "acknowledging is told" shows "✓ web-01.fra: backup failed is acknowledged."
check "the row says so" shows "· acked"
check "by whom" shows "admin looks after it"
check "nothing is open any more" gone "3 Alerts·1"
keys U
shows "< Take back >" >/dev/null
keys BTab Enter
check "U takes it back" shows "✗ crit"
keys Z
check "Z asks for how long" shows "For (30m, 4h, 2d)"
keys C-u '2d' Tab Enter
check "snoozing is told" shows "· snoozed"
keys Enter
check "Enter opens its node" shows "Nodes > web-01.fra"
check "with the run that failed" shows "✗ failed"

# ---- the node is asked for something
keys B
check "B asks first" shows "< Back up >    [ Cancel ]"
keys BTab Enter
check "the node is asked, and the console says what becomes of it" shows "backup: web-01.fra"
keys Escape
check "Esc comes back to the alerts" shows "· snoozed"
check "a run goes well" put_run 0b8f2c1e-1111-4222-8333-444455556667 1 ok
check "the alert goes by itself" shows "All quiet."
keys 1
check "and the node is well" shows "● ok"

# ---- sizes
tmux resize-window -t console -x 60 -y 15
check "60x15 has the whole list" shows "NODE                STATE      DISK"
check "and no row is longer than the screen" size_is 60 15
tmux resize-window -t console -x 40 -y 8
check "40x8 has the list" shows "web-01.fra"
tmux resize-window -t console -x 30 -y 6
check "less is said, not cut off" shows "Need 40x8, have 30x6"
tmux resize-window -t console -x 80 -y 24
check "and it comes back by itself" shows "LAST BACKUP"

# ---- the master goes and comes
stop_pid master
check "a lost master is told" shows "○ OFFLINE"
check "why too" shows "connection refused"
check "old values are marked" shows "~● ok"
keys X
check "what would change something is off" shows "needs live data"
master_up
keys r
check "the master is found again" shows "● live"
check "and its values are new" gone "~● ok"

# ---- the verbs for scripts
export FELLOE_MASTER=$URL FELLOE_PASSWORD_FILE=$T/password
check "a certificate nobody vouches for is refused with its key" run -e 1 felloe login --user admin --master "https://localhost:$PORT"
check "and the way out" says "$PIN"
check "login takes the password from a file" run felloe login --user admin --pin "$PIN"
check "the session is nobody else's" test "$(stat -c %a "$XDG_CONFIG_HOME/felloe/session")" = 600
check "whoami" run felloe whoami
says "admin (super_admin)"
check "nodes --json is JSON" run felloe nodes --json
check "with the node in it" jq -e '.[0].name == "web-01.fra" and .[0].state == "active"' "$OUT"
check "node ID shows it" run felloe node 1
check "in words" says "Memory"
check "block needs a reason" run -e 2 felloe block 1
check "block takes one" run felloe block 1 --reason "wrong network"
check "blocked is seen" run felloe node 1
says "wrong network"
check "unblock" run felloe unblock 1
check "runs" run felloe runs --json
check "are those of the node" jq -e 'map(.state) == ["ok", "failed"] or map(.state) == ["failed", "ok"]' "$OUT"
check "of no node that ran nothing" run felloe runs --json --node 77
check "an empty list" jq -e '. == []' "$OUT"
check "timers" run felloe timers
check "a node that does not exist" run -e 1 felloe node 999
check "a code that nobody has" run -e 1 felloe approve OAKS-0000
check "no verb: the nearest is offered" run -e 2 felloe nods
says 'did you mean "nodes"'
SESSION=$XDG_CONFIG_HOME/felloe/session
spoil() { jq '.access_token = "no.such.token"' "$SESSION" >"$T/spoilt" && cat "$T/spoilt" >"$SESSION"; }
spoil
check "an access token that is refused is renewed" run felloe whoami
check "and the new one kept" test "$(jq -r .access_token "$SESSION")" != no.such.token
spoil
five() {
	local pids=() pid bad=0
	for _ in 1 2 3 4 5; do felloe whoami >/dev/null & pids+=($!); done
	for pid in "${pids[@]}"; do wait "$pid" || bad=1; done
	return $bad
}
check "five verbs that renew at once do not end the session" five
check "which still lives" run felloe whoami
chmod 644 "$SESSION"
check "a session that others may read is refused" run -e 2 felloe whoami
check "with the command to run" says "chmod 600"
chmod 600 "$SESSION"
check "logout" run felloe logout
check "the tokens are gone from the file" bash -c "! grep -q access_token '$SESSION'"
check "then nothing goes without signing in" run -e 5 felloe nodes

# ---- the terminal is given back
restored() { cmp -s "$T/stty.before" "$T/stty.after"; }
alive() { pgrep -P "$(tmux list-panes -t console -F '#{pane_pid}')" -x felloe >"$T/pid"; }
for signal in TERM HUP SEGV ABRT; do
	run_console --master "$URL" --user admin
	shows "Sign in" >/dev/null
	until_ok 10 alive
	kill -s $signal "$(cat "$T/pid")"
	check "after SIG$signal the shell goes on" shows "DONE"
	check "with the terminal as it was" restored
	check "and without the pictures of the console" lacks "Password ["
done
run_console --ascii --master "$URL" --user admin
check "--ascii draws with 7 bits" shows "+- Sign in "
keys Escape
check "Esc leaves" shows "DONE"
check "TERM=dumb is refused with a way out" bash -c "TERM=dumb script -qec felloe /dev/null </dev/null | grep -q 'cannot place the cursor'"
check "without a terminal too" run -e 2 felloe
says "felloe --help"
