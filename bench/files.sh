#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# felloe-noded backup of mixed files into a directory, against
# tar | zstd -3 -T2 > file: wall, CPU and memory, alternating runs, files in
# the page cache.
#   bench/files.sh [BUILD_DIR [MEGABYTES [RUNS]]]
# Needs zstd, tar, openssl, time. Figures are printed, never judged.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need /usr/bin/time zstd tar openssl
BUILD=$(cd "${1:-$ROOT/build/demo}" && pwd -P) MB=${2:-1000} RUNS=${3:-3}

# Half are pictures (no longer compressible, 20 KB to 2 MB), 3 of 10 are sources and pages (small,
# text), the rest a few long logs.
fill_files() {
	local www=$T/www/shop/wp-content
	mkdir -p "$www/uploads" "$www/plugins" "$www/logs"
	openssl enc -aes-128-ctr -pass pass:bench -nosalt -pbkdf2 </dev/zero 2>/dev/null | head -c $((MB * 500000)) |
		split -a 4 -b 500000 --filter='cat >$FILE.jpg' - "$www/uploads/" || true
	awk -v n=$((MB * 2000)) 'BEGIN {srand(7); for (i = 0; i < n; i++) printf "\t\t$this->field_%05d = apply_filters( \x27hook_%d\x27, $value[%d], array( %d, \x22%x\x22 ) ); // the text of line %d says so, and goes on to the end\n", rand() * 99999, i % 977, rand() * 1000, i, rand() * 1e9, i}' |
		split -a 4 -l 100 --additional-suffix=.php - "$www/plugins/"
	awk -v n=$((MB * 1700)) 'BEGIN {srand(9); for (i = 0; i < n; i++) printf "192.0.2.%d - - [23/Nov/2026:13:%02d:%02d +0000] \x22GET /shop/product-%d/?utm=%x HTTP/1.1\x22 200 %d \x22-\x22 \x22Mozilla/5.0\x22\n", rand() * 255, i / 60 % 60, i % 60, rand() * 9999, rand() * 1e9, rand() * 99999}' |
		split -a 2 -n r/4 --additional-suffix=.log - "$www/logs/"
}
echo "filling about $MB MB of files ..." >&2
fill_files
files=$(find "$T/www" -type f | wc -l) bytes=$(du -sb "$T/www" | cut -f1)
node_config "{\"name\":\"files\",\"paths\":[\"$T/www\"]}"

for ((i = 0; i < RUNS; i++)); do
	rm -rf "$T/store"/*; sync
	measure felloe "$BUILD/felloe-noded" backup -c "$T/config.json" --state "$T/state" files
	SIZE[felloe]=$(find "$T/store" -name '*.tar.zst' -printf '%s\n')
	sync
	measure tar bash -c "tar -C '$T' -cf - www | zstd -q -3 -T2 >'$T/files.tar.zst'"
	SIZE[tar]=$(stat -c %s "$T/files.tar.zst")
	rm "$T/files.tar.zst"
done
echo "$files files, $bytes bytes"
LABEL=([felloe]="felloe-noded backup" [tar]="tar | zstd -3 -T2")
table felloe tar
