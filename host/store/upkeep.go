package store

import (
	"fmt"
	"time"

	"github.com/hpmq/hpmq/host/fault"
)

// tidy does what is due behind the answers.
func (d *Disk) tidy() {
	if d.full.Load() || d.phase.Load() == phaseFrozen {
		return // what the database says that it has may be nowhere
	}
	d.probe()
	for range d.asked.Load() {
		select {
		case job := <-d.jobs:
			d.asked.Add(-1)
			job()
		case <-d.stop:
		}
	}
	if !d.unsafe.IsZero() && time.Since(d.unsafe) >= d.cfg.Interval {
		if err := d.journal.Sync(); err != nil {
			d.trouble(d.lost(err))
		}
		d.unsafe = time.Time{}
	}
	if _, bytes := d.journal.Segment(); bytes >= d.cfg.SegmentBytes {
		d.rotate()
	}
	// Frozen comes before what it makes of a flush.
	if below := d.dropAt.Load(); below != 0 && d.copies == 0 && d.phase.Load() != phaseFrozen {
		d.dropAt.CompareAndSwap(below, 0)
		if err := d.journal.Drop(below); err != nil {
			d.trouble(err)
		}
	}
	d.makeRoom()
	d.sweep()
}

// rotate begins a new segment. When the database has brought its memory to the device the old ones
// go.
func (d *Disk) rotate() {
	if err := d.journal.Cut(); err != nil {
		d.trouble(err)
		return
	}
	d.unsafe = time.Time{}
	number, _ := d.journal.Segment()
	flushed, err := d.db.AsyncFlush()
	if err != nil {
		d.trouble(fmt.Errorf("store: flush: %w", err))
		return
	}
	fault.Point("store.flush")
	d.done.Add(1)
	go func() {
		defer d.done.Done()
		select {
		case <-flushed:
			fault.Point("store.flushed")
			d.dropAt.Store(number)
		case <-d.stop:
		}
	}()
}

// tick makes the committer look at the clock.
func (d *Disk) tick() {
	defer d.done.Done()
	t := time.NewTicker(d.cfg.Interval)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			d.flushNotes()
			d.line.poke()
		case <-d.stop:
			return
		}
	}
}
