package rollout

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestAChangeGoesThroughAllStates(t *testing.T) {
	for _, reaches := range []bool{false, true} {
		w := newWorld(t)
		w.reaches = reaches
		w.configs["rules@2.0.0"] = json.RawMessage(`{"filled":true}`)
		m, _ := w.open(Default())
		began := w.Now()
		c := submit(t, m, full("1", "rules@2.0.0"))
		want := "requested → fetched → verified → compiled → checked → warmed → tested → " +
			"shadow → canary → canary → committed → draining → done"
		if got := states(c); got != want || c.State != Done || c.Took != time.Millisecond {
			t.Fatalf("states\n%s\nwant\n%s", got, want)
		}
		p := w.plans[0]
		if did := p.done(); did != strings.Repeat("canary ", 14)+"commit release" {
			t.Errorf("the plan saw %s", did)
		}
		// The first step begins with few; as nobody asks the second goes on so.
		if s := p.percents(); len(s) != 14 || s[0] != easeFrom || s[9] != 5 || s[10] != 10 ||
			s[13] != 50 {
			t.Errorf("selected %v", s)
		}
		if len(p.shadows) != 2 || p.shadows[0] != 1 || p.shadows[1] != 0 {
			t.Errorf("shadows %v", p.shadows)
		}
		if took := w.Now().Sub(began); took != 7*time.Second {
			t.Errorf("it took %s; the dwell times are 4 s, and nobody asks in 3 s of it", took)
		}
		l := m.Linked()
		if len(l) != 1 || l[0].Base != "hash-a" || l[0].Change != "1" {
			t.Fatalf("linked %+v", l)
		}
		pin := l[0].Chains["router"][0].Pinned
		if pin.Source != "rules@2.0.0" || pin.Digest != "sha256:rules@2.0.0" ||
			string(pin.Config) != `{"filled":true}` || len(pin.Grants) != 1 {
			t.Errorf("pinned %+v", pin)
		}
	}
}

func TestASwapWithoutTrialGoesStraight(t *testing.T) {
	w := newWorld(t)
	m, _ := w.open(Default())
	c := submit(t, m, swap("1", "rules@2.0.0"))
	want := "requested → fetched → verified → compiled → checked → warmed → tested → committed → " +
		"draining → done"
	if got := states(c); got != want {
		t.Fatalf("states %s", got)
	}
}

func TestTheSameIDIsTheSameChange(t *testing.T) {
	w := newWorld(t)
	m, _ := w.open(Default())
	submit(t, m, swap("1", "rules@2.0.0"))
	q := swap("1", "rules@2.0.0")
	q.By, q.Reason = "bob", "again"
	c, err := m.Submit(q)
	if err != nil || c.State != Done || c.By != "ann" || len(w.plans) != 1 {
		t.Errorf("asked again: %+v, %v, %d plans", c, err, len(w.plans))
	}
	if _, err := m.Submit(swap("1", "rules@3.0.0")); !errors.Is(err, ErrContent) {
		t.Errorf("another content: %v", err)
	}
	n := w.next()
	m, _ = n.open(Default())
	if c, err := m.Submit(q); err != nil || c.State != Done || len(n.plans) != 0 {
		t.Errorf("asked again after a restart: %+v, %v", c, err)
	}
}

// held stops the change in its first canary step until the test ends it.
func held(t *testing.T, w *world, m *Machine, q Request) {
	t.Helper()
	reached := make(chan struct{})
	w.mu.Lock()
	w.stuck = func() bool {
		select {
		case <-reached:
		default:
			close(reached)
		}
		return true
	}
	w.mu.Unlock()
	if _, err := m.Submit(q); err != nil {
		t.Fatal(err)
	}
	<-reached
}

func TestOneChangeAtATimePerListener(t *testing.T) {
	w := newWorld(t)
	m, _ := w.open(Default())
	q := swap("1", "rules@2.0.0")
	q.Canary.Steps = []CanaryStep{{5, time.Minute}}
	held(t, w, m, q)
	both := Request{ID: "2", Items: []Item{
		{Listener: "b", Role: "router", Source: "x@1.0.0"},
		{Listener: "a", Role: "transformer", Source: "x@1.0.0"},
	}}
	_, err := m.Submit(both)
	var busy *BusyError
	if !errors.As(err, &busy) || busy.Change != "1" || busy.Listener != "a" ||
		!errors.Is(err, ErrBusy) {
		t.Fatalf("a listener at work: %v", err)
	}
	other := both
	other.ID, other.Items = "3", both.Items[:1]
	if c := submit(t, m, other); c.State != Done {
		t.Errorf("another listener: %+v", c)
	}
	if _, err := m.Cancel(t.Context(), "1", "bob"); err != nil {
		t.Fatal(err)
	}
	if c := submit(t, m, both); c.State != Done {
		t.Errorf("after it ended: %+v", c)
	}
}

func TestCancelInEveryState(t *testing.T) {
	for _, s := range []State{Requested, Fetched, Verified, Compiled, Checked, Warmed} {
		t.Run(string(s), func(t *testing.T) {
			w := newWorld(t)
			w.reaches = true
			m, _ := w.open(Default())
			ended := make(chan error, 1)
			w.at = func(ctx context.Context, at State) error {
				if at != s {
					return nil
				}
				go func() {
					_, err := m.Cancel(context.Background(), "1", "bob")
					ended <- err
				}()
				<-ctx.Done()
				return ctx.Err()
			}
			c := submit(t, m, full("1", "rules@2.0.0"))
			if err := <-ended; err != nil {
				t.Error(err)
			}
			if c.State != Cancelled || c.EndedBy != "bob" || routerOf(m) != "config" {
				t.Errorf("%+v", c)
			}
			if got := c.Marks[len(c.Marks)-2].State; got != s {
				t.Errorf("cancelled in %s", got)
			}
		})
	}
	for _, s := range []State{Shadowing, Canary} {
		t.Run(string(s), func(t *testing.T) {
			w := newWorld(t)
			m, _ := w.open(Default())
			q := full("1", "rules@2.0.0")
			if s == Canary {
				q.Shadow = ShadowPlan{}
			}
			held(t, w, m, q)
			c, err := m.Cancel(t.Context(), "1", "bob")
			if err != nil || c.State != Cancelled || c.Marks[len(c.Marks)-2].State != s {
				t.Errorf("%+v, %v", c, err)
			}
			if did := w.plans[0].done(); !strings.HasSuffix(did, "abort") {
				t.Errorf("the plan saw %s", did)
			}
			if _, err := m.Cancel(t.Context(), "1", "bob"); err != nil {
				t.Errorf("cancelled again: %v", err)
			}
		})
	}
}

// TestCancelAgainstCommit lets both come at once: one of them wins, and both say so.
func TestCancelAgainstCommit(t *testing.T) {
	for range 50 {
		w := newWorld(t)
		m, _ := w.open(Default())
		ended := make(chan error, 1)
		w.wrote = func(s State) {
			if s == Tested {
				go func() {
					_, err := m.Cancel(context.Background(), "1", "bob")
					ended <- err
				}()
			}
		}
		c := submit(t, m, swap("1", "rules@2.0.0"))
		err := <-ended
		won := err == nil
		if won != (c.State == Cancelled) || won != (routerOf(m) == "config") {
			t.Fatalf("cancel says %v, the change is %s, linked is %s", err, c.State, routerOf(m))
		}
		if !won && !errors.Is(err, ErrCommitted) && !errors.Is(err, ErrEnded) {
			t.Fatal(err)
		}
	}
}

// TestADecisionLooksForACancel that came after the last step.
func TestADecisionLooksForACancel(t *testing.T) {
	w := newWorld(t)
	m, _ := w.open(Default())
	q := swap("1", "rules@2.0.0")
	q.Canary.Steps = []CanaryStep{{5, time.Minute}}
	held(t, w, m, q)
	m.write.Lock()
	at := m.works["1"]
	err := at.stop(&ending{state: Cancelled})
	m.write.Unlock()
	if end := at.decide(); err != nil || end == nil || end.state != Cancelled {
		t.Errorf("%v, decided %+v", err, end)
	}
}

func TestRollbackWhileTheOldVersionIsWarm(t *testing.T) {
	w := newWorld(t)
	m, _ := w.open(Default())
	submit(t, m, swap("1", "rules@2.0.0"))
	if _, err := m.Rollback(t.Context(), "1", "bob"); !errors.Is(err, ErrEnded) {
		t.Errorf("after the end: %v", err)
	}
	q := swap("2", "rules@3.0.0")
	q.Watch = time.Minute
	held(t, w, m, q)
	if routerOf(m) != "rules@3.0.0" {
		t.Fatalf("linked is %s", routerOf(m))
	}
	if _, err := m.Cancel(t.Context(), "2", "bob"); !errors.Is(err, ErrCommitted) {
		t.Errorf("cancel: %v", err)
	}
	c, err := m.Rollback(t.Context(), "2", "bob")
	if err != nil || c.State != RolledBack || c.EndedBy != "bob" ||
		routerOf(m) != "rules@2.0.0" {
		t.Errorf("%+v, %v, linked is %s", c, err, routerOf(m))
	}
	if did := w.plans[1].done(); did != "commit revert" {
		t.Errorf("the plan saw %s", did)
	}
	if len(m.Quarantine()) != 0 {
		t.Error("a person who goes back is no verdict on a digest")
	}
}

func TestARollbackThatFailsSaysSo(t *testing.T) {
	w := newWorld(t)
	w.revertErr = errors.New("something else was linked")
	m, _ := w.open(Default())
	q := swap("1", "rules@2.0.0")
	q.Watch = time.Minute
	held(t, w, m, q)
	c, err := m.Rollback(t.Context(), "1", "bob")
	if !errors.Is(err, ErrEnded) || c.State != Done ||
		!strings.Contains(c.Why, "something else was linked") ||
		routerOf(m) != "rules@2.0.0" || w.plans[0].done() != "commit release" {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestAListenerThatGoesEndsTheChange(t *testing.T) {
	w := newWorld(t)
	m, _ := w.open(Default())
	q := swap("1", "rules@2.0.0")
	q.Canary.Steps = []CanaryStep{{5, time.Minute}}
	held(t, w, m, q)
	close(w.plans[0].gone)
	c, err := m.Wait(t.Context(), "1")
	if err != nil || c.State != RolledBack || !strings.Contains(c.Why, "removed") {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestACommitThatFailsLeavesTheOldVersion(t *testing.T) {
	w := newWorld(t)
	w.commitErr = errors.New("gone")
	m, _ := w.open(Default())
	c := submit(t, m, swap("1", "rules@2.0.0"))
	if c.State != RolledBack || routerOf(m) != "config" || w.plans[0].done() != "abort" {
		t.Errorf("%+v, linked %s, plan %s", c, routerOf(m), w.plans[0].done())
	}
}

func TestStopEndsWhatIsAtWork(t *testing.T) {
	for _, committed := range []bool{false, true} {
		w := newWorld(t)
		m, _ := w.open(Default())
		q := swap("1", "rules@2.0.0")
		if q.Watch = time.Minute; !committed {
			q.Canary.Steps = []CanaryStep{{5, time.Minute}}
		}
		held(t, w, m, q)
		m.Close()
		c, err := m.Change("1")
		want, linked := RolledBack, "config"
		if committed {
			want, linked = Done, "rules@2.0.0"
		}
		if err != nil || c.State != want || routerOf(m) != linked || c.Stopped == committed {
			t.Errorf("committed %v: %+v, %v, linked %s", committed, c, err, routerOf(m))
		}
		if _, err := m.Submit(swap("2", "x@1.0.0")); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	}
}

func TestRefusalsNameTheStep(t *testing.T) {
	w := newWorld(t)
	m, _ := w.open(Default())
	n := 0
	for _, tc := range []struct {
		at  State
		err error
		of  string
	}{
		{Requested, errors.New("no such bundle"), "fetched"},
		{Fetched, errors.New("no key vouches for it"), "verified"},
		{Verified, &Refusal{Step: "imports", Err: errors.New("wants kv")}, "imports"},
		{Verified, errors.New("trap"), "prepare"},
		{Warmed, errors.New("case 3 failed"), "tested"},
	} {
		w.at = func(_ context.Context, s State) error {
			if s == tc.at {
				return tc.err
			}
			return nil
		}
		n++
		c := submit(t, m, full(string(rune('0'+n)), "rules@2.0.0"))
		if c.State != Refused || c.Of != tc.of || c.Why != tc.err.Error() ||
			routerOf(m) != "config" {
			t.Errorf("%s: %+v", tc.of, c)
		}
	}
	w.at = nil
	q := swap("p", "rules@2.0.0")
	q.Items[0].Position = 2
	if c := submit(t, m, q); c.State != Refused || c.Of != "request" {
		t.Errorf("a place that is not there: %+v", c)
	}
	q = full("s", "rules@2.0.0")
	q.Shadow.MatchMin = 0.99
	w.compared = Comparison{Asked: 100, Matched: 98}
	if c := submit(t, m, q); c.State != Refused || c.Of != "shadow" {
		t.Errorf("a shadow that differs: %+v", c)
	}
	for _, p := range w.plans {
		if !strings.HasSuffix(p.done(), "abort") {
			t.Errorf("a plan saw %q", p.done())
		}
	}
}

func TestRequestsThatMakeNoSense(t *testing.T) {
	w := newWorld(t)
	m, _ := w.open(Default())
	item := swap("", "x").Items[0]
	both, none, broken, large := item, item, item, item
	both.Remove, none.Source = true, ""
	broken.Config = json.RawMessage("{")
	large.Source = strings.Repeat("x", 1<<20)
	of := func(items ...Item) Request { return Request{ID: "1", Items: items} }
	canary := func(steps ...CanaryStep) Request {
		return Request{ID: "1", Items: []Item{item}, Canary: CanaryPlan{Steps: steps}}
	}
	for name, q := range map[string]Request{
		"no id":    swap("", "x"),
		"long id":  swap(strings.Repeat("x", idBytesMax+1), "x"),
		"no items": of(),
		"twice":    of(item, item),
		"out and in": of(item,
			Item{Listener: "a", Role: "router", Position: 1, Remove: true}),
		"no source":   of(none),
		"both":        of(both),
		"bad config":  of(broken),
		"much source": of(large),
		"falling":     canary(CanaryStep{5, 1}, CanaryStep{5, 1}),
		"no dwell":    canary(CanaryStep{5, 0}),
		"above all":   canary(CanaryStep{101, 1}),
		"nobody":      canary(CanaryStep{0, 1}),
		"share":       {ID: "1", Items: []Item{item}, Thresholds: Thresholds{Faults: 2}},
		"watch":       {ID: "1", Items: []Item{item}, Watch: -1},
		"sample":      {ID: "1", Items: []Item{item}, Shadow: ShadowPlan{Sample: 7}},
	} {
		if _, err := m.Submit(q); !errors.Is(err, ErrRequest) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(m.Changes()) != 0 {
		t.Error("something of it is kept")
	}
}

func TestOlderVersionsNeedForce(t *testing.T) {
	w := newWorld(t)
	m, _ := w.open(Default())
	submit(t, m, swap("1", "rules@2.0.0"))
	c := submit(t, m, swap("2", "rules@1.9.9"))
	if c.State != Refused || c.Of != "version" || c.Places[0].Old.Version != "2.0.0" {
		t.Errorf("older: %+v", c)
	}
	if c := submit(t, m, swap("3", "other@1.0.0")); c.State != Done {
		t.Errorf("another component: %+v", c)
	}
	submit(t, m, swap("4", "rules@2.0.0"))
	q := swap("5", "rules@1.9.9")
	q.Force = true
	if c := submit(t, m, q); c.State != Done || !c.Force {
		t.Errorf("with force: %+v", c)
	}
}

// TestOlderBundlesNeedForce, whatever their components say of themselves.
func TestOlderBundlesNeedForce(t *testing.T) {
	w := newWorld(t)
	w.version = "0.0.1"
	m, _ := w.open(Default())
	submit(t, m, swap("1", "rules@2.0.0"))
	if c := submit(t, m, swap("2", "rules@1.9.9")); c.State != Refused || c.Of != "version" {
		t.Errorf("older: %+v", c)
	}
}

func TestPromoteDoesNotWait(t *testing.T) {
	w := newWorld(t)
	w.health = busy()
	m, _ := w.open(Default())
	q := swap("1", "rules@2.0.0")
	q.Canary.Steps = []CanaryStep{{5, time.Minute}, {50, time.Minute}}
	q.Watch = time.Minute
	held(t, w, m, q)
	w.mu.Lock()
	w.stuck = nil
	w.mu.Unlock()
	began := w.Now()
	if _, err := m.Promote("1", "", "bob"); err != nil {
		t.Fatal(err)
	}
	c, err := m.Wait(t.Context(), "1")
	if err != nil || c.State != Done || strings.Count(states(c), "canary") != 1 {
		t.Fatalf("%s, %v", states(c), err)
	}
	if took := w.Now().Sub(began); took != time.Minute {
		t.Errorf("it took %s, and the watch is a minute", took)
	}
	q = swap("2", "rules@3.0.0")
	q.Watch = time.Hour
	held(t, w, m, q)
	if _, err := m.Promote("2", Draining, "bob"); err != nil {
		t.Fatal(err)
	}
	if c, err := m.Wait(t.Context(), "2"); err != nil || c.State != Done {
		t.Errorf("a watch: %s, %v", c.State, err)
	}
	if k := c.Marks[len(c.Marks)-3]; k.State != Committed || k.Why != "bob did not wait" {
		t.Errorf("%+v", k)
	}
	if _, err := m.Promote("1", Draining, "bob"); !errors.Is(err, ErrEnded) {
		t.Errorf("after the end: %v", err)
	}
}

func TestALedgerOfAnotherVersionIsNotRead(t *testing.T) {
	w := newWorld(t)
	w.kept = [][]byte{[]byte(`{"v":2,"seq":1}`)}
	if _, _, err := Open(Default(), w.ports()); !errors.Is(err, ErrVersion) {
		t.Errorf("version 2: %v", err)
	}
	w.kept = [][]byte{[]byte(`{"v":1,`), []byte(`{"v":1,"seq":1,"change":"x","state":"done"}`)}
	if _, rep := w.open(Default()); len(rep.Strange) != 2 {
		t.Errorf("what makes no sense: %+v", rep)
	}
}

func TestTooManyAtWork(t *testing.T) {
	w := newWorld(t)
	cfg := Default()
	cfg.AtWorkMax = 1
	m, _ := w.open(cfg)
	q := swap("1", "rules@2.0.0")
	q.Watch = time.Minute
	held(t, w, m, q)
	q = swap("2", "x@1.0.0")
	q.Items[0].Listener = "b"
	if _, err := m.Submit(q); !errors.Is(err, ErrTooMany) {
		t.Error(err)
	}
}
