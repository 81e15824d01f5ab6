package fuel

import (
	"context"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/hpmq/hpmq/host/wasm/asm"
)

// The kernels export f(n) and a memory of a page.
var kernels = []struct {
	name   string
	module *asm.Module
	n      uint64
}{
	{"Countdown", countdown(), 20_000},
	{"Fib", fibonacci(), 20},
	{"Hash", hash(), 20_000},
	{"Sort", sortBytes(), 150},
	{"Interpret", interpret(), 10_000},
}

func fibonacci() *asm.Module {
	m := asm.New()
	m.ExportFunc("f", m.Func(i32, i32, none,
		asm.LocalGet(0), asm.I32Const(2), asm.Op(asm.I32LtU),
		asm.If(asm.Empty, asm.LocalGet(0), asm.Op(asm.Return)),
		asm.LocalGet(0), asm.I32Const(1), asm.Op(asm.I32Sub), asm.Call(0),
		asm.LocalGet(0), asm.I32Const(2), asm.Op(asm.I32Sub), asm.Call(0), asm.Op(asm.I32Add)))
	return m
}

// step adds v to a local.
func step(local uint32, v int32) []byte {
	return asm.Code(asm.LocalGet(local), asm.I32Const(v), asm.Op(asm.I32Add), asm.LocalTee(local))
}

// hash is FNV-1a of n bytes.
func hash() *asm.Module {
	m := asm.New()
	m.Memory(1, 1)
	m.ExportFunc("f", m.Func(i32, i32, i32, asm.I32Const(-2128831035), asm.LocalSet(1),
		asm.Loop(asm.Empty,
			asm.LocalGet(1), asm.LocalGet(0), asm.I32Load8U(0), asm.Op(asm.I32Xor),
			asm.I32Const(16777619), asm.Op(asm.I32Mul), asm.LocalSet(1),
			step(0, -1), asm.BrIf(0)),
		asm.LocalGet(1)))
	return m
}

// sortBytes moves the greatest of the n words to the end, n times.
func sortBytes() *asm.Module {
	m := asm.New()
	m.Memory(1, 1)
	word := func(offset uint32) []byte { return asm.Code(asm.LocalGet(2), asm.I32Load(offset)) }
	m.ExportFunc("f", m.Func(i32, i32, asm.Types(asm.I32, asm.I32, asm.I32, asm.I32),
		asm.LocalGet(0), asm.LocalSet(1),
		asm.Loop(asm.Empty,
			asm.I32Const(0), asm.LocalSet(2), asm.LocalGet(0), asm.LocalSet(3),
			asm.Loop(asm.Empty,
				word(0), asm.LocalTee(4), word(4), asm.Op(asm.I32LtU),
				asm.If(asm.Empty, asm.LocalGet(2), word(4), asm.I32Store(0),
					asm.LocalGet(2), asm.LocalGet(4), asm.I32Store(4)),
				step(2, 4), asm.Op(asm.Drop), step(3, -1), asm.BrIf(0)),
			step(1, -1), asm.BrIf(0)),
		asm.LocalGet(1)))
	return m
}

// interpret is a loop that dispatches on bytes, as an interpreter does, with a global as its
// accumulator.
func interpret() *asm.Module {
	m := asm.New()
	m.Memory(1, 1)
	data := make([]byte, 16384)
	for i := range data {
		data[i] = byte(i * 7 >> 2 & 3)
	}
	m.Data(0, data)
	g := m.Global(asm.I32, true, asm.I32Const(1))
	do := func(op byte) []byte {
		return asm.Code(asm.GlobalGet(g), asm.LocalGet(0), asm.Op(op), asm.GlobalSet(g))
	}
	m.ExportFunc("f", m.Func(i32, i32, none,
		asm.Loop(asm.Empty,
			asm.Block(asm.Empty, asm.Block(asm.Empty, asm.Block(asm.Empty, asm.Block(asm.Empty,
				asm.LocalGet(0), asm.I32Load8U(0), asm.BrTable(0, 1, 2, 3)),
				do(asm.I32Add), asm.Br(2)),
				do(asm.I32Xor), asm.Br(1)),
				do(asm.I32Mul)),
			step(0, -1), asm.BrIf(0)),
		asm.GlobalGet(g)))
	return m
}

// BenchmarkCounters compares modules without counters, with their own, and with imported ones.
func BenchmarkCounters(b *testing.B) {
	r := newRuntime(b, false)
	for _, k := range kernels {
		bare, err := r.InstantiateWithConfig(context.Background(), k.module.Bytes(),
			wazero.NewModuleConfig().WithName(""))
		if err != nil {
			b.Fatal(err)
		}
		none := mutable{new(uint64)}
		run(b, k.name+"/bare", k.n, &bounded{mod: bare, count: none, rest: none})
		run(b, k.name+"/own", k.n, instantiate(b, r, k.module))
		run(b, k.name+"/shared", k.n, instantiateShared(b, r, k.module))
	}
}

// mutable is a counter that nobody reads.
type mutable struct{ *uint64 }

func (m mutable) Set(v uint64) { *m.uint64 = v }
func (m mutable) Get() uint64  { return *m.uint64 }

func run(b *testing.B, name string, n uint64, m *bounded) {
	b.Run(name, func(b *testing.B) {
		f, stack := m.mod.ExportedFunction("f"), make([]uint64, 1)
		b.ReportAllocs()
		for b.Loop() {
			m.arm(250_000, 1<<40, 1000)
			stack[0] = n
			if err := f.CallWithStack(context.Background(), stack); err != nil {
				b.Fatal(err)
			}
		}
	})
}
