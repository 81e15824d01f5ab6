// Package clone knows how files that do not change any more are put into another folder: by a
// second name where the file system has that, by a copy where it does not. It does not know what is
// in them.
package clone

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// File makes to, which must not be there, the same as from. A copy is safe on the device when it
// returns; the name is after Sync of its folder.
func File(from, to string) error {
	if err := os.Link(from, to); err == nil {
		return nil
	}
	return Copy(from, to)
}

// Copy makes to, which must not be there, a copy of from.
func Copy(from, to string) error {
	src, err := os.Open(filepath.Clean(from))
	if err != nil {
		return fmt.Errorf("clone: %w", err)
	}
	defer func() { _ = src.Close() }()
	dst, err := os.OpenFile(filepath.Clean(to), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("clone: %w", err)
	}
	_, err = io.Copy(dst, src)
	if err = errors.Join(err, dst.Sync(), dst.Close()); err != nil {
		return fmt.Errorf("clone: %w", errors.Join(err, os.Remove(to)))
	}
	return nil
}

// Tree makes the folder to, which must not be there, the same as from: files for which link answers
// true by File, the others by Copy. All of it is safe when it returns. progress hears of the bytes
// of each file and may be nil; its error ends it. On an error what is there of to stays.
func Tree(from, to string, link func(path string) bool, progress func(bytes int64) error) error {
	t := tree{link, progress}
	return filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("clone: %w", err)
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return fmt.Errorf("clone: %w", err)
		}
		return t.put(path, filepath.Join(to, rel), e)
	})
}

type tree struct {
	link     func(string) bool
	progress func(int64) error
}

func (t *tree) put(from, to string, e fs.DirEntry) error {
	if e.IsDir() {
		if err := os.Mkdir(to, 0o700); err != nil {
			return fmt.Errorf("clone: %w", err)
		}
		return Sync(filepath.Dir(to))
	}
	info, err := e.Info()
	if err != nil {
		return fmt.Errorf("clone: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("clone: %s is no regular file", from)
	}
	put := Copy
	if t.link(from) {
		put = File
	}
	if err := put(from, to); err != nil {
		return err
	}
	if t.progress != nil {
		if err := t.progress(info.Size()); err != nil {
			return err
		}
	}
	return Sync(filepath.Dir(to))
}
