package rollout

import "fmt"

// Finding is something that would have become a change, had it been what it must be: a file that
// was found and is no bundle.
type Finding struct {
	// ID makes finding it again safe, as that of a Request.
	ID, By, Reason string
	// Of is the step that refused, Why the reason.
	Of  string
	Why error
}

// Refuse keeps a change without places that is refused already, so that who looks for what became
// of it finds it where the others are. What is known by that id is kept as it is. It blocks for as
// long as the ledger takes.
func (m *Machine) Refuse(f Finding) error {
	if f.ID == "" || len(f.ID) > idBytesMax {
		return fmt.Errorf("%w: id: give it 1 to %d bytes", ErrRequest, idBytesMax)
	}
	m.write.Lock()
	defer m.write.Unlock()
	c := &Change{ID: f.ID, By: f.By, Reason: cut(f.Reason)}
	if known, err := m.admit(c, nil); known != nil || err != nil {
		return err
	}
	if err := m.append(&record{Change: c.ID, New: c, State: Requested}); err != nil {
		return err
	}
	return m.appendOwed(&record{Change: c.ID, State: Refused, Of: f.Of, Why: f.Why.Error()})
}
