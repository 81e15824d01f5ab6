# lib.sh is what the scripts of this folder share; they source it from the root of the project.
. tools/versions.sh

# bindings OUT puts what wit-bindgen makes of the policy's world for C into OUT.
bindings() {
	cargo=$PWD/.tools/cargo
	have=$("$cargo/bin/wit-bindgen" --version 2>/dev/null || true)
	if [ "$have" != "wit-bindgen-cli $WIT_BINDGEN_VERSION" ]; then
		rust_tools
		say "building wit-bindgen $WIT_BINDGEN_VERSION, some minutes"
		# It runs for a moment: to optimise it takes longer than it ever will.
		CARGO_PROFILE_RELEASE_OPT_LEVEL=0 cargo install --quiet --locked --root "$cargo" \
			--version "$WIT_BINDGEN_VERSION" --no-default-features --features c \
			wit-bindgen-cli >&2
	fi
	"$cargo/bin/wit-bindgen" c --world policy-component --out-dir "$1" wit >/dev/null
}

# rust_tools brings cargo where there is none.
rust_tools() {
	command -v cargo >/dev/null ||
		debs "cargo-web=$RUST_WEB_DEB" "rustc-web=$RUST_WEB_DEB"
}

# rust_web brings Debian's rustc-web: the one Rust with the source of std that comes in a package. No
# package has std built for wasm, so cargo builds it, once.
rust_web() {
	debs "rustc-web=$RUST_WEB_DEB" "rust-web-src=$RUST_WEB_DEB" "lld-19=$LLVM_DEB"
	command -v cargo >/dev/null || debs "cargo-web=$RUST_WEB_DEB"
	export CARGO_TARGET_DIR="$PWD/.tools/rust"
	export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1
	export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld-19
	# Where this machine keeps std and crates is nobody's business; and a guest has no standard error
	# on which a panic could say a place.
	export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="-Zlocation-detail=none"
}

# cargo_wasm builds the crate of this folder.
cargo_wasm() {
	cargo build --quiet --locked --release -Zbuild-std=std,panic_abort \
		--target wasm32-unknown-unknown >&2
}

# zig_tool brings Zig, from its package on PyPI, and sets zig.
zig_tool() {
	folder=$PWD/.tools/zig-$ZIG_VERSION
	zig=$folder/ziglang/zig
	[ ! -x "$zig" ] || return 0
	python3 -m pip --version >/dev/null 2>&1 || debs python3 python3-pip
	say "installing Zig $ZIG_VERSION in $folder"
	python3 -m pip install --quiet --disable-pip-version-check --no-deps --target "$folder" \
		"ziglang==$ZIG_VERSION" >&2
}

# clang_tools brings clang, the linker, the C library.
clang_tools() {
	debs "clang-19=$LLVM_DEB" "lld-19=$LLVM_DEB" "libclang-rt-19-dev-wasm32=$LLVM_DEB" \
		"wasi-libc=$WASI_LIBC_DEB"
}

# reactor OUT OBJECT... links objects, and libraries by -l, to a module without a main. By hand: clang
# hands what it links to wasm-opt if it finds one, and that cannot read every object.
reactor() {
	made=$1
	shift
	libs=/usr/lib/wasm32-wasi
	wasm-ld-19 --strip-debug --entry _initialize -z stack-size=65536 --stack-first \
		"$libs/crt1-reactor.o" -L"$libs" -L/usr/lib/llvm-19/lib/wasm32-wasi "$@" -lc \
		/usr/lib/llvm-19/lib/clang/19/lib/wasi/libclang_rt.builtins-wasm32.a -o "$made"
	chmod 644 "$made"
}

# clang_version prints the name and version of the compiler.
clang_version() {
	clang-19 --version | sed -n 's/.*clang version \([0-9.]*\).*/clang-\1/p'
}

# componentize [FLAG...] CORE COMPONENT wraps a module; without flags it has its world embedded.
componentize() {
	go run ./sdk/wasmtools/cmd/componentize "$@"
}

# policy_world are the flags of componentize for a module that has no world embedded.
policy_world="-wit wit -world policy-component"

# preview1 is the flag of componentize for a module that imports WASI preview 1.
preview1="-adapt wasi_snapshot_preview1=sdk/guest/preview1/preview1.wasm"

# node_tools brings node and npm where there are none.
node_tools() {
	command -v npm >/dev/null || debs nodejs npm
}

# npm_tool PACKAGE VERSION installs a tool of npm's and prints its folder.
npm_tool() {
	tool=$PWD/.tools/$1
	if [ "$(cat "$tool/.installed" 2>/dev/null)" != "$2" ]; then
		node_tools
		say "installing $1 $2"
		mkdir -p "$tool"
		echo '{"private": true}' >"$tool/package.json"
		(cd "$tool" && npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
			--save-exact "$1@$2" >&2)
		echo "$2" >"$tool/.installed"
	fi
	echo "$tool/node_modules/$1"
}

# adapter brings the Bytecode Alliance's adapter for modules that import WASI preview 1, as a C
# library does, and says where it is, in the words of componentize.
adapter() {
	dir=$PWD/.tools/adapter
	crate=wasi-preview1-component-adapter-provider
	if [ "$(cat "$dir/.version" 2>/dev/null)" != "$ADAPTER_VERSION" ]; then
		rust_tools
		mkdir -p "$dir/src"
		: >"$dir/src/lib.rs"
		printf '[package]\nname = "fetch"\n[workspace]\n[dependencies]\n%s = "=%s"\n' \
			"$crate" "$ADAPTER_VERSION" >"$dir/Cargo.toml"
		(cd "$dir" && cargo vendor --quiet >/dev/null)
		echo "$ADAPTER_VERSION" >"$dir/.version"
	fi
	name=wasi_snapshot_preview1
	echo "$name=$dir/vendor/$crate/artefacts/$name.reactor.wasm"
}

# componentize_py brings that program and sets $py to it.
componentize_py() {
	venv=$PWD/.tools/componentize-py
	py=$venv/bin/componentize-py
	[ "$(cat "$venv/.installed" 2>/dev/null)" != "$COMPONENTIZE_PY_VERSION" ] || return 0
	say "installing componentize-py $COMPONENTIZE_PY_VERSION"
	python3 -m venv "$venv" 2>/dev/null || { debs python3 python3-venv && python3 -m venv "$venv"; }
	"$venv/bin/pip" install --quiet --disable-pip-version-check \
		"componentize-py==$COMPONENTIZE_PY_VERSION" >&2
	echo "$COMPONENTIZE_PY_VERSION" >"$venv/.installed"
}
