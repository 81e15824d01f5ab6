#!/bin/sh
# javascript.sh OUT: see tools/guests.sh. QuickJS, with the script inside. Not with --opt-size: that
# engine has tail calls, which are refused.
set -eu
cd "$(dirname "$0")/../.."
. tools/guests/lib.sh
out=$1
# Its program for the command line is no CommonJS, which Node 18 takes it for; the module is.
qjs=$(npm_tool componentize-qjs "$COMPONENTIZE_QJS_VERSION")/cli.mjs
node "$qjs" --wit wit --world policy-component --js conformance/guests/policy/javascript/policy.js \
	--sync --minify --output "$out/policy.wasm" >&2
echo "policy.wasm component componentize-qjs-$COMPONENTIZE_QJS_VERSION"
