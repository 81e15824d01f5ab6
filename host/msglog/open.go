package msglog

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/hpmq/hpmq/host/numbered"
	"github.com/hpmq/hpmq/host/zstd"
)

const suffix = ".mlog"

// Report says what Open found.
type Report struct {
	// CutBytes had a torn end, Damaged segments more than that: what is behind is not read.
	CutBytes int64
	Damaged  int
	// Aside are the segments that a newer version wrote. They are under another name now, as they
	// were, and nothing of them is found.
	Aside []string
}

// asideMax bounds the files of one number that are set aside.
const asideMax = 100

// Open opens the log in cfg.Dir. The end that a kill tore is cut off.
func Open(cfg Config, codec *zstd.Blocks) (*Log, Report, error) {
	var rep Report
	if err := cfg.Validate(); err != nil {
		return nil, rep, err
	}
	if cfg.Create == nil {
		cfg.Create = createFile
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, rep, fmt.Errorf("msglog: open: %w", err)
	}
	numbers, err := numbered.Numbers(cfg.Dir, suffix)
	if err != nil {
		return nil, rep, fmt.Errorf("msglog: open: %w", err)
	}
	l := &Log{cfg: cfg, codec: codec}
	for i, n := range numbers {
		s, err := l.readSegment(n, i == len(numbers)-1, &rep)
		if errors.Is(err, errNewer) {
			err = l.setAside(n, &rep)
			if err == nil {
				continue
			}
		}
		if err != nil {
			return nil, rep, fmt.Errorf("msglog: open: segment %d: %w", n, err)
		}
		if s.records == 0 && i == len(numbers)-1 {
			_ = os.Remove(segmentPath(cfg.Dir, n)) // it holds nothing; its number is used again
			continue
		}
		l.segments = append(l.segments, s)
		l.bytes += s.size
	}
	l.tidyLocked(cfg.Now())
	return l, rep, nil
}

// setAside gives a segment a name that is read by nobody, and never one that is taken.
func (l *Log) setAside(number uint64, rep *Report) error {
	path := segmentPath(l.cfg.Dir, number)
	for i := range asideMax {
		to := fmt.Sprintf("%s.aside%d", path, i+1)
		if _, err := os.Lstat(to); errors.Is(err, os.ErrNotExist) {
			rep.Aside = append(rep.Aside, to)
			return os.Rename(path, to)
		}
	}
	return fmt.Errorf("%w, and too many are set aside: move %s.aside* elsewhere", errNewer, path)
}

// readSegment looks at the heads of a segment's blocks. A new process begins a new segment, so the
// torn end of the last is all that needs care.
func (l *Log) readSegment(number uint64, last bool, rep *Report) (segment, error) {
	path := segmentPath(l.cfg.Dir, number)
	s := segment{number: number}
	f, err := os.Open(path)
	if err != nil {
		return s, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return s, err
	}
	w, err := newWalk(f, number, info.Size())
	if err == nil {
		for w.next() {
			if last && w.at+w.head.size() == info.Size() && !w.sound() {
				w.err = ErrDamaged
				break
			}
			s.merge(&w.head.span)
			s.size = w.at + w.head.size()
		}
		err = w.err
	}
	s.size = max(s.size, segmentHeaderBytes)
	switch {
	case err == nil:
		return s, nil
	case !errors.Is(err, ErrDamaged) && !errors.Is(err, io.EOF):
		return s, err
	case !last:
		rep.Damaged++
		return s, nil
	}
	rep.CutBytes += max(0, info.Size()-s.size)
	return s, os.Truncate(path, min(s.size, info.Size()))
}

// NewCodec is what Logs share to compress and restore, for at most readers questions at once.
func NewCodec(readers int) (*zstd.Blocks, error) { return zstd.NewBlocks(readers, rawBytesMax) }
