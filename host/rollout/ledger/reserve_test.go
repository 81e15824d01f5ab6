package ledger

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hpmq/hpmq/host/journal"
)

// small is a device with room for so many bytes in a folder.
type small struct {
	dir  string
	room int64
}

func (d *small) used() (sum int64) {
	_ = filepath.WalkDir(d.dir, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			info, err := e.Info()
			if err == nil {
				sum += info.Size()
			}
		}
		return nil
	})
	return sum
}

func (d *small) open(path string) (journal.File, error) {
	f, err := os.Create(filepath.Clean(path))
	return onSmall{f, d}, err
}

type onSmall struct {
	*os.File
	device *small
}

func (f onSmall) WriteAt(b []byte, at int64) (int, error) {
	if f.device.used()+int64(len(b)) > f.device.room {
		return 0, syscall.ENOSPC
	}
	return f.File.WriteAt(b, at)
}

// TestWhatMustNotBeLostHasRoomOnAFullDevice, until what is kept back for it is used up; that is
// laid anew when there is room.
func TestWhatMustNotBeLostHasRoomOnAFullDevice(t *testing.T) {
	d := &small{t.TempDir(), 1 << 20}
	cfg := Default()
	cfg.Dir, cfg.Create = d.dir, d.open
	l, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	write(t, l, "=book")
	fill := func() { d.room = d.used() }
	fill()
	if err := l.Append([]byte("new")); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a new change on a full device: %v", err)
	}
	many := strings.Repeat("x", reserveFileBytes-100)
	for i := range reserveFiles {
		if err := l.Insist([]byte(many)); err != nil {
			t.Errorf("rollback %d: %v", i, err)
		}
	}
	if err := l.Insist([]byte(many)); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("nothing is left, and it says %v", err)
	}
	d.room += reserveFileBytes + 2048 // for one of them
	write(t, l, "a")
	fill()
	if err := l.Insist([]byte("b")); err != nil {
		t.Errorf("what was laid anew is not there: %v", err)
	}
	if _, got := reopen(t, l, d.dir); strings.ReplaceAll(got, many, "x") != "book x x x x a b" {
		t.Errorf("it has %.100q", got)
	}
}
