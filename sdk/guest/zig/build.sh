#!/bin/sh
# build.sh OUT SOURCE makes the core module OUT of a source in Zig and of this SDK, by Zig 0.15, which
# "pip install ziglang==0.15.2" brings (ZIG names another). The broker links the module as it is;
# "hpmq-cli component wrap" makes a component of it.
set -eu
sdk=$(cd "$(dirname "$0")" && pwd)
${ZIG:-python3 -m ziglang} build-exe -target wasm32-freestanding -mcpu=generic+bulk_memory \
	-fno-entry -rdynamic -O ReleaseSmall -fstrip --stack 32768 -femit-bin="$1" \
	-I"$sdk/../c" --dep hpmq -Mroot="$2" \
	-cflags -ffreestanding -mbulk-memory -- "$sdk/../c/hpmq.c" "$sdk/../c/conversion.c" \
	-I"$sdk/../c" -Mhpmq="$sdk/hpmq.zig"
chmod 644 "$1"
