package component

import (
	"errors"
	"fmt"
)

func (k *checker) instance(d *DefInstance) error {
	make := k.instantiate
	if d.Inline {
		make = k.inline
	}
	t, err := make(d)
	if err != nil {
		return err
	}
	k.instances = append(k.instances, t)
	return k.work.deep(t.depth)
}

// inline is an instance of items that are there.
func (k *checker) inline(d *DefInstance) (*instanceType, error) {
	names := newSide("export")
	for _, x := range d.Exports {
		e, err := k.item(x.Sort, x.Index)
		if err == nil {
			err = names.admit(x.Name, e)
		}
		if err != nil {
			return nil, fmt.Errorf("export %q: %w", x.Name, err)
		}
		names.list = append(names.list, named{Name: x.Name, entity: e})
	}
	return newInstanceType(names.list, nil), nil
}

// instantiate checks the arguments, each in the place of an import from then on, and answers what
// the new instance exports, with resources of its own.
func (k *checker) instantiate(d *DefInstance) (*instanceType, error) {
	t, err := at(k.components, ComponentSort, d.Component)
	if err != nil {
		return nil, err
	}
	args, err := k.args(d)
	if err != nil {
		return nil, err
	}
	m := newMatcher(k.work)
	s := newSubst(k.work, t.bound, m.vars)
	for _, n := range t.imports {
		arg, ok := args[n.Name]
		if !ok {
			return nil, fmt.Errorf("import %q of the component is not given", n.Name)
		}
		if err := m.extern(arg, s.extern(n.entity)); err != nil {
			return nil, fmt.Errorf("argument %q: %w", n.Name, err)
		}
		s.give(n.entity, arg)
		s.forget()
	}
	s.into, s.local = k.bound, true
	return newInstanceType(s.list(t.exports), nil), k.work.over()
}

// args resolves arguments. Names that the component does not import are let be.
func (k *checker) args(d *DefInstance) (map[string]entity, error) {
	args := make(map[string]entity, len(d.Args))
	for _, a := range d.Args {
		if _, ok := args[a.Name]; ok {
			return nil, fmt.Errorf("argument %q is there twice", a.Name)
		}
		e, err := k.item(a.Sort, a.Index)
		if err != nil {
			return nil, fmt.Errorf("argument %q: %w", a.Name, err)
		}
		args[a.Name] = e
	}
	return args, nil
}

func (k *checker) coreInstance(d *DefCoreInstance) error {
	made := k.coreInstantiate
	if d.Inline {
		made = k.coreInline
	}
	exports, err := made(d)
	k.coreInstances = append(k.coreInstances, exports)
	return err
}

func (k *checker) coreInline(d *DefCoreInstance) (map[string]CoreExtern, error) {
	exports := make(map[string]CoreExtern, len(d.Exports))
	for _, x := range d.Exports {
		if _, ok := exports[x.Name]; ok {
			return nil, fmt.Errorf("export %q is there twice", x.Name)
		}
		e, err := k.coreItem(x.Sort, x.Index)
		if err != nil {
			return nil, fmt.Errorf("export %q: %w", x.Name, err)
		}
		e.Name = x.Name
		exports[x.Name] = e
	}
	return exports, nil
}

// coreItem is what an index of one of the first four sorts refers to.
func (k *checker) coreItem(s Sort, i uint32) (CoreExtern, error) {
	if s > CoreGlobal {
		return CoreExtern{}, fmt.Errorf("core instances export no %s", s)
	}
	return at(k.core[s], s, i)
}

func (k *checker) aliasCore(d *DefAlias) error {
	exports, err := at(k.coreInstances, CoreInstance, d.Instance)
	if err != nil {
		return err
	}
	e, ok := exports[d.Name]
	if !ok {
		return errors.New("the core instance exports no such name")
	}
	if e.Sort != d.Sort {
		return fmt.Errorf("the core instance exports it as %s", e.Sort)
	}
	k.core[d.Sort] = append(k.core[d.Sort], e)
	return nil
}

// coreInstantiate finds each import of the module among the arguments.
func (k *checker) coreInstantiate(d *DefCoreInstance) (map[string]CoreExtern, error) {
	t, err := at(k.modules, CoreModule, d.Module)
	if err != nil {
		return nil, err
	}
	args, err := k.coreArgs(d)
	if err != nil {
		return nil, err
	}
	for _, i := range t.Imports {
		exports, ok := args[i.Module]
		if !ok {
			return nil, fmt.Errorf("imports from %q are not given", i.Module)
		}
		e, ok := exports[i.Name]
		if !ok {
			return nil, fmt.Errorf("import %q %q is not given", i.Module, i.Name)
		}
		if err := matchCore(&e, &i.CoreExtern); err != nil {
			return nil, fmt.Errorf("import %q %q: %w", i.Module, i.Name, err)
		}
	}
	k.work.steps += len(t.Imports) + len(t.Exports)
	return coreExports(t.Exports), k.work.over()
}

func (k *checker) coreArgs(d *DefCoreInstance) (map[string]map[string]CoreExtern, error) {
	args := make(map[string]map[string]CoreExtern, len(d.Args))
	for _, a := range d.Args {
		if _, ok := args[a.Name]; ok {
			return nil, fmt.Errorf("argument %q is there twice", a.Name)
		}
		exports, err := at(k.coreInstances, CoreInstance, a.Instance)
		if err != nil {
			return nil, fmt.Errorf("argument %q: %w", a.Name, err)
		}
		args[a.Name] = exports
	}
	return args, nil
}
