#!/bin/sh
# python.sh OUT: see tools/guests.sh. CPython, with its library and the script inside.
set -eu
cd "$(dirname "$0")/../.."
. tools/guests/lib.sh
out=$1
componentize_py
"$py" --wit-path wit --world policy-component componentize \
	--python-path conformance/guests/policy/python --output "$out/policy.wasm" policy >&2
echo "policy.wasm component componentize-py-$COMPONENTIZE_PY_VERSION"
