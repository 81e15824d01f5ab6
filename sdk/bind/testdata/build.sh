#!/bin/sh
# build.sh [LANGUAGE...] makes the guests of TestRoundTrip anew: everything-LANGUAGE.wasm of the
# golden bindings and guest.* beside them. It installs the toolchains, pinned by tools/versions.sh.
set -eu
cd "$(dirname "$0")/../../.."
. tools/guests/lib.sh
testdata=$PWD/sdk/bind/testdata
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT

c() {
	clang_tools
	cd "$testdata"
	for source in everything guest; do
		clang-19 --target=wasm32 -std=c17 -O2 -mbulk-memory -Wall -Wextra -Werror \
			-c -o "$made/$source.o" "c/$source.c"
	done
	wasm-ld-19 --no-entry --strip-all -o everything-c.wasm "$made/everything.o" "$made/guest.o"
}

assemblyscript() {
	asc=$(npm_tool assemblyscript "$ASSEMBLYSCRIPT_VERSION")/bin/asc.js
	cd "$testdata"
	node "$asc" assemblyscript/guest.ts -O3 \
		--transform ./assemblyscript/everything.mjs -o everything-assemblyscript.wasm
}

[ $# -gt 0 ] || set -- c assemblyscript
for language in "$@"; do
	(set -eu && $language)
	chmod 644 "$testdata/everything-$language.wasm"
done
