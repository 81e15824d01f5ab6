package wasm

import (
	"context"
	"slices"
	"testing"
)

// FuzzCompile: no component brings the engine down, when it is compiled or when it is started, and
// none leaves a guest behind.
func FuzzCompile(f *testing.F) {
	cfg := Default()
	cfg.Interpreter = true
	cfg.CoreInstancesMax, cfg.TrampolinesMax, cfg.ModuleBytesMax = 8, 64, 64<<10
	cfg.MemoryBytesMax, cfg.TableElementsMax, cfg.DepthMax = 4<<20, 1000, 100
	cfg.FuelMax, cfg.StartFuelMax = 10_000, 10_000
	var l library
	hosts := []HostModule{l.module()}
	for _, name := range []string{"policy", "user", "preview1", "store", "composed"} {
		code := fixture(f, name)
		f.Add(code)
		for _, m := range stubs(f, code) {
			if !slices.ContainsFunc(hosts, func(h HostModule) bool {
				return Track(h.Name) == Track(m.Name)
			}) {
				hosts = append(hosts, m)
			}
		}
	}
	f.Add([]byte("\x00asm\x0d\x00\x01\x00"))
	e := open(f, cfg, hosts...)
	f.Fuzz(func(t *testing.T, code []byte) {
		m, err := e.Compile(context.Background(), code)
		if err != nil {
			return
		}
		defer func() { _ = m.Close(context.Background()) }()
		g, err := m.Instantiate(context.Background(), nil, Limits{})
		if err != nil {
			return
		}
		defer g.Close()
		for _, name := range m.Exports() {
			f, err := g.Func(name)
			if err == nil {
				_ = g.Call(f, make([]uint64, 32))
			}
		}
	})
}
