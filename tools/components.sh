#!/bin/sh
# components.sh [--check] [NAME...] builds the components (all, or those named) with TinyGo into
# components/NAME/NAME.wasm. With --check it builds into a folder of its own and compares byte for byte.
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

# build NAME OUT
build() {
	"$tinygo" build -target="$here/wasip1.json" -buildmode=c-shared -opt=2 -no-debug \
		-o "$work/$1.core.wasm" "./components/$1/guest"
	"$work/stamp" "$work/$1.core.wasm" "components/$1/manifest.json" "$2"
}

if [ $# = 0 ]; then
	set -- $(cd components && for m in */manifest.json; do dirname "$m"; done)
fi
wrong=
for name in "$@"; do
	committed=components/$name/$name.wasm
	if [ -z "$check" ]; then
		build "$name" "$committed"
		say "$committed $(wc -c <"$committed") bytes"
		continue
	fi
	build "$name" "$work/$name.wasm"
	cmp "$work/$name.wasm" "$committed" || wrong="$wrong $name"
done
[ -z "$wrong" ] || fail "not what the sources make:$wrong (run tools/components.sh and commit)"
