package wasm

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// Engine compiles modules and makes guests of them. All methods may be called from any goroutine.
type Engine struct {
	cfg     Config
	runtime wazero.Runtime
	cache   *cache // nil for none
	now     func() time.Time
	random  func(b []byte)
	epoch   time.Time // of the guests' monotonic clock

	mu sync.Mutex
	// provided is by the track of the module's name. It and resources are closed for writing by
	// compiled.
	provided  map[string]*provided
	resources map[resourceKey]*hostResource
	compiled  bool
	// hostResources are the values of resources, by id.
	hostResources []*hostResource

	// compiling has room for one: compiling takes all of a core for seconds, and the event loops
	// need the others.
	compiling chan struct{}
	// compilingBytes is the size of what is compiled.
	compilingBytes atomic.Int64
	guests         atomic.Int64
}

// firstInstant is what the guests' monotonic clock shows at first: a language's runtime may take a
// clock at 0 for one that does not work, as Go's does.
const firstInstant = time.Millisecond

// Open makes an engine; it makes, checks and prunes cfg.CacheDir.
func Open(cfg Config) (*Engine, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	e := &Engine{
		cfg: cfg, now: cfg.Now, random: cfg.Random,
		provided:  map[string]*provided{},
		resources: map[resourceKey]*hostResource{},
		compiling: make(chan struct{}, 1),
	}
	if e.now == nil {
		e.now = time.Now
	}
	if e.random == nil {
		// rand.Read never fails: it ends the process when the system has no randomness.
		e.random = func(b []byte) { _, _ = rand.Read(b) }
	}
	e.epoch = e.now().Add(-firstInstant)
	rc := wazero.NewRuntimeConfig()
	if cfg.Interpreter {
		rc = wazero.NewRuntimeConfigInterpreter()
	}
	rc = rc.WithCoreFeatures(api.CoreFeaturesV2 | experimental.CoreFeaturesExtendedConst).
		WithDebugInfoEnabled(false)
	if cfg.CacheDir != "" {
		e.cache = openCache(cfg)
	}
	if e.cache != nil {
		rc = rc.WithCompilationCache(e.cache.wazero)
	}
	e.runtime = wazero.NewRuntimeWithConfig(context.Background(), rc)
	if err := e.provide(wasiModule(), true); err != nil {
		return nil, err
	}
	return e, nil
}

// Close ends the engine. No guest may be in a call.
func (e *Engine) Close(ctx context.Context) error {
	err := e.runtime.Close(ctx)
	if e.cache != nil {
		if cerr := e.cache.wazero.Close(ctx); err == nil {
			err = cerr
		}
	}
	if err != nil {
		return fmt.Errorf("wasm: close: %w", err)
	}
	return nil
}

// Provide gives guests a host module to import from, under its name and every other of the same
// Track. It must come before the first Compile. Functions of a module named
// wasi_snapshot_preview1 take the place of the engine's own; they must not call the guest.
func (e *Engine) Provide(m HostModule) error { return e.provide(m, false) }

// replace puts functions of WASI preview 1 in the place of the engine's own.
func (e *Engine) replace(m HostModule) error {
	own := e.provided[Track(wasiName)].functions
	for _, f := range m.Funcs {
		old, ok := own[f.Name]
		made := hostFunction{HostFunc: f, leaf: true}
		if !ok || old.signature().String() != made.signature().String() {
			return fmt.Errorf("wasm: provide %s: %s is no function of it", m.Name, f.Name)
		}
		own[f.Name] = made
	}
	return nil
}

func (e *Engine) provide(m HostModule, leaf bool) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.compiled {
		return fmt.Errorf("wasm: provide %s: a module is compiled already", m.Name)
	}
	if m.Name == wasiName && !leaf {
		return e.replace(m)
	}
	if other := e.provided[Track(m.Name)]; other != nil || m.Name == "" {
		return fmt.Errorf("wasm: provide %q: the name is empty or taken", m.Name)
	}
	p := &provided{name: m.Name, functions: map[string]hostFunction{}}
	for _, f := range m.Funcs {
		p.functions[f.Name] = hostFunction{HostFunc: f, leaf: leaf}
	}
	for _, r := range m.Resources {
		made := &hostResource{HostResource: r, id: len(e.hostResources)}
		e.hostResources = append(e.hostResources, made)
		e.resources[resourceKey{m.Name, r.Name}] = made
		drop := dropFunc(made)
		p.functions[drop.Name] = hostFunction{HostFunc: drop}
	}
	e.provided[Track(m.Name)] = p
	return nil
}

// makeHost makes the host module that core modules import from, once, when the first of them is
// compiled: each takes memory, and most are never asked for. Its functions find the guest by the
// call's context.
func (e *Engine) makeHost(p *provided) error {
	if p.made {
		return nil
	}
	builder := e.runtime.NewHostModuleBuilder(p.name)
	for name, f := range p.functions {
		builder.NewFunctionBuilder().
			WithGoModuleFunction(f.direct(), apiTypes(f.Params), apiTypes(f.Results)).
			Export(name)
	}
	if _, err := builder.Instantiate(context.Background()); err != nil {
		return fmt.Errorf("serve %s: %w", p.name, err)
	}
	p.made = true
	return nil
}

// function is what an import of that interface gets; nil if there is none.
func (e *Engine) function(module, name string) *hostFunction {
	if p := e.provided[Track(module)]; p != nil {
		if f, ok := p.functions[name]; ok {
			return &f
		}
	}
	return nil
}

// MemoryBytesMax is what the memories of a guest may have together.
func (e *Engine) MemoryBytesMax() uint32 { return e.cfg.MemoryBytesMax }

// Guests is how many guests are alive.
func (e *Engine) Guests() int { return int(e.guests.Load()) }
