package rollout

import (
	"cmp"
	"fmt"
	"slices"
)

// Reservation keeps changes and undos away from listeners while who has it reads and links beside
// the machine: what they would link meanwhile is not in what was read, and would be lost.
type Reservation struct {
	m         *Machine
	by        string
	listeners []string
	ended     chan struct{}
}

// Reserve reserves listeners, those to come as well, until Release. by says for what, in the words
// of who is refused meanwhile. A listener that is in a change, or reserved, is a *BusyError, and
// nothing is reserved then. It blocks for as long as the ledger takes.
func (m *Machine) Reserve(by string, listeners ...string) (*Reservation, error) {
	m.write.Lock()
	defer m.write.Unlock()
	return m.reserve(by, listeners)
}

// reserve is Reserve. Needs write.
func (m *Machine) reserve(by string, listeners []string) (*Reservation, error) {
	r := &Reservation{m: m, by: cmp.Or(by, "somebody"), listeners: slices.Clone(listeners),
		ended: make(chan struct{})}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, ErrClosed
	}
	if err := m.freeLocked(r.listeners, nil); err != nil {
		return nil, err
	}
	for _, l := range r.listeners {
		m.reserved[l] = r
	}
	return r, nil
}

// Submit is Machine.Submit of who reserved the listeners.
func (r *Reservation) Submit(q Request) (Change, error) { return r.m.submit(q, r) }

// Release lets changes in again. It may be called more than once.
func (r *Reservation) Release() {
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	for _, l := range r.listeners {
		if r.m.reserved[l] == r {
			delete(r.m.reserved, l)
		}
	}
	select {
	case <-r.ended:
	default:
		close(r.ended)
	}
}

// freeLocked says who is at one of the listeners, but for the reservation of who asks. Needs mu.
func (m *Machine) freeLocked(listeners []string, mine *Reservation) error {
	for _, l := range listeners {
		if id, ok := m.busy[l]; ok {
			c := m.book.changes[id]
			return &BusyError{Listener: l, Change: id, Linked: c != nil && c.State.Linked()}
		}
		if r := m.reserved[l]; r != nil && r != mine {
			return &BusyError{Listener: l, Reserved: r.by, Until: r.ended}
		}
	}
	return nil
}

// BusyError is an ErrBusy that names the change at work, or who reserved the listener.
type BusyError struct {
	Listener, Change string
	// Linked says that the change is committed: it is rolled back, not cancelled.
	Linked bool
	// Reserved says for what, if no change is at work; Until is closed when it is over.
	Reserved string
	Until    <-chan struct{}
}

// Error says who is at work, and where.
func (e *BusyError) Error() string {
	if e.Reserved != "" {
		return fmt.Sprintf("rollout: %s is at work at listener %s: ask again when it is over",
			e.Reserved, e.Listener)
	}
	if e.Linked {
		return fmt.Sprintf("rollout: listener %s is in change %s, which is linked and watched: "+
			"wait until that ends, or bring the old version back: hpmq-cli change rollback %[2]s",
			e.Listener, e.Change)
	}
	return fmt.Sprintf("rollout: listener %s is in change %s: wait until that ends, or cancel it: "+
		"hpmq-cli change cancel %[2]s", e.Listener, e.Change)
}

// Unwrap is ErrBusy.
func (e *BusyError) Unwrap() error { return ErrBusy }
