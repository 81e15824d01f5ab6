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
	for i, h := range heads {
		end, last := int64(-1), i+1 == len(heads)
		if !last {
			end = heads[i+1].end
		}
		if err := s.segment(h.number, end, last); err != nil {
			return s.rep, err
		}
	}
	s.rep.Segments = len(heads)
	j.stats.Segments = len(heads)
	return s.rep, nil
}

// headers reads those of the segments. One that a crash left without is last, holds nothing and
// goes.
func (s *scan) headers(numbers []uint64) ([]header, error) {
	var list []header
	for i, n := range numbers {
		path := segmentPath(s.j.cfg.Dir, n)
		b, err := readStart(path)
		if err != nil {
			return nil, fmt.Errorf("journal: open: %w", err)
		}
		h, err := readHeader(b)
		if errors.Is(err, errHeader) && i == len(numbers)-1 {
			if err := os.Remove(path); err != nil {
				return nil, fmt.Errorf("journal: open: %w", err)
			}
			break
		}
		if err == nil && (h.number != n || i > 0 && n != numbers[i-1]+1) {
			err = fmt.Errorf("%w: segment %d is not where it should be", ErrCorrupt, n)
		}
		if err != nil {
			return nil, fmt.Errorf("journal: open: %s: %w", path, err)
		}
		list = append(list, h)
		s.j.number = n
	}
	return list, nil
}

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

// segment hands out the records of one segment up to end, or if that is negative to its end. Only
// the last one may be torn.
func (s *scan) segment(number uint64, end int64, last bool) error {
	data, err := os.ReadFile(segmentPath(s.j.cfg.Dir, number))
	if err != nil {
		return fmt.Errorf("journal: open: %w", err)
	}
	if end < 0 {
		end = int64(len(data))
	}
	if end > int64(len(data)) || end < headerBytes {
		return fmt.Errorf("%w: segment %d ends at %d of %d", ErrCorrupt, number, end, len(data))
	}
	b := data[headerBytes:end]
	for len(b) > 0 {
		lsn, body, rest, err := cutRecord(b, s.j.cfg.RecordBytesMax)
		if err != nil && !last {
			return fmt.Errorf("%w: segment %d at %d", ErrCorrupt, number, end-int64(len(b)))
		}
		if err != nil {
			s.rep.CutBytes = int64(len(b))
			break
		}
		if err := s.record(lsn, body); err != nil {
			return err
		}
		b = rest
	}
	s.j.safe = end - int64(len(b))
	return nil
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
