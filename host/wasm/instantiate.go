package wasm

import (
	"context"
	"fmt"
	"strconv"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/hpmq/hpmq/host/wasm/canon"
	"github.com/hpmq/hpmq/host/wasm/fuel"
)

// Instantiate makes a guest and runs its start functions, and _initialize of a core module, within
// l.StartFuel together. env is for host functions, by Guest.Env. It takes from 40 µs to 10 ms and
// belongs off the loops. The guest must be closed.
func (m *Module) Instantiate(ctx context.Context, env any, l Limits) (*Guest, error) {
	l = m.engine.cfg.limits(l)
	if err := l.validate(m.engine.cfg); err != nil {
		return nil, err
	}
	if m.forwards {
		l.DepthMax = min(l.DepthMax, depthCeiling/2) // a frame that does not count beside each
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("wasm: instantiate: %w", err)
	}
	if m.bytesMin > uint64(l.MemoryBytesMax) {
		return nil, fmt.Errorf("wasm: instantiate: %w: %w, with %d bytes, and may have %d",
			fuel.ErrLimit, ErrStartMemory, m.bytesMin, l.MemoryBytesMax)
	}
	if n := m.engine.guests.Add(1); n > int64(m.engine.cfg.GuestsMax) {
		m.engine.guests.Add(-1)
		return nil, fmt.Errorf("wasm: instantiate: %w: %d guests", fuel.ErrLimit, n)
	}
	g := &Guest{
		module: m, env: env, limits: l, perCall: l.Fuel,
		cores: make([]api.Module, len(m.steps)), views: make([]view, len(m.views)),
		parts: make([]part, m.parts), callees: make([]callee, len(m.callees)),
		adapters: make([]*canon.Adapter, m.adapters),
	}
	g.ctx.guest = g
	g.here = &g.views[0]
	g.memories = &linear{growth: uint64(l.MemoryBytesMax) - m.bytesMin}
	if err := g.boot(); err != nil {
		g.Close()
		g.memories.free()
		return nil, err
	}
	return g, nil
}

// boot makes the core instances in order, each with its start function before the next.
func (g *Guest) boot() error {
	ctx := experimental.WithMemoryAllocator(context.Background(), g.memories)
	for i := range g.module.steps {
		if err := g.makeCore(ctx, i); err != nil {
			return fmt.Errorf("wasm: instantiate: %w", err)
		}
		if i == g.module.counters {
			g.count()
		}
		if g.module.steps[i].start {
			if err := g.start(i, fuel.StartExport); err != nil {
				return err
			}
		}
	}
	if g.module.form == CoreForm && g.module.Has(initializeExport) {
		if err := g.start(0, initializeExport); err != nil {
			return err
		}
	}
	g.armed = false
	if len(g.module.exports) > 0 {
		g.here = &g.views[g.module.exports[0].view]
	}
	return nil
}

// initializeExport is what a core module wants to run first. Of a component the linker has made a
// start function of it.
const initializeExport = "_initialize"

// hostImports is where a step's module imports its trampolines from.
const hostImports = "host"

// makeCore makes a core instance. It runs no code: start sections are exports by now.
func (g *Guest) makeCore(ctx context.Context, i int) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the engine failed: %v", r)
		}
	}()
	s := &g.module.steps[i]
	if g.module.form == ComponentForm {
		ctx = experimental.WithImportResolver(ctx, func(name string) api.Module {
			return g.importedBy(s, name)
		})
	}
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions()
	c, err := g.module.engine.runtime.InstantiateModule(ctx, s.core, config)
	if err != nil {
		return err
	}
	g.cores[i] = c
	for _, v := range s.views {
		g.openView(v, c)
	}
	return nil
}

// importedBy finds what a step's module imports from, by the names that its rewrite gave.
func (g *Guest) importedBy(s *step, name string) api.Module {
	switch name {
	case hostImports:
		return s.host
	case fuel.SharedModule:
		return g.cores[g.module.counters]
	}
	n, err := strconv.Atoi(name)
	if err != nil || n >= len(s.from) {
		return nil
	}
	return g.cores[s.from[n]]
}

// count finds the counters, and sets them for the start functions.
func (g *Guest) count() {
	owner := g.cores[g.module.counters]
	g.counter = owner.ExportedGlobal(fuel.CountGlobal).(api.MutableGlobal)
	g.rest = owner.ExportedGlobal(fuel.RestGlobal).(api.MutableGlobal)
	g.arm(g.limits.StartFuel)
}

// openView is for the instance at hand, the last one that the view needs.
func (g *Guest) openView(i int, core api.Module) {
	v, p := &g.views[i], &g.module.views[i]
	switch {
	case p.whole:
		v.memory = Memory{mem: core.Memory()}
	case p.memory != nil:
		v.memory = Memory{mem: g.cores[p.memory.Instance].ExportedMemory(p.memory.Name)}
	}
	switch {
	case p.realloc == nil:
	case p.slot < 0:
		v.made = p.realloc
	default:
		if g.allocators[p.slot] == nil {
			g.allocators[p.slot] = g.core(*p.realloc)
		}
		v.realloc = g.allocators[p.slot]
	}
	v.encoding = p.encoding
}

// start runs a function without parameters on what is left of the budget for it.
func (g *Guest) start(step int, name string) error {
	fn := g.cores[step].ExportedFunction(name)
	if d := fn.Definition(); len(d.ParamTypes())+len(d.ResultTypes()) > 0 {
		return fmt.Errorf("wasm: instantiate: %s has parameters or results", name)
	}
	g.state = calling
	err := fn.CallWithStack(&g.ctx, nil)
	g.state = idle
	if err != nil {
		return g.die(name, err)
	}
	return nil
}
