#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A whole server: its databases, whatever their names, come back to it one by one,
# with the views, foreign keys and triggers that reach from one into another.
# sanitize: yes
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/site-lib.sh
. "$HERE/site-lib.sh"
# shellcheck source=tests/same-lib.sh
. "$HERE/same-lib.sh"

db_server
sql() { "$RIGS/mariadb.sh" sql "$T/db" "$@"; }
sql <<'SQL'
CREATE DATABASE base CHARACTER SET latin1; CREATE DATABASE `od``d /%.ü` COMMENT 'it''s'; CREATE DATABASE Shop; CREATE DATABASE shop; CREATE DATABASE empty;
CREATE TABLE base.t (id INT PRIMARY KEY, x INT); INSERT INTO base.t VALUES (1, 1), (2, 2);
CREATE TABLE base.trail (what VARCHAR(20));
CREATE FUNCTION base.f(a INT) RETURNS INT DETERMINISTIC RETURN a + 1;
CREATE TABLE `od``d /%.ü`.c (id INT PRIMARY KEY, p INT, CONSTRAINT far FOREIGN KEY (p) REFERENCES base.t (id) ON DELETE CASCADE);
INSERT INTO `od``d /%.ü`.c VALUES (1, 1);
SQL
sql 'od`d /%.ü' -e "CREATE VIEW v AS SELECT c.id, base.f(t.x) AS x FROM c JOIN base.t ON t.id = c.p;
	CREATE TRIGGER tr AFTER INSERT ON c FOR EACH ROW INSERT INTO base.trail VALUES ('from c')"
sql -e "CREATE TABLE Shop.t (a INT); INSERT INTO Shop.t VALUES (1); CREATE TABLE shop.t (b INT); INSERT INTO shop.t VALUES (2);
	CREATE VIEW shop.v AS SELECT o.id, o.x, (SELECT MAX(b) FROM shop.t) AS b FROM \`od\`\`d /%.ü\`.v o"
ALL=(base 'od`d /%.ü' Shop shop)
for i in "${!ALL[@]}"; do describe "${ALL[i]}" >"$T/before.$i"; done
one_site all '*' backup
check "the whole server is backed up; an empty database is a warning" run -e 3 noded backup all
check "that names it" says "database empty has no tables"
check "each database has an archive, names that differ in case too" test \
	"$(find "$T/store" -name '*.zst' | sed 's,.*/,,; s/-backup.*//' | LC_ALL=C sort | tr '\n' ' ')" = "all-Shop all-base all-empty all-od%60d%20%2F%25%2E%C3%BC all-shop "
check "all are of one snapshot" test "$(for a in "$T"/store/*/*/*/*/*.zst; do tar --zstd -xOf "$a" manifest.json | jq -c '[.run, .database.snapshot]'; done | sort -u | wc -l)" = 1

same_as_before() { for i in "${!ALL[@]}"; do describe "${ALL[i]}" >"$T/after" && diff "$T/before.$i" "$T/after" || return 1; done; }
drop_all() { for d in "${ALL[@]}"; do sql -e "SET foreign_key_checks=0; DROP DATABASE \`${d//\`/\`\`}\`"; done; }
back() { noded restore all --db "$1" --to-db "$1" --db-defaults "$T/my.cnf"; }
drop_all
for d in "${ALL[@]}"; do check "$d comes back to its own name" run back "$d"; done
check "all is as before" same_as_before
check "a key into another database holds" bash -c "! '$RIGS/mariadb.sh' sql '$T/db' 'od\`d /%.ü' -e 'INSERT INTO c VALUES (9, 99)' 2>/dev/null"
check "a trigger writes into another database" test "$(sql -N -e "INSERT INTO \`od\`\`d /%.ü\`.c VALUES (2, 2); SELECT COUNT(*) FROM base.trail")" = 1

drop_all
check "a database before the one that it uses comes back too" run -e 3 back 'od`d /%.ü'
check "but for the view, which is named" says "v.sql"
check "its rows are there" test "$(sql -N -e "SELECT COUNT(*) FROM \`od\`\`d /%.ü\`.c")" = 1
check "then the other" run back base
A=$(find "$T/store" -name 'all-od*.zst')
check "and the view out of its member" bash -c "tar --zstd -xOf '$A' db/30-post/5-views/v.sql | '$RIGS/mariadb.sh' sql '$T/db' 'od\`d /%.ü'"
back Shop >"$OUT" 2>&1; check "the others" run back shop
check "all is as before whatever the order" same_as_before

# ---- an account that sees a part
sql -e "CREATE USER part@'%' IDENTIFIED BY 'partpw'; GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON base.* TO part@'%'"
sed -i 's/"backup"/"part"/; s/backuppw/partpw/' "$T/config.json"
check "an account that sees some databases only makes the run a warning" run -e 3 noded --state "$T/part" backup all
check "that says how to have all" says "the account part may see some databases only: others, if there are any, are not in this backup (GRANT SELECT ON *.*)"
