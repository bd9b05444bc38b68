#!/bin/bash
# The manual page of felloe is clean and names every verb and option.
. "$(dirname "$0")/../lib.sh"
PAGE=$HERE/../man/felloe.1

clean() { # with pipefail the status of mandoc would hide that of grep
	mandoc -Tlint "$PAGE" 2>/dev/null | grep -v 'referenced manual not found' >"$T/lint"
	[ ! -s "$T/lint" ] || { cat "$T/lint"; return 1; }
}
if command -v mandoc >/dev/null; then check "mandoc finds nothing wrong" clean; else skip "mandoc finds nothing wrong" "mandoc is missing: apt-get install mandoc"; fi

run felloe --help
verbs=$(sed -n 's/^  \([a-z-]\{3,\}\).*/\1/p' "$OUT")
check "the help lists the verbs" test "$(wc -w <<<"$verbs")" -ge 12
for verb in "" $verbs; do
	# shellcheck disable=SC2086
	run felloe $verb --help
	check "felloe ${verb:-alone} --help is at most 80 columns wide" awk 'length > 80 { exit 1 }' "$OUT"
	missing=
	for option in $(grep -oE '^ {2}(-[a-z],|   ) --[a-z-]+' "$OUT" | grep -oE -- '--[a-z-]+'); do
		grep -qF -- "Fl -${option#--}" "$PAGE" || missing+=" $option"
	done
	[ -z "$verb" ] || grep -qE "^\.(Cm|It Cm) .*\b$verb\b" "$PAGE" || missing+=" verb:$verb"
	check "the page names all of felloe ${verb:-alone}$missing" test -z "$missing"
done
