#!/bin/sh
# Builds the guests of the tests: GUEST.wasm from guest.c, by clang 19 and lld 19.
set -eu
cd "$(dirname "$0")"
build() {
  out=$1; shift
  clang-19 --target=wasm32 -mbulk-memory -O2 -fno-builtin -nostdlib "$@" -c -o "$out.o" guest.c
  wasm-ld-19 --no-entry --strip-all -z stack-size=65536 -o "$out.wasm" "$out.o"
  rm "$out.o"
  chmod 644 "$out.wasm"
}
build authenticator -DROLE_AUTHENTICATOR
build authorizer -DROLE_AUTHORIZER
build authorizer-block -DROLE_AUTHORIZER -DUSE_BLOCK
build transformer-block -DROLE_TRANSFORMER -DUSE_BLOCK
build transformer -DROLE_TRANSFORMER
build transformer-history -DROLE_TRANSFORMER -DUSE_HISTORY
build transformer-kv -DROLE_TRANSFORMER -DUSE_KV
build transformer-publish -DROLE_TRANSFORMER -DUSE_PUBLISH
build transformer-by-handle -DROLE_TRANSFORMER -DBY_HANDLE
build half-by-handle -DROLE_TRANSFORMER -DBY_HANDLE -DHALF
build deduplicator-by-handle -DROLE_DEDUPLICATOR -DBY_HANDLE
build worker-by-handle -DROLE_WORKER -DUSE_PUBLISH -DBY_HANDLE
build deduplicator -DROLE_DEDUPLICATOR
build deduplicator-kv -DROLE_DEDUPLICATOR -DUSE_KV
build deduplicator-state -DROLE_DEDUPLICATOR -DUSE_STATE
build deduplicator-migration -DROLE_DEDUPLICATOR -DUSE_KV -DUSE_MIGRATION
build router -DROLE_ROUTER
build unknown-import -DROLE_ROUTER -DUSE_UNKNOWN
build worker -DROLE_WORKER -DUSE_PUBLISH
build worker-state -DROLE_WORKER -DUSE_PUBLISH -DUSE_STATE
build worker-migration -DROLE_WORKER -DUSE_PUBLISH -DUSE_KV -DUSE_MIGRATION
build authenticator-state -DROLE_AUTHENTICATOR -DUSE_STATE
build worker-history -DROLE_WORKER -DUSE_PUBLISH -DUSE_HISTORY
build codec -DROLE_CODEC
build nothing
