#!/usr/bin/env bash
# The wizard as an admin meets it: on a machine with systemd as PID 1, with a real
# MariaDB, a real master, in a terminal of 80x24. It ends with a node that the
# master knows, and a timer of systemd that makes a backup by itself.
# sanitize: full
# timeout: 400
. "$(dirname "$0")/../lib.sh"

if [ "$(id -u)" != 0 ]; then skip "the wizard sets up a machine" "systemd in namespaces needs root"; exit 0; fi
for tool in tmux unshare nsenter mariadbd; do
	command -v $tool >/dev/null || { skip "the wizard sets up a machine" "$tool is missing"; exit 0; }
done
# the rig's /tmp is its own: what both sides see lies elsewhere
S=$(mktemp -d /var/tmp/felloe-test.XXXXXX) && chmod 755 "$S"
at_exit "rm -rf '$S'"

# ---- a master, a database, a machine ------------------------------------------------
DB_PORT=$(free_port)
check "a MariaDB runs" "$RIGS/mariadb.sh" start "$T/db" "$DB_PORT" || exit 1
at_exit "'$RIGS/mariadb.sh' stop '$T/db'"
"$RIGS/mariadb.sh" sql "$T/db" <<'SQL'
CREATE DATABASE shop; USE shop; CREATE TABLE wp_posts (id int PRIMARY KEY, title text);
INSERT INTO wp_posts SELECT seq, CONCAT('Post ', seq) FROM seq_1_to_500;
SQL
PORT=$(free_port) URL=http://127.0.0.1:$PORT
printf 'a good password\n' >"$T/pw" && chmod 600 "$T/pw"
felloe-masterd init -c "$T/master.json" --state "$T/m" --listen "127.0.0.1:$PORT" --database "sqlite:$T/m.db" \
	--admin admin --password-file "$T/pw" >/dev/null 2>&1
spawn masterd felloe-masterd run -c "$T/master.json" --state "$T/m"
check "a master runs" until_ok 10 curl -sf --noproxy '*' "$URL/ready" || exit 1

check "Felloe installs below a directory" make -s -C "$BUILD" install DESTDIR="$S/inst"
SYSTEMD_BIND="$S" "$RIGS/systemd.sh" start "$T/sd" >"$T/sd.log" 2>&1 || { skip "systemd runs as PID 1" "this machine refuses the namespaces: $(tail -n 1 "$T/sd.log")"; exit 0; }
at_exit "'$RIGS/systemd.sh' stop '$T/sd'"
inside() { "$RIGS/systemd.sh" exec "$T/sd" "$@"; }
inside bash -c "cp -a '$S/inst/.' / && mkdir -p /etc/felloe /var/www/shop/wp-content/uploads /srv/backup && systemd-sysusers && systemd-tmpfiles --create && systemctl daemon-reload" >"$T/prepare.log" 2>&1
inside tee /var/www/shop/wp-config.php >/dev/null <<PHP
<?php
define('DB_NAME', 'shop');
define('DB_USER', 'backup');
define('DB_PASSWORD', 'backuppw');
define('DB_HOST', '127.0.0.1:$DB_PORT');
PHP
inside bash -c 'head -c 50000 /dev/urandom >/var/www/shop/wp-content/uploads/picture.jpg'
PREFIX=$(sed -n 's/^prefix = //p' "$BUILD/Makefile")

# ---- a terminal --------------------------------------------------------------------------
TMUX_ARGS=(-L "felloe-wizard-$$" -f /dev/null)
term() { tmux "${TMUX_ARGS[@]}" "$@"; }
at_exit "tmux ${TMUX_ARGS[*]} kill-server"
term new-session -d -x 80 -y 24 "'$RIGS/systemd.sh' exec '$T/sd' env TERM=screen-256color LANG=C.UTF-8 '$PREFIX/bin/felloe' configure -c /etc/felloe/config.json; echo ended with \$?; sleep 600"
keys() { term send-keys "$@"; }
type_text() { term send-keys -l -- "$1"; }
screen() { term capture-pane -p; }
shows() { screen | grep -qF -- "$1"; }
sees() { # SECONDS TEXT
	until_ok "$1" shows "$2" || { echo "the screen does not show: $2"; screen; return 1; }
}

check "the wizard opens at the role and says that nothing changes yet" sees 10 "What should this machine be?" || exit 1
keys n
check "the second step asks for the master" sees 5 "Master URL"
keys C-u; type_text "http://127.0.0.1:1"; keys Tab C-u; type_text "web-04.fra"; keys Tab Enter
check "a master that does not answer is said so" sees 20 "✗"
check "with its address" shows "127.0.0.1:1"
keys BTab BTab C-u; type_text "$URL"; keys Tab Tab Enter
check "the right one answers" sees 20 "answers ✓"
keys Tab Tab Enter
check "the site under /var/www is found and its database tried" sees 20 "✓ shop"
check "its size is shown" sees 1 "48.8K"
keys n
check "a machine without a storage is asked for one" sees 5 "New storage"
type_text "disk"; keys Tab Down Space Tab; type_text "/srv/nowhere/backup"; keys Tab Tab Tab Enter
check "a directory that is not there fails the test" sees 20 "✗"
check "which is said" shows "/srv/nowhere/backup"
keys Escape n
check "an untested or failing storage does not pass" sees 5 "At least one storage has to pass its test"
keys Enter Tab Tab Tab C-u; type_text "/srv/backup"; keys Tab Tab Tab Enter
check "the right directory passes all four steps" sees 20 "delete ✓"
keys Escape n
check "the schedule shows the next runs as systemd says" sees 20 "Next     "
check "and the night that has no 02:30 is not chosen by default" sees 1 "03:10:00"
keys Enter Tab Down Down Down Down Space Tab C-u; type_text "*-*-* *:*:0/5"
check "an own expression is asked from systemd at once" sees 20 "OnCalendar=*-*-* *:*:0/5"
keys Tab Tab Tab C-u; type_text "0"; keys Tab
check "what stays is explained" sees 5 "newest of 14 days, 8 weeks, 12 months: up to 34"
keys C-u; type_text "14d 8x"; keys Tab Enter
check "a rule that is none is not taken" sees 5 '"8x" is none of h, d, w, m, y'
keys BTab C-u; type_text "last 3 14d"; keys Tab Enter
check "the timer is kept" sees 5 "+0 min"
keys n
check "review shows what will be written" sees 5 "Will write /etc/felloe/config.json"
check "with what is retained" sees 1 "Retains    last 3 14d"
check "nothing was written before" inside test ! -e /etc/felloe/config.json
keys A
check "a pairing code is shown" sees 30 "Read this code to the admin" || exit 1
CODE=$(screen | grep -o 'Read this code.*' | sed 's/.*master: *//; s/ //g')
check "the configuration is there, for root alone" inside bash -c '[ "$(stat -c %a /etc/felloe/config.json)" = 600 ]'
check "with the rules that retain runs" inside jq -e '.timers[0].keep == {last: 3, daily: 14}' /etc/felloe/config.json
check "the timer is enabled" inside systemctl is-enabled --quiet felloe-backup@nightly.timer

# ---- the admin's side ------------------------------------------------------------------------
export FELLOE_MASTER=$URL FELLOE_PASSWORD_FILE=$T/pw XDG_CONFIG_HOME=$T/xdg
check "the admin signs in" run felloe login --user admin
check "the master shows the same code" bash -c "felloe pending --json | jq -e --arg c '$CODE' 'any(.[]; .code == \$c)'"
check "the admin approves it by its code" run felloe approve "$CODE"
check "the wizard says so" sees 40 "This node is managed now"
check "the key is saved for root alone" inside bash -c '[ "$(stat -c %a /etc/felloe/api.key)" = 600 ]'
check "the timer makes a backup by itself" until_ok 60 inside bash -c 'ls /srv/backup/*/*/*/*/*.tar.zst'
check "stock tar reads it" inside bash -c 'tar --zstd -tf "$(ls /srv/backup/*/*/*/*/*.tar.zst | head -n 1)" | grep -q db/20-data/wp_posts'
check "the agent was started" inside systemctl is-active --quiet felloe-noded.service
# a timer of every five seconds can always be at work when somebody looks, and then has no result
check "the timer stops" inside systemctl stop felloe-backup@nightly.timer
check "the master sees the timer with its last result" until_ok 90 bash -c "felloe timers --json | jq -e 'any(.[]; .timer.name == \"nightly\" and .timer.last != null and .timer.result == \"success\")'"
check "the master sees the run" until_ok 60 bash -c "felloe runs --json | jq -e 'any(.[]; .site == \"shop\" and .state == \"ok\" and .trigger == \"timer\")'"
keys Escape
check "Esc leaves the wizard with exit code 0" sees 10 "ended with 0"
check "no secret stands in the kept answers" inside bash -c '! grep -r backuppw /var/lib/felloe/node/wizard.json'

# ---- a second visit: the old values are the defaults ---------------------------------------------
term kill-session
term new-session -d -x 60 -y 15 "'$RIGS/systemd.sh' exec '$T/sd' env TERM=screen-256color LANG=C.UTF-8 '$PREFIX/bin/felloe' configure -c /etc/felloe/config.json; echo ended with \$?; sleep 600"
check "a second visit fits 60x15 and knows the old configuration" sees 10 "old config from"
keys 4
check "the storage is still there" sees 5 "/srv/backup"
keys 5
check "and what is retained" sees 5 "last 3 14d"
