package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

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

// hold keeps brokers out of a data folder while f is at it. With make the folder is made if it is
// not there; without, there must be a store in it.
func hold(data string, make bool, f func() error) (err error) {
	if make {
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
	if _, err := os.Stat(filepath.Join(data, storeFolder)); err != nil && !make {
		return usageError{fmt.Errorf("%w: no broker has kept anything in %s", err, data)}
	}
	return f()
}

// openStore opens the store in dir for a command.
func openStore(dir string) (*store.Disk, error) {
	cfg := store.DefaultDisk()
	cfg.Dir = dir
	d, _, err := store.OpenDisk(cfg)
	return d, err
}
