package wasm

import (
	"context"
	"fmt"
	"strconv"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// trampoline is a core function that the host makes for a component. All guests share it.
type trampoline struct {
	signature
	name   string
	caller int // the part that calls it
	view   int // of its lower
	// resources are the host's in the type of the function.
	resources []knownResource
	// always: it may be called while the part allocates for its caller or cleans up.
	always bool
	call   func(g *Guest, stack []uint64)
}

// knownResource is the number that a component knows a resource of the host by.
type knownResource struct {
	host *hostResource
	id   int
}

// serve is the trampoline as the engine calls it: Alloc, Memory and handles are the caller's until
// it returns. If it panics the guest is dead, so nothing is put back.
func (t *trampoline) serve(ctx context.Context, _ api.Module, stack []uint64) {
	g := ctx.(*callContext).guest
	g.Charge(hostCallFuel)
	if g.state == allocating && !t.always {
		g.Trap("calls " + t.name + " from within realloc or post-return")
	}
	here, caller, lower := g.here, g.caller, g.lower
	g.here, g.caller, g.lower = &g.views[t.view], t.caller, t
	t.call(g, stack)
	g.here, g.caller, g.lower = here, caller, lower
}

// hostModule makes an anonymous module of trampolines, by name.
func (m *Module) hostModule(
	ctx context.Context, functions map[string]*trampoline,
) (api.Module, error) {
	builder := m.engine.runtime.NewHostModuleBuilder(hostImports)
	for name, t := range functions {
		builder.NewFunctionBuilder().
			WithGoModuleFunction(api.GoModuleFunc(t.serve), apiTypes(t.params),
				apiTypes(t.results)).
			WithName(t.name).Export(name)
	}
	compiled, err := builder.Compile(ctx)
	if err != nil {
		return nil, err
	}
	m.cores = append(m.cores, compiled)
	config := wazero.NewModuleConfig().WithName("")
	host, err := m.engine.runtime.InstantiateModule(ctx, compiled, config)
	if err != nil {
		return nil, err
	}
	m.hosts = append(m.hosts, host)
	return host, nil
}

// nestedDepth is what a call from the host back into a guest takes of the depth: it stands on the
// stacks of both.
const nestedDepth = 16

// A function that is called from outside has a stack of its own, of 10 KiB at first, that grows by
// what its calls need and never shrinks. So a guest keeps no more than a few, for each purpose. The
// others are made for each call, which makeFuel pays for.
const (
	keptMax  = 8
	makeFuel = 5000 // 5 µs and 12 KB of garbage
)

// callee is a core function that the host calls in the middle of a call. It may come to that again
// before it is back: then another one is made.
type callee struct {
	fn   api.Function // nil until it is needed, and if it is not kept
	busy bool
}

// nested calls the module's callee i. An error says that the guest is dead.
func (g *Guest) nested(i int, stack []uint64) error {
	def := g.module.callees[i]
	if def.Instance >= 0 && g.cores[def.Instance] == nil {
		return fmt.Errorf("%s is called before its instance is made", def.Name)
	}
	g.descend(nestedDepth)
	err := g.callees[i].call(g, i, stack)
	if err != nil {
		name := def.Name
		if def.Instance < 0 {
			name = "trampoline " + strconv.Itoa(def.Trampoline)
		}
		return g.die(name, err)
	}
	g.descend(-nestedDepth)
	return nil
}

func (c *callee) call(g *Guest, i int, stack []uint64) error {
	if c.busy || i >= keptMax {
		g.Charge(makeFuel)
		return g.core(g.module.callees[i]).CallWithStack(&g.ctx, stack)
	}
	if c.fn == nil {
		c.fn = g.core(g.module.callees[i])
	}
	c.busy = true
	err := c.fn.CallWithStack(&g.ctx, stack)
	c.busy = false
	return err
}

// destroy runs the destructor of a resource that a part implements.
func (g *Guest) destroy(r *resource, rep uint32) error {
	if r.dtor < 0 {
		return nil
	}
	stack := [1]uint64{uint64(rep)}
	if r.part == g.caller {
		return g.nested(r.dtor, stack[:])
	}
	p := &g.parts[r.part]
	if err := p.Enter(); err != nil {
		return err
	}
	if err := g.nested(r.dtor, stack[:]); err != nil {
		return err
	}
	p.Exit()
	return nil
}
