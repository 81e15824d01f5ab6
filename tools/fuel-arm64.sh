#!/bin/sh
# fuel-arm64.sh runs the test that fuel is the same everywhere on arm64, in an emulator: wazero's
# other compiler, and the interpreter. Needs qemu-aarch64-static (Debian's qemu-user-static), but not
# on arm64.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
. "$here/versions.sh"
cd "$root"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
emulator=qemu-aarch64-static
if [ "$(uname -m)" = aarch64 ]; then
	emulator=
elif ! command -v $emulator >/dev/null; then
	fail "needs $emulator: apt-get install qemu-user-static"
fi
GOARCH=arm64 CGO_ENABLED=0 go test -c -o "$work/guests.test" ./conformance/guests
cd conformance/guests
$emulator "$work/guests.test" -test.run TestFuelIsTheSameEverywhere
