package store

import (
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/hpmq/hpmq/host/fault"
	"github.com/hpmq/hpmq/lite/broker"
)

// run is the committer.
func (d *Disk) run() {
	defer d.done.Done()
	var items []*request
	for {
		var ok bool
		settled := d.passed()
		items, ok = d.line.take(items[:0])
		if !ok {
			return
		}
		d.look(items)
		if !d.line.drained() {
			settled = 0
		}
		if d.settled = settled; len(items) > 0 || d.owing() && time.Now().After(d.retry) {
			d.commit(d.collect(items))
		}
		d.line.done(len(d.owed) > 0)
		d.tidy()
	}
}

// owing is true if something must be tried again.
func (d *Disk) owing() bool { return len(d.owed) > 0 || len(d.book.owed) > 0 }

// commit brings the writes of items to the device, and answers all.
func (d *Disk) commit(items []*request) {
	sync, writes := d.stageAll(items)
	wrong := fault.Wrong("store.early")
	if wrong {
		d.tell(items, nil)
	}
	var err error
	if writes > 0 || len(d.book.owed) > 0 && time.Now().After(d.retry) {
		d.book.stage(&d.tx)
		fault.Point("store.staged")
		if err = d.trySave(sync); err == nil {
			d.book.kept(d.settled)
		} else {
			d.book.back()
		}
		if !errors.Is(err, ErrSpace) {
			d.result(err)
		}
	}
	d.roomy()
	d.owe(items, err)
	d.settle(items, err)
	if !wrong {
		d.tell(items, err)
	}
	fault.Point("store.told")
}

// stageAll stages items. One that meets what is damaged is refused alone: the others are staged
// anew without it, and what it noted is taken back.
func (d *Disk) stageAll(items []*request) (sync bool, writes int) {
	var asked []*request // reads that are given their place here
	for _, r := range items {
		if r.read && r.query.AsOf == 0 {
			asked = append(asked, r)
		}
	}
	for {
		d.tx.begin(d)
		bad := false
		if sync, writes, bad = d.stageSome(items); !bad {
			return sync, writes
		}
		d.tx.end()
		d.book.back()
		for _, r := range asked {
			r.query.AsOf = 0
		}
		for _, r := range items {
			r.judged = false // what it rests on may be what is refused
		}
	}
}

// stageSome stages items up to one that cannot be, which it refuses: then bad is true.
func (d *Disk) stageSome(items []*request) (sync bool, writes int, bad bool) {
	for _, r := range items {
		if r.read {
			r.asOf(&d.tx)
			continue
		}
		writes++
		d.book.take(r.notes)
		r.notes = nil
		d.admit(r, items)
		if r.refused == nil {
			d.stage(r)
			sync = sync || r.token != 0 && !r.batch.Relaxed || r.told != nil && len(r.open) > 0
		}
		if d.tx.err != nil {
			d.refuse(r, items, d.tx.err)
			return false, 0, true
		}
		if r.refused == nil {
			d.book.try(r.open)
		}
	}
	return sync, writes, false
}

// trySave is save, but for a database that waits for room.
func (d *Disk) trySave(sync bool) error {
	if d.full.Load() {
		d.tx.end()
		return fmt.Errorf("%w: the database waits", ErrSpace)
	}
	return d.save(sync)
}

// collect puts what is owed before items.
func (d *Disk) collect(items []*request) []*request {
	if len(d.owed) == 0 {
		return items
	}
	for _, r := range d.owed {
		r.refused = nil
	}
	items = append(d.owed, items...)
	d.owed = nil
	return items
}

// owe keeps what nobody waits for when the device fails: it is tried again, before what follows.
// Beyond a limit it is given up, and the next start knows less: messages come again that were
// acknowledged by their receivers.
func (d *Disk) owe(items []*request, err error) {
	if err == nil {
		return
	}
	d.retry = time.Now().Add(time.Second)
	bytes := int64(0)
	for _, r := range items {
		if r.read || r.token != 0 || r.told != nil || r.batch.Group != 0 ||
			errors.Is(r.refused, ErrDamaged) {
			continue
		}
		if bytes += r.bytes; bytes > d.cfg.PendingBytesMax {
			d.trouble(fmt.Errorf("%w: writes that nobody waits for are given up", ErrBusy))
			return
		}
		d.owed = append(d.owed, r)
	}
}

// stage puts the ops of r into the batch. Where nobody waits nobody hears of a refusal: what does
// not fit is left out, the rest is kept.
func (d *Disk) stage(r *request) {
	t := &d.tx
	t.share(r.batch.Ops)
	for i := range r.batch.Ops {
		op := &r.batch.Ops[i]
		if r.token != 0 || r.batch.Group != 0 || d.fits(op, false) == nil {
			t.apply(op)
		}
	}
}

// save appends what is staged to the journal, makes it safe if it must be, and puts it into the
// database. On an error nothing of it is kept.
func (d *Disk) save(sync bool) error {
	defer d.tx.end()
	if err := d.tx.seal(d.journal.Next()); err != nil {
		return err
	}
	if _, err := d.journal.Append(d.tx.batch.Repr()); err != nil {
		return err
	}
	if sync {
		if err := d.journal.Sync(); err != nil {
			return d.lost(err)
		}
		d.unsafe = time.Time{}
	} else if d.unsafe.IsZero() {
		d.unsafe = time.Now()
	}
	if err := d.db.Apply(d.tx.batch, pebble.NoSync); err != nil {
		return fmt.Errorf("store: apply: %w", err)
	}
	fault.Point("store.applied")
	d.tx.keep()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stats.Commits++
	d.stats.JournalBytes = d.journal.Stats().Bytes
	if sync {
		d.stats.Syncs++
	}
	return nil
}

// lost is called after a failed sync: what was relaxed before it may be gone from the journal, but
// not from the database's memory, which goes to the device instead.
func (d *Disk) lost(err error) error {
	if !d.unsafe.IsZero() {
		if _, ferr := d.db.AsyncFlush(); ferr != nil {
			d.trouble(ferr)
		}
		d.unsafe = time.Time{}
	}
	return err
}

// tell answers writes by one event for each kernel, and gives reads to those who read.
func (d *Disk) tell(items []*request, err error) {
	answers := make(map[*DiskView][]answer)
	var reads []*request
	refused := 0
	for _, r := range items {
		if r.read {
			reads = append(reads, r)
			continue
		}
		if r.refused == nil {
			r.refused = err
		}
		if r.refused != nil {
			refused++
		}
		if r.told != nil {
			r.told <- r.refused
		}
		if r.token != 0 {
			answers[r.view] = append(answers[r.view], answer{r.token, r.refused})
		}
	}
	d.mu.Lock()
	d.stats.Writes += uint64(len(items) - len(reads))
	d.stats.Reads += uint64(len(reads))
	d.stats.Refused += uint64(refused)
	d.mu.Unlock()
	for v, list := range answers {
		v.written(list)
	}
	d.desk.put(reads)
}

// answer is what a kernel is told of one write.
type answer struct {
	token broker.Token
	err   error
}

func (d *Disk) trouble(err error) {
	d.mu.Lock()
	d.stats.Failures++
	d.mu.Unlock()
	if d.cfg.Trouble != nil {
		d.cfg.Trouble(err)
	}
}
