#!/bin/sh
# component-cases.sh makes the binaries of the cases in conformance/component anew, from their text
# with wasm-tools, and judges our decoder by them. The text is what is edited; the binaries are
# committed so that the test needs no tool. The first run builds wasm-tools, which takes minutes.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
. "$here/versions.sh"
dir=$root/.tools/wasm-tools
bin=$dir/bin/wasm-tools

have=$("$bin" --version 2>/dev/null || true)
if [ "$have" != "wasm-tools $WASM_TOOLS_VERSION" ]; then
	command -v cargo >/dev/null || fail "needs cargo"
	say "building wasm-tools $WASM_TOOLS_VERSION in $dir"
	cargo install wasm-tools --version "$WASM_TOOLS_VERSION" --locked --force \
		--no-default-features --features parse,validate,print,dump,wast,json-from-wast --root "$dir"
fi
cd "$root"
go test -count=1 -v -run TestCases ./conformance/component -rewrite -wasm-tools "$bin"
