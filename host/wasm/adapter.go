package wasm

import (
	"errors"

	"github.com/hpmq/hpmq/host/wasm/canon"
	"github.com/hpmq/hpmq/host/wasm/component"
)

// adapterPlan is a call from one part into another, before there is a guest.
type adapterPlan struct {
	typ            *component.FuncType
	caller, callee sidePlan
	core, post     int // callees; post is -1 for none
}

// sidePlan is one end of it.
type sidePlan struct {
	part, view int
	memory     bool
	encoding   component.Encoding
}

// side is the memory and the allocator of one end.
type side struct {
	guest *Guest
	view  *view
}

var errNoRealloc = errors.New("the function is given no realloc")

// Bytes is all of the memory.
func (s side) Bytes() []byte {
	b, _ := s.view.memory.Read(0, s.view.memory.Size())
	return b
}

// Realloc asks the guest. What it answers is checked by package canon.
func (s side) Realloc(align, size uint32) (uint32, error) {
	if s.view.realloc == nil && s.view.made == nil {
		return 0, errNoRealloc
	}
	ptr, err := s.guest.callRealloc(s.view, size, align)
	if err != nil {
		return 0, s.guest.die(reallocExport, err)
	}
	return ptr, nil
}

// memoryOf is nil if the options name none.
func (g *Guest) memoryOf(s *sidePlan) canon.Memory {
	if !s.memory {
		return nil
	}
	return side{guest: g, view: &g.views[s.view]}
}

// instanceOf is the part with its handles.
func (g *Guest) instanceOf(s *sidePlan) *canon.Instance {
	g.handles(s.part)
	return &g.parts[s.part].Instance
}

// What a value that goes from one part to another costs, and how many bytes a unit pays for: they
// are read, kept and written.
const (
	valueFuel    = 32
	bytesPerFuel = 2
)

// carriedMax bounds the values of one call between parts, 48 bytes each.
const carriedMax = 1 << 18

func (g *Guest) carryLimits() canon.Limits {
	return canon.Limits{
		ValuesMax: carriedMax, BytesMax: int(g.limits.MemoryBytesMax),
		Spend: func(values, bytes uint64) { g.Charge(values*valueFuel + bytes/bytesPerFuel) },
	}
}

// adapt makes the call of a guest. Post-return cannot call out, as realloc.
func (p *adapterPlan) adapt(g *Guest) *canon.Adapter {
	f := &canon.Func{
		Type: p.typ, Instance: g.instanceOf(&p.callee), Memory: g.memoryOf(&p.callee),
		Encoding: p.callee.encoding,
		Core:     func(stack []uint64) error { return g.nested(p.core, stack) },
	}
	if p.post >= 0 {
		f.PostReturn = func(stack []uint64) error {
			before := g.state
			g.state = allocating
			err := g.nested(p.post, stack)
			g.state = before
			return err
		}
	}
	return &canon.Adapter{
		Callee: f, Instance: g.instanceOf(&p.caller), Memory: g.memoryOf(&p.caller),
		Encoding: p.caller.encoding, Limits: g.carryLimits(),
	}
}

// adaptedCall makes the trampoline's function; i counts the adapters of the module.
func adaptedCall(i int, p *adapterPlan) func(g *Guest, stack []uint64) {
	return func(g *Guest, stack []uint64) {
		a := g.adapters[i]
		if a == nil {
			a = p.adapt(g)
			g.adapters[i] = a
		}
		if err := a.Call(stack); err != nil {
			g.Trap(err.Error())
		}
	}
}
