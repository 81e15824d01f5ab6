package rollout

import (
	"errors"
	"reflect"
	"slices"
	"strings"
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

// before is what a start would go back to as router of listener a: a source, "config" or an error.
func before(m *Machine) string {
	chain, err := m.Before("a", "router")
	switch {
	case err != nil:
		return err.Error()
	case chain == nil:
		return "config"
	}
	return chain[0].Pinned.Source
}

// undoRouter is the tables' own rollback of the router of a.
func undoRouter(t *testing.T, m *Machine) {
	t.Helper()
	if err := m.Undo("a", "router", "bob", func() error { return nil }); err != nil {
		t.Fatal(err)
	}
}

// backRouter is the same as a change, as after a restart.
func backRouter(t *testing.T, m *Machine, id string) {
	t.Helper()
	items, err := m.Back("a", "router")
	if err != nil {
		t.Fatal(err)
	}
	q := Request{ID: id, Items: items, Undo: true, By: "bob"}
	if c := submit(t, m, q); c.State != Done {
		t.Fatalf("%+v", c)
	}
}

// TestAStartGoesBackOnly: not to what somebody went away from, whether by the tables' own rollback
// or by a change, nor to what is in quarantine; but there again once it is what was before.
func TestAStartGoesBackOnly(t *testing.T) {
	w := newWorld(t)
	m, _ := w.open(Default())
	none := ErrNoBack.Error()
	at := func(want string) {
		t.Helper()
		if got := before(m); got != want {
			t.Errorf("a start goes to %q, want %q", got, want)
		}
		if again, _ := w.next().open(Default()); before(again) != want {
			t.Errorf("a start goes to %q after a restart, want %q", before(again), want)
		}
	}
	at(none)
	submit(t, m, swap("1", "rules@1.0.0"))
	at("config")
	submit(t, m, swap("2", "rules@2.0.0"))
	at("rules@1.0.0")
	undoRouter(t, m) // 1 is linked
	at(none)
	undoRouter(t, m) // 2 is
	at("rules@1.0.0")
	backRouter(t, m, "3")
	at(none)
	backRouter(t, m, "4")
	at("rules@1.0.0")
	backRouter(t, m, "5")
	submit(t, m, Request{ID: "6", Items: []Item{
		{Listener: "a", Role: "transformer", Source: "x@1.0.0"}}})
	at(none) // another role changes nothing about it
	submit(t, m, swap("7", "rules@3.0.0"))
	at("rules@1.0.0")
	w.health = func(*plan) Health {
		n := uint64(w.Now().Unix())
		return Health{Candidate: Side{Calls: n, Faults: Faults{Fuel: n}}}
	}
	bad := steps(swap("8", "rules@1.0.0"), 5)
	bad.Items[0].Listener, bad.Force = "b", true
	if c := submit(t, m, bad); c.State != RolledBack {
		t.Fatalf("%+v", c)
	}
	if got := before(m); !strings.Contains(got, "sha256:rules@1.0.0, is in quarantine since") {
		t.Errorf("what is in quarantine: %s", got)
	}
}

// TestARetreatIsOfSomeRoles: the others stay, with their way back.
func TestARetreatIsOfSomeRoles(t *testing.T) {
	w := newWorld(t)
	m, _ := w.open(Default())
	both := swap("1", "rules@1.0.0")
	both.Items = append(both.Items, Item{Listener: "a", Role: "transformer", Source: "x@1.0.0"})
	submit(t, m, both)
	submit(t, m, swap("2", "rules@2.0.0"))
	now := m.Linked()[0]
	chain, err := m.Before("a", "router")
	if err != nil {
		t.Fatal(err)
	}
	now = now.with(now.Chains)
	now.Chains["router"] = chain
	if err := m.Retreat(now, []string{"router"}, "it is gone"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if routerOf(m) != "rules@1.0.0" || len(m.Linked()[0].Chains["transformer"]) != 2 {
			t.Errorf("linked %+v", m.Linked())
		}
		if _, err := m.Back("a", "router"); !errors.Is(err, ErrNoBack) {
			t.Errorf("what could not be linked comes back: %v", err)
		}
		if items, err := m.Back("a", "transformer"); err != nil || len(items) != 1 {
			t.Errorf("the other role: %v, %v", items, err)
		}
		w = w.next()
		m, _ = w.open(Default())
	}
}

// TestAChangeThatIsDoneGoesBackPlaceByPlace, as who wants it rolled back is told; who cancels does
// not want that.
func TestAChangeThatIsDoneGoesBackPlaceByPlace(t *testing.T) {
	w := newWorld(t)
	m, _ := w.open(Default())
	submit(t, m, swap("1", "rules@2.0.0"))
	_, err := m.Rollback(t.Context(), "1", "bob")
	if !errors.Is(err, ErrEnded) ||
		!strings.Contains(err.Error(), ": hpmq-cli link rollback --listener a --role router; or ") {
		t.Errorf("after the end: %v", err)
	}
	if _, err = m.Cancel(t.Context(), "1", "bob"); strings.Contains(err.Error(), "hpmq-cli") {
		t.Error(err)
	}
}

// TestAnUndoIsNotedWithItsChange, the last that is done at that role of the listener, also after a
// restart; who undoes it again goes forth, and the note goes.
func TestAnUndoIsNotedWithItsChange(t *testing.T) {
	w := newWorld(t)
	m, _ := w.open(Default())
	submit(t, m, swap("1", "rules@1.0.0"))
	submit(t, m, swap("2", "rules@2.0.0"))
	submit(t, m, Request{ID: "t",
		Items: []Item{{Listener: "a", Role: "transformer", Source: "x"}}})
	for _, undone := range []bool{true, false, true, false} {
		undoRouter(t, m)
		w = w.next()
		m, _ = w.open(Default())
		for _, c := range m.Changes() {
			want := undone && c.ID == "2"
			if got := c.isUndone("a", "router"); got != want || got != (len(c.Undone) == 1) ||
				got && (c.State != Done || c.Undone[0].By != "bob") {
				t.Errorf("%+v, want it undone: %v", c, want)
			}
		}
		_, err := m.Rollback(t.Context(), "2", "bob")
		if strings.Contains(err.Error(), "hpmq-cli link rollback") == undone {
			t.Errorf("undone %v: %v", undone, err)
		}
	}
}

// TestARollbackIsAdvisedForWhatIsLinked alone: it would bring forth anything else. An undo that is
// a change, as after a restart, is noted as any other.
func TestARollbackIsAdvisedForWhatIsLinked(t *testing.T) {
	w := newWorld(t)
	m, _ := w.open(Default())
	const byCommand = "hpmq-cli link rollback --listener a --role router"
	want := func(says map[string]string) {
		t.Helper()
		for range 2 {
			for id, want := range says {
				_, err := m.Rollback(t.Context(), id, "bob")
				if !errors.Is(err, ErrEnded) || !strings.Contains(err.Error(), want) ||
					strings.Contains(err.Error(), byCommand) != (want == byCommand) {
					t.Errorf("%s: want %q: %v", id, want, err)
				}
			}
			w = w.next()
			m, _ = w.open(Default())
		}
	}
	const since = "the router of listener a was brought back since"
	submit(t, m, swap("1", "rules@1.0.0"))
	submit(t, m, swap("2", "rules@2.0.0"))
	want(map[string]string{"1": "was changed since by 2", "2": byCommand})
	backRouter(t, m, "3")
	want(map[string]string{"1": "was changed since by 2", "2": since, "3": byCommand})
	if c, _ := m.Change("2"); len(c.Undone) != 1 || c.Undone[0].By != "bob" {
		t.Errorf("an undo that is a change is not noted: %+v", c)
	}
	undoRouter(t, m)
	want(map[string]string{"2": byCommand, "3": since})
	backRouter(t, m, "4")
	want(map[string]string{"2": since, "3": byCommand, "4": byCommand})
	submit(t, m, swap("5", "rules@5.0.0"))
	want(map[string]string{"2": "was changed since by 5", "4": "was changed since by 5",
		"5": byCommand})
	if err := m.Drop("a", "", "somebody wrote it"); err != nil {
		t.Fatal(err)
	}
	want(map[string]string{"5": "has no way back that is known"})
}
