package link

import (
	"slices"
	"sync/atomic"

	"github.com/hpmq/hpmq/lite/broker"
)

// table is what is linked to a listener. It never changes; an entry may stand in many tables.
type table struct {
	listener   string
	generation uint64
	// linked is false before Link and after Unlink: then the door is shut, whoever still asks.
	linked bool
	chains [roleCount]*chain // nil for a role without entries
	// recorded is what the entries that use history want to be kept; nil if none uses it.
	recorded *interest
	// trial is a canary that answers instead for some; nil without.
	trial *trial
	// answered is by loop what the authorizers of a canary have answered; nil for any other table.
	// Its elements are the loops'.
	answered []decisions
}

type atomicTable = atomic.Pointer[table]

// chain is the entries of a role and what a rollback of the role brings back. Every change makes
// another, so what was answered by one chain holds as long as the pointer is the same.
type chain struct {
	entries  []*entry
	previous []*entry
	// undoable is false for the first chain of a role: there was none to go back to.
	undoable bool
	// wants is by broker.Direction what at least one entry wants, besides what a shadow of one does
	// beyond that, while there is one.
	wants   [2]interest
	besides atomic.Pointer[[2]interest]
}

func newChain(entries, previous []*entry) *chain {
	c := &chain{entries: entries, previous: previous, undoable: true}
	for d := range c.wants {
		for _, e := range entries {
			c.wants[d].merge(&e.wants[d])
		}
	}
	return c
}

// with is the table after t, with another chain in one role.
func (t *table) with(r Role, c *chain) *table {
	chains := t.chains
	chains[r] = c
	return t.after(chains)
}

// after is the table after t, with these chains.
func (t *table) after(chains [roleCount]*chain) *table {
	next := &table{listener: t.listener, generation: t.generation + 1, linked: true, chains: chains}
	next.note()
	return next
}

// note works out what must be recorded.
func (t *table) note() {
	t.recorded = nil
	for _, c := range t.chains {
		if c == nil {
			continue
		}
		for _, e := range c.entries {
			if !e.usesHistory {
				continue
			}
			if t.recorded == nil {
				t.recorded = &interest{}
			}
			t.recorded.merge(&e.wants[broker.Upstream])
			t.recorded.merge(&e.wants[broker.Downstream])
		}
	}
}

// asked is the chain of a role if one of its entries, or a shadow, wants topic in that direction,
// else nil. This is all that an uninteresting message costs.
func (t *table) asked(r Role, d broker.Direction, topic []byte) *chain {
	c := t.chains[r]
	if c == nil || c.wants[d].has(topic) {
		return c
	}
	if b := c.besides.Load(); b == nil || !b[d].has(topic) {
		return nil
	}
	return c
}

// chainOf answers the entries of a role and of its rollback.
func (t *table) chainOf(r Role) (entries, previous []*entry) {
	if c := t.chains[r]; c != nil {
		return c.entries, c.previous
	}
	return nil, nil
}

// entries appends to dst each entry that t or its rollbacks refer to, once.
func (t *table) entries(dst []*entry) []*entry {
	seen := map[*entry]bool{}
	for r := Role(0); r < roleCount; r++ {
		entries, previous := t.chainOf(r)
		for _, e := range slices.Concat(entries, previous) {
			if !seen[e] {
				seen[e] = true
				dst = append(dst, e)
			}
		}
	}
	return dst
}

// released are the entries of old that next does not refer to.
func released(old, next *table) []*entry {
	keep := map[*entry]bool{}
	for _, e := range next.entries(nil) {
		keep[e] = true
	}
	var out []*entry
	for _, e := range old.entries(nil) {
		if !keep[e] {
			out = append(out, e)
		}
	}
	return out
}

// view shows t.
func (t *table) view() ListenerView {
	v := ListenerView{
		Listener: t.listener, Generation: t.generation, Components: []ComponentView{},
	}
	for r := Role(0); r < roleCount; r++ {
		entries, _ := t.chainOf(r)
		for i := range entries {
			v.Components = append(v.Components, *t.component(r, i))
		}
	}
	return v
}

// component shows the entry in one place, nil if the place is free.
func (t *table) component(r Role, position int) *ComponentView {
	entries, previous := t.chainOf(r)
	if position >= len(entries) {
		return nil
	}
	e := entries[position]
	v := e.view()
	v.Position = position
	if position < len(previous) && previous[position] != e {
		v.Previous = previous[position].digest
	}
	v.Added = position >= len(previous) && t.chains[r].undoable
	return &v
}
