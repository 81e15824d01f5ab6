package component

import "fmt"

// matcher tells if one type can stand where another is expected. Resources that belong to vars are
// those that the expected type leaves open: the first that stands for one binds it.
type matcher struct {
	w     *work
	vars  *binder
	bound map[*Resource]*Resource
}

func newMatcher(w *work) *matcher {
	return &matcher{w: w, vars: &binder{}, bound: map[*Resource]*Resource{}}
}

// extern tells if got can stand for want.
func (m *matcher) extern(got, want entity) error {
	if !m.w.step() {
		return m.w.over()
	}
	if got.Sort != want.Sort {
		return fmt.Errorf("%s where %s is expected", got.Sort, want.Sort)
	}
	switch want.Sort {
	case TypeSort:
		return m.typeItem(got, want)
	case Func:
		return m.function(got.Func, want.Func)
	case Instance:
		return m.instance(got.Instance, want.Instance)
	case ComponentSort:
		return m.component(got.Component, want.Component)
	}
	return m.module(got.Module, want.Module)
}

// typeItem tells if two types are the same.
func (m *matcher) typeItem(got, want entity) error {
	switch {
	case want.Resource != nil && got.Resource != nil:
		return m.resource(got.Resource, want.Resource)
	case want.Value != nil && got.Value != nil:
		return m.value(got.Value, want.Value)
	case want.Func != nil && got.Func != nil:
		return m.function(got.Func, want.Func)
	case want.Instance != nil && got.Instance != nil:
		if err := m.instanceTypes(got.Instance, want.Instance); err != nil {
			return err
		}
		return m.instanceTypes(want.Instance, got.Instance)
	case want.Component != nil && got.Component != nil:
		if err := m.component(got.Component, want.Component); err != nil {
			return err
		}
		return m.component(want.Component, got.Component)
	}
	return fmt.Errorf("%s where %s is expected", got.describe(), want.describe())
}

// describe says what a type is.
func (e entity) describe() string {
	switch {
	case e.Value != nil:
		return e.Value.Kind.String() + " type"
	case e.Resource != nil:
		return "resource"
	case e.Func != nil:
		return "function type"
	case e.Instance != nil:
		return "instance type"
	}
	return "component type"
}

// follow is what is known of a resource.
func (m *matcher) follow(r *Resource) *Resource {
	for {
		to, ok := m.bound[r]
		if !ok {
			return r
		}
		r = to
	}
}

func (m *matcher) resource(got, want *Resource) error {
	got, want = m.follow(got), m.follow(want)
	if got == want {
		return nil
	}
	if want.bound != m.vars {
		return fmt.Errorf("resource %q where the resource %q is expected: they are not the same",
			got.Name, want.Name)
	}
	m.bound[want] = got
	return nil
}

func (m *matcher) function(got, want *FuncType) error {
	if got == want {
		return nil
	}
	if len(got.Params) != len(want.Params) {
		return fmt.Errorf("%d parameters where %d are expected", len(got.Params), len(want.Params))
	}
	for i := range want.Params {
		if got.Names[i] != want.Names[i] {
			return fmt.Errorf("parameter %q where %q is expected", got.Names[i], want.Names[i])
		}
		if err := m.value(got.Params[i], want.Params[i]); err != nil {
			return fmt.Errorf("parameter %q: %w", want.Names[i], err)
		}
	}
	if err := m.optional(got.Result, want.Result); err != nil {
		return fmt.Errorf("result: %w", err)
	}
	return nil
}

func (m *matcher) optional(got, want *Type) error {
	switch {
	case got == nil && want == nil:
		return nil
	case got == nil:
		return fmt.Errorf("nothing where %s is expected", want.Kind)
	case want == nil:
		return fmt.Errorf("%s where nothing is expected", got.Kind)
	}
	return m.value(got, want)
}

func (m *matcher) value(got, want *Type) error {
	if got == want || !m.w.step() {
		return m.w.over()
	}
	if got.Kind != want.Kind {
		return fmt.Errorf("%s where %s is expected", got.Kind, want.Kind)
	}
	if want.Resource != nil {
		return m.resource(got.Resource, want.Resource)
	}
	if len(got.Labels) != len(want.Labels) || len(got.Elems) != len(want.Elems) {
		return fmt.Errorf("%s of %d where one of %d is expected", got.Kind,
			max(len(got.Labels), len(got.Elems)), max(len(want.Labels), len(want.Elems)))
	}
	for i := range want.Labels {
		if got.Labels[i] != want.Labels[i] {
			return fmt.Errorf("%s: %q where %q is expected", got.Kind, got.Labels[i],
				want.Labels[i])
		}
	}
	for i := range want.Elems {
		if err := m.optional(got.Elems[i], want.Elems[i]); err != nil {
			return fmt.Errorf("%s: %w", got.Kind, err)
		}
	}
	return nil
}

// instance tells if got exports all that want does.
func (m *matcher) instance(got, want *instanceType) error {
	if got == want {
		return nil
	}
	for _, n := range want.exports {
		e, ok := got.export(n.Name)
		if !ok {
			return fmt.Errorf("export %q is missing", n.Name)
		}
		if err := m.extern(e, n.entity); err != nil {
			return fmt.Errorf("export %q: %w", n.Name, err)
		}
	}
	return nil
}

// instanceTypes tells if all instances of type got can stand for one of type want.
func (m *matcher) instanceTypes(got, want *instanceType) error {
	if got == want {
		return nil
	}
	return m.instance(m.w.open(got, &binder{}), m.w.open(want, m.vars))
}

// component tells if got can stand for want: it asks for no more imports, and gives all exports.
func (m *matcher) component(got, want *componentType) error {
	if got == want {
		return nil
	}
	some := &binder{}
	g, w := newSubst(m.w, got.bound, m.vars), newSubst(m.w, want.bound, some)
	given := newInstanceType(w.list(want.imports), nil)
	if err := m.imports(g.list(got.imports), given); err != nil {
		return err
	}
	g.into, w.into = some, m.vars
	exports := newInstanceType(g.list(got.exports), nil)
	return m.instance(exports, newInstanceType(w.list(want.exports), nil))
}

func (m *matcher) imports(asked []named, given *instanceType) error {
	for _, n := range asked {
		e, ok := given.export(n.Name)
		if !ok {
			return fmt.Errorf("it imports %q, which it is not given", n.Name)
		}
		if err := m.extern(e, n.entity); err != nil {
			return fmt.Errorf("import %q: %w", n.Name, err)
		}
	}
	return nil
}
