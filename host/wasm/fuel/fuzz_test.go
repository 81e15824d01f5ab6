package fuel

import (
	"testing"

	"github.com/hpmq/hpmq/host/wasm/asm"
)

// FuzzRewrite: no input panics, and what is taken compiles after the rewrite exactly if it did
// before.
func FuzzRewrite(f *testing.F) {
	f.Add(countdown().Bytes())
	f.Add(recursion().Bytes())
	m := asm.New()
	m.Import("a", "b", i32, i64)
	m.Memory(1, 2)
	m.Table(3, 4)
	m.Start(m.Func(none, none, none, asm.I32Const(1), asm.MemoryGrow(), asm.Op(asm.Drop)))
	m.ExportFunc("f", m.Func(i32, asm.Types(asm.I32, asm.I32), i64,
		asm.I32Const(0), asm.I32Const(0), asm.LocalGet(0), asm.MemoryInit(0),
		asm.Block(asm.Empty, asm.LocalGet(0), asm.BrTable(0, 0, 0)), asm.Call(1),
		asm.I32Const(1), asm.I32Const(2), asm.Op(asm.Return)))
	m.Global(asm.I64, true, asm.I64Const(-5))
	m.Elements(0, 1, 2)
	m.Passive([]byte("data"))
	m.FuncNames("one", "two")
	f.Add(m.Bytes())
	l := DefaultLimits()
	// Small enough for thousands of compilations a second.
	l.ModuleBytesMax, l.MemoryPagesMax, l.TableElementsMax, l.LocalsMax = 4096, 16, 1000, 1000
	r := newRuntime(f, true)
	f.Fuzz(func(t *testing.T, code []byte) {
		out, err := Rewrite(code, l)
		shared, err2 := RewriteWith(code, l, Options{Counters: Imported})
		if err != nil {
			if err2 == nil {
				t.Errorf("taken only with imported counters: %v: %x", err, code)
			}
			return
		}
		before, after := compiles(r, withoutCustoms(code)), compiles(r, out.Code)
		if before != after && !out.HasStart || before && !after {
			t.Errorf("compiles: %v before, %v after: %x", before, after, code)
		}
		if err2 == nil && compiles(r, shared.Code) != after {
			t.Errorf("compiles: %v with own counters, not with imported ones: %x", after, code)
		} else if err2 != nil && after {
			t.Errorf("refused only with imported counters: %v: %x", err2, code)
		}
		if again, err := Rewrite(out.Code, DefaultLimits()); err == nil {
			t.Errorf("its own output is taken: %x", again.Code)
		}
	})
}

// withoutCustoms leaves out what the rewrite leaves out unread.
func withoutCustoms(code []byte) []byte {
	out := []byte(header)
	r := &reader{b: code, at: len(header)}
	for r.more() {
		first := r.at
		id := r.byte()
		r.bytes(r.u32())
		if id != secCustom {
			out = append(out, code[first:r.at]...)
		}
	}
	return out
}
