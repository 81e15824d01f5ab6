package canon

import (
	"errors"
	"fmt"
	"iter"
	"slices"
)

// HandlesMax is the most handles that the canonical ABI lets one component instance have.
const HandlesMax = 1<<28 - 1

// HostOwned is the owner of resources that no component instance implements.
const HostOwned = -1

// Resources say which component instance implements each resource type, HostOwned for the host's.
// The index is component.Resource.ID.
type Resources []int

// Table is the resource handles of one component instance. Indices are given out from 1; the one
// freed last is given out first, as the specification has it. A Table is of one goroutine.
type Table struct {
	owner     int // the component instance
	resources Resources
	max       int
	slots     []slot
	free      []uint32
	live      int
}

// slot is a handle, free if resource is none. A handle that is lent is never freed, so a loan,
// which names a slot, finds what it was made of.
type slot struct {
	resource int
	rep      uint32
	lent     uint32
	scope    *Call // of a borrow; nil of an own
}

const none = -1

type loan struct {
	table *Table
	index uint32
}

// NewTable is the empty table of component instance owner, which may have at most max handles. The
// resources are kept.
func NewTable(owner int, resources Resources, max int) *Table {
	return &Table{owner: owner, resources: resources, max: min(max, HandlesMax),
		slots: []slot{{resource: none}}}
}

// Live is the number of handles.
func (t *Table) Live() int { return t.live }

// New adds an own handle: resource.new, or an own that is lowered into the instance.
func (t *Table) New(resource int, rep uint32) (uint32, error) {
	return t.add(slot{resource: resource, rep: rep})
}

func (t *Table) add(s slot) (uint32, error) {
	if t.live >= t.max {
		return 0, fmt.Errorf("canon: an instance may have at most %d resource handles", t.max)
	}
	t.live++
	if n := len(t.free); n > 0 {
		i := t.free[n-1]
		t.free = t.free[:n-1]
		t.slots[i] = s
		return i, nil
	}
	t.slots = append(t.slots, s)
	return uint32(len(t.slots) - 1), nil
}

func (t *Table) get(resource int, handle uint32) (*slot, error) {
	if uint64(handle) >= uint64(len(t.slots)) || t.slots[handle].resource == none {
		return nil, fmt.Errorf("canon: unknown handle index %d", handle)
	}
	s := &t.slots[handle]
	if s.resource != resource {
		return nil, fmt.Errorf("canon: handle index %d used with the wrong resource type", handle)
	}
	return s, nil
}

// Rep is the representation behind a handle, own or borrow: resource.rep.
func (t *Table) Rep(resource int, handle uint32) (uint32, error) {
	s, err := t.get(resource, handle)
	if err != nil {
		return 0, err
	}
	return s.rep, nil
}

var errLent = errors.New("canon: cannot remove owned resource while borrowed")

func (t *Table) remove(handle uint32) {
	t.slots[handle] = slot{resource: none}
	t.free = append(t.free, handle)
	t.live--
}

// Take removes an own handle and gives its representation: an own that is lifted out.
func (t *Table) Take(resource int, handle uint32) (uint32, error) {
	s, err := t.get(resource, handle)
	if err != nil {
		return 0, err
	}
	if s.scope != nil {
		return 0, fmt.Errorf("canon: handle index %d is a borrow, an own is needed", handle)
	}
	if s.lent != 0 {
		return 0, errLent
	}
	rep := s.rep
	t.remove(handle)
	return rep, nil
}

// Drop removes a handle: resource.drop. If it was an own, destroy is called with its
// representation, after the handle is gone; it may be nil.
func (t *Table) Drop(resource int, handle uint32, destroy func(rep uint32) error) error {
	s, err := t.get(resource, handle)
	if err != nil {
		return err
	}
	if s.lent != 0 {
		return errLent
	}
	rep, scope := s.rep, s.scope
	t.remove(handle)
	switch {
	case scope != nil:
		scope.borrowed--
	case destroy != nil:
		return destroy(rep)
	}
	return nil
}

// Lend is a borrow that is lifted out for a call: the handle cannot go until c.Return.
func (t *Table) Lend(c *Call, resource int, handle uint32) (uint32, error) {
	s, err := t.get(resource, handle)
	if err != nil {
		return 0, err
	}
	if err := c.spend(1, 0); err != nil {
		return 0, err
	}
	s.lent++
	c.lent = append(c.lent, loan{table: t, index: handle})
	return s.rep, nil
}

// Borrow is a borrow that is lowered into the instance for a call: the instance must drop it before
// the call ends. Whoever implements the resource gets the representation itself.
func (t *Table) Borrow(c *Call, resource int, rep uint32) (uint32, error) {
	if resource >= 0 && resource < len(t.resources) && t.resources[resource] == t.owner {
		return rep, nil
	}
	h, err := t.add(slot{resource: resource, rep: rep, scope: c})
	if err == nil {
		c.borrowed++
	}
	return h, err
}

// Revoke takes back what was borrowed for c and is not dropped: for instances that need not drop
// it. It fails if the instance has lent one of them.
func (t *Table) Revoke(c *Call) error {
	for i := range t.slots {
		if c.borrowed == 0 {
			break
		}
		s := &t.slots[i]
		switch {
		case s.resource == none || s.scope != c:
		case s.lent != 0:
			return errLent
		default:
			t.remove(uint32(i))
			c.borrowed--
		}
	}
	return nil
}

// Owned is the own handles that are left, those with the highest index first: their resource types
// and representations.
func (t *Table) Owned() iter.Seq2[int, uint32] {
	return func(yield func(int, uint32) bool) {
		for _, s := range slices.Backward(t.slots) {
			if s.resource != none && s.scope == nil && !yield(s.resource, s.rep) {
				return
			}
		}
	}
}
