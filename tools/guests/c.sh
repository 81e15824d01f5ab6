#!/bin/sh
# c.sh OUT: see tools/guests.sh.
set -eu
cd "$(dirname "$0")/../.."
. tools/guests/lib.sh
out=$1
clang_tools
bindings "$out"
for source in conformance/guests/policy/c/policy.c conformance/guests/policy/c/rules.c \
	"$out/policy_component.c"; do
	clang-19 --target=wasm32-wasi -std=c17 -O2 -mbulk-memory -Wall -Wextra -Werror -I"$out" \
		-c -o "$out/$(basename "$source" .c).o" "$source"
done
reactor "$out/policy.core.wasm" "$out"/*.o
componentize "$out/policy.core.wasm" "$out/policy.wasm"
version=$(clang_version)
echo "policy.wasm component $version"
echo "policy.core.wasm core $version"
