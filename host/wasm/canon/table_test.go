package canon

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestHandlesAreGivenOutInOrder(t *testing.T) {
	tab := NewTable(0, Resources{0}, 100)
	want := func(h uint32, rep uint32) {
		t.Helper()
		if got, err := tab.New(0, rep); got != h || err != nil {
			t.Errorf("handle %d, %v, want %d", got, err, h)
		}
	}
	want(1, 100)
	want(2, 200)
	want(3, 300)
	drop := func(h uint32) {
		t.Helper()
		if err := tab.Drop(0, h, nil); err != nil {
			t.Error(err)
		}
	}
	drop(2)
	want(2, 400)
	for _, h := range []uint32{1, 2, 3} {
		drop(h)
	}
	want(3, 500)
	want(2, 600)
	want(1, 700)
	want(4, 800)
	if rep, err := tab.Rep(0, 2); rep != 600 || err != nil {
		t.Errorf("%d, %v", rep, err)
	}
}

func refused(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
}

func TestHandlesThatAreNoneTrap(t *testing.T) {
	tab := NewTable(0, Resources{0, 0}, 2)
	for _, h := range []uint32{0, 1, 5, 1<<32 - 1} {
		refused(t, tab.Drop(0, h, nil), fmt.Sprintf("unknown handle index %d", h))
		_, err := tab.Rep(0, h)
		refused(t, err, "unknown handle")
		_, err = tab.Take(0, h)
		refused(t, err, "unknown handle")
		_, err = tab.Lend(NewCall(DefaultLimits()), 0, h)
		refused(t, err, "unknown handle")
	}
	h, _ := tab.New(0, 7)
	refused(t, tab.Drop(1, h, nil), "wrong resource type")
	refused(t, tab.Drop(-1, 0, nil), "unknown handle")
	if _, err := tab.Take(0, h); err != nil {
		t.Error(err)
	}
	refused(t, tab.Drop(0, h, nil), "unknown handle index 1")
	_, _ = tab.New(0, 1)
	_, _ = tab.New(0, 1)
	_, err := tab.New(0, 1)
	refused(t, err, "at most 2 resource handles")
	if tab.Live() != 2 {
		t.Error(tab.Live())
	}
}

func TestWhatIsLentStays(t *testing.T) {
	tab := NewTable(0, Resources{HostOwned}, 10)
	h, _ := tab.New(0, 7)
	c := NewCall(DefaultLimits())
	for range 2 {
		if rep, err := tab.Lend(c, 0, h); rep != 7 || err != nil {
			t.Errorf("%d, %v", rep, err)
		}
	}
	refused(t, tab.Drop(0, h, nil), "cannot remove owned resource while borrowed")
	_, err := tab.Take(0, h)
	refused(t, err, "cannot remove owned resource while borrowed")
	c.Return()
	dropped := uint32(0)
	err = tab.Drop(0, h, func(rep uint32) error {
		dropped = rep
		_, err := tab.Rep(0, h)
		refused(t, err, "unknown handle")
		return nil
	})
	if err != nil || dropped != 7 {
		t.Errorf("dropped %d, %v", dropped, err)
	}
	c.Return() // a second time: the slot is not the same any more
	h2, _ := tab.New(0, 8)
	if h2 != h || tab.Drop(0, h2, nil) != nil {
		t.Error("a new handle in the slot is lent")
	}
}

func TestBorrowsEndWithTheirCall(t *testing.T) {
	tab := NewTable(3, Resources{HostOwned, 3}, 10)
	c := NewCall(DefaultLimits())
	h, err := tab.Borrow(c, 0, 7)
	if err != nil {
		t.Fatal(err)
	}
	refused(t, c.Exit(), "1 borrow handles remain at the end")
	_, err = tab.Take(0, h)
	refused(t, err, "is a borrow")
	err = tab.Drop(0, h, func(uint32) error { return errors.New("a borrow was destroyed") })
	if err != nil || c.Exit() != nil {
		t.Errorf("%v, %v", err, c.Exit())
	}
	// Whoever implements the resource gets no handle.
	if rep, err := tab.Borrow(c, 1, 0x41); rep != 0x41 || err != nil || tab.Live() != 0 {
		t.Errorf("%d, %v", rep, err)
	}
}

// Against a map: whatever is done in whatever order.
func TestTablesAgreeWithAMap(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	tab := NewTable(0, Resources{HostOwned, HostOwned}, 50)
	type entry struct{ resource, rep int }
	have := map[uint32]entry{}
	for step := range 20000 {
		h, res := uint32(r.IntN(60)), r.IntN(2)
		e, ok := have[h]
		ok = ok && e.resource == res
		var err error
		var rep uint32
		op := r.IntN(4)
		switch op {
		case 0:
			h, err = tab.New(res, uint32(step))
			ok, e = len(have) < 50, entry{}
		case 1:
			rep, err = tab.Rep(res, h)
		case 2:
			rep, err = tab.Take(res, h)
		case 3:
			err = tab.Drop(res, h, func(got uint32) error { rep = got; return nil })
		}
		if _, twice := have[h]; twice && op == 0 && err == nil {
			t.Fatalf("seed %d: handle %d was given out twice", seed, h)
		}
		switch {
		case err == nil && op == 0:
			have[h] = entry{res, step}
		case err == nil && op > 1:
			delete(have, h)
		}
		if ok != (err == nil) || err == nil && int(rep) != e.rep || tab.Live() != len(have) {
			t.Fatalf("seed %d, step %d: %v, rep %d, want %v", seed, step, err, rep, e)
		}
	}
}
