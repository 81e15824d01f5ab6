package rollout

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// A scenario is a life of a machine with one change at work, over one that is done.
type scenario struct {
	name string
	run  func(t *testing.T, w *world, m *Machine)
	ends State // without a crash
}

func scenarios() []scenario {
	go1 := func(q func() Request) func(*testing.T, *world, *Machine) {
		return func(_ *testing.T, _ *world, m *Machine) {
			if _, err := m.Submit(q()); err == nil {
				_, _ = m.Wait(context.Background(), "2")
			}
		}
	}
	next := func() Request { return full("2", "rules@2.0.0") }
	sick := func(at State, q func() Request) func(*testing.T, *world, *Machine) {
		return func(t *testing.T, w *world, m *Machine) {
			w.health = func(p *plan) Health {
				bad := at == Committed && strings.Contains(p.done(), "commit") ||
					at == Canary && strings.Contains(p.done(), "canary")
				if !bad {
					return Health{}
				}
				return Health{Candidate: Side{Calls: uint64(w.Now().UnixMilli()) - 1e12,
					Faults: Faults{Trap: uint64(w.Now().UnixMilli()) - 1e12}}}
			}
			go1(q)(t, w, m)
		}
	}
	return []scenario{
		{"straight", go1(next), Done},
		{"removal", go1(func() Request {
			q := full("2", "")
			q.Items[0].Remove = true
			return q
		}), Done},
		{"bad canary", sick(Canary, next), RolledBack},
		{"bad after commit", sick(Committed, next), RolledBack},
		{"refused", func(t *testing.T, w *world, m *Machine) {
			w.at = func(_ context.Context, s State) error {
				if s == Warmed {
					return errors.New("case 3 failed")
				}
				return nil
			}
			go1(next)(t, w, m)
		}, Refused},
	}
}

// live runs a scenario on a world that may end at a write.
func live(t *testing.T, s scenario, die crash) *world {
	t.Helper()
	w := newWorld(t)
	w.reaches = true
	m, _ := w.open(Default())
	submit(t, m, swap("1", "rules@1.0.0"))
	w.mu.Lock()
	if die.at > 0 {
		die.at += w.writes
	}
	w.die = die
	w.mu.Unlock()
	s.run(t, w, m)
	w.mu.Lock()
	w.dead = true // what a Close would write, a crash does not
	w.mu.Unlock()
	m.Close()
	return w
}

// after opens what a world left and says which version is linked, having looked that all agree.
func after(t *testing.T, w *world, what string) string {
	t.Helper()
	n := w.next()
	m, rep, err := Open(Default(), n.ports())
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	defer m.Close()
	settled(t, m, &rep)
	if len(rep.Strange) > 0 {
		t.Fatalf("%s: strange records: %v", what, rep.Strange)
	}
	is := tables(m)
	c, err := m.Change("2")
	if errors.Is(err, ErrUnknown) {
		if is != "rules@1.0.0" {
			t.Fatalf("%s: no change is known, linked is %s", what, is)
		}
		return is
	}
	if !c.State.Ended() {
		t.Fatalf("%s: the change is %s", what, c.State)
	}
	if isNew := is != "rules@1.0.0"; isNew != (c.State == Done) {
		t.Fatalf("%s: the change is %s (%s), linked is %s", what, c.State, c.Why, is)
	}
	for _, r := range rep.Resumed {
		says := "the old version is linked"
		if r.State == Done {
			says = "the new version is linked"
		}
		if !strings.HasSuffix(r.Why, says) {
			t.Fatalf("%s: %s says %q", what, r.State, r.Why)
		}
	}
	return is
}

// free looks that the listener is in no change after a start.
func free(t *testing.T, w *world, what string) {
	t.Helper()
	m, _ := w.next().open(Default())
	if q := swap("3", "rules@9.0.0"); submitted(m, q) != Done {
		t.Fatalf("%s: the next change does not go", what)
	}
}

func submitted(m *Machine, q Request) State {
	if _, err := m.Submit(q); err != nil {
		return ""
	}
	c, _ := m.Wait(context.Background(), q.ID)
	return c.State
}

// tables is what a start would link as the router of a.
func tables(m *Machine) string {
	for _, l := range m.Linked() {
		chain, ok := l.Chains["router"]
		switch {
		case l.Listener != "a" || !ok:
		case len(chain) == 0:
			return "none"
		default:
			return chain[0].Pinned.Source
		}
	}
	return "config"
}

// TestACrashAtEveryRecord ends the world before and after every write of every scenario, and then
// again at every write of the start that follows: what is linked is the old version or the new one,
// the same at each start, and the change says which.
func TestACrashAtEveryRecord(t *testing.T) {
	ended := map[string]bool{}
	worlds := 0
	for _, s := range scenarios() {
		for at := 1; ; at++ {
			n := endAt(t, s, at, ended)
			if worlds += n; n == 0 {
				break
			}
		}
		is := after(t, live(t, s, crash{}), s.name)
		if (is != "rules@1.0.0") != (s.ends == Done) {
			t.Errorf("%s: without a crash linked is %s", s.name, is)
		}
	}
	for _, s := range append(straight, Refused, RolledBack) {
		if !ended[fmt.Sprint(s, false)] || !ended[fmt.Sprint(s, true)] {
			t.Errorf("no world ended at %s", s)
		}
	}
	t.Logf("%d worlds ended", worlds)
}

// endAt ends a life at one write, and answers how many worlds ended: none if the life has no such
// write.
func endAt(t *testing.T, s scenario, at int, ended map[string]bool) (worlds int) {
	t.Helper()
	for _, safe := range []bool{false, true} {
		w := live(t, s, crash{at, safe})
		if w.state == "" {
			continue
		}
		ended[fmt.Sprint(w.state, safe)] = true
		worlds += 1 + follow(t, w, fmt.Sprintf("%s, write %d (%s), safe %v", s.name, at, w.state,
			safe))
	}
	return worlds
}

// follow looks at the starts after the end of a world, and answers how many of those ended too.
func follow(t *testing.T, w *world, what string) (worlds int) {
	t.Helper()
	is := after(t, w, what)
	committed(t, w, is, what)
	free(t, w, what)
	for at := 1; ; at++ {
		for _, safe := range []bool{false, true} {
			n := w.next()
			n.die = crash{at, safe}
			m, rep, err := Open(Default(), n.ports())
			if err != nil {
				t.Fatal(err)
			}
			settled(t, m, &rep)
			m.Close()
			if !n.dead {
				return worlds
			}
			worlds++
			what := fmt.Sprintf("%s, again at %d, safe %v", what, at, safe)
			if now := after(t, n, what); now != is {
				t.Fatalf("%s: linked is %s, it was %s at the start before", what, now, is)
			}
		}
	}
}

// committed looks that what the tables had when the world ended was allowed by a record.
func committed(t *testing.T, w *world, is, what string) {
	t.Helper()
	if len(w.plans) < 2 {
		return
	}
	did := w.plans[1].done()
	if strings.HasSuffix(did, "commit") && is == "rules@1.0.0" &&
		!strings.Contains(what, string(RolledBack)) {
		t.Errorf("%s: it was committed, and linked is %s", what, is)
	}
	if !strings.Contains(did, "commit") && is != "rules@1.0.0" && w.state != Committed {
		t.Errorf("%s: it was not committed, and linked is %s", what, is)
	}
}

// TestALedgerThatFailsOnce has each write of a life fail, without a crash: the machine goes on, and
// what it says is what the next start says.
func TestALedgerThatFailsOnce(t *testing.T) {
	for _, s := range scenarios() {
		for at, reached := 1, true; reached; at++ {
			w := newWorld(t)
			w.reaches = true
			m, _ := w.open(Default())
			submit(t, m, swap("1", "rules@1.0.0"))
			w.mu.Lock()
			w.refuse = w.writes + at
			w.mu.Unlock()
			s.run(t, w, m)
			w.mu.Lock()
			reached = w.writes >= w.refuse
			w.refuse = 0
			w.at = nil
			w.mu.Unlock()
			what := fmt.Sprintf("%s, write %d", s.name, at)
			c, err := m.Change("2")
			if err == nil && !c.State.Ended() {
				t.Fatalf("%s: the change is %s", what, c.State)
			}
			is := tables(m)
			if err == nil && (is != "rules@1.0.0") != (c.State == Done) {
				t.Fatalf("%s: %s (%s), linked is %s", what, c.State, c.Why, is)
			}
			q := swap("4", "x@1.0.0")
			q.Items[0].Listener = "b"
			if got := submitted(m, q); got != Done {
				t.Fatalf("%s: the next change: %q", what, got)
			}
			n := w.next()
			m2, rep := n.open(Default())
			if now := tables(m2); now != is || len(rep.Resumed)+len(rep.Strange) != 0 {
				t.Fatalf("%s: linked is %s, after a start %s (%+v)", what, is, now, rep)
			}
		}
	}
}

// TestADiskThatStaysFull keeps nobody from rolling back, or from ending.
func TestADiskThatStaysFull(t *testing.T) {
	w := newWorld(t)
	m, _ := w.open(Default())
	q := swap("1", "rules@2.0.0")
	q.Watch = time.Minute
	held(t, w, m, q)
	w.mu.Lock()
	w.down = true
	w.mu.Unlock()
	c, err := m.Rollback(t.Context(), "1", "bob")
	if err != nil || c.State != RolledBack || w.plans[0].done() != "commit revert" {
		t.Fatalf("%+v, %v", c, err)
	}
	if m.Failing() == nil {
		t.Error("nobody is told of the disk")
	}
	_, err = m.Submit(swap("2", "rules@3.0.0"))
	if !errors.Is(err, errDisk) || !errors.Is(err, ErrLedger) || !errors.Is(m.Mend(), errDisk) {
		t.Errorf("a change that cannot be kept: %v", err)
	}
	w.mu.Lock()
	w.down, w.stuck = false, nil
	w.mu.Unlock()
	if err := m.Mend(); err != nil || m.Failing() != nil {
		t.Errorf("the disk works again, and it says %v", err)
	}
	if c := submit(t, m, swap("2", "rules@3.0.0")); c.State != Done || m.Failing() != nil {
		t.Errorf("%+v, %v", c, m.Failing())
	}
	n := w.next()
	m, _ = n.open(Default())
	if c, err := m.Change("1"); err != nil || c.State != RolledBack {
		t.Errorf("what was owed is not kept: %+v, %v", c, err)
	}
}

// TestARollbackOnAFullDiskIsOnRecord, with its quarantine, in the room that is kept back for it,
// and so is what was owed before.
func TestARollbackOnAFullDiskIsOnRecord(t *testing.T) {
	w := newWorld(t)
	m, _ := w.open(Default())
	q := swap("1", "rules@2.0.0")
	q.Watch = time.Minute
	w.health = func(p *plan) Health {
		if !strings.Contains(p.done(), "commit") {
			return Health{}
		}
		bad := Side{Calls: 100, Faults: Faults{Trap: 50}}
		return Health{Candidate: bad, Active: Side{Calls: 100}}
	}
	w.wrote = func(s State) { w.down, w.spare = s == Committed, 2 }
	if c := submit(t, m, q); c.State != RolledBack {
		t.Fatalf("%+v", c)
	}
	if now := routerOf(m); now != "config" || m.Unrecorded("1", "") != "" {
		t.Errorf("%s is linked, unrecorded: %q", now, m.Unrecorded("1", ""))
	}
	m, _ = w.next().open(Default())
	if c, err := m.Change("1"); err != nil || c.State != RolledBack {
		t.Errorf("after a restart: %+v, %v", c, err)
	}
	if now := routerOf(m); now != "config" || len(m.Quarantine()) != 1 {
		t.Errorf("after a restart %s is linked, quarantine %v", now, m.Quarantine())
	}
}

// TestWhatIsNotOnRecordIsSaid: a restart would take back what somebody was told.
func TestWhatIsNotOnRecordIsSaid(t *testing.T) {
	w := newWorld(t)
	m, _ := w.open(Default())
	q := swap("1", "rules@2.0.0")
	q.Watch = time.Minute
	held(t, w, m, q)
	submit(t, m, routerAt("b", "2"))
	w.mu.Lock()
	w.down = true
	w.mu.Unlock()
	if _, err := m.Rollback(t.Context(), "1", "bob"); err != nil {
		t.Fatal(err)
	}
	if err := m.Undo("b", "router", "bob", func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	told := 0
	for r := m.Subscribe(0); told < 2; {
		e, err := r.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(e.Unrecorded, "links again what this took out") {
			told++
		}
	}
	for of, text := range map[string]string{
		"change 1": m.Unrecorded("1", ""), "a": m.Unrecorded("", "a"), "b": m.Unrecorded("", "b"),
	} {
		if !strings.HasPrefix(text, "not on record yet") {
			t.Errorf("%s: %q", of, text)
		}
	}
	if text := m.Unrecorded("2", ""); text != "" {
		t.Errorf("what was on record before: %q", text)
	}
	w.mu.Lock()
	w.down, w.stuck = false, nil
	w.mu.Unlock()
	err := m.Mend()
	if text := m.Unrecorded("1", "") + m.Unrecorded("", "b"); err != nil || text != "" {
		t.Errorf("when there is room: %v, %q", err, text)
	}
}

// TestWhatIsOwedIsInTheBook: once the ledger is compacted nothing is owed to it.
func TestWhatIsOwedIsInTheBook(t *testing.T) {
	w := newWorld(t)
	cfg := Default()
	cfg.GrowthBytesMax = 1 // each record is followed by the book
	m, _ := w.open(cfg)
	w.wrote = func(s State) {
		if s == Draining {
			w.refuse = w.writes + 2 // the record of the end, behind the book
		}
	}
	submit(t, m, swap("1", "rules@2.0.0"))
	m.write.Lock()
	if len(m.owed) != 0 || w.writes <= w.refuse {
		t.Errorf("%d records are owed, %d writes", len(m.owed), w.writes)
	}
	m.write.Unlock()
	n := w.next()
	m, rep := n.open(cfg)
	if c, err := m.Change("1"); err != nil || c.State != Done ||
		len(rep.Strange)+len(rep.Resumed) != 0 {
		t.Errorf("%+v, %v, %+v", c, err, rep)
	}
}

// TestNumbersOfEventsAreNotUsedAgain, though a ledger that failed has no record of them.
func TestNumbersOfEventsAreNotUsedAgain(t *testing.T) {
	w := newWorld(t)
	m, _ := w.open(Default())
	w.wrote = func(s State) { w.down = s == Committed }
	c := submit(t, m, swap("1", "rules@2.0.0"))
	told := c.Marks[len(c.Marks)-1].Seq
	n := w.next()
	m, _ = n.open(Default())
	again, err := m.Change("1")
	if err != nil || again.State != Done || again.Marks[len(again.Marks)-1].Seq <= told {
		t.Errorf("%+v, %v, the world was told up to %d", again, err, told)
	}
}
