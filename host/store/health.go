package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/hpmq/hpmq/host/journal"
	"github.com/hpmq/hpmq/lite/broker"
)

// What a device without room does to a store:
//
//   - less is free than FreeBytesMin: what is new is refused, what makes room goes on, until a
//     quarter more than that is free. So it does not change with every file that comes and goes.
//   - the device refuses a write of the journal: it is tried again every second, and what is new is
//     refused until it works.
//   - it refuses a write of the database: that waits, for the database cannot go on without it. So
//     that nobody waits with it, all writes are refused meanwhile.
//
// Reads go on. Nothing has to be started again when there is room.

const (
	spaceEvery = time.Second
	probeEvery = time.Second
	blockEvery = 100 * time.Millisecond
)

// health is what is wrong with the device. It belongs to the committer.
type health struct {
	checked time.Time // when the free space was looked at
	free    int64
	low     bool      // too little is free
	out     bool      // the journal had no room
	failing bool      // the last write failed
	probed  time.Time // when a failing device was tried
}

// tight is true when nothing new may be kept.
func (d *Disk) tight() bool { return d.health.low || d.health.out || d.full.Load() }

// look finds out about the free space, now and then.
func (d *Disk) look() {
	h := &d.health
	now := time.Now()
	if now.Sub(h.checked) >= spaceEvery {
		h.checked = now
		d.measure()
		d.roomy()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stats.LowSpace, d.stats.Failing, d.stats.FreeBytes = d.tight(), h.failing, h.free
}

func (d *Disk) measure() {
	h := &d.health
	free, err := d.cfg.Space(d.cfg.Dir)
	if err != nil {
		d.trouble(fmt.Errorf("store: free space: %w", err))
		return
	}
	h.free = free
	least := d.cfg.FreeBytesMin
	switch {
	case !h.low && free < least:
		h.low = true
		d.trouble(fmt.Errorf("%w: %d bytes are free, %d must be", ErrSpace, free, least))
	case h.low && free >= least+least/4:
		h.low = false
	}
}

// result takes note of what came of a write. Of a device that goes on to fail it is told once.
func (d *Disk) result(err error) {
	h := &d.health
	switch {
	case err == nil:
		h.failing, h.out = false, false
		return
	case h.failing:
		d.mu.Lock()
		d.stats.Failures++
		d.mu.Unlock()
	default:
		d.trouble(err)
	}
	h.failing, h.out = true, errors.Is(err, syscall.ENOSPC)
	h.probed = time.Now()
}

// probe writes nothing to a device that failed, to see if it works again.
func (d *Disk) probe() {
	if h := &d.health; !h.failing || time.Since(h.probed) < probeEvery || d.full.Load() {
		return
	}
	d.tx.begin(d)
	d.result(d.save(true))
}

// block is called by the database when the device has no room: it ends when there may be some. All
// writing of the database stands still so long. A store that is being opened or closed does not
// wait: it writes nothing more, and the next start has it from the journal.
func (d *Disk) block() {
	if d.phase.CompareAndSwap(phaseOpening, phaseFrozen) || d.phase.Load() == phaseFrozen {
		return
	}
	d.full.Store(true)
	defer d.full.Store(false)
	t := time.NewTicker(blockEvery)
	defer t.Stop()
	for {
		select {
		case <-d.stop:
			d.phase.Store(phaseFrozen)
			return
		case <-t.C:
		}
		free, err := d.cfg.Space(d.cfg.Dir)
		if err == nil && free > 0 && free >= d.cfg.FreeBytesMin {
			return
		}
	}
}

// explain says of a device without room, and of what is damaged, what to do about it.
func (d *Disk) explain(err error) error {
	if errors.Is(err, journal.ErrCorrupt) || pebble.IsCorruptionError(err) {
		return fmt.Errorf("%w: %w; put a backup in its place with hpmq-cli store restore, or save "+
			"what can be read with hpmq-cli store export --skip-damaged", ErrDamaged, err)
	}
	if !errors.Is(err, ErrSpace) && !errors.Is(err, syscall.ENOSPC) &&
		d.phase.Load() != phaseFrozen {
		return err
	}
	// What the journal holds goes to the database, twice while that is tidied.
	need := int64(d.cfg.MemTableBytes)
	files, _ := filepath.Glob(filepath.Join(d.cfg.Dir, "journal", "*"))
	for _, path := range files {
		if info, err := os.Stat(path); err == nil {
			need += 2 * info.Size()
		}
	}
	if free, err := d.cfg.Space(d.cfg.Dir); err == nil {
		need = max(need-free, int64(d.cfg.MemTableBytes))
	}
	what := fmt.Errorf("%w: free %d bytes in %s, or give the store more room", ErrSpace, need,
		d.cfg.Dir)
	if errors.Is(err, ErrSpace) {
		return what
	}
	return fmt.Errorf("%w: %w", what, err)
}

// fitsSession says if the state of a session may be kept while the device has no room: one that is
// there may, if nobody waits for it or it does not grow.
func (d *Disk) fitsSession(op *broker.Op, waited bool) error {
	v, ok, err := d.get(sessionKey(nil, op.Num))
	switch {
	case err != nil:
		return err
	case !ok:
		return ErrSpace
	case waited:
		_, state, err := readSession(v)
		if err == nil && len(op.Value) > len(state) {
			err = ErrSpace
		}
		return err
	}
	return nil
}
