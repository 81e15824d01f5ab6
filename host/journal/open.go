package journal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/hpmq/hpmq/host/numbered"
)

// Report says what Open found.
type Report struct {
	Segments int
	// Records were handed to replay, Passed were known already.
	Records, Passed int
	// CutBytes at the end were no whole record: of a write that a crash broke off.
	CutBytes int64
}

// Open reads the segments of cfg.Dir and hands each record with a number above known to replay, in
// order; body is borrowed until replay returns. Then it begins a new segment. An error of replay
// ends it. It blocks for as long as reading takes.
func Open(
	cfg Config, known uint64, replay func(lsn uint64, body []byte) error,
) (*Journal, Report, error) {
	if cfg.Create == nil {
		cfg.Create = createFile
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, Report{}, fmt.Errorf("journal: open: %w", err)
	}
	j := &Journal{cfg: cfg, lsn: known}
	rep, err := j.read(replay)
	if err != nil {
		return nil, rep, err
	}
	j.kept, j.sure = j.lsn, j.lsn
	if err := j.Cut(); err != nil {
		return nil, rep, err
	}
	return j, rep, nil
}

// scan is the state of reading one segment after the other.
type scan struct {
	j      *Journal
	replay func(uint64, []byte) error
	rep    Report
}

func (j *Journal) read(replay func(uint64, []byte) error) (Report, error) {
	numbers, err := numbered.Numbers(j.cfg.Dir, suffix)
	if err != nil {
		return Report{}, fmt.Errorf("journal: open: %w", err)
	}
	s := scan{j: j, replay: replay}
	heads, err := s.headers(numbers)
	if err != nil {
		return s.rep, err
	}
	if s.j.cfg.Tail && len(heads) > 0 {
		s.j.lsn = max(s.j.lsn, heads[0].lsn)
	}
	// A store that keeps something has a segment, always.
	if len(heads) == 0 && j.lsn > 0 {
		err := s.damaged("there is no segment, and records up to %d were kept", j.lsn)
		if err != nil {
			return s.rep, err
		}
	}
	for i := range heads {
		end := int64(-1)
		if i+1 < len(heads) {
			end = heads[i+1].end
		}
		if err := s.segment(&heads[i], end); err != nil {
			return s.rep, err
		}
	}
	s.rep.Segments = len(heads)
	j.stats.Segments = len(heads)
	return s.rep, nil
}

// damaged is the end of it, or is told to who wants to go on.
func (s *scan) damaged(format string, args ...any) error {
	err := fmt.Errorf("%w: "+format, append([]any{ErrCorrupt}, args...)...)
	if s.j.cfg.Damaged == nil {
		return err
	}
	s.j.cfg.Damaged(err)
	return nil
}

// headers reads those of the segments. One that a crash left without is last, holds nothing and
// goes.
func (s *scan) headers(numbers []uint64) ([]header, error) {
	var list []header
	for i, n := range numbers {
		path := segmentPath(s.j.cfg.Dir, n)
		h, keep, err := s.header(path, n, i == len(numbers)-1)
		if err != nil {
			return nil, fmt.Errorf("journal: open: %s: %w", path, err)
		}
		if !keep {
			continue
		}
		s.j.number = n
		if last := len(list) - 1; last >= 0 && n != list[last].number+1 {
			err := s.damaged("segment %d is not where it should be: one before is missing", n)
			if err != nil {
				return nil, fmt.Errorf("journal: open: %s: %w", path, err)
			}
		}
		list = append(list, h)
	}
	return list, nil
}

// header reads one. keep is false for a file that is not a segment any more.
func (s *scan) header(path string, n uint64, last bool) (h header, keep bool, err error) {
	b, err := readStart(path)
	if err != nil {
		return h, false, err
	}
	if h, err = readHeader(b); err == nil && h.number == n {
		return h, true, nil
	}
	if errors.Is(err, ErrVersion) {
		return h, false, err
	}
	info, err := os.Stat(path)
	if err == nil && last && info.Size() <= headerBytes {
		return h, false, os.Remove(path)
	}
	if err == nil {
		err = s.damaged("segment %d has no header", n)
	}
	if err == nil {
		err = os.Rename(path, path+aside)
	}
	return h, false, err
}

// aside is behind the name of a file that is kept for who may find more in it.
const aside = ".damaged"

// readStart reads as much of a file as a header takes, or less if there is no more.
func readStart(path string) ([]byte, error) {
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return nil, err
	}
	b := make([]byte, headerBytes)
	n, err := io.ReadFull(f, b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return b[:n], errors.Join(err, f.Close())
}

// segment hands out the records of one segment up to end, or if that is negative to its end: then
// it is the last, and may be torn.
func (s *scan) segment(h *header, end int64) error {
	path := segmentPath(s.j.cfg.Dir, h.number)
	data, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return fmt.Errorf("journal: open: %w", err)
	}
	if last := s.j.lsn; !h.one && h.lsn > last {
		err := s.damaged("%s: records %d to %d before it are missing", path, last+1, h.lsn)
		if err != nil {
			return err
		}
	}
	torn := end < 0
	if torn {
		end = int64(len(data))
	}
	if end > int64(len(data)) || end < headerBytes {
		if err := s.damaged("%s ends at %d, not at %d", path, len(data), end); err != nil {
			return err
		}
		end = int64(len(data))
	}
	rest, err := s.records(h, path, data[:end], torn)
	s.j.safe = end - rest
	return err
}

// records hands out those of a segment, and answers how many bytes at its end are none. Where there
// is no whole record a crash broke a write off, or what was safe is damaged: the next segment says
// where this one ends, and each record what was safe before it.
func (s *scan) records(h *header, path string, data []byte, torn bool) (rest int64, err error) {
	for at := headerBytes; at < len(data); {
		r, b, err := h.cutRecord(data[at:], s.j.cfg.RecordBytesMax)
		if err == nil {
			if err := s.record(r.lsn, r.body); err != nil {
				return 0, err
			}
			at = len(data) - len(b)
			continue
		}
		on, r, ok := h.next(data[at:], s.j.lsn, s.j.cfg.RecordBytesMax)
		if torn && (!ok || r.safe <= int64(at)) {
			s.rep.CutBytes = int64(len(data) - at)
			return s.rep.CutBytes, nil
		}
		if err := s.damaged("%s at %d", path, at); err != nil {
			return 0, err
		}
		if !ok {
			return 0, nil
		}
		at += on
	}
	return 0, nil
}

func (s *scan) record(lsn uint64, body []byte) error {
	if lsn <= s.j.lsn {
		s.rep.Passed++
		return nil
	}
	s.j.lsn = lsn
	s.rep.Records++
	if err := s.replay(lsn, body); err != nil {
		return fmt.Errorf("journal: replay: %w", err)
	}
	return nil
}
