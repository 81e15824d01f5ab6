package component

import (
	"errors"
	"fmt"
)

// space is the types of one component, or of the declarations of a type, in the order of their
// indices: each definition, alias, import and export that adds a type to the index space adds one
// here.
type space struct {
	kind      spaceKind
	outer     *space
	work      *work
	types     []entity
	coreTypes []coreType
	bound     *binder
	// instances are those that types can be aliased from.
	instances []*instanceType
	imports   *side
	exports   *side
}

type spaceKind byte

const (
	ofComponent spaceKind = iota
	ofComponentType
	ofInstanceType
)

// coreType is one of both.
type coreType struct {
	fn     *CoreFuncType
	module *CoreModuleType
}

// rootSpace begins the space of the outermost component.
func rootSpace(l Limits) *space {
	return newSpace(nil, ofComponent, &work{limits: l})
}

// nestedSpace begins the space of a component that stands in the one of s.
func (s *space) nestedSpace() *space { return newSpace(s, ofComponent, s.work) }

func newSpace(outer *space, k spaceKind, w *work) *space {
	return &space{kind: k, outer: outer, work: w, bound: &binder{},
		imports: newSide("import"), exports: newSide("export")}
}

// add appends a type that an alias, import or export adds. It must be of TypeSort.
func (s *space) add(e entity) { s.types = append(s.types, e) }

// typeAt is the type of index i.
func (s *space) typeAt(i uint32) (entity, error) {
	return at(s.types, TypeSort, i)
}

// out is the space count levels out, 0 for s itself.
func (s *space) out(count uint32) (*space, error) {
	at := s
	for range count {
		if at = at.outer; at == nil {
			return nil, fmt.Errorf("outer alias %d levels out: there are fewer", count)
		}
	}
	return at, nil
}

// outerType is the type that an outer alias means. Types that refer to resources do not cross the
// border of a component.
func (s *space) outerType(count, i uint32) (entity, error) {
	at, err := s.out(count)
	if err != nil {
		return entity{}, err
	}
	e, err := at.typeAt(i)
	if err != nil {
		return entity{}, err
	}
	for ; s != at; s = s.outer {
		if s.kind == ofComponent && s.work.refersOut(e) {
			return entity{}, errors.New("outer alias of a type that refers to resources: " +
				"they differ by instance, import the type instead")
		}
	}
	return e, s.work.over()
}

func (s *space) coreType(i uint32) (coreType, error) {
	return at(s.coreTypes, CoreType, i)
}

// defineType resolves a type and appends it.
func (s *space) defineType(d TypeDef) error {
	e, err := s.resolve(d)
	if err != nil {
		return err
	}
	s.add(e)
	return s.work.over()
}

func (s *space) resolve(d TypeDef) (entity, error) {
	e := entity{Sort: TypeSort}
	var err error
	switch d := d.(type) {
	case *ValueTypeDef:
		e.Value, err = s.value(d)
	case *FuncTypeDef:
		e.Func, err = s.function(d)
	case *ComponentTypeDef:
		e.Component, err = s.componentType(d)
	case *InstanceTypeDef:
		e.Instance, err = s.instanceType(d)
	case *ResourceTypeDef:
		if s.kind != ofComponent {
			return e, errors.New("a resource is defined in a type: only components define them")
		}
		e.Resource, e.alias = &Resource{bound: s.bound, local: true}, s.work.newAlias()
	}
	return e, err
}

func (s *space) componentType(d *ComponentTypeDef) (*componentType, error) {
	in := newSpace(s, ofComponentType, s.work)
	if err := in.declare(d.Decls); err != nil {
		return nil, fmt.Errorf("component type: %w", err)
	}
	t := newComponentType(in.imports.list, in.exports.list, in.bound)
	return t, s.work.deep(t.depth)
}

func (s *space) instanceType(d *InstanceTypeDef) (*instanceType, error) {
	in := newSpace(s, ofInstanceType, s.work)
	if err := in.declare(d.Decls); err != nil {
		return nil, fmt.Errorf("instance type: %w", err)
	}
	t := newInstanceType(in.exports.list, in.bound)
	return t, s.work.deep(t.depth)
}

func (w *work) deep(depth int) error {
	if depth > w.limits.NestingMax {
		return fmt.Errorf("more than %d instances and components in each other",
			w.limits.NestingMax)
	}
	return nil
}

func (s *space) declare(decls []Def) error {
	for _, d := range decls {
		var err error
		switch d := d.(type) {
		case *DefType:
			err = s.defineType(d.Type)
		case *DefCoreType:
			err = s.defineCore(d)
		case *DefAlias:
			err = s.aliasDecl(d)
		case *DefImport:
			err = s.declareExtern(s.imports, d.Name, d.Type)
		case *ExportDecl:
			err = s.declareExtern(s.exports, d.Name, d.Type)
		}
		if err != nil {
			return err
		}
	}
	return s.work.over()
}

// aliasDecl adds what an alias within a type means.
func (s *space) aliasDecl(d *DefAlias) error {
	if d.Kind == AliasExport {
		t, err := at(s.instances, Instance, d.Instance)
		if err != nil {
			return err
		}
		e, err := exportOf(t, d)
		if err != nil {
			return err
		}
		s.append(e)
		return nil
	}
	if d.Sort == CoreType {
		return s.aliasCoreType(d.Count, d.Index)
	}
	e, err := s.outerType(d.Count, d.Index)
	s.append(e)
	return err
}

// exportOf is what an instance exports for an alias.
func exportOf(t *instanceType, d *DefAlias) (entity, error) {
	e, ok := t.export(d.Name)
	if !ok {
		return e, fmt.Errorf("alias: the instance exports no %q", d.Name)
	}
	if e.Sort != d.Sort {
		return e, fmt.Errorf("alias: the instance exports %q as %s, not as %s", d.Name, e.Sort,
			d.Sort)
	}
	return e, nil
}

// append adds an item of those sorts that a type can refer to.
func (s *space) append(e entity) {
	switch e.Sort {
	case TypeSort:
		s.types = append(s.types, e)
	case Instance:
		s.instances = append(s.instances, e.Instance)
	}
}

// declareExtern adds an import or export of a type.
func (s *space) declareExtern(to *side, name string, t ExternType) error {
	e, err := s.extern(t, s.bound)
	if err == nil && to == s.imports {
		err = s.notExported(t)
	}
	if err == nil {
		err = s.name(to, name, e)
	}
	if err != nil {
		return fmt.Errorf("%s %q: %w", to.what, name, err)
	}
	s.append(e)
	return nil
}

// extern resolves a type of an import or export; resources that it brings belong to b.
func (s *space) extern(t ExternType, b *binder) (entity, error) {
	if t.Sort == TypeSort && t.Bound == BoundSub {
		return entity{Sort: TypeSort, Resource: &Resource{bound: b}, alias: s.work.newAlias()}, nil
	}
	if t.Sort == CoreModule {
		c, err := s.coreType(t.Index)
		if err == nil && c.module == nil {
			err = fmt.Errorf("core type %d is not a module type", t.Index)
		}
		return entity{Sort: CoreModule, Module: c.module}, err
	}
	e, err := s.typeAt(t.Index)
	if err != nil {
		return e, err
	}
	switch {
	case t.Sort == TypeSort:
		return s.work.renamed(e), nil
	case t.Sort == Func && e.Func != nil:
		return entity{Sort: Func, Func: e.Func}, nil
	case t.Sort == ComponentSort && e.Component != nil:
		return entity{Sort: ComponentSort, Component: e.Component}, nil
	case t.Sort == Instance && e.Instance != nil:
		return entity{Sort: Instance, Instance: s.work.open(e.Instance, b)}, nil
	}
	return e, fmt.Errorf("type %d is not of the sort %s", t.Index, t.Sort)
}

// renamed is the same type under a name of its own.
func (w *work) renamed(e entity) entity {
	switch {
	case e.Value != nil:
		v := e.Value
		e.Value = &Type{Kind: v.Kind, Labels: v.Labels, Elems: v.Elems, Resource: v.Resource,
			tree: v.tree, alias: v.alias}
	case e.Resource != nil:
		e.alias = w.newAlias()
	}
	return e
}
