package wasm

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/hpmq/hpmq/host/wasm/canon"
	"github.com/hpmq/hpmq/host/wasm/component"
	"github.com/hpmq/hpmq/host/wasm/fuel"
	"github.com/hpmq/hpmq/host/wasm/plan"
)

// compileCore makes a program of one step. Its imports are found by the names of host modules.
func (m *Module) compileCore(ctx context.Context, code []byte) error {
	e := m.engine
	o := fuel.Options{Rename: e.providedName}
	r, err := fuel.RewriteWith(code, e.fuelLimits(), o)
	if err != nil {
		return err
	}
	if r.TableElementsMax > uint64(e.cfg.TableElementsMax) {
		o.FixTables = true
		if r, err = fuel.RewriteWith(code, e.fuelLimits(), o); err != nil {
			return err
		}
	}
	if err := e.withinTables(r.TableElementsMin); err != nil {
		return err
	}
	if err := e.check(r); err != nil {
		return err
	}
	for _, im := range r.Imports {
		if err := e.makeHost(e.provided[Track(im.Module)]); err != nil {
			return err
		}
	}
	compiled, err := e.compileCode(ctx, r.Code)
	if err != nil {
		return err
	}
	m.cores = append(m.cores, compiled)
	m.steps = []step{{core: compiled, start: r.HasStart, views: []int{0}}}
	m.parts, m.bytesMin = 1, uint64(r.MemoryPagesMin)*pageBytes
	for _, h := range e.hostResources {
		m.resources = append(m.resources, resource{name: h.Name, host: h})
		m.owners = append(m.owners, canon.HostOwned)
	}
	m.describeCore(r)
	if err := m.viewCore(r); err != nil {
		return err
	}
	return m.compileBatches(ctx)
}

// withinTables: at 8 bytes an element tables are outside of the memory that is bounded.
func (e *Engine) withinTables(elements uint64) error {
	if elements > uint64(e.cfg.TableElementsMax) {
		return fmt.Errorf("%w: its tables have %d elements together, it may have %d",
			fuel.ErrLimit, elements, e.cfg.TableElementsMax)
	}
	return nil
}

// withinSegments: an instance has the items of its element segments beside its tables, as big.
func (e *Engine) withinSegments(elements uint64) error {
	if elements > uint64(e.cfg.TableElementsMax) {
		return fmt.Errorf("%w: its element segments have %d elements together, in all core "+
			"instances, they may have %d", fuel.ErrLimit, elements, e.cfg.TableElementsMax)
	}
	return nil
}

// check refuses what could not be instantiated or called.
func (e *Engine) check(m *fuel.Module) error {
	var wrong ImportsError
	for _, im := range m.Imports {
		if text := e.checkImport(im); text != "" {
			wrong.Wrong = append(wrong.Wrong, text)
		}
		if !slices.Contains(wrong.Interfaces, im.Module) {
			wrong.Interfaces = append(wrong.Interfaces, im.Module)
		}
	}
	if wrong.Wrong != nil {
		return &wrong
	}
	has := func(name string) bool {
		return slices.ContainsFunc(m.Exports, func(ex fuel.Export) bool {
			return ex.Kind == fuel.KindFunc && ex.Name == name
		})
	}
	if has("_start") && !has("_initialize") {
		return errors.New("the module is a command that runs once; build a reactor " +
			"(-mexec-model=reactor, -buildmode=c-shared)")
	}
	return nil
}

func (e *Engine) checkImport(im fuel.Import) string {
	name := cut(im.Module, nameBytesMax) + " " + cut(im.Name, nameBytesMax)
	if im.Kind != fuel.KindFunc {
		return name + " (only functions can be imported)"
	}
	f := e.function(im.Module, im.Name)
	if f == nil {
		return name
	}
	want := signature{params: valueTypes(im.Params), results: valueTypes(im.Results)}
	if have := f.signature(); !have.equal(want) {
		return name + " (wanted as " + want.String() + ", is " + have.String() + ")"
	}
	return ""
}

// providedName is the import by the name that its module was provided under.
func (e *Engine) providedName(_ int, im fuel.Import) fuel.Name {
	if p := e.provided[Track(im.Module)]; p != nil {
		return fuel.Name{Module: p.name, Name: im.Name}
	}
	return fuel.Name{Module: im.Module, Name: im.Name}
}

func (m *Module) describeCore(r *fuel.Module) {
	for _, im := range r.Imports {
		m.imports = append(m.imports, Import{Instance: im.Module, Name: im.Name})
	}
	for _, ex := range r.Exports {
		if ex.Kind == fuel.KindFunc {
			m.addExport(&export{name: ex.Name, signature: signature{
				params: valueTypes(ex.Params), results: valueTypes(ex.Results),
			}, core: plan.CoreDef{Sort: component.CoreFunc, Name: ex.Name}})
		}
	}
	for _, ex := range m.exports {
		ex.findPost(m)
	}
}

// findPost looks for cabi_post_NAME.
func (ex *export) findPost(m *Module) {
	post := m.byName["cabi_post_"+ex.name]
	if post == nil {
		return
	}
	ex.post = &post.core
	if want := (signature{params: ex.results}); !post.equal(want) {
		ex.err = fmt.Errorf("%s is %v, not %v", post.name, post.signature, want)
	}
}

// viewCore makes the one view: the memory and cabi_realloc.
func (m *Module) viewCore(r *fuel.Module) error {
	v := viewPlan{whole: r.HasMemory}
	if realloc := m.byName[reallocExport]; realloc != nil {
		if !realloc.equal(reallocSignature) {
			return fmt.Errorf("%s is %v, not %v", reallocExport, realloc.signature,
				reallocSignature)
		}
		v.realloc, v.slot = &realloc.core, 0
	}
	m.views = []viewPlan{v}
	return nil
}
