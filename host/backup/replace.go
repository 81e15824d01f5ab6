package backup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hpmq/hpmq/host/clone"
	"github.com/hpmq/hpmq/host/store"
)

// The folders beside a store while another takes its place. Nobody but who holds the lock of the
// data folder may be at it.
const (
	comingName = "store.coming" // not whole yet
	formerName = "store.former" // the old one, until the new is in its place
)

// ErrTaken: there is a store where one should be put.
var ErrTaken = errors.New("there is a store in the data folder already")

// Settle ends what a crash broke off in Replace: the old store is put back if it has no successor,
// and goes if it has one. data is the data folder, locked by the caller. It is cheap if there is
// nothing to do.
func Settle(data string) error {
	at, former := filepath.Join(data, storeName), filepath.Join(data, formerName)
	if err := os.RemoveAll(filepath.Join(data, comingName)); err != nil {
		return fmt.Errorf("backup: settle: %w", err)
	}
	if !there(former) {
		return nil
	}
	if there(at) {
		if err := os.RemoveAll(former); err != nil {
			return fmt.Errorf("backup: settle: %w", err)
		}
		return nil
	}
	if err := os.Rename(former, at); err != nil {
		return fmt.Errorf("backup: settle: %w", err)
	}
	return clone.Sync(data)
}

func there(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// Coming is where a store is made that is to take the place of that in data.
func Coming(data string) string { return filepath.Join(data, comingName) }

// Replace puts the store in Coming, which must be whole and safe on the device, in the place of
// that in the data folder, which stays aside until that is done. data is locked by the caller.
func Replace(data string) error {
	at, former := filepath.Join(data, storeName), filepath.Join(data, formerName)
	if there(at) {
		if err := os.Rename(at, former); err != nil {
			return fmt.Errorf("backup: replace: %w", err)
		}
	}
	if err := os.Rename(Coming(data), at); err != nil {
		return fmt.Errorf("backup: replace: %w", errors.Join(err, Settle(data)))
	}
	if err := clone.Sync(data); err != nil {
		return fmt.Errorf("backup: replace: %w", err)
	}
	if err := os.RemoveAll(former); err != nil {
		return fmt.Errorf("backup: replace: the old store: %w", err)
	}
	return nil
}

// Restore makes the store of the data folder that of the backup in dir. The backup is verified
// first, and on an error the old store stays. data is locked by the caller. progress hears of bytes
// and may be nil. It blocks for as long as reading all of it takes.
func Restore(dir, data string, progress func(int64) error) (Info, store.CheckReport, error) {
	info, err := Look(dir)
	if err != nil {
		return info, store.CheckReport{}, err
	}
	if err := Settle(data); err != nil {
		return info, store.CheckReport{}, err
	}
	rep, err := unpack(dir, Coming(data), progress)
	if err != nil {
		return info, rep, errors.Join(err, os.RemoveAll(Coming(data)))
	}
	return info, rep, Replace(data)
}
