package component

// subst replaces the resources that belong to from, and types that were given for others, in all
// that refers to them. What does not change keeps its identity, and what was one stays one: names
// of types hold on to that.
type subst struct {
	w          *work
	from, into *binder
	local      bool // Resource.local of what is made
	// given resources under their names; fresh is any other name of them, made where there is none.
	given map[handle]handle
	fresh map[*Resource]*Resource
	// types that were given, and for the rest what was made already.
	types map[*Type]*Type
	made  substMade
}

type substMade struct {
	types      map[*Type]*Type
	funcs      map[*FuncType]*FuncType
	instances  map[*instanceType]*instanceType
	components map[*componentType]*componentType
}

// newSubst puts resources of into in the place of those of from. local says of what is made so
// that a component makes it; it may be set until something is.
func newSubst(w *work, from, into *binder) *subst {
	s := &subst{w: w, from: from, into: into, given: map[handle]handle{},
		fresh: map[*Resource]*Resource{}, types: map[*Type]*Type{}}
	s.forget()
	return s
}

// forget must be called when something is given: what was made before may have missed it.
func (s *subst) forget() {
	s.made = substMade{
		types: map[*Type]*Type{}, funcs: map[*FuncType]*FuncType{},
		instances:  map[*instanceType]*instanceType{},
		components: map[*componentType]*componentType{},
	}
}

// open is an instance of type t, whose resources belong to b.
func (w *work) open(t *instanceType, b *binder) *instanceType {
	s := newSubst(w, t.bound, b)
	return newInstanceType(s.list(t.exports), nil)
}

func (s *subst) list(list []named) []named {
	out := make([]named, len(list))
	for i, n := range list {
		out[i] = named{Name: n.Name, entity: s.extern(n.entity)}
	}
	return out
}

func (s *subst) extern(e entity) entity {
	if !s.w.step() {
		return e
	}
	switch {
	case e.Value != nil:
		e.Value = s.typ(e.Value)
	case e.Resource != nil:
		h := s.resource(e.handle())
		e.Resource, e.alias = h.r, h.alias
	case e.Func != nil:
		e.Func = s.function(e.Func)
	case e.Instance != nil:
		e.Instance = s.instance(e.Instance)
	case e.Component != nil:
		e.Component = s.component(e.Component)
	}
	return e
}

func (s *subst) resource(h handle) handle {
	if to, ok := s.given[h]; ok {
		return to
	}
	if to, ok := s.fresh[h.r]; ok {
		return handle{to, h.alias}
	}
	if h.r.bound != s.from {
		return h
	}
	to := &Resource{Name: h.r.Name, bound: s.into, local: s.local}
	s.fresh[h.r] = to
	return handle{to, h.alias}
}

func (s *subst) typ(t *Type) *Type {
	if t == nil || !t.tree.handles && len(s.types) == 0 {
		return t
	}
	if to, ok := s.types[t]; ok {
		return to
	}
	if to, ok := s.made.types[t]; ok {
		return to
	}
	if !s.w.step() {
		return t
	}
	to := s.newType(t)
	s.made.types[t] = to
	return to
}

func (s *subst) newType(t *Type) *Type {
	if t.Resource != nil {
		h := s.resource(handle{t.Resource, t.alias})
		if h == (handle{t.Resource, t.alias}) {
			return t
		}
		return &Type{Kind: t.Kind, Resource: h.r, alias: h.alias, tree: t.tree}
	}
	changed := false
	elems := make([]*Type, len(t.Elems))
	for i, e := range t.Elems {
		elems[i] = s.typ(e)
		changed = changed || elems[i] != e
	}
	if !changed {
		return t
	}
	return &Type{Kind: t.Kind, Labels: t.Labels, Elems: elems, tree: t.tree}
}

func (s *subst) function(f *FuncType) *FuncType {
	if to, ok := s.made.funcs[f]; ok {
		return to
	}
	to := &FuncType{Names: f.Names, Result: s.typ(f.Result)}
	changed := to.Result != f.Result
	for _, p := range f.Params {
		q := s.typ(p)
		to.Params = append(to.Params, q)
		changed = changed || p != q
	}
	if !changed {
		to = f
	}
	s.made.funcs[f] = to
	return to
}

func (s *subst) instance(t *instanceType) *instanceType {
	if to, ok := s.made.instances[t]; ok {
		return to
	}
	to := t
	if list := s.list(t.exports); !sameList(list, t.exports) {
		to = newInstanceType(list, t.bound)
	}
	s.made.instances[t] = to
	return to
}

func (s *subst) component(t *componentType) *componentType {
	if to, ok := s.made.components[t]; ok {
		return to
	}
	to := t
	imports, exports := s.list(t.imports), s.list(t.exports)
	if !sameList(imports, t.imports) || !sameList(exports, t.exports) {
		to = newComponentType(imports, exports, t.bound)
	}
	s.made.components[t] = to
	return to
}

// sameList tells if nothing changed.
func sameList(a, b []named) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// give lets an argument stand for an import: its types, and those of its instances, under their
// names. Both were found to match.
func (s *subst) give(param, arg entity) {
	if !s.w.step() {
		return
	}
	switch {
	case param.Value != nil && arg.Value != nil:
		s.types[param.Value] = arg.Value
	case param.Resource != nil && arg.Resource != nil:
		s.given[param.handle()] = arg.handle()
		s.fresh[param.Resource] = arg.Resource
	case param.Sort == Instance && arg.Instance != nil:
		for _, n := range param.Instance.exports {
			e, _ := arg.Instance.export(n.Name)
			s.give(n.entity, e)
		}
	}
}
