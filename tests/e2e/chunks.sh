#!/bin/bash
# Rows read over several connections, in chunks: the same rows, digests and
# sanitize: yes
# members as over one connection, and a reader that fails ends all.
. "$(dirname "$0")/../lib.sh"

if ! command -v mariadbd >/dev/null; then
	skip "tables are read in parallel" "install mariadb-server"
	exit 0
fi
TOOL=$BUILD/tests/noded/dump_tool
PORT=$(free_port)
at_exit "'$RIGS/mariadb.sh' stop '$T/db'"
"$RIGS/mariadb.sh" start "$T/db" "$PORT" >"$T/rig.log" 2>&1 || { note "$T/rig.log"; exit 1; }
TCP=127.0.0.1:$PORT

sql() { mariadb --defaults-file="$T/db/my.cnf" -uroot "$@"; }
dump() { # DB DIR [options]
	local db=$1 dir=$2
	shift 2
	rm -rf "$dir"
	mkdir -p "$dir"
	"$TOOL" dump "$TCP" backup backuppw "$db" "$dir" "$@"
}
fresh() { sql -e "DROP DATABASE IF EXISTS $1; CREATE DATABASE $1"; }
# sums DIR: each member's name and digest, whatever the order in which they came
sums() {
	local n=0 name
	while IFS= read -r name; do
		n=$((n + 1))
		printf '%s %s\n' "$name" "$(md5sum <"$1/$n.sql")"
	done <"$1/order" | sort
}
same_members() { diff <(sums "$1") <(sums "$2"); }

fresh many
{
	for i in $(seq 40); do
		echo "CREATE TABLE t$i (id INT PRIMARY KEY, v TEXT); INSERT INTO t$i SELECT seq, REPEAT(MD5(seq * $i), 5) FROM seq_1_to_$((i * 40));"
	done
	echo "CREATE TABLE big (id INT AUTO_INCREMENT PRIMARY KEY, v TEXT); INSERT INTO big SELECT seq, REPEAT(MD5(seq), 20) FROM seq_1_to_40000;"
} >"$T/many.sql"
sql many <"$T/many.sql"

check "a dump over one connection" run dump many "$T/one"
check "a dump over four" run dump many "$T/four" --connections 4
check "is read by several threads" bash -c "[ \"\$(sed -n 's/.* readers //p' '$OUT')\" -gt 1 ]"
check "both have the same members, byte for byte" same_members "$T/one" "$T/four"
check "and the same rows and digests in the same order" cmp "$T/one/tables" "$T/four/tables"
check "what came over four is taken back" run "$TOOL" load "$TCP" rig rigpw back "$T/four"
check "and agrees" run "$TOOL" check "$TCP" rig rigpw back "$T/four"

# ---- one fails
check "a reader that loses its connection ends all" \
	run -e 1 dump many "$T/m" --connections 3 --at db/20-data/big.00001 --sql 'KILL USER backup@127.0.0.1'
check "and says why" says 'net: '
check "with no footer" bash -c "! grep -q footer '$T/m/order'"
check "so does a table that vanished" run -e 1 dump many "$T/m" --connections 3 --at db/10-schema/2-tables/t9 --sql 'DROP TABLE t9'
check "that names it" says 't9'
check "a stop ends all readers" run -e 1 dump many "$T/m" --connections 3 --stop db/20-data/big.00001
check "as aborted" says 'aborted: '
