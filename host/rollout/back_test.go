package rollout

import (
	"errors"
	"reflect"
	"slices"
	"testing"
)

// TestBackMakesAChainWhatItWas for all that one change can do to a chain, and refuses the rest.
func TestBackMakesAChainWhatItWas(t *testing.T) {
	x := Slot{From: -1, Pinned: &Pinned{Pin: Pin{Digest: "x"}, Source: "x@x"}}
	zero, one, two := Slot{From: 0}, Slot{From: 1}, Slot{From: 2}
	for i, c := range []struct{ now, was []Slot }{
		{[]Slot{x}, []Slot{zero}},                  // exchanged
		{[]Slot{zero, one, x}, []Slot{zero, one}},  // added
		{[]Slot{x}, nil},                           // the only one
		{[]Slot{one, two}, []Slot{zero, one, two}}, // taken out at the front
		{[]Slot{zero, one}, []Slot{zero, one, x}},  // at the end
		{nil, []Slot{x}},                           // the last one
		{[]Slot{one, x, x}, []Slot{zero, x, two}},  // two exchanged
		{[]Slot{zero, x, one}, []Slot{zero, one}},  // added in the middle, as a rollback does
	} {
		items, err := back(Item{Listener: "l", Role: "router"}, c.now, c.was)
		if err != nil {
			t.Errorf("%d: %v", i, err)
			continue
		}
		if err := validateItems(items, false); err != nil {
			t.Errorf("%d: %v", i, err)
		}
		chain := slices.Clone(c.now)
		for _, it := range items {
			if chain, err = put(chain, entry{item: it}); err != nil {
				t.Errorf("%d: %v", i, err)
			}
		}
		if len(chain) != len(c.was) || len(chain) > 0 && !reflect.DeepEqual(chain, c.was) {
			t.Errorf("%d: %v, want %v", i, chain, c.was)
		}
	}
	for i, c := range []struct{ now, was []Slot }{
		{[]Slot{zero}, []Slot{zero}},
		{[]Slot{zero, one, x}, []Slot{zero}},
		{[]Slot{zero, x}, []Slot{one}},
	} {
		if items, err := back(Item{}, c.now, c.was); !errors.Is(err, ErrNoBack) {
			t.Errorf("refused %d: %v, %v", i, items, err)
		}
	}
}
