# SPDX-License-Identifier: Apache-2.0
# Other people's programs out of the npm registry, in exact versions with hashes; after lib.sh.
# shellcheck shell=bash

# npm_install NAME SECONDS: what tests/NAME/package-lock.json names comes into $BUILD/tests/NAME-tools/node_modules, once a
# build folder and lock file. No script of a package is run. What npm says is in $T/npm
npm_install() {
	local from=$HERE/$1 to=$BUILD/tests/$1-tools
	cmp -s "$from/package-lock.json" "$to/done" && return 0
	rm -rf "$to" && mkdir -p "$to" && cp "$from/package.json" "$from/package-lock.json" "$to" || return 1
	(cd "$to" && timeout "$2" npm ci --ignore-scripts --no-audit --no-fund --omit=optional --prefer-offline \
		--fetch-retries=1 --fetch-retry-mintimeout=1000 --fetch-timeout=30000) >"$T/npm" 2>&1
	case $? in
	0) cp "$from/package-lock.json" "$to/done" ;;
	124) echo "ETIMEDOUT: not there after $2 s" >>"$T/npm"; return 1 ;;
	*) return 1 ;;
	esac
}
# npm_or_end NAME SECONDS "sentence": that, or the test ends here. A registry that is out of reach, or gives nothing, says
# nothing about the product or this machine, so it is no failure in CI either
npm_or_end() {
	command -v npm >/dev/null || { skip "$3" "apt-get install npm"; exit 0; }
	npm_install "$1" "$2" && return 0
	note "$T/npm"
	if grep -qE 'ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|E(HOST|NET)UNREACH|ETIMEDOUT|E40[134]|E429|E5[0-9][0-9]|ERR_SOCKET_TIMEOUT|SELF_SIGNED_CERT|UNABLE_TO_(GET_ISSUER_CERT|VERIFY_LEAF)' "$T/npm"; then
		CI='' skip "$3" "npm cannot get it from its registry"
		exit 0
	fi
	check "npm installs what tests/$1 names" false
	exit 1
}
