package wasm

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hpmq/hpmq/host/wasm/canon"
	"github.com/hpmq/hpmq/host/wasm/component"
	"github.com/hpmq/hpmq/host/wasm/plan"
)

// compileComponent makes a program of what instantiating the component takes.
func (m *Module) compileComponent(ctx context.Context, code []byte) error {
	cfg := m.engine.cfg
	limits := component.DefaultLimits()
	limits.BytesMax = int(cfg.ModuleBytesMax)
	// The code of the core modules is read while compiling only, types and names are copies.
	c, err := component.Decode(code, limits)
	if err != nil {
		return err
	}
	p, err := plan.Make(c, cfg.planLimits())
	if err != nil {
		return err
	}
	return m.compilePlan(ctx, p)
}

func (c Config) planLimits() plan.Limits {
	l := plan.DefaultLimits()
	l.CoreInstancesMax = int(c.CoreInstancesMax)
	l.ComponentsMax = int(c.CoreInstancesMax)
	l.TrampolinesMax = int(c.TrampolinesMax)
	return l
}

// linker makes the program of a plan.
type linker struct {
	m           *Module
	e           *Engine
	p           *plan.Plan
	hosts       []*hostResource // by resource of the plan; nil if a part implements it
	functions   []*hostFunction // by import of the plan
	trampolines []*trampoline
	viewAt      map[viewKey]int
	calleeAt    map[plan.CoreDef]int
	loose       map[string]*trampoline // those that are called as functions
	modules     []*coreModule          // by module of the plan
	fixTables   bool                   // they could outgrow their limit together
	bytes       int                    // of what was rewritten
	alive       uint64                 // of what is compiled: fuel.Module.Alive
	given       int                    // trampolines, as often as they are imported
}

func (m *Module) compilePlan(ctx context.Context, p *plan.Plan) error {
	l := &linker{
		m: m, e: m.engine, p: p, viewAt: map[viewKey]int{}, calleeAt: map[plan.CoreDef]int{},
		loose: map[string]*trampoline{}, modules: make([]*coreModule, len(p.Modules)),
	}
	m.parts = p.Components
	for _, do := range []func(ctx context.Context) error{
		l.findImports, l.rewriteAll, l.makeTrampolines, l.makeExports, l.makeSteps,
		m.compileBatches,
	} {
		if err := do(ctx); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// findImports finds what the host has of what is wanted, and tells all that it has not.
func (l *linker) findImports(context.Context) error {
	var wrong []string
	for i := range l.p.Imports {
		im := &l.p.Imports[i]
		f := l.e.function(im.Instance, im.Name)
		if text := checkFunction(im, f); text != "" {
			wrong = append(wrong, text)
		}
		l.functions = append(l.functions, f)
		l.m.imports = append(l.m.imports,
			Import{Instance: im.Instance, Name: im.Name, Type: im.Type.String()})
	}
	for i := range l.p.Resources {
		r := &l.p.Resources[i]
		h := l.e.resource(r.Import)
		if r.Import != "" && h == nil {
			instance, name, _ := strings.Cut(r.Import, "#")
			name = strings.TrimSpace(cut(instance, nameBytesMax) + " " + cut(name, nameBytesMax))
			wrong = append(wrong, name+" (a resource)")
		}
		owner := canon.HostOwned
		if h == nil {
			owner = r.Owner
		}
		l.hosts = append(l.hosts, h)
		l.m.owners = append(l.m.owners, owner)
	}
	if wrong != nil {
		slices.Sort(wrong)
		return &ImportsError{Wrong: slices.Compact(wrong), Interfaces: l.m.Imports()}
	}
	return nil
}

// resource finds "instance#name"; nil if there is none.
func (e *Engine) resource(path string) *hostResource {
	instance, name, _ := strings.Cut(path, "#")
	if p := e.provided[Track(instance)]; p != nil {
		return e.resources[resourceKey{p.name, name}]
	}
	return nil
}

// checkFunction compares an import with what serves it, by the type in WIT if the host tells it.
func checkFunction(im *plan.Import, f *hostFunction) string {
	name := strings.TrimSpace(cut(im.Instance, nameBytesMax) + " " + cut(im.Name, nameBytesMax))
	if f == nil {
		return name
	}
	if have, want := f.Type, im.Type.String(); have != "" && have != want {
		return name + " (wanted as " + want + ", is " + have + ")"
	}
	if have, want := f.signature(), flat(im.Type, true); !have.equal(want) {
		return name + " (wanted as " + want.String() + ", is " + have.String() + ")"
	}
	return ""
}

// flat is the core function that a lift is of, or that a lower makes.
func flat(t *component.FuncType, lower bool) signature {
	params, results := t.Flatten(lower)
	return signature{params: valueTypes(params), results: valueTypes(results)}
}

// viewKey is the part of a lift's or lower's options that two of them can share.
type viewKey struct {
	memory, realloc plan.CoreDef
	encoding        component.Encoding
}

var noDef = plan.CoreDef{Instance: -2}

// view gives the place of the options, checked.
func (l *linker) view(o plan.Options) (int, error) {
	key := viewKey{memory: noDef, realloc: noDef, encoding: o.Encoding}
	last := -1
	if o.Memory != nil {
		if err := l.has(*o.Memory, component.CoreMemory); err != nil {
			return 0, err
		}
		key.memory, last = *o.Memory, o.Memory.Instance
	}
	if o.Realloc != nil {
		if err := l.isFunc(*o.Realloc, reallocSignature); err != nil {
			return 0, err
		}
		key.realloc, last = *o.Realloc, max(last, o.Realloc.Instance)
	}
	if i, ok := l.viewAt[key]; ok {
		return i, nil
	}
	i := len(l.m.views)
	l.viewAt[key] = i
	l.m.views = append(l.m.views,
		viewPlan{memory: o.Memory, realloc: o.Realloc, encoding: o.Encoding})
	if last >= 0 {
		l.m.steps[last].views = append(l.m.steps[last].views, i)
	}
	return i, nil
}

// callee gives the place of a core function that the host calls.
func (l *linker) callee(d plan.CoreDef, want signature) (int, error) {
	if err := l.isFunc(d, want); err != nil {
		return 0, err
	}
	i, ok := l.calleeAt[d]
	if !ok {
		i = len(l.m.callees)
		l.calleeAt[d] = i
		l.m.callees = append(l.m.callees, d)
	}
	return i, nil
}

// makeExports makes functions of what is lifted, and exported.
func (l *linker) makeExports(context.Context) error {
	for i := range l.p.Exports {
		ex, err := l.export(&l.p.Exports[i])
		if err != nil {
			return fmt.Errorf("export %s: %w", l.p.Exports[i].Name, err)
		}
		l.m.addExport(ex)
	}
	if len(l.m.views) == 0 {
		l.m.views = append(l.m.views, viewPlan{})
	}
	l.keepAllocators()
	return nil
}

// keepAllocators gives the allocators of exports the first slots, for these are called most.
func (l *linker) keepAllocators() {
	slots := map[plan.CoreDef]int{}
	keep := func(v *viewPlan) {
		v.slot = -1
		if v.realloc == nil {
			return
		}
		slot, ok := slots[*v.realloc]
		if !ok && len(slots) < keptMax {
			slot, ok = len(slots), true
			slots[*v.realloc] = slot
		}
		if ok {
			v.slot = slot
		}
	}
	for _, ex := range l.m.exports {
		keep(&l.m.views[ex.view])
	}
	for i := range l.m.views {
		keep(&l.m.views[i])
	}
}

func (l *linker) export(x *plan.Export) (*export, error) {
	ex := &export{name: x.Name}
	if x.Instance != "" {
		ex.name = x.Instance + "#" + x.Name
	}
	f := x.Lifted
	if f == nil {
		ex.shape = l.p.Imports[x.Import].Type.String()
		ex.err = fmt.Errorf("the component hands on what it imports from the host: call that")
		return ex, nil
	}
	ex.shape, ex.signature = f.Type.String(), flat(f.Type, false)
	ex.core, ex.post = f.Core, f.Options.PostReturn
	ex.part, ex.encoding, ex.resources = f.Callee, f.Options.Encoding, l.known(f.Type)
	if err := l.isFunc(f.Core, ex.signature); err != nil {
		return nil, err
	}
	if ex.post != nil {
		if err := l.isFunc(*ex.post, signature{params: ex.results}); err != nil {
			return nil, err
		}
	}
	var err error
	ex.view, err = l.view(f.Options)
	return ex, err
}
