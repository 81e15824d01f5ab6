package contracts

import (
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// texts are all files of WIT below a folder.
func texts(t *testing.T, dir fs.FS) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := fs.WalkDir(dir, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".wit") {
			return err
		}
		text, err := fs.ReadFile(dir, path)
		out[path] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTheCopyIsThatOfWit(t *testing.T) {
	want, got := texts(t, os.DirFS("../../wit")), texts(t, WIT())
	if len(want) < 5 || !maps.Equal(want, got) {
		t.Errorf("wit/ has %v,\nhere are %v, or texts differ: run go generate ./sdk/contracts",
			slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got)))
	}
}
