#!/bin/sh
# d.sh OUT: see tools/guests.sh. Without D's runtime (-betterC), which knows no wasm.
set -eu
cd "$(dirname "$0")/../.."
. tools/guests/lib.sh
out=$1
clang_tools
debs "ldc=$LDC_DEB"
bindings "$out"
clang-19 --target=wasm32-wasi -O2 -mbulk-memory -c -I"$out" -o "$out/policy_component.o" \
	"$out/policy_component.c"
for source in policy rules; do
	ldc2 -mtriple=wasm32-unknown-unknown-wasm -betterC -O2 -disable-simplify-libcalls -w \
		-Iconformance/guests/policy/d -c -of="$out/$source.o" "conformance/guests/policy/d/$source.d"
done
reactor "$out/policy.core.wasm" "$out"/*.o
componentize "$out/policy.core.wasm" "$out/policy.wasm"
version=ldc-$(echo "$LDC_DEB" | sed 's/.*:\([^-]*\)-.*/\1/')
echo "policy.wasm component $version"
echo "policy.core.wasm core $version"
