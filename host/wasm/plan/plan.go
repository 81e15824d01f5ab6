package plan

import "github.com/hpmq/hpmq/host/wasm/component"

// Plan is how a component is instantiated. It is read only once made, and may be shared.
type Plan struct {
	// Modules are the core modules, each once, by content.
	Modules [][]byte
	// Instances are the core instances in the order they are made.
	Instances []Instance
	// Components is the number of component instances: each has a handle table and flags.
	Components int
	// Resources are the resource types of all component instances; component.Resource.ID is the
	// index.
	Resources []Resource
	// Trampolines are the core functions that the host makes.
	Trampolines []Trampoline
	// Imports are the functions, of instances or bare, that the host must give.
	Imports []Import
	// Exports are the functions that the component gives, those of instances by "instance#func".
	Exports []Export
	// ImportedInstances and ExportedInstances are the names of instances, in order, even those
	// without functions. An instance in an instance is named "outer#inner".
	ImportedInstances, ExportedInstances []string
}

// Instance is a core instance of Modules[Module].
type Instance struct {
	Module int
	// Args are the imports: one for each import of the module, in its order.
	Args []Arg
}

// Arg is one import of a core module.
type Arg struct {
	Module, Name string
	Def          CoreDef
}

// CoreDef is a core item: what Instances[Instance] exports as Name, or Trampolines[Trampoline] if
// Instance is -1.
type CoreDef struct {
	Sort       component.Sort
	Instance   int
	Name       string
	Trampoline int
}

// Resource is a resource type: the host's (Import is its instance's name and its own as
// "instance#name", "#name" of a bare one; Owner is -1), or, if Import is empty, defined by
// component instance Owner with Dtor, nil for none.
type Resource struct {
	Name   string
	Import string
	Owner  int
	Dtor   *CoreDef
}

// TrampolineKind is what a trampoline does.
type TrampolineKind byte

// The kinds of trampolines.
const (
	LowerImport TrampolineKind = iota // Imports[Import], called by component instance Caller
	LowerLifted                       // Lifted, called by component instance Caller
	ResourceNew                       // Resource, in the table of Caller
	ResourceRep
	ResourceDrop
)

// Trampoline is a core function that the host makes. Type and Options are of the lower. Import is
// -1 but for LowerImport, Lifted nil but for LowerLifted.
type Trampoline struct {
	Kind     TrampolineKind
	Caller   int
	Type     *component.FuncType
	Options  Options
	Import   int
	Lifted   *Lifted
	Resource int
}

// Options of a lift or lower, nil where not given.
type Options struct {
	Encoding   component.Encoding
	Memory     *CoreDef
	Realloc    *CoreDef
	PostReturn *CoreDef
}

// Lifted is a core function with what it takes to call it from outside.
type Lifted struct {
	Core    CoreDef
	Type    *component.FuncType
	Options Options
	Callee  int // the component instance, whose resources and handles it takes
}

// Import is a function the host must give.
type Import struct {
	Instance string // "" for a bare function
	Name     string
	Type     *component.FuncType
}

// Export is a function the component gives. Where a component exports again what it imported,
// Lifted is nil and Import its index, else -1.
type Export struct {
	Instance string // "" for a bare function
	Name     string
	Lifted   *Lifted
	Import   int
}
