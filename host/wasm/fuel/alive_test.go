package fuel

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/host/wasm/asm"
)

// crowded has 100 values alive at each of 21 places, so 2100 of them: locals, or operands.
func crowded(operands bool) *asm.Module {
	m := asm.New()
	blocks := asm.Code(bytes.Repeat([]byte{opBlock, typeEmpty, opEnd}, 10))
	if !operands {
		m.Func(none, none, bytes.Repeat([]byte{asm.I32}, 99), blocks)
		return m
	}
	m.Func(none, none, none, bytes.Repeat(asm.I32Const(7), 99), blocks,
		bytes.Repeat(asm.Op(asm.Drop), 99))
	return m
}

func TestValuesAliveAreBounded(t *testing.T) {
	for name, c := range map[string]struct {
		operands bool
		sum      uint32
	}{
		// The last end has the operands dropped.
		"locals":   {false, 21 * (100 + 100*100/aliveSquare)},
		"operands": {true, 20*(100+100*100/aliveSquare) + 1},
	} {
		code := crowded(c.operands).Bytes()
		l := DefaultLimits()
		l.AliveMax, l.AliveSumMax = c.sum, c.sum
		if _, err := Rewrite(code, l); err != nil {
			t.Errorf("%s at the bound: %v", name, err)
		}
		l.AliveMax--
		_, err := Rewrite(code, l)
		if !errors.Is(err, ErrLimit) || !strings.Contains(err.Error(), "function 0 has locals") {
			t.Errorf("%s in a function: %v", name, err)
		}
		l.AliveMax, l.AliveSumMax = c.sum, c.sum-1
		_, err = Rewrite(code, l)
		if !errors.Is(err, ErrLimit) || !strings.Contains(err.Error(), "the module has locals") {
			t.Errorf("%s in a module: %v", name, err)
		}
	}
}

// TestStackHeight: what every kind of instruction does to the stack, so that nothing hides there.
func TestStackHeight(t *testing.T) {
	for _, c := range []struct {
		op            []byte
		before, after int
	}{
		{asm.LocalGet(0), 0, 1}, {asm.LocalSet(0), 1, 0}, {asm.LocalTee(0), 1, 1},
		{asm.Op(asm.Drop), 1, 0}, {asm.Op(opSelect), 3, 1}, {asm.I32Load(0), 1, 1},
		{asm.I32Store(0), 2, 0}, {asm.MemorySize(), 0, 1}, {asm.MemoryGrow(), 1, 1},
		{asm.MemoryFill(), 3, 0}, {asm.Call(0), 1, 2}, {asm.Op(opI32Eqz), 1, 1},
		{asm.Op(opI32Add), 2, 1}, {asm.Op(0x99), 1, 1}, {asm.Op(opPrefixSIMD, 14), 2, 1},
		{asm.Op(opPrefixSIMD, 82), 3, 1}, {asm.Op(opPrefixSIMD, 0xe0, 1), 1, 1},
		{asm.Op(opPrefixSIMD, 0xae, 1), 2, 1}, {asm.Op(opPrefixSIMD, 0xa7, 1), 1, 1},
		{asm.BrIf(0), 1, 0},
		{asm.If(asm.I32, asm.I32Const(1), asm.Op(opElse, opI32Const, 1)), 1, 1},
	} {
		w := &rewriter{
			limits: DefaultLimits(), funcs: []uint32{0}, imported: 1, memories: 1,
			types: []funcType{{params: i32, results: asm.Types(asm.I32, asm.I32)}},
		}
		var f function
		f.reset(w, &reader{section: "code", b: c.op})
		f.locals = 1
		f.open(-1, true)
		f.alive.height = c.before
		for f.r.more() {
			f.instruction()
		}
		if f.r.err != nil || f.alive.height != c.after {
			t.Errorf("%x: %d operands of %d, want %d: %v", c.op, f.alive.height, c.before, c.after,
				f.r.err)
		}
	}
}

func TestElementsAreBoundedTogether(t *testing.T) {
	m := asm.New()
	m.Func(none, none, none)
	for range 4 {
		m.Raw(9, append([]byte{1, 0, 25}, make([]byte, 25)...))
	}
	l := DefaultLimits()
	l.ElementsMax = 100
	if r, err := Rewrite(m.Bytes(), l); err != nil || r.Elements != 100 {
		t.Errorf("at the bound: %v", err)
	}
	l.ElementsMax--
	_, err := Rewrite(m.Bytes(), l)
	if !errors.Is(err, ErrLimit) || !strings.Contains(err.Error(), "elements in all segments") {
		t.Errorf("beyond: %v", err)
	}
}
