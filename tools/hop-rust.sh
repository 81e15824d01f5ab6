#!/bin/sh
# hop-rust.sh builds the guests of make bench-wasm that are in Rust, beside the others: core modules
# and components.
set -eu
cd "$(dirname "$0")/.."
. tools/guests/lib.sh
rust_web
out=conformance/hop/testdata
for role in authorizer transformer keeper; do
	(cd $out/rust && cargo build --quiet --locked --release -Zbuild-std=std,panic_abort \
		--features $role --target wasm32-unknown-unknown >&2)
	made="$CARGO_TARGET_DIR/wasm32-unknown-unknown/release/hop.wasm"
	componentize "$made" "$out/rust/$role.wasm"
	[ $role != keeper ] || continue # it is asked in one form only
	cp "$made" "$out/rust/$role.core.wasm"
	chmod 644 "$out/rust/$role.core.wasm"
done
