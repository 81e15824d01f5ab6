// Package pulled knows which bundles of registries are kept, each as a tar by the digest of its
// manifest, with the signatures that came with it. It does not know who vouches for one, nor how it
// comes over a network.
package pulled

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hpmq/hpmq/sdk/bundle/oci"
)

var (
	// ErrMissing: there is no bundle of that digest.
	ErrMissing = errors.New("it is not there")
	// ErrFull: there is no room beside what is held.
	ErrFull = errors.New("there is no room for it beside what is needed")
)

// Config says where bundles are kept, and how many.
type Config struct {
	// Dir is the folder, made with mode 0700; "" keeps them in memory.
	Dir string
	// ReadOnly keeps in memory what is put; Dir need not be there.
	ReadOnly bool
	// BytesMax bounds all of them together, as tars; FilesMax their number.
	BytesMax int64
	FilesMax int
}

// Default keeps them in memory.
func Default() Config { return Config{BytesMax: 1 << 30, FilesMax: 4096} }

// Validate says what is wrong with c.
func (c *Config) Validate() error {
	if c.BytesMax < 1 || c.FilesMax < 1 {
		return errors.New("pulled: config: every bound must be at least 1")
	}
	return nil
}

// Store keeps bundles. Several may use it at once; no two may have the same folder, unless all but
// one are ReadOnly.
type Store struct {
	cfg Config

	mu    sync.Mutex
	kept  map[oci.Digest]*tar
	bytes int64
}

// tar is a bundle that is kept.
type tar struct {
	digest oci.Digest
	size   int64
	at     time.Time
	text   []byte // nil if it is in the folder
}

const suffix = ".tar"

var name = regexp.MustCompile(`^[0-9a-f]{64}\.tar$`)

// Open finds what is kept. What was not written to its end is removed.
func Open(cfg Config) (*Store, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &Store{cfg: cfg, kept: make(map[oci.Digest]*tar)}
	if cfg.Dir == "" {
		return s, nil
	}
	if !cfg.ReadOnly {
		if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
			return nil, fmt.Errorf("pulled: open: %w", err)
		}
	}
	entries, err := os.ReadDir(cfg.Dir)
	if errors.Is(err, os.ErrNotExist) && cfg.ReadOnly {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("pulled: open: %w", err)
	}
	for _, e := range entries {
		info, err := e.Info()
		switch {
		case err != nil || !info.Mode().IsRegular():
		case name.MatchString(e.Name()):
			hex := strings.TrimSuffix(e.Name(), suffix)
			s.addLocked(&tar{
				digest: oci.Digest("sha256:" + hex), size: info.Size(), at: info.ModTime(),
			})
		case strings.HasPrefix(e.Name(), ".new-") && !cfg.ReadOnly: // see oci.Layout.Save
			_ = os.Remove(filepath.Join(cfg.Dir, e.Name()))
		}
	}
	return s, nil
}

func (s *Store) path(d oci.Digest) string { return filepath.Join(s.cfg.Dir, d.Hex()+suffix) }

func (s *Store) addLocked(f *tar) {
	s.kept[f.digest] = f
	s.bytes += f.size
}

// Get answers a bundle in a layout in memory. Errors are ErrMissing, those of oci for what is
// damaged, or of the file system. It reads all of the bundle.
func (s *Store) Get(d oci.Digest) (*oci.Layout, oci.Descriptor, error) {
	l, at, err := s.get(d)
	if err != nil {
		return nil, at, fmt.Errorf("pulled: %s: %w", d, err)
	}
	return l, at, nil
}

func (s *Store) get(d oci.Digest) (*oci.Layout, oci.Descriptor, error) {
	s.mu.Lock()
	f := s.kept[d]
	s.mu.Unlock()
	none := oci.Descriptor{}
	if f == nil {
		return nil, none, ErrMissing
	}
	var in io.Reader = bytes.NewReader(f.text)
	if f.text == nil {
		file, err := os.Open(s.path(d))
		if errors.Is(err, os.ErrNotExist) {
			return nil, none, ErrMissing
		}
		if err != nil {
			return nil, none, err
		}
		defer func() { _ = file.Close() }()
		in = file
	}
	l, err := oci.ReadTar(in)
	if err != nil {
		return nil, none, err
	}
	all := l.Manifests()
	i := slices.IndexFunc(all, func(o oci.Descriptor) bool { return o.Digest == d })
	if i < 0 {
		return nil, none, fmt.Errorf("%w: it is not what its name says", oci.ErrDigest)
	}
	return l, all[i], nil
}

// Put keeps the bundle that d describes, with all that l lists, in the place of what was kept of
// that digest. To make room it drops the oldest that are not held. It is on the disk when Put
// returns.
func (s *Store) Put(l *oci.Layout, d oci.Descriptor, held func(oci.Digest) bool) error {
	var text bytes.Buffer
	if err := l.WriteTar(&text); err != nil {
		return fmt.Errorf("pulled: put: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f := &tar{digest: d.Digest, size: int64(text.Len()), at: time.Now()}
	if err := s.makeRoomLocked(f, held); err != nil {
		return fmt.Errorf("pulled: put: %w", err)
	}
	if s.cfg.Dir == "" || s.cfg.ReadOnly {
		f.text = text.Bytes()
	} else if err := errors.Join(l.Save(s.path(d.Digest)), s.sync()); err != nil {
		return fmt.Errorf("pulled: put: %w", err)
	}
	if was := s.kept[d.Digest]; was != nil {
		s.bytes -= was.size
	}
	s.addLocked(f)
	return nil
}

// sync makes the names in the folder safe.
func (s *Store) sync() error {
	dir, err := os.Open(s.cfg.Dir)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func (s *Store) makeRoomLocked(f *tar, held func(oci.Digest) bool) error {
	bytes, files := s.bytes, len(s.kept)
	if was := s.kept[f.digest]; was != nil {
		bytes, files = bytes-was.size, files-1
	}
	fits := func() bool { return bytes+f.size <= s.cfg.BytesMax && files < s.cfg.FilesMax }
	for _, old := range s.oldestLocked() {
		if fits() {
			return nil
		}
		if old.digest == f.digest || held(old.digest) || !s.dropLocked(old) {
			continue
		}
		bytes, files = bytes-old.size, files-1
	}
	if fits() {
		return nil
	}
	return fmt.Errorf("%w: it has %d bytes, at most %d are kept", ErrFull, f.size, s.cfg.BytesMax)
}

func (s *Store) oldestLocked() []*tar {
	all := make([]*tar, 0, len(s.kept))
	for _, f := range s.kept {
		all = append(all, f)
	}
	slices.SortFunc(all, func(x, y *tar) int {
		return cmp.Or(x.at.Compare(y.at), cmp.Compare(x.digest, y.digest))
	})
	return all
}

// dropLocked is false for what could not be removed.
func (s *Store) dropLocked(f *tar) bool {
	if f.text == nil && !s.cfg.ReadOnly {
		if err := os.Remove(s.path(f.digest)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return false
		}
	}
	delete(s.kept, f.digest)
	s.bytes -= f.size
	return true
}

// Sweep drops what is not needed, and answers how many that were. What cannot be removed stays.
func (s *Store) Sweep(needed func(oci.Digest) bool) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.oldestLocked() {
		if !needed(f.digest) && s.dropLocked(f) {
			n++
		}
	}
	return n
}
