#!/bin/sh
# preview1.sh [--check] builds the adapter sdk/guest/preview1/preview1.wasm, or compares it with what
# is committed.
set -eu
cd "$(dirname "$0")/.."
. tools/guests/lib.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
clang_tools
clang-19 --target=wasm32 -O2 -Wall -Wextra -Wno-unused-parameter -fno-builtin -nostdlib -mcpu=mvp \
	-c -o "$work/preview1.o" sdk/guest/preview1/adapter/preview1.c
# No stack: what needs one would write over the module's own memory; the test of the adapter looks.
wasm-ld-19 --no-entry --strip-all --import-memory -z stack-size=0 -o "$work/core.wasm" \
	"$work/preview1.o"
componentize -embed -wit sdk/guest/preview1/adapter -world adapter "$work/core.wasm" \
	"$work/preview1.wasm"
if [ "${1:-}" = --check ]; then
	cmp "$work/preview1.wasm" sdk/guest/preview1/preview1.wasm
else
	cp "$work/preview1.wasm" sdk/guest/preview1/preview1.wasm
	say "$(wc -c <sdk/guest/preview1/preview1.wasm) bytes"
fi
