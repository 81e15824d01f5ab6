package fuel

import (
	"errors"
	"fmt"
)

// ErrMalformed is wrapped by errors about bytes that are not a WebAssembly module.
var ErrMalformed = errors.New("malformed module")

// ErrLimit is wrapped by errors about modules that are too big in some way.
var ErrLimit = errors.New("over a limit")

// ErrUnsupported is wrapped by errors about constructs that are not taken.
var ErrUnsupported = errors.New("not supported")

// Limits bound what a module may declare, so that decoding and compiling it is bounded work: an
// engine allocates by the counts a module states before it has seen the items.
type Limits struct {
	ModuleBytesMax   uint32 // of the input
	TypesMax         uint32
	ImportsMax       uint32
	FunctionsMax     uint32 // defined, without imports
	GlobalsMax       uint32
	ExportsMax       uint32
	SegmentsMax      uint32 // element segments, and data segments
	TablesMax        uint32
	TableElementsMax uint32 // of one table; what a table may grow to is cut to it
	MemoryPagesMax   uint32 // of 64 KiB; what the memory may grow to is cut to it
	BodyBytesMax     uint32 // of one function
	LocalsMax        uint32 // of one function, with parameters
	NestingMax       uint32 // of blocks in one function
	NameBytesMax     uint32 // of one import or export name
	// ElementsMax bounds the items of all element segments together, passive ones included.
	ElementsMax uint32
	// AliveMax bounds one function's values that are alive at places of control flow, added up,
	// AliveSumMax a module's: the compiler's time and memory grow with them. A local counts at
	// every block, branch and end of its function.
	AliveMax, AliveSumMax uint32
	// SliceFuel is how much a module may spend at a stretch; at least 1.
	SliceFuel uint64
}

// DefaultLimits take what compilers make of real programs, a JavaScript engine included.
func DefaultLimits() Limits {
	return Limits{
		ModuleBytesMax:   32 << 20, // the biggest known guest, SpiderMonkey, has 12 MiB
		TypesMax:         10_000,
		ImportsMax:       1_000,
		FunctionsMax:     100_000,
		GlobalsMax:       10_000,
		ExportsMax:       10_000,
		SegmentsMax:      100_000, // Go makes a segment per run of non-zero bytes
		TablesMax:        8,
		TableElementsMax: 1 << 16, // 512 KiB per instance on the Go heap
		MemoryPagesMax:   1 << 16, // the most of 32-bit memory; the engine cuts further
		BodyBytesMax:     2 << 20,
		LocalsMax:        10_000,
		NestingMax:       1 << 14, // Go nests a block per point a function can resume at
		NameBytesMax:     4096,
		ElementsMax:      1 << 16,
		// Of real guests the biggest function has 0.8 million, in a module of Rust, and the biggest
		// module, SpiderMonkey, 13 million. A function at the bound compiles in 7 s and 85 MB.
		AliveMax:    1 << 21,
		AliveSumMax: 1 << 25,
		SliceFuel:   250_000, // some 0.1 ms; to leave native code and come back is 0.1 µs
	}
}

func malformed(section string, at int, text string) error {
	return fmt.Errorf("fuel: %w: %s section, byte %d: %s", ErrMalformed, section, at, text)
}

func tooMany(what string, n, limit uint64) error {
	return fmt.Errorf("fuel: %w: %d %s, at most %d are taken", ErrLimit, n, what, limit)
}

func tooAlive(what string, n uint64, limit uint32) error {
	return fmt.Errorf("fuel: %w: %s has locals and operands alive at blocks and branches %d "+
		"times, at most %d are taken; optimize (-Os, wasm-opt -Os), or split the function up",
		ErrLimit, what, n, limit)
}

// Hints name the toolchain switch that avoids a construct.
const (
	hintThreads    = "build without threads (no -pthread, no -matomics)"
	hintExceptions = "build without wasm exceptions (-fno-exceptions, no -fwasm-exceptions)"
	hintTailCalls  = "build without -mtail-call, for QuickJS without --opt-size"
	hintMemory64   = "build for wasm32 instead of wasm64"
	hintMemories   = "build without multiple memories (no -mmultimemory)"
	hintReferences = "build without typed function references and garbage collected types"
	hintRelaxed    = "build without -mrelaxed-simd"
)

func unsupported(construct, hint string) error {
	return fmt.Errorf("fuel: %w: the module uses %s; %s", ErrUnsupported, construct, hint)
}
