package wasm

import (
	"context"
	"encoding/binary"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/hpmq/hpmq/host/wasm/asm"
)

func empty() *asm.Module {
	m := asm.New()
	m.ExportFunc("f", m.Func(none, none, none))
	return m
}

// spin turns its argument's count of turns, 8 instructions each.
func spin() *asm.Module {
	m := asm.New()
	m.ExportFunc("f", m.Func(i32, none, i32, asm.Loop(asm.Empty,
		asm.LocalGet(1), asm.LocalGet(0), asm.Op(asm.I32Xor), asm.LocalSet(1),
		asm.LocalGet(0), asm.I32Const(1), asm.Op(asm.I32Sub), asm.LocalTee(0), asm.BrIf(0))))
	return m
}

// fib calls itself twice.
func fib() *asm.Module {
	m := asm.New()
	m.ExportFunc("f", m.Func(i32, i32, none,
		asm.LocalGet(0), asm.I32Const(2), asm.Op(asm.I32LtU),
		asm.If(asm.Empty, asm.LocalGet(0), asm.Op(asm.Return)),
		asm.LocalGet(0), asm.I32Const(1), asm.Op(asm.I32Sub), asm.Call(0),
		asm.LocalGet(0), asm.I32Const(2), asm.Op(asm.I32Sub), asm.Call(0), asm.Op(asm.I32Add)))
	return m
}

// bare calls the same module without any limits: what the walls are measured against.
func bare(b *testing.B, m *asm.Module, name string) (api.Module, api.Function) {
	r := wazero.NewRuntimeWithConfig(context.Background(), wazero.NewRuntimeConfig())
	b.Cleanup(func() { r.Close(context.Background()) })
	mod, err := r.Instantiate(context.Background(), m.Bytes())
	if err != nil {
		b.Fatal(err)
	}
	return mod, mod.ExportedFunction(name)
}

func BenchmarkCall(b *testing.B) {
	for _, c := range []struct {
		name   string
		module *asm.Module
		arg    uint64
	}{{"Empty", empty(), 0}, {"Spin1000", spin(), 1000}, {"Fib15", fib(), 15}} {
		b.Run(c.name+"/bounded", func(b *testing.B) {
			g, f := one(b, Default(), c.module, Limits{})
			stack := make([]uint64, 1)
			b.ReportAllocs()
			for b.Loop() {
				stack[0] = c.arg
				if err := g.Call(f, stack); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.name+"/bare", func(b *testing.B) {
			_, f := bare(b, c.module, "f")
			stack := make([]uint64, 1)
			b.ReportAllocs()
			for b.Loop() {
				stack[0] = c.arg
				if err := f.CallWithStack(context.Background(), stack); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkOnPublish is a canonical call: 2 × cabi_realloc, write, call, read, cabi_post; the guest
// sums the topic's bytes.
func BenchmarkOnPublish(b *testing.B) {
	topic, payload := make([]byte, 32), make([]byte, 128)
	b.Run("bounded", func(b *testing.B) {
		g := guest(b, compile(b, open(b, Default()), policy()), nil, Limits{})
		a := &asker{g: g, f: function(b, g, "on-publish")}
		b.ReportAllocs()
		b.SetBytes(int64(len(topic) + len(payload)))
		for b.Loop() {
			if _, _, err := a.onPublish(topic, payload); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(g.Fuel()), "fuel/op")
	})
	b.Run("bare", func(b *testing.B) {
		mod, f := bare(b, policy(), "on-publish")
		realloc := mod.ExportedFunction("cabi_realloc")
		post := mod.ExportedFunction("cabi_post_on-publish")
		ctx, mem, s := context.Background(), mod.Memory(), make([]uint64, 4)
		alloc := func(data []byte) uint64 {
			s[0], s[1], s[2], s[3] = 0, 0, 1, uint64(len(data))
			if err := realloc.CallWithStack(ctx, s); err != nil {
				b.Fatal(err)
			}
			mem.Write(uint32(s[0]), data)
			return s[0]
		}
		b.ReportAllocs()
		b.SetBytes(int64(len(topic) + len(payload)))
		for b.Loop() {
			t, p := alloc(topic), alloc(payload)
			s[0], s[1], s[2], s[3] = t, uint64(len(topic)), p, uint64(len(payload))
			if err := f.CallWithStack(ctx, s); err != nil {
				b.Fatal(err)
			}
			answer, _ := mem.Read(uint32(s[0]), 8)
			if binary.LittleEndian.Uint32(answer[4:]) != 128 {
				b.Fatal(answer)
			}
			if err := post.CallWithStack(ctx, s[:1]); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkInstantiate(b *testing.B) {
	m := compile(b, open(b, Default()), policy())
	b.ReportAllocs()
	for b.Loop() {
		g, err := m.Instantiate(context.Background(), nil, Limits{})
		if err != nil {
			b.Fatal(err)
		}
		g.Close()
	}
}
