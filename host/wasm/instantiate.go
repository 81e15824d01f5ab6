package wasm

import (
	"context"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/hpmq/hpmq/host/wasm/fuel"
)

// Instantiate makes a guest and runs its start function and _initialize, within l.StartFuel. env is
// for host functions, by Guest.Env. It takes from 40 µs to 10 ms and belongs off the loops. The
// guest must be closed.
func (m *Module) Instantiate(ctx context.Context, env any, l Limits) (*Guest, error) {
	l = m.engine.cfg.limits(l)
	if err := l.validate(m.engine.cfg); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("wasm: instantiate: %w", err)
	}
	if need := uint64(m.pagesMin) * pageBytes; need > uint64(l.MemoryBytesMax) {
		return nil, fmt.Errorf("wasm: instantiate: %w: the module starts with %d bytes of memory, "+
			"it may have %d", fuel.ErrLimit, need, l.MemoryBytesMax)
	}
	if n := m.engine.guests.Add(1); n > int64(m.engine.cfg.GuestsMax) {
		m.engine.guests.Add(-1)
		return nil, fmt.Errorf("wasm: instantiate: %w: %d guests", fuel.ErrLimit, n)
	}
	g, err := m.instantiate(env, l)
	if err != nil {
		m.engine.guests.Add(-1)
		return nil, err
	}
	if err := g.boot(); err != nil {
		g.Close()
		return nil, err
	}
	return g, nil
}

// instantiate runs no code of the guest: the start section is an export by now.
func (m *Module) instantiate(env any, l Limits) (g *Guest, err error) {
	g = &Guest{module: m, env: env, limits: l, perCall: l.Fuel, tables: make([]handles, 1)}
	g.ctx.guest = g
	linear := &linear{bytesMax: uint64(l.MemoryBytesMax)}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("wasm: instantiate: the engine failed: %v", r)
		}
		if err != nil {
			linear.free()
			g = nil
		}
	}()
	ctx := experimental.WithMemoryAllocator(context.Background(), linear)
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions()
	g.inst, err = m.engine.runtime.InstantiateModule(ctx, m.compiled, config)
	if err != nil {
		return g, fmt.Errorf("wasm: instantiate: %w", err)
	}
	g.fuel = g.inst.ExportedGlobal(fuel.FuelGlobal).(api.MutableGlobal)
	g.rest = g.inst.ExportedGlobal(fuel.RestGlobal).(api.MutableGlobal)
	g.depth = g.inst.ExportedGlobal(fuel.DepthGlobal).(api.MutableGlobal)
	if m.memory {
		g.memory = Memory{mem: g.inst.Memory()}
	}
	return g, nil
}

// boot runs what the module wants to run first.
func (g *Guest) boot() error {
	g.arm(g.limits.StartFuel)
	first := []string{}
	if g.module.start {
		first = append(first, fuel.StartExport)
	}
	if g.module.Has("_initialize") {
		first = append(first, "_initialize")
	}
	for _, name := range first {
		f, err := g.lookUp(name)
		if err != nil {
			return err
		}
		if len(f.params)+len(f.results) > 0 {
			return fmt.Errorf("wasm: instantiate: %s has parameters or results", name)
		}
		if err := g.Call(f, nil); err != nil {
			return err
		}
		g.armed = true // both run on one budget
	}
	g.armed = false
	if !g.module.Has(reallocExport) {
		return nil
	}
	realloc, err := g.Func(reallocExport)
	if err != nil {
		return err
	}
	if !realloc.signature.equal(reallocSignature) {
		return fmt.Errorf("wasm: instantiate: %s is %v, not %v", reallocExport, realloc.signature,
			reallocSignature)
	}
	g.realloc = realloc
	return nil
}
