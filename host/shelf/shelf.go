// Package shelf knows how files are kept by their digests: written whole or not at all, read only
// if they still are what they were, within bounds. It does not know what is in them, or who needs
// which.
package shelf

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Errors of a Shelf.
var (
	// ErrMissing: no file has that digest.
	ErrMissing = errors.New("it is not there")
	// ErrDamaged: what is there is not what it was.
	ErrDamaged = errors.New("what is there is damaged")
	// ErrFull: all that is there is held.
	ErrFull = errors.New("there is no room for it beside what is needed")
)

// Config of a Shelf.
type Config struct {
	// Dir is the folder, made with mode 0700; "" keeps the files in memory.
	Dir string
	// BytesMax bounds all files together, FilesMax their number.
	BytesMax int64
	FilesMax int
}

// Default is room for some versions of every component there is. Set Dir.
func Default() Config { return Config{BytesMax: 1 << 30, FilesMax: 1024} }

// Validate says what is wrong with c.
func (c *Config) Validate() error {
	if c.BytesMax < 1 || c.FilesMax < 1 {
		return errors.New("shelf: config: every bound must be at least 1")
	}
	return nil
}

// Shelf is an open folder. Safe for concurrent use; one process at a time.
type Shelf struct {
	cfg Config

	mu    sync.Mutex
	files map[string]*file
	bytes int64
}

type file struct {
	digest string
	size   int64
	at     time.Time // when it was put last
	code   []byte    // without a folder
}

const prefix = "sha256:"

var (
	form = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
	name = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// unfinished ends the name of a file that is being written.
const unfinished = ".new"

// DigestOf is "sha256:" with 64 hexadecimal digits.
func DigestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return prefix + hex.EncodeToString(sum[:])
}

// IsDigest says whether text is one.
func IsDigest(text string) bool { return form.MatchString(text) }

// Open lists what is there. What a crash left unfinished is removed.
func Open(cfg Config) (*Shelf, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &Shelf{cfg: cfg, files: map[string]*file{}}
	if cfg.Dir == "" {
		return s, nil
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("shelf: open: %w", err)
	}
	entries, err := os.ReadDir(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("shelf: open: %w", err)
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), unfinished) {
			_ = os.Remove(filepath.Join(cfg.Dir, e.Name()))
			continue
		}
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || !name.MatchString(e.Name()) {
			continue
		}
		f := &file{digest: prefix + e.Name(), size: info.Size(), at: info.ModTime()}
		s.files[f.digest] = f
		s.bytes += f.size
	}
	return s, nil
}

func (s *Shelf) path(digest string) string {
	return filepath.Join(s.cfg.Dir, strings.TrimPrefix(digest, prefix))
}

// Put keeps b, which is on the device when Put returns, and answers its digest. Where there is no
// room, the files go that were put longest ago and are not held. held must not call the shelf.
func (s *Shelf) Put(b []byte, held func(digest string) bool) (string, error) {
	digest := DigestOf(b)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.getLocked(digest); err == nil {
		s.files[digest].at = time.Now()
		if s.cfg.Dir != "" {
			_ = os.Chtimes(s.path(digest), time.Time{}, s.files[digest].at)
		}
		return digest, nil
	}
	s.dropLocked(digest)
	if err := s.makeRoomLocked(int64(len(b)), held); err != nil {
		return "", fmt.Errorf("shelf: put: %w", err)
	}
	f := &file{digest: digest, size: int64(len(b)), at: time.Now()}
	if s.cfg.Dir == "" {
		f.code = b
	} else if err := s.write(s.path(digest), b); err != nil {
		return "", fmt.Errorf("shelf: put: %w", err)
	}
	s.files[digest] = f
	s.bytes += f.size
	return digest, nil
}

// makeRoomLocked drops files until size bytes fit.
func (s *Shelf) makeRoomLocked(size int64, held func(string) bool) error {
	fits := func() bool {
		return s.bytes+size <= s.cfg.BytesMax && len(s.files) < s.cfg.FilesMax
	}
	if fits() {
		return nil
	}
	for _, f := range s.oldestLocked() {
		if held(f.digest) {
			continue
		}
		s.dropLocked(f.digest)
		if fits() {
			return nil
		}
	}
	return fmt.Errorf("%w: %d bytes, at most %d in %d files", ErrFull, size, s.cfg.BytesMax,
		s.cfg.FilesMax)
}

func (s *Shelf) oldestLocked() []*file {
	var all []*file
	for _, f := range s.files {
		all = append(all, f)
	}
	slices.SortFunc(all, func(x, y *file) int {
		return cmp.Or(x.at.Compare(y.at), strings.Compare(x.digest, y.digest))
	})
	return all
}

func (s *Shelf) dropLocked(digest string) {
	f := s.files[digest]
	if f == nil {
		return
	}
	if s.cfg.Dir != "" {
		if err := os.Remove(s.path(digest)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return // it still takes room
		}
	}
	delete(s.files, digest)
	s.bytes -= f.size
}

// write makes the file whole under another name first.
func (s *Shelf) write(path string, b []byte) (err error) {
	f, err := os.OpenFile(path+unfinished, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(path+unfinished, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(path+unfinished))
	}
	dir, err := os.Open(s.cfg.Dir)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Get answers the file of that digest, which is not the caller's to change.
func (s *Shelf) Get(digest string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.getLocked(digest)
	if err != nil {
		return nil, fmt.Errorf("shelf: %s: %w", digest, err)
	}
	return b, nil
}

func (s *Shelf) getLocked(digest string) ([]byte, error) {
	f := s.files[digest]
	switch {
	case f == nil:
		return nil, ErrMissing
	case s.cfg.Dir == "":
		return f.code, nil
	}
	b, err := os.ReadFile(s.path(digest))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, ErrMissing
	case err != nil:
		return nil, err
	case DigestOf(b) != digest:
		return nil, ErrDamaged
	}
	return b, nil
}

// Sweep drops what was put before a time and is not needed, and answers how many files that was.
// needed must not call the shelf.
func (s *Shelf) Sweep(before time.Time, needed func(digest string) bool) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, f := range s.oldestLocked() {
		if f.at.Before(before) && !needed(f.digest) {
			s.dropLocked(f.digest)
			n++
		}
	}
	return n
}
