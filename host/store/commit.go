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
			sync = sync || r.token != 0 && !r.batch.Relaxed
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

// refuse keeps r out of the group, with all that is to be kept together with it.
func (d *Disk) refuse(r *request, items []*request, err error) {
	if !pebble.IsCorruptionError(err) { // the database has told of that
		d.damage.note(err.Error(), err)
	}
	for _, o := range items {
		if g := r.batch.Group; o == r || g != 0 && o.batch.Group == g {
			o.refused = fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
}

// roomy says whether there is room for notes on new keys.
func (d *Disk) roomy() { d.noRoom.Store(d.tight() || d.book.bytes > d.cfg.PendingBytesMax) }

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
		if r.read || r.token != 0 || r.batch.Group != 0 || errors.Is(r.refused, ErrDamaged) {
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

// admit refuses a write that goes beyond a limit. Of a group it decides when the first part comes.
func (d *Disk) admit(r *request, items []*request) {
	g := r.batch.Group
	switch {
	case g == 0 && (r.token == 0 || r.judged) || r.refused != nil:
	case g == 0:
		r.judged = true
		r.refused = d.may(r, items)
	default:
		if _, done := d.tx.judged[g]; done {
			return
		}
		d.tx.judged[g] = struct{}{}
		whole := group{}
		for _, o := range items {
			if o.batch.Group == g {
				o.refused = d.may(o, items)
				whole.parts = append(whole.parts, o)
			}
		}
		whole.agree()
	}
}

// fitAll says why b may not be kept.
func (d *Disk) fitAll(b *broker.Batch) error {
	for i := range b.Ops {
		if err := d.fits(&b.Ops[i], true); err != nil {
			return err
		}
	}
	return nil
}

// fits says why op may not be kept; waited says that somebody waits for it.
func (d *Disk) fits(op *broker.Op, waited bool) error {
	switch op.Kind {
	case broker.OpRetain:
		if err := d.tx.fits(op); err != nil {
			return err
		}
	case broker.OpPutSession:
		if d.tight() {
			return d.fitsSession(op, waited)
		}
		return nil
	case broker.OpPush:
	default:
		return nil
	}
	if d.tight() {
		return ErrSpace
	}
	return nil
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

// tidy does what is due behind the answers.
func (d *Disk) tidy() {
	if d.full.Load() || d.phase.Load() == phaseFrozen {
		return // what the database says that it has may be nowhere
	}
	d.probe()
	select {
	case job := <-d.jobs:
		job()
	default:
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

func (d *Disk) trouble(err error) {
	d.mu.Lock()
	d.stats.Failures++
	d.mu.Unlock()
	if d.cfg.Trouble != nil {
		d.cfg.Trouble(err)
	}
}
