#!/bin/sh
# fixtures.sh builds the components in host/wasm/plan/testdata from the C beside them, with clang and
# the jco that wit-check.sh installs. The committed .wasm are what it makes.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
. "$here/versions.sh"
jco=${JCO_DIR:-$root/.tools/jco}
[ -d "$jco" ] || fail "run tools/wit-check.sh once: it installs jco"
out=$root/host/wasm/plan/testdata
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# core SOURCE NAME FLAGS... makes a core module; -O2 only while compiling, else clang runs wasm-opt.
core() {
	source=$1 name=$2
	shift 2
	clang-19 --target=wasm32 -O2 -nostdlib -Wall -Wno-unused-function "$@" \
		-c -o "$work/$name.o" "$out/$source.c"
	wasm-ld-19 --no-entry --strip-all --stack-first -z stack-size=4096 \
		-o "$work/$name.wasm" "$work/$name.o"
}
core policy policy
core policy preview1 -DPREVIEW1
core store store
core user user
node "$here/fixtures.mjs" "$jco" "$out/wit" "$work" "$out"
wc -c "$out"/*.wasm >&2
