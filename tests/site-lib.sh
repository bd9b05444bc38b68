# SPDX-License-Identifier: Apache-2.0
# For end-to-end tests with a MariaDB server of their own, and a node that backs it up; after lib.sh.
# shellcheck shell=bash disable=SC2034

# db_server [OPTIONS...]: a server that ends with the test, at $PORT and $TCP; options are mariadbd's
db_server() {
	PORT=$(free_port)
	TCP=127.0.0.1:$PORT
	at_exit "'$RIGS/mariadb.sh' stop '$T/db'"
	"$RIGS/mariadb.sh" start "$T/db" "$PORT" "$@" >"$T/rig.log" 2>&1
	case $? in
	0) ;;
	77) skip "a database server starts" "$(cat "$T/rig.log")"; exit 0 ;;
	*) check "a database server starts" bash -c "cat '$T/rig.log'; false" || exit 1 ;;
	esac
}
# one_site NAME DATABASE ACCOUNT [JQ FILTER]: $T/config.json of a node with one site, a database of $PORT, and the storage
# $T/store; $T/my.cnf is for an account that may restore. ACCOUNT is one of the rig's: backup or rig
one_site() {
	mkdir -p "$T/store"
	jq -n --arg name "$1" --arg db "$2" --arg who "$3" --arg host "127.0.0.1:$PORT" --arg store "$T/store" '{server_id: "web-01.test",
		sites: [{name: $name, db_name: $db, db_host: $host, db_user: $who, db_password: ($who + "pw")}],
		storage: [{name: "disk", type: "dir", path: $store}]}' | jq "${4:-.}" >"$T/config.json"
	chmod 600 "$T/config.json"
	printf '[client]\nuser=rig\npassword="rigpw"\nhost=127.0.0.1\nport=%s\n' "$PORT" >"$T/my.cnf"
	chmod 600 "$T/my.cnf"
}
noded() { felloe-noded -c "$T/config.json" --state "$T/state" "$@"; }
