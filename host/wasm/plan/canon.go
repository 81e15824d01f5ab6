package plan

import (
	"fmt"

	"github.com/hpmq/hpmq/host/wasm/component"
)

// function is a component function: lifted by an instance, or Plan.Imports[imported].
type function struct {
	lifted   *Lifted
	imported int
	typ      *component.FuncType
}

func (m *maker) canon(s *scope, d *component.DefCanon) error {
	switch d.Kind {
	case component.CanonLift:
		return m.lift(s, d)
	case component.CanonLower:
		return m.lower(s, d)
	case component.CanonResourceNew, component.CanonResourceRep, component.CanonResourceDrop:
		return m.resource(s, d)
	}
	return fmt.Errorf("canonical definition %d is not served", d.Kind)
}

func (m *maker) lift(s *scope, d *component.DefCanon) error {
	core, err := at[CoreDef](s, component.CoreFunc, d.Func)
	if err != nil {
		return err
	}
	t, err := at[*component.FuncType](s, component.TypeSort, d.Type)
	if err != nil {
		return err
	}
	o, err := s.options(d.Options)
	if err != nil {
		return err
	}
	l := &Lifted{Core: core, Type: t, Options: o, Callee: s.owner}
	s.add(item{component.Func, &function{lifted: l, imported: -1, typ: t}})
	return nil
}

func (m *maker) lower(s *scope, d *component.DefCanon) error {
	f, err := at[*function](s, component.Func, d.Func)
	if err != nil {
		return err
	}
	o, err := s.options(d.Options)
	if err != nil {
		return err
	}
	t := Trampoline{Kind: LowerImport, Type: f.typ, Options: o, Import: f.imported}
	if f.lifted != nil {
		t.Kind, t.Lifted = LowerLifted, f.lifted
	}
	return m.trampoline(s, t)
}

func (m *maker) resource(s *scope, d *component.DefCanon) error {
	r, err := at[*component.Resource](s, component.TypeSort, d.Type)
	if err != nil {
		return err
	}
	t := Trampoline{Kind: ResourceDrop, Resource: r.ID, Import: -1}
	switch d.Kind {
	case component.CanonResourceNew:
		t.Kind = ResourceNew
	case component.CanonResourceRep:
		t.Kind = ResourceRep
	}
	return m.trampoline(s, t)
}

// trampoline adds one, with the core function that it is.
func (m *maker) trampoline(s *scope, t Trampoline) error {
	t.Caller = s.owner
	n := len(m.p.Trampolines)
	m.p.Trampolines = append(m.p.Trampolines, t)
	s.add(item{component.CoreFunc, CoreDef{Sort: component.CoreFunc, Instance: -1, Trampoline: n}})
	return within(n+1, m.limits.TrampolinesMax, "functions lowered", "TrampolinesMax")
}

func (s *scope) options(o component.Options) (Options, error) {
	out := Options{Encoding: o.Encoding}
	var err error
	if out.Memory, err = s.coreItem(component.CoreMemory, o.Memory); err != nil {
		return out, err
	}
	if out.Realloc, err = s.coreItem(component.CoreFunc, o.Realloc); err != nil {
		return out, err
	}
	out.PostReturn, err = s.coreItem(component.CoreFunc, o.PostReturn)
	return out, err
}

// coreItem is item i, nil for none.
func (s *scope) coreItem(sort component.Sort, i *uint32) (*CoreDef, error) {
	if i == nil {
		return nil, nil
	}
	d, err := at[CoreDef](s, sort, *i)
	return &d, err
}
