#!/bin/sh
# zig.sh OUT: see tools/guests.sh. Zig has its own C library.
set -eu
cd "$(dirname "$0")/../.."
. tools/guests/lib.sh
out=$1
zig_tool
bindings "$out"
# Without --stack a module of Zig takes 16 MiB for its stack.
"$zig" build-exe -target wasm32-wasi -mexec-model=reactor -lc -O ReleaseSmall -fstrip \
	-rdynamic --stack 65536 -I"$out" --name policy -femit-bin="$out/policy.core.wasm" \
	conformance/guests/policy/zig/policy.zig "$out/policy_component.c" \
	"$out/policy_component_component_type.o" >&2
chmod 644 "$out/policy.core.wasm"
componentize "$out/policy.core.wasm" "$out/policy.wasm"
echo "policy.wasm component zig-$ZIG_VERSION"
echo "policy.core.wasm core zig-$ZIG_VERSION"
