package ledger

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/hpmq/hpmq/host/clone"
	"github.com/hpmq/hpmq/host/journal"
)

// Room is kept back on the device as files of noise beside the journal, so that one that compresses
// has no less of it. One after the other is given up when there is no room for a record that must
// not be lost, and laid anew when there is.
const (
	reserveFiles     = 4
	reserveFileBytes = 64 << 10
)

// reserve is that room. Nothing fails for want of it: then a full device is a full device.
type reserve struct {
	dir    string
	create func(path string) (journal.File, error)
	// whole says that nothing of it is missing: each record asks.
	whole bool
}

func (r *reserve) path(i int) string { return filepath.Join(r.dir, fmt.Sprintf("reserve-%d", i)) }

func (r *reserve) laid(i int) bool {
	info, err := os.Stat(r.path(i))
	return err == nil && info.Size() == reserveFileBytes
}

// lay makes what is missing, as far as there is room.
func (r *reserve) lay() {
	if r.whole {
		return
	}
	for i := range reserveFiles {
		if r.laid(i) {
			continue
		}
		if err := r.fill(r.path(i)); err != nil {
			_ = os.Remove(r.path(i))
			return
		}
	}
	r.whole = true
}

func (r *reserve) fill(path string) error {
	noise := make([]byte, reserveFileBytes)
	_, _ = rand.Read(noise) // it never fails
	f, err := r.create(path)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(noise, 0)
	return errors.Join(err, f.Close())
}

// give gives up a part of it. False if there is none.
func (r *reserve) give() bool {
	r.whole = false
	for i := range reserveFiles {
		if !r.laid(i) {
			continue
		}
		// Some file systems have the room when they know for good that the file has gone.
		return os.Remove(r.path(i)) == nil && clone.Sync(r.dir) == nil
	}
	return false
}

func noRoom(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
