#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The master over TLS with a certificate of its own, and with broken ones.
# timeout: 120
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../master-lib.sh"
command -v openssl >/dev/null || { skip "the master over TLS" "apt-get install openssl"; exit 0; }

ROOT=https://127.0.0.1:$PORT
API=$ROOT/api/v1
mode() { [ "$(stat -c %a "$1")" = "$2" ]; }
master_up() { curl -sf -m 2 --cacert "$T/state/master.crt" "$ROOT/ready"; }

check "init --self-signed makes a pair" master_init --self-signed
check "whose key is for its owner alone" mode "$T/state/master.key" 600
PIN=$(grep -o 'sha256//[A-Za-z0-9+/=]*' "$T/init.out")
SPKI=$(openssl x509 -in "$T/state/master.crt" -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64)
check "init prints the SHA-256 of its public key as openssl computes it" [ "$PIN" = "sha256//$SPKI" ]
check "check prints it too" run felloe-masterd check --state "$T/state"
check "the very same" says "$PIN"
check "the certificate is for loopback and names itself" openssl verify -CAfile "$T/state/master.crt" -verify_ip 127.0.0.1 "$T/state/master.crt"
check "it lasts for years" openssl x509 -in "$T/state/master.crt" -noout -checkend $((9 * 365 * 86400))
step "the master starts" master_start
check "a client with the pin needs no CA" curl -sf -m 40 -k --pinnedpubkey "$PIN" "$ROOT/health"
WRONG=sha256//$(printf x | openssl dgst -sha256 -binary | base64)
check "a client with another pin turns away" run -e 90 curl -sf -m 40 -k --pinnedpubkey "$WRONG" "$ROOT/health"
check "a client without either turns away" run -e 60 curl -sf -m 40 "$ROOT/health"
check "TLS 1.1 is not spoken" bash -c "! openssl s_client -connect 127.0.0.1:$PORT -tls1_1 </dev/null 2>&1 | grep -q 'Cipher is [^(]'"
check "TLS 1.3 is" bash -c "openssl s_client -connect 127.0.0.1:$PORT -tls1_3 </dev/null 2>&1 | grep -q 'Cipher is TLS_'"
check "plain HTTP on the TLS port harms nobody" run -e 52 curl -s -m 40 "http://127.0.0.1:$PORT/health"
export CURL_CA_BUNDLE=$T/state/master.crt
step "the admin signs in" login admin 'correct horse battery'
step "a machine pairs" join web-01
call 200 GET "/nodes/?state=pending" -H "$(AS)"
check "with a code that is bound to the TLS key" is '.[0].code' "$("$PAIR" code "$PUB" "$NONCE" "$MASTER_NONCE" "$REQUEST" "$SPKI")"
other() { [ "$(jq -r '.[0].code' "$BODY")" != "$("$PAIR" code "$PUB" "$NONCE" "$MASTER_NONCE" "$REQUEST")" ]; }
check "so that it differs from one over plain HTTP" other
stop_pid master

openssl ecparam -name prime256v1 -genkey -noout -out "$T/state/master.key" 2>/dev/null
check "a key that does not fit its certificate is refused" run -e 2 felloe-masterd --state "$T/state"
check "by name" says "master.crt"
echo nonsense >"$T/state/master.crt"
check "what is no certificate too" run -e 2 felloe-masterd check --state "$T/state"
check "in plain words" says "is not a certificate in PEM form"
chmod 644 "$T/state/master.key"
check "a key that everybody may read is refused" run -e 2 felloe-masterd check --state "$T/state"
check "with the command to run" says "chmod o= "
