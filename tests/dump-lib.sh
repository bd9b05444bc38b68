# SPDX-License-Identifier: Apache-2.0
# For tests of the dumper and the loader without an archive (tests/noded/dump_tool); after lib.sh. A dump is a folder
# with 1.sql, 2.sql ... and their names in `order`.
# shellcheck shell=bash disable=SC2034
# shellcheck source=tests/site-lib.sh
. "$HERE/site-lib.sh"
TOOL=$BUILD/tests/noded/dump_tool

sql() { mariadb --defaults-file="$T/db/my.cnf" -uroot "$@"; }
fresh() { sql -e "DROP DATABASE IF EXISTS $1; CREATE DATABASE $1"; }
# dump DB DIR [OPTIONS]: as the account $AS, else as the one that may only read
dump() {
	local db=$1 dir=$2
	shift 2
	rm -rf "$dir"
	mkdir -p "$dir"
	"$TOOL" dump "$TCP" "${AS:-backup}" "${AS:-backup}pw" "$db" "$dir" "$@"
}
# load DIR DB [OPTIONS]; agrees DIR DB: the database has the rows and digests that were dumped
load() { "$TOOL" load "$TCP" rig rigpw "$2" "$1" "${@:3}"; }
agrees() { "$TOOL" check "$TCP" rig rigpw "$2" "$1"; }
# members DIR [REGEX]: their bytes in order, as `tar -xO` gives them
members() {
	local n=0 name
	while IFS= read -r name; do
		n=$((n + 1))
		if [[ $name =~ ${2:-.} ]]; then cat "$1/$n.sql"; fi
	done <"$1/order"
}
# sums DIR: each member's name and digest, whatever the order in which they came
sums() {
	local n=0 name
	while IFS= read -r name; do
		n=$((n + 1))
		printf '%s %s\n' "$name" "$(md5sum <"$1/$n.sql")"
	done <"$1/order" | sort
}
same_members() { [ -s "$1/order" ] && diff <(sums "$1") <(sums "$2"); }
