// Package components carries the default components as they are built: .wasm bytes by name. It
// knows no role and runs nothing.
package components

import (
	"compress/gzip"
	"embed"
	"io"
)

// Compressed they take half of the room in the binary, which small devices have little of.
//
//go:embed */*.wasm.gz
var files embed.FS

// Default is the .wasm of a default component; the bytes are the caller's.
func Default(name string) ([]byte, bool) {
	f, err := files.Open(name + "/" + name + ".wasm.gz")
	if err != nil {
		return nil, false
	}
	// What is embedded is whole: a test compares it with the .wasm beside it.
	defer func() { _ = f.Close() }()
	code, err := unpack(f)
	return code, err == nil
}

func unpack(f io.Reader) ([]byte, error) {
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// Names are the default components, in the order a client and its messages meet them.
func Names() []string {
	return []string{
		"authenticator-file", "authorizer-rules", "transformer-json", "deduplicator-window",
		"router-rules",
	}
}
