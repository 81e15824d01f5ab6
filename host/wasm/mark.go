package wasm

import (
	"slices"
	"strconv"

	"github.com/tetratelabs/wazero/api"

	"github.com/hpmq/hpmq/host/wasm/canon"
	"github.com/hpmq/hpmq/host/wasm/fuel"
)

// Mark is what a guest had in its memories and globals between two calls.
type Mark struct {
	memories [][]byte
	globals  [][]uint64 // by core instance
}

// Mark notes what the guest has, for Back: it copies all of its memory. It must be in no call.
func (g *Guest) Mark() *Mark {
	m := &Mark{globals: make([][]uint64, len(g.cores))}
	for _, mem := range g.linears() {
		view, _ := mem.Read(0, mem.Size())
		m.memories = append(m.memories, slices.Clone(view))
	}
	for i, c := range g.cores {
		for _, global := range globals(c) {
			m.globals[i] = append(m.globals[i], global.Get())
		}
	}
	return m
}

// linears are the memories of the core instances, each once, though several may share one.
func (g *Guest) linears() (all []api.Memory) {
	for _, c := range g.cores {
		if mem := memoryOf(c); mem != nil && !slices.Contains(all, mem) {
			all = append(all, mem)
		}
	}
	return all
}

// globals are those that the module of c defines and changes, but for vectors and references.
func globals(c api.Module) (all []api.MutableGlobal) {
	for i := 0; ; i++ {
		global, ok := c.ExportedGlobal(fuel.GlobalExport + strconv.Itoa(i)).(api.MutableGlobal)
		if !ok {
			return all
		}
		all = append(all, global)
	}
}

// Back undoes the calls since m was made of this guest, also the one that it died of: it lives
// again, as it was. Memory that it got stays its own, with zeros. What host functions did for it is
// not undone, nor are its tables.
func (g *Guest) Back(m *Mark) {
	if g.closed {
		return
	}
	for i, mem := range g.linears() {
		view, _ := mem.Read(0, mem.Size())
		clear(view[copy(view, m.memories[i]):])
	}
	for i, c := range g.cores {
		for k, global := range globals(c) {
			global.Set(m.globals[i][k])
		}
	}
	for i := range g.parts {
		g.parts[i].Instance = canon.Instance{Handles: g.parts[i].Handles}
	}
	for i := range g.callees {
		g.callees[i].busy = false
	}
	g.loan = canon.Call{}
	g.dead, g.end, g.armed, g.state = false, nil, false, idle
}

// Allow lets the coming call, with Alloc before it, spend units instead of Limits.Fuel.
func (g *Guest) Allow(units uint64) {
	if !g.dead && !g.closed && g.state == idle {
		g.arm(min(units, fuelCeiling))
	}
}
