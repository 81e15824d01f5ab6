package wasm

import (
	"errors"
	"strings"
	"testing"
)

// lent calls an export of v with a handle that borrows thing rep.
func (v *visit) lent(name string, rep uint32) (uint32, error) {
	h, err := v.Lend(function(v.t, v.Guest, name), shopName, "thing", rep)
	if err != nil {
		v.t.Fatal(err)
	}
	return v.do(name, h)
}

// TestALoanEndsWithTheCall: of a core module, which need not drop it.
func TestALoanEndsWithTheCall(t *testing.T) {
	engines(t, func(t *testing.T, cfg Config) {
		var s shop
		m := compile(t, open(t, cfg, s.module()), customer())
		v := visit{Guest: guest(t, m, nil, small), t: t}
		if _, err := v.do("make", 5); err != nil {
			t.Fatal(err)
		}
		for i, name := range []string{"look", "drop", "look", "f"} {
			got, err := v.lent(name, uint32(70+i))
			if err != nil || name == "look" && got != uint32(70+i) {
				t.Fatalf("%s: %d, %v", name, got, err)
			}
		}
		if got, err := v.do("look", 1); err != nil || got != 5 {
			t.Errorf("the own handle answers %d, %v", got, err)
		}
		if n := v.handles(0).Live(); n != 1 {
			t.Errorf("%d handles live", n)
		}
		look := function(t, v.Guest, "look")
		if _, err := v.do("look", 2); !errors.Is(err, ErrTrap) {
			t.Errorf("the borrow of a call before is taken: %v", err)
		}
		if _, err := v.Lend(look, shopName, "thing", 1); err == nil {
			t.Error("a dead guest is lent something")
		}
		v.Close()
		if got := strings.Join(s.dropped, " "); got != "thing5" {
			t.Errorf("dropped %s", got)
		}
	})
}

// TestALoanIsNotOwned: it is not taken for a handle that could be given away, dropped twice or
// used as another type.
func TestALoanIsNotOwned(t *testing.T) {
	engines(t, func(t *testing.T, cfg Config) {
		var s shop
		m := compile(t, open(t, cfg, s.module()), customer())
		for _, name := range []string{"take", "unwrap", "twice"} {
			v := visit{Guest: guest(t, m, nil, small), t: t}
			if _, err := v.lent(name, 9); !errors.Is(err, ErrTrap) {
				t.Errorf("%s: %v", name, err)
			}
			v.Close()
		}
		if s.dropped != nil {
			t.Errorf("dropped %v", s.dropped)
		}
	})
}

func TestALoanOfNothing(t *testing.T) {
	var s shop
	cfg := Default()
	cfg.HandlesMax = 2
	g := guest(t, compile(t, open(t, cfg, s.module()), customer()), nil, small)
	f := function(t, g, "f")
	if f.Takes(shopName, "hat") || !f.Takes(shopName, "box") {
		t.Error("a core module takes what there is")
	}
	if _, err := g.Lend(f, shopName, "hat", 1); err == nil {
		t.Error("a resource that nobody gives is lent")
	}
	for i := range 3 {
		if _, err := g.Lend(f, shopName, "thing", 1); (err == nil) != (i < 2) {
			t.Errorf("handle %d of 2: %v", i, err)
		}
	}
	if err := g.Call(f, make([]uint64, 1)); err != nil || g.handles(0).Live() != 0 {
		t.Errorf("%d handles live after the call, %v", g.handles(0).Live(), err)
	}
}

func TestALoanAllocatesNothing(t *testing.T) {
	var s shop
	g := guest(t, compile(t, open(t, Default(), s.module()), customer()), nil, small)
	f, stack := function(t, g, "look"), make([]uint64, 1)
	n := testing.AllocsPerRun(100, func() {
		h, err := g.Lend(f, shopName, "thing", 7)
		if stack[0] = uint64(h); err != nil || g.Call(f, stack) != nil || stack[0] != 7 {
			t.Fatal(stack[0], err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
