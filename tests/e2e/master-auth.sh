#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every row of the route table with every kind of credentials.
# timeout: 120
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../master-lib.sh"

master_init || note "$T/init.out"
for role in viewer node_admin; do
	felloe-masterd user add "$role" --state "$T/state" --role "$role" --password-file "$T/pw" >/dev/null
done
step "the master starts" master_start
login viewer 'correct horse battery'
VIEWER=$TOKEN
login node_admin 'correct horse battery'
NODE_ADMIN=$TOKEN
login admin 'correct horse battery'
SUPER=$TOKEN
admit web-01 || echo "# cannot admit a node"

SOON=$(date -u -d '+1 hour' +%FT%TZ)
api_token() { # NAME ROLE SCOPE: its text
	call 201 POST /api-tokens -H "$(AS "$SUPER")" -d "{\"name\":\"$1\",\"role\":\"$2\",\"scopes\":[\"$3\"],\"expires\":\"${4:-$SOON}\"}" >&2 && jq -r .token "$BODY"
}
READ_VIEWER=$(api_token rv viewer read) WRITE_ADMIN=$(api_token wa node_admin write)
READ_SUPER=$(api_token rs super_admin read) WRITE_SUPER=$(api_token ws super_admin write)
FOR_METRICS=$(api_token m super_admin metrics)
for s in 1 4 16; do # a busy machine may take longer to ask than the token would live
	ENDED=$(api_token e super_admin write "$(date -u -d "+$s second" +%FT%T.%3NZ)") && break
done
DELETED=$(api_token d super_admin write)
call 200 GET /api-tokens -H "$(AS "$SUPER")" && call 204 DELETE "/api-tokens/$(jq '.items[] | select(.name == "d") | .id' "$BODY")" -H "$(AS "$SUPER")"

b64() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
claims() { printf '{"sub":"admin","role":"super_admin","sid":"%s","iss":"felloe-masterd","aud":"felloe","iat":%d,"exp":%d}' "$SID" "$(date +%s)" $(($(date +%s) + $1)); }
sign() { # HEADER CLAIMS SECRET
	local text
	text=$(printf '%s' "$1" | b64).$(printf '%s' "$2" | b64)
	printf '%s.%s' "$text" "$(printf '%s' "$text" | openssl dgst -sha256 -hmac "$3" -binary | b64)"
}
HEADER='{"alg":"HS256","typ":"JWT"}'
SECRET_TEXT=$(jq -r .jwt_secret "$T/state/master.json")
SID=$(cut -d. -f2 <<<"$SUPER" | tr '_-' '/+' | sed 's/$/==/' | base64 -di 2>/dev/null | jq -r .sid)
check "a token signed here with the master's secret is as good as its own" \
	call 200 GET /auth/me -H "Authorization: Bearer $(sign "$HEADER" "$(claims 600)" "$SECRET_TEXT")"
EXPIRED=$(sign "$HEADER" "$(claims -1)" "$SECRET_TEXT")
FOREIGN=$(sign "$HEADER" "$(claims 600)" "another secret, another secret, another secret")
NONE=$(printf '{"alg":"none","typ":"JWT"}' | b64).$(claims 600 | b64).
HS512=$(sign '{"alg":"HS512","typ":"JWT"}' "$(claims 600)" "$SECRET_TEXT")

# ask WHAT WANT METHOD URL [CURL OPTIONS]: for settle, which asks all with one curl; WANT is "in", 401 or 403
ASKED=() WANTED=() ARGS=()
ask() {
	local method=$3 url=$4
	ASKED+=("$1") WANTED+=("$2")
	shift 4
	# as from elsewhere: what lies at the root answers this machine without a token
	# (a stream of events has no end, but a head; no other request follows on its connection)
	if [[ $url == */events ]]; then set -- "$@" -I -H 'Connection: close'; else set -- "$@" -X "$method"; fi
	[ ${#ARGS[@]} -eq 0 ] || ARGS+=(--next)
	ARGS+=(-s -m 60 -o /dev/null -w '%{http_code}\n' -H 'X-Forwarded-For: 192.0.2.1' "$@" "$url")
}
settle() {
	local got bad=0 i
	mapfile -t got < <(curl "${ARGS[@]}")
	for i in "${!ASKED[@]}"; do
		case ${WANTED[i]}/${got[i]:-none} in
		in/401 | in/403 | in/5?? | in/000 | in/none) ;;
		in/* | 401/401 | 403/403) continue ;;
		esac
		echo "${ASKED[i]}: answered ${got[i]:-none}, expected ${WANTED[i]}"
		bad=1
	done
	ASKED=() WANTED=() ARGS=()
	return "$bad"
}
# row METHOD URL NEED: does each kind of credentials get what the table says?
row() {
	local method=$1 url=$2 need=$3 who want
	# logout would end the session that the next row needs
	local -A as=([viewer]=$VIEWER [node_admin]=$NODE_ADMIN [super_admin]=$SUPER)
	want=401
	[ "$need" != all ] || want=in
	ask "no credentials" "$want" "$method" "$url"
	if [ "$need" = all ] && [[ $url == */auth/* ]]; then # a body decides, not a header
		settle
		return
	fi
	for who in "$EXPIRED" "$FOREIGN" "$NONE" "$HS512" garbage '' 'a.b.c' "$ENDED" "$DELETED" flt_ "${READ_SUPER}x"; do
		ask "token ${who:0:60}" "$want" "$method" "$url" -H "Authorization: Bearer $who"
	done
	ask "another scheme" "$want" "$method" "$url" -H "Authorization: Basic YWRtaW46eA=="
	case $need in
	node | all) want=in ;;
	*) want=401 ;;
	esac
	ask "a node's key" "$want" "$method" "$url" -H "X-API-KEY: $KEY"
	[ "$need" = all ] || ask "a node's key as a bearer token" 401 "$method" "$url" -H "Authorization: Bearer $KEY"
	for who in viewer node_admin super_admin; do
		case $need/$who in
		node/*) want=401 ;;
		node_admin/viewer | super_admin/viewer | super_admin/node_admin) want=403 ;;
		*) want=in ;;
		esac
		ask "$who" "$want" "$method" "$url" -H "Authorization: Bearer ${as[$who]}"
		if [ "$need" = all ]; then want=in; else want=401; fi
		ask "$who's token as a key" "$want" "$method" "$url" -H "X-API-KEY: ${as[$who]}"
	done
	[ "$need" = all ] || tokens_of_programs "$method" "$url" "$need"
	settle
}
# METHOD URL NEED: what each API token may, by its role and scopes
tokens_of_programs() {
	local method=$1 url=$2 need=$3 row name want role may rank=3 person=''
	case $need in node) rank=9 ;; viewer) rank=1 ;; node_admin) rank=2 ;; esac
	case "$method $url" in
	*/auth/me) ;;
	*/auth/*) person=yes ;;
	POST*/api-tokens | PATCH*/api-tokens/*) person=yes ;;
	esac
	for row in "1 r $READ_VIEWER" "2 rw $WRITE_ADMIN" "3 r $READ_SUPER" "3 rw $WRITE_SUPER" "3 m $FOR_METRICS"; do
		read -r role may name <<<"$row"
		want=403
		if [ "$need" = node ]; then
			want=401
		elif [ -z "$person" ] && [ "$role" -ge "$rank" ]; then
			case $method/$may in
			GET/r | GET/rw | *T/rw | PATCH/rw | DELETE/rw) want=in ;;
			GET/m) [[ $url != */metrics ]] || want=in ;;
			esac
		fi
		ask "API token ($role $may)" "$want" "$method" "$url" -H "Authorization: Bearer $name"
		ask "API token as a key" 401 "$method" "$url" -H "X-API-KEY: $name"
	done
}
ended() { call 401 GET /auth/me -H "$(AS "$ENDED")"; }
check "an API token has ended" until_ok 10 ended
ROWS=0
while read -r method path root need; do
	[ "$path" != /auth/logout ] || continue
	url=$API$path
	[ "$root" = false ] || url=$ROOT$path
	url=${url//\{id\}/987654}
	url=${url//\{uuid\}/3b241101-e2bb-4255-8caf-4136c566a962}
	check "$method $path is for $need" row "$method" "$url" "$need"
	ROWS=$((ROWS + 1))
done < <(felloe-masterd routes | jq -r '.[] | "\(.method) \(.path) \(.root) \(.role)"')
check "the whole table was walked" [ "$ROWS" = "$(felloe-masterd routes | jq 'map(select(.path != "/auth/logout")) | length')" ]
# "METHOD path role" of each row, names of parts and a last / aside; the holder of an id needs no role
rows_built() { felloe-masterd routes | jq -r '.[] | "\(.method) \(.path) \(.role)"' | sed 's/{[^}]*}/{}/g' | sort; }
rows_told() {
	sed -n 's/^| `\([A-Z]* [^`?]*\)`[^|]*| \([a-z_ ]*\) |.*/\1 \2/p' "$HERE/../docs/api.md" |
		sed 's/{[^}]*}/{}/g; s/\/ / /; s/holder of the id/all/' | sort
}
check "docs/api.md lists the same rows for the same people" bash -c "diff <(echo '$(rows_told)') <(echo '$(rows_built)')"
check "POST /auth/logout is for viewer" call 204 POST /auth/logout -H "$(AS "$VIEWER")"
check "and for nobody else" call 401 POST /auth/logout -H "$(AS "$EXPIRED")"
check "after it the token is worth nothing" call 401 GET /nodes/ -H "$(AS "$VIEWER")"
stop_pid master
