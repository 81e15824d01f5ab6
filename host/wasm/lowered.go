package wasm

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/hpmq/hpmq/host/wasm/component"
	"github.com/hpmq/hpmq/host/wasm/plan"
)

var (
	handleToNumber = signature{params: []ValueType{I32}, results: []ValueType{I32}}
	handleToNone   = signature{params: []ValueType{I32}}
)

// makeTrampolines makes those of the plan, their signatures first: a trampoline may be lifted again
// and be what another one calls.
func (l *linker) makeTrampolines(context.Context) error {
	for i := range l.p.Trampolines {
		l.trampolines = append(l.trampolines, l.declare(&l.p.Trampolines[i]))
	}
	for i := range l.p.Resources {
		if err := l.addResource(&l.p.Resources[i], l.hosts[i]); err != nil {
			return err
		}
	}
	for i, t := range l.trampolines {
		if err := l.define(t, &l.p.Trampolines[i]); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return nil
}

// declare names a trampoline and tells its core type.
func (l *linker) declare(d *plan.Trampoline) *trampoline {
	t := &trampoline{caller: d.Caller}
	switch d.Kind {
	case plan.LowerImport:
		im := &l.p.Imports[d.Import]
		t.name, t.signature = im.Instance+"#"+im.Name, flat(d.Type, true)
	case plan.LowerLifted:
		t.name, t.signature = "component#"+d.Lifted.Core.Name, flat(d.Type, true)
	case plan.ResourceNew:
		t.name, t.signature = "resource.new", handleToNumber
	case plan.ResourceRep:
		t.name, t.signature, t.always = "resource.rep", handleToNumber, true
	case plan.ResourceDrop:
		t.name, t.signature = "resource.drop", handleToNone
	}
	return t
}

func (l *linker) addResource(d *plan.Resource, host *hostResource) error {
	r := resource{name: d.Name, host: host, part: d.Owner, dtor: -1}
	var err error
	if d.Dtor != nil {
		if r.dtor, err = l.callee(*d.Dtor, handleToNone); err != nil {
			return fmt.Errorf("destructor of %s: %w", d.Name, err)
		}
	}
	l.m.resources = append(l.m.resources, r)
	return nil
}

// define says what a trampoline does.
func (l *linker) define(t *trampoline, d *plan.Trampoline) error {
	id := d.Resource
	switch d.Kind {
	case plan.LowerImport:
		return l.lowerImport(t, d)
	case plan.LowerLifted:
		return l.lowerLifted(t, d)
	case plan.ResourceNew:
		t.call = func(g *Guest, stack []uint64) {
			h, err := g.handles(g.caller).New(id, uint32(stack[0]))
			g.mustHandle(err)
			stack[0] = uint64(h)
		}
	case plan.ResourceRep:
		t.call = func(g *Guest, stack []uint64) {
			rep, err := g.handles(g.caller).Rep(id, uint32(stack[0]))
			g.mustHandle(err)
			stack[0] = uint64(rep)
		}
	case plan.ResourceDrop:
		t.call = func(g *Guest, stack []uint64) { g.dropHandle(id, uint32(stack[0])) }
	default:
		return fmt.Errorf("trampolines of kind %d are not served", d.Kind)
	}
	return nil
}

func (l *linker) lowerImport(t *trampoline, d *plan.Trampoline) error {
	t.resources = l.known(d.Type)
	t.call = l.functions[d.Import].Call
	var err error
	t.view, err = l.view(d.Options)
	return err
}

// known are the host's resources in the type of a function.
func (l *linker) known(f *component.FuncType) []knownResource {
	out := l.addKnown(nil, f.ParamTuple())
	if f.Result != nil {
		out = l.addKnown(out, f.Result)
	}
	return out
}

// addKnown appends those of a type that out has not.
func (l *linker) addKnown(out []knownResource, typ *component.Type) []knownResource {
	if r := typ.Resource; r != nil {
		if known := (knownResource{l.hosts[r.ID], r.ID}); known.host != nil &&
			!slices.Contains(out, known) {
			out = append(out, known)
		}
	}
	for _, e := range typ.Elems {
		if e != nil {
			out = l.addKnown(out, e)
		}
	}
	return out
}

func (l *linker) lowerLifted(t *trampoline, d *plan.Trampoline) error {
	p := &adapterPlan{typ: d.Type, post: -1}
	lifted := d.Lifted
	core := flat(lifted.Type, false)
	var err error
	if p.caller, err = l.side(d.Caller, d.Options); err != nil {
		return err
	}
	if p.callee, err = l.side(lifted.Callee, lifted.Options); err != nil {
		return err
	}
	if p.core, err = l.callee(lifted.Core, core); err != nil {
		return err
	}
	if post := lifted.Options.PostReturn; post != nil {
		if p.post, err = l.callee(*post, signature{params: core.results}); err != nil {
			return err
		}
	}
	t.call = adaptedCall(l.m.adapters, p)
	l.m.adapters++
	return nil
}

func (l *linker) side(part int, o plan.Options) (sidePlan, error) {
	view, err := l.view(o)
	return sidePlan{
		part: part, view: view, memory: o.Memory != nil, encoding: o.Encoding,
	}, err
}

// signatureOf finds the type of a core function.
func (l *linker) signatureOf(d plan.CoreDef) (signature, error) {
	if d.Instance >= 0 {
		return l.modules[l.p.Instances[d.Instance].Module].function(d.Name)
	}
	if d.Trampoline < 0 || d.Trampoline >= len(l.trampolines) {
		return signature{}, fmt.Errorf("there is no trampoline %d", d.Trampoline)
	}
	return l.trampolines[d.Trampoline].signature, nil
}

// isFunc checks the type of a core function that is called from outside.
func (l *linker) isFunc(d plan.CoreDef, want signature) error {
	have, err := l.signatureOf(d)
	if err != nil {
		return err
	}
	if !have.equal(want) {
		return fmt.Errorf("core function %s is %v, not %v", d.Name, have, want)
	}
	if d.Instance < 0 {
		l.loose[strconv.Itoa(d.Trampoline)] = l.trampolines[d.Trampoline]
	}
	return nil
}
