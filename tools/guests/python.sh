#!/bin/sh
# python.sh OUT: see tools/guests.sh. CPython, with its library and the script inside.
set -eu
cd "$(dirname "$0")/../.."
. tools/guests/lib.sh
out=$1
venv=$PWD/.tools/componentize-py
if [ "$(cat "$venv/.installed" 2>/dev/null)" != "$COMPONENTIZE_PY_VERSION" ]; then
	python3 -m venv "$venv" 2>/dev/null || { debs python3 python3-venv && python3 -m venv "$venv"; }
	say "installing componentize-py $COMPONENTIZE_PY_VERSION"
	"$venv/bin/pip" install --quiet --disable-pip-version-check \
		"componentize-py==$COMPONENTIZE_PY_VERSION" >&2
	echo "$COMPONENTIZE_PY_VERSION" >"$venv/.installed"
fi
"$venv/bin/componentize-py" --wit-path wit --world policy-component componentize \
	--python-path conformance/guests/policy/python --output "$out/policy.wasm" policy >&2
echo "policy.wasm component componentize-py-$COMPONENTIZE_PY_VERSION"
