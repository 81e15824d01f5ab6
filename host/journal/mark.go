package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hpmq/hpmq/host/clone"
	"github.com/hpmq/hpmq/host/numbered"
)

// Mark is a place in a journal: all that was appended before it is safe.
type Mark struct {
	dir    string
	number uint64 // the segment that begins here
	head   []byte // of it
}

// Mark begins a new segment and answers where that is.
func (j *Journal) Mark() (Mark, error) {
	if err := j.Cut(); err != nil {
		return Mark{}, err
	}
	path := segmentPath(j.cfg.Dir, j.number)
	head, err := readStart(path)
	if err == nil {
		_, err = readHeader(head)
	}
	if err != nil {
		return Mark{}, fmt.Errorf("journal: mark: %w", err)
	}
	return Mark{j.cfg.Dir, j.number, head}, nil
}

// Copy makes the folder dir, which must not be there, a journal of the segments before the mark,
// safe on the device when it returns. They do not change any more; nobody may Drop one meanwhile.
// It may run beside the journal's own goroutine.
func (m Mark) Copy(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return fmt.Errorf("journal: copy: %w", err)
	}
	numbers, err := numbered.Numbers(m.dir, suffix)
	if err != nil {
		return fmt.Errorf("journal: copy: %w", err)
	}
	for _, n := range numbers {
		if n >= m.number {
			break
		}
		if err := clone.File(segmentPath(m.dir, n), segmentPath(dir, n)); err != nil {
			return fmt.Errorf("journal: copy: %w", err)
		}
	}
	// The header says where the segment before it ends.
	if err := writeSafe(segmentPath(dir, m.number), m.head); err != nil {
		return fmt.Errorf("journal: copy: %w", err)
	}
	return clone.Sync(dir)
}

func writeSafe(path string, b []byte) error {
	f, err := os.OpenFile(filepath.Clean(path), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}
