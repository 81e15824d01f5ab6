package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/hpmq/hpmq/host/fault"
	"github.com/hpmq/hpmq/host/journal"
	"github.com/hpmq/hpmq/lite/broker"
)

// Disk keeps what kernels ask it to keep in a folder. It is safe for concurrent use; each kernel
// uses it by a DiskView. FORMAT.md draws what is in the folder.
//
// # How a write goes
//
// A kernel puts its batch in one line with those of all other kernels and goes on. One goroutine,
// the committer, takes all that waits, makes one batch of the database of it, appends that to the
// journal, syncs the journal once if anybody asked for it, puts the batch into the database's
// memory, and answers each kernel by one event. While the device syncs, the next group gathers. A
// read of a queue waits only for writes that concern it (early.go).
//
// The database has no log of its own: one that fails ends its process, and what is acknowledged
// must be refused instead. It brings its memory to the device in its own time; then the journal's
// old segments go. Each group carries its number in the journal, so that a start knows which
// records the database already has.
type Disk struct {
	cfg     DiskConfig
	db      *pebble.DB
	journal *journal.Journal
	line    *line
	desk    *desk
	jobs    chan func()  // for the committer, between two groups
	asked   atomic.Int32 // jobs that come
	stop    chan struct{}
	done    sync.WaitGroup

	// Of the committer.
	tx      tx
	boot    uint64
	payload uint64 // number of the last shared payload
	sharing map[uint32]int
	unsafe  time.Time // since when something in the journal is not safe, or zero
	swept   broker.Time
	marks   marks
	dropAt  atomic.Uint64 // segments below are in the database
	health  health
	copies  int // under way: old segments stay
	book    notebook
	settler func(n *Note, kept bool)
	settled uint64     // of notes, see notebook.kept
	owed    []*request // writes that nobody waits for, of a group that failed
	retry   time.Time  // when they are tried again

	beside   margin        // notes that belong to no loop
	versions atomic.Uint64 // of notes
	noRoom   atomic.Bool   // for notes on new keys

	full   atomic.Bool // the database waits for room on the device
	damage damage
	// squeezing: the database is made to give back what was removed.
	squeezing atomic.Bool
	phase     atomic.Int32
	sys       *Memory // what is below $SYS
	mu        sync.Mutex
	stats     DiskStats
	views     []*DiskView // only grows
}

// DiskStats counts what is kept and what was done.
type DiskStats struct {
	Retained      int64
	RetainedBytes int64
	// Writes were asked for, Commits are groups of them, Syncs those that waited for the device.
	Writes, Commits, Syncs, Refused, Reads uint64
	// Expired messages were removed from queues.
	Expired uint64
	// Failures are errors of the device.
	Failures     uint64
	JournalBytes uint64
	// FreeBytes of the file system as of the last look. LowSpace: too little for anything new.
	// Failing: the last write failed.
	FreeBytes int64
	LowSpace  bool
	Failing   bool
	// Damaged is how many files or records cannot be read, up to 100, DamagedFirst one of them.
	Damaged      int
	DamagedFirst string
}

// DiskReport says what OpenDisk found.
type DiskReport struct {
	Boot    uint64
	Journal journal.Report
	Took    time.Duration
}

// OpenDisk makes or opens the store in cfg.Dir. It blocks for as long as reading the journal takes.
// On a device without room it answers ErrSpace; what it read stays in the journal then.
func OpenDisk(cfg DiskConfig) (*Disk, DiskReport, error) {
	if err := cfg.Validate(); err != nil {
		return nil, DiskReport{}, err
	}
	cfg.underFaults()
	began := time.Now()
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, DiskReport{}, fmt.Errorf("store: open: %w", err)
	}
	d := &Disk{
		cfg: cfg, line: newLine(&cfg), desk: newDesk(), stop: make(chan struct{}),
		jobs:    make(chan func()),
		swept:   -sweepEvery, // at once
		sharing: make(map[uint32]int), marks: make(marks), book: newNotebook(), sys: newSys(),
	}
	d.damage = damage{phase: &d.phase, tell: d.trouble, places: map[string]struct{}{}}
	rep, err := d.open()
	if err == nil && !d.phase.CompareAndSwap(phaseOpening, phaseRunning) {
		err = ErrSpace
	}
	if err != nil {
		return nil, rep, errors.Join(d.explain(err), d.shut())
	}
	rep.Took = time.Since(began)
	d.done.Add(2 + cfg.Readers)
	go d.run()
	go d.tick()
	for range cfg.Readers {
		go d.serve()
	}
	return d, rep, nil
}

func (d *Disk) open() (rep DiskReport, err error) {
	cfg := d.cfg
	cfg.fs = vfs.OnDiskFull(freezer{cfg.fs, &d.phase}, d.block)
	if d.db, err = d.openDB(&cfg); err != nil {
		return rep, err
	}
	fault.Point("open.db")
	if err := readable(d.db, d.cfg.steps); err != nil {
		return rep, err
	}
	applied, err := d.number(metaApplied)
	if err != nil {
		return rep, err
	}
	jc := journal.Default()
	jc.Dir = filepath.Join(d.cfg.Dir, "journal")
	jc.Create = d.cfg.Create
	if d.cfg.Salvage {
		jc.Damaged = func(err error) { d.damage.note(err.Error(), err) }
	}
	d.journal, rep.Journal, err = journal.Open(jc, applied, d.replay)
	if err != nil {
		return rep, fmt.Errorf("store: open: %w", err)
	}
	fault.Point("open.replayed")
	// What the journal holds is of the version before a step, as the database is.
	if err := migrate(d.db, d.cfg.steps); err != nil {
		return rep, err
	}
	if err := d.count(); err != nil {
		return rep, err
	}
	rep.Boot = d.boot
	fault.Point("open.counted")
	return rep, d.save(true)
}

// flushesMax is how many flushes stand beside each other before they are merged with what is below.
// Queues of many sessions grow at once, so each flush spans all keys and each merge writes all
// anew: with 2, half of the CPU of a million messages was merging. A read looks into each.
const flushesMax = 8

// baseBytes is how large what the flushes are merged with may grow before parts of it go further
// down. Each merge writes all of it anew, and needs that much room beside it: with 64 MB on a small
// device a store of 20 MB filled what was reserved, and wrote it all for each 2 MB.
func (c *DiskConfig) baseBytes() int64 {
	return min(max(int64(c.MemTableBytes), 256<<10)*flushesMax, 64<<20)
}

// openDB opens the database. It keeps other processes out.
func (d *Disk) openDB(c *DiskConfig) (*pebble.DB, error) {
	cache := pebble.NewCache(c.CacheBytes)
	defer cache.Unref()
	o := &pebble.Options{
		Cache: cache, FS: c.fs, DisableWAL: true, Logger: quiet{c.Trouble},
		FormatMajorVersion: pebble.FormatColumnarBlocks, // chosen: see FORMAT.md
		MemTableSize:       c.MemTableBytes, MemTableStopWritesThreshold: c.MemTables,
		L0CompactionThreshold: flushesMax, L0StopWritesThreshold: 3 * flushesMax,
		LBaseMaxBytes: c.baseBytes(), MaxOpenFiles: c.FilesMax,
		// Without it the database ends the process.
		EventListener: &pebble.EventListener{DataCorruption: d.damage.found},
	}
	o.TargetFileSizes[0] = min(c.baseBytes()/flushesMax, 2<<20)
	db, err := pebble.Open(filepath.Join(c.Dir, "db"), o)
	if err != nil {
		return nil, fmt.Errorf("store: open: %w", err)
	}
	return db, nil
}

// quiet is the database's log: only what it cannot go on after is heard.
type quiet struct{ trouble func(error) }

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}

// Fatalf must not return: the database is in no state to go on. What was acknowledged is in the
// journal, and the next start brings it back.
func (q quiet) Fatalf(format string, args ...any) {
	err := fmt.Errorf("store: database: "+format, args...)
	if q.trouble != nil {
		q.trouble(err)
	}
	panic(err)
}

// replay brings a record of the journal to the database.
func (d *Disk) replay(_ uint64, body []byte) error {
	b := d.db.NewBatch()
	if err := b.SetRepr(append([]byte(nil), body...)); err != nil {
		return err
	}
	if err := b.Commit(pebble.NoSync); err != nil {
		return err
	}
	fault.Point("open.replay")
	return b.Close()
}

// count reads what must be known to go on, and begins a new boot.
func (d *Disk) count() error {
	boot, err := d.number(metaBoot)
	if err != nil {
		return err
	}
	d.boot = boot + 1
	d.payload = d.boot << 40
	if v, ok, err := d.get(metaKey(metaRetained)); err != nil {
		return err
	} else if ok && len(v) == 16 {
		d.stats.Retained = int64(binary.BigEndian.Uint64(v))
		d.stats.RetainedBytes = int64(binary.BigEndian.Uint64(v[8:]))
	}
	d.tx.begin(d)
	d.tx.set(metaKey(metaBoot), binary.BigEndian.AppendUint64(nil, d.boot))
	if err := d.dropSys(); err != nil {
		return err
	}
	from := []byte{kindSharing}
	return d.eachLeft(from, after(from), func(key, _ []byte) error {
		if len(key) == 13 {
			d.sharing[binary.BigEndian.Uint32(key[1:])]++
		}
		return nil
	}, onward)
}

// number reads a meta record that is a number, 0 if it is not there.
func (d *Disk) number(name string) (uint64, error) {
	v, ok, err := d.get(metaKey(name))
	if err != nil || !ok {
		return 0, err
	}
	if len(v) != 8 {
		return 0, fmt.Errorf("%w: meta %s", errRecord, name)
	}
	return binary.BigEndian.Uint64(v), nil
}

// errEnough ends a walk that has what it wants.
var errEnough = errors.New("store: enough")

// Retained is how many messages are retained, with those below $SYS.
func (d *Disk) Retained() int { return int(d.Stats().Retained) + d.sys.Stats().Retained }

// Boot grows with each start over the same folder.
func (d *Disk) Boot() uint64 { return d.boot }

// Stats answers the counts of now.
func (d *Disk) Stats() DiskStats {
	n, first := d.damage.known()
	d.mu.Lock()
	defer d.mu.Unlock()
	st := d.stats
	st.Damaged, st.DamagedFirst = n, first
	return st
}

// Close commits what waits, brings it to the database, and closes. It blocks for as long as that
// takes; while the device has no room for the database it leaves that to the next start, which
// brings it back from the journal. The loops of all views must have ended.
func (d *Disk) Close() error {
	d.flushAll()
	d.line.close()
	close(d.stop)
	d.desk.close()
	d.done.Wait()
	fault.Point("close.drained")
	err := d.db.Flush()
	fault.Point("close.flushed")
	if d.phase.Load() == phaseFrozen {
		err = ErrSpace
	}
	return errors.Join(err, d.shut())
}

func (d *Disk) shut() error {
	var errs []error
	if d.journal != nil {
		errs = append(errs, d.journal.Close())
	}
	fault.Point("close.journal")
	if d.db != nil {
		errs = append(errs, d.db.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("store: close: %w", err)
	}
	return nil
}
