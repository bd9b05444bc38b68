# SPDX-License-Identifier: Apache-2.0
# For end-to-end tests with nodes, to be sourced after master-lib.sh: scratch nodes and their agents.
# shellcheck shell=bash
# node NAME [JQ FILTER]: a node with a configuration and a state folder of its own
node() {
	mkdir -p "$T/$1/www" "$T/$1/store" && echo hello >"$T/$1/www/index.html"
	jq -n --arg n "$1" --arg t "$T/$1" --arg url "$ROOT" '{server_id: $n, heartbeat_s: 1, master: {url: $url},
		sites: [{name: "shop", paths: [$t + "/www"]}], storage: [{name: "disk", type: "dir", path: ($t + "/store")}]}' |
		jq "${2:-.}" >"$T/$1/config.json"
	chmod 600 "$T/$1/config.json"
}
noded() { # NAME VERB...
	local n=$1 verb=$2
	shift 2
	felloe-noded "$verb" -c "$T/$n/config.json" --state "$T/$n/state" "$@"
}
agent() { spawn "$1-agent" felloe-noded agent -c "$T/$1/config.json" --state "$T/$1/state"; }
# enrol NAME [JQ FILTER]: such a node joins and is approved; $NODE is its number
enrol() {
	node "$@" && noded "$1" join >"$T/$1/join.out" 2>&1 || { cat "$T/$1/join.out"; return 1; }
	call 200 GET "/nodes/?state=pending" -H "$(AS)" || return 1
	NODE=$(jq -r --arg n "$1" '.[] | select(.hostname == $n) | .id' "$BODY")
	call 200 POST "/nodes/approve/$NODE" -H "$(AS)" || return 1
	noded "$1" join --wait=20 >"$T/$1/join.out" 2>&1 || { cat "$T/$1/join.out"; return 1; }
}
# node_is NUMBER FILTER VALUE
node_is() { call 200 GET "/nodes/$1" -H "$(AS)" && is "$2" "$3"; }
hears() { grep -qF -- "$2" "$T/$1-agent.log" || { tail -n 20 "$T/$1-agent.log"; return 1; }; }
status_says() { noded "$1" status >"$T/$1/status" 2>&1; grep -qF -- "$2" "$T/$1/status" || { cat "$T/$1/status"; return 1; }; }
