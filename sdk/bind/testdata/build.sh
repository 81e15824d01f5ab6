#!/bin/sh
# build.sh [LANGUAGE...] makes the guests of TestRoundTrip anew: everything-LANGUAGE.wasm of the
# golden bindings and guest.* beside them. Needs the toolchain of the language on PATH; see README.md.
set -eu
cd "$(dirname "$0")"
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT

c() {
	for source in everything guest; do
		clang-19 --target=wasm32 -std=c17 -O2 -mbulk-memory -Wall -Wextra -Werror \
			-c -o "$made/$source.o" "c/$source.c"
	done
	wasm-ld-19 --no-entry --strip-all -o everything-c.wasm "$made/everything.o" "$made/guest.o"
}

for language in "${@:-c}"; do
	$language
	chmod 644 "everything-$language.wasm"
done
