package clone

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A tree is there as a whole; what may change is a copy, what does not has a second name.
func TestTree(t *testing.T) {
	from := t.TempDir()
	sub := filepath.Join(from, "db")
	err := errors.Join(os.Mkdir(sub, 0o700),
		os.WriteFile(filepath.Join(sub, "1.sst"), []byte("fixed"), 0o600),
		os.WriteFile(filepath.Join(from, "MANIFEST"), []byte("grows"), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	to, told := filepath.Join(t.TempDir(), "to"), int64(0)
	tables := func(path string) bool { return strings.HasSuffix(path, ".sst") }
	err = Tree(from, to, tables, func(n int64) error { told += n; return nil })
	if err != nil || told != 10 {
		t.Fatalf("told %d, %v", told, err)
	}
	for path, linked := range map[string]bool{"db/1.sst": true, "MANIFEST": false} {
		a, err := os.Stat(filepath.Join(from, path))
		b, err2 := os.Stat(filepath.Join(to, path))
		if err != nil || err2 != nil || a.Size() != b.Size() || os.SameFile(a, b) != linked {
			t.Errorf("%s: %v %v", path, err, err2)
		}
	}
	if err := Tree(from, to, tables, nil); !errors.Is(err, os.ErrExist) {
		t.Errorf("over what is there: %v", err)
	}
}

// Where a file cannot have a second name it is copied; a copy that fails leaves nothing.
func TestCopy(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	if err := os.WriteFile(a, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Copy(a, b); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(b); err != nil || string(got) != "text" {
		t.Errorf("%q, %v", got, err)
	}
	if err := Copy(a, b); !errors.Is(err, os.ErrExist) {
		t.Errorf("over what is there: %v", err)
	}
	if err := File(filepath.Join(dir, "none"), filepath.Join(dir, "c")); err == nil {
		t.Error("a file that is not there")
	}
}
