// Package probe lets tests call host functions as a guest does, each by its name.
package probe

import (
	"context"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/host/cap/wasi/contract"
	"github.com/hpmq/hpmq/host/cap/wasi/state"
	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/host/wasm/asm"
)

// Guest is one that does what a test tells it. It is the env of itself.
type Guest struct {
	*wasm.Guest
	State state.State
	// Lines is what it wrote, each after its level.
	Lines []string

	t     testing.TB
	funcs map[string]*wasm.Func
}

// room is where the guest's cabi_realloc takes memory from, up to the end. Below, it is the test's.
const room = 64 << 10

// House makes guests that can call all functions of some modules.
type House struct {
	module *wasm.Module
}

// Open compiles for the interpreter, which is ready sooner.
func Open(t testing.TB, cfg wasm.Config, modules []wasm.HostModule) *House {
	t.Helper()
	cfg.Interpreter = true
	e, err := wasm.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close(context.Background()) })
	for _, m := range modules {
		if err := e.Provide(m); err != nil {
			t.Fatal(err)
		}
	}
	m, err := e.Compile(t.Context(), Code(modules))
	if err != nil {
		t.Fatal(err)
	}
	return &House{m}
}

// Guest is a new one.
func (h *House) Guest(t testing.TB, l wasm.Limits) *Guest {
	t.Helper()
	g := &Guest{t: t, funcs: map[string]*wasm.Func{}}
	var err error
	if g.Guest, err = h.module.Instantiate(t.Context(), g, l); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

// Code is a core module that exports all functions of modules under "MODULE#FUNCTION".
func Code(modules []wasm.HostModule) []byte {
	m := asm.New()
	m.Memory(4, 256)
	type wrapper struct {
		name            string
		params, results []byte
		index           uint32
	}
	var all []wrapper
	add := func(module, name string, params, results []byte) {
		i := m.Import(module, name, params, results)
		all = append(all, wrapper{module + "#" + name, params, results, i})
	}
	for _, hm := range modules {
		for _, f := range hm.Funcs {
			add(hm.Name, f.Name, binary(f.Params), binary(f.Results))
		}
		for _, r := range hm.Resources {
			add(hm.Name, "[resource-drop]"+r.Name, asm.Types(asm.I32), nil)
		}
	}
	for _, w := range all {
		var body []byte
		for i := range w.params {
			body = append(body, asm.LocalGet(uint32(i))...)
		}
		m.ExportFunc(w.name, m.Func(w.params, w.results, nil, body, asm.Call(w.index)))
	}
	realloc(m)
	return m.Bytes()
}

// realloc adds a cabi_realloc that never frees.
func realloc(m *asm.Module) {
	next := m.Global(asm.I32, true, asm.I32Const(room))
	i4 := asm.Types(asm.I32, asm.I32, asm.I32, asm.I32)
	m.ExportFunc("cabi_realloc", m.Func(i4, asm.Types(asm.I32), nil,
		// next = next aligned to parameter 2; answer it; next += parameter 3
		asm.GlobalGet(next), asm.LocalGet(2), asm.Op(asm.I32Add), asm.I32Const(1),
		asm.Op(asm.I32Sub), asm.I32Const(0), asm.LocalGet(2), asm.Op(asm.I32Sub, asm.I32And),
		asm.LocalTee(2), asm.LocalGet(3), asm.Op(asm.I32Add), asm.GlobalSet(next),
		asm.LocalGet(2)))
}

func binary(types []wasm.ValueType) []byte {
	out := make([]byte, len(types))
	for i, t := range types {
		out[i] = byte(t)
	}
	return out
}

// Try calls a function of WASI, "io/poll#poll", with core values and answers its core result.
func (g *Guest) Try(name string, args ...uint64) (uint64, error) {
	g.t.Helper()
	in, function, _ := strings.Cut(name, "#")
	export := "wasi:" + in + "@" + contract.Version + "#" + function
	f := g.funcs[export]
	if f == nil {
		var err error
		if f, err = g.Func(export); err != nil {
			g.t.Fatal(err)
		}
		g.funcs[export] = f
	}
	stack := make([]uint64, 32)
	copy(stack, args)
	err := g.Call(f, stack)
	_, results, _ := g.Module().Signature(export)
	if len(results) == 1 && results[0] == wasm.I32 {
		return uint64(uint32(stack[0])), err
	}
	return stack[0], err
}

// Do is Try where no error is expected.
func (g *Guest) Do(name string, args ...uint64) uint64 {
	g.t.Helper()
	v, err := g.Try(name, args...)
	if err != nil {
		g.t.Fatalf("%s: %v", name, err)
	}
	return v
}

// Put writes s at an address of the memory and answers address and length.
func (g *Guest) Put(at uint32, s string) (ptr, n uint64) {
	g.t.Helper()
	if !g.Memory().WriteString(at, s) {
		g.t.Fatalf("%d bytes at %d are outside the memory", len(s), at)
	}
	return uint64(at), uint64(len(s))
}

// Bytes is a copy of memory.
func (g *Guest) Bytes(at uint64, n uint32) string {
	g.t.Helper()
	b, ok := g.Memory().Read(uint32(at), n)
	if !ok {
		g.t.Fatalf("%d bytes at %d are outside the memory", n, at)
	}
	return string(b)
}

// Uint32 is a number in memory.
func (g *Guest) Uint32(at uint64) uint32 {
	g.t.Helper()
	v, ok := g.Memory().Uint32(uint32(at))
	if !ok {
		g.t.Fatalf("%d is outside the memory", at)
	}
	return v
}

// Uint64 is a number in memory.
func (g *Guest) Uint64(at uint64) uint64 {
	g.t.Helper()
	v, ok := g.Memory().Uint64(uint32(at))
	if !ok {
		g.t.Fatalf("%d is outside the memory", at)
	}
	return v
}

// List is what address and length at an address in memory say.
func (g *Guest) List(at uint64) string {
	g.t.Helper()
	return g.Bytes(uint64(g.Uint32(at)), g.Uint32(at+4))
}

// WASI is state.Env's.
func (g *Guest) WASI() *state.State { return &g.State }

// GuestLog is wasm.LineLogger's.
func (g *Guest) GuestLog(level, text string) { g.Lines = append(g.Lines, level+": "+text) }
