#!/usr/bin/env bash
# The demo is the first thing a newcomer runs: it goes through and leaves nothing.
# sanitize: full
# timeout: 300
. "$(dirname "$0")/../lib.sh"

command -v mariadbd >/dev/null || { skip "the demo runs" "mariadb-server is missing"; exit 0; }
DEMO=$HERE/../scripts/demo
export TMPDIR=$T/demo
mkdir -m 755 "$TMPDIR"

# the last line that MESSAGE begins in the demo's output, without its time
told() { sed -n 's/^ *[0-9]*\.[0-9] s  //p' "$OUT" | grep -qF -- "$1"; }

check "the demo without a console goes through" run "$DEMO" --headless --build "$BUILD" || exit 1
check "it tells the code that both ends show" grep -qE 'code on both ends: [A-Z]{4}-[0-9]{4}' "$OUT"
check "it says that all digests are equal after the restore" says "CHECKSUM TABLE is equal for all 4 tables"
check "a backup that fails is told with its cause" says "the backup of shop failed at"
check "and the audit trail is whole" says "the trail is as it was written"
check "each step stands there with its time" told "somebody drops wp_posts"
check "nothing of it is left" bash -c "[ -z \"\$(ls -A '$TMPDIR')\" ]"
check "an unknown option is refused with the known ones" run -e 2 "$DEMO" --headles
check "and named" says "unknown option --headles"
check "without a terminal it says how to run it" run -e 2 "$DEMO" --build "$BUILD"
check "and names the option" says "--headless"

# Ctrl-C in the middle
"$DEMO" --headless --build "$BUILD" >"$T/int.out" 2>&1 &
PID=$!
until_ok 60 grep -q "master runs" "$T/int.out"
kill -TERM $PID
wait $PID
check "ended in the middle it leaves nothing behind either" bash -c "[ -z \"\$(ls -A '$TMPDIR')\" ]"
