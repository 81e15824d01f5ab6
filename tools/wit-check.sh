#!/bin/sh
# wit-check.sh [--rewrite] parses wit/ with the Bytecode Alliance's own tools and checks with them
# that each default component has the exports and imports of its role, name by name and type by type,
# of the version of wit/ that its manifest names, and that the empty components by which host/link
# knows the contracts are of this wit/. Older versions in wit/deps must be what they were when they
# were released: wit/frozen.sha256 has their sums.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
. "$here/versions.sh"
jco=$root/.tools/jco

install() {
	command -v npm >/dev/null || fail "needs node and npm"
	say "installing jco $JCO_VERSION in $jco"
	mkdir -p "$jco"
	# jco 1.35.0 opens files through preview2-shim; 0.26 and later refuse it.
	cat >"$jco/package.json" <<END
{"private": true,
 "dependencies": {"@bytecodealliance/jco": "$JCO_VERSION"},
 "overrides": {"@bytecodealliance/preview2-shim": "$PREVIEW2_SHIM_VERSION"}}
END
	(cd "$jco" && npm install --no-audit --no-fund --ignore-scripts --loglevel=error >&2)
	echo "$JCO_VERSION $PREVIEW2_SHIM_VERSION" >"$jco/.installed"
}

have=$(cat "$jco/.installed" 2>/dev/null || true)
[ "$have" = "$JCO_VERSION $PREVIEW2_SHIM_VERSION" ] || install
(cd "$root" && go test -count=1 -run '^TestFrozen' ./sdk/contracts >&2)
node "$here/wit-check.mjs" "$jco" "$root/wit" "$root/components" \
	"$root/host/link/testdata/worlds" "$root/host/cap/wasi/testdata" "$@"
