package plan

import (
	"fmt"

	"github.com/hpmq/hpmq/host/wasm/component"
)

// instanceType is the type of an instance with the scope it was defined in.
type instanceType struct {
	def   *component.InstanceTypeDef
	scope *scope
}

// typeDef resolves a type: what it refers to stands before it, so that there is no recursion.
func (m *maker) typeDef(s *scope, d component.TypeDef) error {
	var t any
	var err error
	switch d := d.(type) {
	case *component.ValueTypeDef:
		t, err = m.valueType(s, d)
	case *component.FuncTypeDef:
		t, err = m.funcType(s, d)
	case *component.ResourceTypeDef:
		t, err = m.resourceType(s, d)
	case *component.InstanceTypeDef:
		t = &instanceType{d, s}
	}
	if err == nil {
		s.add(item{component.TypeSort, t})
	}
	return err
}

func (m *maker) valueType(s *scope, d *component.ValueTypeDef) (*component.Type, error) {
	if err := m.step(len(d.Refs) + len(d.Labels)); err != nil {
		return nil, err
	}
	if !parts(d) {
		return nil, fmt.Errorf("a %s has %d labels and %d types", d.Kind, len(d.Labels),
			len(d.Refs))
	}
	t := &component.Type{Kind: d.Kind, Labels: d.Labels}
	var err error
	if d.Kind == component.Own || d.Kind == component.Borrow {
		t.Resource, err = at[*component.Resource](s, component.TypeSort, d.Type)
		return t, err
	}
	t.Elems = make([]*component.Type, len(d.Refs))
	for i, r := range d.Refs {
		if r == nil {
			continue
		}
		if t.Elems[i], err = s.ref(*r); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// parts says whether a type has as many labels and types as its kind needs.
func parts(d *component.ValueTypeDef) bool {
	labels, refs := len(d.Labels), len(d.Refs)
	switch d.Kind {
	case component.Record, component.Variant:
		return labels == refs && labels > 0
	case component.Flags, component.Enum:
		return labels > 0 && refs == 0
	case component.List, component.Option:
		return labels == 0 && refs == 1
	case component.Result:
		return labels == 0 && refs == 2
	case component.Tuple:
		return labels == 0 && refs > 0
	}
	return labels == 0 && refs == 0
}

// ref resolves a reference to a value type.
func (s *scope) ref(r component.ValueRef) (*component.Type, error) {
	if r.Primitive {
		return &component.Type{Kind: r.Kind}, nil
	}
	return at[*component.Type](s, component.TypeSort, r.Index)
}

func (m *maker) funcType(s *scope, d *component.FuncTypeDef) (*component.FuncType, error) {
	if err := m.step(len(d.Params)); err != nil {
		return nil, err
	}
	if len(d.Names) != len(d.Params) {
		return nil, fmt.Errorf("a function has %d names and %d parameters", len(d.Names),
			len(d.Params))
	}
	f := &component.FuncType{Names: d.Names, Params: make([]*component.Type, len(d.Params))}
	var err error
	for i, p := range d.Params {
		if f.Params[i], err = s.ref(p); err != nil {
			return nil, err
		}
	}
	if d.Result != nil {
		f.Result, err = s.ref(*d.Result)
	}
	return f, err
}

// resourceType makes a fresh one: each instance of a component has its own.
func (m *maker) resourceType(s *scope, d *component.ResourceTypeDef) (*component.Resource, error) {
	dtor, err := s.coreItem(component.CoreFunc, d.Dtor)
	if err != nil {
		return nil, err
	}
	return m.addResource(Resource{Owner: s.owner, Dtor: dtor})
}

func (m *maker) addResource(r Resource) (*component.Resource, error) {
	n := len(m.p.Resources)
	m.p.Resources = append(m.p.Resources, r)
	return &component.Resource{Name: r.Name, ID: n},
		within(n+1, m.limits.ResourcesMax, "resource types", "ResourcesMax")
}

// wanted is an item that a component or the type of an instance declares.
type wanted struct {
	name  string
	sort  component.Sort
	fresh bool // a resource type
	typ   any  // as in item, nil if fresh
}

// wanted resolves the type of an import or export.
func (s *scope) wanted(name string, t component.ExternType) (wanted, error) {
	w := wanted{name: name, sort: t.Sort}
	if t.Sort == component.CoreModule {
		return w, nil
	}
	if t.Sort == component.TypeSort && t.Bound == component.BoundSub {
		w.fresh = true
		return w, nil
	}
	it, err := s.item(component.TypeSort, t.Index)
	w.typ = it.value
	if err == nil && t.Sort == component.Value {
		err = fmt.Errorf("value %q: %w: export a function in its place", name,
			component.ErrNotServed)
	}
	return w, err
}
