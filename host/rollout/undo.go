package rollout

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// Undo makes durable that a role of a listener goes back to what it was before its last change, or
// forth again: do is the tables' own rollback, which keeps that warm. Only if do answers nil is
// anything recorded. It is for a change that is done; one that is draining has Rollback.
func (m *Machine) Undo(listener, role, by string, do func() error) error {
	m.write.Lock()
	defer m.write.Unlock()
	m.mu.Lock()
	busy := m.freeLocked([]string{listener}, nil)
	had, before := m.book.links[listener], m.book.before[listener]
	m.mu.Unlock()
	if busy != nil {
		return busy
	}
	if err := do(); err != nil {
		return fmt.Errorf("rollout: undo: %w", err)
	}
	chain, ok := before.Chains[role]
	if !ok || len(had.Chains) > 0 && had.Base != before.Base {
		return nil // what is there is not of a change
	}
	next, back := before.with(had.Chains), before.with(before.Chains)
	if next.Since = m.ports.Clock.Now().UTC(); chain == nil {
		delete(next.Chains, role)
	} else {
		next.Chains[role] = chain
	}
	back.Chains[role] = had.Chains[role]
	return m.appendOwed(&record{Links: []Linked{next}, Before: []Linked{back}, By: by,
		Why: fmt.Sprintf("the %s of listener %s is what it was before its last change", role,
			listener)})
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

// Before answers what was linked to a listener before the last change of each of its roles. False
// if that is not known, or is what the configuration says.
func (m *Machine) Before(listener string) (Linked, bool) {
	m.mu.Lock()
	had, before := m.book.links[listener], m.book.before[listener]
	m.mu.Unlock()
	if had.Base != before.Base || len(before.Chains) == 0 {
		return Linked{}, false
	}
	next := had.with(had.Chains)
	for role, chain := range before.Chains {
		if next.Chains[role] = chain; chain == nil {
			delete(next.Chains, role)
		}
	}
	return next, len(next.Chains) > 0
}

// Retreat makes durable that l, which is of Before, is linked: a start could not link what came
// after it.
func (m *Machine) Retreat(l Linked, why string) error {
	m.write.Lock()
	defer m.write.Unlock()
	return m.appendOwed(&record{Links: []Linked{l}, Why: fmt.Sprintf(
		"listener %s is linked as it was before its last change: %s", l.Listener, why)})
}

// with is l with a copy of chains.
func (l Linked) with(chains map[string][]Slot) Linked {
	l.Chains = map[string][]Slot{}
	maps.Copy(l.Chains, chains)
	return l
}

// undone is what an undo of a change brings back, by listener. was is what is linked before it.
func (m *Machine) undone(was, made []Linked, items []Item) []Linked {
	var list []Linked
	for i, before := range m.befores(made) {
		if before.Base != made[i].Base {
			before.Chains = nil // of another configuration
		}
		before = before.with(before.Chains)
		before.Base, before.Change = made[i].Base, made[i].Change
		for _, it := range items {
			switch {
			case it.Listener != made[i].Listener:
			case was[i].Base == made[i].Base:
				before.Chains[it.Role] = was[i].Chains[it.Role]
			default:
				before.Chains[it.Role] = nil
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
