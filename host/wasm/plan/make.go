package plan

import (
	"crypto/sha256"
	"fmt"

	"github.com/hpmq/hpmq/host/wasm/component"
)

// Make puts the nested components of c in line. It runs the definitions once, with instances that
// exist at that time only, as an instantiation would: a nested component is run where it is
// instantiated, as often as it is. c should be valid (component.Decode sees to it); one that is
// not gives an error or a plan that an engine refuses, never a panic. The plan shares the code of
// the core modules with c.
func Make(c *component.Component, l Limits) (*Plan, error) {
	m := &maker{
		p:       &Plan{},
		limits:  l,
		modules: map[*component.DefCoreModule]int{},
		digests: map[[sha256.Size]byte]int{},
	}
	root, err := m.instantiate(&closure{component: c}, m.host("", true))
	if err == nil {
		err = m.export("", root)
	}
	if err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	return m.p, nil
}

// maker is one run of Make.
type maker struct {
	p       *Plan
	limits  Limits
	steps   int
	modules map[*component.DefCoreModule]int // indices of Plan.Modules
	digests map[[sha256.Size]byte]int
	imports [][]component.CoreImport // by index of Plan.Modules
}

// step counts work, so that every loop here ends soon.
func (m *maker) step(n int) error {
	m.steps += n
	return within(m.steps, m.limits.StepsMax, "definitions once nested components are in line",
		"StepsMax")
}

// closure is a component with the scope it was defined in.
type closure struct {
	component *component.Component
	scope     *scope
}

// instance is a component instance: what it exports, in order.
type instance struct {
	names []string
	items map[string]item
}

// item is a thing with its sort. Of the sorts, the values are:
//
//	CoreFunc, CoreTable, CoreMemory, CoreGlobal   CoreDef
//	CoreModule     *component.DefCoreModule
//	CoreInstance   *coreInstance
//	CoreType       nil: nothing here depends on one
//	Func           *function
//	TypeSort       *component.Type, *component.FuncType, *component.Resource, *instanceType, or
//	               nil for the type of a component
//	ComponentSort  *closure
//	Instance       *instance
type item struct {
	sort  component.Sort
	value any
}

func (i *instance) add(name string, it item) error {
	if _, ok := i.items[name]; ok {
		return fmt.Errorf("%q is exported twice", name)
	}
	i.names = append(i.names, name)
	i.items[name] = it
	return nil
}

func newInstance() *instance { return &instance{items: map[string]item{}} }

// instantiate runs the definitions of a component; give answers its imports.
func (m *maker) instantiate(c *closure, give source) (*instance, error) {
	m.p.Components++
	err := within(m.p.Components, m.limits.ComponentsMax, "component instances", "ComponentsMax")
	if err != nil {
		return nil, err
	}
	s := &scope{outer: c.scope, owner: m.p.Components - 1, give: give, exports: newInstance()}
	for _, d := range c.component.Defs {
		if err := m.define(s, d); err != nil {
			return nil, err
		}
	}
	return s.exports, nil
}

// define runs one definition.
func (m *maker) define(s *scope, d component.Def) error {
	if err := m.step(1); err != nil {
		return err
	}
	switch d := d.(type) {
	case *component.DefCoreModule:
		s.add(item{component.CoreModule, d})
	case *component.DefCoreType:
		s.add(item{component.CoreType, nil})
	case *component.DefComponent:
		s.add(item{component.ComponentSort, &closure{d.Component, s}})
	case *component.DefCoreInstance:
		return m.coreInstance(s, d)
	case *component.DefInstance:
		return m.instance(s, d)
	case *component.DefAlias:
		return s.alias(d)
	case *component.DefType:
		return m.typeDef(s, d.Type)
	case *component.DefCanon:
		return m.canon(s, d)
	case *component.DefImport:
		return m.want(s, d.Name, d.Type)
	case *component.ExportDecl:
		return m.exportDecl(s, d)
	case *component.DefExport:
		return m.defExport(s, d)
	default:
		return fmt.Errorf("definition %T is not served", d)
	}
	return nil
}

// instance makes a component instance: of items at hand, or of a component.
func (m *maker) instance(s *scope, d *component.DefInstance) error {
	if d.Inline {
		in, err := m.bag(s, d.Exports)
		if err == nil {
			s.add(item{component.Instance, in})
		}
		return err
	}
	c, err := at[*closure](s, component.ComponentSort, d.Component)
	if err != nil {
		return err
	}
	args, err := m.bag(s, d.Args)
	if err != nil {
		return err
	}
	in, err := m.instantiate(c, m.from(args))
	if err != nil {
		return err
	}
	s.add(item{component.Instance, in})
	return nil
}

// bag makes an instance of items at hand.
func (m *maker) bag(s *scope, args []component.Arg) (*instance, error) {
	if err := m.step(len(args)); err != nil {
		return nil, err
	}
	out := newInstance()
	for _, a := range args {
		it, err := s.item(a.Sort, a.Index)
		if err != nil {
			return nil, err
		}
		if err := out.add(a.Name, it); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// defExport exports an item, which is there once more after it: as what it is ascribed to be.
func (m *maker) defExport(s *scope, d *component.DefExport) error {
	it, err := s.item(d.Sort, d.Index)
	if err != nil {
		return err
	}
	if d.Type != nil {
		w, err := s.wanted(d.Name, *d.Type)
		if err != nil {
			return err
		}
		if it, err = m.narrow(it, w); err != nil {
			return err
		}
	}
	if r, ok := it.value.(*component.Resource); ok {
		m.name(r, d.Name)
	}
	s.add(it)
	return s.exports.add(d.Name, it)
}

// name gives a resource type the first name that it is known by.
func (m *maker) name(r *component.Resource, name string) {
	if r.Name == "" {
		r.Name = name
		m.p.Resources[r.ID].Name = name
	}
}
