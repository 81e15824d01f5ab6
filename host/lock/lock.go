// Package lock knows which process uses a data folder: a file in it that is held for as long as the
// process lives. It does not know what is in the folder.
package lock

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// name is the file that is held, with the holder's process id in it.
const name = "hpmq.lock"

// ErrInUse: another process uses the folder.
var ErrInUse = errors.New("another process uses")

// errHeld: another process holds the file.
var errHeld = errors.New("held")

// Lock is a folder that no other process may use.
type Lock struct{ f *os.File }

// Open takes the folder dir, which must be there. ErrInUse names who has it. The system lets go of
// it however the process ends.
func Open(dir string) (*Lock, error) {
	path := filepath.Join(dir, name)
	f, err := open(path)
	if errors.Is(err, errHeld) {
		return nil, fmt.Errorf("%w %s%s", ErrInUse, filepath.Clean(dir), holder(path))
	}
	if err != nil {
		return nil, fmt.Errorf("lock: %w: this user must be able to write in the folder: give it "+
			"to them, or work on a copy of it elsewhere", err)
	}
	if err := write(f); err != nil {
		return nil, fmt.Errorf("lock: %w", errors.Join(err, f.Close()))
	}
	return &Lock{f}, nil
}

// Close lets others use the folder.
func (l *Lock) Close() error { return l.f.Close() }

func write(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// holder says which process holds the lock, as far as that can be read.
func holder(path string) string {
	text, err := os.ReadFile(filepath.Clean(path))
	if pid := strings.TrimSpace(string(text)); err == nil && pid != "" {
		return " (process " + pid + ")"
	}
	return ""
}
