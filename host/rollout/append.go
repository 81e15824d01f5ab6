package rollout

import (
	"fmt"
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
	err = m.keep(b)
	fault.Point(pointOf("entered", r))
	m.mu.Lock()
	m.failing = err
	if err != nil && !owed {
		m.mu.Unlock()
		return err
	}
	if err != nil {
		m.owed = append(m.owed, b)
	}
	strange := m.book.apply(r)
	m.mu.Unlock()
	if strange != nil {
		return fmt.Errorf("rollout: %w", strange)
	}
	m.stream.add(Event{Seq: r.Seq, At: r.At, Change: r.Change, State: r.State, Step: r.Step,
		Of: r.Of, Why: r.Why, By: r.By})
	if m.grown += len(b); m.grown > m.cfg.GrowthBytesMax {
		m.compact()
	}
	return nil
}

// pointOf is where a build for crash tests ends: before a record, or when it is safe but nothing
// has come of it.
func pointOf(when string, r *record) string { return "change." + when + "." + string(r.State) }

// keep appends what is owed, then b.
func (m *Machine) keep(b []byte) error {
	for len(m.owed) > 0 {
		if err := m.ports.Ledger.Append(m.owed[0]); err != nil {
			return unwritten(err)
		}
		m.owed = m.owed[1:]
	}
	if err := m.ports.Ledger.Append(b); err != nil {
		return unwritten(err)
	}
	return nil
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
	if err == nil {
		m.owed = nil // the book has it
	} else {
		err = unwritten(err)
	}
	m.mu.Lock()
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
