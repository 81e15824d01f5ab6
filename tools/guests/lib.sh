# lib.sh is what the scripts of this folder share; they source it from the root of the project.
. tools/versions.sh

# bindings OUT puts what wit-bindgen makes of the policy's world for C into OUT.
bindings() {
	cargo=$PWD/.tools/cargo
	if [ "$("$cargo/bin/wit-bindgen" --version 2>/dev/null)" != "wit-bindgen-cli $WIT_BINDGEN_VERSION" ]; then
		rust_tools
		say "building wit-bindgen $WIT_BINDGEN_VERSION, some minutes"
		cargo install --quiet --locked --root "$cargo" --version "$WIT_BINDGEN_VERSION" \
			--no-default-features --features c,rust wit-bindgen-cli >&2
	fi
	"$cargo/bin/wit-bindgen" c --world policy-component --out-dir "$1" wit >&2
}

# rust_tools brings cargo where there is none.
rust_tools() {
	command -v cargo >/dev/null ||
		debs "cargo-web=$RUST_WEB_DEB" "rustc-web=$RUST_WEB_DEB"
}

# clang_tools brings clang, the linker, the C library.
clang_tools() {
	debs "clang-19=$LLVM_DEB" "lld-19=$LLVM_DEB" "libclang-rt-19-dev-wasm32=$LLVM_DEB" \
		"wasi-libc=$WASI_LIBC_DEB"
}

# reactor OUT OBJECT... links objects to a module without a main. Linked by hand: clang hands what it
# links to wasm-opt if it finds one, and that cannot read every object.
reactor() {
	made=$1
	shift
	libs=/usr/lib/wasm32-wasi
	wasm-ld-19 --strip-debug --entry _initialize -z stack-size=65536 --stack-first \
		"$libs/crt1-reactor.o" "$@" -L"$libs" -lc \
		/usr/lib/llvm-19/lib/clang/19/lib/wasi/libclang_rt.builtins-wasm32.a -o "$made"
	chmod 644 "$made"
}

# componentize CORE COMPONENT wraps a module that has its world embedded.
componentize() {
	go run ./sdk/wasmtools/cmd/componentize "$1" "$2"
}
