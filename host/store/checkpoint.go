package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/hpmq/hpmq/host/clone"
	"github.com/hpmq/hpmq/host/journal"
)

// Checkpoint makes the folder dir, which must not be there, a store of its own: what was
// acknowledged before the call is in it, what is written meanwhile may be. It is safe on the device
// when it returns. Files that do not change are the same as the store's where the file system has
// two names for one. It may run beside writes, which wait for one sync of the journal alone; it
// blocks for as long as copying takes. On an error what is there of dir stays.
//
// The journal is copied up to a mark, then the database is. So the copy of the database may know
// more than that of the journal, never less than what the journal's begins with: nothing is missing
// between them, as no segment goes meanwhile.
func (d *Disk) Checkpoint(dir string) error {
	mark, err := d.pin()
	if err != nil {
		return err
	}
	defer d.unpin()
	if err := os.Mkdir(dir, 0o700); err != nil {
		return fmt.Errorf("store: checkpoint: %w", err)
	}
	if err := mark.Copy(filepath.Join(dir, "journal")); err != nil {
		return fmt.Errorf("store: checkpoint: %w", err)
	}
	if err := d.db.Checkpoint(filepath.Join(dir, "db")); err != nil {
		return fmt.Errorf("store: checkpoint: %w", err)
	}
	return clone.Sync(dir)
}

// pin marks where the journal is, and keeps its segments until unpin.
func (d *Disk) pin() (mark journal.Mark, err error) {
	if cerr := d.between(func() {
		if mark, err = d.journal.Mark(); err == nil {
			d.unsafe = time.Time{}
			d.copies++
			d.done.Add(1) // Close waits
		}
	}); cerr != nil {
		return mark, cerr
	}
	if err != nil {
		return mark, fmt.Errorf("store: checkpoint: %w", err)
	}
	return mark, nil
}

func (d *Disk) unpin() {
	defer d.done.Done()
	// A store that is closed drops nothing.
	if err := d.between(func() { d.copies-- }); err != nil && !errors.Is(err, ErrClosed) {
		d.trouble(err)
	}
}

// between has the committer run job between two groups, and waits for it.
func (d *Disk) between(job func()) error {
	done := make(chan struct{})
	d.asked.Add(1) // before the poke, or the committer would sleep again without the job
	d.line.poke()
	select {
	case d.jobs <- func() { defer close(done); job() }:
		<-done
		return nil
	case <-d.stop:
		return ErrClosed
	}
}

// FreeBytes is how much of the file system of dir is free for this process.
func FreeBytes(dir string) (int64, error) {
	n, err := freeBytes(dir)
	if err != nil {
		return 0, fmt.Errorf("store: free space: %w", err)
	}
	return n, nil
}

// Fixed says of a file of a store that it does not change once it is there, so that it may have a
// second name.
func Fixed(path string) bool {
	ext := filepath.Ext(path)
	return ext == ".sst" || ext == ".journal"
}
