package store

import (
	"io"
	"os"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// The phases of a store. It only goes on to later ones.
const (
	phaseOpening int32 = iota
	phaseRunning
	phaseFrozen
)

// freezer is what a database writes through. Once it is frozen it writes nothing any more and says
// that all went well, so that a database can be closed that the device has no room for: told of an
// error it would try again for ever, or end the process. The folder stays as a kill at that moment
// would leave it, and the journal has the rest.
type freezer struct {
	vfs.FS
	phase *atomic.Int32
}

func (z freezer) frozen() bool { return z.phase.Load() == phaseFrozen }

// Unwrap is for those who ask for the file system below.
func (z freezer) Unwrap() vfs.FS { return z.FS }

func (z freezer) file(f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return frozenFile{f, z}, nil
}

func (z freezer) Create(path string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if z.frozen() {
		return nowhere{}, nil
	}
	return z.file(z.FS.Create(path, c))
}

func (z freezer) OpenReadWrite(
	path string, c vfs.DiskWriteCategory, o ...vfs.OpenOption,
) (vfs.File, error) {
	if z.frozen() {
		return nowhere{}, nil
	}
	return z.file(z.FS.OpenReadWrite(path, c, o...))
}

func (z freezer) ReuseForWrite(
	from, to string, c vfs.DiskWriteCategory,
) (vfs.File, error) {
	if z.frozen() {
		return nowhere{}, nil
	}
	return z.file(z.FS.ReuseForWrite(from, to, c))
}

func (z freezer) OpenDir(path string) (vfs.File, error) { return z.file(z.FS.OpenDir(path)) }

func (z freezer) Link(from, to string) error {
	return z.unless(func() error { return z.FS.Link(from, to) })
}

func (z freezer) Remove(path string) error {
	return z.unless(func() error { return z.FS.Remove(path) })
}

func (z freezer) RemoveAll(path string) error {
	return z.unless(func() error { return z.FS.RemoveAll(path) })
}

func (z freezer) Rename(from, to string) error {
	return z.unless(func() error { return z.FS.Rename(from, to) })
}

func (z freezer) MkdirAll(path string, mode os.FileMode) error {
	return z.unless(func() error { return z.FS.MkdirAll(path, mode) })
}

func (z freezer) unless(do func() error) error {
	if z.frozen() {
		return nil
	}
	return do()
}

// frozenFile is a file of a freezer.
type frozenFile struct {
	vfs.File
	of freezer
}

func (f frozenFile) Write(b []byte) (int, error) {
	if f.of.frozen() {
		return len(b), nil
	}
	return f.File.Write(b)
}

func (f frozenFile) WriteAt(b []byte, at int64) (int, error) {
	if f.of.frozen() {
		return len(b), nil
	}
	return f.File.WriteAt(b, at)
}

func (f frozenFile) Preallocate(at, n int64) error {
	return f.of.unless(func() error { return f.File.Preallocate(at, n) })
}

func (f frozenFile) Sync() error     { return f.of.unless(f.File.Sync) }
func (f frozenFile) SyncData() error { return f.of.unless(f.File.SyncData) }

func (f frozenFile) SyncTo(n int64) (bool, error) {
	if f.of.frozen() {
		return true, nil
	}
	return f.File.SyncTo(n)
}

// nowhere is a file that was made behind the end.
type nowhere struct{ vfs.File }

func (nowhere) Write(b []byte) (int, error)            { return len(b), nil }
func (nowhere) WriteAt(b []byte, _ int64) (int, error) { return len(b), nil }
func (nowhere) Read([]byte) (int, error)               { return 0, io.EOF }
func (nowhere) ReadAt([]byte, int64) (int, error)      { return 0, io.EOF }
func (nowhere) Stat() (vfs.FileInfo, error)            { return nil, os.ErrNotExist }
func (nowhere) Preallocate(int64, int64) error         { return nil }
func (nowhere) Prefetch(int64, int64) error            { return nil }
func (nowhere) Sync() error                            { return nil }
func (nowhere) SyncData() error                        { return nil }
func (nowhere) SyncTo(int64) (bool, error)             { return true, nil }
func (nowhere) Close() error                           { return nil }
func (nowhere) Fd() uintptr                            { return vfs.InvalidFd }
