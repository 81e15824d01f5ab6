package component

import (
	"errors"
	"fmt"
)

// checker validates one component: it walks the definitions with all index spaces.
type checker struct {
	*space
	outer      *checker
	budget     *budget
	funcs      []*FuncType
	components []*componentType
	modules    []*CoreModuleType
	// core items are by core sort.
	core          [4][]CoreExtern
	coreInstances []map[string]CoreExtern
	// local resources are defined by this component.
	local map[*Resource]bool
}

// check validates the outermost component.
func check(c *Component, b *budget) error {
	k := &checker{space: rootSpace(b.limits), budget: b, local: map[*Resource]bool{}}
	_, err := k.component(c)
	return err
}

// component validates c in the spaces of k, which are empty, and answers its type.
func (k *checker) component(c *Component) (*componentType, error) {
	for i, d := range c.Defs {
		err := k.define(d)
		if err == nil {
			err = k.work.over()
		}
		if err != nil {
			return nil, fmt.Errorf("definition %d, %s: %w", i, describeDef(d), err)
		}
	}
	t := newComponentType(k.imports.list, k.exports.list, k.bound)
	return t, k.work.deep(t.depth)
}

// describeDef says in messages which definition it is.
func describeDef(d Def) string {
	switch d := d.(type) {
	case *DefCoreModule:
		return "core module"
	case *DefCoreInstance:
		return "core instance"
	case *DefCoreType:
		return "core type"
	case *DefComponent:
		return "component"
	case *DefInstance:
		return "instance"
	case *DefAlias:
		return fmt.Sprintf("alias of %s %q", d.Sort, d.Name)
	case *DefType:
		return "type"
	case *DefCanon:
		return "canon " + d.Kind.String()
	case *DefImport:
		return fmt.Sprintf("import %q", d.Name)
	case *DefExport:
		return fmt.Sprintf("export %q", d.Name)
	}
	return "declaration"
}

// String is the definition as the text format has it.
func (k CanonKind) String() string {
	return [...]string{"lift", "lower", "resource.new", "resource.drop", "resource.rep"}[k]
}

func (k *checker) define(d Def) error {
	switch d := d.(type) {
	case *DefCoreModule:
		t, err := readCoreModule(d.Code, k.budget)
		d.Type = t
		k.modules = append(k.modules, t)
		return err
	case *DefCoreInstance:
		return k.coreInstance(d)
	case *DefCoreType:
		return k.defineCore(d)
	case *DefComponent:
		return k.nested(d.Component)
	case *DefInstance:
		return k.instance(d)
	case *DefAlias:
		return k.alias(d)
	case *DefType:
		return k.defType(d)
	case *DefCanon:
		return k.canon(d)
	case *DefImport:
		return k.importExtern(d)
	case *DefExport:
		return k.export(d)
	}
	return errors.New("is only allowed within a type")
}

func (k *checker) nested(c *Component) error {
	in := &checker{space: k.nestedSpace(), outer: k, budget: k.budget, local: map[*Resource]bool{}}
	t, err := in.component(c)
	k.components = append(k.components, t)
	return err
}

func (k *checker) defType(d *DefType) error {
	r, ok := d.Type.(*ResourceTypeDef)
	if ok && r.Dtor != nil {
		f, err := k.coreItem(CoreFunc, *r.Dtor)
		if err != nil {
			return err
		}
		if want := (CoreFuncType{Params: []byte{coreI32}}); !f.Func.equal(want) {
			return fmt.Errorf("the destructor is %s, not %s", f.Func, want)
		}
	}
	if err := k.defineType(d.Type); err != nil {
		return err
	}
	if ok {
		k.local[k.types[len(k.types)-1].Resource] = true
	}
	return nil
}

// item is what an index refers to.
func (k *checker) item(s Sort, i uint32) (entity, error) {
	e := entity{Sort: s}
	var err error
	switch s {
	case CoreModule:
		e.Module, err = at(k.modules, s, i)
	case Func:
		e.Func, err = at(k.funcs, s, i)
	case TypeSort:
		return k.typeAt(i)
	case ComponentSort:
		e.Component, err = at(k.components, s, i)
	case Instance:
		e.Instance, err = at(k.instances, s, i)
	default:
		err = fmt.Errorf("no %s crosses the border of a component", s)
	}
	return e, err
}

// at is item i of an index space.
func at[T any](list []T, s Sort, i uint32) (T, error) {
	if int64(i) >= int64(len(list)) {
		var none T
		return none, fmt.Errorf("%s %d of %d: index out of bounds", s, i, len(list))
	}
	return list[i], nil
}

// append adds an item to the index space of its sort.
func (k *checker) append(e entity) {
	switch e.Sort {
	case CoreModule:
		k.modules = append(k.modules, e.Module)
	case Func:
		k.funcs = append(k.funcs, e.Func)
	case ComponentSort:
		k.components = append(k.components, e.Component)
	default:
		k.space.append(e)
	}
}

func (k *checker) alias(d *DefAlias) error {
	switch d.Kind {
	case AliasExport:
		t, err := at(k.instances, Instance, d.Instance)
		if err != nil {
			return err
		}
		e, err := exportOf(t, d)
		k.append(e)
		return err
	case AliasCoreExport:
		return k.aliasCore(d)
	}
	return k.aliasOuter(d)
}

func (k *checker) aliasOuter(d *DefAlias) error {
	switch d.Sort {
	case TypeSort:
		e, err := k.outerType(d.Count, d.Index)
		k.add(e)
		return err
	case CoreType:
		return k.aliasCoreType(d.Count, d.Index)
	}
	from := k
	for range d.Count {
		if from = from.outer; from == nil {
			return fmt.Errorf("outer alias %d levels out: there are fewer", d.Count)
		}
	}
	e, err := from.item(d.Sort, d.Index)
	k.append(e)
	return err
}

func (k *checker) importExtern(d *DefImport) error {
	e, err := k.extern(d.Type, k.bound)
	if err == nil {
		err = k.notExported(d.Type)
	}
	if err != nil {
		return err
	}
	k.append(e)
	if err := k.name(k.imports, d.Name, e); err != nil {
		return err
	}
	if k.work.refersLocal(e, k.bound) {
		return errors.New("refers to a resource that this component makes itself: who " +
			"instantiates it cannot give that")
	}
	return nil
}

// export adds the item once more, under its name: as the type that is ascribed, if one is.
func (k *checker) export(d *DefExport) error {
	e, err := k.item(d.Sort, d.Index)
	if err != nil {
		return err
	}
	e = k.work.renamed(e)
	if d.Type != nil {
		if e, err = k.ascribed(e, *d.Type); err != nil {
			return err
		}
	}
	k.append(e)
	return k.name(k.exports, d.Name, e)
}

// ascribed is e as the wider type t. What t leaves open is a resource of its own from then on.
func (k *checker) ascribed(e entity, t ExternType) (entity, error) {
	m := newMatcher(k.work)
	want, err := k.extern(t, m.vars)
	if err != nil {
		return e, err
	}
	if err := m.extern(e, want); err != nil {
		return e, fmt.Errorf("is not of the type it is given: %w", err)
	}
	s := newSubst(k.work, m.vars, k.bound)
	s.local = true
	return s.extern(want), nil
}
