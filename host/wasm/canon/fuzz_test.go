package canon

import (
	"testing"

	"github.com/hpmq/hpmq/host/wasm/component"
)

// Whatever type the bytes make, and whatever stands in memory and in the core values: a value is
// lifted or refused, and what is lifted comes back the same when it is lowered.
func FuzzLift(f *testing.F) {
	f.Add([]byte{}, []byte("hello"), uint64(0), uint64(5), byte(0))
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9}, make([]byte, 200), uint64(8), uint64(3), byte(1))
	f.Add([]byte{2, 1, 1, 0, 1, 12, 200, 3}, []byte{0, 0, 1, 0, 4, 0, 0, 0, 2}, uint64(0),
		uint64(0), byte(2))
	f.Fuzz(func(t *testing.T, types, mem []byte, a, b uint64, enc byte) {
		typ := fromBytes(&types).typ(6)
		if typ.Check() != nil {
			return
		}
		fn := &component.FuncType{Params: []*component.Type{typ}, Result: typ}
		stack := make([]uint64, component.FlatParamsMax+1)
		for i := range stack {
			stack[i] = []uint64{a, b, a ^ b}[i%3]
		}
		limits := Limits{ValuesMax: 1 << 12, BytesMax: 1 << 16}
		side := Side{Memory: &arena{mem: mem}, Encoding: component.Encoding(enc % 3),
			Handles: NewTable(0, nil, 10)}
		lifted, err := side.LiftParams(NewCall(limits), fn, stack)
		_, _ = side.LiftResult(NewCall(limits), fn, stack)
		if err != nil {
			return
		}
		again(t, fn, lifted, side.Encoding)
	})
}

func again(t *testing.T, fn *component.FuncType, v []Value, enc component.Encoding) {
	side := Side{Memory: newArena(0), Encoding: enc}
	stack := make([]uint64, component.FlatParamsMax)
	if err := side.LowerParams(NewCall(DefaultLimits()), fn, v, stack); err != nil {
		t.Fatalf("%s: lifted %+v, lower: %v", fn.ParamTuple(), v, err)
	}
	back, err := side.LiftParams(NewCall(DefaultLimits()), fn, stack)
	if err != nil || !equal(Value{Elems: back}, Value{Elems: v}) {
		t.Fatalf("%s: lifted %+v, came back %+v, %v", fn.ParamTuple(), v, back, err)
	}
}

// Whatever realloc answers: what is lowered stands in memory, or is refused.
func FuzzLower(f *testing.F) {
	f.Add([]byte{1, 2, 3}, []byte{4, 5, 6}, uint32(8), uint32(16), byte(0))
	f.Add([]byte{2, 0, 1, 12}, []byte{200, 5, 6, 7, 8}, uint32(1), uint32(1<<31), byte(1))
	f.Fuzz(func(t *testing.T, types, values []byte, first, step uint32, enc byte) {
		typ := fromBytes(&types).typ(5)
		fn := &component.FuncType{Params: []*component.Type{typ}, Result: typ}
		v := fromBytes(&values).value(typ)
		mem := &arena{mem: make([]byte, 1024)}
		mem.answer = func(_, size uint32) uint32 {
			at := first
			first += step
			if step&1 == 0 && size&1 == 1 {
				mem.mem = mem.mem[:len(mem.mem)/2] // which no engine does
			}
			return at
		}
		side := Side{Memory: mem, Encoding: component.Encoding(enc % 3)}
		stack := make([]uint64, component.FlatParamsMax+1)
		call := NewCall(Limits{ValuesMax: 1 << 12, BytesMax: 1 << 16})
		_ = side.LowerParams(call, fn, []Value{v}, stack)
		_ = side.LowerResult(call, fn, v, stack)
	})
}

// Whatever is done to a table, in whatever order: no panic, and no more handles than it may have.
func FuzzTable(f *testing.F) {
	f.Add([]byte{0, 0, 1, 0, 4, 1, 5, 0, 3, 1})
	f.Fuzz(func(t *testing.T, ops []byte) {
		tab := NewTable(0, Resources{0, HostOwned}, 20)
		calls := []*Call{NewCall(DefaultLimits()), NewCall(DefaultLimits())}
		for len(ops) >= 2 {
			h, res, c := uint32(ops[1]>>1), int(ops[1]&1), calls[ops[0]>>7]
			switch ops[0] % 6 {
			case 0:
				_, _ = tab.New(res, h)
			case 1:
				_, _ = tab.Take(res, h)
			case 2:
				_ = tab.Drop(res, h, nil)
			case 3:
				_, _ = tab.Lend(c, res, h)
			case 4:
				_, _ = tab.Borrow(c, res, h)
			case 5:
				c.Return()
			}
			ops = ops[2:]
			if tab.Live() > 20 {
				t.Fatal(tab.Live())
			}
		}
	})
}
