package link

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sync"

	"github.com/hpmq/hpmq/host/wasm"
)

// modules are the compiled modules in use, by digest: the same component in several places is
// compiled once and kept until its last entry is closed.
type modules struct {
	engine *wasm.Engine
	mu     sync.Mutex
	held   map[string]*module
}

// module is a compiled module with the count of those who use it.
type module struct {
	*wasm.Module
	users int // under modules.mu
}

// acquire compiles code, or finds it compiled. It blocks for as long as compiling takes.
func (m *modules) acquire(ctx context.Context, code []byte) (*module, error) {
	sum := sha256.Sum256(code)
	if mod := m.find(hex.EncodeToString(sum[:])); mod != nil {
		return mod, nil
	}
	made, err := m.engine.Compile(ctx, code)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if mod := m.held[made.Digest()]; mod != nil { // another swap was faster
		mod.users++
		_ = made.Close(ctx) // the same code is held elsewhere
		return mod, nil
	}
	if m.held == nil {
		m.held = map[string]*module{}
	}
	mod := &module{Module: made, users: 1}
	m.held[made.Digest()] = mod
	return mod, nil
}

func (m *modules) find(digest string) *module {
	m.mu.Lock()
	defer m.mu.Unlock()
	mod := m.held[digest]
	if mod != nil {
		mod.users++
	}
	return mod
}

// hold counts another user of a module in use.
func (m *modules) hold(mod *module) *module {
	m.mu.Lock()
	defer m.mu.Unlock()
	mod.users++
	return mod
}

// release closes the module with its last user.
func (m *modules) release(mod *module) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if mod.users--; mod.users == 0 {
		delete(m.held, mod.Digest())
		_ = mod.Close(context.Background()) // code without guests holds nothing that could fail
	}
}
