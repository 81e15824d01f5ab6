package rollout

import (
	"fmt"
	"slices"
)

// Change answers one.
func (m *Machine) Change(id string) (Change, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, err := m.book.known(id)
	if err != nil {
		return Change{}, err
	}
	return *c.clone(), nil
}

func (b *book) known(id string) (*Change, error) {
	c := b.changes[id]
	if c == nil {
		return nil, fmt.Errorf("%w (%s): see hpmq-cli change list", ErrUnknown, id)
	}
	return c, nil
}

// Changes answers all that are kept, the newest first.
func (m *Machine) Changes() []Change {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := make([]Change, 0, len(m.book.order))
	for _, id := range slices.Backward(m.book.order) {
		list = append(list, *m.book.changes[id].clone())
	}
	return list
}

// Linked answers what must be linked over the configuration, sorted by listener. It is what the
// ledger says, whatever is at work. The answer is shared: it must not be changed.
func (m *Machine) Linked() []Linked {
	m.mu.Lock()
	defer m.mu.Unlock()
	return sorted(m.book.links)
}

// Quarantine answers the digests that are refused without force, the oldest first.
func (m *Machine) Quarantine() []Quarantined {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.book.quarantine)
}

// Health answers how the candidate of a change does that is at work and prepared.
func (m *Machine) Health(id string) (h Health, ok bool) {
	m.mu.Lock()
	p := m.plans[id]
	m.mu.Unlock()
	if p == nil {
		return h, false
	}
	return p.Health(), true
}

// Shadowed is what a shadow found, with how the active version did beside it.
type Shadowed struct {
	Comparison
	Active Side
}

// shadowedMax is of how many changes that is known; it does not outlive the process.
const shadowedMax = 64

// compared keeps what the shadow of a change found.
func (m *Machine) compared(id string, s Shadowed) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.shadowed[id] = s
	m.shadows = append(m.shadows, id)
	if len(m.shadows) > shadowedMax {
		delete(m.shadowed, m.shadows[0])
		m.shadows = slices.Delete(m.shadows, 0, 1)
	}
}

// Shadowed answers what the shadow of a change has found until now, or when it was over.
func (m *Machine) Shadowed(id string) (s Shadowed, ok bool) {
	m.mu.Lock()
	s, ok = m.shadowed[id]
	plan := m.plans[id]
	c := m.book.changes[id]
	now := c != nil && c.State == Shadowing
	m.mu.Unlock()
	if p, has := plan.(Shadow); has && now && !ok {
		return Shadowed{p.Compared(), plan.Health().Active}, true
	}
	return s, ok
}

// Failing is why the ledger could not be written the last time it was tried, or nil. What is owed
// to it is written before the next record.
func (m *Machine) Failing() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.failing
}

// Drop forgets what changes linked to a listener: it is gone, or its configuration says something
// else now. Base, unless it is empty, is the hash of what that links: where an undo left no more
// than that, the way back stays. It changes no table.
func (m *Machine) Drop(listener, base, why string) error {
	m.write.Lock()
	defer m.write.Unlock()
	m.mu.Lock()
	_, ok := m.book.links[listener]
	before, back := m.book.before[listener]
	m.mu.Unlock()
	if !ok && (!back || before.Base == base) {
		return nil
	}
	return m.appendOwed(&record{Links: []Linked{{Listener: listener}},
		Why: fmt.Sprintf("listener %s is linked as its configuration says: %s", listener, why)})
}

// Pardon takes a digest out of quarantine. One that is not there is ErrNotHeld.
func (m *Machine) Pardon(digest, by string) error {
	m.write.Lock()
	defer m.write.Unlock()
	if _, held := m.quarantined(digest); !held {
		return fmt.Errorf("%w (%.80s)", ErrNotHeld, digest)
	}
	return m.append(&record{Pardon: []string{digest}, By: by,
		Why: digest + " is not in quarantine any more"})
}

// Admits says of a digest in quarantine since when, and why.
func (m *Machine) Admits(digest string) error {
	q, held := m.quarantined(digest)
	if !held {
		return nil
	}
	return fmt.Errorf("%s is in quarantine since change %s of %s: %s", q.Digest, q.Change,
		q.Since.Format("2006-01-02 15:04:05"), q.Why)
}

// quarantined says why a digest is, if it is.
func (m *Machine) quarantined(digest string) (Quarantined, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.IndexFunc(m.book.quarantine, func(q Quarantined) bool { return q.Digest == digest })
	if i < 0 {
		return Quarantined{}, false
	}
	return m.book.quarantine[i], true
}

// Tested says whether Passed noted something of that name.
func (m *Machine) Tested(name string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Contains(m.book.tested, name)
}

// Passed notes that something passed its tests. The name is at most 512 bytes.
func (m *Machine) Passed(name string) error {
	why := name + " passed its tests"
	return m.note(name, m.Tested, &record{Tested: []string{name}, Why: why})
}

// WasDealt says whether Dealt noted something of that name.
func (m *Machine) WasDealt(name string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Contains(m.book.dealt, name)
}

// Dealt notes that something needs no change any more, for longer than changes are kept: until
// DealtMax others were noted. What is to stay is noted again before half as many were; that writes
// nothing while it is of the newer half. The name is at most 512 bytes.
func (m *Machine) Dealt(name string) error {
	why := name + " was dealt with"
	return m.note(name, m.dealtLately, &record{Dealt: []string{name}, Why: why})
}

func (m *Machine) dealtLately(name string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := m.book.dealt
	return slices.Contains(list[max(0, len(list)-(m.cfg.DealtMax+1)/2):], name)
}

func (m *Machine) note(name string, known func(string) bool, r *record) error {
	if len(name) > 512 {
		return fmt.Errorf("rollout: a note of %d bytes: 512 are kept", len(name))
	}
	m.write.Lock()
	defer m.write.Unlock()
	if known(name) {
		return nil
	}
	return m.append(r)
}
