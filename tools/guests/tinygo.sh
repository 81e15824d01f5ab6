#!/bin/sh
# tinygo.sh OUT: see tools/guests.sh. The source is that of Go.
set -eu
cd "$(dirname "$0")/../.."
. tools/guests/lib.sh
out=$1
tinygo=$(tools/tinygo.sh)
TINYGOROOT=$(dirname "$(dirname "$tinygo")")
export TINYGOROOT
"$tinygo" build -target=tools/wasip1.json -buildmode=c-shared -opt=2 -no-debug \
	-o "$out/policy.core.wasm" ./conformance/guests/policy/go
componentize $policy_world $preview1 "$out/policy.core.wasm" "$out/policy.wasm"
echo "policy.wasm component tinygo-$TINYGO_VERSION"
echo "policy.core.wasm core tinygo-$TINYGO_VERSION"
