package component

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzDecode checks that nothing that is fed to Decode makes it panic or run away.
func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/*.wasm")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, name := range files {
		code, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(code)
	}
	l := DefaultLimits()
	l.BytesMax, l.WorkMax = 1<<20, 100_000
	f.Fuzz(func(t *testing.T, code []byte) {
		c, err := Decode(code, l)
		if (c == nil) == (err == nil) {
			t.Fatalf("%v, %v", c, err)
		}
	})
}
