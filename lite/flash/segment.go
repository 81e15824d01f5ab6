package flash

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/hpmq/hpmq/lite/broker"
)

// The files in the folder of a store.
const (
	logName  = "retained.log"
	newName  = "retained.log.new"
	cutName  = "retained.log.cut"
	lockName = "retained.lock"
)

// file is what a segment needs of an open file.
type file interface {
	io.WriteCloser
	Sync() error
	Truncate(size int64) error
}

func createFile(path string) (file, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
}

// segment is the file, open at its end.
type segment struct {
	dir    string
	create func(path string) (file, error)
	file   file
	size   int64
	// doubt is set when nobody knows what the file holds.
	doubt bool
}

// append adds whole records. On an error the file is as before, or in doubt.
func (s *segment) append(records []byte) error {
	if _, err := s.file.Write(records); err != nil {
		// The file is opened to append: what was written in part is behind the cut.
		if cerr := s.file.Truncate(s.size); cerr != nil {
			s.doubt = true
		}
		return fmt.Errorf("flash: append: %w", err)
	}
	s.size += int64(len(records))
	return nil
}

// sync makes sure that the device has it. After an error the file is in doubt.
func (s *segment) sync() error {
	if err := s.file.Sync(); err != nil {
		s.doubt = true
		return fmt.Errorf("flash: sync: %w", err)
	}
	return nil
}

// rewrite writes entries to a new file that takes the place of the old one. On an error the old one
// is still there.
func (s *segment) rewrite(entries []*entry) error {
	size, err := s.writeNew(entries)
	if err != nil {
		_ = os.Remove(filepath.Join(s.dir, newName))
		return fmt.Errorf("flash: rewrite: %w", err)
	}
	// Closed before the rename: some systems do not rename what is open.
	if s.file != nil {
		_ = s.file.Close() // all that counts in it has been written anew
		s.file = nil
	}
	err = os.Rename(filepath.Join(s.dir, newName), filepath.Join(s.dir, logName))
	if err == nil {
		s.size = size
		err = syncDir(s.dir)
		s.doubt = err != nil
	}
	return errors.Join(err, s.reopen())
}

func (s *segment) writeNew(entries []*entry) (size int64, err error) {
	f, err := s.create(filepath.Join(s.dir, newName))
	if err != nil {
		return 0, err
	}
	w := bufio.NewWriterSize(f, 32<<10)
	buf := appendHeader(nil)
	for _, e := range entries {
		size += int64(len(buf))
		if _, err := w.Write(buf); err != nil {
			return 0, errors.Join(err, f.Close())
		}
		buf = appendRecord(buf[:0], []broker.Op{e.op})
	}
	size += int64(len(buf))
	_, err = w.Write(buf)
	return size, errors.Join(err, w.Flush(), f.Sync(), f.Close())
}

// reopen opens the file at its end.
func (s *segment) reopen() error {
	f, err := os.OpenFile(filepath.Join(s.dir, logName), os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		s.doubt = true
		s.file = broken{err}
		return fmt.Errorf("flash: open: %w", err)
	}
	s.file = f
	return nil
}

// broken is a file that could not be opened; without an error, none that is wanted.
type broken struct{ err error }

func (b broken) Write([]byte) (int, error) { return 0, b.err }
func (b broken) Sync() error               { return b.err }
func (b broken) Truncate(int64) error      { return b.err }
func (b broken) Close() error              { return nil }

// syncDir makes a rename safe. Windows has no such call and does not need it.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("flash: sync folder: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("flash: sync folder: %w", err)
	}
	return nil
}

// replay reads records from r, which has size bytes behind the header, and gives the ops of each to
// visit, borrowed until return. It answers how many bytes are whole records, and why it stopped
// before the end, or nil. An error of r itself comes as err.
func replay(r io.Reader, size int64, visit func([]broker.Op)) (good int64, torn, err error) {
	br := bufio.NewReaderSize(r, 32<<10)
	var prefix [prefixBytes]byte
	var body []byte
	var ops []broker.Op
	for good < size {
		left := size - good - prefixBytes
		if left < 0 {
			return good, errors.New("a record is short"), nil
		}
		if _, err := io.ReadFull(br, prefix[:]); err != nil {
			return good, nil, err
		}
		length := int64(binary.LittleEndian.Uint32(prefix[:]))
		switch {
		case length == 0:
			return good, errors.New("a record is empty"), nil
		case length > left:
			return good, errors.New("a record is short"), nil
		}
		if int64(cap(body)) < length {
			body = make([]byte, length)
		}
		body = body[:length]
		if _, err := io.ReadFull(br, body); err != nil {
			return good, nil, err
		}
		if checksum(prefix[:4], body) != binary.LittleEndian.Uint32(prefix[4:]) {
			return good, errors.New("a checksum is wrong"), nil
		}
		if ops, err = decodeBody(ops[:0], body); err != nil {
			return good, err, nil
		}
		visit(ops)
		good += prefixBytes + length
	}
	return good, nil, nil
}
