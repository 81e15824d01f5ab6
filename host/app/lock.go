package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// lockName is the file in the data folder that a running node holds, with its process id in it.
const lockName = "hpmq.lock"

// errLocked: another process holds the file.
var errLocked = errors.New("locked")

// openLock keeps other nodes out of the data folder: two would overwrite what the other keeps. The
// system lets go of the lock however the process ends.
func (a *App) openLock(context.Context) error {
	path := a.dataPath(lockName)
	if path == "" {
		return nil
	}
	f, err := lockFile(path)
	if errors.Is(err, errLocked) {
		return fmt.Errorf("app: data: another broker uses %s%s: stop that, or name another folder "+
			"with --data DIR", filepath.Clean(a.data), holder(path))
	}
	if err != nil {
		return fmt.Errorf("app: data: lock: %w", err)
	}
	a.later("lock", func(context.Context) error { return f.Close() })
	if err := writeHolder(f); err != nil {
		return fmt.Errorf("app: data: lock: %w", err)
	}
	return nil
}

func writeHolder(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// holder says which process holds the lock, as far as that can be read.
func holder(path string) string {
	text, err := os.ReadFile(path)
	if pid := strings.TrimSpace(string(text)); err == nil && pid != "" {
		return " (process " + pid + ")"
	}
	return ""
}
