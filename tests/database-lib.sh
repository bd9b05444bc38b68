# SPDX-License-Identifier: Apache-2.0
# Where a test's master keeps its data: SQLite, or a PostgreSQL server of the
# test's own with FELLOE_TEST_DATABASE=postgresql. scripts/test runs every test
# that sources this file on both. Needs tests/lib.sh.
# shellcheck shell=bash disable=SC2034
STORE=${FELLOE_TEST_DATABASE:-sqlite}
DATABASE=()                 # options of felloe-masterd init
PG_URI='' PG_DIR=$T/pg
case $STORE in
sqlite) ;;
postgresql)
	VERSION=$(felloe-masterd --version) || exit 1
	[[ $VERSION == *PostgreSQL* ]] || { skip "a master on PostgreSQL" "built without libpq"; exit 0; }
	PG_PORT=$(free_port)
	at_exit "'$RIGS/postgres.sh' stop '$PG_DIR'"
	"$RIGS/postgres.sh" start "$PG_DIR" "$PG_PORT" >"$T/pg.log" 2>&1
	case $? in
	0) ;;
	77) skip "a master on PostgreSQL" "$(cat "$T/pg.log")"; exit 0 ;;
	*) note "$T/pg.log"; exit 1 ;;
	esac
	PG_URI=$(sed -n 's/^PG_URI=//p' "$PG_DIR/env")
	DATABASE=(--database "$PG_URI")
	;;
*) echo "FELLOE_TEST_DATABASE is sqlite or postgresql, not $STORE" >&2; exit 2 ;;
esac

pg_sql() { "$RIGS/postgres.sh" sql "$PG_DIR" -v ON_ERROR_STOP=1 "$@"; }
# database_sql FILE STATEMENT: rows of the master's database, columns apart by |; FILE is where SQLite keeps it
database_sql() {
	if [ -n "$PG_URI" ]; then pg_sql -tAc "$2"; else sqlite3 "file:$1?mode=ro" "$2"; fi
}
# database_change FILE STATEMENT: behind the master's back
database_change() {
	if [ -n "$PG_URI" ]; then pg_sql -c "$2"; else sqlite3 -cmd '.timeout 5000' "$1" "$2"; fi
}
# database_dump FILE: all that is stored
database_dump() {
	if [ -n "$PG_URI" ]; then pg_dump -h "$PG_DIR" -p "$PG_PORT" -U rig rig; else cat "$1"*; fi
}
# database_lacks FILE TEXT: nothing that is stored contains it
database_lacks() { database_dump "$1" >"$T/dump" && [ -s "$T/dump" ] && ! grep -aqF -- "$2" "$T/dump"; }
# database_fork FILE STATEMENT: a copy that differs by the statement; its address is in $FORK
FORK=''
database_fork() {
	if [ -n "$PG_URI" ]; then
		FORK=${PG_URI%/rig}/fork
		pg_sql -d postgres -c 'DROP DATABASE IF EXISTS fork' -c 'CREATE DATABASE fork' || return 1
		database_dump "" | pg_sql -d fork && pg_sql -d fork -c "$2"
	else
		rm -f "$T"/fork.db*
		FORK=sqlite:$T/fork.db
		sqlite3 "$1" ".backup '$T/fork.db'" && sqlite3 "$T/fork.db" "$2"
	fi
}
