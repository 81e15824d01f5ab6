// Package journal keeps records in files that only grow, so that they outlive the process: what a
// store has acknowledged and not yet put in its place. FORMAT.md of host/store draws the files.
//
// It knows segments, checksums, which bytes are safe on the device and what to do when the device
// refuses. It does not know what a record says. It is used by one goroutine.
//
// # When the device fails
//
// After a failed write the segment is cut back. After a failed sync nobody knows what the device
// holds, and to sync again would prove nothing: the next record begins a new segment, whose header
// says where the old one ends. A record whose Append or Sync failed never comes back.
package journal

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/hpmq/hpmq/host/clone"
	"github.com/hpmq/hpmq/host/fault"
	"github.com/hpmq/hpmq/host/numbered"
)

// Errors of a journal.
var (
	ErrTooLarge = errors.New("journal: the record is too large")
	ErrCorrupt  = errors.New("journal: what was acknowledged is damaged")
	ErrVersion  = errors.New("journal: a file of a newer version: use that version of the " +
		"broker, or restore a backup")
)

// File is what a segment is written to.
type File interface {
	io.WriterAt
	Sync() error
	Truncate(size int64) error
	Close() error
}

// Config of a journal.
type Config struct {
	// Dir is the folder of the segments; it is made with mode 0700.
	Dir string
	// RecordBytesMax bounds one record.
	RecordBytesMax int
	// Create opens a new file for writing in place of what is there; nil is the operating system's.
	// Tests put failing devices here.
	Create func(path string) (File, error)
	// Tail is for who drops what it does not need and keeps no number elsewhere: what was before
	// the first segment is not missing.
	Tail bool
	// Damaged, if it is there, makes Open go on behind damage: it hears of each place. A file that
	// is no segment any more is kept aside. Without Damaged it is ErrCorrupt.
	Damaged func(err error)
}

// Default holds records of groups of writes. Set Dir.
func Default() Config { return Config{RecordBytesMax: 256 << 20} }

// Journal is an open journal.
type Journal struct {
	cfg    Config
	file   File
	number uint64 // of the segment
	size   int64  // of the segment, all of it written
	safe   int64  // of it synced
	lsn    uint64 // of the last record
	kept   uint64 // of the last one that is whole, and the last one that is safe
	sure   uint64
	doubt  bool // the next record begins a new segment
	lost   bool // a sync failed: what is behind safe does not count
	buf    []byte
	stats  Stats
}

// Stats counts what was done.
type Stats struct {
	Records, Bytes, Syncs, Failures uint64
	Segments                        int
}

// Append writes body as the record behind all others and answers its number, which grows. Before
// Sync it survives the process, not the machine. On an error the record does not exist. It blocks
// for as long as the write takes.
func (j *Journal) Append(body []byte) (lsn uint64, err error) {
	if len(body) > j.cfg.RecordBytesMax {
		return 0, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(body),
			j.cfg.RecordBytesMax)
	}
	if j.doubt {
		if err := j.Cut(); err != nil {
			return 0, err
		}
	}
	j.lsn++
	j.buf = appendRecord(j.buf[:0], record{j.lsn, j.safe, body})
	if _, err := j.file.WriteAt(j.buf, j.size); err != nil {
		j.stats.Failures++
		if terr := j.file.Truncate(j.size); terr != nil {
			j.doubt = true
		}
		return 0, fmt.Errorf("journal: append: %w", err)
	}
	fault.Point("journal.appended")
	j.size += int64(len(j.buf))
	j.kept = j.lsn
	j.stats.Records++
	j.stats.Bytes += uint64(len(j.buf))
	return j.lsn, nil
}

// Sync makes all that was appended safe. If it fails, what was appended since the last Sync does
// not exist any more. It blocks for as long as the device takes.
func (j *Journal) Sync() error {
	if j.lost {
		return errors.New("journal: sync: the segment is in doubt")
	}
	if j.safe == j.size {
		return nil
	}
	j.stats.Syncs++
	if err := j.file.Sync(); err != nil {
		j.doubt, j.lost = true, true
		j.stats.Failures++
		return fmt.Errorf("journal: sync: %w", err)
	}
	fault.Point("journal.synced")
	j.safe, j.sure = j.size, j.kept
	return nil
}

// Next is the number that the next record gets.
func (j *Journal) Next() uint64 { return j.lsn + 1 }

// Doubt is true after a failure that the next record goes around.
func (j *Journal) Doubt() bool { return j.doubt }

// Unsafe is how many bytes were appended since the last Sync.
func (j *Journal) Unsafe() int64 { return j.size - j.safe }

// Segment is the number of the segment in use, and its size.
func (j *Journal) Segment() (number uint64, bytes int64) { return j.number, j.size }

// Stats answers the counts of now.
func (j *Journal) Stats() Stats { return j.stats }

// Cut begins a new segment. What was appended to the old one and is not lost is safe then.
func (j *Journal) Cut() error {
	if j.file != nil && !j.lost {
		if err := j.Sync(); err != nil {
			return err
		}
	}
	path := segmentPath(j.cfg.Dir, j.number+1)
	f, err := j.cfg.Create(path)
	if err != nil {
		j.stats.Failures++
		return fmt.Errorf("journal: new segment: %w", err)
	}
	head := appendHeader(nil, header{number: j.number + 1, lsn: j.sure, end: j.safe})
	if err := j.begin(f, head); err != nil {
		// What is on the device of the new segment may say where the old one ends.
		j.doubt = true
		j.stats.Failures++
		return fmt.Errorf("journal: new segment: %w", errors.Join(err, f.Close(), os.Remove(path)))
	}
	if j.file != nil {
		_ = j.file.Close() // all that counts of it is synced
	}
	fault.Point("journal.cut")
	j.file, j.number, j.doubt, j.lost = f, j.number+1, false, false
	j.kept = j.sure
	j.size, j.safe = int64(len(head)), int64(len(head))
	j.stats.Segments++
	return nil
}

// begin makes a segment of its header alone safe.
func (j *Journal) begin(f File, head []byte) error {
	if _, err := f.WriteAt(head, 0); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := clone.Sync(j.cfg.Dir); err != nil {
		return err
	}
	fault.DirSynced(j.cfg.Dir)
	return nil
}

// Drop removes the segments below number: what they hold is safe elsewhere.
func (j *Journal) Drop(below uint64) error {
	numbers, err := numbered.Numbers(j.cfg.Dir, suffix)
	if err != nil {
		return fmt.Errorf("journal: drop: %w", err)
	}
	var errs []error
	for _, n := range numbers {
		if n >= below || n >= j.number {
			break
		}
		fault.Point("journal.drop")
		if err := os.Remove(segmentPath(j.cfg.Dir, n)); err != nil {
			errs = append(errs, fmt.Errorf("journal: drop: %w", err))
			break // the order must stay without gaps
		}
		j.stats.Segments--
	}
	return errors.Join(errs...)
}

// Close syncs and closes. What is in doubt stays out.
func (j *Journal) Close() error {
	var err error
	if !j.lost {
		err = j.Sync()
	}
	return errors.Join(err, j.file.Close())
}

func createFile(path string) (File, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
}
