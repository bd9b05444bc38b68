#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Random schemas and rows, made from seeds, come back as they were out of the
# archives of a whole server, by restore and by the stock client in turn.
# FELLOE_SEEDS=N: so many schemas; FELLOE_SEED=N: the first of them.
# timeout: 200
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/site-lib.sh
. "$HERE/site-lib.sh"
# shellcheck source=tests/same-lib.sh
. "$HERE/same-lib.sh"

SEEDS=${FELLOE_SEEDS:-20} FIRST=${FELLOE_SEED:-1}
BATCH=$((SEEDS < 100 ? (SEEDS + 1) / 2 : 50))
db_server --event-scheduler=OFF
sql() { "$RIGS/mariadb.sh" sql "$T/db" "$@"; }
one_site all '*' backup

names() { seq -f 's%.0f' "$1" "$2"; } # FROM TO
make_schemas() { # FROM TO
	python3 "$HERE/schema_gen.py" "$1" "$2" | sql -f >"$T/made.log" 2>&1
	# shellcheck disable=SC2046
	describe_all $(names "$1" "$2") >"$T/before" && ! grep '^# failed' "$T/before"
}
drop_schemas() { names "$1" "$2" | sed 's/.*/DROP DATABASE &;/' | sql; } # FROM TO
by_stock_client() { # FROM TO
	local db
	for db in $(names "$1" "$2"); do
		echo "CREATE DATABASE $db; USE $db;"
		tar --zstd -xOf "$(find "$T/store" -name "all-$db-backup-*.tar.zst")" --wildcards 'db/*' || return 1
	done | sql -f --comments --max-allowed-packet=1G >"$OUT" 2>&1
	[ ! -s "$OUT" ] || { head -n 12 "$OUT"; return 1; }
}
by_restore() { noded restore all --same-names --definer keep --db-defaults "$T/my.cnf" >"$OUT" 2>&1 || { tail -n 12 "$OUT"; return 1; }; }
as_before() { # FROM TO
	# shellcheck disable=SC2046
	describe_all $(names "$1" "$2") >"$T/after" || return 1
	diff "$T/before" "$T/after" >"$T/diff" && return
	for f in before after; do awk -v to="$T/$f." '/^==: / { close(f); f = to $2 } f { print >f }' "$T/$f"; done
	for db in $(names "$1" "$2"); do
		diff "$T/before.$db" "$T/after.$db" >"$T/diff" || { echo "seed ${db#s} differs"; head -n 12 "$T/diff"; }
	done
	return 1
}
tables=0 batches=0
for ((from = FIRST; from < FIRST + SEEDS; from += BATCH)); do
	to=$((from + BATCH <= FIRST + SEEDS ? from + BATCH - 1 : FIRST + SEEDS - 1))
	rm -rf "$T/store" "$T/state" && mkdir "$T/store"
	check "schemas of the seeds $from to $to are made" make_schemas "$from" "$to"
	tables=$((tables + $(sql -N -e "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA LIKE 's%' AND TABLE_TYPE <> 'VIEW' AND TABLE_SCHEMA <> 'sys'")))
	noded backup all >"$OUT" 2>&1
	check "they are in one backup of the whole server" test $? -le 3
	drop_schemas "$from" "$to"
	if ((batches++ % 2)); then way=by_stock_client; else way=by_restore; fi
	check "they are loaded ${way//_/ }" "$way" "$from" "$to"
	check "each is as it was" as_before "$from" "$to"
	drop_schemas "$from" "$to"
done
check "most of what was made by chance was possible" test "$tables" -ge "$SEEDS"
