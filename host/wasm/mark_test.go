package wasm

import (
	"errors"
	"testing"

	"github.com/hpmq/hpmq/host/wasm/asm"
)

// TestBack undoes what a call did to memory and globals, and its death.
func TestBack(t *testing.T) {
	for _, interpreter := range []bool{false, true} {
		m := asm.New()
		m.Memory(1, 4)
		count := m.Global(asm.I32, true, asm.I32Const(7))
		m.Global(asm.I32, false, asm.I32Const(1))
		// touch adds 1 to the global and to a word of the memory, and answers both sums together.
		add := [][]byte{
			asm.GlobalGet(count), asm.I32Const(1), asm.Op(asm.I32Add), asm.GlobalSet(count),
			asm.I32Const(64), asm.I32Const(64), asm.I32Load(0), asm.I32Const(1),
			asm.Op(asm.I32Add), asm.I32Store(0),
		}
		m.ExportFunc("touch", m.Func(none, i32, none, append(add, asm.GlobalGet(count),
			asm.I32Const(64), asm.I32Load(0), asm.Op(asm.I32Add))...))
		m.ExportFunc("trap", m.Func(none, none, none, append(add, asm.Op(asm.Unreachable))...))
		m.ExportFunc("loop", m.Func(none, none, none, append(add, forever)...))
		cfg := Default()
		cfg.Interpreter = interpreter
		g := guest(t, compile(t, open(t, cfg), m), nil, Limits{})
		touch := function(t, g, "touch")
		sum := func() uint64 {
			var stack [1]uint64
			if err := g.Call(touch, stack[:]); err != nil {
				t.Fatal(err)
			}
			return stack[0]
		}
		if n := sum(); n != 9 {
			t.Fatal(n)
		}
		mark := g.Mark()
		for i, name := range []string{"trap", "loop", "touch"} {
			g.Allow(1000)
			err := g.Call(function(t, g, name), make([]uint64, 1))
			if wrong := i < 2; wrong != (err != nil) || wrong != g.Dead() {
				t.Errorf("%s: %v", name, err)
			}
			if errors.Is(err, ErrFuel) != (name == "loop") {
				t.Errorf("%s: %v", name, err)
			}
			if g.Back(mark); g.Dead() || sum() != 11 {
				t.Errorf("%s is not undone", name)
			}
			g.Back(mark)
		}
	}
}

// TestMarkOfAComponent, of whose core instances some have no memory.
func TestMarkOfAComponent(t *testing.T) {
	l := &library{known: map[string]string{}}
	m := component1(t, open(t, Default(), l.module()), "policy")
	g := guest(t, m, nil, Limits{})
	mark := g.Mark()
	g.Kill("a test")
	if g.Back(mark); g.Dead() || len(mark.memories) != 1 || len(g.cores) < 2 {
		t.Errorf("%d memories of %d cores, dead: %v", len(mark.memories), len(g.cores), g.Dead())
	}
}
