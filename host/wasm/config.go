package wasm

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Config of an engine.
type Config struct {
	// CacheDir keeps compiled code between runs; "" keeps none. Whoever can write there can run
	// code in this process: it is made with mode 0700, and not used if others can write to it.
	// What is wrong with it goes to Log and costs nothing but compiling.
	CacheDir string
	// CacheBytesMax bounds the folder: the oldest code goes first.
	CacheBytesMax uint64
	// Log may be nil.
	Log *slog.Logger
	// Now and Random are the clock and the random numbers of guests, all that keeps two runs from
	// being equal; nil for the system's. Random may be asked by several goroutines at once.
	Now    func() time.Time
	Random func(b []byte)
	// Interpreter asks for the interpreter where a compiler exists.
	Interpreter bool
	// ModuleBytesMax bounds the binary of a module or component.
	ModuleBytesMax uint32
	// MemoryBytesMax bounds the memories of one guest together; a multiple of 64 KiB.
	MemoryBytesMax uint32
	// TableElementsMax bounds the tables of one guest together, 8 bytes an element. Those that
	// could outgrow it together cannot grow at all. The items of its element segments have the same
	// bound.
	TableElementsMax uint32
	// CoreInstancesMax bounds the core instances of one component, and its nested components.
	CoreInstancesMax uint32
	// TrampolinesMax bounds the functions of one component that the host makes: imports lowered,
	// calls between nested components, resource.new and the like.
	TrampolinesMax uint32
	// GuestsMax bounds the guests of the engine that are alive at once.
	GuestsMax uint32
	// HandlesMax bounds the handles to resources that one component instance has at once.
	HandlesMax uint32
	// FuelMax is the default budget of a call, in units of about one plain instruction.
	FuelMax uint64
	// StartFuelMax is the default budget of the start function and of _initialize together, and
	// of each call of a pool's Setup.
	StartFuelMax uint64
	// DepthMax is the default bound on nested calls; frames above 4 KiB of code count more.
	DepthMax uint32
	// LogLinesMax is how many lines a second a guest may write to its standard output.
	LogLinesMax uint32
}

// depthCeiling keeps our bound below the interpreter's of 2,000 frames, so that both engines
// answer a deep recursion in the same way.
const depthCeiling = 1900

const pageBytes = 64 << 10

// Default is for an edge machine.
func Default() Config {
	return Config{
		CacheBytesMax:    256 << 20, // 30 versions of all components; reading it takes 0.1 s
		ModuleBytesMax:   32 << 20,
		MemoryBytesMax:   16 << 20,
		TableElementsMax: 1 << 16,
		CoreInstancesMax: 64, // an interpreter of JavaScript with all of WASI has 10
		TrampolinesMax:   4096,
		GuestsMax:        1024,
		HandlesMax:       4096,          // 24 bytes each
		FuelMax:          5_000_000,     // 2 ms of native code, 20 if it all waits for memory
		StartFuelMax:     5_000_000_000, // 2 s: TinyGo reading 256 KiB of rules; Go boots in 10 M
		DepthMax:         1024,
		LogLinesMax:      20,
	}
}

// Validate tells what is wrong. It touches nothing.
func (c Config) Validate() error {
	switch {
	case c.CacheDir != "" && c.CacheBytesMax == 0:
		return fmt.Errorf("wasm: validate: CacheBytesMax is 0")
	case c.ModuleBytesMax == 0:
		return fmt.Errorf("wasm: validate: ModuleBytesMax is 0")
	case c.MemoryBytesMax == 0 || c.MemoryBytesMax%pageBytes != 0:
		return fmt.Errorf("wasm: validate: MemoryBytesMax is not a multiple of %d", pageBytes)
	case c.TableElementsMax == 0:
		return fmt.Errorf("wasm: validate: TableElementsMax is 0")
	case c.CoreInstancesMax == 0 || c.TrampolinesMax == 0:
		return fmt.Errorf("wasm: validate: CoreInstancesMax or TrampolinesMax is 0")
	case c.GuestsMax == 0:
		return fmt.Errorf("wasm: validate: GuestsMax is 0")
	case c.HandlesMax == 0:
		return fmt.Errorf("wasm: validate: HandlesMax is 0")
	case c.LogLinesMax == 0:
		return fmt.Errorf("wasm: validate: LogLinesMax is 0")
	}
	return c.limits(Limits{}).validate(c)
}

// Limits of one guest. A zero stands for the engine's default.
type Limits struct {
	Fuel           uint64 // a call
	StartFuel      uint64 // the start function and _initialize together, each call of Setup
	DepthMax       uint32 // nested calls
	MemoryBytesMax uint32 // at most the engine's
}

// limits fills the zeros of l.
func (c Config) limits(l Limits) Limits {
	if l.Fuel == 0 {
		l.Fuel = c.FuelMax
	}
	if l.StartFuel == 0 {
		l.StartFuel = c.StartFuelMax
	}
	if l.DepthMax == 0 {
		l.DepthMax = c.DepthMax
	}
	if l.MemoryBytesMax == 0 {
		l.MemoryBytesMax = c.MemoryBytesMax
	}
	return l
}

// fuelCeiling leaves room below the counter's sign for what a host function charges.
const fuelCeiling = 1 << 62

// ErrLimits is for a guest that is to have more than any may.
var ErrLimits = errors.New("wasm: limits")

func (l Limits) validate(c Config) error {
	switch {
	case l.Fuel == 0 || l.Fuel > fuelCeiling || l.StartFuel == 0 || l.StartFuel > fuelCeiling:
		return fmt.Errorf("%w: fuel is not within 1 and %d", ErrLimits, uint64(fuelCeiling))
	case l.DepthMax == 0 || l.DepthMax > depthCeiling:
		return fmt.Errorf("%w: depth %d is not within 1 and %d", ErrLimits, l.DepthMax,
			depthCeiling)
	case l.MemoryBytesMax%pageBytes != 0 || l.MemoryBytesMax > c.MemoryBytesMax:
		return fmt.Errorf("%w: memory of %d bytes is not a multiple of %d up to %d", ErrLimits,
			l.MemoryBytesMax, pageBytes, c.MemoryBytesMax)
	}
	return nil
}
