# What the end-to-end tests share; sourced by tests/e2e/*.sh. Output is TAP
# (testanything.org): one "ok"/"not ok" line a sentence, the plan at the end.
# shellcheck shell=bash
set -uo pipefail
export LC_ALL=C.UTF-8 TZ=UTC
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
RIGS=$HERE/rigs
: "${BUILD:=$(pwd -P)}"            # where felloe, felloe-masterd and felloe-noded were built
PATH=$BUILD:$PATH
TESTS_RUN=0 TESTS_FAILED=0
AT_EXIT=()

# scratch: $T is a fresh directory that any user may pass through; gone at exit
T=$(mktemp -d "${TMPDIR:-/tmp}/felloe-test.XXXXXX") && chmod 755 "$T"

# at_exit COMMAND: run at the end, last registered first
at_exit() { AT_EXIT+=("$1"); }
finish() {
	local status=$? i
	trap - EXIT INT TERM
	for ((i = ${#AT_EXIT[@]} - 1; i >= 0; i--)); do eval "${AT_EXIT[i]}" >/dev/null 2>&1; done
	if [ -s "$T/ports" ]; then (cd "$PORTS" && xargs rm -f <"$T/ports"); fi
	if [ -n "${KEEP:-}" ]; then echo "# kept: $T"; else rm -rf "$T"; fi
	if [ "$status" -ne 0 ] && [ "$status" -ne 77 ]; then
		TESTS_RUN=$((TESTS_RUN + 1)) TESTS_FAILED=$((TESTS_FAILED + 1))
		echo "not ok $TESTS_RUN - the script ends by itself (status $status)"
	fi
	echo "1..$TESTS_RUN"
	[ "$TESTS_FAILED" -eq 0 ] || exit 1
	exit 0
}
trap finish EXIT
trap 'exit 130' INT TERM

# note FILE|TEXT: diagnostics below a failure
note() { if [ -f "$1" ]; then sed 's/^/#   /' "$1" | tail -n "${2:-40}"; else printf '#   %s\n' "$@"; fi; }

# check "sentence" COMMAND...: ok when the command succeeds; its output is shown when not
check() {
	local what=$1 out
	shift
	TESTS_RUN=$((TESTS_RUN + 1))
	if out=$("$@" 2>&1); then
		echo "ok $TESTS_RUN - $what"
	else
		TESTS_FAILED=$((TESTS_FAILED + 1))
		echo "not ok $TESTS_RUN - $what"
		printf '#   command: %s\n' "$*"
		printf '%s\n' "$out" | tail -n 30 | sed 's/^/#   /'
		return 1
	fi
}
# step "sentence" COMMAND...: check, but in this shell, so that what the command sets stays
step() {
	local what=$1
	shift
	if "$@" >"$T/step" 2>&1; then check "$what" true; else check "$what" bash -c "cat '$T/step'; false"; fi
}
# skip "sentence" "reason"; with CI set a skip is a failure
skip() {
	TESTS_RUN=$((TESTS_RUN + 1))
	if [ -n "${CI:-}" ]; then
		TESTS_FAILED=$((TESTS_FAILED + 1))
		echo "not ok $TESTS_RUN - $1 (may not be skipped in CI: $2)"
	else
		echo "ok $TESTS_RUN - $1 # SKIP $2"
	fi
}
# run [-e STATUS] COMMAND...: run it, keep output in $OUT and $ERR (files), succeed when the status is as expected
OUT=$T/out ERR=$T/err
run() {
	local want=0 got
	[ "$1" != -e ] || { want=$2; shift 2; }
	"$@" >"$OUT" 2>"$ERR" </dev/null
	got=$?
	[ "$got" -eq "$want" ] && return 0
	echo "status $got, expected $want: $*"
	cat "$OUT" "$ERR"
	return 1
}
# says TEXT: the last run's output or errors contain it
says() { grep -qF -- "$1" "$OUT" "$ERR" || { echo "does not say: $1"; cat "$OUT" "$ERR"; return 1; }; }
# hides TEXT: the last run's output and errors do not contain it
hides() { ! grep -qF -- "$1" "$OUT" "$ERR" || { echo "says: $1"; cat "$OUT" "$ERR"; return 1; }; }
# free_port [N]: a port on loopback with N-1 free ones above it. Other tests look for one at the same time, and whoever
# asked has not opened it yet: a file with our pid keeps each of them until we end
PORTS=${TMPDIR:-/tmp}/felloe-ports-$(id -u)
take_port() { # PORT
	local holder
	(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 1
	holder=$(cat "$PORTS/$1" 2>/dev/null)
	# one that was killed holds nothing
	[ -z "$holder" ] || ! kill -0 "$holder" 2>/dev/null || return 1
	echo $$ >"$PORTS/$1" && echo "$1" >>"$T/ports"
}
free_port() {
	local n=${1:-1} p i
	mkdir -p "$PORTS"
	(
		flock 9 # one looks at a time
		while :; do
			p=$((12000 + RANDOM % 20000)) # below the ports that clients get
			for ((i = 0; i < n; i++)); do take_port $((p + i)) || continue 2; done
			echo "$p"
			return
		done
	) 9>"$PORTS/lock"
}
# until_ok SECONDS COMMAND...: poll until it succeeds, ever less often: whoever waits shall not take the processor
# from what it waits for. The seconds are those of a quick machine with nothing else to do: others get PATIENCE times as many
: "${PATIENCE:=4}"
until_ok() {
	local end=$((SECONDS + $1 * PATIENCE)) ms=20
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || { echo "did not happen in time: $*"; return 1; }
		sleep "$ms"e-3
		ms=$((ms < 200 ? ms * 3 / 2 : 300))
	done
}
# recent TIME: it lies in the life of this test. Not that it has the day of today: midnight may come between
TEST_BEGAN=$(date +%s)
recent() {
	local t
	t=$(date -d "$1" +%s) && [ "$t" -ge "$TEST_BEGAN" ] && [ "$t" -le "$(date +%s)" ] || { echo "not a time of this test: $1"; return 1; }
}
# spawn NAME COMMAND...: a daemon of this test; its pid is in $T/NAME.pid, log in $T/NAME.log; ended at exit
spawn() {
	local name=$1
	shift
	"$@" >>"$T/$name.log" 2>&1 </dev/null &
	echo $! >"$T/$name.pid"
	at_exit "stop_pid $name"
}
# stop_pid NAME [SIGNAL]: end what spawn started, and wait for it
stop_pid() {
	local pid
	pid=$(cat "$T/$1.pid" 2>/dev/null) || return 0
	kill -s "${2:-TERM}" "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	rm -f "$T/$1.pid"
	return 0
}
