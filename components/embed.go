// Package components carries the default components as they are built: .wasm bytes by name. It
// knows no role and runs nothing.
package components

import "embed"

//go:embed */*.wasm
var files embed.FS

// Default is the .wasm of a default component; the bytes are the caller's.
func Default(name string) ([]byte, bool) {
	code, err := files.ReadFile(name + "/" + name + ".wasm")
	return code, err == nil
}

// Names are the default components, in the order a client and its messages meet them.
func Names() []string {
	return []string{
		"authenticator-file", "authorizer-rules", "transformer-json", "deduplicator-window",
		"router-rules",
	}
}
