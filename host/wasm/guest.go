package wasm

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/hpmq/hpmq/host/wasm/canon"
	"github.com/hpmq/hpmq/host/wasm/component"
	"github.com/hpmq/hpmq/host/wasm/fuel"
	"github.com/hpmq/hpmq/host/wasm/plan"
)

// guestState says who is on the guest's stack.
type guestState byte

const (
	idle       guestState = iota
	calling               // an export runs
	allocating            // cabi_realloc or cabi_post runs, possibly inside a call
)

// Guest is a running instance of a module. One goroutine at a time may use it.
type Guest struct {
	module  *Module
	env     any
	limits  Limits
	ctx     callContext
	cores   []api.Module      // the core instances, by step of the module; nil until they are made
	views   []view            // by view of the module
	here    *view             // of the function at hand
	counter api.MutableGlobal // fuel and depth, see fuel.Unpack
	rest    api.MutableGlobal // of the budget, behind that fuel

	allocators [keptMax]api.Function // by slot of a view's plan
	batches    [keptMax]*batch       // by the same
	beside     []api.Module          // the instances of batches
	memories   *linear
	callees    []callee         // by callee of the module
	adapters   []*canon.Adapter // by adapter of the module; nil until they are needed

	parts  []part      // the component instances; a core module is one
	caller int         // the part that calls the host
	lower  *trampoline // it calls by; nil if it is a core module
	loan   canon.Call  // counts what Lend gave and the call at hand did not drop

	reallocs [4]uint64
	posts    [1]uint64

	state   guestState
	perCall uint64 // the budget of one call: limits.StartFuel until the guest is set up
	armed   bool   // the budget of the coming call is set
	budget  uint64 // what fuel was set to
	dead    bool
	end     error // how it died
	closed  bool
	log     logLines
}

// view is the memory and the allocator that the values of a function go through: the options of its
// lift or lower.
type view struct {
	memory  Memory
	realloc api.Function  // nil if there is none, or it is not kept
	made    *plan.CoreDef // the allocator that is made anew for each call; nil if realloc is set
	batch   *batch        // nil if realloc is called once for each
	// encoding is how strings stand in the memory.
	encoding component.Encoding
}

// callContext carries the guest to host functions. It is the one context of all the guest's calls,
// so that a call allocates none.
type callContext struct{ guest *Guest }

func (*callContext) Deadline() (time.Time, bool) { return time.Time{}, false }
func (*callContext) Done() <-chan struct{}       { return nil }
func (*callContext) Err() error                  { return nil }
func (*callContext) Value(any) any               { return nil }

// die marks the guest dead and says why. The counters tell: nothing else makes them negative.
func (g *Guest) die(export string, err error) error {
	g.dead = true
	cause := ErrTrap
	left, depth := fuel.Unpack(g.counter.Get())
	switch {
	case left+int64(g.rest.Get()) < 0:
		cause = ErrFuel
	case depth < 0:
		cause = ErrDepth
	}
	trap := newTrap(export, cause, err)
	switch {
	case trap.Text != "":
	case cause == ErrFuel:
		trap.Text = fmt.Sprintf("it may spend %d units", g.budget)
	case cause == ErrDepth:
		trap.Text = fmt.Sprintf("its calls may nest %d deep", g.limits.DepthMax)
	}
	g.end = trap
	return trap
}

// Kill ends a guest that did not trap but cannot be trusted any more, for what text says: it is
// dead from now on, and its pool replaces and counts it as one that trapped. It does nothing to a
// dead guest. A host function uses Trap instead.
func (g *Guest) Kill(text string) {
	if g.dead {
		return
	}
	g.dead = true
	g.end = &TrapError{Cause: ErrKilled, Text: text}
}

// Trap ends the guest's call from inside a host function: it does not return, and Call returns an
// error that wraps ErrTrap and has the text.
func (g *Guest) Trap(text string) { panic(&guestFault{text: text}) }

// Charge takes fuel for work a host function does for the guest, before it does it. It does not
// return if there is too little: the call ends with ErrFuel.
func (g *Guest) Charge(units uint64) {
	if !g.take(units) {
		panic(&guestFault{})
	}
}

// Spend takes fuel of the last call for work that its answer makes, outside of any call. If there
// is too little left, the guest dies of it.
func (g *Guest) Spend(units uint64) error {
	switch {
	case g.dead || g.closed:
		return g.gone("spend")
	case g.take(units):
		return nil
	}
	return g.die("answer", &guestFault{})
}

// take takes fuel of the call, false if there was too little.
func (g *Guest) take(units uint64) bool {
	left, depth := fuel.Unpack(g.counter.Get())
	left -= int64(min(units, fuelCeiling))
	if left < 0 {
		left += int64(g.rest.Get())
		slice := max(min(left, firstSlice), -1)
		g.rest.Set(uint64(left - slice))
		left = slice
	}
	g.counter.Set(fuel.Pack(left, depth))
	return left >= 0
}

// descend takes units of the depth, and gives them back if they are below zero. It does not return
// if there are too few: the call ends with ErrDepth.
func (g *Guest) descend(units int32) {
	left, depth := fuel.Unpack(g.counter.Get())
	g.counter.Set(fuel.Pack(left, depth-units))
	if depth < units {
		panic(&guestFault{})
	}
}

// Starved says that the call at hand, or the last one, asked for more memory than the guest may
// have. Some guests live with that.
func (g *Guest) Starved() bool { return g.memories.refused }

// Budget is what each call may spend.
func (g *Guest) Budget() uint64 { return g.perCall }

// AddFuel lets each later call spend units more than Limits.Fuel. It is for a Setup, which knows
// how much the guest has to look after.
func (g *Guest) AddFuel(units uint64) { g.limits.Fuel = min(g.limits.Fuel+units, fuelCeiling) }

// Fuel is what the call at hand, or the last one, has spent, in instructions; Alloc before it, Post
// and Spend behind it count. When the guest died of a trap of its own, what it spent since it last
// called out is not known.
func (g *Guest) Fuel() (spent uint64) {
	left, _ := fuel.Unpack(g.counter.Get())
	return g.budget - uint64(left) - g.rest.Get()
}

// Memory is the linear memory of the function at hand: that Use or Call was given last, or, within
// a host function, what its caller lowered it with.
func (g *Guest) Memory() Memory { return g.here.memory }

// Now is the time that the guest is told.
func (g *Guest) Now() time.Time { return g.module.engine.now() }

// Monotonic is the time since just before the engine was opened, as the guest is told: it is never
// 0, whatever becomes of the engine's clock.
func (g *Guest) Monotonic() time.Duration {
	return max(g.module.engine.now().Sub(g.module.engine.epoch), firstInstant)
}

// Random fills b with the random numbers that the guest is given.
func (g *Guest) Random(b []byte) { g.module.engine.random(b) }

// Encoding is how the function at hand has strings in that memory.
func (g *Guest) Encoding() component.Encoding { return g.here.encoding }

// Env is what Instantiate was given.
func (g *Guest) Env() any { return g.env }

// Module is what it is an instance of.
func (g *Guest) Module() *Module { return g.module }

// gone is the error of what comes after the death.
func (g *Guest) gone(what string) error {
	if g.end == nil {
		return fmt.Errorf("wasm: %s: %w", what, ErrDead)
	}
	return fmt.Errorf("wasm: %s: %w: %w", what, ErrDead, g.end)
}

// Dead tells if it trapped or was killed.
func (g *Guest) Dead() bool { return g.dead }

// Close gives the memory back to the system: slices of it must not be used any more. It must not be
// called from a host function.
func (g *Guest) Close() {
	if g.closed {
		return
	}
	g.closed = true
	g.dropAll()
	clear(g.views)
	g.closeCores()
	g.module.engine.guests.Add(-1)
}

// closeCores closes the last one made first: nothing made earlier needs it.
func (g *Guest) closeCores() {
	for _, c := range slices.Backward(append(g.cores, g.beside...)) {
		if c != nil {
			// An instance without file descriptors has nothing that could fail to close.
			_ = c.Close(context.Background())
		}
	}
}
