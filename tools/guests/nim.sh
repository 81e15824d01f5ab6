#!/bin/sh
# nim.sh OUT: see tools/guests.sh. Nim compiles to C, and clang from there.
set -eu
cd "$(dirname "$0")/../.."
. tools/guests/lib.sh
out=$1
clang_tools
debs "nim=$NIM_DEB"
bindings "$out"
clang-19 --target=wasm32-wasi -O2 -mbulk-memory -c -I"$out" -o "$out/policy_component.o" \
	"$out/policy_component.c"
# --noLinking leaves one object for each module in the cache.
rm -rf "$out/nim"
nim c --verbosity:0 --hints:off --cpu:wasm32 --os:linux --cc:clang --clang.exe:clang-19 \
	--mm:arc --threads:off --exceptions:goto --noMain --noLinking -d:release -d:useMalloc \
	-d:noSignalHandler --nimcache:"$out/nim" \
	--passC:"--target=wasm32-wasi -mbulk-memory -Wno-everything -I$out" \
	conformance/guests/policy/nim/policy.nim >&2
reactor "$out/policy.core.wasm" "$out"/*.o "$out"/nim/*.o
componentize "$out/policy.core.wasm" "$out/policy.wasm"
echo "policy.wasm component nim-${NIM_DEB%-*}"
echo "policy.core.wasm core nim-${NIM_DEB%-*}"
