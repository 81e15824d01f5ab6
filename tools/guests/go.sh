#!/bin/sh
# go.sh OUT: see tools/guests.sh. Go itself, which makes large modules.
set -eu
cd "$(dirname "$0")/../.."
. tools/guests/lib.sh
out=$1
GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -ldflags='-s -w' -trimpath \
	-o "$out/policy.core.wasm" ./conformance/guests/policy/go
componentize $policy_world $preview1 "$out/policy.core.wasm" "$out/policy.wasm"
version=$(go env GOVERSION)
echo "policy.wasm component go-${version#go}"
echo "policy.core.wasm core go-${version#go}"
