#!/bin/sh
# rust.sh OUT: see tools/guests.sh.
set -eu
cd "$(dirname "$0")/../.."
. tools/guests/lib.sh
out=$1
rust_web
(cd conformance/guests/policy/rust && cargo_wasm)
cp "$CARGO_TARGET_DIR/wasm32-unknown-unknown/release/policy.wasm" "$out/policy.core.wasm"
chmod 644 "$out/policy.core.wasm"
componentize "$out/policy.core.wasm" "$out/policy.wasm"
version="rustc-$($RUSTC --version | cut -d' ' -f2)"
echo "policy.wasm component $version"
echo "policy.core.wasm core $version"
