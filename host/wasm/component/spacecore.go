package component

import (
	"errors"
	"fmt"
)

// defineCore resolves a core type and appends it.
func (s *space) defineCore(d *DefCoreType) error {
	if d.Module != nil && d.Module.decls != nil {
		if err := s.moduleType(d.Module); err != nil {
			return fmt.Errorf("core module type: %w", err)
		}
	}
	s.coreTypes = append(s.coreTypes, coreType{fn: d.Func, module: d.Module})
	return nil
}

// aliasCoreType appends the core type of an outer alias.
func (s *space) aliasCoreType(count, i uint32) error {
	at, err := s.out(count)
	if err != nil {
		return err
	}
	t, err := at.coreType(i)
	if err != nil {
		return err
	}
	s.coreTypes = append(s.coreTypes, t)
	return nil
}

// moduleType makes imports and exports of the declarations of a module type, once: Decode does,
// and whoever walks the definitions after it may do so at any time.
func (s *space) moduleType(t *CoreModuleType) error {
	var m CoreModuleType
	var types []*CoreFuncType
	for i := range t.decls {
		d := &t.decls[i]
		switch d.kind {
		case coreDeclType:
			types = append(types, d.typ)
		case coreDeclAlias:
			f, err := s.aliasedFunc(d, types)
			if err != nil {
				return err
			}
			types = append(types, f)
		default:
			if err := m.declare(d, types); err != nil {
				return err
			}
		}
	}
	*t = m
	return m.unique()
}

// aliasedFunc is the function type that an alias in a module type means.
func (s *space) aliasedFunc(d *coreDecl, types []*CoreFuncType) (*CoreFuncType, error) {
	count, i := d.outer[0], d.outer[1]
	if count == 0 {
		return at(types, CoreType, i)
	}
	at, err := s.out(count - 1)
	if err != nil {
		return nil, err
	}
	t, err := at.coreType(i)
	if err == nil && t.fn == nil {
		err = errors.New("alias of a module type within a module type")
	}
	return t.fn, err
}

// declare adds an import or export.
func (t *CoreModuleType) declare(d *coreDecl, types []*CoreFuncType) error {
	e := d.extern
	if e.Sort == CoreFunc {
		f, err := at(types, CoreType, d.index)
		if err != nil {
			return err
		}
		e.Func = *f
	}
	if d.kind == coreDeclImport {
		t.Imports = append(t.Imports, CoreImport{Module: d.module, CoreExtern: e})
	} else {
		t.Exports = append(t.Exports, e)
	}
	return nil
}

// unique refuses imports and exports of a module that have the same name: by name alone one can
// not be told from the other.
func (t *CoreModuleType) unique() error {
	imports := make(map[[2]string]bool, len(t.Imports))
	for _, i := range t.Imports {
		key := [2]string{i.Module, i.Name}
		if imports[key] {
			return fmt.Errorf("import %q %q is there twice", i.Module, i.Name)
		}
		imports[key] = true
	}
	exports := make(map[string]bool, len(t.Exports))
	for _, e := range t.Exports {
		if exports[e.Name] {
			return fmt.Errorf("export %q is there twice", e.Name)
		}
		exports[e.Name] = true
	}
	return nil
}
