#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A timer of config.json fires a real backup under a real systemd (PID 1 of its own namespaces).
. "$(dirname "$0")/../lib.sh"
[ "$(id -u)" = 0 ] || { skip "a timer fires a backup under systemd" "must be root"; exit 0; }
command -v jq >/dev/null || { skip "a timer fires a backup under systemd" "jq is missing: apt-get install jq"; exit 0; }
make -C "$BUILD" install DESTDIR="$T/root" >"$T/install.log" 2>&1
check "make install" test -d "$T/root" || { note "$T/install.log"; exit 1; }
NODED=$(find "$T/root" -name felloe-noded -type f)
UNITS=$(dirname "$(find "$T/root" -name felloe-noded.service)")
TMPFILES=$(find "$T/root" -path '*tmpfiles.d/felloe.conf')

export SYSTEMD_BIND=$T
rig() { local cmd=$1; shift; "$RIGS/systemd.sh" "$cmd" "$T/rig" "$@"; }
if ! rig start >"$T/rig.log" 2>&1; then
	note "$T/rig.log"
	skip "a timer fires a backup under systemd" "no systemd in namespaces here: $(tail -n 1 "$T/rig.log")"
	exit 0
fi
at_exit "rig stop"
in_rig() { rig exec "$@"; }

# what make install put under DESTDIR goes where the machine's systemd looks; the programs stay in the shared folder
BIN=${NODED#"$T/root"}
in_rig mkdir -p "${BIN%/*}" /etc/felloe /lib/systemd/system
in_rig cp "$NODED" "$BIN"
in_rig sh -c "cp $UNITS/felloe-* /lib/systemd/system/ && systemd-tmpfiles --create $TMPFILES && systemctl daemon-reload"
SYSCONF=$(sed -n 's|^ConditionPathExists=\(.*\)/config.json|\1|p' "$UNITS/felloe-noded.service")

mkdir -p "$T/site/sub"
STORE=/srv/felloe-test-backup # nothing but ReadWritePaths= of the drop-in makes it writable
in_rig mkdir -p "$STORE"
echo "hello" >"$T/site/sub/page.html"
config() { # TIMERS
	cat >"$T/config.json" <<-END
		{"server_id": "rig", "sites": [{"name": "shop", "paths": ["$T/site"]}],
		 "storage": [{"name": "disk", "type": "dir", "path": "$STORE"}], "timers": [$1]${2:-}}
	END
}
config '{"name": "often", "sites": ["*"], "what": ["files"], "on_calendar": "*-*-* *:*:0/5"},
	{"name": "rare", "sites": ["*"], "what": ["files"], "on_calendar": "Sun 04:00"}'
noded() { in_rig "$BIN" "$@"; }

check "apply --dry-run judges and changes nothing" run noded apply "$T/config.json" --dry-run
check "there is no configuration yet" run -e 1 in_rig test -e "$SYSCONF/config.json"
check "apply" run noded apply "$T/config.json" --json
cp "$OUT" "$T/steps"
check "each step is a line of JSON with its time" jq -es 'length > 5 and all(.[]; .ok and .ms >= 0)' "$T/steps"
check "the configuration is its owner's alone" test "$(in_rig stat -c %a "$SYSCONF/config.json")" = 600
check "the drop-in takes the template's calendar away" test "$(in_rig grep -c '^OnCalendar=' /etc/systemd/system/felloe-backup@often.timer.d/10-felloe.conf)" = 2

timers() { noded timers --json | jq -e --arg n "$1" ".timers[] | select(.name == \$n) | $2"; }
check "both timers are enabled and active" timers often '.enabled and .active'
check "the rare one too" timers rare '.enabled and .active'
check "the next run is in the future" timers rare '.next | sub("\\..*"; "Z") | fromdate > now'
check "what has not run has no result" timers rare '.last == null and .result == null'
stored() { in_rig sh -c "ls $STORE/*/*/*/*/*.tar.zst"; }
check "the timer fires a backup" until_ok 60 stored || note "$(in_rig journalctl -u 'felloe-backup@often.service' --no-pager | tail -n 20)"
archive=$(in_rig find "$STORE" -name 'shop-backup-*.tar.zst' -size +0 | head -n 1)
check "its archive is on the storage" test -n "$archive"
check "with the site's files in it" in_rig sh -c "tar --zstd -tf '$archive' | grep -q 'site/sub/page.html'"
check "people see it as a table" run noded timers
# a timer of every five seconds can always be at work when somebody looks, and then has no result
in_rig systemctl stop felloe-backup@often.timer
shown() { noded timers >"$T/table" && grep -q success "$T/table"; }
check "with the result" until_ok 60 shown

fired() { timers often '.result == "success" and .exit_status == 0 and .took_ms >= 0 and .last != null'; }
check "with all that there is to say" until_ok 60 fired

# a storage that is gone: the unit fails, the timer says so
in_rig mv "$STORE" "$STORE.away"
check "the same unit fails without its storage" run -e 1 in_rig systemctl start felloe-backup@often.service
failed() { timers often '.result == "exit-code" and .exit_status == 1'; }
check "a run that fails is shown with its exit code" until_ok 60 failed || note "$(noded timers --json)"
in_rig mv "$STORE.away" "$STORE"
in_rig systemctl start felloe-backup@often.timer

# one timer less, one calendar changed
config '{"name": "rare", "sites": ["*"], "what": ["files"], "on_calendar": "Sat 05:00"}'
check "apply of a changed configuration" run noded apply "$T/config.json" --json
check "a timer that is gone is stopped" run -e 3 in_rig systemctl is-active felloe-backup@often.timer
check "and disabled" run -e 1 in_rig systemctl is-enabled felloe-backup@often.timer
check "a changed calendar counts at once" timers rare '.on_calendar | startswith("Sat")'
check "the old configuration is kept" in_rig sh -c "ls $SYSCONF/config.json.2*"
check "apply again finds everything as it is" run noded apply "$T/config.json"
check "and says so" says "the same already"

# what is wrong changes nothing
echo '{"sites": [], "storge": [], "timers": [{"name": "a b"}]}' >"$T/config.json"
check "a wrong configuration is refused" run -e 2 noded apply "$T/config.json"
check "each problem with its path" says "timers[0].name"
check "and the nearest known key" says "storage"
config '{"name": "rare", "sites": ["*"], "what": ["files"], "on_calendar": "when it rains"}'
check "so is a calendar that systemd cannot read" run -e 1 noded apply "$T/config.json"
check "by name" says "when it rains"
check "the timer of before goes on" timers rare '.active and (.on_calendar | startswith("Sat"))'

rig reboot >>"$T/rig.log" 2>&1
check "after a reboot the timer is there" until_ok 30 timers rare '.enabled and .active'

# ---- both daemons by their units, in their sandboxes
MASTERD=$(find "$T/root" -name felloe-masterd -type f)
SYSUSERS=$(find "$T/root" -path '*sysusers.d/felloe.conf')
PORT=$(free_port)
URL=http://127.0.0.1:$PORT
printf 'a long test password' >"$T/password"
chmod 600 "$T/password"
in_rig cp "$MASTERD" "${BIN%/*}/felloe-masterd"
check "the master's user is made" in_rig systemd-sysusers "$SYSUSERS"
check "init for the unit" run in_rig "${BIN%/*}/felloe-masterd" init --listen "127.0.0.1:$PORT" --password-file "$T/password"
check "the master starts by its unit" run in_rig systemctl start felloe-masterd || note "$(in_rig journalctl -u felloe-masterd --no-pager | tail -n 20)"
check "as its own user" test "$(in_rig ps -o user= -C felloe-masterd | head -n 1 | tr -d ' ')" = felloe
signed_in() {
	curl -fsS "$URL/api/v1/auth/login" -d username=admin --data-urlencode "password@$T/password" |
		jq -er '"Authorization: Bearer " + .access_token' >"$T/token"
}
check "it answers" until_ok 20 signed_in
config '{"name": "often", "sites": ["*"], "what": ["files"], "on_calendar": "*-*-* *:*:0/5"}' \
	", \"heartbeat_s\": 1, \"master\": {\"url\": \"$URL\"}"
check "apply starts the agent's unit" run noded apply "$T/config.json" || note "$(in_rig journalctl -u felloe-noded --no-pager | tail -n 20)"
check "the agent is ready" run in_rig systemctl is-active felloe-noded
check "join shows the code" run noded join
first() { curl -fsS -H "@$T/token" "$URL/api/v1/nodes/1" | jq -e "$1"; }
check "an administrator approves" curl -fsS -X POST -H "@$T/token" -d '{}' "$URL/api/v1/nodes/approve/1"
check "the agent of the unit takes the key and reports" until_ok 40 first '.liveness == "online"'
check "with its timers" until_ok 20 first '.timers[] | select(.name == "often") | .enabled and .next != null'
check "and the runs that they fire" until_ok 60 first '.last_run.state == "ok"'

# a run that hangs in a hook, killed: the agent finds that nobody ends it
sed -i 's|"paths"|"hooks": {"before": ["sleep 300"]}, "paths"|' "$T/config.json"
check "apply with a hook warns that the sandbox is gone" run -e 3 noded apply "$T/config.json"
check "the master sees the run in progress" until_ok 60 first '.runs | length == 1'
in_rig systemctl stop felloe-backup@often.timer
in_rig systemctl kill -s KILL felloe-backup@often.service
aborted() { curl -fsS -H "@$T/token" "$URL/api/v1/runs?state=aborted" | jq -e '.items | length == 1'; }
check "killed, it is set to aborted by the agent" until_ok 90 aborted
check "without a word of trouble" run -e 1 in_rig sh -c 'journalctl -u felloe-noded -u felloe-masterd -p err --no-pager -q | grep .'
check "the agent ends cleanly" run in_rig systemctl stop felloe-noded
check "with the result success" test "$(in_rig systemctl show -p Result --value felloe-noded)" = success
