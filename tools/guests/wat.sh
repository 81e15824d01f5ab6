#!/bin/sh
# wat.sh OUT: see tools/guests.sh. WebAssembly by hand, in its text format.
set -eu
cd "$(dirname "$0")/../.."
. tools/guests/lib.sh
out=$1
debs "wabt=$WABT_DEB"
wat2wasm -o "$out/policy.core.wasm" conformance/guests/policy/wat/policy.wat >&2
componentize $policy_world "$out/policy.core.wasm" "$out/policy.wasm"
echo "policy.wasm component wabt-${WABT_DEB%-*}"
echo "policy.core.wasm core wabt-${WABT_DEB%-*}"
