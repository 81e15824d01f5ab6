package numbered

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// What Path did not name is not ours, however like it looks.
func TestNumbers(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{
		"000000000012.log", "000000000003.log", "7.log", "000000000004.log.gz", "-00000000001.log",
		"000000000005.other", ".log", "18446744073709551616.log", "1000000000000.log",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Numbers(dir, ".log")
	if err != nil || !slices.Equal(got, []uint64{3, 12, 1_000_000_000_000}) {
		t.Errorf("got %v, %v", got, err)
	}
	if got := Path(dir, 12, ".log"); got != filepath.Join(dir, "000000000012.log") {
		t.Errorf("got %s", got)
	}
	if _, err := Numbers(filepath.Join(dir, "none"), ".log"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
}
