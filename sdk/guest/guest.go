// Package guest carries what authors of components import, as files, by language. It knows nothing
// of what stands in them.
package guest

import (
	"embed"
	"io/fs"
	"strings"
)

//go:embed assemblyscript/assembly assemblyscript/hpmq.mjs assemblyscript/package.json
//go:embed go/*.go go/*/*.go go/internal/*/*.go
var files embed.FS

// SDK is the folder of a language: "go", "assemblyscript". That of Go has a go.mod of its own and
// lacks the example, the tests, and package settings, which needs another module.
func SDK(language string) fs.FS {
	sub, err := fs.Sub(files, language)
	if err != nil {
		panic(err) // only a name that is no path
	}
	if language == "go" {
		return goSDK{sub}
	}
	return sub
}

// goModule is the path of the Go SDK, as a module of its own.
const goModule = "module github.com/hpmq/hpmq/sdk/guest/go\n\ngo 1.26\n"

// goSDK leaves out what an author does not need.
type goSDK struct{ fs.FS }

// ReadDir is fs.ReadDirFS.
func (g goSDK) ReadDir(name string) ([]fs.DirEntry, error) {
	all, err := fs.ReadDir(g.FS, name)
	kept := all[:0]
	for _, e := range all {
		if name == "." && (e.Name() == "settings" || e.Name() == "example") ||
			strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		kept = append(kept, e)
	}
	return kept, err
}

// GoMod is the go.mod that a copy of the Go SDK needs.
func GoMod() []byte { return []byte(goModule) }
