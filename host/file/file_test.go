package file

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "a"), filepath.Join(dir, "link")
	if err := os.WriteFile(path, []byte("1234"), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := Read(path, 4); err != nil || string(text) != "1234" {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := Read(path, 3); err == nil || !strings.Contains(err.Error(), "more than 3") {
		t.Errorf("over the limit: %v", err)
	}
	if err := os.Symlink(path, link); err == nil {
		if text, err := Read(link, 4); err != nil || string(text) != "1234" {
			t.Errorf("link: %q, %v", text, err)
		}
	}
	for _, err := range []error{Check(path + "x"), second(Read(path+"x", 1))} {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("missing: %v", err)
		}
	}
	for _, err := range []error{Check(dir), second(Read(dir, 1))} {
		if !errors.Is(err, ErrNotRegular) || !strings.Contains(err.Error(), "folder") {
			t.Errorf("folder: %v", err)
		}
	}
}

func second(_ []byte, err error) error { return err }
