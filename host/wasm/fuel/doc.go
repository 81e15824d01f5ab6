// Package fuel bounds what a WebAssembly core module can do. It rewrites the module at load time so
// that it counts what it executes and how deep it calls, and traps by itself at the limit.
//
// It knows the binary format of core modules. It does not know any engine, the clock or what the
// module is for. It does not check types: the engine that compiles the result does, and the rewrite
// is made so that a module that was not valid before is not valid after (but for a start function,
// which may be named by ref.func once it is exported).
//
// The rewrite adds a function and three mutable globals behind the module's own:
//
//   - FuelGlobal (i64) goes down by the number of instructions of a region each time the region is
//     entered. Regions are the function body, the bodies of loops, and long pieces that a branch
//     can skip. A region is charged before it runs, so what was charged is an upper bound of what
//     was executed.
//   - RestGlobal (i64) is the rest of the budget. When fuel is below zero the module leaves native
//     code for a moment and takes another slice from the rest; when both together are below zero
//     it executes `unreachable`, and fuel stays below zero.
//   - DepthGlobal (i32) goes down while a function that calls others is active, by 1 and more for
//     big frames, and comes back on every way out; below zero the module traps too.
//
// Instructions that work in proportion to an operand (memory.fill, table.grow, …) charge for the
// operand as well. The module cannot name the globals: indices are checked against its own count,
// and exports that start with Reserved are refused. A start function becomes the export
// StartExport, for the host to call when it has set the globals; all are 0 before that, which
// means "nothing may run".
//
// Several instances that call each other may share one set of counters, and by that one budget and
// one depth: one has them, and the others are rewritten to import them (Options). They spend the
// same, but take up to a quarter more time, for an imported global is read through a pointer: so
// the one with most of the code should have them. A module that only forwards calls
// (Module.Forwards) can do without counters where what it calls has them.
package fuel

// Names that the rewrite exports or imports. A module that exports a name starting with Reserved,
// or imports from such a module, is refused.
const (
	Reserved    = "hpmq-fuel:"
	FuelGlobal  = Reserved + "fuel"
	DepthGlobal = Reserved + "depth"
	RestGlobal  = Reserved + "rest"
	StartExport = Reserved + "start"
	// SharedModule is where a module that shares counters imports them from.
	SharedModule = Reserved + "counters"
)

// Kinds of imports and exports, numbered as in the binary format.
const (
	KindFunc byte = iota
	KindTable
	KindMemory
	KindGlobal
)

// Import is an item a module wants. Params and Results are value types of the binary format, set
// for functions only; they alias the input.
type Import struct {
	Module, Name    string
	Kind            byte
	Params, Results []byte
}

// Export is an item a module gives, the rewrite's own left out.
type Export struct {
	Name            string
	Kind            byte
	Params, Results []byte
	// Import is the place among the imports of a function that is handed on, else -1.
	Import int
}

// Custom is a custom section. Data aliases the input.
type Custom struct {
	Name string
	Data []byte
}

// Module is a rewritten module and what the rewrite learned about it.
type Module struct {
	// Code is the new binary. It carries function names; other custom sections are left out, for
	// their offsets would be wrong.
	Code    []byte
	Imports []Import
	Exports []Export
	Customs []Custom
	// HasMemory tells if it defines or imports a memory; MemoryPagesMin is what that starts with.
	HasMemory      bool
	MemoryPagesMin uint32
	// TableElementsMin is what its tables have together, TableElementsMax what they may grow to.
	TableElementsMin, TableElementsMax uint64
	// HasStart tells if StartExport is there.
	HasStart bool
	// Functions is how many it defines.
	Functions int
	// Forwards tells that it imports nothing and that its functions, a few instructions each, do
	// nothing but call what others put into its tables.
	Forwards bool
}
