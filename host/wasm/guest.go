package wasm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tetratelabs/wazero/api"
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
	module *Module
	inst   api.Module
	env    any
	limits Limits
	ctx    callContext
	memory Memory
	fuel   api.MutableGlobal
	rest   api.MutableGlobal // of the budget, behind fuel
	depth  api.MutableGlobal

	tables []handles // by component instance
	caller int       // the component instance that calls the host

	realloc  *Func // nil if not exported
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

// callContext carries the guest to host functions. It is the one context of all the guest's calls,
// so that a call allocates none.
type callContext struct{ guest *Guest }

func (*callContext) Deadline() (time.Time, bool) { return time.Time{}, false }
func (*callContext) Done() <-chan struct{}       { return nil }
func (*callContext) Err() error                  { return nil }
func (*callContext) Value(any) any               { return nil }

// Func is an exported function of one guest.
type Func struct {
	signature
	guest *Guest
	name  string
	fn    api.Function
	slots int
	post  api.Function // cabi_post_NAME, nil if not exported
}

// ErrNoExport is wrapped by Func's error.
var ErrNoExport = errors.New("no such export")

// Func looks an exported function up. That costs 5 µs and 20 KB, so it is done once, at link time.
func (g *Guest) Func(name string) (*Func, error) {
	if g.dead || g.closed {
		return nil, g.gone("look up " + name)
	}
	if !g.module.Has(name) {
		return nil, fmt.Errorf("wasm: look up %s: %w", name, ErrNoExport)
	}
	return g.lookUp(name)
}

func (g *Guest) lookUp(name string) (*Func, error) {
	s := g.module.types[name]
	f := &Func{
		signature: s, guest: g, name: name, slots: max(len(s.params), len(s.results)),
		fn: g.inst.ExportedFunction(name),
	}
	post := "cabi_post_" + name
	if !g.module.Has(post) {
		return f, nil
	}
	if want := (signature{params: s.results}); !g.module.types[post].equal(want) {
		return nil, fmt.Errorf("wasm: look up %s: it is %v, not %v",
			post, g.module.types[post], want)
	}
	f.post = g.inst.ExportedFunction(post)
	return f, nil
}

// firstSlice is of the size of the others, so that a usual call stays below it.
const firstSlice = 250_000

// arm sets the counters for a call.
func (g *Guest) arm(budget uint64) {
	g.budget = budget
	slice := min(budget, firstSlice)
	g.fuel.Set(slice)
	g.rest.Set(budget - slice)
	g.depth.Set(uint64(g.limits.DepthMax))
	g.armed = true
}

// Call runs an export: parameters at the start of stack, which is kept until return and gets the
// results. It never blocks and allocates nothing. It spends what is left by Alloc of the budget of
// one call. An error of type *TrapError means that the guest is dead; memory it answered with must
// not be read.
func (g *Guest) Call(f *Func, stack []uint64) error {
	if err := g.ready(f, len(stack)); err != nil {
		return err
	}
	if !g.armed {
		g.arm(g.perCall)
	}
	g.state = calling
	err := f.fn.CallWithStack(&g.ctx, stack)
	g.state, g.armed = idle, false
	if err != nil {
		return g.die(f.name, err)
	}
	return nil
}

// ready refuses calls that are bugs of the caller, or come too late.
func (g *Guest) ready(f *Func, slots int) error {
	switch {
	case g.dead || g.closed:
		return g.gone("call " + f.name)
	case g.state != idle:
		return fmt.Errorf("wasm: call %s: the guest is in a call", f.name)
	case f.guest != g:
		return fmt.Errorf("wasm: call %s: the function is of another guest", f.name)
	case slots < f.slots:
		return fmt.Errorf("wasm: call %s: stack has %d slots, needs %d", f.name, slots, f.slots)
	}
	return nil
}

// Post tells the guest that the result of f was read, by cabi_post_NAME; it does nothing if the
// guest exports none. It spends what Call left of its budget.
func (g *Guest) Post(f *Func, result uint64) error {
	if f.post == nil {
		return nil
	}
	if err := g.ready(f, f.slots); err != nil {
		return err
	}
	g.posts[0] = result
	g.state = allocating
	err := f.post.CallWithStack(&g.ctx, g.posts[:])
	g.state = idle
	if err != nil {
		return g.die("cabi_post_"+f.name, err)
	}
	return nil
}

const reallocExport = "cabi_realloc"

var reallocSignature = signature{params: []ValueType{I32, I32, I32, I32}, results: []ValueType{I32}}

// Alloc asks the guest for size bytes aligned to align, a power of 2, for arguments of the coming
// call or for results of a host function. It spends fuel of that call. The range it returns is
// inside the memory; an answer that is not kills the guest. Within a host function Alloc does not
// return when the guest fails: the call ends as by Trap.
func (g *Guest) Alloc(size, align uint32) (uint32, error) {
	switch {
	case g.dead || g.closed:
		return 0, g.gone("alloc")
	case g.realloc == nil || !g.module.memory:
		return 0, fmt.Errorf("wasm: alloc: %w: %s and a memory", ErrNoExport, reallocExport)
	case g.state == allocating:
		return 0, fmt.Errorf("wasm: alloc: the guest is in a call of %s", reallocExport)
	case size == 0:
		return align, nil
	}
	if g.state == idle && !g.armed {
		g.arm(g.perCall)
	}
	before := g.state
	g.state = allocating
	g.reallocs = [4]uint64{0, 0, uint64(align), uint64(size)}
	err := g.realloc.fn.CallWithStack(&g.ctx, g.reallocs[:])
	g.state = before
	ptr := uint32(g.reallocs[0])
	if err == nil && (ptr&(align-1) != 0 || uint64(ptr)+uint64(size) > uint64(g.memory.Size())) {
		err = &guestFault{text: fmt.Sprintf("answers %#x for %d bytes aligned to %d, memory has %d",
			ptr, size, align, g.memory.Size())}
	}
	if err == nil {
		return ptr, nil
	}
	err = g.die(reallocExport, err)
	if before == calling {
		g.Trap(err.Error())
	}
	return 0, err
}

// die marks the guest dead and says why. The counters tell: nothing else makes them negative.
func (g *Guest) die(export string, err error) error {
	g.dead = true
	cause := ErrTrap
	switch {
	case int64(g.fuel.Get()) < 0:
		cause = ErrFuel
	case int32(g.depth.Get()) < 0:
		cause = ErrDepth
	}
	trap := newTrap(export, cause, err)
	if cause == ErrFuel && trap.Text == "" {
		trap.Text = fmt.Sprintf("it may spend %d units", g.budget)
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
	left := int64(g.fuel.Get()) - int64(min(units, fuelCeiling))
	if left < 0 {
		left += int64(g.rest.Get())
		g.rest.Set(0)
	}
	g.fuel.Set(uint64(left))
	if left < 0 {
		panic(&guestFault{})
	}
}

// Budget is what each call may spend.
func (g *Guest) Budget() uint64 { return g.perCall }

// AddFuel lets each later call spend units more than Limits.Fuel. It is for a Setup, which knows
// how much the guest has to look after.
func (g *Guest) AddFuel(units uint64) { g.limits.Fuel = min(g.limits.Fuel+units, fuelCeiling) }

// Fuel is what the call at hand, or the last one, has spent, in instructions; Alloc before it and
// Post behind it count.
func (g *Guest) Fuel() (spent uint64) { return g.budget - g.fuel.Get() - g.rest.Get() }

// Use says that Alloc and Memory are for a call of f from now on, until Call or Use names another
// function: functions of a component need not share their memory. f must be of this guest.
func (g *Guest) Use(f *Func) {}

// Memory is the linear memory of the function at hand: that Use or Call was given last, or, within
// a host function, what its caller lowered it with.
func (g *Guest) Memory() Memory { return g.memory }

// Now is the time that the guest is told.
func (g *Guest) Now() time.Time { return g.module.engine.now() }

// Monotonic is the time since the engine was opened, as the guest is told.
func (g *Guest) Monotonic() time.Duration {
	return g.module.engine.now().Sub(g.module.engine.epoch)
}

// Random fills b with the random numbers that the guest is given.
func (g *Guest) Random(b []byte) { g.module.engine.random(b) }

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
	g.memory = Memory{}
	// An instance without file descriptors has nothing that could fail to close.
	_ = g.inst.Close(context.Background())
	g.module.engine.guests.Add(-1)
}
