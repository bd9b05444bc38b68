#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The installed units are understood by systemd and well locked up.
. "$(dirname "$0")/../lib.sh"
command -v systemd-analyze >/dev/null || { skip "systemd understands the units" "systemd-analyze is missing: apt-get install systemd"; exit 0; }
make -C "$BUILD" install DESTDIR="$T/root" >"$T/install.log" 2>&1
check "make install puts everything under DESTDIR" test -d "$T/root" || note "$T/install.log"
UNITS=$(dirname "$(find "$T/root" -name felloe-noded.service)")
check "with the units" test -s "$UNITS/felloe-backup@.timer"
check "no path is left open" [ -z "$(grep -h '@[a-z]*@' "$UNITS"/felloe-*)" ]
check "users and folders come along" [ "$(find "$T/root" -path '*sysusers.d/felloe.conf' -o -path '*tmpfiles.d/felloe.conf' | wc -l)" = 2 ]
# the programs are where DESTDIR put them
mkdir "$T/units"
for u in "$UNITS"/felloe-*; do
	sed "s|^ExecStart=/|ExecStart=$T/root/|" "$u" >"$T/units/${u##*/}"
done
verified() {
	systemd-analyze verify --man=no "$T/units/$1" >"$OUT" 2>"$ERR" || { cat "$ERR"; return 1; }
	! grep -F "$T/units" "$ERR"
}
for u in felloe-masterd.service felloe-noded.service felloe-backup@.service felloe-backup@.timer; do
	check "systemd understands $u" verified "$u"
done
for u in felloe-masterd.service felloe-noded.service felloe-backup@.service; do
	check "$u is exposed by 3.0 at most" systemd-analyze security --offline=yes --threshold=30 --no-pager "$T/units/$u"
done
sed 's/^Type=.*/Type=nonsense/' "$T/units/felloe-noded.service" >"$T/units/felloe-bad.service"
check "this test can fail: a bad unit is found" test "$(verified felloe-bad.service >/dev/null; echo $?)" != 0
