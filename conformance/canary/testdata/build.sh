#!/bin/sh
# Builds the guests of the room from guest.c, by clang 19 and lld 19.
set -eu
cd "$(dirname "$0")"
build() {
  out=$1; shift
  clang-19 --target=wasm32 -mbulk-memory -O2 -fno-builtin -nostdlib "$@" -c -o "$out.o" guest.c
  wasm-ld-19 --no-entry --strip-all -z stack-size=4096 -o "$out.wasm" "$out.o"
  rm "$out.o"
  chmod 644 "$out.wasm"
}
build active "-DMARK='a'" -DWORK=500
build good "-DMARK='b'" -DWORK=500
build trapping "-DMARK='b'" -DWORK=500 -DTRAP=10
build slow "-DMARK='b'" -DWORK=45000
build differing "-DMARK='a'" -DWORK=500 -DDIFFER=20 -DLOUD
