#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sanitize: yes
# timeout: 120
# A storage that the configuration does not have any more: its runs are out of
# reach, said everywhere, counted by no rule, deleted by nobody, and forgotten only
# when somebody says so.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
command -v jq >/dev/null || { skip "a storage is lost" "jq is missing: apt-get install jq"; exit 0; }
mkdir -p "$T/www" "$T/old" "$T/new" && echo hello >"$T/www/index.html" && touch "$T/old/.mounted" "$T/new/.mounted"
config() { # NAME jq-filter
	jq -n --arg t "$T" '{server_id: "web-01", sites: [{name: "shop", paths: [$t + "/www"]}],
		storage: [{name: "old", type: "dir", path: ($t + "/old")}, {name: "new", type: "dir", path: ($t + "/new"), weight: 10}],
		timers: [{name: "nightly", on_calendar: "*-*-* 03:10", keep: {last: 2}}]} | '"${2:-.}" >"$T/$1.json" && chmod 600 "$T/$1.json"
}
config both
config drained '.storage[0].weight = 0'
config lost 'del(.storage[0]) | .timers[0].keep = {last: 1}'
config given 'del(.storage[1])'
CFG=both
noded() { felloe-noded "$1" -c "$T/$CFG.json" --state "$T/state" "${@:2}"; }
nightly() { FELLOE_NOW="2026-11-$(printf %02d "$1")T03:10:00Z" noded backup -q --timer nightly; }
archives() { find "$T/$1" -name '*.zst' | sed 's/.*-backup-202611\(..\).*/\1/' | sort | tr '\n' ' '; }
archives_are() { [ "$(archives "$1")" = "$2" ] || { archives "$1"; return 1; }; }
id_of() { noded list --json | jq -r "[.runs[] | select(.started | startswith(\"2026-11-$1\"))][0].uuid"; }

# ---- one good run on each, the newest on the first
CFG=drained
for day in 1 2; do check "a run on the second storage, November $day" run nightly $day; done
CFG=both
check "one on the first" run nightly 3
check "of the two that the rule keeps one lies on each" test "$(archives old)/$(archives new)" = "03 /02 "

# ---- the storage leaves the configuration
CFG=lost
check "with it out of the configuration a rule of one run" run noded prune
check "keeps the one that can be had, and deletes none" test "$(archives old)/$(archives new)" = "03 /02 "
check "the other is told to be out of reach" says "out of reach, and counted by no rule: storage old is not in the configuration any more"
check "with the way out" says "lies on storage old, which is not in the configuration any more: out of reach until it is put back"
check "or" says "felloe-noded forget old gives up what is known of it"
check "no run is given up" test "$(noded list --json | jq '.delete_pending | length')" = 0
check "list" run noded list
check "says it" says "old, out of reach: not configured any more"
check "for programs, too" test "$(noded list --json | jq -r '.out_of_reach | length')" = 1
check "status" run noded status
check "says it in the same words" says "lies on storage old, which is not in the configuration any more"
check "and that the last good run is there" says "on old (out of reach)"
check "and for programs" test "$(noded status --json | jq -r '.out_of_reach[0].storage')" = old
check "check warns" run -e 3 noded check --only storages
check "with the same words" says "felloe-noded forget old gives up"
check "a restore of it" run -e 2 noded restore shop --at "$(id_of 03)" --to-dir "$T/back"
check "says what to do" says "put it back there, or name an older run"
check "put back all is as it was" test "$(CFG=both noded list --json | jq -r '.out_of_reach | length')" = 0

# ---- forget
check "a storage that is configured is not forgotten" run -e 1 noded forget new
check "and prune is named" says "felloe-noded prune deletes what is old there"
check "a typo" run -e 1 noded forget odl
check "is guessed" says 'did you mean "old"?'
check "no storage at all" run -e 2 noded forget
HELD=$(id_of 03)
check "a run there is held" run noded hold "$HELD"
check "forget leaves it alone" run -e 3 noded forget old
check "and says so" says "it is held: felloe-noded release lets it go"
check "let go" run noded release "$HELD"
check "a dry run" run noded forget old --dry-run
check "tells the run and" says "${HELD:0:8}"
check "changes nothing" test "$(noded list --json | jq '.out_of_reach | length')" = 1
check "forget" run noded forget old --json
check "names the run" jq -e --arg u "$HELD" '.forgotten == 1 and .runs[0].uuid == $u and .runs[0].fate == "forgotten"' "$OUT"
check "its record is gone" run -e 1 noded hold "$HELD"
check "status is quiet" test "$(noded status --json | jq '.out_of_reach | length')" = 0
check "what is stored there was not touched" archives_are old "03 "
CFG=both check "and is found when the storage is back" run noded restore shop --from old --to-dir "$T/back"
check "whole" cmp "$T/www/index.html" "$T/back$T/www/index.html"

# ---- one that was given up before, and the last good run of a site
config less '.timers[0].keep = {last: 1}'
CFG=lost check "two more runs" run nightly 4
mv "$T/new" "$T/unplugged"
CFG=both; for day in 5 6; do nightly $day >/dev/null 2>&1; done
CFG=less check "prune gives up a run whose storage is away" run -e 3 noded prune
check "and another that is there goes" archives_are old "03 06 "
CFG=given check "then that storage leaves the configuration" run -e 3 noded prune
check "the run stays pending" says "delete pending  storage new is not in the configuration any more"
CFG=given check "it is forgotten" run noded forget new
check "and prune has nothing left to do" run noded prune
mv "$T/unplugged" "$T/new"
check "what is stored there stays" archives_are new "04 "
CFG=lost check "the last good run is forgotten" run noded forget old
check "with a word about that" says "site shop has no good run any more: felloe-noded backup shop makes one"
