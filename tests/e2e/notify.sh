#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sanitize: yes
# Notices: sent by the node itself, never in the way of the backup, never telling a secret.
. "$(dirname "$0")/../lib.sh"
for tool in jq python3 curl; do
	command -v "$tool" >/dev/null || { skip "notices of runs" "$tool is missing: apt-get install $tool"; exit 0; }
done
unset http_proxy https_proxy all_proxy
PORT=$(free_port)
SECRET=t0ken-$RANDOM$RANDOM
URL=http://127.0.0.1:$PORT
spawn target python3 "$HERE/fake/notify" "$T" "$PORT"
until_ok 20 curl -sf "$URL/up" >/dev/null
mkdir -p "$T/www" "$T/store" && echo hello >"$T/www/index.html"
noded() { felloe-noded "$1" --state "$T/state" "${@:2}"; }
# config NAME jq-filter
config() {
	jq -n --arg t "$T" --arg u "$URL" --arg s "$SECRET" '{server_id: "web-01", sites: [{name: "shop", paths: [$t + "/www"]}],
		storage: [{name: "disk", type: "dir", path: ($t + "/store")}]} | '"$2" >"$T/$1.json" && chmod 600 "$T/$1.json"
}
BAD='.sites[0].paths = [$t + "/nothing"] | .'
# asked FILTER: the requests since "forget", as one compact JSON
forget() { : >"$T/requests"; }
asked() { jq -sc "$1" "$T/requests"; }
asked_is() { [ "$(asked "$1")" = "$2" ] || { asked .; return 1; }; }
quiet_about_it() { ! grep -rqF -- "$SECRET" "$OUT" "$ERR" "$T/state"; }

# ---- after a good run
config good '.notify = {ping_url: ($u + "/ping/" + $s + "?key=" + $s), webhook: ($u + "/hook"), command: ["tee", $t + "/notice"]}'
forget
check "a good run" run noded backup -c "$T/good.json"
check "is told to ping_url, and to nobody else" asked_is "[.[] | [.method, .path, .body]]" "[[\"GET\",\"/ping/$SECRET?key=$SECRET\",\"\"]]"
check "the command is left alone" test ! -e "$T/notice"
config warned '.sites[0].paths += [$t + "/nothing"] | .notify = {ping_url: ($u + "/ping")}'
forget
check "a run with warnings is a good one" run -e 3 noded backup -c "$T/warned.json"
check "and is told" asked_is '[.[].path]' '["/ping"]'
config password '.notify = {ping_url: ("http://user:" + $s + "@127.0.0.1:" + ($u | split(":")[2]) + "/ping")}'
forget
check "an address may carry a password" run noded backup -v -c "$T/password.json"
check "which is sent as such" asked_is '[.[].authorization]' "[\"Basic $(printf 'user:%s' "$SECRET" | base64)\"]"
check "and not told to anybody" quiet_about_it

# ---- after a failed one
config failed "$BAD"'notify = {ping_url: ($u + "/ping"), webhook: ($u + "/hook?token=" + $s), command: ["tee", $t + "/notice"]}'
forget
check "a failed run" run -e 1 noded backup -c "$T/failed.json"
check "is told to the webhook, not to ping_url" asked_is '[.[] | [.method, .path, .type]]' "[[\"POST\",\"/hook?token=$SECRET\",\"application/json\"]]"
check "as JSON" asked_is '[.[].body | fromjson | .server_id, .run.site, .run.state, .run.rev]' '["web-01","shop","failed",2]'
check "with the error and the log" jq -se '.[0].body | fromjson | .run | (.error.message | length > 0) and (.log | contains("nothing"))' "$T/requests"
check "the command gets the same" test "$(jq -c . "$T/notice")" = "$(jq -r .body "$T/requests" | jq -c .)"
check "the token in the address is told to nobody" quiet_about_it

# ---- targets that are not there, do not answer or say no
config dead '.notify = {ping_url: ("http://user:" + $s + "@127.0.0.1:1/" + $s + "?" + $s)}'
check "a ping_url where nobody listens leaves the run good" run noded backup -v -c "$T/dead.json"
check "says so as a warning" grep -qi 'warn.*notify: ping_url: 127.0.0.1:1: connection refused' "$ERR"
check "without the address's secrets" quiet_about_it
config refused '.notify = {ping_url: ($u + "/status/500/" + $s)}'
check "one that answers 500 too" run noded backup -c "$T/refused.json"
check "by its number" says "notify: ping_url: the answer was HTTP status 500"
check "without the path" quiet_about_it
config moved '.notify = {ping_url: ($u + "/status/301/" + $s)}'
check "one that has moved too" run noded backup -c "$T/moved.json"
check "with a way out" says "HTTP status 301; redirects are not followed"
config slow "$BAD"'notify = {webhook: ($u + "/slow/" + $s), command: ["tee", $t + "/notice"]}'
rm -f "$T/notice"
spawn slow felloe-noded backup --state "$T/state" -c "$T/slow.json"
recorded() { [ "$(noded list --json | jq -r '.runs[0].state')" = failed ]; }
forget
at_slow() { grep -q /slow "$T/requests"; }
check "a webhook that never answers is waited for" until_ok 20 at_slow
check "when the run is written down already" recorded
config after '.notify = {}'
check "and its site is free for the next run" run noded backup -c "$T/after.json"
ended() { [ -s "$T/notice" ]; }
check "after its time the command still gets its notice" until_ok 40 ended
wait "$(cat "$T/slow.pid")"
check "the exit code is that of the run" test $? = 1
cp "$T/slow.log" "$ERR"
check "the time-out is said" grep -qiE 'notify: webhook: .*(time-out|in time)' "$ERR"
check "without the path" quiet_about_it
config nocommand "$BAD"'notify = {command: ["/no/such/command", $s]}'
check "a command that is not there" run -e 1 noded backup -c "$T/nocommand.json"
check "is named" says "/no/such/command"
check "its arguments are not" quiet_about_it
config badcommand "$BAD"'notify = {command: ["false"]}'
check "a command that fails" run -e 1 noded backup -c "$T/badcommand.json"
check "is told with its exit code" says "notify: command: false ended with exit code 1"

# ---- the configuration
config scheme '.notify = {ping_url: ("hc.example.net/" + $s), webhook: ("user:" + $s + "@hc.example.net")}'
check "an address without a scheme is refused" run -e 2 noded backup -c "$T/scheme.json"
check "by its key" says "notify.ping_url"
check "so is the second" says "notify.webhook"
check "without what follows the host" quiet_about_it
