package component

import (
	"errors"
	"fmt"
)

// side is the imports or the exports of a component or type, and what is visible by them from
// outside: resources, records, variants, enums and flags must have a name there before an import
// or export may refer to them.
type side struct {
	what  string
	list  []named
	names nameSet
	// resources at the top level, by their name.
	resources map[string]handle
	resNames  map[handle]string
	types     map[*Type]bool
	handles   map[handle]bool
	// within is the side that a type stands on: what is visible there is visible here.
	within *side
}

func newSide(what string) *side {
	return &side{what: what, names: nameSet{}, resources: map[string]handle{},
		resNames: map[handle]string{}, types: map[*Type]bool{}, handles: map[handle]bool{}}
}

// name adds an import or export to its side.
func (s *space) name(to *side, name string, e entity) error {
	if err := to.admit(name, e); err != nil {
		return err
	}
	to.list = append(to.list, named{Name: name, entity: e})
	if e.Sort == TypeSort && e.Resource != nil {
		to.resources[name] = e.handle()
		to.resNames[e.handle()] = name
		if e.Resource.Name == "" {
			e.Resource.Name = name
		}
	}
	if s.kind == ofInstanceType {
		return nil
	}
	if to == s.imports {
		return s.show(e, s.imports, s.exports)
	}
	return s.show(e, s.exports)
}

// admit checks the name of an item and what the name says of its type.
func (to *side) admit(name string, e entity) error {
	n, err := parseExternName(name)
	if err != nil {
		return err
	}
	if err := to.names.add(name); err != nil {
		return err
	}
	if n.kind == namePlain || n.kind == nameInterface {
		return nil
	}
	if e.Sort != Func {
		return fmt.Errorf("%s: only functions have such names", e.Sort)
	}
	switch n.kind {
	case nameConstructor:
		return to.constructs(n.resource, e.Func.Result)
	case nameMethod:
		return to.takesSelf(n.resource, e.Func)
	}
	if _, ok := to.resources[n.resource]; !ok {
		return fmt.Errorf("no resource %q is known here", n.resource)
	}
	return nil
}

func (to *side) constructs(resource string, t *Type) error {
	if t != nil && t.Kind == Result && t.Elems[0] != nil {
		t = t.Elems[0]
	}
	if t == nil || t.Kind != Own {
		return errors.New("a constructor returns own<T> or result<own<T>, E>")
	}
	return to.isNamed(resource, t)
}

func (to *side) takesSelf(resource string, f *FuncType) error {
	if len(f.Params) == 0 || f.Names[0] != "self" || f.Params[0].Kind != Borrow {
		return errors.New("a method's first parameter is self: borrow<T>")
	}
	return to.isNamed(resource, f.Params[0])
}

// isNamed checks that the handle type t is of the resource of that name.
func (to *side) isNamed(resource string, t *Type) error {
	got, ok := to.resNames[handle{t.Resource, t.alias}]
	if !ok {
		return errors.New("its resource has no name here")
	}
	if got != resource {
		return fmt.Errorf("its resource is %q, not %q", got, resource)
	}
	return nil
}

// show checks that what e refers to is visible on the first side, and makes the types that e
// itself names visible on all of them.
func (s *space) show(e entity, sides ...*side) error {
	if !s.work.step() {
		return s.work.over()
	}
	on := sides[0]
	switch {
	case e.Sort == TypeSort && e.Instance != nil:
		in := newSide(on.what)
		in.within = on
		return s.show(entity{Sort: Instance, Instance: e.Instance}, in)
	case e.Sort == TypeSort:
		if !on.shows(e, s.work) {
			return fmt.Errorf("refers to a type that has no name among the %ss", on.what)
		}
		for _, to := range sides {
			to.add(e)
		}
	case e.Sort == Func && !on.showsFunc(e.Func, s.work):
		return fmt.Errorf("refers to a resource, record, variant, enum or flags that has no "+
			"name among the %ss: %s the type first, and use it under that name", on.what, on.what)
	case e.Sort == Instance:
		for _, n := range e.Instance.exports {
			if err := s.show(n.entity, sides...); err != nil {
				return fmt.Errorf("%q: %w", n.Name, err)
			}
		}
	}
	return nil
}

func (to *side) add(e entity) {
	switch {
	case e.Value != nil:
		to.types[e.Value] = true
	case e.Resource != nil:
		to.handles[e.handle()] = true
	}
}

// shows tells if what the type e refers to is visible; its own name is not asked for.
func (to *side) shows(e entity, w *work) bool {
	switch {
	case e.Func != nil:
		return to.showsFunc(e.Func, w)
	case e.Value != nil && e.Value.Resource != nil:
		return to.showsType(e.Value, w)
	case e.Value != nil:
		return to.showsAll(e.Value.Elems, w)
	}
	return true
}

func (to *side) showsFunc(f *FuncType, w *work) bool {
	return to.showsAll(f.Params, w) && to.showsType(f.Result, w)
}

func (to *side) showsAll(list []*Type, w *work) bool {
	for _, t := range list {
		if !to.showsType(t, w) {
			return false
		}
	}
	return true
}

func (to *side) showsType(t *Type, w *work) bool {
	if t == nil || !w.step() {
		return true
	}
	switch t.Kind {
	case Record, Variant, Enum, Flags:
		return to.types[t] || to.within != nil && to.within.showsType(t, w)
	case Own, Borrow:
		return to.handles[handle{t.Resource, t.alias}] ||
			to.within != nil && to.within.showsType(t, w)
	}
	return to.showsAll(t.Elems, w)
}

// notExported refuses to import a type by a name that an export gave it.
func (s *space) notExported(t ExternType) error {
	if t.Sort != TypeSort || t.Bound != BoundEq || s.kind == ofInstanceType {
		return nil
	}
	e, err := s.typeAt(t.Index)
	if err != nil {
		return err
	}
	if s.exports.types[e.Value] && !s.imports.types[e.Value] ||
		s.exports.handles[e.handle()] && !s.imports.handles[e.handle()] {
		return fmt.Errorf("type %d has its name from an export: imports cannot refer to it",
			t.Index)
	}
	return nil
}

// refersOut tells if a type refers to resources that do not belong to itself.
func (w *work) refersOut(e entity) bool {
	if !w.step() {
		return false
	}
	switch {
	case e.Value != nil:
		return e.Value.tree.handles
	case e.Resource != nil:
		return true
	case e.Func != nil:
		return refersFunc(e.Func)
	}
	return newSeeker(w).extern(e)
}

// refersLocal tells if a type refers to resources that the component of b makes itself.
func (w *work) refersLocal(e entity, b *binder) bool {
	s := newSeeker(w)
	s.maker = b
	return s.extern(e)
}

func refersFunc(f *FuncType) bool {
	for _, p := range f.Params {
		if p.tree.handles {
			return true
		}
	}
	return f.Result != nil && f.Result.tree.handles
}

// seeker looks in instance and component types for resources that belong to none of them, or, if
// maker is set, for those that the component of maker makes.
type seeker struct {
	w     *work
	maker *binder
	bound map[*binder]bool
	seen  map[*Type]bool
}

func newSeeker(w *work) *seeker {
	return &seeker{w: w, bound: map[*binder]bool{}, seen: map[*Type]bool{}}
}

func (s *seeker) extern(e entity) bool {
	if !s.w.step() {
		return false
	}
	switch {
	case e.Value != nil:
		return s.typ(e.Value)
	case e.Resource != nil:
		return s.meets(e.Resource)
	case e.Func != nil:
		return s.types(e.Func.Params) || s.typ(e.Func.Result)
	case e.Instance != nil:
		s.bound[e.Instance.bound] = true
		return s.list(e.Instance.exports)
	case e.Component != nil:
		s.bound[e.Component.bound] = true
		return s.list(e.Component.imports) || s.list(e.Component.exports)
	}
	return false
}

func (s *seeker) meets(r *Resource) bool {
	if s.maker != nil {
		return r.local && r.bound == s.maker
	}
	return !s.bound[r.bound]
}

func (s *seeker) list(list []named) bool {
	for _, n := range list {
		if s.extern(n.entity) {
			return true
		}
	}
	return false
}

func (s *seeker) types(list []*Type) bool {
	for _, t := range list {
		if s.typ(t) {
			return true
		}
	}
	return false
}

func (s *seeker) typ(t *Type) bool {
	if t == nil || !t.tree.handles || s.seen[t] || !s.w.step() {
		return false
	}
	s.seen[t] = true
	if t.Resource != nil {
		return s.meets(t.Resource)
	}
	return s.types(t.Elems)
}
