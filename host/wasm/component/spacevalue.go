package component

import (
	"errors"
	"fmt"
)

// value resolves a value type.
func (s *space) value(d *ValueTypeDef) (*Type, error) {
	t := &Type{Kind: d.Kind, Labels: d.Labels}
	if err := checkLabels(d.Labels); err != nil {
		return nil, fmt.Errorf("%s type: %w", d.Kind, err)
	}
	if d.Kind == Own || d.Kind == Borrow {
		e, err := s.resource(d.Type)
		if err != nil {
			return nil, fmt.Errorf("%s type: %w", d.Kind, err)
		}
		t.Resource, t.alias = e.Resource, e.alias
	}
	for _, ref := range d.Refs {
		elem, err := s.optionalRef(ref)
		if err != nil {
			return nil, fmt.Errorf("%s type: %w", d.Kind, err)
		}
		t.Elems = append(t.Elems, elem)
	}
	t.tree = treeOf(t)
	if err := s.work.fits(t.tree); err != nil {
		return nil, err
	}
	return t, t.Check()
}

// treeOf sums up a type whose elements are summed up.
func treeOf(t *Type) tree {
	sum := tree{size: 1 + len(t.Labels), borrows: t.Kind == Borrow, handles: t.Resource != nil}
	for _, e := range t.Elems {
		if e != nil {
			sum.add(e.tree)
		}
	}
	sum.depth++
	return sum
}

func (t *tree) add(e tree) {
	t.size += e.size
	t.depth = max(t.depth, e.depth)
	t.handles = t.handles || e.handles
	t.borrows = t.borrows || e.borrows
}

func (w *work) fits(t tree) error {
	if t.size > w.limits.TypeSizeMax {
		return fmt.Errorf("a type of more than %d parts", w.limits.TypeSizeMax)
	}
	if t.depth > w.limits.TypeDepthMax {
		return fmt.Errorf("more than %d value types in each other", w.limits.TypeDepthMax)
	}
	return nil
}

func (s *space) optionalRef(ref *ValueRef) (*Type, error) {
	if ref == nil {
		return nil, nil
	}
	return s.ref(*ref)
}

// ref resolves a value type where it is used.
func (s *space) ref(ref ValueRef) (*Type, error) {
	if ref.Primitive {
		return &Type{Kind: ref.Kind, tree: tree{size: 1, depth: 1}}, nil
	}
	e, err := s.typeAt(ref.Index)
	if err != nil {
		return nil, err
	}
	if e.Value == nil {
		return nil, fmt.Errorf("type %d is not a value type", ref.Index)
	}
	return e.Value, nil
}

// resource is the resource type of index i.
func (s *space) resource(i uint32) (entity, error) {
	e, err := s.typeAt(i)
	if err == nil && e.Resource == nil {
		err = fmt.Errorf("type %d is not a resource type", i)
	}
	return e, err
}

// function resolves a function type.
func (s *space) function(d *FuncTypeDef) (*FuncType, error) {
	f := &FuncType{Names: d.Names}
	if err := checkLabels(d.Names); err != nil {
		return nil, fmt.Errorf("function type: parameter %w", err)
	}
	var sum tree
	for _, ref := range d.Params {
		t, err := s.ref(ref)
		if err != nil {
			return nil, fmt.Errorf("function type: %w", err)
		}
		f.Params = append(f.Params, t)
		sum.add(t.tree)
	}
	if d.Result != nil {
		t, err := s.ref(*d.Result)
		if err != nil {
			return nil, fmt.Errorf("function type: %w", err)
		}
		if t.tree.borrows {
			return nil, errors.New("function type: a borrow in the result")
		}
		f.Result = t
		sum.add(t.tree)
	}
	return f, s.work.fits(sum)
}
