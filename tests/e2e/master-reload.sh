#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# SIGHUP: a renewed certificate without a dropped connection, a broken one that
# changes nothing, new limits. SIGTERM: what runs ends well, what is stuck is cut.
# timeout: 120
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../master-lib.sh"
command -v python3 >/dev/null || { skip "reloading and stopping the master" "apt-get install python3"; exit 0; }

ROOT=https://127.0.0.1:$PORT
API=$ROOT/api/v1
CRT=$T/state/master.crt KEYFILE=$T/state/master.key
master_up() { curl -skf -m 2 "$ROOT/ready"; }
master_init --self-signed || note "$T/init.out"
export CURL_CA_BUNDLE=$CRT
step "the master starts over TLS" master_start
login admin 'correct horse battery'
serial() { openssl s_client -connect "127.0.0.1:$PORT" </dev/null 2>/dev/null | openssl x509 -noout -serial; }
pin() { openssl s_client -connect "127.0.0.1:$PORT" </dev/null 2>/dev/null | openssl x509 -noout -pubkey | openssl sha256; }
hup() { # TEXT: what the log must say after it
	local before
	before=$(wc -l <"$T/master.log")
	kill -HUP "$(cat "$T/master.pid")"
	until_ok 10 bash -c "tail -n +$((before + 1)) '$T/master.log' | grep -q '$1'"
}
renew() { # KEY: a certificate of it
	openssl req -x509 -new -key "$1" -subj /CN=renewed -days "${2:-30}" -addext subjectAltName=IP:127.0.0.1 -out "$T/new.crt" 2>/dev/null &&
		cp "$T/new.crt" "$CRT"
}

# one connection that asks all the time, and one long poll, across all that follows
cat >"$T/hold.py" <<'PY'
import http.client, ssl, sys, time, os
port, stop, out = int(sys.argv[1]), sys.argv[2], sys.argv[3]
ctx = ssl._create_unverified_context()
n = bad = again = 0
c = http.client.HTTPSConnection("127.0.0.1", port, context=ctx, timeout=60)
while not os.path.exists(stop):
    try:
        c.request("GET", "/health")
        r = c.getresponse()
        r.read()
        n += 1
        open(out + ".on", "w").close()
        bad += r.status != 200
        if r.will_close:
            again += 1
    except Exception as e:
        bad += 1
        print(repr(e), file=sys.stderr)
    time.sleep(0.002)
open(out, "w").write("%d %d %d\n" % (n, bad, again))
PY
spawn hold python3 "$T/hold.py" "$PORT" "$T/stop-hold" "$T/held"
until_ok 20 test -e "$T/held.on"
read -r PUB SECRET NONCE C < <("$PAIR" new)
call 202 POST /nodes/join-request -d "{\"hostname\":\"web-01\",\"public_key\":\"$PUB\",\"commitment\":\"$C\"}"
REQUEST=$(jq -r .request_id "$BODY")
longpoll() { # as long as it takes: on a busy machine that is longer than one poll
	until [ "$(jq -r .status "$T/longpoll" 2>/dev/null)" = active ]; do
		curl -sf -m 40 "$API/nodes/status/$REQUEST?wait=25" >"$T/longpoll" || return 1
	done
}
longpoll &
LONGPOLL=$!

OLD=$(serial) OLD_PIN=$(pin)
renew "$KEYFILE"
check "SIGHUP takes a renewed certificate" hup "limits and certificate taken"
other() { [ "$(serial)" != "$OLD" ]; }
check "which is served from then on" other
check "the same key keeps the pin" [ "$(pin)" = "$OLD_PIN" ]
check "people stay signed in" call 200 GET /auth/me -H "$(AS)"

NEW=$(serial)
openssl ecparam -name prime256v1 -genkey -noout -out "$T/other.key" 2>/dev/null
cp "$KEYFILE" "$T/good.key"
cp "$T/other.key" "$KEYFILE"
check "a key that does not fit changes nothing" hup "is not the key of the certificate"
check "the old pair is served on" [ "$(serial)" = "$NEW" ]
cp "$T/good.key" "$KEYFILE"
echo nonsense >"$CRT"
check "nor does what is no certificate" hup "is not a certificate in PEM form"
check "the log says what stays" bash -c "grep -q 'the old certificate and limits stay' '$T/master.log'"
check "the old pair is served on" [ "$(serial)" = "$NEW" ]
cp "$T/new.crt" "$CRT"
jq '.limits = {"login_per_minute": 0}' "$T/state/master.json" >"$T/bad.json"
cp "$T/state/master.json" "$T/good.json"
cat "$T/bad.json" >"$T/state/master.json"
check "a configuration that is not acceptable changes nothing" hup "limits.login_per_minute"
jq '.limits = {"login_per_minute": 2}' "$T/good.json" >"$T/two.json"
cat "$T/two.json" >"$T/state/master.json"
check "new limits are taken" hup "limits and certificate taken"
for _ in 1 2 3; do call 401 POST /auth/login -d 'username=admin&password=wrong' >/dev/null; done
check "and count" call 429 POST /auth/login -d 'username=admin&password=wrong'
cp "$T/other.key" "$KEYFILE" && renew "$KEYFILE"
check "a new key is taken too" hup "limits and certificate taken"
changed() { [ "$(pin)" != "$OLD_PIN" ]; }
check "with another pin" changed

call 200 POST "/nodes/join-request/$REQUEST/reveal" -d "{\"nonce\":\"$NONCE\"}"
call 200 GET '/nodes?state=pending' -H "$(AS)"
MASTER_NONCE=$(jq -r '.[0].id' "$BODY")
check "the decision" call 200 POST "/nodes/approve/$MASTER_NONCE" -H "$(AS)"
wait "$LONGPOLL"
check "wakes the long poll that began before the first renewal" test $? = 0
check "with the decision" jq -e '.status == "active"' "$T/longpoll"
touch "$T/stop-hold"
wait "$(cat "$T/hold.pid")"
rm -f "$T/hold.pid"
read -r N BAD AGAIN <"$T/held"
echo "# $N requests on a connection that was kept alive, $AGAIN times asked to make a new one"
check "no request was lost meanwhile" [ "$BAD" = 0 ]
check "old connections were asked to come again" [ "$AGAIN" -ge 2 ]

# ---- stopping
cat >"$T/busy.py" <<'PY'
# connections that report all the time, until the master has stopped: what were they answered?
import http.client, sys, threading, time
port, key, on = int(sys.argv[1]), sys.argv[2], sys.argv[3]
body = b'{"cpu_usage":1,"disk_usage":1,"active_backups":0}'
answers = {}
lock = threading.Lock()
def one(pause):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            c.request("POST", "/api/v1/stats", body, {"X-API-KEY": key})
            r = c.getresponse()
            r.read()
        except ConnectionRefusedError:
            return
        except (ConnectionError, http.client.HTTPException):
            c.close()
            continue
        with lock:
            answers[r.status] = answers.get(r.status, 0) + 1
            if answers[r.status] == 300:
                open(on, "w").close()
        time.sleep(pause)
threads = [threading.Thread(target=one, args=(0.01 * (i % 20),)) for i in range(120)]
for t in threads: t.start()
for t in threads: t.join()
print(" ".join("%d:%d" % a for a in sorted(answers.items())))
sys.exit(list(answers) != [200])
PY
stop_pid master
jq 'del(.tls_cert, .tls_key)' "$T/good.json" >"$T/plain.json"
cat "$T/plain.json" >"$T/state/master.json"
ROOT=http://127.0.0.1:$PORT API=http://127.0.0.1:$PORT/api/v1
master_start
login admin 'correct horse battery'
step "a machine" admit busy-01
for round in 1 2 3; do
	rm -f "$T/busy.on"
	python3 "$T/busy.py" "$PORT" "$KEY" "$T/busy.on" >"$T/busy.out" 2>&1 &
	BUSY=$!
	until_ok 20 test -e "$T/busy.on"
	stop_pid master
	wait "$BUSY"
	check "of those who report while it stops nobody is turned away ($round)" [ "$?" = 0 ]
	note "$T/busy.out"
	master_start
done
login admin 'correct horse battery'
cat >"$T/slow.py" <<'PY'
# a body that is on its way when the master is told to stop
import socket, sys, time
port, ready, go, path = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
import os
s = socket.create_connection(("127.0.0.1", port))
body = b'username=admin&password=correct horse battery'
s.sendall(b"POST " + path.encode() + b" HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:9])
open(ready, "w").close()
while not os.path.exists(go):
    time.sleep(0.01)
s.sendall(body[9:])
print(s.recv(65536).decode())
PY
python3 "$T/slow.py" "$PORT" "$T/ready" "$T/go" /api/v1/auth/login >"$T/slow.out" 2>&1 &
SLOW=$!
until_ok 10 test -e "$T/ready"
curl -sv -m 40 "$API/nodes/status/$REQUEST?wait=25" >"$T/longpoll" 2>"$T/longpoll.sent" &
LONGPOLL=$!
until_ok 10 grep -q '^> GET' "$T/longpoll.sent"
curl -sN -m 40 "$API/events" -H "$(AS)" >"$T/stream" &
STREAM=$!
until_ok 10 test -s "$T/stream"
taken() { curl -s -m 5 "$ROOT/health"; }
taken >/dev/null
kill "$(cat "$T/master.pid")"
closed() { ! taken; }
check "after SIGTERM nobody new gets in" until_ok 5 closed
touch "$T/go"
wait "$SLOW"
check "a request that was on its way is answered" grep -q "200 OK" "$T/slow.out"
check "and told that the connection ends" grep -qi "connection: close" "$T/slow.out"
gone() { ! kill -0 "$(cat "$T/master.pid")"; }
check "then the master is gone" until_ok 5 gone
wait "$LONGPOLL" && wait "$STREAM"
check "long polls and streams ended well before" [ "$?" = 0 ]
stop_pid master
check "without a warning" bash -c "! grep -q 'did not end within' '$T/master.log'"

master_start
rm -f "$T/ready" "$T/go"
python3 "$T/slow.py" "$PORT" "$T/ready" "$T/never" /api/v1/auth/login >"$T/slow.out" 2>&1 &
SLOW=$!
until_ok 10 test -e "$T/ready"
taken >/dev/null
BEGIN=$SECONDS
kill "$(cat "$T/master.pid")"
check "a client that is stuck does not hold it for long" until_ok 9 gone
check "and the log says so" grep -q "did not end within 5 s" "$T/master.log"
touch "$T/never"
wait "$SLOW" 2>/dev/null
stop_pid master
check "no error is in the log of all this but those that were asked for" bash -c "! grep -E 'error:|Sanitizer' '$T/master.log' | grep -v SIGHUP"
