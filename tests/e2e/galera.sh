#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Two nodes of a Galera cluster: one is backed up while the other is written to, and the copy is of one point that the
# manifest names; a node that is behind is refused; what is restored into one node is on both.
# timeout: 300
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/dump-lib.sh
. "$HERE/dump-lib.sh"
# shellcheck source=tests/same-lib.sh
. "$HERE/same-lib.sh"

PROVIDER=/usr/lib/galera/libgalera_smm.so
[ -e "$PROVIDER" ] || { skip "a cluster of two nodes" "install galera-4"; exit 0; }
PORT=$(free_port 8)
TCP=127.0.0.1:$PORT
sql() { mariadb --defaults-file="$T/db/my.cnf" -uroot "$@"; }
other() { mariadb --defaults-file="$T/n2/my.cnf" -uroot "$@"; }
# node DIR PORT [OPTIONS]: start a server as a node. Whatever keeps it waiting, the others do not take it for dead
node() {
	local dir=$1 port=$2
	shift 2
	"$RIGS/mariadb.sh" start "$T/$dir" "$port" && "$RIGS/mariadb.sh" stop "$T/$dir" || return 1
	printf '[sst]\nssl-mode=DISABLED\n' >>"$T/$dir/my.cnf"
	"$RIGS/mariadb.sh" start "$T/$dir" "$port" --wsrep-on=ON --wsrep-provider="$PROVIDER" --wsrep-cluster-name=shop \
		--wsrep-cluster-address="gcomm://127.0.0.1:$((PORT + 1)),127.0.0.1:$((PORT + 5))" --wsrep-node-name="$dir" \
		--wsrep-node-address="127.0.0.1:$((port + 1))" --wsrep-sst-method=rsync --wsrep-sst-receive-address="127.0.0.1:$((port + 3))" \
		--wsrep-provider-options="gmcast.listen_addr=tcp://127.0.0.1:$((port + 1));ist.recv_addr=127.0.0.1:$((port + 2));gcache.size=16M;\
evs.suspect_timeout=PT2M;evs.inactive_timeout=PT3M;evs.install_timeout=PT3M;gmcast.peer_timeout=PT1M" --innodb-autoinc-lock-mode=2 "$@"
}
synced() { [ "$("$1" -N -e "SHOW STATUS LIKE 'wsrep_local_state_comment'")" = $'wsrep_local_state_comment\tSynced' ]; }
at_exit "'$RIGS/mariadb.sh' stop '$T/db'"
check "a cluster begins" node db "$PORT" --wsrep-new-cluster || exit 1
at_exit "'$RIGS/mariadb.sh' stop '$T/n2'"
check "a second node joins it" node n2 $((PORT + 4)) --server-id=2 || exit 1
check "and has all" until_ok 30 synced other || exit 1

sql <<'SQL'
CREATE DATABASE bank; CREATE DATABASE vault; USE bank;
CREATE TABLE a (id INT PRIMARY KEY, v INT NOT NULL); INSERT INTO a SELECT seq, 0 FROM seq_1_to_50;
CREATE TABLE filler (id INT PRIMARY KEY, t TEXT, KEY (t(9))); INSERT INTO filler SELECT seq, REPEAT(MD5(seq), 60) FROM seq_1_to_6000;
CREATE TABLE no_key (v INT); INSERT INTO no_key VALUES (1), (1), (2);
CREATE TABLE z LIKE a; INSERT INTO z SELECT * FROM a;
CREATE TABLE vault.j (id INT AUTO_INCREMENT PRIMARY KEY);
DELIMITER //
CREATE PROCEDURE run() LOOP
	SET @i = 1 + FLOOR(RAND() * 50), @k = 1 + FLOOR(RAND() * 50); -- in WHERE it would be another one a row
	START TRANSACTION;
	UPDATE a SET v = v - 1 WHERE id = @i;
	INSERT INTO vault.j () VALUES ();
	UPDATE z SET v = v + 1 WHERE id = @k;
	COMMIT;
	DO SLEEP(0.001);
END LOOP //
SQL
one_site all '*' backup
moved() { [ "$(sql -N -e 'SELECT COUNT(*) > 20 FROM vault.j')" = 1 ]; }
stop_writer() {
	other -N -e "SELECT CONCAT('KILL ', ID, ';') FROM information_schema.PROCESSLIST WHERE DB = 'bank' AND ID <> CONNECTION_ID()" | other
	stop_pid writer
}
archive() { find "$T/store" -name "all-$1-backup-*.tar.zst" | sort | tail -n 1; }
cluster() { tar --zstd -xOf "$(archive "${2:-bank}")" manifest.json | jq -r ".database.snapshot.cluster.$1"; }
restored() { # DB COPY
	sql -e "DROP DATABASE IF EXISTS $2; CREATE DATABASE $2" && tar --zstd -xOf "$(archive "$1")" --wildcards 'db/*' | sql --comments "$2"
}
# the sums of both tables, and how far the number of transactions is from the cluster's own
sums() { sql -N -e "SELECT (SELECT SUM(v) FROM $1.a) + (SELECT SUM(v) FROM $1.z), (SELECT SUM(v) FROM $1.z) - (SELECT COUNT(*) FROM $2.j)"; }
of_one_point() {
	restored bank bank_copy && restored vault vault_copy || return 1
	[ "$(sums bank_copy vault_copy)" = $'0\t0' ] || { sums bank_copy vault_copy; return 1; }
	COUNT=$(sql -N -e 'SELECT COUNT(*) FROM vault_copy.j; DROP DATABASE bank_copy; DROP DATABASE vault_copy')
}

check "check says that the server is a node" run noded check
check "of which cluster" says 'node db of the cluster shop (2 nodes)'
check "the cluster is backed up at rest" run noded backup all
BEFORE=$(cluster seqno) UUID=$(cluster uuid)
check "the manifest has the number of the last transaction" \
	test "$BEFORE" = "$(sql -N -e "SHOW STATUS LIKE 'wsrep_last_committed'" | cut -f2)"
check "and whose it is" test "$(cluster name) $(cluster node) $(cluster exact)" = "shop db true"
spawn writer mariadb --defaults-file="$T/n2/my.cnf" -uroot bank -e 'CALL run()'
check "what is written to the other node comes to this one" until_ok 30 moved
check "it is backed up meanwhile" run noded backup all
stop_writer
step "both databases are of one point" of_one_point
check "by one number" test "$(cluster seqno)" = "$(cluster seqno vault)"
check "which is that of the transactions that are in it" test "$(($(cluster seqno) - BEFORE))" = "${COUNT:-none}"
check "the history is the same" test "$(cluster uuid)" = "$UUID"
check "the node is in step again by itself" until_ok 10 synced sql

# ---- what others do
sql bank -e "CREATE TABLE big (id INT PRIMARY KEY, t TEXT); INSERT INTO big SELECT seq, REPEAT(MD5(seq), 40) FROM seq_1_to_30000"
check "an ALTER that the cluster puts before the dump is no error of the database" \
	run -e 1 dump bank "$T/d" --at db/20-data/big.00001 --sql 'ALTER TABLE big ADD COLUMN x INT DEFAULT 3'
check "but a reason to begin again" says 'conflict: '
sql bank -e "DROP TABLE big; CREATE TABLE own (id INT PRIMARY KEY) ENGINE=MyISAM; INSERT INTO own VALUES (1)"
check "a table that is not kept the same on all nodes" run dump bank "$T/d"
check "is a warning" says '1 table of `bank` has rows that the cluster does not keep the same on all nodes, `own` (MyISAM) first of all'

# ---- nodes whose data may be old
sql -e "SET GLOBAL wsrep_desync=ON"
check "a node that may be behind is refused" run -e 1 noded backup all
check "with the way out" says 'node db of the cluster shop (2 nodes) is behind the others (wsrep_local_state_comment Donor/Desynced)'
sql -e "SET GLOBAL wsrep_desync=OFF"
check "it is in step again" until_ok 10 synced sql

# ---- back
sql -e "DROP TABLE bank.own"
check "the cluster is backed up at rest again" run noded backup all
describe bank >"$T/before"
check "a restore into the cluster" run noded restore all --db bank --to-db again --db-defaults "$T/my.cnf"
cp "$OUT" "$T/out.restore" && cat "$ERR" >>"$T/out.restore"
check "all of it is on this node" same_db "$T/before" again
on_the_other() (
	sql() { other "$@"; }
	same_db "$T/before" again
)
check "and on the other" on_the_other
check "that is said" grep -F "$T/out.restore" -e 'the server is node db of the cluster shop (2 nodes): all nodes get the copy'
sql -e "SET GLOBAL wsrep_max_ws_rows=1000"
check "a limit of rows is in the way of a restore" run -e 1 noded restore all --db bank --to-db more --db-defaults "$T/my.cnf"
check "with the way out" says 'SET GLOBAL wsrep_max_ws_rows=0 while it runs'
check "the other loses its cluster" other -e "SET GLOBAL wsrep_cluster_address=''"
PORT=$((PORT + 4)) one_site all '*' backup
check "then it is refused" run -e 1 noded backup all
check "with the way out" says 'has no cluster now (wsrep_cluster_status '
check "check says so too" run -e 1 noded check
check "in the same words" says 'what it has may be old; back up another node, or bring the cluster together first'

# ---- no cluster, though the configuration has a rest of one
"$RIGS/mariadb.sh" stop "$T/n2"
check "a server with wsrep_on and without a provider" "$RIGS/mariadb.sh" start "$T/n2" $((PORT + 4)) --wsrep-on=ON
check "is no node, and is backed up" run noded backup all
