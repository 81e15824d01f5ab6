package component

import "errors"

// entity is an item by its type, with no indices left. Sort says which field is set; a type
// (TypeSort) is one of Value, Resource, Func, Instance, Component.
type entity struct {
	Sort      Sort
	Module    *CoreModuleType
	Func      *FuncType
	Value     *Type
	Resource  *Resource
	Component *componentType
	Instance  *instanceType

	// alias is of a resource: a number of each of its names. Types are told apart by names where
	// they must be visible from outside, nowhere else.
	alias uint32
}

// named is an import or export.
type named struct {
	Name string
	entity
}

// instanceType is what an instance exports, in order. It is not changed once made.
type instanceType struct {
	exports []named

	byName map[string]int // nil where there are few
	// bound is of a type: resources that each instance of it has of its own. An instance has none.
	bound *binder
	depth int
}

// componentType is what a component imports and exports, in order. It is not changed once made.
type componentType struct {
	imports, exports []named

	bound *binder
	depth int
}

// binder tells which resources belong to a type: those change with each instance of it. A resource
// of a component belongs to the type of that component.
type binder struct{ _ byte }

// handle is a resource under one of its names.
type handle struct {
	r     *Resource
	alias uint32
}

func (e entity) handle() handle { return handle{e.Resource, e.alias} }

// export finds an export by name.
func (t *instanceType) export(name string) (entity, bool) {
	if t.byName != nil {
		i, ok := t.byName[name]
		if !ok {
			return entity{}, false
		}
		return t.exports[i].entity, true
	}
	for _, n := range t.exports {
		if n.Name == name {
			return n.entity, true
		}
	}
	return entity{}, false
}

// namesFew is how many names are looked for one by one.
const namesFew = 8

func newInstanceType(exports []named, b *binder) *instanceType {
	return &instanceType{exports: exports, byName: index(exports), bound: b, depth: depth(exports)}
}

func newComponentType(imports, exports []named, b *binder) *componentType {
	return &componentType{imports: imports, exports: exports, bound: b,
		depth: max(depth(imports), depth(exports))}
}

func index(list []named) map[string]int {
	if len(list) <= namesFew {
		return nil
	}
	m := make(map[string]int, len(list))
	for i, n := range list {
		m[n.Name] = i
	}
	return m
}

// depth is how deep instances and components stand in each other.
func depth(list []named) int {
	most := 0
	for _, n := range list {
		switch {
		case n.Instance != nil:
			most = max(most, n.Instance.depth)
		case n.Component != nil:
			most = max(most, n.Component.depth)
		}
	}
	return most + 1
}

// tree is what a value type is as a tree.
type tree struct {
	size, depth int
	handles     bool // own or borrow is in it
	borrows     bool
}

// work counts the steps of one validation, and what must be unique in it. When the steps are used
// up, walks end early with whatever they have; over must be asked before that is trusted.
type work struct {
	limits Limits
	steps  int
	alias  uint32
}

var errWork = errors.New("validation takes too many steps: the types are too big")

// step takes a step; false if there are none left.
func (w *work) step() bool {
	w.steps++
	return w.steps <= w.limits.WorkMax
}

func (w *work) over() error {
	if w.steps > w.limits.WorkMax {
		return errWork
	}
	return nil
}

func (w *work) newAlias() uint32 {
	w.alias++
	return w.alias
}
