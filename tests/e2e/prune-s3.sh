#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sanitize: yes
# A record goes only after the storage has confirmed that the archive is gone, whatever the storage says.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
command -v jq >/dev/null || { skip "runs on S3 are deleted" "jq is missing: apt-get install jq"; exit 0; }
unset http_proxy https_proxy all_proxy
export FELLOE_S3_RETRY_MS=20
PORT=$(free_port) S3=$T/s3
at_exit "'$RIGS/faulty_s3.sh' stop '$S3'"
check "an S3 server starts" "$RIGS/faulty_s3.sh" start "$S3" "$PORT" || exit 1
faults() { printf '%s\n' "$@" >"$S3/faults.tmp"; mv "$S3/faults.tmp" "$S3/faults"; }
no_faults() { : >"$S3/faults"; }
mkdir -p "$T/www" && echo hello >"$T/www/index.html"
config() { # NAME LAST
	jq -n --arg t "$T" --arg s3 "http://127.0.0.1:$PORT" --argjson last "$2" '{server_id: "web-01", sites: [{name: "shop", paths: [$t + "/www"]}],
		storage: [{name: "far", type: "s3", endpoint: $s3, region: "us-east-1", bucket: "rig", access_key: "AKIARIG", secret_key: "rigsecret"}],
		timers: [{name: "nightly", on_calendar: "*-*-* 03:10", keep: {last: $last}}]}' >"$T/$1.json"
	chmod 600 "$T/$1.json"
}
config many 9
config one 1
noded() { felloe-noded "$1" -c "$T/${CFG:-one}.json" --state "$T/state" "${@:2}"; }
prune() { noded prune "$@"; }
there() { find "$S3/objects" -type f | grep -c '\.tar\.zst$'; }
records() { noded list --json | jq '[.runs[] | select(.archives != [])] | length'; }
are() { [ "$(there) $(records)" = "$1 $2" ] || { echo "objects $(there), records $(records)"; return 1; }; }
for day in 1 2 3 4 5 6; do FELLOE_NOW="2026-11-0${day}T03:10:00Z" CFG=many noded backup -q --timer nightly >/dev/null 2>&1; done
check "six runs are there" are 6 6

faults "delete status 403/AccessDenied"
check "a storage that forbids to delete" run -e 3 prune
check "keeps all, and the records stay" are 6 6
check "one as pending, with the storage's reason, the others as they are" says "0 deleted, 1 kept, 1 delete pending, 4 to be deleted later"
check "as the storage said" says "AccessDenied"
check "a restore can still have them" run noded restore shop --files / --to-dir "$T/back" --at "2026-11-04 12:00" --dry-run
check "the others are not tried in vain" test "$(grep -c '^delete' "$S3/log")" = 1
faults "delete status 503/SlowDown"
check "one that is overloaded" run -e 3 prune
check "keeps them, too" are 6 6
faults "delete status 204"
check "one that says yes and does nothing" run -e 3 prune
check "is found out" says "is still there after it was deleted"
check "and keeps its records" are 6 6
no_faults
for object in $(find "$S3/objects" -type f -name '*20261101*.idx'); do rm -f "$object"; done
check "what is gone already counts as deleted" run prune
check "all but the newest went" are 1 1
check "with their sidecars" test "$(find "$S3/objects" -type f | wc -l)" = 2

FELLOE_NOW=2026-11-07T03:10:00Z CFG=many noded backup -q --timer nightly >/dev/null 2>&1
faults "delete lost x1"
check "an answer that was lost is asked for again" run prune
check "and the run goes" are 1 1
FELLOE_NOW=2026-11-08T03:10:00Z CFG=many noded backup -q --timer nightly >/dev/null 2>&1
"$RIGS/faulty_s3.sh" stop "$S3" >/dev/null
check "a storage that is down" run -e 3 prune
check "its run is listed as pending" says "delete pending  storage"
check "an S3 server starts again" "$RIGS/faulty_s3.sh" start "$S3" "$PORT"
check "and the next time it goes" run prune
check "for good" are 1 1
check "the one that is left is sound" run noded verify shop

# ---- killed between the sidecar and the archive
FELLOE_NOW=2026-11-09T03:10:00Z CFG=many noded backup -q --timer nightly >/dev/null 2>&1
OLD=$(noded list --json | jq -r '.runs[1].uuid')
faults "head delay 60000"
spawn killed felloe-noded prune -c "$T/one.json" --state "$T/state"
sidecars() { [ "$(find "$S3/objects" -name '*.idx' | wc -l)" = "$1" ]; }
check "the sidecar of the older run is gone" until_ok 30 sidecars 1
stop_pid killed KILL
no_faults
check "its archive is there, and its record" are 2 2
check "which is no run to rely on" test "$(noded list --json | jq -r '.delete_pending[0]')" = "$OLD"
check "nobody holds it any more" run -e 1 noded hold "$OLD"
check "a restore takes the other" run noded restore shop --files / --to-dir "$T/back" --dry-run
check "by its day" says "backup-20261109"
check "the storage's own list says what is half there" run noded list --from far
check "by its missing sidecar" says "(no .idx)"
check "the next prune ends it" run prune
check "for good" are 1 1
check "with nothing left behind" test "$(find "$S3/objects" -type f | wc -l)" = 2
