#!/bin/sh
# build.sh OUT SOURCE... makes the core module OUT of sources in C++20 and of this SDK, by clang 19 with
# libc++ and wasi-libc. Debian: clang-19 lld-19 wasi-libc libclang-rt-19-dev-wasm32 libc++-19-dev-wasm32
# libc++abi-19-dev-wasm32. The broker links the module as it is; "hpmq-cli component wrap" makes a
# component of it.
set -eu
sdk=$(cd "$(dirname "$0")" && pwd)
out=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flags="--target=wasm32-wasi -O2 -mbulk-memory -Wall -Wextra -I$sdk -I$sdk/../c"
for source in hpmq conversion; do
	clang-19 $flags -std=c17 -ffreestanding -c -o "$work/$source.o" "$sdk/../c/$source.c"
done
for source in "$@"; do
	clang++-19 $flags -std=c++20 -fno-exceptions -fno-rtti -c \
		-o "$work/$(basename "$source").o" "$source"
done
libs=/usr/lib/wasm32-wasi
wasm-ld-19 --strip-all --stack-first -z stack-size=65536 --entry _initialize -o "$out" \
	"$libs/crt1-reactor.o" "$work"/*.o -L"$libs" -L/usr/lib/llvm-19/lib/wasm32-wasi \
	-lc++ -lc++abi -lc /usr/lib/llvm-19/lib/clang/19/lib/wasi/libclang_rt.builtins-wasm32.a
chmod 644 "$out"
