#!/bin/sh
# tinygo.sh [DEST] builds TinyGo from its Go module and Debian's LLVM 19 into DEST
# (default .tools/tinygo) and prints the path of the program. Does nothing when it is there already.
#
# The module lacks TinyGo's git submodules. What replaces them: Debian's wasi-libc and compiler-rt,
# named by tools/wasip1.json; an empty src/net (no guest has sockets); the precise collector instead of
# bdwgc; Debian's wasm-opt.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/versions.sh"
dest=${1:-$here/../.tools/tinygo}

# deb PACKAGE VERSION: names the package when it is not there in that version.
deb() {
	have=$(dpkg-query -W -f='${Status} ${Version}' "$1" 2>/dev/null || true)
	[ "$have" = "install ok installed $2" ] || printf '%s=%s\n' "$1" "$2"
}

install_debs() {
	want=$(
		for p in llvm-19-dev libclang-19-dev clang-19 lld-19 libclang-rt-19-dev-wasm32; do
			deb $p "$LLVM_DEB"
		done
		deb wasi-libc "$WASI_LIBC_DEB"
		deb binaryen "$BINARYEN_DEB"
	)
	[ -n "$want" ] || return 0
	command -v apt-get >/dev/null || fail "needs these Debian packages: $want"
	sudo=
	[ "$(id -u)" = 0 ] || sudo=sudo
	say "installing $(echo $want)"
	$sudo apt-get update -qq >&2
	DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq \
		--no-install-recommends $want >&2
}

build() {
	say "building TinyGo $TINYGO_VERSION in $dest"
	module=github.com/tinygo-org/tinygo@v$TINYGO_VERSION
	dir=$(cd / && GOFLAGS=-mod=mod go mod download -json "$module" |
		sed -n 's/^[[:space:]]*"Dir": "\(.*\)",*$/\1/p')
	[ -n "$dir" ] || fail "go mod download $module gave no directory"
	mkdir -p "$dest"
	cp -R "$dir/." "$dest/"
	chmod -R u+w "$dest"
	mkdir -p "$dest/src/net"
	# The compiler that is there in any case: a bare machine has no g++.
	(cd "$dest" && CGO_ENABLED=1 CC=clang-19 CXX=clang++-19 \
		go build -trimpath -tags llvm19 -o build/tinygo .)
	# Last, and whole: an interrupted build is begun again.
	echo "$TINYGO_VERSION $LLVM_DEB" >"$dest/.built"
}

install_debs
[ "$(cat "$dest/.built" 2>/dev/null || true)" = "$TINYGO_VERSION $LLVM_DEB" ] || build
echo "$(cd "$dest" && pwd)/build/tinygo"
