package rollout

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// configured asks for a configuration of two listeners, of which one has another link.
func configured(beside func(context.Context) error) Request {
	return Request{ID: "config", By: "configuration", Force: true, Beside: beside,
		Config: map[string]string{"a": "hash-new", "b": "hash-b"},
		Items: []Item{
			{Listener: "a", Role: "router", Source: "rules@3.0.0", Whole: true},
			{Listener: "a", Role: "transformer", Position: 0, Source: "json@1.0.0", Whole: true},
			{Listener: "a", Role: "transformer", Position: 1, Remove: true, Whole: true},
		}}
}

// changedBoth is a machine with changes over the configuration at both listeners.
func changedBoth(t *testing.T) (*world, *Machine) {
	w := newWorld(t)
	m, _ := w.open(Default())
	both := swap("1", "rules@2.0.0")
	both.Items = append(both.Items, Item{Listener: "b", Role: "router", Source: "rules@2.0.0"})
	submit(t, m, both)
	return w, m
}

func listenersOf(m *Machine) string {
	var list []string
	for _, l := range m.Linked() {
		list = append(list, l.Listener)
	}
	return strings.Join(list, " ")
}

// TestAConfigurationWinsWhereItIsAnother: from the commit on, and not before. What a crash leaves
// says what the next start does: it goes by its configuration.
func TestAConfigurationWinsWhereItIsAnother(t *testing.T) {
	w, m := changedBoth(t)
	c := submit(t, m, configured(func(context.Context) error {
		died, rep := w.next().open(Default())
		if len(rep.Resumed) != 1 || rep.Resumed[0].State != RolledBack ||
			!strings.Contains(rep.Resumed[0].Why, "the configuration that it starts with") {
			t.Errorf("resumed %+v", rep.Resumed)
		}
		if got := listenersOf(died); got != "a b" {
			t.Errorf("linked to %s before the commit", got)
		}
		return nil
	}))
	if c.State != Done || !c.Config || listenersOf(m) != "b" {
		t.Errorf("%s: %s; linked to %s", c.State, c.Why, listenersOf(m))
	}
	if again, _ := w.next().open(Default()); listenersOf(again) != "b" {
		t.Errorf("after a restart linked to %s", listenersOf(again))
	}
}

// TestAnUndoOfAConfigurationLastsUntilARestart: it is told as such, and noted until then.
func TestAnUndoOfAConfigurationLastsUntilARestart(t *testing.T) {
	w, m := changedBoth(t)
	submit(t, m, configured(nil))
	_, err := m.Rollback(t.Context(), "config", "bob")
	for _, says := range []string{"; the configuration names what it linked: ",
		"hpmq-cli link rollback --listener a --role router"} {
		if !errors.Is(err, ErrEnded) || !strings.Contains(err.Error(), says) {
			t.Errorf("%v", err)
		}
	}
	if m.Lasts("a", "router") || !m.Lasts("b", "router") {
		t.Error("what was linked by the configuration has no way back that lasts, the other has")
	}
	last := m.SubscribeNow()
	if err := m.Undo("a", "router", "bob", func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	e, err := last.Next(t.Context())
	if err != nil || e.By != "bob" || !strings.Contains(e.Why, "until a restart or a reload") {
		t.Errorf("%+v, %v", e, err)
	}
	if c, _ := m.Change("config"); !c.isUndone("a", "router") || c.isUndone("a", "transformer") {
		t.Errorf("%+v", c.Undone)
	}
	if got := listenersOf(m); got != "b" {
		t.Errorf("linked to %s", got)
	}
	again, _ := w.next().open(Default())
	if c, _ := again.Change("config"); len(c.Undone) > 0 {
		t.Errorf("after a restart: %+v", c.Undone)
	}
}

// TestAConfigurationForgetsTheWayBackOfWhatItChanges: of those roles, and of all where the link
// that changes were made over is another. A role that it leaves alone goes back as before.
func TestAConfigurationForgetsTheWayBackOfWhatItChanges(t *testing.T) {
	w, m := changedBoth(t)
	submit(t, m, Request{ID: "2", Items: []Item{
		{Listener: "b", Role: "transformer", Source: "json@1.0.0"}}})
	q := configured(nil)
	q.Items = append(q.Items,
		Item{Listener: "b", Role: "transformer", Remove: true, Whole: true})
	w.bases["a"] = Base{Hash: "hash-new", Chains: map[string]int{"router": 1}}
	if c := submit(t, m, q); c.State != Done {
		t.Fatalf("%+v", c)
	}
	for range 2 { // by its records, then by what they were compacted to
		for _, at := range []struct{ listener, role string }{
			{"a", "router"}, {"b", "transformer"},
		} {
			if _, err := m.Back(at.listener, at.role); !errors.Is(err, ErrNoBack) {
				t.Errorf("%s of %s: %v", at.role, at.listener, err)
			}
		}
		if items, err := m.Back("b", "router"); err != nil || len(items) != 1 {
			t.Errorf("what it left alone: %v, %v", items, err)
		}
		bases := w.bases
		w = w.next()
		w.bases = bases
		m, _ = w.open(Default())
	}
}

// TestWhatIsBesideIsPartOfIt: its error refuses, and there is no way back once it is committed.
func TestWhatIsBesideIsPartOfIt(t *testing.T) {
	_, m := changedBoth(t)
	c := submit(t, m, configured(func(context.Context) error { return errors.New("in use") }))
	if c.State != Refused || c.Of != "listeners" || listenersOf(m) != "a b" {
		t.Errorf("%s at %s: %s; linked to %s", c.State, c.Of, c.Why, listenersOf(m))
	}
	if err := (&work{q: configured(nil), committed: true}).stop(
		&ending{state: RolledBack}); !errors.Is(err, ErrConfig) {
		t.Error(err)
	}
}

func TestWhatPassedItsTestsIsRemembered(t *testing.T) {
	w := newWorld(t)
	cfg := Default()
	cfg.TestedMax = 2
	m, _ := w.open(cfg)
	for _, name := range []string{"x", "y", "y", "z"} {
		if err := m.Passed(name); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // by its records, then by what they were compacted to
		if m.Tested("x") || !m.Tested("y") || !m.Tested("z") {
			t.Error("it remembers other than the last two")
		}
		w = w.next()
		m, _ = w.open(cfg)
	}
}

// TestWhatWasDealtWithStaysWhileItIsNotedAgain: what passed its tests does not push it out, and
// noted again it is the newest.
func TestWhatWasDealtWithStaysWhileItIsNotedAgain(t *testing.T) {
	w := newWorld(t)
	cfg := Default()
	cfg.TestedMax, cfg.DealtMax = 1, 4
	m, _ := w.open(cfg)
	dealt := func(names ...string) {
		t.Helper()
		for _, name := range names {
			if err := m.Dealt(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	dealt("x", "y", "z")
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		if err := m.Passed(name); err != nil {
			t.Fatal(err)
		}
	}
	seq := m.book.seq
	if dealt("y", "z"); m.book.seq != seq {
		t.Error("what is of the newer half is written again")
	}
	dealt("x", "1", "x", "2")
	for range 2 { // by its records, then by what they were compacted to
		if !m.WasDealt("x") || m.WasDealt("y") || !m.WasDealt("z") || m.Tested("x") ||
			m.WasDealt("e") || !m.Tested("e") {
			t.Errorf("%v were dealt with", m.book.dealt)
		}
		w = w.next()
		m, _ = w.open(cfg)
	}
}
