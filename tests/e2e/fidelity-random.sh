#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Random schemas and rows, made from seeds, come back as they were out of the
# archives of a whole server, by the stock client and by restore in turn.
# FELLOE_SEEDS=N: so many schemas; FELLOE_SEED=N: the first of them.
# timeout: 200
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/site-lib.sh
. "$HERE/site-lib.sh"
# shellcheck source=tests/same-lib.sh
. "$HERE/same-lib.sh"

SEEDS=${FELLOE_SEEDS:-10} FIRST=${FELLOE_SEED:-1} BATCH=100
db_server --event-scheduler=OFF
sql() { "$RIGS/mariadb.sh" sql "$T/db" "$@"; }
one_site all '*' backup

make_schemas() { # FROM TO
	local seed
	for ((seed = $1; seed <= $2; seed++)); do
		sql -e "CREATE DATABASE s$seed" || return 1
		python3 "$HERE/schema_gen.py" "$seed" | sql -f "s$seed" >"$T/made.log" 2>&1
		describe "s$seed" >"$T/before.s$seed" || { echo "seed $seed"; return 1; }
	done
}
come_back() { # FROM TO
	local seed archive failed=0
	for ((seed = $1; seed <= $2; seed++)); do
		archive=$(find "$T/store" -name "all-s$seed-backup-*.tar.zst")
		sql -e "DROP DATABASE s$seed"
		if ((seed % 2)); then
			sql -e "CREATE DATABASE s$seed"
			tar --zstd -xOf "$archive" --wildcards 'db/*' | sql --comments --max-allowed-packet=1G "s$seed" >"$OUT" 2>&1
		else
			noded restore all --db "s$seed" --to-db "s$seed" --definer keep --db-defaults "$T/my.cnf" >"$OUT" 2>&1
		fi || { echo "seed $seed is not loaded"; tail -n 8 "$OUT"; failed=1; continue; }
		describe "s$seed" >"$T/after"
		diff "$T/before.s$seed" "$T/after" >"$T/diff" || { echo "seed $seed differs"; head -n 12 "$T/diff"; failed=1; }
		sql -e "DROP DATABASE s$seed"
		rm -f "$T/before.s$seed"
	done
	return "$failed"
}
tables=0
for ((from = FIRST; from < FIRST + SEEDS; from += BATCH)); do
	to=$((from + BATCH <= FIRST + SEEDS ? from + BATCH - 1 : FIRST + SEEDS - 1))
	rm -rf "$T/store" "$T/state" && mkdir "$T/store"
	check "schemas of the seeds $from to $to are made" make_schemas "$from" "$to"
	tables=$((tables + $(sql -N -e "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA LIKE 's%' AND TABLE_TYPE <> 'VIEW' AND TABLE_SCHEMA <> 'sys'")))
	noded backup all >"$OUT" 2>&1
	check "they are in one backup of the whole server" test $? -le 3
	check "each comes back as it was" come_back "$from" "$to"
done
check "most of what was made by chance was possible" test "$tables" -ge "$SEEDS"
