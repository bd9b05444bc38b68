#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# timeout: 240
# The master asks for a proof and learns its outcome; a run that does not restore is not green any more.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/master-lib.sh
. "$(dirname "$0")/../master-lib.sh"
# shellcheck source=tests/node-lib.sh
. "$(dirname "$0")/../node-lib.sh"

DB_PORT=$(free_port)
at_exit "'$RIGS/mariadb.sh' stop '$T/db'"
check "a database server starts" "$RIGS/mariadb.sh" start "$T/db" "$DB_PORT" || exit 1
"$RIGS/mariadb.sh" sql "$T/db" <<'SQL'
CREATE DATABASE shop; USE shop;
CREATE TABLE item (id int PRIMARY KEY, v varchar(40));
INSERT INTO item SELECT seq, CONCAT('row ', seq) FROM seq_1_to_500;
CREATE TABLE plain (id int PRIMARY KEY, v varchar(40));
INSERT INTO plain SELECT seq, MD5(seq) FROM seq_1_to_50;
CREATE FUNCTION answer() RETURNS int DETERMINISTIC RETURN 42;
SQL
master_init
step "the master starts" master_start
step "the administrator signs in" login admin 'correct horse battery'
FILTER='.sites[0] += {db_host: "127.0.0.1:'$DB_PORT'", db_name: "shop", db_user: "rig", db_password: "rigpw"}'
mkdir -p "$T/web-01/state" # the account of the private server passes through
step "a node joins" enrol web-01 "$FILTER"
agent web-01
request() { call 201 POST "/nodes/$NODE/requests" -H "$(AS)" -d "$1" && RID=$(jq -r .id "$BODY"); }
stands() { call 200 GET "/nodes/$NODE/requests/$RID" -H "$(AS)" && is .state "$1"; }
run_is() { call 200 GET "/runs/$RUN" -H "$(AS)" && is "$1" "$2"; }
export XDG_CONFIG_HOME=$T/xdg FELLOE_MASTER=$ROOT FELLOE_PASSWORD_FILE=$T/pw

# ---- proven
check "a backup is made" run noded web-01 backup shop
OLDER=$(noded web-01 list --json | jq -r '.runs[0].finished')
check "it is proven by hand" run noded web-01 verify shop --full
check "the site has that" until_ok 20 node_is "$NODE" '.sites[0].proven != null' true
OLD_PROOF=$(jq -r '.sites[0].proven' "$BODY")
check "a backup is made" run noded web-01 backup shop
RUN=$(noded web-01 list --json | jq -r '.runs[0].uuid')
check "the master knows it" until_ok 20 run_is .state ok
check "nothing was proven yet" is .proven null
check "the site's date is that of the run before" node_is "$NODE" '.sites[0].proven' "$OLD_PROOF"
step "a full verification is asked for" request "{\"verb\":\"verify\",\"site\":\"shop\",\"run\":\"$RUN\",\"full\":true}"
check "and done" until_ok 60 stands "done"
check "the node says what came of it" is '.reason | contains("proven restorable")' true
check "the run has the date" until_ok 20 run_is '.proven != null' true
PROVEN=$(jq -r .proven "$BODY") TODAY=$(jq -r '.proven[:10]' "$BODY")
check "of today" recent "$PROVEN"
check "it is good as before" is .state ok
check "so has the site" node_is "$NODE" '.sites[0].proven | .[:10]' "$TODAY"
check "the console signs in" run felloe login --user admin
check "it prints the run's" run felloe run "$RUN"
check "in words" says "Proven    restorable, $TODAY"
check "and the node's" run felloe node "$NODE"
check "in words, too" says "proven restorable $TODAY"
step "the console asks for one" run felloe request "$NODE" verify shop --full --wait
check "and is told the outcome" says "proven restorable"
check "full is for verify alone" call 422 POST "/nodes/$NODE/requests" -H "$(AS)" -d '{"verb":"backup","full":true}'
call 200 GET "/nodes/$NODE" -H "$(AS)"
AGAIN=$(jq -r '.sites[0].proven' "$BODY")
stop_pid master && master_start
check "the date outlives a restart of the master" node_is "$NODE" '.sites[0].proven' "$AGAIN"

# ---- not restorable: every byte is as its digest says, and one row is not what was dumped
A=$T/web-01/store/$(noded web-01 list --json | jq -r '.runs[0].archives[0].key')
cp "$A" "$T/good" && mv "$A.idx" "$T/good.idx"
"$BUILD/tests/noded/archive_tool" change "$T/good" "$A" "'row 77'" "'row 7x'" >"$T/changed"
check "the archive says another row" test "$(cat "$T/changed")" = "changed 1"
check "its bytes are sound" run noded web-01 verify shop --members --run "$RUN"
check "the proof fails" run -e 1 noded web-01 verify shop --full --run "$RUN"
check "it names database and table" says "proof failed: database shop: table item: 500 rows (500 were dumped), other content than was dumped"
check "the run is suspect" test "$(noded web-01 list --json | jq -r '.runs[0] | [.state, .proven] | @csv')" = '"suspect",'
check "the master knows" until_ok 20 run_is .state suspect
check "why" is '.error.message | contains("table item")' true
check "it takes the date back" is .proven null
check "that of the run before stands" node_is "$NODE" '.sites[0].proven' "$OLD_PROOF"
check "which is the last good one of the site now" node_is "$NODE" '.sites[0].last_good' "$OLDER"
alert() { call 200 GET "/alerts/?state=open" -H "$(AS)" && is '[.items[] | select(.kind == "suspect_run") | .ref] | join(" ")' shop; }
check "an alert is raised" until_ok 30 alert
check "restore takes the one before" run noded web-01 restore shop --dry-run
check "which is another" hides "$(basename "$A")"

# ---- a table short of a row, and an object that is missing
"$BUILD/tests/noded/archive_tool" change "$T/good" "$A" "FUNCTION" "FUNCTIOX" >"$T/changed"
check "SQL that no server takes is told" run -e 1 noded web-01 verify shop --full --run "$RUN"
check "by its member" says "db/30-post/1-functions/answer.sql"

# ---- right again
cp "$T/good" "$A" && cp "$T/good.idx" "$A.idx"
check "the archive is as it was: proven" run noded web-01 verify shop --full --run "$RUN"
check "the run counts again" until_ok 20 run_is '[.state, .error, .proven != null] | @csv' '"warning",,true'
AGAIN=$(jq -r .proven "$BODY")
check "as of today" recent "$AGAIN"
check "the node's page has the date" node_is "$NODE" .sites[0].proven "$AGAIN"
