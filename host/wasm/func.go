package wasm

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tetratelabs/wazero/api"

	"github.com/hpmq/hpmq/host/wasm/component"
	"github.com/hpmq/hpmq/host/wasm/fuel"
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

// Name is what it was looked up by, in the version that the module has: "instance#name".
func (f *Func) Name() string { return f.name }

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

// Beside looks up what the core module whose memory f has exports under that name, whether the
// component exports it or not: it is between that module and the host. It is called as f is, with
// values of core types. It costs as much as Func.
func (g *Guest) Beside(f *Func, name string) (*Func, error) {
	if g.dead || g.closed {
		return nil, g.gone("look up " + name)
	}
	core := 0
	for i := range g.views {
		if d := g.module.views[i].memory; &g.views[i] == f.view && d != nil {
			core = d.Instance
		}
	}
	missing := fmt.Errorf("wasm: look up %s beside %s: %w", name, f.name, ErrNoExport)
	if f.view.memory.mem == nil || strings.HasPrefix(name, fuel.Reserved) {
		return nil, missing
	}
	fn := g.cores[core].ExportedFunction(name)
	if fn == nil {
		return nil, missing
	}
	d := fn.Definition()
	s := signature{params: valueTypes(d.ParamTypes()), results: valueTypes(d.ResultTypes())}
	return &Func{
		signature: s, guest: g, name: name, view: f.view, part: f.part, fn: fn,
		slots: max(len(s.params), len(s.results)), encoding: f.encoding,
	}, nil
}

// Is tells if the function has these flat types.
func (f *Func) Is(params, results []ValueType) bool {
	return f.equal(signature{params: params, results: results})
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
