#!/usr/bin/env bash
# The tools that judge us can say no: tests/run and scripts/check-*.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

# ---- tests/run
tap() { # NAME TEXT: a test program
	printf '#!/bin/bash\n%s\n' "$2" >"$T/$1"
	chmod +x "$T/$1"
}
tap good 'echo "ok 1 - a"; echo "ok 2 - b # SKIP no server"; echo 1..2'
tap bad 'echo "ok 1 - a"; echo "not ok 2 - the sky is green"; echo 1..2; exit 1'
tap crash 'echo 1..2; echo "ok 1 - a"; kill -SEGV $$'
tap silent 'exit 0'
tap short 'echo 1..3; echo "ok 1 - a"'
tap liar 'echo "ok 1 - a"; echo 1..1; exit 3'
tap hangs 'sleep 300 & echo $! >"$0.child"; echo "ok 1 - a"; wait'
ended() { ! kill -0 "$(cat "$T/hangs.child")" 2>/dev/null || grep -q '^State:[[:space:]]*Z' "/proc/$(cat "$T/hangs.child")/status"; }

check "all good ends with the total and status 0" run "$HERE/run" "$T/good"
check "skips are counted apart" test "$(tail -n 1 "$OUT")" = "1 passed, 0 failed, 1 skipped"
check "one failure is status 1" run -e 1 "$HERE/run" "$T/good" "$T/bad"
check "what a failed program said is shown whole" says "not ok 2 - the sky is green"
check "its failure is counted" test "$(tail -n 1 "$OUT")" = "2 passed, 1 failed, 1 skipped"
for broken in crash silent short liar; do
	check "a program that does not end well is a failure: $broken" run -e 1 "$HERE/run" "$T/$broken"
done
check "a hanging program is ended" run -e 1 "$HERE/run" -t 1 "$T/hangs"
check "and said to have taken too long" says "took too long"
check "with all that it started" until_ok 10 ended
check "--tally gathers numbers instead of printing them" run "$HERE/run" --tally "$T/tally" "$T/good"
check "one line a call" test "$(cat "$T/tally")" = "1 0 1"
tap busy 'i=0; while [ $i -lt 60000 ]; do i=$((i + 1)); done; echo "ok 1 - a"; echo 1..1'
check "--times tells how long a program took" run "$HERE/run" -j 1 --times "$T/times" "$T/good" "$T/busy"
check "and the processor time of each" awk '$2 > most { most = $2; who = $3 } $1 <= 0 || NF != 3 { bad = 1 }
	END { exit bad || NR != 2 || who != "busy" }' "$T/times"

tap tells 'echo "# A=${A:-} in ${PWD##*/}"; echo "not ok 1 - a"; echo 1..1; exit 1'
mkdir "$T/elsewhere"
check "settings in front of a program are its own" run -e 1 "$HERE/run" "A=one BUILD=$T/elsewhere $T/tells" "$T/tells"
check "said with its name" says "tells (one, elsewhere)"
check "set for it" says "# A=one in elsewhere"
check "and not for the next" says "# A= in ${BUILD##*/}"
tap late '# slow: yes
echo "ok 1 - a"; echo 1..1'
check "slow ones begin first" run "$HERE/run" -j 1 "$T/good" "$T/late"
check "whatever their place" grep -q 'late' <(head -n 1 "$OUT")

# ---- scripts/check-*, on a small project of the same shape
SCRIPTS=$HERE/../scripts
P=$T/project
fresh() {
	rm -rf "$P"
	mkdir -p "$P/scripts" "$P"/{shared,masterd,noded,tui}
	cp "$SCRIPTS"/check-* "$P/scripts"
	echo 'x = shared/low.h shared/low.c shared/high.h shared/high.c' >"$P/shared/local.mk"
	echo 'x = noded/a.c' >"$P/noded/local.mk"
	echo '' | tee "$P/masterd/local.mk" >"$P/tui/local.mk"
	echo 'int low(int a);' >"$P/shared/low.h"
	echo 'int high(int a);' >"$P/shared/high.h"
	printf '#include "shared/low.h"\n\nint low(int a)\n{\n\treturn a;\n}\n' >"$P/shared/low.c"
	printf '#include "shared/high.h"\n\n#include "shared/low.h"\n\nint high(int a)\n{\n\treturn low(a);\n}\n' >"$P/shared/high.c"
	printf '#include "shared/high.h"\n\nint main(void)\n{\n\treturn high(1);\n}\n' >"$P/noded/a.c"
}
build() { (cd "$P" && for f in shared/low shared/high noded/a; do cc -I. -c "$f.c" -o "${f%/*}/lib-${f#*/}.o" || exit; done); }
tool() { run "${@:2}" env BUILD="$P" "$P/scripts/check-$1"; }

fresh
build
for tool in layers size banned symbols; do check "check-$tool takes a good project" tool $tool; done
echo '#include "shared/high.h"' >>"$P/shared/low.c"
check "check-layers refuses an include of what stands above" tool layers -e 1
check "and names the line" says "shared/low.c:7: shared/high.h stands above shared/low.c"
fresh
echo '#include "noded/a.h"' >>"$P/shared/low.c"
echo 'x = noded/a.h noded/a.c' >"$P/noded/local.mk"
: >"$P/noded/a.h"
check "check-layers refuses an include of another room" tool layers -e 1
fresh
: >"$P/tui/stray.c"
check "check-layers refuses a file that no list names" tool layers -e 1
fresh
{ printf 'int many(int a)\n{\n'; yes '	a++;' | head -n 80; printf '\treturn a;\n}\n'; } >>"$P/shared/low.c"
check "check-size refuses a function of 81 lines" tool size -e 1
check "and names it" says "shared/low.c:8: many has 81 lines"
fresh
printf 'int wide(int a, int (*b)(int, int), int c,\n\t int d, int e, int f)\n{\n\treturn a;\n}\n' >>"$P/shared/low.c"
check "check-size refuses six parameters" tool size -e 1
check "and counts them" says "wide takes 6 parameters"
fresh
printf 'int fits(int a, int b, int c, int d, int e, struct err *g)\n{\n\treturn a;\n}\n' >>"$P/shared/low.c"
check "check-size does not count the error" tool size
fresh
yes '/* long */' | head -n 800 >>"$P/shared/low.c"
check "check-size refuses a file of more than 800 lines" tool size -e 1
fresh
printf 'extern int global;\n' >>"$P/shared/low.h"
check "check-size refuses an extern variable" tool size -e 1
fresh
printf 'void f(char *a)\n{\n\tstrcpy(a, "strcat(x)");\n}\n' >>"$P/shared/low.c"
check "check-banned refuses strcpy" tool banned -e 1
check "and does not read texts" test -z "$(grep strcat "$OUT")"
fresh
printf 'void f(char *a)\n{\n\tstrcpy(a, ""); /* check-banned: shown in a test */\n}\n' >>"$P/shared/low.c"
check "check-banned takes an excuse with a reason" tool banned
fresh
printf '#include <curl/curl.h>\n' >>"$P/noded/a.c"
check "check-banned refuses a foreign library in a second file" tool banned -e 1
fresh
printf 'void f(int a)\n{\n\tCLEANUP(buf_done) struct buf b;\n\n\tif (a)\n\t\treturn;\n\tbuf_init(&b, 1);\n}\n' >>"$P/shared/low.c"
check "check-banned refuses the cleanup of what did not begin" tool banned -e 1
fresh
printf 'void f(int a)\n{\n\tCLEANUP(buf_done) struct buf b = {0};\n\n\tif (a)\n\t\treturn;\n\tbuf_init(&b, 1);\n}\n' >>"$P/shared/low.c"
check "and takes it with a first value" tool banned
fresh
printf 'int lonely(int a)\n{\n\treturn low(a);\n}\n' >>"$P/shared/low.c"
build
check "check-symbols refuses a function that no other file uses" tool symbols -e 1
check "and names it" says "lonely"
