package bind

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/sdk/wit"
)

var rewrite = flag.Bool("rewrite", false, "rewrite the golden bindings")

func world(t *testing.T) *wit.World {
	t.Helper()
	text, err := os.ReadFile("../wit/testdata/all.json")
	if err != nil {
		t.Fatal(err)
	}
	w, err := wit.Parse(text, "everything")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestGoldens: the bindings of every type there is. testdata/build.sh makes guests of them, which
// TestRoundTrip runs.
func TestGoldens(t *testing.T) {
	for _, language := range Languages() {
		files, err := World(language, world(t), Options{Note: "hpmq-cli wit bind"})
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", language, err)
		}
		for _, f := range files {
			golden(t, filepath.Join("testdata", language, f.Name), f.Text)
		}
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *rewrite {
		err := os.MkdirAll(filepath.Dir(file), 0o755)
		if err == nil {
			err = os.WriteFile(file, []byte(got), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || string(want) != got {
		t.Errorf("%s is not as it was (%v): see the change with -rewrite, then run "+
			"testdata/build.sh", file, err)
	}
	if !strings.Contains(got, "DO NOT EDIT") || !strings.Contains(got, "What is what.") &&
		strings.Contains(got, "dark") {
		t.Errorf("%s is not marked, or lost its comments", file)
	}
}

func TestWhatCannotBeBoundIsRefused(t *testing.T) {
	if _, err := World("cobol", world(t), Options{}); err == nil ||
		!strings.Contains(err.Error(), "there are c") {
		t.Errorf("a language that nobody has: %v", err)
	}
	twice := world(t)
	twice.Exports = twice.Imports
	for _, language := range Languages() {
		if _, err := World(language, twice, Options{}); err == nil {
			t.Errorf("%s: an interface both ways", language)
		}
	}
}

// TestNamesThatBecomeOne: what is told apart in WIT and would not be in a language is refused.
func TestNamesThatBecomeOne(t *testing.T) {
	enums := func(owner string, names ...string) *wit.Interface {
		i := &wit.Interface{ID: "test:more/" + owner, Name: owner}
		for _, name := range names {
			i.Types = append(i.Types, &wit.Type{Kind: wit.Enum, Name: name, Owner: i,
				Cases: []wit.Field{{Name: "a"}}})
		}
		return i
	}
	for _, c := range []struct {
		more []*wit.Interface
		want string
	}{
		{[]*wit.Interface{enums("kv", "error-code"), enums("kv-error", "code")}, "rename one"},
		{[]*wit.Interface{enums("shapes")}, "rename an interface"},
		{[]*wit.Interface{enums("kv", "error-code", "code")}, ""},
	} {
		for _, language := range Languages() {
			w := world(t)
			w.Imports = append(w.Imports, c.more...)
			_, err := World(language, w, Options{})
			if (err == nil) != (c.want == "") ||
				err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: got %v, want %q", language, err, c.want)
			}
		}
	}
}
