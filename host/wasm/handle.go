package wasm

import (
	"fmt"

	"github.com/hpmq/hpmq/host/wasm/canon"
)

// HostResource is a resource type that a host module gives: "output-stream". Its representation, a
// number, is the host's own. Drop is called when the guest drops a handle that owns one, by
// resource.drop or by its end, each once; it has no memory to look at and must not block. nil does
// nothing.
type HostResource struct {
	Name string
	Drop func(g *Guest, rep uint32)
}

// resource is a resource type: the host's, with drop, or one that part implements, with dtor.
type resource struct {
	name string
	host *hostResource // nil if a part implements it
	part int
	dtor int // callee; -1 for none
}

// hostResource is a resource type as Provide was told of it.
type hostResource struct {
	HostResource
	id int // among all; in core modules handles name it by that
}

// resourceKey names a host's resource type as its module was provided.
type resourceKey struct{ module, resource string }

// part is a component instance: what may not be entered again, and its handles.
type part struct{ canon.Instance }

// handles is the table of the part, made when it is first needed.
func (g *Guest) handles(i int) *canon.Table {
	p := &g.parts[i]
	if p.Handles == nil {
		m := g.module
		p.Handles = canon.NewTable(i, m.owners, int(m.engine.cfg.HandlesMax))
	}
	return p.Handles
}

// resourceID is the number that the caller at hand knows the host's resource type by. Another name
// than the host provided, or one that is not in the type of the function it calls, is a bug of the
// host.
func (g *Guest) resourceID(module, name string) int {
	r := g.module.engine.resources[resourceKey{module, name}]
	if r == nil {
		panic(fmt.Errorf("wasm: no resource %s was provided by %s", name, module))
	}
	if g.lower == nil {
		return r.id
	}
	for _, known := range g.lower.resources {
		if known.host == r {
			return known.id
		}
	}
	panic(fmt.Errorf("wasm: no %s of %s is in the type of %s", name, module, g.lower.name))
}

// NewHandle gives the calling component instance a handle that owns a resource of a host module,
// both by the names they were provided under. It is for host functions that answer own<resource>.
// The call ends as by Trap when the guest has HandlesMax of them.
func (g *Guest) NewHandle(module, resource string, rep uint32) uint32 {
	h, err := g.handles(g.caller).New(g.resourceID(module, resource), rep)
	g.mustHandle(err)
	return h
}

// Rep is the representation behind a handle of the calling component instance. It is for host
// functions that take borrow<resource>. The call ends as by Trap if there is no such handle.
func (g *Guest) Rep(module, resource string, handle uint32) uint32 {
	rep, err := g.handles(g.caller).Rep(g.resourceID(module, resource), handle)
	g.mustHandle(err)
	return rep
}

// TakeHandle is Rep for host functions that take own<resource>: the guest has the handle no more,
// and the resource is the host's, which is not told to drop it.
func (g *Guest) TakeHandle(module, resource string, handle uint32) uint32 {
	rep, err := g.handles(g.caller).Take(g.resourceID(module, resource), handle)
	g.mustHandle(err)
	return rep
}

func (g *Guest) mustHandle(err error) {
	if err != nil {
		g.Trap(err.Error())
	}
}

// dropHandle is resource.drop by the caller at hand.
func (g *Guest) dropHandle(id int, handle uint32) {
	r := &g.module.resources[id]
	g.mustHandle(g.handles(g.caller).Drop(id, handle, func(rep uint32) error {
		if r.host == nil {
			return g.destroy(r, rep)
		}
		if r.host.Drop != nil {
			r.host.Drop(g, rep)
		}
		return nil
	}))
}

// dropAll gives the host back what the guest had, the latest first.
func (g *Guest) dropAll() {
	for i := range g.parts {
		t := g.parts[i].Handles
		if t == nil {
			continue
		}
		for id, rep := range t.Owned() {
			if h := g.module.resources[id].host; h != nil && h.Drop != nil {
				h.Drop(g, rep)
			}
		}
	}
}
