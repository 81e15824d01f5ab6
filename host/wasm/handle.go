package wasm

import (
	"fmt"
	"slices"
)

// HostResource is a resource type that a host module gives: "output-stream". Its representation, a
// number, is the host's own. Drop is called when the guest drops a handle that owns one, by
// resource.drop or by its end, each once; it has no memory to look at and must not block. nil does
// nothing.
type HostResource struct {
	Name string
	Drop func(g *Guest, rep uint32)
}

// resource is a resource type. Two are the same if they are the same pointer.
type resource struct {
	name string
	drop func(g *Guest, rep uint32) // the host's; nil for none
}

// handle is a place in a table: free if resource is nil.
type handle struct {
	resource *resource
	rep      uint32
	next     uint32 // free place behind a free one, 0 for none
}

// handles is the table of one component instance: the resources it may name, by numbers from 1 on.
// A free place is taken again at once, as the canonical ABI has it.
type handles struct {
	places []handle // the first is never used
	free   uint32
}

// add gives the number, or false when the table has most of them.
func (t *handles) add(h handle, most uint32) (uint32, bool) {
	if i := t.free; i != 0 {
		t.free = t.places[i].next
		t.places[i] = h
		return i, true
	}
	if len(t.places) == 0 {
		t.places = append(t.places, handle{})
	}
	if uint32(len(t.places)) > most {
		return 0, false
	}
	t.places = append(t.places, h)
	return uint32(len(t.places)) - 1, true
}

// get is nil if there is no such handle of that type.
func (t *handles) get(r *resource, i uint32) *handle {
	if uint64(i) >= uint64(len(t.places)) || t.places[i].resource != r {
		return nil
	}
	return &t.places[i]
}

// remove frees the place of a handle that is there.
func (t *handles) remove(i uint32) {
	t.places[i] = handle{next: t.free}
	t.free = i
}

// resourceKey names a host's resource type as its module was provided.
type resourceKey struct{ module, resource string }

// hostResource is the type that Provide was told of: another name is a bug of the host.
func (g *Guest) hostResource(module, name string) *resource {
	r := g.module.engine.resources[resourceKey{module, name}]
	if r == nil {
		panic(fmt.Errorf("wasm: no resource %s was provided by %s", name, module))
	}
	return r
}

// NewHandle gives the calling component instance a handle that owns a resource of a host module,
// both by the names they were provided under. It is for host functions that answer own<resource>.
// The call ends as by Trap when the guest has HandlesMax of them.
func (g *Guest) NewHandle(module, resource string, rep uint32) uint32 {
	return g.newHandle(g.hostResource(module, resource), rep)
}

func (g *Guest) newHandle(r *resource, rep uint32) uint32 {
	most := g.module.engine.cfg.HandlesMax
	i, ok := g.tables[g.caller].add(handle{resource: r, rep: rep}, most)
	if !ok {
		g.Trap(fmt.Sprintf("more than %d handles", most))
	}
	return i
}

// Rep is the representation behind a handle of the calling component instance. It is for host
// functions that take borrow<resource>. The call ends as by Trap if there is no such handle.
func (g *Guest) Rep(module, resource string, handle uint32) uint32 {
	return g.held(g.hostResource(module, resource), handle).rep
}

// TakeHandle is Rep for host functions that take own<resource>: the guest has the handle no more,
// and the resource is the host's, which is not told to drop it.
func (g *Guest) TakeHandle(module, resource string, handle uint32) uint32 {
	return g.take(g.hostResource(module, resource), handle).rep
}

func (g *Guest) take(r *resource, i uint32) handle {
	h := *g.held(r, i)
	g.tables[g.caller].remove(i)
	return h
}

// held is the handle, or the end of the call.
func (g *Guest) held(r *resource, i uint32) *handle {
	h := g.tables[g.caller].get(r, i)
	if h == nil {
		g.Trap(fmt.Sprintf("%d is no handle of a %s", i, r.name))
	}
	return h
}

// dropHandle is resource.drop.
func (g *Guest) dropHandle(r *resource, i uint32) {
	if h := g.take(r, i); r.drop != nil {
		r.drop(g, h.rep)
	}
}

// dropAll gives the host back what the guest had, the youngest first.
func (g *Guest) dropAll() {
	for i := range g.tables {
		for _, h := range slices.Backward(g.tables[i].places) {
			if h.resource != nil && h.resource.drop != nil {
				h.resource.drop(g, h.rep)
			}
		}
	}
	g.tables = nil
}
