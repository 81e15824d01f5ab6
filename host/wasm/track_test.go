package wasm

import (
	"context"
	"testing"

	"github.com/hpmq/hpmq/host/wasm/asm"
)

func TestTracksOfVersions(t *testing.T) {
	for name, want := range map[string]string{
		"wasi:io/streams@0.2.6":        "wasi:io/streams@0.2",
		"wasi:io/streams@0.2.0":        "wasi:io/streams@0.2",
		"wasi:io/streams@0.3.0":        "wasi:io/streams@0.3",
		"wasi:io/streams@1.20.3":       "wasi:io/streams@1",
		"wasi:io/streams@0.0.7":        "wasi:io/streams@0.0.7",
		"wasi:io/streams@0.2.6+build":  "wasi:io/streams@0.2",
		"wasi:io/streams@0.2.0-rc.1":   "wasi:io/streams@0.2.0-rc.1",
		"wasi:io/streams@0.2":          "wasi:io/streams@0.2",
		"wasi:io/streams@0.2.6#poll":   "wasi:io/streams@0.2#poll",
		"wasi:io/streams@0.2.6#a@b#c":  "wasi:io/streams@0.2#a@b#c",
		"wasi_snapshot_preview1":       "wasi_snapshot_preview1",
		"hpmq:broker/kv@0.1.18446#get": "hpmq:broker/kv@0.1#get",
		"":                             "",
	} {
		if got := Track(name); got != want {
			t.Errorf("%s has the track %s, not %s", name, got, want)
		}
	}
}

// TestImportsOfAnotherVersion: a module built against an older or newer patch is served.
func TestImportsOfAnotherVersion(t *testing.T) {
	get := HostFunc{Name: "get", Results: []ValueType{I32}, Call: func(_ *Guest, stack []uint64) {
		stack[0] = 42
	}}
	engines(t, func(t *testing.T, cfg Config) {
		e := open(t, cfg, HostModule{Name: "hpmq:broker/kv@0.1.3", Funcs: []HostFunc{get}})
		if err := e.Provide(HostModule{Name: "hpmq:broker/kv@0.1.4"}); err == nil {
			t.Error("two modules of one track are provided")
		}
		for version, served := range map[string]bool{
			"0.1.3": true, "0.1.0": true, "0.1.99": true, "0.2.3": false, "1.1.3": false,
		} {
			m := asm.New()
			call := m.Import("hpmq:broker/kv@"+version, "get", none, i32)
			m.ExportFunc("f", m.Func(none, i32, none, asm.Call(call)))
			c, err := e.Compile(context.Background(), m.Bytes())
			if (err == nil) != served {
				t.Errorf("%s: %v", version, err)
			}
			if err != nil {
				continue
			}
			g, stack := guest(t, c, nil, small), make([]uint64, 1)
			if err := g.Call(function(t, g, "f"), stack); err != nil || stack[0] != 42 {
				t.Errorf("%s: %d, %v", version, stack[0], err)
			}
		}
	})
}
