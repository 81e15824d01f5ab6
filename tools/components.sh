#!/bin/sh
# components.sh [--check] [NAME...] builds the components with TinyGo into components/NAME/NAME.wasm
# and, as it is embedded, NAME.wasm.pack, the guest of the conformance suite into its folder (NAME enhanced), and the hostile guests of the
# tests with clang into components/testdata, kernels likewise for the benchmark of fuel; all, or those
# named.
# With --check it builds into a folder of its own and compares byte for byte.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
. "$here/versions.sh"

check=
if [ "${1:-}" = --check ]; then
	check=1
	shift
fi
tinygo=$("$here/tinygo.sh")
TINYGOROOT=$(dirname "$(dirname "$tinygo")")
export TINYGOROOT
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$root"
CGO_ENABLED=0 go build -trimpath -o "$work/stamp" ./components/cmd/stamp

# build NAME OUT makes one component or hostile guest.
build() {
	case $1 in
	hostile-*) build_hostile "${1#hostile-}" "$2" ;;
	kernels) build_kernels "$2" ;;
	*) build_component "$1" "$2" ;;
	esac
}

# folder NAME is where the sources of a component stand.
folder() {
	case $1 in
	enhanced) echo "conformance/mqtt/$1" ;;
	*) echo "components/$1" ;;
	esac
}

build_component() {
	"$tinygo" build -target="$here/wasip1.json" -buildmode=c-shared -opt=2 -no-debug \
		-o "$work/$1.core.wasm" "./$(folder "$1")/guest"
	"$work/stamp" "$work/$1.core.wasm" "$(folder "$1")/manifest.json" "$2"
}

# -O2 only while compiling: with it, clang hands the linked module to wasm-opt.
build_hostile() {
	behaviour=$(echo "$1" | tr a-z A-Z)
	clang-19 --target=wasm32 -O2 -Wall -Wno-infinite-recursion -Wno-unused-function -nostdlib \
		-DBEHAVIOUR="$behaviour" -c -o "$work/$1.o" components/testdata/hostile.c
	wasm-ld-19 --no-entry --strip-all --stack-first -o "$2" "$work/$1.o"
}

build_kernels() {
	clang-19 --target=wasm32 -O2 -Wall -nostdlib -c -o "$work/kernels.o" \
		host/wasm/fuel/testdata/kernels.c
	wasm-ld-19 --no-entry --strip-all -o "$1" "$work/kernels.o"
}

# committed NAME is where the bytes stand.
committed() {
	case $1 in
	hostile-*) echo "components/testdata/$1.wasm" ;;
	kernels) echo host/wasm/fuel/testdata/kernels.wasm ;;
	*) echo "$(folder "$1")/$1.wasm" ;;
	esac
}

if [ $# = 0 ]; then
	set -- $(cd components && for m in */manifest.json; do dirname "$m"; done) \
		enhanced kernels hostile-loop hostile-trap hostile-memory hostile-recurse hostile-garbage
fi
wrong=
for name in "$@"; do
	file=$(committed "$name")
	if [ -z "$check" ]; then
		build "$name" "$file"
		say "$file $(wc -c <"$file") bytes"
		continue
	fi
	build "$name" "$work/$name.wasm"
	cmp "$work/$name.wasm" "$file" || wrong="$wrong $name"
done
[ -n "$check" ] || (cd components && go run ./cmd/pack)
[ -z "$wrong" ] || fail "not what the sources make:$wrong (run tools/components.sh and commit)"
