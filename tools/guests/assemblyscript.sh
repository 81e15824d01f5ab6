#!/bin/sh
# assemblyscript.sh OUT: see tools/guests.sh. Its strings are UTF-16, so there is no core form.
set -eu
cd "$(dirname "$0")/../.."
. tools/guests/lib.sh
out=$1
asc=$(npm_tool assemblyscript "$ASSEMBLYSCRIPT_VERSION")/bin/asc.js
node "$asc" conformance/guests/policy/assemblyscript/policy.ts -O3 \
	--transform ./sdk/guest/assemblyscript/hpmq.mjs -o "$out/utf16.wasm" >&2
componentize $policy_world -encoding utf16 "$out/utf16.wasm" "$out/policy.wasm"
echo "policy.wasm component asc-$ASSEMBLYSCRIPT_VERSION"
