package wasmtools

import (
	"bytes"
	"io/fs"
	"strings"
	"time"
)

// files is what one run can read: a folder of WIT, seen as "wit", and files beside it by name.
type files struct {
	wit    fs.FS // nil for none
	beside map[string][]byte
}

// Open is fs.FS. The root can be opened but not listed: who runs names what it wants.
func (f files) Open(name string) (fs.File, error) {
	below, inWIT := strings.CutPrefix(name+"/", "wit/")
	if inWIT && f.wit != nil {
		below = strings.TrimSuffix(below, "/")
		if below == "" {
			below = "."
		}
		return f.wit.Open(below)
	}
	data, ok := f.beside[name]
	if !ok && name != "." {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &file{Reader: bytes.NewReader(data), name: name}, nil
}

// file is an open file in memory, and what Stat says of it.
type file struct {
	*bytes.Reader
	name string
}

func (f *file) Close() error               { return nil }
func (f *file) Stat() (fs.FileInfo, error) { return f, nil }
func (f *file) Name() string               { return f.name }
func (f *file) Mode() fs.FileMode {
	if f.IsDir() {
		return fs.ModeDir | 0o555
	}
	return 0o444
}
func (f *file) ModTime() time.Time { return time.Time{} }
func (f *file) IsDir() bool        { return f.name == "." }
func (f *file) Sys() any           { return nil }
