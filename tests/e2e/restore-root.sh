#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The account of a site may read, not make schemas: root over the socket does it.
. "$(dirname "$0")/../lib.sh"
[ "$(id -u)" = 0 ] || { skip "a restore that root makes" "needs root"; exit 0; }

PORT=$(free_port)
at_exit "'$RIGS/mariadb.sh' stop '$T/db'"
check "a database server starts" "$RIGS/mariadb.sh" start "$T/db" "$PORT" || exit 1
sql() { "$RIGS/mariadb.sh" sql "$T/db" "$@"; }
sql <<'SQL'
CREATE DATABASE shop; USE shop;
CREATE TABLE t (id int PRIMARY KEY, v varchar(40));
INSERT INTO t SELECT seq, MD5(seq) FROM seq_1_to_500;
CREATE DEFINER='rig'@'localhost' VIEW v AS SELECT id FROM t WHERE id < 10;
CREATE USER 'site'@'localhost' IDENTIFIED BY 'sitepw'; GRANT ALL ON shop.* TO 'site'@'localhost';
CREATE USER 'site'@'127.0.0.1' IDENTIFIED BY 'sitepw'; GRANT ALL ON shop.* TO 'site'@'127.0.0.1';
SQL
mkdir -p "$T/store"
noded() { felloe-noded "$1" --state "$T/state" -c "$T/${CONFIG:-socket}.json" "${@:2}"; }
config() { # NAME HOST
	jq -n --arg t "$T" --arg host "$2" '{server_id: "web-01", sites: [{name: "shop", db_name: "shop", db_host: $host,
		db_user: "site", db_password: "sitepw"}], storage: [{name: "disk", type: "dir", path: ($t + "/store")}]}' >"$T/$1.json"
	chmod 600 "$T/$1.json"
}
config socket "localhost:$T/db/mysql.sock"
config tcp "127.0.0.1:$PORT"
same() { [ "$(sql -N -e "CHECKSUM TABLE shop.t, $1.t" | cut -f 2 | sort -u | wc -l)" = 1 ]; }

check "the site's own account backs it up" run noded backup
check "it may not make a schema" bash -c "! mariadb --no-defaults -S '$T/db/mysql.sock' -usite -psitepw -e 'CREATE DATABASE copy' 2>/dev/null"
check "root restores it over the socket" run noded restore shop --to-db copy_socket
check "which is said" says "trying root over the socket"
check "with the reason" says "site"
check "the copy is the same" same copy_socket
check "its view works" test "$(sql -N -e 'SELECT count(*) FROM copy_socket.v')" = 9
CONFIG=tcp
check "an account over TCP: the server's own socket is found" run noded restore shop --to-db copy_tcp
check "the copy is the same too" same copy_tcp
check "a dry run says who would do it" run noded restore shop --to-db copy_dry --dry-run
check "in words" says "root"

# what listens on the path of the socket is another server: as with a port that leads into a container
at_exit "'$RIGS/mariadb.sh' stop '$T/db2'"
check "another server starts" "$RIGS/mariadb.sh" start "$T/db2" "$(free_port)"
mv "$T/db/mysql.sock" "$T/db/own.sock" && ln -s "$T/db2/mysql.sock" "$T/db/mysql.sock"
check "the root of another server is not taken" run -e 5 noded restore shop --to-db copy_wrong
check "which is said" says "another server"
check "nothing was made there" test -z "$(mariadb --no-defaults -S "$T/db2/mysql.sock" -uroot -N -e "SHOW DATABASES LIKE 'copy_wrong'")"
mv "$T/db/own.sock" "$T/db/mysql.sock"

check "an account that is given is not replaced" run -e 5 noded restore shop --to-db copy_no \
	--db-host "127.0.0.1:$PORT" --db-user site --db-password-file <(echo sitepw)
check "it is named" says "site"
check "and nothing was made" test -z "$(sql -N -e "SHOW DATABASES LIKE 'copy_no'")"
