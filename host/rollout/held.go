package rollout

// Needs are what the machine may still ask its Source for, or may have to be linked again.
type Needs struct {
	// Held are the digests of components that are linked, or that an undo brings back, and digests
	// and sources of changes at work: without them something would be lost.
	Held map[string]bool
	// Known are Held, and those of all changes that are kept: the change that linked a component
	// may be so old that it is not.
	Known map[string]bool
}

// Needs answers what must be kept for the machine.
func (m *Machine) Needs() Needs {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := Needs{Held: map[string]bool{}, Known: map[string]bool{}}
	for _, links := range []map[string]Linked{m.book.links, m.book.before} {
		for _, l := range links {
			for _, chain := range l.Chains {
				n.hold(chain)
			}
		}
	}
	for _, c := range m.book.changes {
		for i := range c.Places {
			n.place(&c.Places[i], !c.State.Ended())
		}
	}
	return n
}

func (n *Needs) hold(chain []Slot) {
	for _, s := range chain {
		if s.Pinned != nil {
			n.Held[s.Pinned.Digest], n.Known[s.Pinned.Digest] = true, true
		}
	}
}

func (n *Needs) place(p *ChangePlace, atWork bool) {
	names := []string{p.Source}
	for _, pin := range []*Pin{p.New, p.Old} {
		if pin != nil {
			names = append(names, pin.Digest)
		}
	}
	for _, name := range names {
		n.Known[name] = true
		if atWork {
			n.Held[name] = true
		}
	}
}
