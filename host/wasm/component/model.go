package component

// Component is a decoded component: definitions in the order of the binary. Each definition adds
// to one or more of the index spaces, exactly as the specification says; indices in definitions
// refer to the spaces as they are at that point. It aliases the input, which is kept.
type Component struct {
	Defs []Def
	// Customs are the custom sections of the outermost component, in order.
	Customs []Custom
}

// Custom is a custom section. Data aliases the input.
type Custom struct {
	Name string
	Data []byte
}

// Def is one of the definitions below.
type Def interface{ def() }

// Sort says which index space an index refers to.
type Sort byte

// The sorts, core ones first.
const (
	CoreFunc Sort = iota
	CoreTable
	CoreMemory
	CoreGlobal
	CoreType
	CoreModule
	CoreInstance
	Func
	Value
	TypeSort
	ComponentSort
	Instance
)

// String is the sort as the text format has it.
func (s Sort) String() string {
	names := [...]string{
		"core func", "core table", "core memory", "core global", "core type", "core module",
		"core instance", "func", "value", "type", "component", "instance",
	}
	return names[s]
}

// The definitions.
type (
	// DefCoreModule adds a core module. Type is what Decode found in Code.
	DefCoreModule struct {
		Code []byte
		Type *CoreModuleType
	}
	// DefCoreInstance adds a core instance: of module Module with Args, or, if Inline, of Exports.
	DefCoreInstance struct {
		Inline  bool
		Module  uint32
		Args    []CoreArg
		Exports []CoreExport
	}
	// DefCoreType adds a core type: exactly one of both is set.
	DefCoreType struct {
		Func   *CoreFuncType
		Module *CoreModuleType
	}
	// DefComponent adds a nested component.
	DefComponent struct{ Component *Component }
	// DefInstance adds a component instance: of component Component with Args, or, if Inline, of
	// Exports.
	DefInstance struct {
		Inline    bool
		Component uint32
		Args      []Arg
		Exports   []InlineExport
	}
	// DefAlias adds an item of Sort: what an instance exports as Name (AliasExport,
	// AliasCoreExport), or item Index of the component Count levels out (AliasOuter).
	DefAlias struct {
		Kind     AliasKind
		Sort     Sort
		Instance uint32
		Name     string
		Count    uint32
		Index    uint32
	}
	// DefType adds a type.
	DefType struct{ Type TypeDef }
	// DefCanon adds a function, a core one for all kinds but CanonLift.
	DefCanon struct {
		Kind    CanonKind
		Func    uint32 // lift: a core function; lower: a function
		Type    uint32 // lift: a function type; resource.*: a resource type
		Options Options
	}
	// DefImport adds an item of the sort of Type.
	DefImport struct {
		Name string
		Type ExternType
	}
	// DefExport exports an item, and adds it once more under the name. Type is nil if not ascribed.
	DefExport struct {
		Name  string
		Sort  Sort
		Index uint32
		Type  *ExternType
	}
)

func (*DefCoreModule) def()   {}
func (*DefCoreInstance) def() {}
func (*DefCoreType) def()     {}
func (*DefComponent) def()    {}
func (*DefInstance) def()     {}
func (*DefAlias) def()        {}
func (*DefType) def()         {}
func (*DefCanon) def()        {}
func (*DefImport) def()       {}
func (*DefExport) def()       {}

// CoreArg gives a core instance as the imports from module Name.
type CoreArg struct {
	Name     string
	Instance uint32
}

// CoreExport is an item of an inline core instance; Sort is one of the core sorts.
type CoreExport struct {
	Name  string
	Sort  Sort
	Index uint32
}

// Arg gives an item for the import Name.
type Arg struct {
	Name  string
	Sort  Sort
	Index uint32
}

// InlineExport is an item of an inline instance.
type InlineExport = Arg

// AliasKind is what an alias refers to.
type AliasKind byte

// The kinds of aliases.
const (
	AliasExport AliasKind = iota
	AliasCoreExport
	AliasOuter
)

// CanonKind is a canonical definition.
type CanonKind byte

// The canonical definitions that are served.
const (
	CanonLift CanonKind = iota
	CanonLower
	CanonResourceNew
	CanonResourceDrop
	CanonResourceRep
)

// Encoding is how a component writes strings in its memory.
type Encoding byte

// The encodings.
const (
	UTF8 Encoding = iota
	UTF16
	Latin1UTF16
)

// Options of a lift or lower: indices of a core memory and core functions, nil where not given.
type Options struct {
	Encoding   Encoding
	Memory     *uint32
	Realloc    *uint32
	PostReturn *uint32
}

// ExternType is what an import or export is. Index is a core type for CoreModule, else a type, for
// TypeSort only if Bound is BoundEq. Value types of values (Sort Value) are refused.
type ExternType struct {
	Sort  Sort
	Index uint32
	Bound Bound
}

// Bound is how a type is imported or exported.
type Bound byte

// The bounds.
const (
	BoundEq  Bound = iota
	BoundSub       // a fresh resource type
)

// TypeDef is a definition of a type: one of *ValueTypeDef, *FuncTypeDef, *ComponentTypeDef,
// *InstanceTypeDef, *ResourceTypeDef.
type TypeDef interface{ typeDef() }

// ValueRef is a primitive value type, or the type with this index.
type ValueRef struct {
	Primitive bool
	Kind      Kind   // if Primitive
	Index     uint32 // if not
}

// ValueTypeDef defines a value type as it stands in the binary.
type ValueTypeDef struct {
	Kind   Kind
	Labels []string // fields, cases, flags, enum
	// Refs are by label; of a tuple by element; of a list or option one; of a result ok and error.
	// nil is no payload.
	Refs []*ValueRef
	Type uint32 // own, borrow: a resource type
}

// FuncTypeDef defines the type of a function. Result is nil for none.
type FuncTypeDef struct {
	Names  []string
	Params []ValueRef
	Result *ValueRef
}

// ComponentTypeDef defines a component type: its declarations in order, each one of *DefCoreType,
// *DefType, *DefAlias, *DefImport, *ExportDecl.
type ComponentTypeDef struct{ Decls []Def }

// InstanceTypeDef is like ComponentTypeDef, without imports.
type InstanceTypeDef struct{ Decls []Def }

// ResourceTypeDef defines a resource type of this component. Dtor is a core function, nil for none.
type ResourceTypeDef struct{ Dtor *uint32 }

// ExportDecl declares an export in a component or instance type.
type ExportDecl struct {
	Name string
	Type ExternType
}

func (*ExportDecl) def()           {}
func (*ValueTypeDef) typeDef()     {}
func (*FuncTypeDef) typeDef()      {}
func (*ComponentTypeDef) typeDef() {}
func (*InstanceTypeDef) typeDef()  {}
func (*ResourceTypeDef) typeDef()  {}

// CoreFuncType is the type of a core function; value types as in the binary format (0x7f is i32).
type CoreFuncType struct{ Params, Results []byte }

// CoreModuleType is what a core module imports and exports.
type CoreModuleType struct {
	Imports []CoreImport
	Exports []CoreExtern
	decls   []coreDecl // of a type in the binary; validation makes the above of it
}

// CoreImport is an import of a core module.
type CoreImport struct {
	Module string
	CoreExtern
}

// CoreExtern is a named core item with its type; Sort is one of the first four core sorts.
type CoreExtern struct {
	Name   string
	Sort   Sort
	Func   CoreFuncType // CoreFunc
	Table  CoreLimits   // CoreTable, with Elem
	Memory CoreLimits   // CoreMemory
	Elem   byte
	Global byte // CoreGlobal: its value type
	Mut    bool
}

// CoreLimits of a table or memory.
type CoreLimits struct {
	Min    uint64
	Max    uint64
	HasMax bool
	Shared bool
}
