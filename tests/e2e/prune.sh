#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sanitize: yes
# timeout: 180
# Old runs go as the rules of their timer say, and only then: never the last good
# one, nothing while the site is in trouble, nothing that a storage has not confirmed.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
command -v jq >/dev/null || { skip "old runs are deleted" "jq is missing: apt-get install jq"; exit 0; }
mkdir -p "$T/www" "$T/store" "$T/second" && echo hello >"$T/www/index.html"
touch "$T/store/.mounted" "$T/second/.mounted"
# config NAME jq-filter
config() {
	jq -n --arg t "$T" '{server_id: "web-01", sites: [{name: "shop", paths: [$t + "/www"]}],
		storage: [{name: "disk", type: "dir", path: ($t + "/store")}, {name: "second", type: "dir", path: ($t + "/second"), weight: 10}],
		timers: [{name: "nightly", on_calendar: "*-*-* 03:10", keep: {daily: 3, weekly: 2}}, {name: "extra", on_calendar: "Sun 04:00"}]} | '"${2:-.}" \
		>"$T/$1.json" && chmod 600 "$T/$1.json"
}
config good
config gone '.sites[0].paths = [$t + "/nothing"]'
config nodisk '.storage[0].path = ($t + "/unplugged")'
config drained '.storage[0].weight = 0'
noded() { felloe-noded "$1" -c "$T/${CFG:-good}.json" --state "$T/state" "${@:2}"; }
# at DAY VERB...: on that day of November, at 03:10
at() { FELLOE_NOW="2026-11-$(printf %02d "$1")T03:10:00Z" noded "${@:2}"; }
nightly() { at "$1" backup -q --timer nightly; }
archives() { find "$T/store" "$T/second" -name '*.zst' | sed 's/.*-backup-202611\(..\).*/\1/' | sort | tr '\n' ' '; }
archives_are() { [ "$(archives)" = "$1" ] || { archives; noded prune --dry-run; return 1; }; }
runs() { noded list --json | jq -r "$1"; }
id_of() { runs "[.runs[] | select(.started | startswith(\"2026-11-$1\"))][0].uuid"; }
fates() { jq -r '[.sites[].runs[] | (.started[8:10] + " " + .fate)] | join(",")' "$OUT"; }

# ---- the rules
for day in 1 2 3 4; do check "a run on November $day" run nightly $day; done
check "the fourth had one before it deleted: three days, and the Sunday that ends its week" archives_are "01 02 03 04 "
check "day five" run nightly 5
check "the run of the second day went, in both objects" archives_are "01 03 04 05 "
check "with its sidecar" test "$(find "$T/store" -name '*.idx' | wc -l)" = 4
check "its record went, too" test "$(runs '.runs | length')" = 4
check "the run says what it deleted" says "was deleted: daily: 3 days are newer, weekly:"
config less '.timers[0].keep = {last: 1}'
CFG=less check "with other rules a dry run shows what would go" run noded prune --dry-run --json
check "each with its reason" test "$(jq -r '[.sites[0].runs[] | .fate + " " + .why] | join("; ")' "$OUT")" = \
	"keep last 1 of 1; delete last: 1 are newer; delete last: 1 are newer; delete last: 1 are newer"
check "and deletes nothing" archives_are "01 03 04 05 "
check "for people, too" run noded prune --dry-run
check "with the rules that keep a run" says "daily 1 of 3 (2026-11-05), weekly 1 of 2 (2026-W45)"
check "a site that nobody knows" run -e 2 noded prune nope
for verb in prune list accept; do
	check "a slip in its name for $verb" run -e 2 noded $verb shpo
	check "is guessed" says 'did you mean "shop"?'
done

# ---- held
HELD=$(id_of 03)
check "a run is held" run noded hold "${HELD:0:8}"
CFG=less check "prune deletes the others" run noded prune shop
check "but not that one" archives_are "03 05 "
check "list shows it" run noded list
check "as held" says ", held"
check "JSON, too" test "$(runs '.held[0]')" = "$HELD"
check "nobody holds what is not there" run -e 1 noded hold 00000000
check "a word is not a run" run -e 2 noded hold abc
check "accept wants the site first" run -e 2 noded accept "${HELD:0:8}"
check "and says how" says "felloe-noded accept shop ${HELD:0:8}"
check "it is let go" run noded release "$HELD"
CFG=less check "and deleted" run noded prune
check "the last good run is all that is left" archives_are "05 "
CFG=less check "and stays" run noded prune
check "whatever comes" archives_are "05 "

# ---- what has no rule
at 6 backup -q >/dev/null 2>&1
at 7 backup -q --timer extra >/dev/null 2>&1
for day in 8 9 10 11; do nightly $day >/dev/null 2>&1; done
check "runs by hand and those of a timer without keep stay" archives_are "06 07 08 09 10 11 "
for day in 12 13; do nightly $day >/dev/null 2>&1; done
check "when others go" archives_are "06 07 08 11 12 13 "
check "which prune says" run noded prune --dry-run
check "of the one by hand" says "no timer: never deleted"
check "and of the other" says "its timer has no keep: never deleted"
check "check warns of a timer without keep" run -e 3 noded check --only timers
check "by its place" says "timers[1].keep: has no rule: the runs of this timer are never deleted"
config room '.storage[0].storage_limit_gb = 0.00002'
CFG=room check "where a timer never deletes check tells the day on which there is no more room" run -e 3 at 13 check --only storages
check "by the growth of the last days" says "storage disk reaches its limit about 2026-1"
config full '.storage[0].storage_limit_gb = 0.00001'
CFG=full check "a storage that is almost full is a warning anyway" run -e 3 at 13 check --only storages
check "with the numbers" says "storage disk is almost full"
config span '.timers[0].keep = {within: "soon"}'
CFG=span check "a span that is none is refused" run -e 2 noded prune
check "by its place" says 'timers[0].keep.within: "soon" is not a time span'

# ---- a series that fails freezes everything
CFG=gone check "a failed run" run -e 1 nightly 14
CFG=less check "prune deletes nothing" run -e 3 noded prune
check "and says why and until when" says "nothing is deleted: the last run of files failed ("
check "no archive went" archives_are "06 07 08 11 12 13 "
check "status says it, too" run noded status
check "in the same words" says "nothing is deleted: the last run of files failed ("
check "and for programs" jq -e '.sites[0].frozen | contains("until a good one follows")' <(noded status --json)
check "a good run ends that" run nightly 15
check "and deletes" archives_are "06 07 08 12 13 15 "

# ---- a suspect one, too
mkdir "$T/www/x" && for i in $(seq 80); do echo "$i" >"$T/www/x/$i"; done
nightly 16 >/dev/null 2>&1
rm -r "$T/www/x"
check "a suspect run" run -e 1 nightly 17
CFG=less check "prune deletes nothing" run -e 3 noded prune
check "and says which way out there is" says "felloe-noded accept shop says that it is right"
check "the next suspect one does not, either" run -e 1 nightly 18
check "no archive went" archives_are "06 07 13 15 16 17 18 "
check "accepted" run noded accept shop
CFG=less check "prune goes on" run noded prune
check "the other suspect run had no rule, either" archives_are "06 07 18 "

# ---- a storage that is away
for day in 19 20; do nightly $day >/dev/null 2>&1; done
CFG=drained; for day in 21 22; do nightly $day >/dev/null 2>&1; done
unset CFG
check "runs are on two storages, one is drained" test "$(find "$T/second" -name '*.zst' | wc -l)" = 2
check "from a drained one runs are deleted like from any other" archives_are "06 07 20 21 22 "
config nodisk_less '.storage[0].path = ($t + "/unplugged") | .timers[0].keep = {last: 1}'
CFG=nodisk_less check "a storage is away" run -e 3 noded prune
check "its run waits, with the reason" says "delete pending  storage \"disk\": directory $T/unplugged does not exist"
check "what lies elsewhere went" archives_are "06 07 20 22 "
check "the record of the waiting one is there" run noded list
check "as such" says ", delete pending"
check "status knows it" run noded status
check "and what to do" says "delete pending: felloe-noded prune shop tries again"
check "no restore takes it" run noded restore shop --files / --to-dir "$T/back" --at "2026-11-20 12:00" --dry-run
check "but an older one" says "backup-20261107"
WAITS=$(id_of 20)
check "it cannot be held any more" run -e 1 noded hold "$WAITS"
mv "$T/store" "$T/elsewhere" && mkdir "$T/store"
check "an empty directory is a disk that is not mounted" run -e 3 noded prune
check "so it says" says "is empty, is its disk mounted?"
rmdir "$T/store" && mv "$T/elsewhere" "$T/store"
check "when it is back the run goes" run noded prune
check "for good" archives_are "06 07 22 "
check "with its record" test "$(runs '[.runs[] | select(.archives != [])] | length')" = 3

# ---- a clock that was ahead, then right again
config two '.timers[0].keep = {last: 2}'
CFG=two
nightly 28 >/dev/null 2>&1
for day in 23 24; do check "a run made after one from the future, on November $day" run nightly $day; done
check "stays: what was made last counts, not what the clock said" archives_are "06 07 23 24 "
check "the newest is taken" run noded restore shop --files / --to-dir "$T/back" --dry-run
check "which is the one made last" says "backup-20261124"
unset CFG

# ---- two at once, and one that is killed
for day in 25 26 27 28; do nightly $day >/dev/null 2>&1; done
for i in 1 2 3; do spawn "p$i" felloe-noded prune -c "$T/less.json" --state "$T/state"; done
for i in 1 2 3; do wait "$(cat "$T/p$i.pid")"; rm -f "$T/p$i.pid"; done
CFG=less check "whoever was first has done it" run noded prune
check "nothing else went" archives_are "06 07 28 "
config many '.timers[0].keep = {last: 100}'
export CFG=many
for i in $(seq 0 11); do FELLOE_NOW=$(printf '2026-11-29T%02d:00:00Z' "$i") noded backup -q --timer nightly >/dev/null 2>&1; done
check "a dozen more" test "$(archives | wc -w)" = 15
whole() { # every run that is not being deleted has its archive, whole
	local id
	for id in $(noded list --json | jq -r '.delete_pending as $p | .runs[] | select(.archives != [] and (.uuid as $u | $p | index($u) | not)) | .uuid'); do
		noded verify shop --run "$id" || return 1
	done
}
export CFG=less
for ms in 4 8 12 16 20 24; do
	spawn killed felloe-noded prune -c "$T/less.json" --state "$T/state"
	sleep ${ms}e-3
	stop_pid killed KILL
	whole >"$T/whole" 2>&1 || break
done
check "killed at any point every run has its archive or is being deleted" whole
check "the next one finishes" run noded prune
check "what had to go is gone" archives_are "06 07 29 "
check "with its sidecar" test "$(find "$T/store" "$T/second" -name '*.idx' | wc -l)" = 3
check "with its record" test "$(runs '[.runs[] | select(.archives != [])] | length')" = 3
