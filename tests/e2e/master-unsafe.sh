#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Configurations that are not safe are refused by the key that is to blame; check
# foretells; what runs has no more rights than it needs.
# timeout: 90
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../master-lib.sh"

check "a master is made" master_init --self-signed
cp "$T/state/master.json" "$T/good.json"
chmod 700 "$T/state"
# with FILTER: the configuration changed by jq
with() { jq "$1" "$T/good.json" >"$T/new.json" && cat "$T/new.json" >"$T/state/master.json"; }
# refused WHAT FILTER TEXT: neither run nor check take it, both for this reason
refused() {
	with "$2" || return 1
	check "$1 is refused" run -e 2 timeout 10 felloe-masterd run --state "$T/state"
	check "by name" says "$3"
	check "check refuses it too" run -e 2 felloe-masterd check --state "$T/state"
	check "for the same reason" says "$3"
}
refused "a secret that is short" '.jwt_secret = "short"' "jwt_secret: shorter than 32 characters"
refused "no secret" 'del(.jwt_secret)' "jwt_secret: missing"
jq -r .jwt_secret "$T/good.json" >"$T/secret" && chmod 644 "$T/secret"
refused "a file with the secret that others may read" "del(.jwt_secret) | .jwt_secret_file = \"$T/secret\"" "jwt_secret_file: "
refused "plain HTTP beyond loopback" 'del(.tls_cert, .tls_key) | .listen = "0.0.0.0:18443" | .user = "nobody"' "listen: 0.0.0.0 is reachable from outside"
refused "a certificate without its key" 'del(.tls_key)' "tls_key: missing"
refused "a key without its certificate" 'del(.tls_cert)' "tls_cert: missing"
openssl ecparam -name prime256v1 -genkey -noout -out "$T/other.key" 2>/dev/null && chmod 600 "$T/other.key"
refused "the key of another certificate" ".tls_key = \"$T/other.key\"" "tls_key: $T/other.key is not the key of the certificate"
openssl ec -in "$T/other.key" -aes128 -passout pass:x -out "$T/locked.key" 2>/dev/null && chmod 600 "$T/locked.key"
refused "a key with a passphrase" ".tls_key = \"$T/locked.key\"" "without a passphrase"
cp "$T/other.key" "$T/open.key" && chmod 644 "$T/open.key"
refused "a key that everybody may read" ".tls_key = \"$T/open.key\"" "tls_key: $T/open.key may be read by everybody"
refused "a world of proxies" '.trusted_proxies = ["0.0.0.0/0"]' "trusted_proxies[0]: "
refused "another one" '.trusted_proxies = ["10.0.0.1", "::/1"]' "trusted_proxies[1]: "
mkdir "$T/wide" && chmod 777 "$T/wide"
refused "a state directory that everybody may write to" ".state_dir = \"$T/wide\"" "state_dir: everybody may write to $T/wide"
with . && chmod 640 "$T/state/master.json"
check "a configuration that a group may read is refused" run -e 2 felloe-masterd run --state "$T/state"
check "with what to do" says "chmod 600"
chmod 600 "$T/state/master.json"

# ---- what will be a problem
with .
check "check is content" run felloe-masterd check --state "$T/state"
check "and says for how long" says "it is valid for 36"
check "how much room is left" says "are free in $T/state/master"
check "and whether the clock is kept right" bash -c "grep -qE 'the clock is|whether the clock' '$OUT'"
openssl req -x509 -new -key "$T/state/master.key" -subj /CN=soon -days 20 -out "$T/soon.crt" 2>/dev/null
with ".tls_cert = \"$T/soon.crt\""
check "a certificate for 20 days is good enough" run felloe-masterd check --state "$T/state"
check "but check warns" says "days: renew it, then SIGHUP"
with '.database = "sqlite:/nonexistent/master.db"'
check "a database that is not there is told" run -e 1 felloe-masterd check --state "$T/state"
check "by name" says /nonexistent/master.db

# ---- rights
if [ "$(id -u)" != 0 ]; then
	skip "what runs has no more rights than it needs" "this is not root"
	exit 0
fi
refused "root for strangers" '.listen = "0.0.0.0:18443"' "user: missing: root's rights are not for what strangers can reach"
refused "root by name for strangers" '.listen = "0.0.0.0:18443" | .user = "root"' "user: is root"
refused "a user that is not there" '.user = "nosuchuser"' "nosuchuser"
LOW=$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)
if [ "$LOW" -gt 443 ]; then
	refused "a port that the user may not open" '.listen = "127.0.0.1:443" | .user = "nobody"' "listen: nobody may not open port 443"
fi
with '.user = "nobody"'
check "a state directory of somebody else is told" run -e 2 felloe-masterd check --state "$T/state"
check "with what to do" says "chown -R nobody"
chmod 755 "$T/state"
chown -R nobody "$T/state"
ROOT=https://127.0.0.1:$PORT
master_up() { curl -skf -m 2 "$ROOT/ready"; }
step "as root it becomes its user" master_start
PID=$(cat "$T/master.pid")
status() { sed -n "s/^$1:[[:space:]]*//p" "/proc/$PID/status"; }
NOBODY=$(id -u nobody)
check "for good" [ "$(status Uid | tr '\t' ' ')" = "$NOBODY $NOBODY $NOBODY $NOBODY" ]
check "with its group" [ "$(status Gid | cut -f1)" = "$(id -g nobody)" ]
check "and no other" bash -c "! grep -qE '^Groups:.*\b0\b' /proc/$PID/status"
for set in CapInh CapPrm CapEff CapAmb; do
	check "without rights ($set)" [ "$(status $set)" = 0000000000000000 ]
done
check "all of its threads" bash -c "! grep -L '^CapEff:[[:space:]]*0000000000000000$' /proc/$PID/task/*/status | grep -q ."
check "it serves" curl -skf -m 40 "$ROOT/health"
stop_pid master
check "no error is in the log" bash -c "! grep -E 'error:|Sanitizer' '$T/master.log'"
