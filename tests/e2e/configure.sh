#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What configure says on machines that lack something, and what make dist packs.
# sanitize: no
. "$(dirname "$0")/../lib.sh"
SRC=$(cd "$HERE/.." && pwd -P)
configured() { # NAME OPTIONS...: in a folder of its own
	mkdir -p "$T/$1" && cd "$T/$1" && "$SRC/configure" -q "${@:2}"
}

# ---- libraries ---------------------------------------------------------------------
check "without any library configure fails" run -e 1 env PKG_CONFIG_LIBDIR=/nonexistent bash -c "mkdir '$T/none' && cd '$T/none' && '$SRC/configure' -q"
grep -oE 'apt-get install [a-z0-9.-]+' "$ERR" | sed 's/.* //' | sort >"$T/named"
"$SRC/scripts/packages" list build | grep -- '-dev$' | grep -vx -e libc6-dev -e libsystemd-dev -e libpq-dev | sort >"$T/listed"
check "and names every package of libraries that scripts/packages has, in one go" diff "$T/named" "$T/listed"
cat >"$T/pkg-config" <<'END'
#!/bin/sh
case "$*" in *libsystemd* | *libpq*) exit 1 ;; esac
exec pkg-config "$@"
END
chmod +x "$T/pkg-config"
check "a library that was asked for is named too" run -e 1 env PKG_CONFIG="$T/pkg-config" bash -c "mkdir '$T/sd' && cd '$T/sd' && '$SRC/configure' -q --with-systemd"
check "with its package" says "apt-get install libsystemd-dev"
check "so is the one for PostgreSQL" run -e 1 env PKG_CONFIG="$T/pkg-config" bash -c "mkdir '$T/pq' && cd '$T/pq' && '$SRC/configure' -q --with-libpq"
check "with its package too" says "apt-get install libpq-dev"

# ---- a client library by its other name --------------------------------------------
mkdir "$T/other"
printf 'Name: mysqlclient\nDescription: by another name\nVersion: 8.0\nLibs: %s -DOTHER_LIBS\nCflags: %s -DOTHER_NAME\n' \
	"$(pkg-config --libs libmariadb)" "$(pkg-config --cflags libmariadb)" >"$T/other/mysqlclient.pc"
other() { PKG_CONFIG_PATH=$T/other configured mysqlclient && grep -q '^MYSQL_CFLAGS = .*-DOTHER_NAME' "$T/mysqlclient/Makefile" && grep -q '^MYSQL_LIBS = .*-DOTHER_LIBS' "$T/mysqlclient/Makefile"; }
check "mysqlclient is taken when there is one" other

# ---- without systemd ----------------------------------------------------------------
without() { PKG_CONFIG=$T/pkg-config configured without --without-systemd && ! grep -qE 'define HAVE_(SYSTEMD|LIBPQ)' "$T/without/config.h" && grep -qx 'SYSTEMD_LIBS = ' "$T/without/Makefile"; }
check "--without-systemd asks for no libsystemd, and without libpq the master has SQLite" without

# ---- the archive of the source ---------------------------------------------------------
dist() { make -s -C "$T/without" distdir && cd "$T/without"/felloe-* && find . ! -type d | sed 's|^\./||' | sort >"$T/packed"; }
check "make distdir packs the source" dist
if git -C "$SRC" rev-parse --is-inside-work-tree >/dev/null 2>&1 && git -C "$SRC" ls-files -co --exclude-standard >"$T/tracked" 2>/dev/null && [ -s "$T/tracked" ]; then
	check "nothing of the repository is missing in it" run bash -c "! sort '$T/tracked' | grep -vx .gitignore | comm -23 - '$T/packed' | grep ."
	check "what was made is not in it" run bash -c "! sort '$T/tracked' | comm -13 - '$T/packed' |
		grep -vE '^(Makefile.in|aclocal.m4|build-aux/.*|config.h.in|configure|INSTALL)$' | grep ."
else
	for f in .ci/run .clang-format LICENSE scripts/test tests/lib.sh tests/rigs/systemd.sh docs/api.md configure; do
		check "$f is in it" test -s "$T/without"/felloe-*/"$f"
	done
fi
