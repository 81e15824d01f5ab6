package canon

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/hpmq/hpmq/host/wasm/component"
)

// Two component instances: 0 implements resource 0 and is called, 1 calls.
type pairOf struct {
	callee, caller *Instance
	to, from       *arena
	adapter        *Adapter
}

func newPair(t *component.FuncType, core func(stack []uint64) error) *pairOf {
	res := Resources{0, HostOwned}
	p := &pairOf{to: newArena(0), from: newArena(4096),
		callee: &Instance{Handles: NewTable(0, res, 100)},
		caller: &Instance{Handles: NewTable(1, res, 100)}}
	p.from.next = 2048
	p.adapter = &Adapter{Instance: p.caller, Memory: p.from, Limits: DefaultLimits(),
		Callee: &Func{Type: t, Instance: p.callee, Memory: p.to, Core: core}}
	return p
}

// A string goes from one encoding to another, and back by memory, and post-return sees the
// pointer that the core function gave.
func TestCallsCrossMemoriesAndEncodings(t *testing.T) {
	str := of(component.String)
	f := &component.FuncType{Params: []*component.Type{str}, Result: str}
	var p *pairOf
	p = newPair(f, func(stack []uint64) error {
		at, n := stack[0], stack[1]
		if got := string(p.to.mem[at : at+2*n]); got != "a\x00\xe9\x00" {
			t.Errorf("the callee got %q", got)
		}
		ret, _ := p.to.Realloc(4, 8)
		w := lowerer{side: &Side{Memory: p.to}}
		stack[0] = uint64(ret)
		return w.write(ret, 8, at|n<<32)
	})
	p.adapter.Callee.Encoding = component.UTF16
	posted := 0
	p.adapter.Callee.PostReturn = func(stack []uint64) error {
		posted++
		if stack[0] != 4 {
			t.Errorf("post-return got %d", stack[0])
		}
		return p.callee.Leave()
	}
	copy(p.from.mem, "a\xc3\xa9")
	err := p.adapter.Call([]uint64{0, 3, 1024})
	if !errors.Is(err, ErrLeave) || posted != 1 {
		t.Errorf("post-return may leave: %v", err)
	}
	if got := string(p.from.mem[2048:2051]); got != "a\xc3\xa9" {
		t.Errorf("the caller got %q", got)
	}
	l := lifter{mem: p.from.mem}
	if l.word(1024) != 2048 || l.word(1028) != 3 {
		t.Errorf("the result is %x", p.from.mem[1024:1032])
	}
	// After a trap nobody enters.
	if err := p.adapter.Call([]uint64{0, 3, 1024}); !errors.Is(err, ErrEnter) {
		t.Error(err)
	}
}

func TestInvariantsOfInstancesHold(t *testing.T) {
	f := &component.FuncType{Params: []*component.Type{of(component.String)}}
	var p *pairOf
	p = newPair(f, func([]uint64) error {
		if err := p.adapter.Call([]uint64{0, 0}); !errors.Is(err, ErrEnter) {
			t.Errorf("entered again: %v", err)
		}
		return p.callee.Leave()
	})
	p.to.answer = func(_, _ uint32) uint32 {
		if err := p.callee.Leave(); !errors.Is(err, ErrLeave) {
			t.Errorf("left from realloc: %v", err)
		}
		return 0
	}
	if err := p.adapter.Call([]uint64{0, 0}); err != nil {
		t.Fatal(err)
	}
	if err := p.adapter.Call([]uint64{1, 0}); err != nil {
		t.Error(err)
	}
	_ = p.caller.Hold(func() error {
		if err := p.adapter.Call([]uint64{0, 0}); !errors.Is(err, ErrLeave) {
			t.Error(err)
		}
		return nil
	})
	if err := p.adapter.Call([]uint64{4096, 1}); err == nil {
		t.Error("out of bounds")
	}
}

// The client of a resource lends to and gives to who implements it, and to who does not.
func TestHandlesCrossInstances(t *testing.T) {
	for _, res := range []int{0, 1} {
		f := &component.FuncType{Params: []*component.Type{handle(component.Borrow, res),
			handle(component.Own, res)}, Result: handle(component.Own, res)}
		var p *pairOf
		keep := false
		p = newPair(f, func(stack []uint64) error {
			if res == 0 && stack[0] != 70 || res == 1 && stack[0] == 70 {
				t.Errorf("resource %d: the callee got %d for its borrow", res, stack[0])
			}
			refused(t, p.caller.Handles.Drop(res, 1, nil), "while borrowed")
			own := stack[1]
			if res == 1 && !keep {
				if err := p.callee.Handles.Drop(res, uint32(stack[0]), nil); err != nil {
					t.Error(err)
				}
			}
			stack[0] = own
			return nil
		})
		lent, _ := p.caller.Handles.New(res, 70)
		given, _ := p.caller.Handles.New(res, 80)
		stack := []uint64{uint64(lent), uint64(given)}
		if err := p.adapter.Call(slices.Clone(stack)); err != nil {
			t.Fatal(err)
		}
		if rep, err := p.caller.Handles.Rep(res, given); rep != 80 || err != nil {
			t.Errorf("what came back: %d, %v", rep, err)
		}
		if err := p.caller.Handles.Drop(res, lent, nil); err != nil {
			t.Errorf("what was lent cannot be dropped after the call: %v", err)
		}
		if n := p.callee.Handles.Live(); n != 0 {
			t.Errorf("the callee keeps %d handles", n)
		}
		if res == 1 {
			keep = true
			_, _ = p.caller.Handles.New(res, 70)
			refused(t, p.adapter.Call(stack), "borrow handles remain")
			continue
		}
		// One handle cannot be lent and given in one call.
		refused(t, p.adapter.Call([]uint64{2, 2}), "while borrowed")
	}
}

func TestInvokeGivesTheResult(t *testing.T) {
	u8 := of(component.U8)
	f := &component.FuncType{Params: []*component.Type{u8, u8}, Result: u8}
	p := newPair(f, func(s []uint64) error { s[0] += s[1]; return nil })
	v, err := p.adapter.Callee.Invoke(DefaultLimits(), []Value{{Bits: 200}, {Bits: 100}})
	if err != nil || v.Bits != 44 {
		t.Errorf("%+v, %v", v, err)
	}
	if _, err := p.adapter.Callee.Invoke(DefaultLimits(), nil); err == nil {
		t.Error("no parameters")
	}
}

// Whatever types there are: the callee echoes its one parameter, the caller has its value back.
func TestValuesCrossBetweenInstances(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for range 1000 {
		mk := random(r)
		typ := mk.typ(3)
		f := &component.FuncType{Params: []*component.Type{typ}, Result: typ}
		var p *pairOf
		enc := component.Encoding(r.IntN(3))
		p = newPair(f, func(stack []uint64) error {
			s := Side{Memory: p.to, Encoding: enc}
			v, err := s.LiftParams(NewCall(DefaultLimits()), f, stack)
			if err != nil {
				return err
			}
			if _, spill := f.FlatResults(); !spill {
				return s.LowerResult(NewCall(DefaultLimits()), f, v[0], stack)
			}
			at, _ := p.to.Realloc(typ.Align(), typ.Size())
			stack[0] = uint64(at)
			w := lowerer{side: &s, call: NewCall(DefaultLimits())}
			return w.store(typ, v[0], at)
		})
		p.adapter.Callee.Encoding = enc
		p.adapter.Encoding = component.Encoding(r.IntN(3))
		v := mk.value(typ)
		caller := Side{Memory: p.from, Encoding: p.adapter.Encoding}
		stack := make([]uint64, 17)
		core, _ := f.Flatten(true)
		err := caller.LowerParams(NewCall(DefaultLimits()), f, []Value{v}, stack)
		if _, spill := f.FlatResults(); spill {
			stack[len(core)-1] = 0 // the caller keeps the start of its memory free
		}
		if err == nil {
			err = p.adapter.Call(stack)
		}
		if err != nil {
			t.Fatalf("seed %d: %s: %v", seed, typ, err)
		}
		if _, spill := f.FlatResults(); spill {
			stack[0] = 0
		}
		back, err := caller.LiftResult(NewCall(DefaultLimits()), f, stack)
		if err != nil || !equal(back, v) {
			t.Fatalf("seed %d: %s: %+v, %v; want %+v", seed, typ, back, err, v)
		}
	}
}
