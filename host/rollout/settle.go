package rollout

import (
	"cmp"
	"fmt"
)

// Settled is what became of a committed change at the start after a crash.
type Settled struct {
	// RolledBack says that it is not linked.
	RolledBack bool
	// Why is what is linked, and why; empty is that the new version is.
	Why string
	// Retreats are the listeners that are linked otherwise than it was committed.
	Retreats []Retreat
}

// Retreat is a listener of which some roles went back.
type Retreat struct {
	Now   Linked
	Roles []string
}

// Settle ends a change that Open found committed, once what it linked is linked or is not: all in
// one record. One that has ended is ErrEnded.
func (m *Machine) Settle(id string, s Settled) (Change, error) {
	m.write.Lock()
	defer m.write.Unlock()
	c, err := m.Change(id)
	if err != nil {
		return c, err
	}
	if c.State.Ended() || m.works[id] != nil {
		return c, fmt.Errorf("%w: %s is %s", ErrEnded, id, c.State)
	}
	r := &record{Change: id, State: Done,
		Why: endedIn(c.State, cmp.Or(s.Why, "the new version is linked"))}
	if s.RolledBack {
		r.State = RolledBack
	}
	for i := range s.Retreats {
		now := s.Retreats[i].Now
		if s.RolledBack {
			now.Change = m.doneAt(now.Listener)
		}
		r.Links = append(r.Links, now)
		r.Before = append(r.Before, m.befores([]Linked{now})[0].without(s.Retreats[i].Roles))
	}
	if err := m.appendOwed(r); err != nil {
		return c, err
	}
	return m.Change(id)
}

// doneAt is the last change of a listener that is done, empty if that is not known.
func (m *Machine) doneAt(listener string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c := m.book.lastAt(listener, ""); c != nil {
		return c.ID
	}
	return ""
}
