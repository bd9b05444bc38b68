#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sanitize: yes
# https: a private CA, a name that does not fit, pinned keys.
. "$(dirname "$0")/../lib.sh"
TOOL=$BUILD/tests/noded/store_tool
[ -x "$TOOL" ] || { skip "S3 over https" "tests/noded/store_tool is not built"; exit 77; }
unset http_proxy https_proxy all_proxy
export FELLOE_STATE=$T/state FELLOE_S3_RETRY_MS=2
PORT=$(free_port)
"$RIGS/faulty_s3.sh" start "$T/s3" "$PORT" tls >/dev/null || exit 1
at_exit "$RIGS/faulty_s3.sh stop $T/s3"
storage() { # HOST CA
	printf '{"name":"tls","type":"s3","endpoint":"%s:%s","region":"us-east-1","bucket":"rig","access_key":"AKIARIG","secret_key":"rigsecret","ca_file":"%s"}\n' \
		"$1" "$PORT" "$2" >"$T/tls.json"
}
t() { "$TOOL" "$T/tls.json" "$@"; }
refused() { # KIND TEXT COMMAND...
	local kind=$1 text=$2
	shift 2
	run -e 1 "$@" && says "$text" && { grep -q "^$kind: " "$ERR" || { cat "$ERR"; return 1; }; }
}
head -c 20000000 /dev/urandom >"$T/big"
storage localhost "$T/s3/tls/ca.crt"
check "an endpoint without a scheme is spoken to by https" run t try
big() { t put "$T/big" big && t get big | cmp - "$T/big"; }
check "parts go over https" big
: >"$T/s3/log"
storage localhost ""
check "a certificate of a strange CA is not accepted" refused net "TLS: the certificate is not accepted" t put "$T/big" no
check "nothing was sent to it" test ! -s "$T/s3/log"
storage 127.0.0.2 "$T/s3/tls/ca.crt"
check "a host that the server does not listen on is refused" refused net "127.0.0.2:$PORT: connection refused" t try
storage localhost "$T/none.crt"
check "a CA file that is missing is named" refused net "$T/none.crt" t list

want="sha256//$(openssl x509 -in "$T/s3/tls/server.crt" -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary | base64)"
check "the pin of a stranger is shown" test "$(t pin "https://127.0.0.1:$PORT/")" = "$want"
check "a pinned key needs no CA and no name" test "$(t pinned "https://127.0.0.1:$PORT/" "$want")" = 403
check "another key is refused" refused net "TLS: the server's public key is not the pinned one" \
	t pinned "https://127.0.0.1:$PORT/" "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
check "a plain server has no pin" refused invalid "only an https server has a key" t pin "http://127.0.0.1:$PORT/"
