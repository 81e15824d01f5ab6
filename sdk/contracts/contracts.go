// Package contracts carries the text of wit/, which has no Go beside it. It knows nothing of what
// stands there.
package contracts

import (
	"embed"
	"io/fs"
)

//go:generate sh -c "rm -rf wit && cp -R ../../wit wit && find wit -type f ! -name '*.wit' -delete"

//go:embed wit
var files embed.FS

// WIT is the folder: *.wit, and deps below.
func WIT() fs.FS {
	sub, err := fs.Sub(files, "wit")
	if err != nil {
		panic(err) // the name is a good one
	}
	return sub
}
