package wasm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tetratelabs/wazero"

	"github.com/hpmq/hpmq/host/wasm/fuel"
)

// ErrImports is wrapped by Compile's error when a module wants what the host does not have.
var ErrImports = errors.New("imports that are not provided")

// Module is a compiled module. All methods may be called from any goroutine.
type Module struct {
	engine   *Engine
	compiled wazero.CompiledModule
	digest   string
	size     int
	exports  []string
	types    map[string]signature
	imports  []string
	customs  map[string][]byte
	memory   bool
	pagesMin uint32
	start    bool
}

// Compile rewrites, checks and compiles a module. It takes milliseconds to seconds of one core, so
// it belongs off the loops; two at once wait for each other. code is borrowed until return. Errors
// wrap ErrImports, or ErrMalformed, ErrLimit or ErrUnsupported of package fuel.
func (e *Engine) Compile(ctx context.Context, code []byte) (*Module, error) {
	select {
	case e.compiling <- struct{}{}:
		defer func() { <-e.compiling }()
	case <-ctx.Done():
		return nil, fmt.Errorf("wasm: compile: %w", ctx.Err())
	}
	e.mu.Lock()
	e.compiled = true
	e.mu.Unlock()
	rewritten, err := fuel.RewriteWith(code, e.fuelLimits(), fuel.Options{Rename: e.providedName})
	if err != nil {
		return nil, fmt.Errorf("wasm: compile: %w", err)
	}
	if err := e.check(rewritten); err != nil {
		return nil, fmt.Errorf("wasm: compile: %w", err)
	}
	once := func() (wazero.CompiledModule, error) { return e.compileCode(ctx, rewritten.Code) }
	compile := once
	if e.cache != nil {
		compile = func() (wazero.CompiledModule, error) { return e.cache.compile(ctx, once) }
	}
	compiled, err := compile()
	if err != nil {
		return nil, fmt.Errorf("wasm: compile: %w", err)
	}
	sum := sha256.Sum256(code)
	m := &Module{
		engine: e, compiled: compiled, digest: hex.EncodeToString(sum[:]), size: len(code),
		memory: rewritten.HasMemory, pagesMin: rewritten.MemoryPagesMin, start: rewritten.HasStart,
	}
	m.describe(rewritten)
	return m, nil
}

// compileCode keeps a bug of the compiler, met by hostile input, from ending the process.
func (e *Engine) compileCode(
	ctx context.Context, code []byte,
) (m wazero.CompiledModule, err error) {
	defer func() {
		if r := recover(); r != nil {
			m, err = nil, fmt.Errorf("the compiler failed: %v", r)
		}
	}()
	return e.runtime.CompileModule(ctx, code)
}

func (e *Engine) fuelLimits() fuel.Limits {
	l := fuel.DefaultLimits()
	l.ModuleBytesMax = e.cfg.ModuleBytesMax
	l.TableElementsMax = e.cfg.TableElementsMax
	l.MemoryPagesMax = e.cfg.MemoryBytesMax / pageBytes
	return l
}

// check refuses what could not be instantiated or called.
func (e *Engine) check(m *fuel.Module) error {
	var wrong []string
	for _, im := range m.Imports {
		if text := e.checkImport(im); text != "" {
			wrong = append(wrong, text)
		}
	}
	if wrong != nil {
		return fmt.Errorf("%w: %s", ErrImports, strings.Join(wrong, "; "))
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
	name := im.Module + " " + im.Name
	if im.Kind != fuel.KindFunc {
		return name + " (only functions can be imported)"
	}
	p := e.provided[Track(im.Module)]
	if p == nil {
		return name
	}
	f, ok := p.functions[im.Name]
	if !ok {
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

func (m *Module) describe(r *fuel.Module) {
	m.types = map[string]signature{}
	for _, ex := range r.Exports {
		if ex.Kind == fuel.KindFunc {
			m.exports = append(m.exports, ex.Name)
			m.types[ex.Name] = signature{
				params: valueTypes(ex.Params), results: valueTypes(ex.Results),
			}
		}
	}
	for _, im := range r.Imports {
		if !slices.Contains(m.imports, im.Module) {
			m.imports = append(m.imports, im.Module)
		}
	}
	m.customs = map[string][]byte{}
	for _, c := range r.Customs {
		_, known := m.customs[c.Name]
		if !known && !strings.HasPrefix(c.Name, ".debug_") {
			m.customs[c.Name] = slices.Clone(c.Data)
		}
	}
}

// Digest is the SHA-256 of the binary given to Compile, in hexadecimal.
func (m *Module) Digest() string { return m.digest }

// Size is that binary's length in bytes.
func (m *Module) Size() int { return m.size }

// Exports are the names of exported functions, in the module's order.
func (m *Module) Exports() []string { return slices.Clone(m.exports) }

// Has tells whether a function is exported under this name.
func (m *Module) Has(export string) bool {
	_, ok := m.types[export]
	return ok
}

// Signature gives the flat types of an exported function, to be compared with the contract's.
func (m *Module) Signature(export string) (params, results []ValueType, ok bool) {
	s, ok := m.types[export]
	return s.params, s.results, ok
}

// Imports are the names of the host modules it imports from, each once, in the module's order.
func (m *Module) Imports() []string { return slices.Clone(m.imports) }

// Custom is the first custom section of this name, nil if there is none; not to be changed.
func (m *Module) Custom(name string) []byte { return m.customs[name] }

// Close drops the compiled code; guests that are alive stay so.
func (m *Module) Close(ctx context.Context) error {
	if err := m.compiled.Close(ctx); err != nil {
		return fmt.Errorf("wasm: close module: %w", err)
	}
	return nil
}
