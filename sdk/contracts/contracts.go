// Package contracts carries the text of wit/, which has no Go beside it, and what wasm-tools makes
// of it. It knows nothing of what stands there.
package contracts

import (
	"embed"
	"io/fs"
)

//go:generate sh -c "rm -rf wit && cp -R ../../wit wit && find wit -type f ! -name '*.wit' -delete"
//go:generate sh -c "go run ../cmd/hpmq-cli wit json wit >new.json && mv new.json contracts.json"

//go:embed wit
var files embed.FS

//go:embed contracts.json
var resolved string

// JSON is the folder as wasm-tools resolves it; see package wit.
func JSON() []byte { return []byte(resolved) }

// WIT is the folder: *.wit, and deps below.
func WIT() fs.FS {
	sub, err := fs.Sub(files, "wit")
	if err != nil {
		panic(err) // the name is a good one
	}
	return sub
}
