package rollout

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Linked is what must be linked to a listener in place of what its configuration says.
type Linked struct {
	Listener string `json:"listener"`
	// Base is the hash of the configuration's link that the chains were made over. If the
	// configuration has another now, it wins: call Machine.Drop.
	Base string `json:"base"`
	// Chains are by role. A role that is not there is as the configuration has it.
	Chains map[string][]Slot `json:"chains,omitempty"`
	// Change is the last one, Since when it was committed.
	Change string    `json:"change"`
	Since  time.Time `json:"since"`
	// Forth are roles, of what an undo brings back, that an undo itself went away from: a person
	// may go there again, a start does not.
	Forth []string `json:"forth,omitempty"`
}

// Slot is one place of a chain.
type Slot struct {
	// From is the place in the configuration's chain of the role that the slot stands for, -1 if it
	// was added. Without Pinned it is that component. What the settings of Pinned leave open is as
	// that place has it.
	From   int     `json:"from"`
	Pinned *Pinned `json:"pinned,omitempty"`
}

// Pinned is a component that a change linked.
type Pinned struct {
	Pin
	Source    string `json:"source"`
	Component string `json:"component,omitempty"`
	Settings
}

// plainChain is the one that the configuration has.
func (b Base) plainChain(role string) []Slot {
	chain := make([]Slot, b.Chains[role])
	for i := range chain {
		chain[i].From = i
	}
	return chain
}

// put changes one place of a chain.
func put(chain []Slot, e entry) ([]Slot, error) {
	it, p := e.item, e.pinned
	switch {
	case it.Back != nil && it.Position < len(chain):
		chain[it.Position] = *it.Back
		return chain, nil
	case it.Back != nil && it.Position == len(chain):
		return append(chain, *it.Back), nil
	case it.Position > len(chain) || it.Remove && it.Position == len(chain):
		return nil, fmt.Errorf("there is no place %d as %s of listener %s: it has %d components: "+
			"name a place that is taken, or the one after the last",
			it.Position, it.Role, it.Listener, len(chain))
	case it.Remove:
		return slices.Delete(chain, it.Position, it.Position+1), nil
	case it.Position == len(chain):
		return append(chain, Slot{From: -1, Pinned: p}), nil
	}
	old := chain[it.Position]
	if old.Pinned != nil {
		p.keep(old.Pinned.Settings)
	}
	chain[it.Position] = Slot{From: old.From, Pinned: p}
	return chain, nil
}

// keep fills what s leaves open, as a swap does. Grants are never inherited here: the plan says
// which a place has.
func (p *Pinned) keep(s Settings) {
	if p.Config == nil {
		p.Config = s.Config
	}
	if p.Env == nil {
		p.Env = s.Env
	}
	if p.OnFault == "" {
		p.OnFault = s.OnFault
	}
	if p.Limits == (Limits{}) {
		p.Limits = s.Limits
	}
}

// entry is an item with what it links, nil if it takes something out.
type entry struct {
	item   Item
	pinned *Pinned
}

// after is what is linked to a listener once its entries are, over what was; without chains if that
// is what the configuration says.
func (b Base) after(had Linked, entries []entry) (Linked, error) {
	next := Linked{Listener: had.Listener, Base: b.Hash, Chains: map[string][]Slot{}}
	if had.Base == b.Hash {
		maps.Copy(next.Chains, had.Chains)
	}
	entries = slices.Clone(entries)
	slices.SortStableFunc(entries, func(x, y entry) int {
		return cmp.Compare(x.item.Position, y.item.Position) // what is added comes one by one
	})
	for _, e := range entries {
		chain, ok := next.Chains[e.item.Role]
		if !ok {
			chain = b.plainChain(e.item.Role)
		}
		chain, err := put(slices.Clone(chain), e)
		if err != nil {
			return Linked{}, err
		}
		next.Chains[e.item.Role] = chain
	}
	for role, chain := range next.Chains {
		if b.plain(role, chain) {
			delete(next.Chains, role)
		}
	}
	return next, nil
}

// plain is true for the chain that the configuration has.
func (b Base) plain(role string, chain []Slot) bool {
	for i, s := range chain {
		if s.From != i || s.Pinned != nil {
			return false
		}
	}
	return len(chain) == b.Chains[role]
}
