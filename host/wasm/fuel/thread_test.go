package fuel

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/hpmq/hpmq/host/wasm/asm"
)

func TestPackKeepsBothBelowZero(t *testing.T) {
	for _, fuel := range []int64{-fuelMin, -70_000, -1, 0, 1, 250_000, SliceMax} {
		for _, depth := range []int32{-DepthMax, -1, 0, 1, DepthMax} {
			count := Pack(fuel, depth)
			if f, d := Unpack(count); f != fuel || d != depth {
				t.Errorf("%d and %d became %d and %d", fuel, depth, f, d)
			}
			if bad := int64(int32(count))&badBits != 0; bad != (fuel < 0 || depth < 0) {
				t.Errorf("%d and %d: bad %v", fuel, depth, bad)
			}
		}
	}
}

// several has functions with several parameters and results, loops with and without parameters,
// calls in loops, through the table and of an import's kind, and pieces behind calls.
func several() *asm.Module {
	m := asm.New()
	m.Table(1, 1)
	m.Memory(1, 1)
	pair := asm.Types(asm.I32, asm.I64)
	piece := asm.Code(asm.LocalGet(0), asm.If(asm.Empty, slices.Repeat(asm.Op(asm.Nop), 20)))
	swap := m.Func(pair, asm.Types(asm.I64, asm.I32), i64,
		asm.LocalGet(1), asm.LocalSet(2), piece, asm.LocalGet(2), asm.LocalGet(0))
	turns := m.Func(i32, i32, pair,
		asm.Loop(asm.Empty, // a call in each turn
			asm.LocalGet(0), asm.LocalGet(2), asm.Call(swap),
			asm.LocalSet(1), asm.LocalSet(2), piece,
			asm.LocalGet(1), asm.I32Const(1), asm.Op(asm.I32Sub), asm.LocalTee(0), asm.BrIf(0)),
		asm.LocalGet(1))
	into := m.Type(i32, i32)
	back := m.Func(i32, i32, none, // a loop with a parameter
		asm.LocalGet(0), []byte{0x03, byte(into)}, asm.I32Const(1), asm.Op(asm.I32Sub),
		asm.LocalTee(0), asm.LocalGet(0), asm.BrIf(0), asm.Op(asm.End))
	m.Elements(0, turns)
	m.ExportFunc("f", m.Func(i32, i32, none,
		asm.I32Const(0), asm.I32Const(1), asm.LocalGet(0), asm.MemoryFill(),
		asm.LocalGet(0), asm.I32Const(0), asm.CallIndirect(into),
		asm.LocalGet(0), asm.Call(back), asm.Op(asm.I32Add), asm.I32Load8U(0)))
	return m
}

// TestSlicesDoNotShow: however a budget is cut, wherever a function or a turn begins anew, results,
// fuel and depth are the same.
func TestSlicesDoNotShow(t *testing.T) {
	modules := []*asm.Module{several(), recursion()}
	for _, k := range kernels {
		modules = append(modules, k.module)
	}
	engines(t, func(t *testing.T, r wazero.Runtime) {
		for i, m := range modules {
			want := ""
			for _, slice := range []uint64{SliceMax, 1, 7, 100} {
				l := DefaultLimits()
				l.SliceFuel = slice
				out, err := Rewrite(m.Bytes(), l)
				if err != nil {
					t.Fatal(err)
				}
				mod, err := link(r, out.Code, nil)
				if err != nil {
					t.Fatal(err)
				}
				b := newBounded(t, mod, mod)
				b.arm(slice, 1_000_000, 1000)
				results, err := mod.ExportedFunction("f").Call(context.Background(), 15)
				left, depth := b.left()
				got := fmt.Sprint(results, left, depth, err)
				if want == "" {
					want = got
				}
				if got != want || err != nil || depth != 1000 {
					t.Errorf("module %d in slices of %d: %s, want %s", i, slice, got, want)
				}
			}
		}
	})
}

// TestEveryLoopEnds: a call that a turn does not come to is no test.
func TestEveryLoopEnds(t *testing.T) {
	zero, one := asm.I32Const(0), asm.I32Const(1)
	for name, body := range map[string][]byte{
		"a call":                     asm.Code(asm.Call(0), asm.Br(0)),
		"a call behind a branch":     asm.Code(asm.Br(0), asm.Call(0)),
		"a call that may be skipped": asm.Code(one, asm.BrIf(0), asm.Call(0)),
		"a call in an if":            asm.Code(zero, asm.If(asm.Empty, asm.Call(0)), asm.Br(0)),
		"a call in a block": asm.Code(
			asm.Block(asm.Empty, one, asm.BrIf(0), asm.Call(0)), asm.Br(0)),
		"a call by the table": asm.Code(
			asm.Block(asm.Empty, zero, asm.BrTable(1, 0)), asm.Call(0), asm.Br(0)),
		"a loop in it": asm.Code(asm.Loop(asm.Empty, one, asm.BrIf(0)), asm.Call(0), asm.Br(0)),
	} {
		m := asm.New()
		m.Func(none, none, none)
		m.ExportFunc("f", m.Func(none, none, none, asm.Loop(asm.Empty, body)))
		engines(t, func(t *testing.T, r wazero.Runtime) {
			b := instantiate(t, r, m)
			if _, spent, _, err := b.call(100_000); err == nil || !b.out() || spent > 100_100 {
				t.Errorf("%s: spent %d of 100000, %v", name, spent, err)
			}
		})
	}
}

// behindCalls is a recursion with n instructions behind each call.
func behindCalls(n int) *asm.Module {
	one := asm.I32Const(1)
	m := asm.New()
	m.ExportFunc("f", m.Func(i32, none, none,
		asm.LocalGet(0), asm.If(asm.Empty, asm.LocalGet(0), one, asm.Op(asm.I32Sub), asm.Call(0)),
		one, asm.If(asm.Empty, slices.Repeat(asm.Op(asm.Nop), n-1))))
	return m
}

// TestTheCounterDoesNotWrap: what a thousand frames spend behind their calls would bring it around.
func TestTheCounterDoesNotWrap(t *testing.T) {
	engines(t, func(t *testing.T, r wazero.Runtime) {
		b := instantiate(t, r, behindCalls(1000))
		b.arm(100_000, 100_000, 1100)
		_, err := b.mod.ExportedFunction("f").Call(context.Background(), 1000)
		if left, _ := b.left(); err == nil || !b.out() {
			t.Errorf("a million units pass on 100000, %d left, %v", left, err)
		}
	})
}

// TestDebtIsRemembered: a thousand frames, each with the most debt behind its call, and fuel that
// ends in the deepest of them. The next call pays.
func TestDebtIsRemembered(t *testing.T) {
	engines(t, func(t *testing.T, r wazero.Runtime) {
		b := instantiate(t, r, behindCalls(debtMax))
		f := b.mod.ExportedFunction("f")
		call := func(n uint64) (left int64, depth int32) {
			if _, err := f.Call(context.Background(), n); err != nil {
				t.Fatal(err)
			}
			return b.left()
		}
		const debt = 1001 * debtMax
		b.arm(SliceMax, SliceMax, 1100)
		whole, _ := call(1000)
		fuel := uint64(SliceMax - whole - debt)
		b.arm(fuel, fuel, 1100)
		left, depth := call(1000)
		if left != -debt || depth != 1100 {
			t.Errorf("%d left, not %d; depth %d", left, -debt, depth)
		}
		b.rest.Set(debt + 100_000)
		if left, depth = call(0); left < 99_000 || left >= 100_000 || depth != 1100 {
			t.Errorf("%d left of 100000, depth %d", left, depth)
		}
	})
}
