// Package preview1 is the adapter from WASI preview 1 to WASI 0.2 as bytes. What it does stands in
// adapter/preview1.c; tools/preview1.sh makes it.
package preview1

import _ "embed"

//go:embed preview1.wasm
var adapter []byte

// Module is the name of the imports that the adapter serves.
const Module = "wasi_snapshot_preview1"

// Adapter is the module for `wasm-tools component new --adapt`. The bytes must not be changed.
func Adapter() []byte { return adapter }
