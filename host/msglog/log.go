package msglog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/hpmq/hpmq/host/numbered"
	"github.com/hpmq/hpmq/host/zstd"
)

// rawBytesMax bounds a block before it is compressed: a record above BlockBytesMax is one alone.
const rawBytesMax = 16 << 20

// ErrSpace says that so little is free that nothing is written. A device that is full says
// syscall.ENOSPC.
var ErrSpace = errors.New("msglog: too little space")

// File is what a segment is written to.
type File interface {
	io.WriterAt
	Truncate(size int64) error
	Close() error
}

// Config of a Log.
type Config struct {
	// Dir is the folder of the segments; it is made with mode 0700.
	Dir string
	// Listener is what its records are of.
	Listener string
	// BytesMax bounds the files, Age how old a record may become; the oldest segment goes first.
	BytesMax int64
	Age      time.Duration
	// BlockBytesMax bounds what is compressed at once, SegmentBytesMax a file.
	BlockBytesMax   int
	SegmentBytesMax int64
	// FreeBytesMin is what must stay free of the device; Free says what is, nil does not look.
	FreeBytesMin int64
	Free         func(dir string) (int64, error)
	// Retry is how long nothing is written after the device refused.
	Retry time.Duration
	// Now is the clock of Record.Time, in milliseconds.
	Now func() int64
	// Trouble is told when the device refuses and, with nil, when it takes records again. It is
	// called with the Log locked.
	Trouble func(error)
	// Create opens a new file; nil is the operating system's. Tests put failing devices here.
	Create func(path string) (File, error)
}

// Default keeps a week or 256 MiB. Set Dir, Listener and Now.
func Default() Config {
	return Config{
		BytesMax: 256 << 20, Age: 7 * 24 * time.Hour,
		BlockBytesMax: 256 << 10, SegmentBytesMax: 8 << 20,
		Retry: 5 * time.Second,
	}
}

// Validate says what is wrong with c.
func (c *Config) Validate() error {
	switch {
	case c.Dir == "" || c.Now == nil:
		return errors.New("msglog: Dir and Now are needed")
	case c.BlockBytesMax < 1<<10 || c.BlockBytesMax > rawBytesMax/2:
		return errors.New("msglog: a block must have 1 KiB to 8 MiB")
	case c.SegmentBytesMax < 4<<10 || c.BytesMax < 2*c.SegmentBytesMax:
		return errors.New("msglog: bytes: at least two segments, a segment at least 4 KiB")
	case c.Age <= 0 || c.Retry <= 0:
		return errors.New("msglog: Age and Retry must be positive")
	}
	return nil
}

// Log is the records of one listener. Safe for concurrent use: one goroutine appends, others ask.
type Log struct {
	codec *zstd.Blocks

	mu       sync.Mutex
	cfg      Config
	segments []segment // the last one is open, if file is not nil
	file     File
	bytes    int64 // of all segments

	raw            []byte // records of the block at work
	at             span   // what is in raw
	keys           keys
	one, body, out []byte // scratch

	failing error
	again   int64 // when to try after a failure
	lost    uint64
	closed  bool
}

// segment is a file.
type segment struct {
	number uint64
	size   int64
	span
}

// Stats counts what a Log holds. Missed are the records that were not kept.
type Stats struct {
	Records, Missed uint64
	Bytes           int64
	Segments        int
	// Stopped is why nothing is kept now, nil if all is well.
	Stopped error
}

// Append keeps r, in memory until a block is full or Flush; it blocks for as long as the device
// takes then. While the device refuses records are counted as missed. r is borrowed until return.
func (l *Log) Append(r *Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.failing != nil && l.cfg.Now() < l.again {
		l.missedLocked(1)
		return
	}
	l.one = appendRecord(l.one[:0], r)
	if len(l.raw)+len(l.one) > l.cfg.BlockBytesMax && len(l.raw) > 0 {
		l.sealLocked()
	}
	if len(l.one) > rawBytesMax-binary.MaxVarintLen64 || len(r.Became) > PartsMax {
		l.missedLocked(1)
		return
	}
	if l.at.records == 0 {
		l.keys.reset()
	}
	l.raw = append(binary.AppendUvarint(l.raw, uint64(len(l.one))), l.one...)
	l.at.add(r)
	l.keys.record(r)
	if len(l.raw) >= l.cfg.BlockBytesMax {
		l.sealLocked()
	}
}

// Missed notes records that were lost before they came here.
func (l *Log) Missed(n uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.missedLocked(n)
}

func (l *Log) missedLocked(n uint64) {
	l.lost += n
	l.at.missed += n
}

// Flush writes what waits if the oldest of it is older than age, and lets go of what is too old. Of
// a device that refused it finds out whether it takes records again.
func (l *Log) Flush(age time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	now := l.cfg.Now()
	switch {
	case l.at.records > 0 && now-l.at.first >= age.Milliseconds():
		l.sealLocked()
	case l.at.records == 0 && l.failing != nil:
		l.probeLocked(now)
	}
	l.tidyLocked(now)
}

// Limit changes what is kept.
func (l *Log) Limit(bytesMax int64, age time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cfg.BytesMax, l.cfg.Age = max(bytesMax, 2*l.cfg.SegmentBytesMax), age
	l.tidyLocked(l.cfg.Now())
}

// Last is the highest ID that the Log ever took.
func (l *Log) Last() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	last := l.at.lastID
	for i := range l.segments {
		last = max(last, l.segments[i].lastID)
	}
	return last
}

// Listener is what the records are of.
func (l *Log) Listener() string { return l.cfg.Listener }

// Stats answers the counts of now.
func (l *Log) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	st := Stats{Records: l.at.records, Missed: l.lost, Bytes: l.bytes,
		Segments: len(l.segments), Stopped: l.failing}
	for i := range l.segments {
		st.Records += l.segments[i].records
	}
	return st
}

// Close writes what waits. Questions under way end by themselves.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	if l.at.records > 0 {
		l.sealLocked()
	}
	l.closed = true
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}

// sealLocked writes the block at work. If the device refuses, it is gone.
func (l *Log) sealLocked() {
	err := l.writeLocked()
	if err != nil {
		l.lost += l.at.records
		l.at = span{missed: l.at.missed + l.at.records}
		l.again = l.cfg.Now() + l.cfg.Retry.Milliseconds()
	} else {
		l.at = span{}
	}
	l.raw = l.raw[:0]
	if cap(l.raw) > 2*l.cfg.BlockBytesMax {
		l.raw, l.body, l.out = nil, nil, nil // one huge record
	}
	l.cameLocked(err)
}

// cameLocked takes note of what came of a write.
func (l *Log) cameLocked(err error) {
	if told := l.failing; (err == nil) != (told == nil) && l.cfg.Trouble != nil {
		l.cfg.Trouble(err)
	}
	l.failing = err
}

func (l *Log) roomLocked() error {
	if l.cfg.Free == nil {
		return nil
	}
	if free, err := l.cfg.Free(l.cfg.Dir); err == nil && free < l.cfg.FreeBytesMin {
		return fmt.Errorf("%w: %d bytes are free, %d must stay so", ErrSpace, free,
			l.cfg.FreeBytesMin)
	}
	return nil
}

// probeBytes is what a probe writes: a page.
const probeBytes = 4096

// probeLocked looks whether a device that refused takes records again. To ask for free space
// is cheap; a device that failed is left alone for Retry.
func (l *Log) probeLocked(now int64) {
	if now < l.again && !errors.Is(l.failing, ErrSpace) {
		return
	}
	err := l.roomLocked()
	if err == nil {
		err = l.tryLocked()
	}
	if l.cameLocked(err); err != nil {
		l.again = now + l.cfg.Retry.Milliseconds()
	}
}

// tryLocked writes behind the last record, and takes it back.
func (l *Log) tryLocked() error {
	if l.file == nil {
		return l.cutLocked()
	}
	s := &l.segments[len(l.segments)-1]
	_, err := l.file.WriteAt(make([]byte, probeBytes), s.size)
	if err := errors.Join(err, l.file.Truncate(s.size)); err != nil {
		return fmt.Errorf("msglog: write: %w", err)
	}
	return nil
}

func (l *Log) writeLocked() error {
	if err := l.roomLocked(); err != nil {
		return err
	}
	l.body = l.codec.Compress(l.body[:0], l.raw)
	summary := l.keys.appendSummary(nil)
	l.out = appendBlock(l.out[:0], &l.at, len(l.raw), summary, l.body)
	if l.file == nil || l.fullLocked() {
		if err := l.cutLocked(); err != nil {
			return err
		}
	}
	s := &l.segments[len(l.segments)-1]
	if _, err := l.file.WriteAt(l.out, s.size); err != nil {
		if terr := l.file.Truncate(s.size); terr != nil {
			_ = l.file.Close()
			l.file = nil // the next block begins a new segment; this one is cut when it is read
		}
		return fmt.Errorf("msglog: write: %w", err)
	}
	s.size += int64(len(l.out))
	l.bytes += int64(len(l.out))
	s.merge(&l.at)
	return nil
}

// fullLocked is true if the segment has all it may: bytes, or an eighth of the time that records
// are kept, so that what goes at once is little.
func (l *Log) fullLocked() bool {
	s := &l.segments[len(l.segments)-1]
	return s.records > 0 && (s.size+int64(len(l.out)) > l.cfg.SegmentBytesMax ||
		l.at.last-s.first > l.cfg.Age.Milliseconds()/8)
}

// cutLocked begins a new segment.
func (l *Log) cutLocked() error {
	number := uint64(1)
	if n := len(l.segments); n > 0 {
		number = l.segments[n-1].number + 1
	}
	path := segmentPath(l.cfg.Dir, number)
	f, err := l.cfg.Create(path)
	if err != nil {
		return fmt.Errorf("msglog: new segment: %w", err)
	}
	if _, err := f.WriteAt(appendSegmentHeader(nil, number), 0); err != nil {
		return fmt.Errorf("msglog: new segment: %w", errors.Join(err, f.Close(), os.Remove(path)))
	}
	if l.file != nil {
		_ = l.file.Close()
	}
	l.file = f
	l.segments = append(l.segments, segment{number: number, size: segmentHeaderBytes})
	l.bytes += segmentHeaderBytes
	l.tidyLocked(l.cfg.Now())
	return nil
}

// tidyLocked removes the oldest segments until the limits hold. What is open stays. Where an open
// file cannot be removed it is tried again.
func (l *Log) tidyLocked(now int64) {
	for len(l.segments) > 1 || len(l.segments) == 1 && l.file == nil {
		s := &l.segments[0]
		old := s.records == 0 || s.last < now-l.cfg.Age.Milliseconds()
		// With room for the open one to grow.
		if !old && l.bytes+l.cfg.SegmentBytesMax <= l.cfg.BytesMax {
			return
		}
		err := os.Remove(segmentPath(l.cfg.Dir, s.number))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return
		}
		l.bytes -= s.size
		l.segments = append(l.segments[:0], l.segments[1:]...)
	}
}

func segmentPath(dir string, number uint64) string { return numbered.Path(dir, number, suffix) }

func createFile(path string) (File, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
}
