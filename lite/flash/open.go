package flash

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/hpmq/hpmq/lite/broker"
)

// Report says what Open found.
type Report struct {
	// Entries and Bytes are what is retained, FileBytes the size of the file.
	Entries   int
	Bytes     int64
	FileBytes int64
	// CutBytes were no whole records and are in CutFile now; Reason says why.
	CutBytes int64
	CutFile  string
	Reason   string
}

// Open makes or replays the file in cfg.Dir and starts the goroutine that owns it. post brings
// answers to the kernel's goroutine. It blocks for as long as reading the file takes.
func Open(cfg Config, post Post) (*Store, Report, error) {
	if err := cfg.Validate(); err != nil {
		return nil, Report{}, err
	}
	if cfg.Dir == Memory {
		cfg.Sync = SyncNone
		s := newStore(cfg, post, broken{})
		s.seg.file = broken{}
		go s.run()
		return s, Report{}, nil
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, Report{}, fmt.Errorf("flash: open: %w", err)
	}
	lock, err := lockFile(filepath.Join(cfg.Dir, lockName))
	if err != nil {
		return nil, Report{}, fmt.Errorf("flash: open: another process has %s: %w", cfg.Dir, err)
	}
	s := newStore(cfg, post, lock)
	rep, err := s.load()
	if err != nil {
		return nil, rep, errors.Join(err, lock.Close())
	}
	go s.run()
	return s, rep, nil
}

// load brings what the file holds to memory and leaves the file open at its end.
func (s *Store) load() (Report, error) {
	_ = os.Remove(filepath.Join(s.cfg.Dir, newName)) // of a rewrite that was killed
	rep, err := s.readLog()
	if errors.Is(err, os.ErrNotExist) {
		err = s.seg.rewrite(nil)
	}
	if err != nil {
		return rep, err
	}
	rep.Entries, rep.Bytes, rep.FileBytes = len(s.index.all), s.index.bytes, s.seg.size
	return rep, nil
}

// readLog replays the file, and cuts off what is no whole record.
func (s *Store) readLog() (rep Report, err error) {
	f, err := os.OpenFile(filepath.Join(s.cfg.Dir, logName), os.O_RDWR, 0o600)
	if err != nil {
		return rep, fmt.Errorf("flash: open: %w", err)
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}()
	st, err := f.Stat()
	if err != nil {
		return rep, fmt.Errorf("flash: open: %w", err)
	}
	header := make([]byte, headerBytes)
	if _, err := io.ReadFull(f, header); err != nil {
		return rep, fmt.Errorf("%w: %s: %w", ErrFormat, f.Name(), err)
	}
	if err := checkHeader(header); err != nil {
		return rep, fmt.Errorf("%w: %s", err, f.Name())
	}
	size := st.Size() - headerBytes
	good, torn, err := replay(f, size, s.keep)
	if err != nil {
		return rep, fmt.Errorf("flash: replay: %w", err)
	}
	s.index.sweep(s.cfg.Now())
	s.seg.size = headerBytes + good
	if torn != nil {
		rep.CutBytes, rep.Reason = size-good, torn.Error()
		rep.CutFile = filepath.Join(s.cfg.Dir, cutName)
		if err := cutTail(f, s.seg.size, rep.CutFile); err != nil {
			return rep, fmt.Errorf("flash: cut: %w", err)
		}
	}
	return rep, s.seg.reopen()
}

// keep applies ops of the file, which are borrowed. Limits are for what is new.
func (s *Store) keep(ops []broker.Op) {
	for i := range ops {
		ops[i].Value = slices.Clone(ops[i].Value)
	}
	s.undo = s.index.apply(ops, s.undo[:0])
}

// cutTail moves what f has from size on to another file.
func cutTail(f *os.File, size int64, path string) error {
	if _, err := f.Seek(size, io.SeekStart); err != nil {
		return err
	}
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	// A device too full for the copy must still start: the tail was never acknowledged.
	_, _ = io.Copy(out, f)
	if err := out.Close(); err != nil {
		return err
	}
	return errors.Join(f.Truncate(size), f.Sync())
}
