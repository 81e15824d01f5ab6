package plan

import (
	"fmt"

	"github.com/hpmq/hpmq/host/wasm/component"
)

// sorts is the number of sorts, and so of index spaces.
const sorts = int(component.Instance) + 1

// scope holds the index spaces of a component instance in the making, or of the type of one.
type scope struct {
	outer  *scope
	owner  int // the component instance
	spaces [sorts][]any
	// give answers imports; in the type of an instance, its exports.
	give    source
	exports *instance
}

func (s *scope) add(it item) { s.spaces[it.sort] = append(s.spaces[it.sort], it.value) }

// item gives item i of a space.
func (s *scope) item(sort component.Sort, i uint32) (item, error) {
	if int(sort) >= sorts || sort == component.Value {
		return item{}, fmt.Errorf("values: %w: export functions in their place",
			component.ErrNotServed)
	}
	if uint64(i) >= uint64(len(s.spaces[sort])) {
		return item{}, fmt.Errorf("there is no %s %d", sort, i)
	}
	return item{sort, s.spaces[sort][i]}, nil
}

// at is item with the type of its value.
func at[T any](s *scope, sort component.Sort, i uint32) (T, error) {
	it, err := s.item(sort, i)
	if err != nil {
		var none T
		return none, err
	}
	v, ok := it.value.(T)
	if !ok {
		return v, fmt.Errorf("%s %d is something else than its use needs", sort, i)
	}
	return v, nil
}

// alias adds an item that an instance exports, or of a scope further out.
func (s *scope) alias(d *component.DefAlias) error {
	it, err := s.target(d)
	if err == nil && it.sort != d.Sort {
		err = fmt.Errorf("an alias of a %s finds a %s", d.Sort, it.sort)
	}
	if err != nil {
		return err
	}
	s.add(it)
	return nil
}

func (s *scope) target(d *component.DefAlias) (item, error) {
	switch d.Kind {
	case component.AliasCoreExport:
		in, err := at[*coreInstance](s, component.CoreInstance, d.Instance)
		if err != nil {
			return item{}, err
		}
		def, err := in.export(d.Name, d.Sort)
		return item{d.Sort, def}, err
	case component.AliasExport:
		in, err := at[*instance](s, component.Instance, d.Instance)
		if err != nil {
			return item{}, err
		}
		it, ok := in.items[d.Name]
		if !ok {
			return item{}, fmt.Errorf("an instance has no export %q", d.Name)
		}
		return it, nil
	}
	for range d.Count {
		if s = s.outer; s == nil {
			return item{}, fmt.Errorf("there are no %d enclosing components", d.Count)
		}
	}
	return s.item(d.Sort, d.Index)
}
