package oci

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The names in a layout.
const (
	indexName   = "index.json"
	markerName  = "oci-layout"
	blobsFolder = "blobs/sha256/"
	newPrefix   = ".new-" // of what is being written
)

func marker() []byte { return []byte(`{"imageLayoutVersion":"1.0.0"}`) }

// Open opens a folder or a tar. Errors are ErrLayout, or of the file system.
func Open(path string) (*Layout, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("oci: open: %w", err)
	}
	if info.IsDir() {
		return openFolder(path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("oci: open: %w", err)
	}
	defer func() { _ = f.Close() }()
	l, err := ReadTar(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return l, nil
}

func openFolder(path string) (*Layout, error) {
	// A Root does not follow a symbolic link out of the folder.
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("oci: open: %w", err)
	}
	l := New()
	l.close = root.Close
	l.from = func(d Digest, sizeMax int64) ([]byte, error) {
		b, err := readIn(root, blobsFolder+d.Hex(), sizeMax)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("oci: blob %s: %w", d, ErrMissing)
		}
		return b, err
	}
	if err := l.readFolder(root); err != nil {
		_ = root.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return l, nil
}

func (l *Layout) readFolder(root *os.Root) error {
	mark, err := readIn(root, markerName, DocumentBytesMax)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("oci: %w: there is no file oci-layout in it", ErrLayout)
	}
	if err != nil {
		return err
	}
	index, err := readIn(root, indexName, DocumentBytesMax)
	if err != nil {
		return err
	}
	return l.readIndex(index, mark)
}

// readIn reads a regular file below root; one byte more than sizeMax is read of a larger one.
func readIn(root *os.Root, name string, sizeMax int64) ([]byte, error) {
	// What is no file could block: it is looked at before it is opened.
	info, err := root.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("oci: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("oci: %w: %s is not a file", ErrLayout, name)
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("oci: %w", err)
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, sizeMax+1))
	if err != nil {
		return nil, fmt.Errorf("oci: read %s: %w", name, err)
	}
	return b, nil
}

// Save writes the layout: as a tar where path ends in .tar, else as a folder, which may hold
// another layout or be the one it was opened from, but nothing else. What index.json does not lead
// to is not written. Whoever reads path meanwhile sees the layout that was there or the new one.
func (l *Layout) Save(path string) error {
	if strings.HasSuffix(path, ".tar") {
		return replace(path, l.WriteTar)
	}
	if err := mayHold(path); err != nil {
		return err
	}
	index, err := l.indexJSON()
	if err != nil {
		return err
	}
	blobs, err := l.reachable()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(path, filepath.FromSlash(blobsFolder)), 0o755); err != nil {
		return fmt.Errorf("oci: save: %w", err)
	}
	for _, d := range blobs {
		if err := l.saveBlob(path, d); err != nil {
			return err
		}
	}
	for _, file := range []struct {
		name string
		text []byte
	}{{markerName, marker()}, {indexName, index}} {
		if err := replace(filepath.Join(path, file.name), func(w io.Writer) error {
			_, err := w.Write(file.text)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// mayHold refuses a folder with files that a layout would be written over, or among.
func mayHold(path string) error {
	entries, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("oci: save: %w", err)
	}
	for _, e := range entries {
		if e.Name() == markerName {
			return nil
		}
	}
	for _, e := range entries {
		// Blobs alone are what a Save leaves that did not come to its end.
		if e.Name() != "blobs" && !strings.HasPrefix(e.Name(), newPrefix) {
			return fmt.Errorf("oci: save: %w: there is %.80q in %s, which is no layout: name a "+
				"folder that is empty, or not there", ErrLayout, e.Name(), path)
		}
	}
	return nil
}

// saveBlob writes a blob, whole and right, over what may stand in its place.
func (l *Layout) saveBlob(path string, d Descriptor) error {
	b, err := l.Blob(d)
	if err != nil {
		return err
	}
	name := filepath.Join(path, filepath.FromSlash(blobsFolder), d.Digest.Hex())
	if info, err := os.Lstat(name); err == nil && info.Mode().IsRegular() &&
		info.Size() == d.Size {
		if have, err := os.ReadFile(name); err == nil && DigestOf(have) == d.Digest {
			return nil
		}
	}
	return replace(name, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}

// replace puts a file in the place of name, whole or not at all.
func replace(name string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(name), newPrefix+"*")
	if err != nil {
		return fmt.Errorf("oci: save: %w", err)
	}
	defer func() { _ = os.Remove(f.Name()) }() // it is not there any more if all went well
	err = errors.Join(write(f), f.Chmod(0o644), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return fmt.Errorf("oci: save: %w", err)
	}
	return nil
}
