//go:build faults

package store

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/hpmq/hpmq/host/fault"
	"github.com/hpmq/hpmq/host/journal"
)

// underFaults puts the devices of crash tests below the store. A config that has devices of its own
// keeps them.
func (c *DiskConfig) underFaults() {
	if c.Create == nil {
		c.Create = createFaulty
	}
	if c.fs == vfs.Default {
		c.fs = faultyFS{vfs.Default}
	}
}

// faultySegment is a file of the journal.
type faultySegment struct {
	*os.File
	size int64
}

func createFaulty(path string) (journal.File, error) {
	if _, err := fault.Write("journal.create", 0); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Clean(path), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	fault.Created(path)
	return &faultySegment{File: f}, nil
}

func (f *faultySegment) WriteAt(b []byte, at int64) (int, error) {
	part, err := fault.Write("journal.write", len(b))
	n, werr := 0, error(nil)
	if part > 0 {
		n, werr = f.File.WriteAt(b[:part], at)
	}
	fault.Torn(err)
	f.size = max(f.size, at+int64(n))
	fault.Written(f.Name(), f.size)
	if err == nil {
		err = werr
	}
	return n, err
}

func (f *faultySegment) Sync() error {
	if _, err := fault.Write("journal.sync", 0); err != nil {
		return err
	}
	// The disk of a test that is killed need not hurry; what a power cut leaves is known here.
	fault.Synced(f.Name(), f.size)
	return nil
}

func (f *faultySegment) Truncate(size int64) error {
	if _, err := fault.Write("journal.truncate", 0); err != nil {
		return err
	}
	f.size = size
	fault.Written(f.Name(), size)
	return f.File.Truncate(size)
}

// faultyFS is the file system of the database. Points are named by what a file is: sst, manifest,
// marker, other.
type faultyFS struct{ vfs.FS }

func pointOf(path, what string) string {
	base := filepath.Base(path)
	switch {
	case strings.HasSuffix(base, ".sst"):
		return "sst." + what
	case strings.HasPrefix(base, "MANIFEST"):
		return "manifest." + what
	case strings.HasPrefix(base, "marker"):
		return "marker." + what
	}
	return "other." + what
}

func (fs faultyFS) Unwrap() vfs.FS { return fs.FS }

func (fs faultyFS) Create(path string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if _, err := fault.Write(pointOf(path, "create"), 0); err != nil {
		return nil, err
	}
	f, err := fs.FS.Create(path, c)
	if err != nil {
		return nil, err
	}
	fault.Created(path)
	return &faultyFile{File: f, path: path}, nil
}

func (fs faultyFS) Remove(path string) error {
	if _, err := fault.Write(pointOf(path, "remove"), 0); err != nil {
		return err
	}
	fault.Removed(path)
	return fs.FS.Remove(path)
}

func (fs faultyFS) OpenDir(path string) (vfs.File, error) {
	f, err := fs.FS.OpenDir(path)
	if err != nil {
		return nil, err
	}
	return faultyDir{f, path}, nil
}

// faultyDir is a folder whose names are made safe.
type faultyDir struct {
	vfs.File
	path string
}

func (d faultyDir) Sync() error {
	if _, err := fault.Write("dir.sync", 0); err != nil {
		return err
	}
	fault.DirSynced(d.path)
	return nil
}

// faultyFile is a file of the database that is written.
type faultyFile struct {
	vfs.File
	path string
	size int64
}

func (f *faultyFile) Write(b []byte) (int, error) {
	part, err := fault.Write(pointOf(f.path, "write"), len(b))
	n, werr := 0, error(nil)
	if part > 0 {
		n, werr = f.File.Write(b[:part])
	}
	fault.Torn(err)
	f.size += int64(n)
	fault.Written(f.path, f.size)
	if err == nil {
		err = werr
	}
	return n, err
}

func (f *faultyFile) sync() error {
	if _, err := fault.Write(pointOf(f.path, "sync"), 0); err != nil {
		return err
	}
	fault.Synced(f.path, f.size)
	return nil
}

func (f *faultyFile) Sync() error     { return f.sync() }
func (f *faultyFile) SyncData() error { return f.sync() }

// SyncTo promises nothing, as it may.
func (f *faultyFile) SyncTo(int64) (bool, error) { return false, nil }

func (f *faultyFile) Preallocate(int64, int64) error { return nil }

// Fd keeps others from writing past f.
func (f *faultyFile) Fd() uintptr { return vfs.InvalidFd }
