package rollout

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// Undo makes durable that a role of a listener goes back to what it was before its last change, or
// forth again: do is the tables' own rollback, which keeps that warm. Only if do answers nil is
// anything recorded; see Lasts for what is an event alone. It is for a change that is done; one
// that is draining has Rollback. The listener is reserved meanwhile; who changes others does not
// wait for do.
func (m *Machine) Undo(listener, role, by string, do func() error) error {
	m.write.Lock()
	r, err := m.reserve("a rollback of its "+role, []string{listener})
	if err == nil {
		m.running.Add(1) // Close waits for the record
	}
	m.write.Unlock()
	if err != nil {
		return err
	}
	defer m.running.Done()
	defer r.Release()
	if err := do(); err != nil {
		return fmt.Errorf("rollout: undo: %w", err)
	}
	m.write.Lock()
	defer m.write.Unlock()
	return m.undo(listener, role, by)
}

// undo records one. Needs write, and the listener reserved.
func (m *Machine) undo(listener, role, by string) error {
	lasts := m.Lasts(listener, role)
	m.mu.Lock()
	had, before := m.book.links[listener], m.book.before[listener]
	m.mu.Unlock()
	u := Undone{Listener: listener, Role: role, At: m.ports.Clock.Now().UTC(), By: by}
	if !lasts {
		return m.appendOwed(&record{By: by, Undone: m.undoing(u), Why: fmt.Sprintf("the %s of "+
			"listener %s is what it was before its last change, until a restart or a reload links "+
			"what the configuration says", role, listener)})
	}
	chain := before.Chains[role]
	next, back := before.with(had.Chains), before.with(before.Chains)
	if next.Since, next.Forth = u.At, nil; chain == nil {
		delete(next.Chains, role)
	} else {
		next.Chains[role] = chain
	}
	back.Chains[role] = had.Chains[role]
	back.turn(role, !slices.Contains(before.Forth, role))
	return m.appendOwed(&record{Links: []Linked{next}, Before: []Linked{back}, By: by,
		Undone: m.undoing(u),
		Why: fmt.Sprintf("the %s of listener %s is what it was before its last change", role,
			listener)})
}

// Lasts says whether what Undo does there now is on record: not so where the configuration linked
// what that takes out, and links it again at a restart.
func (m *Machine) Lasts(listener, role string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	had, before := m.book.links[listener], m.book.before[listener]
	_, ok := before.Chains[role]
	return ok && (len(had.Chains) == 0 || had.Base == before.Base)
}

// undoing is u with the change that it is about, nil if none is known.
func (m *Machine) undoing(u Undone) *Undone {
	m.mu.Lock()
	defer m.mu.Unlock()
	if u = m.book.undoing(u); u.Change == "" {
		return nil
	}
	return &u
}

// isUndone says whether what c linked to a role of a listener was brought back since.
func (c *Change) isUndone(listener, role string) bool {
	return slices.ContainsFunc(c.Undone, func(u Undone) bool { return u.isAt(listener, role) })
}

// waysBack is how what c linked goes back: by a command for each role of a listener where it is
// linked, else why by none.
func (m *Machine) waysBack(c *Change) (commands, reasons []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, p := range c.Places {
		if slices.ContainsFunc(c.Places[:i], func(had ChangePlace) bool {
			return had.Listener == p.Listener && had.Role == p.Role
		}) {
			continue
		}
		if why := m.book.gone(c, p.Listener, p.Role); why != "" {
			reasons = append(reasons, fmt.Sprintf("the %s of listener %s %s", p.Role, p.Listener,
				why))
			continue
		}
		commands = append(commands, fmt.Sprintf("hpmq-cli link rollback --listener %s --role %s",
			p.Listener, p.Role))
	}
	if c.Config && len(commands) > 0 {
		reasons = append(reasons, "the configuration names what it linked: write what was there "+
			"into that, too, or a restart or a reload links it again")
	}
	return commands, reasons
}

const noWayBack = "has no way back that is known: submit a change that links what was there"

// gone says why an undo at a role of a listener does not take out what c linked there, "" if it
// does.
func (b *book) gone(c *Change, listener, role string) string {
	last := b.lastAt(listener, role)
	switch _, back := b.before[listener].Chains[role]; {
	case last == nil:
		return noWayBack
	case slices.Index(b.order, last.ID) > slices.Index(b.order, c.ID):
		return "was changed since by " + last.ID
	case last.isUndone(listener, role) != c.Undo:
		return "was brought back since"
	case !back && !c.Config: // what the tables had before a reload they may have still
		return noWayBack
	}
	return ""
}

// Back answers what brings a role of a listener back to what it was before its last change, as the
// items of a request, when the tables do not have that any more: after a restart. ErrNoBack is for
// what cannot be brought back, or never changed. It does not block.
func (m *Machine) Back(listener, role string) ([]Item, error) {
	base, err := m.ports.Links.Base(listener)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	had, before := m.book.links[listener], m.book.before[listener]
	was, ok := before.Chains[role]
	if !ok || before.Base != base.Hash {
		return nil, ErrNoBack
	}
	now, changed := had.Chains[role]
	if !changed || had.Base != base.Hash {
		now = base.plainChain(role)
	}
	if was == nil {
		was = base.plainChain(role)
	}
	return back(Item{Listener: listener, Role: role}, now, was)
}

// back makes items, all like it, that make the chain now what it was.
func back(it Item, now, was []Slot) ([]Item, error) {
	if len(was) < len(now) {
		at := 0
		for at < len(was) && same(now[at], was[at]) {
			at++
		}
		if len(was)+1 < len(now) || !slices.EqualFunc(now[at+1:], was[at:], same) {
			return nil, fmt.Errorf("%w: more than one would have to go: take them out one by one",
				ErrNoBack)
		}
		it.Position, it.Remove = at, true
		return []Item{it}, nil
	}
	var list []Item
	for i := range was {
		if i < len(now) && same(now[i], was[i]) {
			continue
		}
		it.Position, it.Back, it.Source = i, &was[i], "the configuration"
		if was[i].Pinned != nil {
			it.Source = was[i].Pinned.Source
		}
		list = append(list, it)
	}
	if len(list) == 0 {
		return nil, ErrNoBack
	}
	return list, nil
}

func same(x, y Slot) bool { return reflect.DeepEqual(x, y) }

// Undoes answers what an undo brings back to a role of a listener, nil for what the configuration
// says. False if that is not known. The answer is shared: it must not be changed.
func (m *Machine) Undoes(listener, role string) (chain []Slot, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	chain, ok = m.book.before[listener].Chains[role]
	return chain, ok
}

// Before answers what was linked to a role before its last change, for a start that cannot link
// what that linked; nil for what the configuration says. An error says why a start does not go
// there: it is not known, a person went away from it, or it is in quarantine. The answer is shared:
// it must not be changed.
func (m *Machine) Before(listener, role string) ([]Slot, error) {
	m.mu.Lock()
	had, before := m.book.links[listener], m.book.before[listener]
	m.mu.Unlock()
	chain, ok := before.Chains[role]
	if !ok || had.Base != before.Base || slices.Contains(before.Forth, role) {
		return nil, ErrNoBack
	}
	for _, s := range chain {
		if s.Pinned == nil {
			continue
		}
		if q, ok := m.quarantined(s.Pinned.Digest); ok {
			return nil, fmt.Errorf("what was linked before, %s, is in quarantine since change %s: "+
				"%s", q.Digest, q.Change, q.Why)
		}
	}
	return chain, nil
}

// Retreat makes durable that now is linked, where what the last changes of these roles linked
// cannot be any more. An undo does not bring that back.
func (m *Machine) Retreat(now Linked, roles []string, why string) error {
	m.write.Lock()
	defer m.write.Unlock()
	before := m.befores([]Linked{now})[0].without(roles)
	return m.appendOwed(&record{Links: []Linked{now}, Before: []Linked{before},
		Why: fmt.Sprintf("listener %s: %s", now.Listener, why)})
}

// with is l with a copy of chains.
func (l Linked) with(chains map[string][]Slot) Linked {
	l.Chains, l.Forth = map[string][]Slot{}, slices.Clone(l.Forth)
	maps.Copy(l.Chains, chains)
	return l
}

// without is l without roles.
func (l Linked) without(roles []string) Linked {
	l = l.with(l.Chains)
	for _, role := range roles {
		delete(l.Chains, role)
		l.turn(role, false)
	}
	return l
}

// turn says whether what there is for a role leads forth.
func (l *Linked) turn(role string, forth bool) {
	l.Forth = slices.DeleteFunc(l.Forth, func(r string) bool { return r == role })
	if forth {
		l.Forth = append(l.Forth, role)
	}
}

// roles are those of a listener that have an item.
func roles(listener string, items []Item) (list []string) {
	for _, it := range items {
		if it.Listener == listener && !slices.Contains(list, it.Role) {
			list = append(list, it.Role)
		}
	}
	return list
}

// undone is what an undo of a change brings back, by listener. was is what is linked before it.
func (m *Machine) undone(was, made []Linked, q *Request) []Linked {
	var list []Linked
	for i, before := range m.befores(made) {
		if before.Base != made[i].Base {
			before.Chains, before.Forth = nil, nil // of another configuration
		}
		before = before.with(before.Chains)
		before.Base, before.Change = made[i].Base, made[i].Change
		for _, role := range roles(made[i].Listener, q.Items) {
			before.turn(role, q.Undo && !slices.Contains(before.Forth, role))
			before.Chains[role] = nil
			if was[i].Base == made[i].Base {
				before.Chains[role] = was[i].Chains[role]
			}
		}
		list = append(list, before)
	}
	return list
}

// befores answers what an undo brings back now, for the listeners of list.
func (m *Machine) befores(list []Linked) []Linked {
	m.mu.Lock()
	defer m.mu.Unlock()
	return of(m.book.before, list)
}

// of answers those of the listeners of list, without chains if there is none.
func of(links map[string]Linked, list []Linked) []Linked {
	var out []Linked
	for _, l := range list {
		had := links[l.Listener]
		had.Listener = l.Listener
		out = append(out, had)
	}
	return out
}
