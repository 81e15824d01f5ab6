package broker

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// What a session has subscribed to is what a map would say, below the index, above it and across.
func TestSubscriptionsAreAMap(t *testing.T) {
	var x subscriptions
	want := map[string]*subscription{}
	rnd := rand.New(rand.NewPCG(1, 2))
	for step := range 20_000 {
		few := step%4000 < 2000 // so that it grows and shrinks
		f := fmt.Sprint("f/", rnd.IntN(4*subsIndexMin))
		have := x.get(f)
		if have != want[f] || x.len() != len(want) {
			t.Fatalf("step %d: %s: got %v of %d, want %v of %d", step, f, have, x.len(), want[f],
				len(want))
		}
		switch {
		case have == nil && (!few || rnd.IntN(4) == 0):
			want[f] = &subscription{full: f}
			x.put(want[f])
		case have != nil && (few || rnd.IntN(4) == 0):
			x.remove(have)
			delete(want, f)
		}
		if x.index != nil && len(x.index) != len(want) {
			t.Fatalf("step %d: %d in the index, want %d", step, len(x.index), len(want))
		}
	}
	if (*subscriptions)(nil).get("f") != nil || (*subscriptions)(nil).len() != 0 {
		t.Error("there is something in nothing")
	}
}
