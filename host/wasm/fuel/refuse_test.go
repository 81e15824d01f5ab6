package fuel

import (
	"errors"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/host/wasm/asm"
)

func body(parts ...[]byte) func(m *asm.Module) {
	return func(m *asm.Module) {
		m.Global(asm.I32, true, asm.I32Const(0))
		m.Func(i32, none, none, parts...)
	}
}

// refusal is a module, the kind of error it must get, and words that must be in it.
type refusal struct {
	build func(m *asm.Module)
	kind  error
	text  string
}

func refuse(t *testing.T, cases map[string]refusal) {
	for name, c := range cases {
		m := asm.New()
		c.build(m)
		_, err := Rewrite(m.Bytes(), DefaultLimits())
		if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestConstructsAreRefusedByName(t *testing.T) {
	refuse(t, map[string]refusal{
		"atomics": {body([]byte{0xfe, 0x03, 0}), ErrUnsupported, "threads"},
		"shared memory": {
			func(m *asm.Module) { m.Raw(5, []byte{3, 1, 2}) }, ErrUnsupported, "-pthread",
		},
		"memory64": {
			func(m *asm.Module) { m.Raw(5, []byte{4, 1}) }, ErrUnsupported, "wasm32",
		},
		"two memories": {
			func(m *asm.Module) { m.Memory(1, 1); m.Memory(1, 1) },
			ErrUnsupported, "multiple memories",
		},
		"memory index": {body([]byte{0x3f, 1}), ErrUnsupported, "multiple memories"},
		"memarg index": {body([]byte{0x28, 0x42, 0, 0}), ErrUnsupported, "multiple memories"},
		"try":          {body([]byte{0x06, 0x40}), ErrUnsupported, "-fno-exceptions"},
		"try_table":    {body([]byte{0x1f, 0x40, 0}), ErrUnsupported, "-fno-exceptions"},
		"tag": {
			func(m *asm.Module) { m.Raw(13, []byte{0, 0}) }, ErrUnsupported, "-fno-exceptions",
		},
		"tail call": {body([]byte{0x12, 0}), ErrUnsupported, "-mtail-call"},
		"gc type": {
			func(m *asm.Module) { m.Raw(1, []byte{0x5f, 0, 0}) }, ErrUnsupported, "garbage",
		},
		"gc instruction": {body([]byte{0xfb, 0}), ErrUnsupported, "references"},
		"typed ref":      {body([]byte{0xd0, 0x64}), ErrUnsupported, "references"},
		"relaxed simd":   {body([]byte{0xfd, 0x80, 0x02}), ErrUnsupported, "relaxed"},
		"table init": {
			func(m *asm.Module) { m.Raw(4, []byte{0x40, 0, 0x70, 0, 0}) },
			ErrUnsupported, "references",
		},
	})
}

func TestBreachesAreRefused(t *testing.T) {
	refuse(t, map[string]refusal{
		"reserved export": {func(m *asm.Module) { m.ExportFunc(CountGlobal, 0) },
			ErrMalformed, "reserved"},
		"fuel global":  {body(asm.I32Const(0), asm.GlobalSet(1)), ErrMalformed, "unknown global"},
		"depth global": {body(asm.GlobalGet(2), asm.Op(asm.Drop)), ErrMalformed, "unknown global"},
		"export global": {
			func(m *asm.Module) { m.Export("g", asm.KindGlobal, 0) },
			ErrMalformed, "unknown global",
		},
		"init global": {
			func(m *asm.Module) { m.Global(asm.I32, true, asm.GlobalGet(7)) },
			ErrMalformed, "unknown global",
		},
		"offset global": {func(m *asm.Module) {
			m.Memory(1, 1)
			m.Raw(11, []byte{0, 0x23, 0, asm.End, 0})
		}, ErrMalformed, "unknown global"},
		"operand local": {
			body(asm.LocalGet(1), asm.MemoryGrow(), asm.Op(asm.Drop)),
			ErrMalformed, "unknown local",
		},
		"outer label": {body(asm.Call(0), asm.Br(1)), ErrMalformed, "unknown label"},
		"added type": {
			body(asm.Call(0), []byte{0x02, 0x05}, asm.Op(asm.End)), ErrMalformed, "unknown type",
		},
		"start with parameter": {func(m *asm.Module) { m.Start(m.Func(i32, none, none)) },
			ErrMalformed, "start function"},
		"no end": {
			func(m *asm.Module) { m.RawFunc(none, none, []byte{0, asm.Nop}) },
			ErrMalformed, "without end",
		},
		"trailer": {
			func(m *asm.Module) { m.RawFunc(none, none, []byte{0, asm.End, asm.End}) },
			ErrMalformed, "left over",
		},
	})
}

func TestBombsAreRefused(t *testing.T) {
	refuse(t, map[string]refusal{
		"locals bomb": {func(m *asm.Module) {
			m.RawFunc(none, none, append(append([]byte{1}, asm.U32(1<<32-1)...), asm.I32, asm.End))
		}, ErrLimit, "locals"},
		"table bomb": {func(m *asm.Module) { m.Table(1<<27, 0) }, ErrLimit, "table elements"},
		"table bombs": {func(m *asm.Module) {
			for range 9 {
				m.Table(1, 0)
			}
		}, ErrLimit, "tables"},
		"memory bomb": {func(m *asm.Module) { m.Memory(70_000, 0) }, ErrMalformed, "limits"},
		"count bomb": {func(m *asm.Module) {
			m.Custom("x", nil)
			m.RawFunc(none, none,
				append([]byte{0, 0x41, 0, 0x0e}, asm.U32(1<<31)...))
		}, ErrLimit, "labels"},
		"names bomb": {
			func(m *asm.Module) { m.Import(strings.Repeat("a", 5000), "b", none, none) },
			ErrLimit, "name",
		},
	})
}

// TestVectorBombs: a count that the bytes cannot hold is refused before anything is allocated.
func TestVectorBombs(t *testing.T) {
	for _, id := range []byte{1, 2, 3, 4, 5, 6, 7, 9, 10, 11} {
		code := append([]byte(header), id, 5)
		code = append(code, asm.U32(1<<31)...)
		if _, err := Rewrite(code, DefaultLimits()); err == nil {
			t.Errorf("section %d with 2^31 items is taken", id)
		}
	}
}

func TestSectionsOutOfOrder(t *testing.T) {
	m := asm.New()
	m.Func(none, none, none)
	code := m.Bytes()
	code = append(code, 1, 1, 0) // a second type section behind the code
	if _, err := Rewrite(code, DefaultLimits()); !errors.Is(err, ErrMalformed) {
		t.Errorf("%v", err)
	}
}

func TestDeepNestingIsBounded(t *testing.T) {
	l := DefaultLimits()
	l.NestingMax = 10
	nested := asm.Op(asm.Nop)
	for range 11 {
		nested = asm.Block(asm.Empty, nested)
	}
	m := asm.New()
	m.Func(none, none, none, nested)
	if _, err := Rewrite(m.Bytes(), l); !errors.Is(err, ErrLimit) {
		t.Errorf("%v", err)
	}
}
