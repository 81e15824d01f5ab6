#!/bin/sh
# zig.sh OUT: see tools/guests.sh. Zig comes from its package on PyPI, with its own C library.
set -eu
cd "$(dirname "$0")/../.."
. tools/guests/lib.sh
out=$1
zig=$PWD/.tools/zig-$ZIG_VERSION
if [ ! -x "$zig/ziglang/zig" ]; then
	command -v python3 >/dev/null || debs python3
	python3 -m pip --version >/dev/null 2>&1 || debs python3-pip
	say "installing Zig $ZIG_VERSION in $zig"
	python3 -m pip install --quiet --disable-pip-version-check --no-deps --target "$zig" \
		"ziglang==$ZIG_VERSION" >&2
fi
bindings "$out"
# Without --stack a module of Zig takes 16 MiB for its stack.
"$zig/ziglang/zig" build-exe -target wasm32-wasi -mexec-model=reactor -lc -O ReleaseSmall -fstrip \
	-rdynamic --stack 65536 -I"$out" --name policy -femit-bin="$out/policy.core.wasm" \
	conformance/guests/policy/zig/policy.zig "$out/policy_component.c" \
	"$out/policy_component_component_type.o" >&2
chmod 644 "$out/policy.core.wasm"
componentize "$out/policy.core.wasm" "$out/policy.wasm"
echo "policy.wasm component zig-$ZIG_VERSION"
echo "policy.core.wasm core zig-$ZIG_VERSION"
