package plan

import (
	"fmt"

	"github.com/hpmq/hpmq/host/wasm/component"
)

// source gives what is wanted: the imports of a component, the exports of an instance.
type source func(w wanted) (item, error)

// want asks the source of a scope for an item and adds it.
func (m *maker) want(s *scope, name string, t component.ExternType) error {
	w, err := s.wanted(name, t)
	if err != nil {
		return err
	}
	it, err := s.give(w)
	if err == nil {
		s.add(it)
	}
	return err
}

// exportDecl is an export of an instance whose type is run: somebody gives it.
func (m *maker) exportDecl(s *scope, d *component.ExportDecl) error {
	w, err := s.wanted(d.Name, d.Type)
	if err != nil {
		return err
	}
	it, err := s.give(w)
	if err != nil {
		return err
	}
	s.add(it)
	return s.exports.add(d.Name, it)
}

// from gives what an instance exports, no more of it than is wanted.
func (m *maker) from(in *instance) source {
	return func(w wanted) (item, error) {
		it, ok := in.items[w.name]
		if !ok {
			return item{}, fmt.Errorf("nothing is given for %q", w.name)
		}
		return m.narrow(it, w)
	}
}

// narrow hides of an instance what its type does not have. A component's instances stay as they
// are: they only can show more names.
func (m *maker) narrow(it item, w wanted) (item, error) {
	if it.sort != w.sort {
		return item{}, fmt.Errorf("%q is a %s where a %s is needed", w.name, it.sort,
			w.sort)
	}
	if it.sort != component.Instance {
		return it, nil
	}
	t, ok := w.typ.(*instanceType)
	in, ok2 := it.value.(*instance)
	if !ok || !ok2 {
		return item{}, fmt.Errorf("the type of %q is not that of an instance", w.name)
	}
	seen, err := m.fill(t, m.from(in))
	return item{component.Instance, seen}, err
}

// fill makes an instance of a type with the exports that a source gives.
func (m *maker) fill(t *instanceType, give source) (*instance, error) {
	s := &scope{outer: t.scope, owner: t.scope.owner, give: give, exports: newInstance()}
	for _, d := range t.def.Decls {
		if err := m.define(s, d); err != nil {
			return nil, err
		}
	}
	return s.exports, nil
}

// host gives what the host must have: of instance path, or, at the top, bare.
func (m *maker) host(path string, top bool) source {
	return func(w wanted) (item, error) {
		if err := m.step(1 + len(path)/16); err != nil {
			return item{}, err
		}
		switch w.sort {
		case component.Func:
			f, err := m.importFunc(path, w)
			return item{w.sort, f}, err
		case component.TypeSort:
			t, err := m.importType(path, w)
			return item{w.sort, t}, err
		case component.Instance:
			name := w.name
			if !top {
				name = path + "#" + w.name
			}
			in, err := m.importInstance(name, w)
			return item{w.sort, in}, err
		}
		return item{}, fmt.Errorf("import of %s %q: %w: only another component can give it, "+
			"so compose both to one", w.sort, w.name, component.ErrNotServed)
	}
}

func (m *maker) importFunc(path string, w wanted) (*function, error) {
	t, ok := w.typ.(*component.FuncType)
	if !ok {
		return nil, fmt.Errorf("the type of %q is not that of a function", w.name)
	}
	n := len(m.p.Imports)
	m.p.Imports = append(m.p.Imports, Import{Instance: path, Name: w.name, Type: t})
	return &function{imported: n, typ: t}, m.importsWithin()
}

func (m *maker) importsWithin() error {
	return within(len(m.p.Imports)+len(m.p.ImportedInstances), m.limits.ImportsMax, "imports",
		"ImportsMax")
}

// importType gives a type that the host need not know, or a resource type of the host.
func (m *maker) importType(path string, w wanted) (any, error) {
	if !w.fresh {
		return w.typ, nil
	}
	return m.addResource(Resource{Name: w.name, Import: path + "#" + w.name, Owner: -1})
}

func (m *maker) importInstance(name string, w wanted) (*instance, error) {
	t, ok := w.typ.(*instanceType)
	if !ok {
		return nil, fmt.Errorf("the type of %q is not that of an instance", w.name)
	}
	m.p.ImportedInstances = append(m.p.ImportedInstances, name)
	if err := m.importsWithin(); err != nil {
		return nil, err
	}
	return m.fill(t, m.host(name, false))
}

// export puts what an instance exports into the plan: functions, and instances with theirs. Types
// are for the reader of the component; components and modules nobody can use from outside.
func (m *maker) export(path string, in *instance) error {
	for _, name := range in.names {
		if err := m.step(1 + len(path)/16); err != nil {
			return err
		}
		switch v := in.items[name].value.(type) {
		case *function:
			e := Export{Instance: path, Name: name, Lifted: v.lifted, Import: v.imported}
			m.p.Exports = append(m.p.Exports, e)
		case *instance:
			full := name
			if path != "" {
				full = path + "#" + name
			}
			m.p.ExportedInstances = append(m.p.ExportedInstances, full)
			if err := m.export(full, v); err != nil {
				return err
			}
		}
		n := len(m.p.Exports) + len(m.p.ExportedInstances)
		if err := within(n, m.limits.ExportsMax, "exports", "ExportsMax"); err != nil {
			return err
		}
	}
	return nil
}
