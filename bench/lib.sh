# SPDX-License-Identifier: Apache-2.0
# What the benchmarks share: a scratch folder $T that is gone at the end, what
# was started and has to be stopped, measured commands, medians, a table.
# shellcheck shell=bash
set -euo pipefail
export LC_ALL=C.UTF-8
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
T=$(mktemp -d "${TMPDIR:-/tmp}/felloe-bench.XXXXXX") && chmod 755 "$T"
PIDS=() RIGS=()
finish() {
	local each
	for each in "${PIDS[@]}"; do kill "$each" 2>/dev/null && wait "$each" 2>/dev/null || true; done
	for each in "${RIGS[@]}"; do "$ROOT/tests/rigs/$each.sh" stop "$T/$each" >/dev/null 2>&1 || true; done
	rm -rf "$T"
}
trap finish EXIT
trap 'exit 130' INT TERM

need() { local tool; for tool; do command -v "$tool" >/dev/null || { echo "$tool is missing; see docs/benchmarks.md" >&2; exit 77; }; done; }
# rig NAME [OPTIONS]: a server of tests/rigs in $T/NAME, on $PORT
rig() {
	PORT=$((20000 + RANDOM % 30000))
	RIGS+=("$1")
	"$ROOT/tests/rigs/$1.sh" start "$T/$1" $PORT "${@:2}" >"$T/rig.log" 2>&1 || { cat "$T/rig.log" >&2; exit 1; }
}
sql() { mariadb --defaults-file="$T/mariadb/my.cnf" -uroot "$@"; }
# measure NAME COMMAND...: one line "NAME wall cpu rss_kb" into $T/figures. CPU is that of all
# processes of the command, RSS that of its largest.
measure() {
	/usr/bin/time -o "$T/time" -f '%e %U %S %M' "${@:2}" >"$T/out" 2>"$T/err" || { cat "$T/err" >&2; exit 1; }
	awk -v n="$1" '{print n, $1, $2 + $3, $4}' "$T/time" >>"$T/figures"
}
median() { awk -v n="$1" -v c="$2" '$1 == n {print $c}' "$T/figures" | sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
# table LEFT RIGHT: medians of both with labels and sizes LABEL[NAME], SIZE[NAME], and their ratio
declare -A LABEL SIZE
table() {
	local n
	printf '%-34s %9s %9s %9s %14s\n' "median of $RUNS" "wall s" "CPU s" "RSS MiB" "bytes"
	for n; do
		printf '%-34s %9.2f %9.2f %9.1f %14s\n' "${LABEL[$n]}" "$(median "$n" 2)" "$(median "$n" 3)" \
			"$(awk -v k="$(median "$n" 4)" 'BEGIN {print k / 1024}')" "${SIZE[$n]:-}"
	done
	awk -v a="$(median "$1" 2)" -v b="$(median "$2" 2)" -v c="$(median "$1" 3)" -v d="$(median "$2" 3)" \
		'BEGIN {printf "%-34s %9.2f %9.2f\n", "ratio", a / b, c / d}'
}

# fill_shop MEGABYTES: a database "shop" of about that much SQL, short rows and long texts
fill_shop() {
	local rows=$(($1 * 1000000 / 660))
	echo "filling $rows orders and $((rows / 4)) posts ..." >&2
	sql <<-SQL
		CREATE DATABASE shop; USE shop;
		CREATE TABLE wp_orders (id bigint unsigned AUTO_INCREMENT PRIMARY KEY, customer int NOT NULL, total decimal(12,2) NOT NULL,
		  weight float, placed datetime NOT NULL, note text, token varbinary(32), KEY customer (customer)) ENGINE=InnoDB;
		CREATE TABLE wp_posts (id bigint unsigned AUTO_INCREMENT PRIMARY KEY, title text, body longtext) ENGINE=InnoDB;
		INSERT INTO wp_orders (customer,total,weight,placed,note,token)
		  SELECT seq % 9973, seq / 7, seq / 3, TIMESTAMPADD(SECOND, seq, '2020-01-01'),
		    CONCAT('Order ', seq, ': ', SHA2(seq,224), ' it''s "fine"\n'), UNHEX(SHA2(seq,256)) FROM seq_1_to_$rows;
		INSERT INTO wp_posts (title, body)
		  SELECT CONCAT('Post ', seq), REPEAT(CONCAT('<p>Paragraph ', seq, ' ', MD5(seq), '</p>\n'), 40) FROM seq_1_to_$((rows / 4));
		-- written out now, not while something is measured
		FLUSH TABLES wp_orders, wp_posts FOR EXPORT;
		UNLOCK TABLES;
	SQL
}
# node_config SITE_JSON [CONNECTIONS]: config.json of a node with one site and a directory for its archives
node_config() {
	mkdir -p "$T/store"
	printf '{"server_id":"bench","sites":[%s],"storage":[{"name":"disk","type":"dir","path":"%s"}],"limits":{"mysql_connections":%s}}\n' \
		"$1" "$T/store" "${2:-2}" >"$T/config.json"
	chmod 600 "$T/config.json"
}
shop_site() { printf '{"name":"shop","db_host":"localhost:%s","db_name":"shop","db_user":"backup","db_password":"backuppw"}' "$T/mariadb/mysql.sock"; }
noded() { "$BUILD/felloe-noded" "$1" -c "$T/config.json" --state "$T/state" "${@:2}"; }
