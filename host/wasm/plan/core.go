package plan

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/hpmq/hpmq/host/wasm/component"
)

// coreInstance is Plan.Instances[index], or, if index is -1, a bag of items.
type coreInstance struct {
	index int
	items map[string]CoreDef
}

func (c *coreInstance) export(name string, sort component.Sort) (CoreDef, error) {
	if sort > component.CoreGlobal {
		return CoreDef{}, fmt.Errorf("core instances export no %s", sort)
	}
	if c.index >= 0 {
		return CoreDef{Sort: sort, Instance: c.index, Name: name}, nil
	}
	d, ok := c.items[name]
	if !ok || d.Sort != sort {
		return CoreDef{}, fmt.Errorf("a core instance has no %s %q", sort, name)
	}
	return d, nil
}

func (m *maker) coreInstance(s *scope, d *component.DefCoreInstance) error {
	var in *coreInstance
	var err error
	if d.Inline {
		in, err = m.coreBag(s, d.Exports)
	} else {
		in, err = m.coreModuleInstance(s, d)
	}
	if err == nil {
		s.add(item{component.CoreInstance, in})
	}
	return err
}

func (m *maker) coreBag(s *scope, exports []component.CoreExport) (*coreInstance, error) {
	if err := m.step(len(exports)); err != nil {
		return nil, err
	}
	in := &coreInstance{index: -1, items: map[string]CoreDef{}}
	for _, e := range exports {
		d, err := at[CoreDef](s, e.Sort, e.Index)
		if err != nil {
			return nil, err
		}
		in.items[e.Name] = d
	}
	return in, nil
}

// coreModuleInstance adds an instance of a module to the plan.
func (m *maker) coreModuleInstance(s *scope, d *component.DefCoreInstance) (*coreInstance, error) {
	code, err := at[*component.DefCoreModule](s, component.CoreModule, d.Module)
	if err != nil {
		return nil, err
	}
	module, err := m.module(code)
	if err != nil {
		return nil, err
	}
	args := map[string]*coreInstance{}
	for _, a := range d.Args {
		in, err := at[*coreInstance](s, component.CoreInstance, a.Instance)
		if err != nil {
			return nil, err
		}
		args[a.Name] = in
	}
	made := Instance{Module: module}
	if made.Args, err = m.coreArgs(module, args); err != nil {
		return nil, err
	}
	m.p.Instances = append(m.p.Instances, made)
	n := len(m.p.Instances)
	return &coreInstance{index: n - 1},
		within(n, m.limits.CoreInstancesMax, "core instances", "CoreInstancesMax")
}

func (m *maker) coreArgs(module int, args map[string]*coreInstance) ([]Arg, error) {
	wants := m.imports[module]
	if err := m.step(len(args) + len(wants)); err != nil {
		return nil, err
	}
	out := make([]Arg, 0, len(wants))
	for _, w := range wants {
		in := args[w.Module]
		if in == nil {
			return nil, fmt.Errorf("a core module is given nothing to import from %q", w.Module)
		}
		d, err := in.export(w.Name, w.Sort)
		if err != nil {
			return nil, err
		}
		out = append(out, Arg{Module: w.Module, Name: w.Name, Def: d})
	}
	return out, nil
}

// module gives the index of a core module in the plan, adding it where it is new.
func (m *maker) module(d *component.DefCoreModule) (int, error) {
	if i, ok := m.modules[d]; ok {
		return i, nil
	}
	digest := sha256.Sum256(d.Code)
	i, ok := m.digests[digest]
	if !ok {
		if d.Type == nil {
			return 0, errors.New("a core module whose imports were not read")
		}
		i = len(m.p.Modules)
		m.p.Modules = append(m.p.Modules, d.Code)
		m.imports = append(m.imports, d.Type.Imports)
		m.digests[digest] = i
	}
	m.modules[d] = i
	return i, nil
}
