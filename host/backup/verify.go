package backup

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/hpmq/hpmq/host/clone"
	"github.com/hpmq/hpmq/host/store"
)

const (
	listBytesMax = 64 << 20
	filesMax     = 1 << 20
)

// readList reads the list of the backup in dir.
func readList(dir string) (Info, error) {
	f, err := os.Open(filepath.Join(dir, listName))
	if err != nil {
		return Info{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	text, err := io.ReadAll(io.LimitReader(f, listBytesMax+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return Info{}, err
	}
	info, err := parseList(text)
	info.Name = filepath.Base(dir)
	return info, err
}

func parseList(text []byte) (info Info, err error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	if err := dec.Decode(&info); err != nil {
		return Info{}, fmt.Errorf("%w: %s: %w", ErrDamaged, listName, err)
	}
	switch {
	case info.Version > version:
		return Info{}, fmt.Errorf("a backup of version %d, this program knows %d: use a newer one",
			info.Version, version)
	case info.Version < 1 || len(text) > listBytesMax || len(info.Files) > filesMax:
		return Info{}, fmt.Errorf("%w: %s", ErrDamaged, listName)
	}
	for _, f := range info.Files {
		if !filepath.IsLocal(filepath.FromSlash(f.Path)) || f.Bytes < 0 {
			return Info{}, fmt.Errorf("%w: %s: file %q", ErrDamaged, listName, f.Path)
		}
	}
	return info, nil
}

// Look says whether the backup in dir is whole by its list: each file is there, as large as it was.
func Look(dir string) (Info, error) {
	info, err := readList(dir)
	if err != nil {
		return info, fmt.Errorf("backup: %s: %w", dir, err)
	}
	for _, f := range info.Files {
		st, err := os.Stat(filepath.Join(dir, filepath.FromSlash(f.Path)))
		if err != nil {
			return info, fmt.Errorf("backup: %s: %w: %w", dir, ErrDamaged, err)
		}
		if st.Size() != f.Bytes {
			return info, fmt.Errorf("backup: %s: %w: %s has %d bytes, had %d", dir, ErrDamaged,
				f.Path, st.Size(), f.Bytes)
		}
	}
	return info, nil
}

// Verify reads all of the backup in dir: a clone of it is opened as a store and every record is
// looked at. The clone stands beside it and goes. It blocks for as long as that takes.
func Verify(dir string) (Info, store.CheckReport, error) {
	info, err := Look(dir)
	if err != nil {
		return info, store.CheckReport{}, err
	}
	to := filepath.Join(filepath.Dir(dir), unfinished+"verify-"+filepath.Base(dir))
	if err := os.RemoveAll(to); err != nil {
		return info, store.CheckReport{}, fmt.Errorf("backup: verify: %w", err)
	}
	defer func() { _ = os.RemoveAll(to) }() // the next Open does it else
	rep, err := unpack(dir, to, nil)
	return info, rep, err
}

// unpack makes to a store that is the same as the backup in dir, and checks it.
func unpack(dir, to string, progress func(int64) error) (store.CheckReport, error) {
	if err := clone.Tree(dir, to, store.Fixed, progress); err != nil {
		return store.CheckReport{}, fmt.Errorf("backup: %w", err)
	}
	if err := os.Remove(filepath.Join(to, listName)); err != nil {
		return store.CheckReport{}, fmt.Errorf("backup: %w", err)
	}
	rep, err := store.CheckSmall(to)
	if err != nil {
		return rep, fmt.Errorf("backup: %s: %w: %w", dir, ErrDamaged, err)
	}
	return rep, nil
}
