package wasm

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/host/wasm/asm"
)

// shop gives things, which have a number, and boxes. It notes what is dropped.
type shop struct{ dropped []string }

const shopName = "test:shop/things@0.1.0"

func (s *shop) module() HostModule {
	note := func(kind string) HostResource {
		return HostResource{Name: kind, Drop: func(_ *Guest, rep uint32) {
			s.dropped = append(s.dropped, fmt.Sprint(kind, rep))
		}}
	}
	one := []ValueType{I32}
	return HostModule{Name: shopName, Resources: []HostResource{note("thing"), note("box")},
		Funcs: []HostFunc{
			{Name: "make", Params: one, Results: one, Type: "(n: u32) -> own<thing>",
				Call: func(g *Guest, stack []uint64) {
					stack[0] = uint64(g.NewHandle(shopName, "thing", uint32(stack[0])))
				}},
			{Name: "look", Params: one, Results: one, Type: "(t: borrow<thing>) -> u32",
				Call: func(g *Guest, stack []uint64) {
					stack[0] = uint64(g.Rep(shopName, "thing", uint32(stack[0])))
				}},
			{Name: "take", Params: one, Results: one, Type: "(t: own<thing>) -> u32",
				Call: func(g *Guest, stack []uint64) {
					stack[0] = uint64(g.TakeHandle(shopName, "thing", uint32(stack[0])))
				}},
			{Name: "wrap", Params: one, Results: one, Type: "(n: u32) -> own<box>",
				Call: func(g *Guest, stack []uint64) {
					stack[0] = uint64(g.NewHandle(shopName, "box", uint32(stack[0])))
				}},
		}}
}

// customer exports what it imports from the shop.
func customer() *asm.Module {
	m := asm.New()
	for _, name := range []string{"make", "look", "take", "wrap"} {
		m.ExportFunc(name, m.Import(shopName, name, i32, i32))
	}
	drop := m.Import(shopName, "[resource-drop]thing", i32, none)
	m.ExportFunc("drop", drop)
	m.ExportFunc("unwrap", m.Import(shopName, "[resource-drop]box", i32, none))
	m.ExportFunc("f", m.Func(none, none, none))
	m.ExportFunc("twice", m.Func(i32, none, none, asm.LocalGet(0), asm.Call(drop),
		asm.LocalGet(0), asm.Call(drop)))
	return m
}

// visit is a customer's guest; do calls an export with one number.
type visit struct {
	*Guest
	t     testing.TB
	stack [1]uint64
}

func (v *visit) do(name string, n uint32) (uint32, error) {
	v.stack[0] = uint64(n)
	err := v.Call(function(v.t, v.Guest, name), v.stack[:])
	return uint32(v.stack[0]), err
}

func TestHandlesOfCoreModules(t *testing.T) {
	engines(t, func(t *testing.T, cfg Config) {
		var s shop
		m := compile(t, open(t, cfg, s.module()), customer())
		v := visit{Guest: guest(t, m, nil, small), t: t}
		for _, c := range []struct {
			call    string
			n, want uint32
		}{
			{"make", 71, 1}, {"make", 72, 2}, {"wrap", 73, 3}, {"look", 2, 72}, {"look", 1, 71},
			{"drop", 1, 1}, {"make", 74, 1}, {"take", 2, 72}, {"make", 75, 2}, {"unwrap", 3, 3},
			{"wrap", 76, 3},
		} {
			if got, err := v.do(c.call, c.n); err != nil || got != c.want {
				t.Fatalf("%s(%d) = %d, not %d: %v", c.call, c.n, got, c.want, err)
			}
		}
		v.Close()
		v.Close()
		if want := "thing71 box73 box76 thing75 thing74"; strings.Join(s.dropped, " ") != want {
			t.Errorf("dropped %v, not %s", s.dropped, want)
		}
	})
}

func TestHandlesThatAreNone(t *testing.T) {
	engines(t, func(t *testing.T, cfg Config) {
		var s shop
		m := compile(t, open(t, cfg, s.module()), customer())
		for _, call := range []string{"look", "take", "drop"} {
			for _, n := range []uint32{0, 2, 3, 1 << 31, 1<<32 - 1} { // 2 is a box, 3 was dropped
				v := visit{Guest: guest(t, m, nil, small), t: t}
				v.do("make", 10)
				v.do("wrap", 20)
				v.do("make", 30)
				v.do("drop", 3)
				_, err := v.do(call, n)
				if !errors.Is(err, ErrTrap) || !strings.Contains(err.Error(), "handle index") {
					t.Errorf("%s(%d): %v", call, n, err)
				}
				v.Close()
			}
		}
		if n := len(s.dropped); n != 15*3 {
			t.Errorf("%d dropped of 15 things dropped early, 15 late, 15 boxes", n)
		}
		slices.Sort(s.dropped)
		if got := slices.Compact(s.dropped); len(got) != 3 {
			t.Errorf("dropped %v", got)
		}
	})
}

func TestTooManyHandles(t *testing.T) {
	cfg := Default()
	cfg.HandlesMax = 10
	var s shop
	v := visit{Guest: guest(t, compile(t, open(t, cfg, s.module()), customer()), nil, small), t: t}
	n := 0
	var err error
	for ; err == nil && n < 20; n++ {
		_, err = v.do("make", 1)
	}
	if !errors.Is(err, ErrTrap) || n != 11 {
		t.Errorf("the %d-th: %v", n, err)
	}
	v.Close()
	if len(s.dropped) != 10 {
		t.Errorf("%d dropped", len(s.dropped))
	}
}
