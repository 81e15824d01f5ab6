package wasm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/hpmq/hpmq/host/wasm/canon"
	"github.com/hpmq/hpmq/host/wasm/component"
	"github.com/hpmq/hpmq/host/wasm/fuel"
	"github.com/hpmq/hpmq/host/wasm/plan"
)

// ErrImports is wrapped by an ImportsError.
var ErrImports = errors.New("imports that are not provided")

// ImportsError is Compile's error when a module wants what the host does not have.
type ImportsError struct {
	// Wrong tells each import that is not there, or there with another type.
	Wrong []string
	// Interfaces are the names of all interfaces that the module imports functions from.
	Interfaces []string
}

// Error is bounded, see List.
func (e *ImportsError) Error() string {
	return ErrImports.Error() + ": " + List(e.Wrong, "; ")
}

// Unwrap is ErrImports.
func (e *ImportsError) Unwrap() error { return ErrImports }

// Form is what a binary was.
type Form string

// The forms.
const (
	CoreForm      Form = "core"      // a core module that speaks the canonical ABI
	ComponentForm Form = "component" // of the Component Model
)

// Module is a compiled core module or component. All methods may be called from any goroutine.
type Module struct {
	engine  *Engine
	form    Form
	digest  string
	size    int
	exports []*export
	byName  map[string]*export // by name, and by its track
	imports []Import

	program
}

// program is how guests are made, the same for both forms.
type program struct {
	cores    []wazero.CompiledModule // each once
	steps    []step
	counters int        // the step whose instance has the counters
	forwards bool       // steps that call on have none
	views    []viewPlan // of lifts and lowers
	parts    int        // component instances
	adapters int        // calls between them
	callees  []plan.CoreDef
	batches  [keptMax]wazero.CompiledModule // by slot of a view; nil if no export has it
	// resources are the resource types, owners for package canon.
	resources []resource
	owners    canon.Resources
	// bytesMin is what all memories of a guest start with.
	bytesMin uint64
	// hosts are the instances of trampolines and loose those of them that are called from outside;
	// all guests share them, for a trampoline finds its guest by the call.
	hosts []api.Module
	loose api.Module
}

// step makes a core instance.
type step struct {
	core  wazero.CompiledModule
	start bool
	// from are the steps that its imports from modules "0", "1", … are exports of, host has those
	// from hostImports; nil if there are none.
	from []int
	host api.Module
	// views can be had once it is made.
	views []int
}

// viewPlan is a view before there is a guest.
type viewPlan struct {
	memory, realloc *plan.CoreDef
	// slot is the place of the allocator among those that a guest keeps; -1 if it keeps it not.
	slot     int
	encoding component.Encoding
	// whole takes the first memory of the step's instance, exported or not: of a core module.
	whole bool
}

// export is an exported function.
type export struct {
	signature
	name     string
	shape    string // "" in a core module
	core     plan.CoreDef
	post     *plan.CoreDef
	view     int
	part     int
	encoding component.Encoding
	err      error // why it cannot be called
	// resources are the host's in the type of a component's function.
	resources []knownResource
}

// Import is a function that a module wants of the host.
type Import struct {
	Instance string // the interface, "" for a bare function
	Name     string
	Type     string // as HostFunc.Type; "" in a core module
}

// Export is a function that a module gives.
type Export struct {
	Name string // as for Guest.Func
	Type string // as HostFunc.Type; "" in a core module
}

// Compile rewrites, checks and compiles a core module or a component. It takes milliseconds to
// seconds of one core, so it belongs off the loops; two at once wait for each other. code is
// borrowed until return. Errors are *ImportsError, or wrap component.ErrNotServed, or ErrMalformed,
// ErrLimit or ErrUnsupported of package fuel.
func (e *Engine) Compile(ctx context.Context, code []byte) (*Module, error) {
	if uint64(len(code)) > uint64(e.cfg.ModuleBytesMax) { // before it is hashed or waits
		return nil, fmt.Errorf("wasm: compile: %w: it has %d bytes, at most %d are taken",
			fuel.ErrLimit, len(code), e.cfg.ModuleBytesMax)
	}
	select {
	case e.compiling <- struct{}{}:
		defer func() { <-e.compiling }()
	case <-ctx.Done():
		return nil, fmt.Errorf("wasm: compile: waited for a module of %d bytes to be compiled: %w",
			e.compilingBytes.Load(), ctx.Err())
	}
	e.compilingBytes.Store(int64(len(code)))
	e.mu.Lock()
	e.compiled = true
	e.mu.Unlock()
	sum := sha256.Sum256(code)
	m := &Module{
		engine: e, form: CoreForm, digest: hex.EncodeToString(sum[:]), size: len(code),
		byName: map[string]*export{},
	}
	compile := m.compileCore
	if isComponent(code) {
		m.form, compile = ComponentForm, m.compileComponent
	}
	if err := compile(ctx, code); err != nil {
		_ = m.Close(context.Background()) // what was compiled so far is memory alone
		return nil, fmt.Errorf("wasm: compile: %w", err)
	}
	return m, nil
}

// isComponent tells a component of any version from a core module: by the layer, which stands
// behind the version.
func isComponent(code []byte) bool {
	return len(code) >= 8 && string(code[:4]) == "\x00asm" && code[6] == 1
}

// compileCode keeps a bug of the compiler, met by hostile input, from ending the process.
func (e *Engine) compileCode(
	ctx context.Context, code []byte,
) (m wazero.CompiledModule, err error) {
	once := func() (m wazero.CompiledModule, err error) {
		defer func() {
			if r := recover(); r != nil {
				m, err = nil, fmt.Errorf("the compiler failed: %v", r)
			}
		}()
		return e.runtime.CompileModule(ctx, code)
	}
	if e.cache != nil {
		return e.cache.compile(ctx, once)
	}
	return once()
}

func (e *Engine) fuelLimits() fuel.Limits {
	l := fuel.DefaultLimits()
	l.ModuleBytesMax = e.cfg.ModuleBytesMax
	l.TableElementsMax = e.cfg.TableElementsMax
	l.ElementsMax = e.cfg.TableElementsMax
	// Memories are not cut to what a guest may have: linear says no beyond that, and notes it.
	return l
}

// addExport makes it known by its name, and by the track of it.
func (m *Module) addExport(e *export) {
	m.exports = append(m.exports, e)
	m.byName[e.name] = e
	if t := Track(e.name); m.byName[t] == nil {
		m.byName[t] = e
	}
}

// export is nil if there is none.
func (m *Module) export(name string) *export {
	if e := m.byName[name]; e != nil {
		return e
	}
	return m.byName[Track(name)]
}

// Form is what the binary was.
func (m *Module) Form() Form { return m.form }

// Digest is the SHA-256 of the binary given to Compile, in hexadecimal.
func (m *Module) Digest() string { return m.digest }

// Size is that binary's length in bytes.
func (m *Module) Size() int { return m.size }

// MemoryBytesMin is what the memories of a guest start with, together.
func (m *Module) MemoryBytesMin() uint64 { return m.bytesMin }

// Exports are the names of exported functions, in the module's order: "name", or "instance#name".
func (m *Module) Exports() []string {
	names := make([]string, len(m.exports))
	for i, e := range m.exports {
		names[i] = e.name
	}
	return names
}

// ExportedFuncs are the exported functions, in the module's order.
func (m *Module) ExportedFuncs() []Export {
	all := make([]Export, len(m.exports))
	for i, e := range m.exports {
		all[i] = Export{Name: e.name, Type: e.shape}
	}
	return all
}

// Has tells whether a function is exported under this name, or one with a version of its Track.
func (m *Module) Has(export string) bool { return m.export(export) != nil }

// Signature gives the flat types of an exported function, to be compared with the contract's.
func (m *Module) Signature(export string) (params, results []ValueType, ok bool) {
	e := m.export(export)
	if e == nil {
		return nil, nil, false
	}
	return e.params, e.results, true
}

// Type is what an exported function of a component takes and gives, as HostFunc.Type; "" if there
// is none, or in a core module.
func (m *Module) Type(export string) string {
	if e := m.export(export); e != nil {
		return e.shape
	}
	return ""
}

// Imports are the names of the interfaces it imports functions from, each once, in the module's
// order.
func (m *Module) Imports() []string {
	var names []string
	for _, im := range m.imports {
		if !slices.Contains(names, im.Instance) {
			names = append(names, im.Instance)
		}
	}
	return names
}

// ImportedFuncs are the functions it imports, in the module's order.
func (m *Module) ImportedFuncs() []Import { return slices.Clone(m.imports) }

// Close drops the compiled code; guests that are alive stay so.
func (m *Module) Close(ctx context.Context) error {
	var errs []error
	for _, h := range m.hosts {
		errs = append(errs, h.Close(ctx))
	}
	for _, c := range m.cores {
		errs = append(errs, c.Close(ctx))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("wasm: close module: %w", err)
	}
	return nil
}
