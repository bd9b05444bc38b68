#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A private PostgreSQL server on loopback, from Debian's packages.
#   postgres.sh start DIR PORT [safe]   make it once, start it; safe: with fsync
#   postgres.sh stop  DIR [TERM|INT|QUIT|KILL]   (INT, the default, ends connections; KILL ends every process of it)
#   postgres.sh env   DIR               what a client needs: PGHOST, PGPORT, PG_URI ...
#   postgres.sh sql   DIR [psql OPTIONS]
# It runs as user postgres when this is root, else as whoever this is. A package
# that is missing ends it with status 77; nothing is installed from here.
. "$(dirname "$(readlink -f "$0")")/_lib.sh"
PATH=$SYSPATH
VERSION=15
BIN=/usr/lib/postgresql/$VERSION/bin
usage() { sed -n '4,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
[ $# -ge 2 ] || usage
VERB=$1 DIR=$2
shift 2
AS=()
if [ "$(id -u)" = 0 ]; then AS=(setpriv --reuid=postgres --regid=postgres --init-groups --); fi

make_cluster() {
	mkdir -p "$DIR/cluster"
	(umask 077 && od -An -N12 -tx1 /dev/urandom | tr -d ' \n' >"$DIR/cluster/password")
	[ ${#AS[@]} -eq 0 ] || chown -R postgres: "$DIR/cluster"
	(cd "$DIR/cluster" && "${AS[@]}" "$BIN/initdb" --pgdata=data --username=rig --pwfile=password --encoding=UTF8 \
		--locale=C.UTF-8 --no-sync --auth-local=trust --auth-host=scram-sha-256) >"$DIR/initdb.log" 2>&1 ||
		{ tail -n 20 "$DIR/initdb.log" >&2; die "initdb failed"; }
	echo "include = 'rig.conf'" >>"$DIR/cluster/data/postgresql.conf"
}
configure() { # PORT [safe]
	cat <<-END
		listen_addresses = '127.0.0.1'
		port = $1
		unix_socket_directories = '$DIR'
		max_connections = 60
		shared_buffers = 64MB
		log_min_messages = warning
	END
	# what was committed outlives the server's processes all the same, not the machine
	[ "${2:-}" = safe ] || printf '%s = off\n' fsync full_page_writes
}
ready() { "$BIN/pg_isready" -q -h "$DIR" -p "$1"; }
start() {
	local port=${1:?PORT}
	need_pkgs postgresql-$VERSION postgresql-client-$VERSION
	DIR=$(abs_dir "$DIR")
	# sun_path of unix(7) has 108 bytes; the server adds a name of its own
	[ ${#DIR} -le 85 ] || die "$DIR is too long for a socket"
	if [ ! -s "$DIR/data/PG_VERSION" ]; then
		if [ ${#AS[@]} -gt 0 ]; then
			chown postgres: "$DIR"
			"${AS[@]}" test -w "$DIR" || die "user postgres cannot write to $DIR"
		fi
		from_template postgres "$DIR/cluster" make_cluster
		mv "$DIR/cluster/data" "$DIR/cluster/password" "$DIR"
		rmdir "$DIR/cluster"
	fi
	configure "$@" >"$DIR/data/rig.conf"
	touch "$DIR/server.log"
	[ ${#AS[@]} -eq 0 ] || chown postgres: "$DIR/server.log" "$DIR/data/rig.conf"
	cd "$DIR"
	spawn "$DIR/server.log" "${AS[@]}" "$BIN/postgres" -D "$DIR/data"
	wait_up 30 ready "$port" || { tail -n 20 "$DIR/server.log" >&2; die "the server did not start"; }
	# also after a start that failed
	[ -s "$DIR/env" ] || psql -qX -h "$DIR" -p "$port" -U rig -d postgres -c 'CREATE DATABASE rig'
	cat >"$DIR/env" <<-END
		PGHOST=127.0.0.1
		PGPORT=$port
		PGUSER=rig
		PGPASSWORD=$(cat "$DIR/password")
		PGDATABASE=rig
		PG_SOCKETS=$DIR
		PG_URI=postgresql://rig:$(cat "$DIR/password")@127.0.0.1:$port/rig
	END
	cat "$DIR/env"
}
stop() {
	local how=${1:-INT} pid child children=()
	[ -s "$DIR/data/postmaster.pid" ] || return 0
	pid=$(head -n 1 "$DIR/data/postmaster.pid")
	[ "$how" != KILL ] || mapfile -t children < <(ps -o pid= --ppid "$pid")
	echo "$pid" >"$DIR/stop.pid"
	stop_pidfile "$DIR/stop.pid" "$DIR/data" "$how" 30
	# what outlives its postmaster keeps the data directory busy
	for child in "${children[@]}"; do kill -s KILL "$child" 2>/dev/null || true; done
	for child in "${children[@]}"; do wait_for 10 bash -c "! kill -0 $child 2>/dev/null" || true; done
	[ "$how" != KILL ] || rm -f "$DIR/data/postmaster.pid"
}
case $VERB in
start) start "$@" ;;
stop) DIR=$(cd "$DIR" && pwd -P); stop "$@" ;;
env) cat "$DIR/env" ;;
sql)
	. "$DIR/env"
	export PGDATABASE
	exec psql -qX -h "$PG_SOCKETS" -p "$PGPORT" -U rig "$@"
	;;
*) usage ;;
esac
