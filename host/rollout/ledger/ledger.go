// Package ledger knows how the records of changes of links are kept in files so that they outlive
// the process. It does not know what a record says.
//
// The files are a journal of host/journal: each record has its length and a CRC-32C, what a crash
// broke off at the end is cut, and what was safe and is damaged is told. Compaction writes one
// record that stands for all others as the first of a new file, makes it safe, then removes the
// files before it. A crash in between leaves both, and who reads them in order comes to the same.
//
// Beside the journal 256 KiB are kept back for what Insist writes on a full device.
package ledger

import (
	"errors"
	"fmt"
	"os"

	"github.com/hpmq/hpmq/host/journal"
)

// Config of a ledger.
type Config struct {
	// Dir is the folder of the files; it is made with mode 0700. Records hold what guests are
	// configured with.
	Dir string
	// RecordBytesMax bounds one record, the one that stands for all others among them.
	RecordBytesMax int
	// Damaged, if it is there, makes Open go on behind damage: it hears of each place. Without it
	// Open fails with journal.ErrCorrupt.
	Damaged func(err error)
	// Create is for tests, see journal.Config. The room that is kept back is made by it, too.
	Create func(path string) (journal.File, error)
}

// Default has room for more than a machine of host/rollout keeps. Set Dir.
func Default() Config { return Config{RecordBytesMax: 256 << 20} }

// Ledger is an open ledger. One goroutine uses it.
type Ledger struct {
	journal *journal.Journal
	reserve reserve
	records [][]byte // until Load
	report  journal.Report
	damaged func(error) // may be nil
	missing error       // unless a record follows that stands for all others
	buf     []byte
}

// The first byte of what the journal has for a record.
const (
	kindRecord byte = 'r' // what follows is behind all others
	kindWhole  byte = 'w' // what follows stands for all others
)

// errLoaded is a bug of the caller.
var errLoaded = errors.New("ledger: load: what was kept was handed out already")

// Open reads what is kept. It blocks for as long as reading takes.
func Open(cfg Config) (*Ledger, error) {
	l := &Ledger{records: [][]byte{}, damaged: cfg.Damaged}
	j, report, err := journal.Open(journal.Config{
		Dir: cfg.Dir, RecordBytesMax: cfg.RecordBytesMax, Damaged: cfg.Damaged, Create: cfg.Create,
		Tail: true,
	}, 0, l.read)
	if err != nil {
		return nil, fmt.Errorf("ledger: open %s: %w", cfg.Dir, err)
	}
	l.journal, l.report = j, report
	l.reserve = reserve{dir: cfg.Dir, create: cfg.Create}
	if cfg.Create == nil {
		l.reserve.create = func(path string) (journal.File, error) {
			return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		}
	}
	if l.missing != nil {
		if err := l.damage(l.missing); err != nil {
			return nil, fmt.Errorf("ledger: open %s: %w", cfg.Dir, errors.Join(err, j.Close()))
		}
	}
	l.reserve.lay()
	return l, nil
}

// read takes a record of the journal. The first of all has number 1, or stands for those before it.
func (l *Ledger) read(lsn uint64, body []byte) error {
	switch {
	case len(body) > 0 && body[0] == kindWhole:
		l.records, l.missing = l.records[:0], nil
	case len(body) == 0 || body[0] != kindRecord:
		return l.damage(fmt.Errorf("%w: record %d is of no kind", journal.ErrCorrupt, lsn))
	case len(l.records) == 0 && lsn != 1:
		l.missing = fmt.Errorf("%w: what was before record %d is missing", journal.ErrCorrupt, lsn)
	}
	l.records = append(l.records, append([]byte(nil), body[1:]...))
	return nil
}

func (l *Ledger) damage(err error) error {
	if l.damaged == nil {
		return err
	}
	l.damaged(err)
	return nil
}

// CutBytes is how much was cut off at the end: of a record that a crash broke off.
func (l *Ledger) CutBytes() int64 { return l.report.CutBytes }

// Load hands out what was kept, in order, once. Records are borrowed.
func (l *Ledger) Load(each func(record []byte) error) error {
	if l.records == nil {
		return errLoaded
	}
	for _, r := range l.records {
		if err := each(r); err != nil {
			return fmt.Errorf("ledger: load: %w", err)
		}
	}
	l.records = nil
	return nil
}

// Append writes a record behind all others; it is safe on the device when it returns. On an error
// it does not exist, and never will.
func (l *Ledger) Append(record []byte) error {
	err := l.append(kindRecord, record)
	if err == nil {
		l.reserve.lay()
	}
	return err
}

// Insist is Append of what is so already: a full device has room for it, as long as what is kept
// back for that lasts. It is laid anew by the next Append or Compact that finds room.
func (l *Ledger) Insist(record []byte) error {
	err := l.append(kindRecord, record)
	for noRoom(err) && l.reserve.give() {
		err = l.append(kindRecord, record)
	}
	return err
}

func (l *Ledger) append(kind byte, record []byte) error {
	l.buf = append(append(l.buf[:0], kind), record...)
	if _, err := l.journal.Append(l.buf); err != nil {
		return fmt.Errorf("ledger: append: %w", err)
	}
	if err := l.journal.Sync(); err != nil {
		return fmt.Errorf("ledger: append: %w", err)
	}
	return nil
}

// Compact puts record in the place of all others. On an error they are all still there, before the
// record or without it.
func (l *Ledger) Compact(record []byte) error {
	if err := l.journal.Cut(); err != nil {
		return fmt.Errorf("ledger: compact: %w", err)
	}
	if err := l.append(kindWhole, record); err != nil {
		return err
	}
	first, _ := l.journal.Segment()
	if err := l.journal.Drop(first); err != nil {
		return fmt.Errorf("ledger: compact: %w", err)
	}
	l.reserve.lay()
	return nil
}

// Close closes the files.
func (l *Ledger) Close() error { return l.journal.Close() }
