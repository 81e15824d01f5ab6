// Package fuel bounds what a WebAssembly core module can do. It rewrites the module at load time so
// that it counts what it executes and how deep it calls, and traps by itself at the limit.
//
// It knows the binary format of core modules. It does not know any engine, the clock or what the
// module is for. It does not check types: the engine that compiles the result does, and the rewrite
// is made so that a module that was not valid before is not valid after (but for a start
// function, which may be named by ref.func once it is exported).
//
// The rewrite carries a counter through the functions: an i32 that is their last parameter and
// their last result. So it stays in a register from call to call, and no turn of a loop waits for
// memory. Its upper bits are fuel, its lower ones depth (Pack, Unpack):
//
//   - Fuel goes down by the number of instructions of a region each time the region is entered.
//     Regions are the function body, the bodies of loops, and long pieces that a branch can skip. A
//     region is charged before it runs, so what was charged is an upper bound of what was executed.
//   - Depth goes down while a function that calls others is active, by 1 and more for big frames,
//     and comes back on every way out.
//
// One test on entry and one in each turn of a loop tell if either is below zero. Then the function
// that settles takes another slice of fuel from the rest of the budget, and leaves native code for
// a moment; when both together are below zero, or the depth is, it executes `unreachable`. A loop
// that comes to a call in each turn leaves the test to what it calls, and short pieces leave it to
// the next loop or call: the debt that can pile up so is bounded (debtMax), and far from where the
// counter would wrap. So a call may end with less than nothing left, by some short pieces.
//
// Two globals stand behind the module's own: CountGlobal is the counter while other code runs, the
// host's or another instance's, and RestGlobal (i64) the rest of the budget. A function that is
// exported or stands in a table keeps its type and index: an entrance that takes the counter from
// the global, calls the code, and puts it back. Calls to imports and through tables put the counter
// into the global before and take it from there behind. After a trap of the module's own the global
// is what it was then; when fuel or depth was the reason, it says so: that one is below zero.
//
// Instructions that work in proportion to an operand (memory.fill, table.grow, …) charge for the
// operand as well. The module cannot name the globals: indices are checked against its own count,
// and exports that start with Reserved are refused. A start function becomes the export
// StartExport, for the host to call when it has set the globals; all are 0 before that, which
// means "nothing may run".
//
// Several instances that call each other may share one set of counters, and by that one budget and
// one depth: one has them, and the others are rewritten to import them (Options). They spend the
// same. A module that only forwards calls (Module.Forwards) can do without counters where what it
// calls has them.
package fuel

// Names that the rewrite exports or imports. A module that exports a name starting with Reserved,
// or imports from such a module, is refused.
const (
	Reserved    = "hpmq-fuel:"
	CountGlobal = Reserved + "count"
	RestGlobal  = Reserved + "rest"
	StartExport = Reserved + "start"
	// GlobalExport begins the names of the globals that the module defines and changes, but for
	// vectors and references: GlobalExport0, GlobalExport1 and so on.
	GlobalExport = Reserved + "global-"
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
	// Elements is how many items its element segments have together.
	Elements uint64
	// Alive is how often a value is alive at a place of control flow, as Limits.AliveMax counts.
	Alive uint64
	// HasStart tells if StartExport is there.
	HasStart bool
	// Functions is how many it defines.
	Functions int
	// Forwards tells that it imports nothing and that its functions, a few instructions each, do
	// nothing but call what others put into its tables.
	Forwards bool
}
