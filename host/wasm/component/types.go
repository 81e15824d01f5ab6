package component

// Kind of a value type.
type Kind byte

// The kinds of value types.
const (
	Bool Kind = iota
	S8
	U8
	S16
	U16
	S32
	U32
	S64
	U64
	F32
	F64
	Char
	String
	Record
	Variant
	List
	Tuple
	Flags
	Enum
	Option
	Result
	Own
	Borrow
)

// Type is a resolved value type: no indices left. It is not changed or copied once made.
type Type struct {
	Kind Kind
	// Labels are the names of a record's fields, a variant's or enum's cases, flags.
	Labels []string
	// Elems are by label; a tuple's elements; of a list or option the one; of a result ok and
	// error. nil stands for no payload.
	Elems []*Type
	// Resource is of own and borrow: resources are the same type if they are the same pointer.
	Resource *Resource

	made layoutOnce
	tree tree
	// alias is of own and borrow: under which of its names the resource is meant.
	alias uint32
}

// Resource is a resource type. Name is of an import or export that named it, for messages.
type Resource struct {
	Name string
	// ID is its place in Plan.Resources of package plan, which sets it.
	ID int

	bound *binder
	// local: the component that bound belongs to makes it, by a definition or an instance. The
	// others it imports.
	local bool
}

// FuncType is a resolved function type. Result is nil for none. It is not changed or copied.
type FuncType struct {
	Names  []string
	Params []*Type
	Result *Type

	tuple tupleOnce
}
