// Package wit knows what resolved WIT says, as wasm-tools writes it as JSON: worlds, interfaces,
// functions, types, and how the canonical ABI lays values of these types out. It does not know any
// language that they are bound to.
package wit

import "fmt"

// Kind is what a type is.
type Kind uint8

// The kinds. What is behind Alias is resolved by Type.Plain.
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
	List
	Option
	Result
	Tuple
	Record
	Variant
	Enum
	Flags
	Alias
)

// Type is a type; one that WIT names has a Name and an Owner.
type Type struct {
	Kind  Kind
	Name  string
	Docs  string
	Owner *Interface
	// Elem is that of a list, an option, an alias.
	Elem *Type
	// Fields are those of a record, of a tuple (named 0, 1, …), the names of flags.
	Fields []Field
	// Cases are those of a variant or enum; of a result "ok" and "err"; of an option "none" and
	// "some".
	Cases []Field
}

// Field is a field, a case, a parameter. Type is nil where there is none.
type Field struct {
	Name string
	Docs string
	Type *Type
}

// Func is a function of an interface.
type Func struct {
	Name   string
	Docs   string
	Params []Field
	Result *Type // nil for none
}

// Interface is an interface, with what it names in the order of its text.
type Interface struct {
	// ID is its name in a module: "hpmq:broker/kv@0.1.0". Name is "kv".
	ID, Name string
	Docs     string
	Types    []*Type
	Funcs    []*Func
}

// World is what a component imports and exports. Worlds with functions or types of their own,
// outside of interfaces, are not taken.
type World struct {
	Name, Docs string
	// Package is that of the world: "hpmq:broker@0.1.0".
	Package          string
	Imports, Exports []*Interface
}

// Plain is the type that t is in the end.
func (t *Type) Plain() *Type {
	for t.Kind == Alias {
		t = t.Elem
	}
	return t
}

// cases of a type that has a discriminant, nil for others.
func (t *Type) discriminated() []Field {
	switch t.Kind {
	case Variant, Enum, Option, Result:
		return t.Cases
	}
	return nil
}

// Interfaces are all that a world needs: those it imports, then those it exports, each once.
func (w *World) Interfaces() []*Interface {
	var out []*Interface
	seen := map[*Interface]bool{}
	for _, list := range [][]*Interface{w.Imports, w.Exports} {
		for _, i := range list {
			if !seen[i] {
				seen[i] = true
				out = append(out, i)
			}
		}
	}
	return out
}

// names of the scalar types, by Kind.
var scalars = [...]string{
	"bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "f32", "f64", "char", "string",
}

// String is the type as WIT writes it, more or less.
func (t *Type) String() string {
	switch {
	case t.Name != "":
		return t.Name
	case int(t.Kind) < len(scalars):
		return scalars[t.Kind]
	case t.Elem != nil:
		around := map[Kind]string{List: "list", Option: "option"}
		return fmt.Sprintf("%s<%v>", around[t.Kind], t.Elem)
	}
	return fmt.Sprintf("type of kind %d", t.Kind)
}
