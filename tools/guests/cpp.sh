#!/bin/sh
# cpp.sh OUT: see tools/guests.sh.
set -eu
cd "$(dirname "$0")/../.."
. tools/guests/lib.sh
out=$1
clang_tools
debs "libc++-19-dev-wasm32=$LLVM_DEB" "libc++abi-19-dev-wasm32=$LLVM_DEB"
bindings "$out"
flags="--target=wasm32-wasi -O2 -mbulk-memory -I$out"
clang-19 $flags -c -o "$out/policy_component.o" "$out/policy_component.c"
for source in policy rules; do
	clang++-19 $flags -std=c++20 -fno-exceptions -fno-rtti -Wall -Wextra -Werror -c \
		-o "$out/$source.o" "conformance/guests/policy/cpp/$source.cpp"
done
reactor "$out/policy.core.wasm" "$out"/*.o -lc++ -lc++abi
componentize -adapt "$(adapter)" "$out/policy.core.wasm" "$out/policy.wasm"
version=$(clang_version)
echo "policy.wasm component $version"
echo "policy.core.wasm core $version"
