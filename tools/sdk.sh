#!/bin/sh
# sdk.sh [LANGUAGE...] builds the examples of the SDKs for C, C++, Rust and Zig beside their sources: the
# core modules by the build.sh of each SDK, and components of some. It installs what it needs.
set -eu
cd "$(dirname "$0")/.."
. tools/guests/lib.sh
[ $# -gt 0 ] || set -- c cpp rust zig
for lang in "$@"; do
	example=sdk/guest/$lang/example
	case $lang in
	c)
		clang_tools
		sdk/guest/c/build.sh "$example/vendor.core.wasm" "$example/vendor.c"
		componentize -wit wit -world transformer-component \
			"$example/vendor.core.wasm" "$example/vendor.wasm"
		;;
	cpp)
		clang_tools
		debs "libc++-19-dev-wasm32=$LLVM_DEB" "libc++abi-19-dev-wasm32=$LLVM_DEB"
		sdk/guest/cpp/build.sh "$example/vendor.core.wasm" "$example/vendor.cpp"
		;;
	rust)
		rust_web
		(cd "$example" && cargo_wasm)
		componentize "$CARGO_TARGET_DIR/wasm32-unknown-unknown/release/vendor.wasm" \
			"$example/vendor.wasm"
		;;
	zig)
		zig_tool
		ZIG=$zig sdk/guest/zig/build.sh "$example/vendor.core.wasm" "$example/vendor.zig"
		componentize -wit wit -world transformer-component \
			"$example/vendor.core.wasm" "$example/vendor.wasm"
		;;
	*) fail "no SDK of $lang is built here" ;;
	esac
	say "$(ls -s --block-size=1 "$example"/*.wasm | tr '\n' ' ')"
done
