package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/hpmq/hpmq/host/lock"
)

// openLock keeps others out of the data folder: two nodes would overwrite what the other keeps.
func (a *App) openLock(context.Context) error {
	dir := a.dataPath("")
	if dir == "" {
		return nil
	}
	l, err := lock.Open(dir)
	if errors.Is(err, lock.ErrInUse) {
		return fmt.Errorf("app: data: %w: stop that, or name another folder with --data DIR", err)
	}
	if err != nil {
		return fmt.Errorf("app: data: %w", err)
	}
	a.later("lock", func(context.Context) error { return l.Close() })
	return nil
}
