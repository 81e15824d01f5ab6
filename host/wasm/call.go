package wasm

import (
	"fmt"

	"github.com/hpmq/hpmq/host/wasm/fuel"
)

// firstSlice is of the size of the others, so that a usual call stays below it.
const firstSlice = 250_000

// arm sets the counters for a call.
func (g *Guest) arm(budget uint64) {
	g.budget = budget
	slice := min(budget, firstSlice)
	g.counter.Set(fuel.Pack(int64(slice), int32(g.limits.DepthMax)))
	g.rest.Set(budget - slice)
	g.memories.refused = false
	g.armed = true
}

// Use says that Alloc and Memory are for a call of f from now on, until Call or Use names another
// function: functions of a component need not share their memory. f must be of this guest.
func (g *Guest) Use(f *Func) { g.here = f.view }

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
	g.here, g.state = f.view, calling
	err := g.enter(f, stack)
	g.state, g.armed = idle, false
	if err != nil {
		return g.die(f.name, err)
	}
	return nil
}

// enter keeps the component instance from being entered again.
func (g *Guest) enter(f *Func, stack []uint64) error {
	p := &g.parts[f.part]
	if err := p.Enter(); err != nil {
		return err
	}
	if err := f.fn.CallWithStack(&g.ctx, stack); err != nil {
		return err
	}
	p.Exit()
	return g.endLoan(f)
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

// Post tells the guest that the result of f was read, by the post-return of its lift, which is
// cabi_post_NAME in a core module; it does nothing if there is none. It spends what Call left of
// its budget.
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
// call (see Use) or for results of a host function. It spends fuel of that call. The range it
// returns is inside the memory; an answer that is not kills the guest. A component is asked for 0
// bytes too, as the canonical ABI has it: some free what they are given. Within a host function
// Alloc does not return when the guest fails: the call ends as by Trap.
func (g *Guest) Alloc(size, align uint32) (uint32, error) {
	v := g.here
	switch {
	case g.dead || g.closed:
		return 0, g.gone("alloc")
	case v.realloc == nil && v.made == nil || v.memory.mem == nil:
		return 0, fmt.Errorf("wasm: alloc: %w: %s and a memory", ErrNoExport, reallocExport)
	case g.state == allocating:
		return 0, fmt.Errorf("wasm: alloc: the guest is in a call of %s", reallocExport)
	case !g.asks(size):
		return align, nil
	}
	if g.state == idle && !g.armed {
		g.arm(g.perCall)
	}
	before := g.state
	ptr, err := g.callRealloc(v, size, align)
	if r, has := (Room{size, align, ptr}), v.memory.Size(); err == nil && !r.fits(has) {
		err = r.refused(has)
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

// callRealloc gives what the guest answers. The view has an allocator.
func (g *Guest) callRealloc(v *view, size, align uint32) (uint32, error) {
	before, realloc := g.state, v.realloc
	if realloc == nil {
		if before == calling {
			g.Charge(makeFuel)
		}
		realloc = g.core(*v.made)
	}
	g.state = allocating
	g.reallocs = [4]uint64{0, 0, uint64(align), uint64(size)}
	err := realloc.CallWithStack(&g.ctx, g.reallocs[:])
	g.state = before
	return uint32(g.reallocs[0]), err
}
