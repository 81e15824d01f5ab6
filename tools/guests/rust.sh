#!/bin/sh
# rust.sh OUT: see tools/guests.sh. Debian's rustc-web is the one Rust with the source of std that comes
# in a package; no package has std built for wasm, so cargo builds it, once.
set -eu
cd "$(dirname "$0")/../.."
. tools/versions.sh
out=$1
debs "rustc-web=$RUST_WEB_DEB" "rust-web-src=$RUST_WEB_DEB" "lld-19=$LLVM_DEB"
command -v cargo >/dev/null || debs "cargo-web=$RUST_WEB_DEB"

export CARGO_TARGET_DIR="$PWD/.tools/rust"
export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld-19
# Where this machine keeps crates is nobody's business.
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}/registry/src=crates"
(cd conformance/guests/policy/rust && cargo build --quiet --locked --release \
	-Zbuild-std=std,panic_abort --target wasm32-unknown-unknown >&2)
cp "$CARGO_TARGET_DIR/wasm32-unknown-unknown/release/policy.wasm" "$out/policy.core.wasm"
go run ./sdk/wasmtools/cmd/componentize "$out/policy.core.wasm" "$out/policy.wasm"
version="rustc-$($RUSTC --version | cut -d' ' -f2)"
echo "policy.wasm component $version"
echo "policy.core.wasm core $version"
