package rollout

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// book is what the records of a ledger come to. It is changed by apply alone, so that what the
// machine knows is what it will know after a crash.
type book struct {
	cfg   Config
	seq   uint64 // of the last record
	floor uint64 // events up to here are not all kept
	// changes are by id, order the ids as they were asked for.
	changes map[string]*Change
	order   []string
	links   map[string]Linked
	// before is by listener what its roles had before their last change; nil for a role that was
	// as the configuration has it.
	before     map[string]Linked
	quarantine []Quarantined // the oldest first
	tested     []string      // the same
	dealt      []string      // the same, each once
}

func newBook(cfg Config) *book {
	return &book{cfg: cfg, changes: map[string]*Change{}, links: map[string]Linked{},
		before: map[string]Linked{}}
}

// apply adds a record. An error says what of it makes no sense; the rest counts.
func (b *book) apply(r *record) error {
	if r.Book != nil {
		b.restore(r)
		return nil
	}
	if r.Seq <= b.seq {
		return fmt.Errorf("record %d comes after record %d", r.Seq, b.seq)
	}
	b.seq = r.Seq
	var err error
	switch {
	case r.New != nil:
		err = b.begin(r)
	case r.State != "":
		err = b.move(r)
	}
	if err != nil {
		return err
	}
	for _, l := range r.Links {
		set(b.links, l)
		delete(b.before, l.Listener)
	}
	for _, l := range r.Before {
		set(b.before, l)
	}
	if r.Undone != nil {
		b.undo(*r.Undone)
	}
	for _, digest := range r.Pardon {
		b.pardon(digest)
	}
	for _, q := range r.Quarantine {
		b.pardon(q.Digest)
		b.quarantine = append(b.quarantine, q)
	}
	b.quarantine = newest(b.quarantine, b.cfg.QuarantineMax)
	b.tested = newest(append(b.tested, r.Tested...), b.cfg.TestedMax)
	for _, name := range r.Dealt {
		b.dealt = slices.DeleteFunc(b.dealt, func(had string) bool { return had == name })
		b.dealt = append(b.dealt, name)
	}
	b.dealt = newest(b.dealt, b.cfg.DealtMax)
	return nil
}

// set keeps l in the place of what there was for its listener.
func set(links map[string]Linked, l Linked) {
	if len(l.Chains) == 0 {
		delete(links, l.Listener)
		return
	}
	links[l.Listener] = l
}

// undoing is u with the change that it is about, if that is known. Who undoes twice goes forth.
func (b *book) undoing(u Undone) Undone {
	if c := b.lastAt(u.Listener, u.Role); c != nil {
		u.Change, u.Forth = c.ID, c.isUndone(u.Listener, u.Role)
	}
	return u
}

// undo notes with a change that it was undone somewhere, or is not any more.
func (b *book) undo(u Undone) {
	c := b.changes[u.Change]
	if c == nil {
		return
	}
	c.Undone = slices.DeleteFunc(c.Undone, func(had Undone) bool {
		return had.isAt(u.Listener, u.Role)
	})
	if u.Change = ""; !u.Forth {
		c.Undone = append(c.Undone, u)
	}
}

// lastAt is the last change of a role of a listener that is done, of any role if that is empty; nil
// if that is not known. An undo is none, though it may be a change.
func (b *book) lastAt(listener, role string) *Change {
	for _, id := range slices.Backward(b.order) {
		c := b.changes[id]
		if c.State == Done && !c.Undo && c.isAt(listener, role) {
			return c
		}
	}
	return nil
}

// isAt says whether c is of that role of that listener, or of any role if that is empty.
func (c *Change) isAt(listener, role string) bool {
	return slices.ContainsFunc(c.Places, func(p ChangePlace) bool {
		return p.Listener == listener && (role == "" || p.Role == role)
	})
}

func newest[T any](list []T, most int) []T {
	return slices.Delete(list, 0, max(0, len(list)-most))
}

func (b *book) pardon(digest string) {
	b.quarantine = slices.DeleteFunc(b.quarantine, func(q Quarantined) bool {
		return q.Digest == digest
	})
}

func (b *book) begin(r *record) error {
	if r.New.ID == "" || b.changes[r.New.ID] != nil {
		return fmt.Errorf("record %d begins change %q again", r.Seq, r.New.ID)
	}
	c := r.New.clone()
	c.State = Requested
	c.Marks = []Mark{{Seq: r.Seq, At: r.At, State: Requested}}
	b.changes[c.ID] = c
	b.order = append(b.order, c.ID)
	return nil
}

func (b *book) move(r *record) error {
	c := b.changes[r.Change]
	if c == nil {
		return fmt.Errorf("record %d is of change %q, which is not known", r.Seq, r.Change)
	}
	if !r.State.follows(c.State) {
		return fmt.Errorf("record %d brings change %s from %s to %s", r.Seq, c.ID, c.State, r.State)
	}
	c.State, c.Step, c.Of, c.Why, c.EndedBy = r.State, r.Step, r.Of, r.Why, r.By
	c.Marks = append(c.Marks, Mark{r.Seq, r.At, r.State, r.Step, r.Why})
	c.Took, c.Stopped = max(c.Took, r.Took), r.Stopped
	if r.Promoted != "" {
		c.Promoted = append(c.Promoted, r.Promoted)
	}
	if len(r.Places) == len(c.Places) {
		c.Places = r.Places
	}
	if c.State == Done && c.Undo {
		at := c.Places[0] // all of them are of one role of one listener
		b.undo(b.undoing(Undone{Listener: at.Listener, Role: at.Role, At: r.At, By: c.By}))
	}
	if c.State.Ended() {
		b.forget()
	}
	return nil
}

// forget lets the changes go that ended first, if too many have: one that was at work for long is
// the newest of all when it ends. Findings go by themselves.
func (b *book) forget() {
	var changes, findings []*Change
	for _, c := range b.changes {
		switch {
		case !c.State.Ended():
		case len(c.Places) == 0:
			findings = append(findings, c)
		default:
			changes = append(changes, c)
		}
	}
	gone := slices.Concat(but(b.cfg.HistoryMax, changes), but(b.cfg.FindingsMax, findings))
	for _, c := range gone {
		b.floor = max(b.floor, c.last())
		delete(b.changes, c.ID)
	}
	if len(gone) > 0 {
		b.order = slices.DeleteFunc(b.order, func(id string) bool { return b.changes[id] == nil })
	}
}

// but answers list without the most of it that ended last.
func but(most int, list []*Change) []*Change {
	slices.SortFunc(list, func(x, y *Change) int { return cmp.Compare(x.last(), y.last()) })
	return list[:max(0, len(list)-most)]
}

// last is the number of c's last record.
func (c *Change) last() uint64 { return c.Marks[len(c.Marks)-1].Seq }

// sorted are links by listener.
func sorted(links map[string]Linked) []Linked {
	list := slices.Collect(maps.Values(links))
	slices.SortFunc(list, func(x, y Linked) int { return strings.Compare(x.Listener, y.Listener) })
	return list
}

// record is all of b.
func (b *book) record() *record {
	s := &snapshot{Floor: b.floor, Links: sorted(b.links), Before: sorted(b.before),
		Quarantine: b.quarantine, Tested: b.tested, Dealt: b.dealt}
	for _, id := range b.order {
		s.Changes = append(s.Changes, b.changes[id])
	}
	return &record{Seq: b.seq, Book: s}
}

func (b *book) restore(r *record) {
	fresh := newBook(b.cfg)
	fresh.seq, fresh.floor, fresh.quarantine = r.Seq, r.Book.Floor, r.Book.Quarantine
	for _, c := range r.Book.Changes {
		if c == nil || len(c.Marks) == 0 || fresh.changes[c.ID] != nil {
			continue
		}
		fresh.changes[c.ID] = c
		fresh.order = append(fresh.order, c.ID)
	}
	for _, l := range r.Book.Links {
		set(fresh.links, l)
	}
	for _, l := range r.Book.Before {
		set(fresh.before, l)
	}
	fresh.quarantine = newest(fresh.quarantine, b.cfg.QuarantineMax)
	fresh.tested = newest(r.Book.Tested, b.cfg.TestedMax)
	fresh.dealt = newest(r.Book.Dealt, b.cfg.DealtMax)
	fresh.forget()
	*b = *fresh
}

func (c *Change) clone() *Change {
	d := *c
	d.Places, d.Marks = slices.Clone(c.Places), slices.Clone(c.Marks)
	d.Promoted, d.Undone = slices.Clone(c.Promoted), slices.Clone(c.Undone)
	return &d
}

// listeners are those of the change, each once.
func (c *Change) listeners() []string {
	var list []string
	for _, p := range c.Places {
		list = append(list, p.Listener)
	}
	slices.Sort(list)
	return slices.Compact(list)
}
