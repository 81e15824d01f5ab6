package contracts

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// frozenFile, in wit/, has a line "SHA-256  PATH" for each file of an older version.
const frozenFile = "frozen.sha256"

var rewrite = flag.Bool("rewrite", false, "add older versions that are new to "+frozenFile)

// judge compares the older versions of a wit/ with its frozen file: fresh are the lines of files it
// does not know, wrong is what is not as it was.
func judge(wit fs.FS) (fresh, wrong []string, err error) {
	text, err := fs.ReadFile(wit, frozenFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	known := map[string]string{}
	for line := range strings.Lines(string(text)) {
		sum, path, _ := strings.Cut(strings.TrimSpace(line), "  ")
		known[path] = sum
	}
	paths, err := fs.Glob(wit, "deps/hpmq-broker-*/*")
	if err != nil {
		return nil, nil, err
	}
	for _, path := range paths {
		text, err := fs.ReadFile(wit, path)
		if err != nil {
			return nil, nil, err
		}
		raw := sha256.Sum256(text)
		switch sum := hex.EncodeToString(raw[:]); known[path] {
		case sum:
		case "":
			fresh = append(fresh, sum+"  "+path+"\n")
		default:
			wrong = append(wrong, path+" is not what it was when it was released: restore it")
		}
		delete(known, path)
	}
	for path := range known {
		wrong = append(wrong, path+" is gone: restore it, or take out the lines of its version")
	}
	slices.Sort(wrong)
	return fresh, wrong, nil
}

func TestFrozenVersionsAreUnchanged(t *testing.T) {
	const wit = "../../wit/"
	fresh, wrong, err := judge(os.DirFS(wit))
	if err != nil {
		t.Fatal(err)
	}
	if *rewrite && fresh != nil {
		freeze(t, wit+frozenFile, fresh)
		fresh = nil
	}
	for _, line := range fresh {
		t.Errorf("not frozen yet: %srun go test ./sdk/contracts -run Frozen -rewrite", line)
	}
	for _, text := range wrong {
		t.Errorf("wit/%s", text)
	}
}

// freeze adds lines; those that are there stay.
func freeze(t *testing.T, file string, lines []string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = os.WriteFile(file, append(text, strings.Join(lines, "")...), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestFrozenVersionsAreHeld: what is changed, added or gone is seen.
func TestFrozenVersionsAreHeld(t *testing.T) {
	const a, b = "deps/hpmq-broker-0.1/a.wit", "deps/hpmq-broker-0.1/b.wit"
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	wit := fstest.MapFS{"a.wit": file("new"), a: file("old"), b: file("old")}
	fresh, wrong, err := judge(wit)
	if len(fresh) != 2 || wrong != nil || err != nil {
		t.Fatalf("at first: %q %q %v", fresh, wrong, err)
	}
	wit[frozenFile] = file(strings.Join(fresh, ""))
	for what, c := range map[string]struct {
		path         string
		file         *fstest.MapFile
		fresh, wrong int
	}{
		"as it was": {"a.wit", file("newer"), 0, 0},
		"changed":   {a, file("old "), 0, 1},
		"added":     {"deps/hpmq-broker-0.1/c.wit", file("old"), 1, 0},
		"of others": {"deps/wasi-io/c.wit", file("old"), 0, 0},
		"gone":      {b, nil, 0, 1},
	} {
		changed := maps.Clone(wit)
		if changed[c.path] = c.file; c.file == nil {
			delete(changed, c.path)
		}
		fresh, wrong, err := judge(changed)
		if len(fresh) != c.fresh || len(wrong) != c.wrong || err != nil {
			t.Errorf("%s: %q %q %v", what, fresh, wrong, err)
		}
	}
}
