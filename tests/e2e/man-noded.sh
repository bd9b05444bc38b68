#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The manual pages of the node are clean and name every verb, option and key.
. "$(dirname "$0")/../lib.sh"
PAGE=$HERE/../man/felloe-noded.8
CONFIG_PAGE=$HERE/../man/felloe-config.5

clean() { # with pipefail the status of mandoc would hide that of grep
	mandoc -Tlint "$@" 2>/dev/null | grep -v 'referenced manual not found' >"$T/lint"
	[ ! -s "$T/lint" ] || { cat "$T/lint"; return 1; }
}
if command -v mandoc >/dev/null; then
	check "mandoc finds nothing wrong" clean "$PAGE" "$CONFIG_PAGE"
else
	skip "mandoc finds nothing wrong" "mandoc is missing: apt-get install mandoc"
fi

felloe-noded --help >"$OUT"
VERBS=$(sed -n 's/^  \([a-z]\{3,\}\).*/\1/p' "$OUT")
check "the help lists the verbs" test "$(wc -w <<<"$VERBS")" -ge 7
check "the help is at most 80 columns wide" awk 'length > 80 { exit 1 }' "$OUT"
for verb in $VERBS; do
	felloe-noded "$verb" --help >"$OUT"
	check "felloe-noded $verb --help is at most 80 columns wide" awk 'NR > 1 && length > 80 { exit 1 }' "$OUT"
	missing=
	for option in $(grep -oE '^ {2}(-[a-z],|   ) --[a-z-]+' "$OUT" | grep -oE -- '--[a-z-]+'); do
		grep -qE -- "Fl -${option#--}( |\$)" "$PAGE" || missing+=" $option"
	done
	grep -qx ".Ss $verb" "$PAGE" || missing+=" verb:$verb"
	check "the page names all of felloe-noded $verb$missing" test -z "$missing"
done

# every key that the program knows stands in the page and in docs/config.md
KEYS=$(grep -oE '(STR|SECRET|INT|NUM|LIST|OTHER)\("[a-z_0-9]+"|\.key = "[a-z_]+"' "$HERE/../noded/config.c" | grep -oE '"[a-z_0-9]+"' | tr -d '"' | sort -u)
check "the program knows its keys" test "$(wc -w <<<"$KEYS")" -ge 60
names_all() {
	local key missing=
	for key in $KEYS; do grep -qw -- "$key" "$1" || missing+=" $key"; done
	[ -z "$missing" ] || { echo "missing:$missing"; return 1; }
}
check "felloe-config(5) names every key" names_all "$CONFIG_PAGE"
check "docs/config.md names every key" names_all "$HERE/../docs/config.md"
