package rollout

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hpmq/hpmq/host/fault"
)

// append makes a record safe, then true. On an error it is neither. Needs write.
func (m *Machine) append(r *record) error { return m.put(r, false) }

// appendOwed makes true what is so whatever the ledger says; if that refuses, it is owed. Needs
// write. Each change owes at most what follows its commit, so this is bounded.
func (m *Machine) appendOwed(r *record) error { return m.put(r, true) }

func (m *Machine) put(r *record, owed bool) error {
	m.mu.Lock()
	r.Seq = m.book.seq + 1
	m.mu.Unlock()
	r.At = m.ports.Clock.Now().UTC()
	r.Why = cut(r.Why)
	b, err := r.encode()
	if err != nil {
		return err
	}
	fault.Point(pointOf("enters", r))
	err = m.keep(b, owed && r.dear())
	fault.Point(pointOf("entered", r))
	m.mu.Lock()
	m.failing = err
	if err != nil && !owed {
		m.mu.Unlock()
		return err
	}
	if err != nil {
		m.owed = append(m.owed, owing{b, r})
	}
	strange := m.book.apply(r)
	m.mu.Unlock()
	if strange != nil {
		return fmt.Errorf("rollout: %w", strange)
	}
	e := Event{Seq: r.Seq, At: r.At, Change: r.Change, State: r.State, Step: r.Step,
		Of: r.Of, Why: r.Why, By: r.By}
	if err != nil {
		e.Unrecorded = r.unrecorded()
	}
	m.stream.add(e)
	if m.grown += len(b); m.grown > m.cfg.GrowthBytesMax {
		m.compact()
	}
	return nil
}

// pointOf is where a build for crash tests ends: before a record, or when it is safe but nothing
// has come of it.
func pointOf(when string, r *record) string { return "change." + when + "." + string(r.State) }

// keep appends what is owed, then b.
func (m *Machine) keep(b []byte, insist bool) error {
	write := m.ports.Ledger.Append
	if insist {
		write = m.ports.Ledger.Insist
	}
	for len(m.owed) > 0 {
		if err := write(m.owed[0].bytes); err != nil {
			return unwritten(err)
		}
		m.mu.Lock()
		m.owed = m.owed[1:]
		m.mu.Unlock()
	}
	if err := write(b); err != nil {
		return unwritten(err)
	}
	return nil
}

// owing is a record of what is so, though the ledger refused it.
type owing struct {
	bytes  []byte
	record *record
}

// dear is true for a record without which a restart would come to something else.
func (r *record) dear() bool { return len(r.Links)+len(r.Quarantine) > 0 }

// unrecorded says what a restart would do without the record, "" if that is no matter.
func (r *record) unrecorded() string {
	switch {
	case len(r.Links) > 0:
		return "not on record yet, since the ledger cannot be written: a restart before it can " +
			"links again what this took out"
	case len(r.Quarantine) > 0:
		return "not on record yet, since the ledger cannot be written: a restart before it can " +
			"forgets the quarantine"
	}
	return ""
}

// Unrecorded says what a restart now would make of what the ledger did not take yet: the end of a
// change, what is linked to a listener; "" for each is any. It answers "" if all that is on record,
// or a restart comes to the same.
func (m *Machine) Unrecorded(change, listener string) string {
	at := func(l Linked) bool { return l.Listener == listener }
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, o := range slices.Backward(m.owed) {
		if (change == "" || o.record.Change == change) &&
			(listener == "" || slices.ContainsFunc(o.record.Links, at)) &&
			o.record.unrecorded() != "" {
			return o.record.unrecorded()
		}
	}
	return ""
}

func unwritten(err error) error { return fmt.Errorf("%w: %w", ErrLedger, err) }

// Mend tries the ledger again, if it failed the last time, and answers why it fails still. While it
// does, changes are refused. Call it now and then; it blocks for as long as the ledger takes, and
// answers what is known if that is in use.
func (m *Machine) Mend() error {
	if m.Failing() == nil || !m.write.TryLock() {
		return m.Failing()
	}
	defer m.write.Unlock()
	m.compact()
	return m.Failing()
}

// compact puts the book in the place of its records. If that fails the records are still there, and
// it is tried again when they have grown as much again. Needs write.
func (m *Machine) compact() {
	m.grown = 0
	m.mu.Lock()
	b, err := m.book.record().encode()
	m.mu.Unlock()
	if err == nil {
		err = m.ports.Ledger.Compact(b)
	}
	m.mu.Lock()
	if err == nil {
		m.owed = nil // the book has it
	} else {
		err = unwritten(err)
	}
	m.failing = err
	m.mu.Unlock()
}

// cut bounds a text of others, and makes it one that a record can hold.
func cut(s string) string {
	if len(s) > whyBytesMax {
		s = s[:whyBytesMax] + "…"
	}
	return strings.ToValidUTF8(s, "?")
}
