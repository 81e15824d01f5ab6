package wasm

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/tetratelabs/wazero/api"

	"github.com/hpmq/hpmq/host/wasm/component"
	"github.com/hpmq/hpmq/host/wasm/plan"
)

// Func is an exported function of one guest: of a component, a lifted one with its memory,
// allocator and post-return.
type Func struct {
	signature
	guest    *Guest
	name     string
	fn       api.Function
	slots    int
	post     api.Function // nil if there is none
	view     *view
	part     int // it is of
	encoding component.Encoding
	// resources are the host's in its type, if it is a component's.
	resources []knownResource
}

// ErrNoExport is wrapped by Func's error.
var ErrNoExport = errors.New("no such export")

// Func looks an exported function up: "name", or "instance#name". A name with a version finds that
// of another one of the same Track. It costs 5 µs and 20 KB, so it is done once, at link time.
func (g *Guest) Func(name string) (*Func, error) {
	if g.dead || g.closed {
		return nil, g.gone("look up " + name)
	}
	e := g.module.export(name)
	if e == nil {
		return nil, fmt.Errorf("wasm: look up %s: %w", name, ErrNoExport)
	}
	return g.lookUp(e)
}

func (g *Guest) lookUp(e *export) (*Func, error) {
	if e.err != nil {
		return nil, fmt.Errorf("wasm: look up %s: %w", e.name, e.err)
	}
	f := &Func{
		signature: e.signature, guest: g, name: e.name, view: &g.views[e.view], part: e.part,
		slots: max(len(e.params), len(e.results)), fn: g.core(e.core), encoding: e.encoding,
		resources: e.resources,
	}
	if e.post != nil {
		f.post = g.core(*e.post)
	}
	return f, nil
}

// Encoding is how the function has strings in its memory.
func (f *Func) Encoding() component.Encoding { return f.encoding }

// core makes a function callable: each one by one call at a time, for it has a stack of its own.
func (g *Guest) core(d plan.CoreDef) api.Function {
	if d.Instance < 0 {
		return g.module.loose.ExportedFunction(strconv.Itoa(d.Trampoline))
	}
	return g.cores[d.Instance].ExportedFunction(d.Name)
}
