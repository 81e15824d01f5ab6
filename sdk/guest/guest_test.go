package guest

import (
	"io/fs"
	"strings"
	"testing"
)

func names(t *testing.T, language string) string {
	t.Helper()
	var all []string
	err := fs.WalkDir(SDK(language), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			all = append(all, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, " ")
}

// TestTheGoSDKStandsAlone: what needs another module, and tests, are left out.
func TestTheGoSDKStandsAlone(t *testing.T) {
	got := names(t, "go")
	for _, want := range []string{"guest.go", "transformer/doc.go", "internal/abi/abi.go"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	if strings.Contains(got, "settings/") || strings.Contains(got, "_test.go") ||
		strings.Contains(got, "example") {
		t.Errorf("too much in %s", got)
	}
	if !strings.HasPrefix(string(GoMod()), "module github.com/hpmq/hpmq/sdk/guest/go\n") {
		t.Errorf("got %s", GoMod())
	}
}

func TestOtherSDKs(t *testing.T) {
	if got := names(t, "assemblyscript"); !strings.Contains(got, "assembly/transformer.ts") {
		t.Errorf("got %s", got)
	}
}
