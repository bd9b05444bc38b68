#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Each type, option, kind of object, character set and odd name of MariaDB comes
# back exactly: out of a real archive by tar and the stock client, and by restore.
# sanitize: yes
# timeout: 240
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/site-lib.sh
. "$HERE/site-lib.sh"
# shellcheck source=tests/same-lib.sh
. "$HERE/same-lib.sh"

mkdir -p "$T/keys" && printf '1;%s\n2;%s\n' "$(openssl rand -hex 32)" "$(openssl rand -hex 32)" >"$T/keys/file" && chmod -R a+rX "$T/keys"
db_server --plugin-load-add=file_key_management \
	--loose-file-key-management-filename="$T/keys/file" --event-scheduler=OFF
sql() { "$RIGS/mariadb.sh" sql "$T/db" "$@"; }
DB="f'i\"d\`elity"
create() { sql -e "CREATE DATABASE \`${1//\`/\`\`}\` COMMENT 'of the new one'"; }
drop() { sql -e "DROP DATABASE \`${1//\`/\`\`}\`"; }

# A table for each character set of the server, with the first and the last of its
# collations, each byte, and pairs of bytes where a letter may have two.
charsets() {
	sql -N -e "SELECT cs.CHARACTER_SET_NAME, MAXLEN, MIN(COLLATION_NAME), MAX(COLLATION_NAME) FROM information_schema.CHARACTER_SETS cs
		JOIN information_schema.COLLATIONS co USING (CHARACTER_SET_NAME) GROUP BY 1" | while read -r cs max first last; do
		bytes=1
		case $cs in ucs2 | utf16 | utf16le) bytes=2 ;; utf32) bytes=4 ;; esac
		echo "CREATE TABLE cs_$cs (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(8) CHARACTER SET $cs COLLATE $first, w CHAR(8) CHARACTER SET $cs
			COLLATE $last, t TEXT CHARACTER SET $cs, e ENUM('x', 'y z') CHARACTER SET $cs, KEY (v), KEY (t(5))) CHARSET=$cs COLLATE=$last;
			INSERT IGNORE INTO cs_$cs (v, t) SELECT UNHEX(LPAD(HEX(seq), $((bytes * 2)), '0')), UNHEX(LPAD(HEX(seq), $((bytes * 2)), '0')) FROM seq_0_to_255;
			INSERT IGNORE INTO cs_$cs (v, w, t, e) VALUES ('é', 'ß ', '日本', 'x'), ('€', 'ж', '😀', 'y z'), ('', ' ', NULL, NULL);"
		case $cs in utf*) continue ;; esac
		[ "$max" -eq 1 ] || echo "INSERT IGNORE INTO cs_$cs (v, t) SELECT UNHEX(HEX(seq)), UNHEX(HEX(seq)) FROM seq_32896_to_65535_step_3;"
	done
}
create "$DB"
objects() { sql --comments "$DB" <"$HERE/e2e/fidelity.sql" && charsets | sql "$DB"; }
check "a schema with everything is there" objects || exit 1
describe "$DB" >"$T/before"
check "there is much to compare" test "$(wc -l <"$T/before")" -ge 15000

one_site all "$DB" backup
check "it is backed up, with warnings" run -e 3 noded backup all
check "about a view of what is gone" says 'view `broken_view` refers to'
check "about versions that nothing can bring back" says 'table `sv_by_transaction` is system-versioned by transaction numbers'
check "about a table that is a window on others" says 'table `eng_merge` is MRG_MyISAM and holds no rows of its own'
A=$(find "$T/store" -name 'all-backup-*.tar.zst')

drop "$DB" && create "$DB"
stock() { tar --zstd -xOf "$A" --wildcards 'db/*' | sql --comments --max-allowed-packet=1G "$DB"; }
check "the stock tools take it back" stock
check "all of it is as before" same_db "$T/before" "$DB"

# restore gives what a gone account had to whoever restores: here they are back
sql -e "CREATE USER dead; CREATE USER gone; CREATE USER gone@localhost; CREATE USER 'no\`body'@'no''where'; GRANT ALL ON *.* TO dead"
check "restore takes it back under another name" run noded restore all --to-db 'cöpy' --db-defaults "$T/my.cnf"
check "and compares the digests" says "all digests agree"
check "all of it is as before under the other name" same_db "$T/before" 'cöpy'
