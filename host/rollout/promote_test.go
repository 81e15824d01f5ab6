package rollout

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// watched is a change with a shadow, a canary and a watch that nothing ends but a word.
func watched() Request {
	q := swap("1", "rules@2.0.0")
	q.Shadow.For = time.Hour
	q.Canary.Steps = []CanaryStep{{5, time.Hour}, {50, time.Hour}}
	q.Watch = time.Hour
	return q
}

// word is of somebody about change 1.
type word struct {
	t *testing.T
	m *Machine
}

func (w word) promotes(from State) {
	w.t.Helper()
	if _, err := w.m.Promote("1", from, "bob"); err != nil {
		w.t.Errorf("from %q: %v", from, err)
	}
}

func (w word) isRefused(from State, why error, says string) {
	w.t.Helper()
	_, err := w.m.Promote("1", from, "bob")
	if !errors.Is(err, why) || !strings.Contains(err.Error(), says) {
		w.t.Errorf("from %q: %v", from, err)
	}
}

// TestPromoteTwiceIsPromoteOnce: the second word does not end the watch, whatever state it names
// that the first was about; and what names another state is refused.
func TestPromoteTwiceIsPromoteOnce(t *testing.T) {
	for _, from := range []State{"", Shadowing} {
		w := newWorld(t)
		m, _ := w.open(Default())
		bob := word{t, m}
		held(t, w, m, watched())
		events := m.Subscribe(0)
		bob.isRefused(Canary, ErrElsewhere, "1 is shadow, not canary")
		bob.isRefused(Draining, ErrElsewhere, "1 is shadow, not draining")
		bob.promotes(from)
		bob.promotes(from)
		for e := (Event{}); e.State != Draining; {
			var err error
			if e, err = events.Next(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		bob.promotes(from)
		bob.promotes("")
		bob.isRefused(Canary, ErrElsewhere, "1 is draining, not canary")
		if c, err := m.Change("1"); err != nil || c.State != Draining {
			t.Fatalf("the watch is over: %+v, %v", c, err)
		}
		bob.promotes(Draining)
		bob.promotes(Draining)
		c, err := m.Wait(t.Context(), "1")
		if err != nil || c.State != Done || c.Why != "bob did not wait" {
			t.Errorf("%+v, %v", c, err)
		}
		for range 2 {
			bob.promotes(from)
			bob.promotes("")
			bob.promotes(Draining)
			bob.isRefused(Canary, ErrEnded, "1 is done") // what was never said
			bob.m, _ = w.next().open(Default())
		}
	}
}

// TestASecondWordBeforeTheCommitDoesNothing: a change that waits for nothing may be elsewhere by
// then, and somebody else names where.
func TestASecondWordBeforeTheCommitDoesNothing(t *testing.T) {
	w := newWorld(t)
	w.reaches = true
	var m *Machine
	w.at = func(_ context.Context, s State) error {
		switch s {
		case Compiled:
			word{t, m}.promotes("")
		case Checked:
			word{t, m}.promotes(Checked)
		}
		return nil
	}
	m, _ = w.open(Default())
	q := watched()
	q.Watch = 0
	c := submit(t, m, q)
	if c.State != Done || len(c.Promoted) != 1 || c.Promoted[0] != Compiled {
		t.Errorf("%+v", c)
	}
}

// TestAPromotedShadowComparesNothing: who does not wait for it gets no share out of it, and the
// refusal says that nobody waited.
func TestAPromotedShadowComparesNothing(t *testing.T) {
	for _, at := range []State{Compiled, Shadowing} {
		w := newWorld(t)
		w.reaches = true
		var m *Machine
		w.at = func(_ context.Context, s State) error {
			if s == at {
				word{t, m}.promotes("")
			}
			return nil
		}
		w.comparing = func() Comparison {
			if at == Shadowing {
				word{t, m}.promotes("")
			}
			return Comparison{}
		}
		m, _ = w.open(Default())
		q := swap("1", "rules@2.0.0")
		q.Shadow.For, q.Shadow.MatchMin = time.Hour, 0.9
		c := submit(t, m, q)
		if c.State != Refused || c.Of != string(Shadowing) ||
			!strings.Contains(c.Why, "it was promoted before anything was compared") {
			t.Errorf("at %s: %+v", at, c)
		}
		if at == Compiled && len(w.plans[0].shadows) > 0 {
			t.Errorf("a shadow all the same: %v", w.plans[0].shadows)
		}
	}
}

// TestAWatchIsNotEndedByTheWay: who names no state means what is before the commit.
func TestAWatchIsNotEndedByTheWay(t *testing.T) {
	w := newWorld(t)
	m, _ := w.open(Default())
	q := swap("1", "rules@2.0.0")
	q.Watch = time.Hour
	held(t, w, m, q)
	if _, err := m.Promote("1", "", "bob"); !errors.Is(err, ErrElsewhere) {
		t.Error(err)
	}
	if _, err := m.Promote("2", "", "bob"); !errors.Is(err, ErrUnknown) ||
		!strings.Contains(err.Error(), "(2): see hpmq-cli change list") {
		t.Error(err)
	}
}
