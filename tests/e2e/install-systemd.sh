#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# "Five minutes to a real master and node" of the README, with its own command lines, on a machine with systemd as
# PID 1: installed from DESTDIR, both daemons as units, approval over https with a pin, outages, a reboot, uninstall.
# sanitize: no
# timeout: 400
. "$(dirname "$0")/../lib.sh"

WHAT="the installed units make a real master and node"
[ "$(id -u)" = 0 ] || { skip "$WHAT" "systemd in namespaces needs root"; exit 0; }
for tool in jq curl unshare nsenter mariadbd; do
	command -v $tool >/dev/null || { skip "$WHAT" "$tool is missing (scripts/packages install test)"; exit 0; }
done
README=$HERE/../README.md
PREFIX=$(sed -n 's/^prefix = //p' "$BUILD/Makefile")
# the rig's /tmp is its own: what both sides see lies elsewhere
S=$(mktemp -d /var/tmp/felloe-test.XXXXXX) && chmod 755 "$S"
at_exit "rm -rf '$S'"

# ---- the commands, as the README has them ---------------------------------------------
sed -n '/^## Five minutes/,/^## Getting/p' "$README" | sed -n '/^```sh/,/^```/{/^```/d;p}' | sed 's/ *#.*//' >"$T/commands"
# readme WORDS: the one command line of the README with these words, without sudo; the machine of the test has none
readme() {
	local found
	found=$(grep -F -- "$1" "$T/commands") && [ "$(wc -l <<<"$found")" = 1 ] || { echo "not one line of the README has: $1"; return 1; }
	sed 's/sudo //g' <<<"$found"
}
check "the README builds and installs by make" readme "sudo make -C build/release install" || exit 1

# ---- a machine with a network of its own, a database beside it ------------------------
DB_PORT=$(free_port)
check "a MariaDB runs" "$RIGS/mariadb.sh" start "$S/db" "$DB_PORT" || exit 1
at_exit "'$RIGS/mariadb.sh' stop '$S/db'"
"$RIGS/mariadb.sh" sql "$S/db" <<'SQL'
CREATE DATABASE shop; USE shop; CREATE TABLE wp_posts (id int PRIMARY KEY, title text);
INSERT INTO wp_posts SELECT seq, CONCAT('Post ', seq) FROM seq_1_to_500;
SQL
check "make install into a folder" make -s -C "$BUILD" install DESTDIR="$S/inst" || exit 1
SYSTEMD_NET=private SYSTEMD_BIND="$S" "$RIGS/systemd.sh" start "$T/sd" >"$T/sd.log" 2>&1 ||
	{ skip "$WHAT" "this machine refuses the namespaces: $(tail -n 1 "$T/sd.log")"; exit 0; }
at_exit "'$RIGS/systemd.sh' stop '$T/sd'"
rig() { "$RIGS/systemd.sh" "$1" "$T/sd" "${@:2}"; }
inside() { rig exec "$@"; }
as_told() { local line; line=$(readme "$1") && run inside bash -ec "$line"; }
journal() { inside journalctl --no-pager -q -o cat "$@"; }

inside cp -a "$S/inst/." /
check "users, folders and units by the README's line" as_told systemd-sysusers
check "there is a user felloe without a login" inside bash -c 'getent passwd felloe | grep -q "/nologin$"'
check "the folders are there" test "$(inside stat -c '%n %a %U' /var/lib/felloe /run/felloe/node | tr '\n' ' ')" = "/var/lib/felloe 755 root /run/felloe/node 700 root "
check "systemd has no complaint about the units" inside systemd-analyze verify --man=no felloe-masterd.service felloe-noded.service felloe-backup@nightly.service felloe-backup@nightly.timer felloe-request@x.service
check "nothing is enabled by the installation" run -e 1 inside systemctl is-enabled felloe-masterd felloe-noded
check "a start before init does nothing, and does not fail" inside bash -c 'systemctl start felloe-masterd felloe-noded && ! systemctl is-failed felloe-masterd felloe-noded'
check "the manual pages are where man looks" inside test -s "$PREFIX/share/man/man8/felloe-masterd.8"

# ---- the master -----------------------------------------------------------------------------
check "init by the README's line" as_told "felloe-masterd init" || exit 1
(umask 077 && sed -n 's/^user admin, password \([^ ]*\) .*/\1/p' "$OUT" >"$T/password")
PIN=$(grep -o 'sha256//[A-Za-z0-9+/=]\{44\}' "$OUT")
check "it prints the password and the pin" test -s "$T/password" -a -n "$PIN" || exit 1
check "a second init is refused" run -e 1 inside felloe-masterd init --listen 0.0.0.0:8443 --self-signed
check "and names the file that is there" says "/etc/felloe/master.json"
check "the master starts by the README's line" as_told "enable --now felloe-masterd" || { note "$(journal -u felloe-masterd)"; exit 1; }
owned() { # EXPECTED PATH...: "mode user" of each
	local want=$1 p got
	shift
	for p; do got=$(inside stat -c '%a %U' "$p") && [ "$got" = "$want" ] || { echo "$p: $got"; return 1; }; done
}
M=/var/lib/felloe/master
check "it runs as user felloe" test "$(inside ps -o user= -C felloe-masterd)" = felloe
check "secrets are for felloe alone" owned "600 felloe" /etc/felloe/master.json /etc/felloe/master.key $M/master.db
check "so is the state" owned "700 felloe" $M
check "the folder of configuration stays root's" owned "755 root" /etc/felloe /var/lib/felloe
check "systemd knows that it is ready" test "$(inside systemctl show -p Type,SubState,NRestarts felloe-masterd | sort | tr '\n' ' ')" = "NRestarts=0 SubState=running Type=notify "
check "its exposure is 3.0 at most" inside systemd-analyze security --no-pager --threshold=30 felloe-masterd.service
check "that of the agent too" inside systemd-analyze security --no-pager --threshold=30 felloe-noded.service
# commands of the host on the network of the machine
netted() { nsenter --net="/proc/$(cat "$T/sd/init.pid")/ns/net" -- "$@"; }
URL=https://127.0.0.1:8443
export FELLOE_PASSWORD_FILE=$T/password XDG_CONFIG_HOME=$T/xdg
check "nobody signs in to a key that is not known" run -e 1 netted felloe login --master "$URL" --user admin
check "the way out shows the pin that init has printed" says "$PIN"
check "with the pin the admin signs in" run netted felloe login --master "$URL" --user admin --pin "$PIN"

# ---- the node --------------------------------------------------------------------------------
inside bash -c 'mkdir -p /srv/backup /var/www/shop/wp-content/uploads && head -c 50000 /dev/urandom >/var/www/shop/wp-content/uploads/picture.jpg'
inside tee /var/www/shop/wp-config.php >/dev/null <<PHP
<?php
define('DB_NAME', 'shop');
define('DB_USER', 'backup');
define('DB_PASSWORD', 'backuppw');
define('DB_HOST', 'localhost:$S/db/mysql.sock');
PHP
cat >"$S/node.json" <<JSON
{"server_id": "web-01.fra", "heartbeat_s": 1, "master": {"url": "$URL", "pin_sha256": "${PIN#sha256//}"},
 "sites": [{"name": "shop", "wp_config_path": "/var/www/shop/wp-config.php", "wp_content_path": "/var/www/shop/wp-content"}],
 "storage": [{"name": "disk", "type": "dir", "path": "/srv/backup"}],
 "timers": [{"name": "nightly", "sites": ["*"], "on_calendar": "*-*-* *:*:0/5"},
            {"name": "weekly", "sites": ["*"], "what": ["files"], "on_calendar": "Sun 04:00"}]}
JSON
spawn configure "$RIGS/systemd.sh" exec "$T/sd" felloe configure --apply "$S/node.json" --wait
code() { CODE=$(sed -n 's/^Pairing code: //p' "$T/configure.log") && [ -n "$CODE" ]; }
code_shown() { until_ok 30 grep -q '^Pairing code: ' "$T/configure.log" && code; }
check "configure --apply --wait shows a pairing code" code_shown || { note "$T/configure.log"; exit 1; }
code
check "the admin sees the same" bash -c "$(declare -f netted); T='$T'; netted felloe pending --json | jq -e --arg c '$CODE' 'any(.[]; .code == \$c)'"
check "and approves" run netted felloe approve "$CODE"
ended() { ! kill -0 "$(cat "$T/configure.pid")"; }
check "configure says so" until_ok 40 grep -q '^Approved' "$T/configure.log"
check "and ends" until_ok 10 ended
check "configuration and key are root's alone" owned "600 root" /etc/felloe/config.json /var/lib/felloe/node/api.key
check "so is the state of the node" owned "700 root" /var/lib/felloe/node
check "the agent is active and enabled" inside bash -c 'systemctl is-active -q felloe-noded && systemctl is-enabled -q felloe-noded'
runs() { netted felloe runs --json >"$T/runs.json" && jq -e "$1" "$T/runs.json"; }
node() { netted felloe nodes --json >"$T/nodes.json" && jq -e ".[0] | $1" "$T/nodes.json"; }
check "the node is online" until_ok 30 node '.liveness == "online" and .hostname == "web-01.fra"' || note "$T/nodes.json"
check "the timer makes backups that the master sees" until_ok 60 runs 'any(.[]; .site == "shop" and .state == "ok" and .trigger == "timer")' || note "$T/runs.json"
newest() { inside bash -c 'ls -t /srv/backup/*/*/*/*/*.tar.zst | head -n 1'; }
check "the archive is for root alone" owned "600 root" "$(newest)"
check "and holds database and files" inside bash -c "tar --zstd -tf '$(newest)' | grep -c -e db/20-data/wp_posts -e uploads/picture.jpg | grep -qx 2"
check "the lines of the README about getting back work: list" run inside felloe-noded list
check "verify" run inside felloe-noded verify shop --full

# ---- the master asks ----------------------------------------------------------------------------
netted felloe whoami --json >"$T/who" 2>&1
ask() { netted felloe request 1 "$@" >"$T/asked" 2>&1; }
asked() { inside bash -c 'ls /var/lib/felloe/node/requests/*.out'; }
if netted felloe request --help >/dev/null 2>&1; then
	check "a backup is asked for" ask backup shop || note "$T/asked"
	check "a unit of its own makes it" until_ok 40 runs 'any(.[]; .trigger == "request" and .state == "ok")' || note "$(journal -u 'felloe-request@*' | tail -n 20)"
	check "which is none of the agent's" bash -c "'$RIGS/systemd.sh' exec '$T/sd' journalctl --no-pager -q | grep -q 'Felloe carries out the request'"
	check "and tells the outcome" until_ok 20 asked
	check "a proof is asked for and made by such a unit" ask verify shop --full --wait || note "$T/asked"
	check "which is told" grep -q 'proven restorable' "$T/asked" || note "$T/asked"
	check "nothing is left of its server" inside bash -c '! ls -d /var/lib/felloe/proof/proof-* 2>/dev/null'
fi

# ---- the master is away -------------------------------------------------------------------------
count() { inside bash -c 'ls /srv/backup/*/*/*/*/*.tar.zst | wc -l'; }
more_than() { [ "$(count)" -gt "$1" ]; }
inside systemctl stop felloe-masterd
stopped=$(date +%s) before=$(count)
check "the master ends cleanly" test "$(inside systemctl show -p Result --value felloe-masterd)" = success
check "without it the backups go on" until_ok 40 more_than $((before + 1))
printf 'another good password\n' >"$S/bob" && chmod 600 "$S/bob"
check "root adds a user meanwhile" run inside felloe-masterd user add --role viewer --password-file "$S/bob" bob
check "and judges the set-up" run inside felloe-masterd check
check "the files are still felloe's" inside bash -c "! find $M /etc/felloe/master.* ! -user felloe | grep ."
inside systemctl start felloe-masterd
back=$(date +%s)
check "after its return it has the runs of the time between" until_ok 60 runs \
	"[.[] | select(.state == \"ok\") | .started | sub(\"\\\\..*\"; \"Z\") | fromdate | select(. >= $stopped and . <= $back)] | length >= 2" || note "$T/runs.json"
check "and the node is online again" until_ok 30 node '.liveness == "online"'

# ---- reload, restart --------------------------------------------------------------------------------
pid=$(inside systemctl show -p MainPID --value felloe-masterd)
check "systemctl reload felloe-masterd" inside systemctl reload felloe-masterd
reloaded() { journal -u felloe-masterd >"$T/log" && grep -q 'SIGHUP:' "$T/log"; }
check "it reads its configuration anew" until_ok 10 reloaded
check "in the same process" test "$(inside systemctl show -p MainPID --value felloe-masterd)" = "$pid"
check "systemctl reload felloe-noded" inside systemctl reload felloe-noded
check "root copies the database while the master runs" run inside felloe-masterd backup /root/master.copy
check "for root alone" owned "600 root" /root/master.copy
check "the user of meanwhile signs in" run env XDG_CONFIG_HOME="$T/xdg2" FELLOE_PASSWORD_FILE="$S/bob" \
	nsenter --net="/proc/$(cat "$T/sd/init.pid")/ns/net" -- felloe login --master "$URL" --user bob --pin "$PIN"
check "both restart" inside systemctl restart felloe-masterd felloe-noded
check "the session of the admin goes on" until_ok 20 node '.liveness == "online"'
check "a killed master comes back by itself" inside systemctl kill -s KILL felloe-masterd
check "and the node with it" until_ok 30 node '.liveness == "online"'

# ---- reboot, two weeks later -----------------------------------------------------------------------
# systemd keeps the last time of a persistent timer as the time of a file
stamp=/var/lib/systemd/timers/stamp-felloe-backup@weekly.timer
check "the weekly timer has not run yet" bash -c "! '$RIGS/systemd.sh' exec '$T/sd' felloe-noded timers --json | jq -e '.timers[] | select(.name == \"weekly\").last'"
inside bash -c "mkdir -p ${stamp%/*} && touch -d '2 weeks ago' $stamp"
check "the machine reboots" rig reboot || exit 1
for unit in felloe-masterd.service felloe-noded.service felloe-backup@nightly.timer felloe-backup@weekly.timer; do
	check "after the reboot $unit is active" until_ok 20 inside systemctl is-active "$unit"
done
check "the folder of locks is there again" owned "700 root" /run/felloe/node
check "the node is online again" until_ok 40 node '.liveness == "online"'
caught_up() { inside felloe-noded timers --json | jq -e '.timers[] | select(.name == "weekly") | .last != null and .result == "success"'; }
check "what the machine missed while it was off is done now" until_ok 60 caught_up || note "$(journal -u felloe-backup@weekly.service | tail -n 20)"

# ---- what stands in the journal ------------------------------------------------------------------------
inside journalctl --no-pager -q -o cat >"$T/journal"
inside bash -c 'jq -r .jwt_secret /etc/felloe/master.json; cat /var/lib/felloe/node/api.key; echo backuppw' | cat - "$T/password" | grep . >"$T/secrets"
check "the secrets of the test are all known" test "$(wc -l <"$T/secrets")" = 4
check "no secret stands in the journal" run -e 1 grep -F -f "$T/secrets" "$T/journal"
check "the daemons say nothing of trouble but the kill" bash -c "! '$RIGS/systemd.sh' exec '$T/sd' journalctl --no-pager -q -o cat -p err _COMM=felloe-masterd + _COMM=felloe-noded | grep ."

# ---- away again -------------------------------------------------------------------------------------------
check "make uninstall from a folder" make -s -C "$BUILD" uninstall DESTDIR="$S/inst"
check "leaves nothing but folders" run inside bash -c "! find '$S/inst' ! -type d | grep ."
