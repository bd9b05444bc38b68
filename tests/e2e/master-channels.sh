#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Alerts are told: webhook with its signature, Slack, mail; storms, retries, a killed master.
# timeout: 240
# slow: yes
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../master-lib.sh"
for tool in python3 openssl; do
	command -v "$tool" >/dev/null || { skip "alerts are told" "apt-get install $tool"; exit 0; }
done

SINK=$T/sink
HOOK=$(free_port 3)
SMTP=$((HOOK + 1))
mkdir "$SINK"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
	-keyout "$T/mail.key" -out "$T/mail.crt" 2>/dev/null
spawn sinks python3 "$HERE/fake/notice-sinks" "$SINK" "$HOOK" "$SMTP" "$T/mail.crt" "$T/mail.key"
until_ok 10 test -e "$SINK/ready"

got() { ls "$SINK" | grep -c "^$1-"; } # KIND: how many messages
at_least() { [ "$(got "$1")" -ge "$2" ]; }
exactly() { [ "$(got "$1")" -eq "$2" ] || { ls "$SINK"; return 1; }; }
last() { ls "$SINK"/"$1"-* | tail -n 1; }
clear_sink() { rm -f "$SINK"/hook-* "$SINK"/mail-* "$SINK"/refused-*; }
# body FILE: what follows the empty line
body() { sed '1,/^\r$/d' "$1"; }
mails() { body "$1" >/dev/null; sed -n '/^DATA/,$p' "$1" | tr -d '\r' | sed '1,/^$/d; /^\.$/,$d' | base64 -d; }
sample() { call 200 POST /stats -H "X-API-KEY: $1" -d '{"cpu_usage":5,"disk_usage":20,"active_backups":0,"outbox_depth":1}'; }
REV=1
# report KEY UUID STATE
report() {
	local now
	now=$(date +%s)
	REV=$((REV + 1))
	call 200 PUT "/runs/$2" -H "X-API-KEY: $1" -d "{\"uuid\":\"$2\",\"rev\":$((now * 1000 + REV)),\"site\":\"shop\",\"what\":\"db\",\"state\":\"$3\",\"started\":\"$(date -u -d "@$((now - 5))" +%FT%TZ)\",\"finished\":\"$(date -u -d "@$((now - 1))" +%FT%TZ)\"${4:-}}"
}
channel() { call 201 POST /channels -H "$(AS)" -d "$1" && CHANNEL=$(jq .id "$BODY"); } # JSON: $CHANNEL
shown() { call 200 GET /channels -H "$(AS)" && is ".items[] | select(.id == $1) | $2" "$3"; } # ID FILTER VALUE
A=11111111-1111-4111-8111-111111111111 B=22222222-2222-4222-8222-222222222222
C=33333333-3333-4333-8333-333333333333 D=44444444-4444-4444-8444-444444444444 E=66666666-6666-4666-8666-666666666666

master_init
jq '.alerts = {"hold_s": 1, "silent_after_s": 600, "notice_every_s": 1, "repeat_s": 4}' "$T/state/master.json" >"$T/new.json"
cat "$T/new.json" >"$T/state/master.json"
master_start
login admin 'correct horse battery'
admit web-1
ONE=$NODE KEY1=$KEY
sample "$KEY1"

# ---- what is refused
check "a channel needs a kind" call 422 POST /channels -H "$(AS)" -d '{"name":"x"}'
check "a webhook a URL" call 422 POST /channels -H "$(AS)" -d '{"name":"x","kind":"webhook"}'
check "of http or https" call 422 POST /channels -H "$(AS)" -d '{"name":"x","kind":"webhook","url":"file:///etc/passwd"}'
check "without a user in it" call 422 POST /channels -H "$(AS)" -d '{"name":"x","kind":"webhook","url":"https://a:b@example.com/"}'
check "and a secret of some length" call 422 POST /channels -H "$(AS)" -d '{"name":"x","kind":"webhook","url":"https://example.com/","secret":"short"}'
check "a mail needs addresses" call 422 POST /channels -H "$(AS)" -d '{"name":"x","kind":"mail","host":"localhost","from":"me","to":[]}'
check "of one line" call 422 POST /channels -H "$(AS)" -d '{"name":"x","kind":"mail","host":"localhost","from":"a@example.com","to":["b@example.com\r\nBcc: c@example.com"]}'
check "no password goes out in clear" call 422 POST /channels -H "$(AS)" -d '{"name":"x","kind":"mail","host":"mail.example.com","tls":"none","user":"u","password":"p","from":"a@example.com","to":["b@example.com"]}'
check "an unknown kind of alert is named" call 422 POST /channels -H "$(AS)" -d '{"name":"x","kind":"slack","url":"https://example.com/","kinds":["nonsense"]}'

# ---- webhook
step "a webhook" channel "{\"name\":\"hook\",\"kind\":\"webhook\",\"url\":\"http://127.0.0.1:$HOOK/token-in-the-path\"}"
WEBHOOK=$CHANNEL
SECRET=$(jq -r .secret "$BODY")
check "the master made its secret" test "${#SECRET}" -ge 40
check "the list does not show it" call 200 GET /channels -H "$(AS)"
hidden() { ! grep -e "$SECRET" -e token-in-the-path "$@"; }
check "nor the path of the URL" hidden "$BODY"
check "but where it leads" is '.items[0].url' "http://127.0.0.1:$HOOK/..."
check "a name is there once" call 409 POST /channels -H "$(AS)" -d '{"name":"hook","kind":"slack","url":"https://example.com/"}'
check "a test is sent" call 200 POST "/channels/$WEBHOOK/test" -H "$(AS)"
check "and arrives" exactly hook 1
check "as a test" bash -c "sed '1,/^\r\$/d' '$(last hook)' | jq -e '.test == true and .notices == [] and .version == 1'"
signed() { # FILE: by the documented recipe
	local header t v
	header=$(tr -d '\r' <"$1" | sed -n 's/^X-Felloe-Signature: //Ip')
	t=$(sed 's/t=\([0-9]*\),.*/\1/' <<<"$header") v=${header##*v1=}
	[ $(($(date +%s) - t)) -lt 300 ] &&
		[ "$({ printf '%s.' "$t"; body "$1"; } | openssl dgst -sha256 -hmac "$SECRET" -r | cut -d' ' -f1)" = "$v" ]
}
check "with a signature that the secret explains" signed "$(last hook)"
echo 500 >"$SINK/answer"
check "a test that is refused says so" call 502 POST "/channels/$WEBHOOK/test" -H "$(AS)"
check "with the status" bash -c "grep -q 'answered 500' '$BODY'"
echo 302 >"$SINK/answer"
check "a redirect is not followed" call 502 POST "/channels/$WEBHOOK/test" -H "$(AS)"
check "and told" bash -c "grep -q 'redirects are not followed' '$BODY'"
rm "$SINK/answer"
clear_sink
check "a run fails" report "$KEY1" $A failed ',"error":{"kind":"db","message":"gone away"}'
check "the webhook is told" until_ok 15 at_least hook 1
check "of the opening" bash -c "sed '1,/^\r\$/d' '$(last hook)' | jq -e '.notices[0].event == \"opened\" and .notices[0].alert.kind == \"failed_run\" and .notices[0].alert.node == \"web-1\"'"
check "signed" signed "$(last hook)"
reminded() { cat "$SINK"/hook-* | grep -q '"event":"reminder"'; }
check "a reminder comes while nobody looks" until_ok 20 reminded
call 200 GET '/alerts?kind=failed_run' -H "$(AS)"
ALERT=$(jq .items[0].id "$BODY")
call 200 POST "/alerts/$ALERT/ack" -H "$(AS)"
until_ok 5 shown "$WEBHOOK" .waiting 0
clear_sink
check "the run is good again" report "$KEY1" $B ok
recovered() { cat "$SINK"/hook-* 2>/dev/null | grep -q '"event":"recovered"'; }
check "the recovery is told" until_ok 15 recovered
check "once, and no reminder since somebody looked" exactly hook 1
check "the channel shows its success" shown "$WEBHOOK" '.last_ok != null and .last_error == null' true

# ---- a storm is one message
clear_sink
KEYS=()
for i in $(seq 1 12); do
	admit "storm-$i" >/dev/null && sample "$KEY" && KEYS+=("$KEY")
done
# all at a time, so that what is told in one moment does not hang on how quick this machine is
STORM=()
for i in "${!KEYS[@]}"; do
	(BODY=$T/body.$i HEAD=$T/head.$i; report "${KEYS[$i]}" "$(printf '55555555-5555-4555-8555-%012d' "$i")" failed) >/dev/null &
	STORM+=($!)
done
wait "${STORM[@]}"
all_told() { [ "$(cat "$SINK"/hook-* 2>/dev/null | grep -o '"event":"opened"' | wc -l)" -ge 12 ]; }
check "a storm of twelve failing machines is told" until_ok 20 all_told
few() { [ "$(got hook)" -le 8 ] || { ls "$SINK"; return 1; }; }
check "in a few messages" few
for i in "${!KEYS[@]}"; do report "${KEYS[$i]}" "$(printf '55555555-5555-4555-8555-%012d' "$i")" ok >/dev/null; done
quiet() { call 200 GET '/alerts' -H "$(AS)" && is '.items | length' 0 && shown "$WEBHOOK" .waiting 0; }
check "and is over" until_ok 30 quiet

# ---- what a channel does not want
step "a channel for critical ones of tagged machines" channel "{\"name\":\"quiet\",\"kind\":\"slack\",\"url\":\"http://127.0.0.1:$HOOK/slack\",\"tags\":[\"gold\"],\"min_severity\":\"critical\"}"
SLACK=$CHANNEL
check "the webhook is switched off" call 200 PATCH "/channels/$WEBHOOK" -H "$(AS)" -d '{"enabled":false}'
clear_sink
report "$KEY1" $C failed
open() { call 200 GET "/alerts?kind=failed_run&node=$ONE" -H "$(AS)" && is '.items | length' 1; }
check "another failure opens" until_ok 10 open
check "for nobody" shown "$SLACK" .waiting 0
check "so that nothing is sent" exactly hook 0
check "Slack's form is its text" call 200 POST "/channels/$SLACK/test" -H "$(AS)"
check "alone" bash -c "sed '1,/^\r\$/d' '$(last hook)' | jq -e 'keys == [\"text\"]'"
report "$KEY1" $C ok
until_ok 10 quiet
check "a channel goes" call 204 DELETE "/channels/$SLACK" -H "$(AS)"
check "for good" call 404 POST "/channels/$SLACK/test" -H "$(AS)"

# ---- the master is killed between opening and telling
clear_sink
echo hang >"$SINK/answer"
check "the webhook is on again" call 200 PATCH "/channels/$WEBHOOK" -H "$(AS)" -d '{"enabled":true}'
report "$KEY1" $D failed
check "the other end hangs" until_ok 15 at_least refused 1
stop_pid master KILL
rm "$SINK/answer"
FIRST=$(tr -d '\r' <"$(last refused)" | sed -n 's/^X-Felloe-Delivery: //Ip')
step "the master is killed and starts again" master_start
login admin 'correct horse battery'
check "the notice arrives" until_ok 30 at_least hook 1
AGAIN=$(tr -d '\r' <"$(ls "$SINK"/hook-* | head -n 1)" | sed -n 's/^X-Felloe-Delivery: //Ip')
check "under the id that was tried before" test "$FIRST" = "$AGAIN"
check "the alert is one" open
report "$KEY1" $D ok
until_ok 20 quiet

# ---- mail
step "a mail channel with STARTTLS" channel "{\"name\":\"post\",\"kind\":\"mail\",\"host\":\"localhost\",\"port\":$SMTP,\"user\":\"felloe\",\"password\":\"mail secret\",\"ca_file\":\"$T/mail.crt\",\"from\":\"felloe@example.com\",\"to\":[\"ops@example.com\",\"boss@example.com\"]}"
POST=$CHANNEL
check "a test is sent" call 200 POST "/channels/$POST/test" -H "$(AS)"
check "and arrives" exactly mail 1
check "over TLS" grep -q '(TLS)' "$(last mail)"
check "for both" bash -c "[ \$(grep -c '^RCPT TO:' '$(last mail)') = 2 ]"
check "in words" bash -c "$(declare -f body mails); mails '$(last mail)' | grep -q 'test of the channel post'"
check "a wrong password is told" call 200 PATCH "/channels/$POST" -H "$(AS)" -d '{"password":"wrong"}'
check "by the test" call 502 POST "/channels/$POST/test" -H "$(AS)"
check "without the password" bash -c "grep -q 'does not take this user and password' '$BODY' && ! grep -q wrong '$BODY'"
call 200 PATCH "/channels/$POST" -H "$(AS)" -d '{"password":"mail secret","ca_file":"/etc/ssl/certs/ca-certificates.crt"}'
check "a certificate of a stranger is not taken" call 502 POST "/channels/$POST/test" -H "$(AS)"
check "and told" bash -c "grep -q 'certificate' '$BODY'"
call 200 PATCH "/channels/$POST" -H "$(AS)" -d "{\"ca_file\":\"$T/mail.crt\"}"
call 200 PATCH "/channels/$POST" -H "$(AS)" -d "{\"port\":$((SMTP + 1)),\"tls\":\"tls\"}"
check "TLS from the first byte is spoken too" call 200 POST "/channels/$POST/test" -H "$(AS)"
check "by the other server" grep -q '(TLS at once)' "$(last mail)"
call 200 PATCH "/channels/$POST" -H "$(AS)" -d "{\"port\":$SMTP,\"tls\":\"starttls\"}"
clear_sink
report "$KEY1" $E failed ',"error":{"kind":"db","message":"Straße gesperrt"}'
check "an alert goes out by mail" until_ok 20 at_least mail 1
check "with its cause" bash -c "$(declare -f body mails); mails '$(last mail)' | grep -q 'web-1: failed_run shop: .*Straße gesperrt'"
check "the subject is encoded" grep -q '^Subject: =?UTF-8?B?' "$(last mail)"

# ---- secrets
nowhere() { ! grep -r -a -l -e "$SECRET" -e 'mail secret' -e token-in-the-path "$T/state/master" "$T/master.log"; }
check "no secret is in the database or the log" nowhere
