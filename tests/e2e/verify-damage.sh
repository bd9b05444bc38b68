#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sanitize: yes
# timeout: 180
# A verification that finds damage takes the green from the run, here and at the master: nothing counts on it any
# more, and nothing older is deleted. When the archive is whole again a later look gives the green back.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/master-lib.sh
. "$(dirname "$0")/../master-lib.sh"
# shellcheck source=tests/node-lib.sh
. "$(dirname "$0")/../node-lib.sh"

master_init
step "the master starts" master_start
step "the administrator signs in" login admin 'correct horse battery'
step "a node joins" enrol web-01 '.timers = [{name: "nightly", on_calendar: "daily", sites: ["shop"], keep: {last: 1}}]'
for i in $(seq 60); do echo "page $i" >"$T/web-01/www/$i.html"; done
head -c 2000000 /dev/urandom >"$T/web-01/www/photo.jpg"
agent web-01
STORE=$T/web-01/store
noded_() { noded web-01 "$@"; }
run_at() { noded_ list shop --json | jq -r ".runs[$1].$2"; }
state_is() { [ "$(run_at "$1" state)" = "$2" ] || { noded_ list shop; return 1; }; }
archive_of() { echo "$STORE/$(run_at "$1" 'archives[0].key')"; }
run_is() { call 200 GET "/runs/$RUN" -H "$(AS)" && is "$1" "$2"; }
alerts_are() { call 200 GET "/alerts/?state=open" -H "$(AS)" && is '[.items[] | select(.kind == "suspect_run") | .ref] | join(" ")' "$1"; }
export XDG_CONFIG_HOME=$T/xdg FELLOE_MASTER=$ROOT FELLOE_PASSWORD_FILE=$T/pw

# ---- sound
check "a backup is made" run noded_ backup --timer nightly shop
OLD=$(archive_of 0)
jq '.timers[0].keep = {last: 5}' "$T/web-01/config.json" >"$T/five" && cp "$T/five" "$T/web-01/config.json"
check "and another" run noded_ backup --timer nightly shop
jq '.timers[0].keep = {last: 1}' "$T/web-01/config.json" >"$T/one" && cp "$T/one" "$T/web-01/config.json"
RUN=$(run_at 0 uuid) A=$(archive_of 0)
check "the master knows it" until_ok 60 run_is .state ok
check "it verifies" run noded_ verify shop
check "which changes nothing" state_is 0 ok
check "the older one would be deleted" run noded_ prune --dry-run shop
check "as the rule says" grep -q "delete" "$OUT"

# ---- damaged
cp "$A" "$T/good"
dd if=/dev/zero of="$A" bs=1 count=3000 seek=$(($(stat -c %s "$A") / 2)) conv=notrunc status=none
check "the damage is found" run -e 1 noded_ verify shop
check "by the file" says "photo.jpg"
check "and what follows is said" says "run ${RUN:0:8} of shop is suspect now, no restore takes it unless it is named; felloe-noded verify shop --run ${RUN:0:8} looks again"
check "the run is suspect" state_is 0 suspect
check "the list names the archive" run noded_ list shop
check "as damaged" says "DAMAGED ${A#"$STORE/"} on disk: files$T/web-01/www/photo.jpg"
check "and when that was seen" says "(found 20"
check "for machines, too" test "$(noded_ list --json | jq -c '[.damaged, [.runs[] | .archives[].damage != null and .archives[].damage != ""]]')" = "[[\"$RUN\"],[true,false]]"
check "status tells" run noded_ status
check "what is wrong" says "damaged: files$T/web-01/www/photo.jpg"
check "the one before is the last good one" test "$(noded_ status --json | jq -r '.sites[0].last_good_run')" = "$(run_at 1 uuid)"
check "the master has it" until_ok 60 run_is .state suspect
check "with the reason" is '.error | .kind + " " + .message | startswith("damaged damaged: files")' true
check "and the archive" is '.archives[0].damage | contains("photo.jpg")' true
check "its alert is open" until_ok 60 alerts_are shop
check "it says what to do" is '.items[] | select(.kind == "suspect_run") | .next_step | contains("felloe-noded backup shop")' true
check "the console signs in" run felloe login --user admin
check "it shows the run" run felloe run "$RUN"
check "as suspect" says suspect
check "and the damage" says "photo.jpg"
check "a restore takes the one before" run noded_ restore shop --dry-run
check "and says that it passes one over" says "the newer run ${RUN:0:8}"
check "for its damage" says "is passed over: damaged:"
check "that was the older archive" says "$(basename "$OLD")"
check "a verification of no run by name looks at that one, too" run noded_ verify shop
check "and says the same" says "the newer run ${RUN:0:8}"
check "nothing is deleted meanwhile" run -e 3 noded_ prune shop
check "which is explained" says "felloe-noded verify shop --run ${RUN:0:8} finds it sound"
check "the older archive is there" test -s "$OLD"
check "nobody can accept it" run -e 1 noded_ accept shop "$RUN"
check "as it is damaged" says "has a damaged archive"
check "looked at again it is no better" run -e 1 noded_ verify shop --run "$RUN" --members
check "and no news" hides "suspect now"

# ---- whole again
cp "$T/good" "$A"
check "a look that is not as deep as the last one" run -e 3 noded_ verify shop --run "$RUN"
check "is not enough" says "stays suspect: what is damaged in it was found by a deeper look"
check "as deep as that one finds it sound" run noded_ verify shop --run "$RUN" --members
check "which is said" says "is sound again: warning"
check "the run counts again" state_is 0 warning
check "the list has no damage" test "$(noded_ list --json | jq -c .damaged)" = '[]'
check "the master knows" until_ok 60 run_is '[.state, .error, .archives[0].damage] | @csv' '"warning",,'
check "the alert is closed" until_ok 60 alerts_are ""

# ---- away, and lost
mv "$STORE" "$T/unmounted" && mkdir "$STORE"
check "a disk that is not mounted is no damage" run -e 1 noded_ verify shop
check "it is asked for" says "is its disk mounted?"
check "the run is what it was" state_is 0 warning
rmdir "$STORE" && mv "$T/unmounted" "$STORE"
mv "$A" "$T/lost"
check "an archive that is gone is found" run -e 1 noded_ verify shop --json
check "as JSON the run is suspect" test "$(jq -r '.sites[0].state' "$OUT")" = suspect
check "so it is" state_is 0 suspect
mv "$T/lost" "$A"
check "when it is back" run noded_ verify shop --run "$RUN"
check "it is good again" state_is 0 warning

# ---- the next backup is compared with what was backed up, whatever became of the archive
dd if=/dev/zero of="$A" bs=1 count=3000 seek=$(($(stat -c %s "$A") / 2)) conv=notrunc status=none
rm "$OLD" "$OLD.idx"
check "the older archive is lost" run -e 1 noded_ verify shop --run "$(run_at 1 uuid)"
check "so is the newer one" run -e 1 noded_ verify shop
older() { call 200 GET "/alerts/?state=open&kind=damaged_run" -H "$(AS)" && is '[.items[] | .ref + " " + .run] | join(" ")' "$1"; }
check "the master tells of the older one as well" until_ok 60 older "shop $(run_at 1 uuid)"
check "and knows when it was seen" call 200 GET "/runs/$(run_at 1 uuid)" -H "$(AS)"
check "by the node's list" is '.archives[0].damage_at' "$(run_at 1 'archives[0].damage_at')"
check "the console counts both" run felloe node "$NODE"
check "beside the last good one" says ", 2 DAMAGED"
check "there is no good run" run -e 1 noded_ restore shop --dry-run
check "the way out is told" says "run ${RUN:0:8} is suspect, --at or --run ${RUN:0:8} takes it"
mkdir "$T/kept" && mv "$T/web-01/www/"[0-9]*.html "$T/kept"
check "a backup of a site that was emptied is suspect" run -e 1 noded_ backup --timer nightly shop
check "as ever" says "there are 3 files, there were 63"
mv "$T/kept/"* "$T/web-01/www"
check "of the whole site it is good" run noded_ backup --timer nightly shop
check "which is the one that counts" test "$(noded_ status --json | jq -r '.sites[0].last_good_run')" = "$(run_at 0 uuid)"

# ---- records that were lost
stop_pid web-01-agent
head -c 3000 /dev/urandom | dd of="$T/web-01/state/node/catalogue.db" bs=1 seek=50 conv=notrunc status=none
rm -f "$T/web-01/state/node/catalogue.db-wal"
check "with new records there is nothing to compare with: a warning" run -e 3 noded_ backup shop
check "that says so" says "whether this one is like them was not seen"
check "the next one has that to compare with" run noded_ backup shop
