package store

import (
	"errors"
	"fmt"
)

// ErrRests is the refusal of what was judged by something that is refused itself.
var ErrRests = errors.New("store: it was judged by what is not kept")

// Fate is what becomes of the notes that were made while a PUBLISH was judged: they are kept with
// the write of the PUBLISH, or they are taken back, and Disk.Settle says which. Otherwise what a
// deduplicator noted of a message that was refused would make a repeat of the message when it is
// sent again.
//
// What another PUBLISH saw of such a note before its fate was known is told by DiskView.Saw. That
// PUBLISH is refused too if the note is taken back: it may have been taken for a repeat of what is
// not there, and its client sends it again.
type Fate struct {
	request *request // that takes the notes along, nil if they are kept without
	// here says that the request is in the line, or not to come. waits is how many requests there
	// wait for it. Both belong to the line.
	here  bool
	waits int
}

// judging is what is noted of the PUBLISH that is judged. It belongs to a margin.
type judging struct {
	on   bool
	fate *Fate
	open []Note
	saw  []*Fate
}

func (j *judging) add(d *Disk, n *Note) *Fate {
	if j.fate == nil {
		j.fate = &Fate{}
	}
	j.open = append(j.open, *n)
	j.open[len(j.open)-1].version = d.versions.Add(1)
	return j.fate
}

// pass gives r all of it.
func (j *judging) pass(r *request) {
	r.open, r.fate, r.saw = j.open, j.fate, j.saw
	if r.fate != nil {
		r.fate.request = r
	}
	*j = judging{}
}

// Judging begins and ends the judging of a PUBLISH that will be acknowledged, on the loop of v.
// What is noted in between goes with the first write that is waited for; without one it stays.
func (v *DiskView) Judging(on bool) {
	for _, n := range v.margin.judge(v.disk, on) {
		v.disk.settler(&n, true)
	}
}

// judge answers the notes that stay.
func (m *margin) judge(d *Disk, on bool) (stay []Note) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fate != nil {
		stay = m.open
		m.notes = append(m.notes, stay...)
		d.line.arrive(m.fate)
	}
	m.judging = judging{on: on}
	return stay
}

// Saw says that the PUBLISH that is judged on the loop of v may have been judged by a note of that
// fate.
func (v *DiskView) Saw(f *Fate) {
	m := &v.margin
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.on || f == m.fate || len(m.saw) > 0 && m.saw[len(m.saw)-1] == f {
		return
	}
	m.saw = append(m.saw, f)
}

// Settle makes settler the one who is told what became of each note that had a Fate. It is called
// before the kernels hear of it, on the goroutine of the committer or of a loop; it must not wait.
// What it notes itself must belong to no write. It must be set before the first such note.
func (d *Disk) Settle(settler func(n *Note, kept bool)) { d.settler = settler }

// arrive says that nothing needs to wait for f.
func (l *line) arrive(f *Fate) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.arriveLocked(f)
	if l.wholeLocked() {
		l.more.Signal()
	}
}

func (l *line) arriveLocked(f *Fate) {
	if f != nil {
		f.here = true
		l.short -= f.waits
	}
}

// may says why r may not be kept. What it rests on is in items, or was settled before.
func (d *Disk) may(r *request, items []*request) error {
	if err := d.fitAll(&r.batch); err != nil {
		return err
	}
	for _, f := range r.saw {
		on := f.request
		if on == nil {
			continue
		}
		d.admit(on, items)
		if on.refused != nil {
			return fmt.Errorf("%w: %w", ErrRests, on.refused)
		}
	}
	return nil
}

// settle tells what became of the open notes of items. Requests are cut from what they rest on, for
// that may rest on something in its turn.
func (d *Disk) settle(items []*request, err error) {
	for _, r := range items {
		for i := range r.open {
			if r.told != nil {
				break // who made them waits here
			}
			d.settler(&r.open[i], err == nil && r.refused == nil)
		}
		r.open, r.saw = nil, nil
	}
}

// trial is what a note replaced in a notebook.
type trial struct {
	id      noteID
	version uint64 // of the note
	seen    uint64 // before, 0 for none
	owed    Note
	was     bool // owed
}

// try is take for notes that are taken back if the write fails. They are of single keys.
func (b *notebook) try(list []Note) {
	for i := range list {
		n := &list[i]
		t := trial{id: n.id(), version: n.version, seen: b.seen[n.id()]}
		if t.version <= t.seen {
			continue
		}
		t.owed, t.was = b.owed[t.id]
		b.tried = append(b.tried, t)
		b.take(list[i : i+1])
	}
}

// back undoes what was tried, but for what was replaced since.
func (b *notebook) back() {
	for i := len(b.tried) - 1; i >= 0; i-- {
		t := &b.tried[i]
		if b.seen[t.id] != t.version {
			continue
		}
		if now, ok := b.owed[t.id]; ok {
			b.bytes -= now.bytes()
			delete(b.owed, t.id)
		}
		if t.was {
			b.owed[t.id] = t.owed
			b.bytes += t.owed.bytes()
		}
		if b.seen[t.id] = t.seen; t.seen == 0 {
			delete(b.seen, t.id)
		}
	}
	clear(b.tried)
	b.tried = b.tried[:0]
}
