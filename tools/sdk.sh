#!/bin/sh
# sdk.sh [LANGUAGE...] builds the examples of the SDKs beside their sources: core modules of some,
# components of most. Engines with a script inside go to .tools/sdk. It installs what it needs.
set -eu
cd "$(dirname "$0")/.."
. tools/guests/lib.sh
[ $# -gt 0 ] || set -- c cpp rust zig go assemblyscript js python
transformer_world="-wit wit -world transformer-component"

# quickjs ROOT FILE OUT makes OUT/vendor.wasm of a script and what it imports below ROOT.
quickjs() {
	qjs=$(npm_tool componentize-qjs "$COMPONENTIZE_QJS_VERSION")/cli.mjs
	mkdir -p "$3"
	node "$qjs" --wit wit --world transformer-component --module-root "$1" --js "$1/$2" \
		--sync --minify --output "$3/vendor.wasm" >&2
}

for lang in "$@"; do
	example=sdk/guest/$lang/example
	case $lang in
	c)
		clang_tools
		sdk/guest/c/build.sh "$example/vendor.core.wasm" "$example/vendor.c"
		componentize -wit wit -world transformer-component \
			"$example/vendor.core.wasm" "$example/vendor.wasm"
		ROLES="conversion byhandle" sdk/guest/c/build.sh "$example/large.core.wasm" \
			"$example/large.c"
		componentize -wit wit -world transformer-by-handle-component \
			"$example/large.core.wasm" "$example/large.wasm"
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
	go)
		tinygo=$(tools/tinygo.sh)
		TINYGOROOT=$(dirname "$(dirname "$tinygo")") "$tinygo" build -target=tools/wasip1.json \
			-buildmode=c-shared -opt=2 -no-debug -o "$example/vendor.core.wasm" ./$example/guest
		componentize $transformer_world $preview1 "$example/vendor.core.wasm" "$example/vendor.wasm"
		;;
	assemblyscript)
		asc=$(npm_tool assemblyscript "$ASSEMBLYSCRIPT_VERSION")/bin/asc.js
		mkdir -p .tools/sdk
		node "$asc" "$example/vendor.ts" -O3 --transform ./sdk/guest/assemblyscript/hpmq.mjs \
			-o .tools/sdk/utf16.wasm >&2
		componentize $transformer_world -encoding utf16 .tools/sdk/utf16.wasm "$example/vendor.wasm"
		;;
	js)
		tsc=$(npm_tool typescript "$TYPESCRIPT_VERSION")/bin/tsc
		node "$tsc" --project sdk/guest/js
		cp sdk/guest/js/conversion.js .tools/sdk/js/ts/
		quickjs sdk/guest/js example/vendor.js .tools/sdk/js
		quickjs .tools/sdk/js/ts example/vendor.js .tools/sdk/typescript
		example=.tools/sdk/js
		;;
	python)
		componentize_py
		mkdir -p .tools/sdk/python
		"$py" --wit-path wit --world transformer-component componentize \
			--python-path "$example" --python-path sdk/guest/python \
			--output .tools/sdk/python/vendor.wasm vendor >&2
		example=.tools/sdk/python
		;;
	*) fail "no SDK of $lang is built here" ;;
	esac
	say "$(ls -s --block-size=1 "$example"/*.wasm | tr '\n' ' ')"
done
