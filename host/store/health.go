package store

import (
	"context"
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
//     What removed messages took is given back meanwhile.
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
	wrote   int64     // bytes since then
	free    int64
	made    time.Time // when room was made last
	low     bool      // too little is free
	out     bool      // the journal had no room
	failing bool      // the last write failed
	probed  time.Time // when a failing device was tried
}

// tight is true when nothing new may be kept.
func (d *Disk) tight() bool { return d.health.low || d.health.out || d.full.Load() }

// look finds out about the free space, before items are written: now and then, and whenever so much
// was written that it may be another.
func (d *Disk) look(items []*request) {
	h := &d.health
	coming := int64(0)
	for _, r := range items {
		coming += r.bytes
	}
	h.wrote += coming
	now := time.Now()
	if now.Sub(h.checked) >= spaceEvery || h.wrote >= d.cfg.FreeBytesMin/16 && h.wrote > 0 {
		h.checked, h.wrote = now, coming
		d.measure(coming)
		d.roomy()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stats.LowSpace, d.stats.Failing, d.stats.FreeBytes = d.tight(), h.failing, h.free
}

// measure judges what will be free behind what is coming.
func (d *Disk) measure(coming int64) {
	h := &d.health
	free, err := d.cfg.Space(d.cfg.Dir)
	if err != nil {
		d.trouble(fmt.Errorf("store: free space: %w", err))
		return
	}
	h.free = free
	free -= coming
	least := d.cfg.FreeBytesMin
	switch {
	case !h.low && free < least:
		h.low = true
		d.trouble(fmt.Errorf("%w: %d bytes are free, %d must be", ErrSpace, free, least))
	case h.low && free >= least+least/4:
		h.low = false
	}
}

// makeRoom brings what was removed to the device when there is too little room: else a store that
// filled up and was drained would stay full until it had written as much again. It runs beside the
// committer.
func (d *Disk) makeRoom() {
	h := &d.health
	if !h.low || h.failing || time.Since(h.made) < d.cfg.roomEvery ||
		!d.squeezing.CompareAndSwap(false, true) {
		return
	}
	h.made = time.Now()
	d.rotate()
	d.done.Add(1)
	go func() {
		defer d.done.Done()
		defer d.squeezing.Store(false)
		if err := d.squeeze(); err != nil && !errors.Is(err, context.Canceled) {
			d.trouble(fmt.Errorf("store: make room: %w", err))
		}
	}()
}

// squeeze has the database write anew what it holds if that is much less than what it takes.
func (d *Disk) squeeze() error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-d.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	flushed, err := d.db.AsyncFlush()
	if err != nil {
		return err
	}
	select {
	case <-flushed:
	case <-ctx.Done():
		return ctx.Err()
	}
	garbage := d.db.Metrics().Table.Garbage
	if gain := garbage.PointDeletionsBytesEstimate + garbage.RangeDeletionsBytesEstimate; gain <
		uint64(d.cfg.FreeBytesMin/4) {
		return nil
	}
	return d.db.Compact(ctx, []byte{0}, []byte{0xFF}, false)
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
	least := min(d.cfg.FreeBytesMin, int64(d.cfg.MemTableBytes))
	before, _ := d.cfg.Space(d.cfg.Dir)
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
		if err == nil && (free > before && free >= least || free > d.cfg.FreeBytesMin) {
			return // room for what waits, if not for what is new
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
