package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/host/backup"
	"github.com/hpmq/hpmq/host/lock"
	"github.com/hpmq/hpmq/host/store"
)

// storeFolder is the name of a store in a data folder.
const storeFolder = "store"

// dataFlag is where the data folder is.
func dataFlag(c *cobra.Command, data *string) {
	c.Flags().StringVar(data, "data", "./hpmq-data", "data folder of the broker")
	_ = c.MarkFlagDirname("data") // the flag is there
}

// holdGrace is how long what a signal ends may take to put away what it began.
const holdGrace = time.Second

// hold keeps brokers out of a data folder while f is at it. With create the folder is made if it is
// not there; without, there must be a store in it. When ctx ends hold soon does, whatever f waits
// for: a store is as it is after a kill then, and the next command or start goes on from there.
func hold(ctx context.Context, data string, create bool, f func() error) error {
	ended := make(chan error, 1)
	go func() { ended <- holding(data, create, f) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	grace := time.NewTimer(holdGrace)
	defer grace.Stop()
	select {
	case err := <-ended:
		if err == nil {
			return nil
		}
	case <-grace.C:
	}
	return errInterrupted
}

func holding(data string, create bool, f func() error) (err error) {
	if create {
		if err := os.MkdirAll(data, 0o700); err != nil {
			return usageError{err}
		}
	} else if _, err := os.Stat(data); err != nil {
		return usageError{err}
	}
	l, err := lock.Open(data)
	if errors.Is(err, lock.ErrInUse) {
		return fmt.Errorf("%w\nstop that broker first; backup create works while it runs", err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	if err := backup.Settle(data); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(data, storeFolder)); err != nil && !create {
		return usageError{fmt.Errorf("%w: no broker has kept anything in %s", err, data)}
	}
	return f()
}

// openStore opens the store in dir for a command.
func openStore(dir string) (*store.Disk, error) { return openWith(dir, nil) }

// openWith is openStore that goes on behind damage of the journal if somebody hears of it.
func openWith(dir string, left func(error)) (*store.Disk, error) {
	cfg := store.DefaultDisk()
	cfg.Dir, cfg.Salvage, cfg.Trouble = dir, left != nil, left
	d, _, err := store.OpenDisk(cfg)
	return d, err
}
