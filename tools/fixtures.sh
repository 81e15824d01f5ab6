#!/bin/sh
# fixtures.sh builds the components that tests have beside their C: in host/wasm/plan/testdata and
# host/cap/wasi/testdata, the component form of the guests in host/link/testdata, and both forms of those
# in conformance/hop/testdata. It takes clang, wasi-libc and the jco that wit-check.sh installs. The committed .wasm are what it makes.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
. "$here/versions.sh"
jco=${JCO_DIR:-$root/.tools/jco}
[ -d "$jco" ] || fail "run tools/wit-check.sh once: it installs jco"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# wrap WIT WORLD ENCODING CORE OUT
wrap() { node "$here/wrap.mjs" "$jco" "$@"; }

# core SOURCE OUT FLAGS... makes a core module; -O2 only while compiling, else clang runs wasm-opt.
core() {
	source=$1 out=$2
	shift 2
	clang-19 --target=wasm32 -O2 -mbulk-memory -nostdlib -Wall -Wno-unused-function "$@" \
		-c -o "$work/o" "$source"
	wasm-ld-19 --no-entry --strip-all --stack-first -z stack-size=4096 -o "$out" "$work/o"
}

plans() {
	cd "$root/host/wasm/plan/testdata"
	core policy.c "$work/policy" && wrap wit policy utf8 "$work/policy" policy.wasm
	core policy.c "$work/p1" -DPREVIEW1 && wrap wit policy utf8 "$work/p1" preview1.wasm
	core store.c "$work/store" && wrap wit store utf8 "$work/store" store.wasm
	core user.c "$work/user" && wrap wit user utf8 "$work/user" user.wasm
	node "$here/compose.mjs" store.wasm user.wasm test:plan/blobs@0.1.0 run composed.wasm
}

# The guests of host/link wrapped, and some that are there in this form only.
links() {
	cd "$root/host/link/testdata"
	mkdir -p components
	for guest in *.wasm; do
		name=${guest%.wasm}
		case $name in
		nothing | unknown-import | half-* | *-block) continue ;;
		*-state | *-migration) lasting "$name" && continue ;;
		esac
		way=
		case $name in *-by-handle) way=-by-handle ;; esac
		wrap "$root/wit" "${name%%-*}$way-component" utf8 "$guest" "components/$guest"
	done
	for encoding in utf16 compact-utf16; do
		core utf16.c "$work/utf16" "-DTAGGED=$([ $encoding = utf16 ] && echo 0 || echo 1)"
		wrap "$root/wit" transformer-component $encoding "$work/utf16" "components/$encoding.wasm"
	done
	strange
	later
	other
	versions
}

# contracts FOLDER copies wit/, to be changed.
contracts() { rm -rf "$1" && cp -r "$root/wit" "$1"; }

# lasting wraps a guest that exports one more interface beside its role, as its name says.
lasting() {
	contracts "$work/wit"
	cat >"$work/wit/lasting.wit" <<-END
		package hpmq:broker@0.1.0;
		world lasting { include ${1%%-*}-component; export ${1#*-}; }
	END
	wrap "$work/wit" lasting utf8 "$1.wasm" "components/$1.wasm"
}

# strange imports what no host serves, and kv.
strange() {
	contracts "$work/wit"
	cat >"$work/wit/strange.wit" <<-END
		package hpmq:broker@0.1.0;
		interface weather { tomorrow: func() -> u32; }
		world strange {
		  include router-component;
		  import weather;
		  export forecast: func() -> u32;
		  export count: func() -> u64;
		}
	END
	core guest.c "$work/strange" -fno-builtin -DROLE_ROUTER -DUSE_UNKNOWN -DUSE_KV
	wrap "$work/wit" strange utf8 "$work/strange" components/unknown-import.wasm
}

# later is made for a later patch version of wit/.
later() {
	contracts "$work/wit"
	sed -i 's/@0\.1\.0/@0.1.7/' "$work"/wit/*.wit
	sed 's/@0\.1\.0/@0.1.7/' guest.c >"$work/later.c"
	core "$work/later.c" "$work/later" -fno-builtin -DROLE_TRANSFORMER -DUSE_HISTORY
	wrap "$work/wit" transformer-component utf8 "$work/later" components/later.wasm
}

# other has an authorizer of another type that is the same when flat.
other() {
	contracts "$work/wit"
	sed -i 's/action: action,/action: u8,/' "$work/wit/authorizer.wit"
	wrap "$work/wit" authorizer-component utf8 authorizer.wasm components/other-type.wasm
}

# versions makes one policy for several versions of wit/: 0.1, 0.2 as wit-0.2 changes it, and 0.3,
# which is 0.2 under another name.
versions() {
	contracts "$work/0.1"
	rm -rf "$work/wit" "$work/0.1/deps"
	mkdir "$work/wit" "$work/wit/deps"
	for file in "$work"/0.1/*.wit; do
		sed '/^interface kv {/,/^}/d; s/@0\.1\.0/@0.2.0/' "$file" >"$work/wit/${file##*/}"
	done
	rm "$work/wit/worlds.wit"
	cp wit-0.2/*.wit "$work/wit"
	mkdir "$work/wit/deps/0.3"
	for file in "$work"/wit/*.wit; do
		sed 's/@0\.2\.0/@0.3.0/' "$file" >"$work/wit/deps/0.3/${file##*/}"
	done
	rm "$work/wit/deps/0.3/guests.wit"
	mv "$work/0.1" "$work/wit/deps/0.1"
	version old 0.1.0 0.1.0 -DOLD
	version new 0.2.0 0.2.0 -DNEW='"0.2.0"' -DTAKE
	version both 0.1.0 0.2.0 -DOLD -DNEW='"0.2.0"' -DLIFE2='"0.2.0"' -DTAKE
	version mixed 0.1.0 0.1.0 -DNEW='"0.2.0"'
	version later 0.3.0 0.1.0 -DNEW='"0.3.0"'
	version wanting 0.1.0 0.3.0 -DOLD
}

# version WORLD LIFECYCLE CAPABILITIES FLAGS... makes a guest in both forms.
version() {
	world=$1 life=$2 caps=$3
	shift 3
	core versions.c versions/$world.wasm -fno-builtin -Wno-unused-parameter \
		-DLIFE="\"$life\"" -DCAPS="\"$caps\"" "$@"
	chmod 644 versions/$world.wasm
	wrap "$work/wit" $world utf8 versions/$world.wasm components/versions/$world.wasm
}

# The guests of make bench-wasm. Both forms take their arguments in a block; those in plain are components
# that do not.
hops() {
	cd "$root/conformance/hop/testdata"
	mkdir -p components plain
	for role in authenticator authorizer transformer deduplicator router worker codec; do
		flag=-DROLE_$(echo $role | tr a-z A-Z)
		core hop.c $role.wasm -Wno-unused-parameter "$flag" -DBLOCK
		chmod 644 $role.wasm
		wrap "$root/wit" $role-component utf8 $role.wasm components/$role.wasm
		core hop.c "$work/$role" -Wno-unused-parameter "$flag"
		wrap "$root/wit" $role-component utf8 "$work/$role" plain/$role.wasm
	done
}

# libc SOURCE OUT makes a core module with a C library.
libc() {
	clang-19 --target=wasm32-wasi -O2 -Wall -c -o "$work/o" "$1"
	clang-19 --target=wasm32-wasi -mexec-model=reactor -Wl,--strip-all -o "$2" "$work/o"
}

# The guests that import WASI 0.2.
wasi() {
	cd "$root/host/cap/wasi/testdata"
	libc libc.c "$work/libc" && wrap "$PWD/libc.wit" libc utf8 "$work/libc" libc.wasm
	cd "$root/host/link/testdata"
	libc libc.c "$work/libc"
	wrap "$root/wit" deduplicator-component utf8 "$work/libc" components/libc.wasm
}

plans
links
hops
wasi
cd "$root/host"
wc -c wasm/plan/testdata/*.wasm link/testdata/components/*.wasm \
	link/testdata/versions/*.wasm link/testdata/components/versions/*.wasm cap/wasi/testdata/*.wasm \
	../conformance/hop/testdata/*.wasm ../conformance/hop/testdata/*/*.wasm >&2
