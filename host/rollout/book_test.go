package rollout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestEventsAreNumbered(t *testing.T) {
	w := newWorld(t)
	m, _ := w.open(Default())
	all := m.Subscribe(0)
	submit(t, m, swap("1", "rules@2.0.0"))
	var last uint64
	var list []string
	var third uint64
	for {
		e, err := all.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if e.Seq <= last || e.Change != "1" {
			t.Fatalf("after %d: %+v", last, e)
		}
		last = e.Seq
		if list = append(list, string(e.State)); len(list) == 3 {
			third = e.Seq
		}
		if e.State.Ended() {
			break
		}
	}
	c, _ := m.Change("1")
	if got := strings.Join(list, " → "); got != states(c) {
		t.Errorf("events %s", got)
	}
	if e, err := m.Subscribe(third).Next(t.Context()); err != nil || e.State != Verified {
		t.Errorf("from the third: %+v, %v", e, err)
	}
	n := w.next()
	m2, _ := n.open(Default())
	if e, err := m2.Subscribe(third).Next(t.Context()); err != nil || e.State != Verified {
		t.Errorf("from the third, after a restart: %+v, %v", e, err)
	}
	later := m2.Subscribe(last + 1)
	submit(t, m2, swap("2", "rules@3.0.0"))
	if e, err := later.Next(t.Context()); err != nil || e.Seq <= last || e.Change != "2" ||
		e.State != Requested {
		t.Errorf("the next after a restart: %+v, %v", e, err)
	}
	m.Close()
	if _, err := all.Next(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestASlowReaderIsCutOffAndTold(t *testing.T) {
	w := newWorld(t)
	cfg := Default()
	cfg.EventsMax = 5
	m, _ := w.open(cfg)
	slow := m.Subscribe(1)
	submit(t, m, swap("1", "rules@2.0.0"))
	for range 2 {
		if _, err := slow.Next(t.Context()); !errors.Is(err, ErrBehind) {
			t.Errorf("behind: %v", err)
		}
	}
	if e, err := m.Subscribe(0).Next(t.Context()); err != nil || e.State == Requested {
		t.Errorf("from what is left: %+v, %v", e, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Subscribe(1 << 40).Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("who does not wait: %v", err)
	}
}

// atWork is a machine with the change long, which is watched until it is ended by hand.
func (w *world) atWork(cfg Config) *Machine {
	w.t.Helper()
	w.stuck = func() bool { return true }
	m, _ := w.open(cfg)
	if _, err := m.Submit(Request{ID: "long", Watch: time.Hour, Items: []Item{
		{Listener: "b", Role: "router", Position: 0, Source: "rules@2.0.0"}}}); err != nil {
		w.t.Fatal(err)
	}
	return m
}

// readUntil answers what r reads until something is in that state.
func readUntil(t *testing.T, r *Reader, state State) (list []string) {
	t.Helper()
	for {
		e, err := r.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, e.Change+" "+string(e.State))
		if e.State == state {
			return list
		}
	}
}

// TestOneChangeIsReadToItsEnd, however much happens beside it, and all that are at work from where
// they are.
func TestOneChangeIsReadToItsEnd(t *testing.T) {
	w := newWorld(t)
	cfg := Default()
	cfg.EventsMax = 20
	m := w.atWork(cfg)
	begun, err := m.SubscribeTo("long")
	if err != nil {
		t.Fatal(err)
	}
	was := readUntil(t, begun, Draining)
	for i := range 5 {
		submit(t, m, swap(fmt.Sprint(i), fmt.Sprintf("rules@2.0.%d", i)))
	}
	if _, err := begun.Next(t.Context()); !errors.Is(err, ErrBehind) {
		t.Errorf("who read nothing meanwhile: %v", err)
	}
	late, err := m.SubscribeTo("long")
	if err != nil || late.Behind() != nil {
		t.Fatalf("%v, %v", err, late.Behind())
	}
	oldest := m.Subscribe(0)
	now := m.SubscribeNow()
	if _, err := m.Rollback(t.Context(), "long", "bob"); err != nil {
		t.Fatal(err)
	}
	submit(t, m, swap("next", "rules@3.0.0"))
	again, err := m.SubscribeTo("long")
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(append(was, "long rolled back"), ", ")
	for _, r := range []*Reader{late, again} {
		if got := strings.Join(readUntil(t, r, RolledBack), ", "); got != all {
			t.Errorf("read %s\nwant %s", got, all)
		}
		if _, err := r.Next(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("behind its end: %v", err)
		}
	}
	got := strings.Join(readUntil(t, now, Fetched), ", ")
	if got != "long draining, long rolled back, next requested, next fetched" {
		t.Errorf("from now: %s", got)
	}
	if _, err := oldest.Next(t.Context()); err != nil {
		t.Errorf("the oldest: %v", err)
	}
	if _, err := m.SubscribeTo("never"); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
	if err := m.Subscribe(1).Behind(); !errors.Is(err, ErrBehind) {
		t.Errorf("from what is gone: %v", err)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	w := newWorld(t)
	cfg := Default()
	cfg.HistoryMax, cfg.GrowthBytesMax = 3, 4000
	m, _ := w.open(cfg)
	old := submit(t, m, Request{ID: "old", Items: []Item{
		{Listener: "b", Role: "transformer", Position: 0, Source: "json@2.0.0"}}})
	for i := range 20 {
		submit(t, m, swap(fmt.Sprint(i), fmt.Sprintf("rules@2.0.%d", i)))
	}
	linked := old.Places[0].New.Digest
	if n := m.Needs(); !n.Known[linked] || !n.Held[linked] {
		t.Errorf("what a forgotten change has linked is not needed: %+v", n)
	}
	list := m.Changes()
	if len(list) != 3 || list[0].ID != "19" || list[2].ID != "17" {
		t.Errorf("kept: %+v", list)
	}
	size := 0
	for _, r := range w.kept {
		size += len(r)
	}
	if size > 3*cfg.GrowthBytesMax {
		t.Errorf("the ledger has %d bytes", size)
	}
	n := w.next()
	m2, rep := n.open(cfg)
	if len(rep.Strange) > 0 || len(m2.Changes()) != 3 || routerOf(m2) != "rules@2.0.19" {
		t.Errorf("after a restart: %+v, %d changes, %s", rep, len(m2.Changes()), routerOf(m2))
	}
	if len(n.kept) != 1 {
		t.Errorf("a start leaves %d records", len(n.kept))
	}
	if _, err := m2.Subscribe(1).Next(t.Context()); !errors.Is(err, ErrBehind) {
		t.Errorf("events of what is forgotten: %v", err)
	}
}

// TestWhoWasAtWorkForLongIsKept: others ended meanwhile, and go first.
func TestWhoWasAtWorkForLongIsKept(t *testing.T) {
	w := newWorld(t)
	cfg := Default()
	cfg.HistoryMax = 2
	m := w.atWork(cfg)
	for i := range 5 {
		submit(t, m, swap(fmt.Sprint(i), fmt.Sprintf("rules@2.0.%d", i)))
	}
	for e, all := (Event{}), m.Subscribe(0); e.Change != "long" || e.State != Draining; {
		var err error
		if e, err = all.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if c, err := m.Rollback(t.Context(), "long", "bob"); err != nil || c.State != RolledBack {
		t.Errorf("%+v, %v", c, err)
	}
	for range 2 {
		var ids []string
		for _, c := range m.Changes() {
			ids = append(ids, c.ID)
		}
		if got := strings.Join(ids, " "); got != "4 long" {
			t.Errorf("kept: %s", got)
		}
		w = w.next()
		m, _ = w.open(cfg)
	}
}

func TestLinkedFollowsTheChanges(t *testing.T) {
	w := newWorld(t)
	m, _ := w.open(Default())
	do := func(id string, items ...Item) {
		t.Helper()
		if c := submit(t, m, Request{ID: id, Items: items, Force: true}); c.State != Done {
			t.Fatalf("%s: %s", id, c.Why)
		}
	}
	at := func(position int, source string) Item {
		return Item{Listener: "a", Role: "transformer", Position: position, Source: source,
			Remove: source == ""}
	}
	look := func(want string) {
		t.Helper()
		var list []string
		for _, l := range m.Linked() {
			for _, s := range l.Chains["transformer"] {
				name := "config"
				if s.Pinned != nil {
					name = s.Pinned.Source + string(s.Pinned.Config)
				}
				list = append(list, fmt.Sprintf("%s(%d)", name, s.From))
			}
		}
		if got := strings.Join(list, " "); got != want {
			t.Errorf("linked is %q, want %q", got, want)
		}
	}
	set := at(1, "x")
	set.Config = []byte(`{"n":1}`)
	do("1", set)
	look(`config(0) x{"n":1}(1)`)
	do("2", at(1, "y"))
	look(`config(0) y{"n":1}(1)`) // what a swap leaves open stays
	do("3", at(3, "q"), at(2, "p"))
	look(`config(0) y{"n":1}(1) p(-1) q(-1)`)
	do("4", at(0, ""))
	look(`y{"n":1}(1) p(-1) q(-1)`)
	do("5", at(1, ""))
	do("6", at(1, ""))
	look(`y{"n":1}(1)`)
	if c := submit(t, m, Request{ID: "7", Items: []Item{at(2, "z")}}); c.State != Refused {
		t.Errorf("a place behind the end: %+v", c)
	}
	w.bases["a"] = Base{Hash: "other", Chains: map[string]int{"transformer": 1}}
	do("8", at(1, "n"))
	look(`config(0) n(-1)`) // the configuration changed: it is the begin now
	do("9", at(1, ""))
	look("")
	do("10", at(0, "m"))
	if err := m.Drop("a", "", "the configuration changed"); err != nil {
		t.Error(err)
	}
	look("")
	n := w.next()
	m, _ = n.open(Default())
	look("")
}

// TestUndoIsDurable: what the tables' own rollback does is what the next start links.
func TestUndoIsDurable(t *testing.T) {
	w := newWorld(t)
	m, _ := w.open(Default())
	fine := func() error { return nil }
	look := func(want string) {
		t.Helper()
		m, _ = w.next().open(Default())
		if is := routerOf(m); is != want {
			t.Errorf("linked is %s, want %s", is, want)
		}
		w = w.next()
		m, _ = w.open(Default())
	}
	if err := m.Undo("a", "router", "bob", fine); err != nil {
		t.Error(err)
	}
	submit(t, m, swap("1", "rules@1.0.0"))
	for _, want := range []string{"config", "rules@1.0.0", "config", "rules@1.0.0"} {
		if err := m.Undo("a", "router", "bob", fine); err != nil {
			t.Error(err)
		}
		look(want)
	}
	submit(t, m, swap("2", "rules@2.0.0"))
	if err := m.Undo("a", "router", "bob", func() error { return errDisk }); !errors.Is(err,
		errDisk) {
		t.Errorf("tables that have nothing to go back to: %v", err)
	}
	look("rules@2.0.0")
	if err := m.Undo("a", "transformer", "bob", fine); err != nil {
		t.Error(err)
	}
	look("rules@2.0.0") // the other role had no change
	q := Request{ID: "t", Items: []Item{{Listener: "a", Role: "transformer", Source: "x"}}}
	submit(t, m, q)
	for _, role := range []string{"transformer", "router"} {
		if err := m.Undo("a", role, "bob", fine); err != nil {
			t.Error(err)
		}
	}
	look("rules@1.0.0") // each role goes back to what was before its own last change
	if len(m.Linked()[0].Chains) != 1 {
		t.Errorf("linked %+v", m.Linked())
	}
	q = swap("3", "rules@3.0.0")
	q.Watch = time.Minute
	held(t, w, m, q)
	if err := m.Undo("a", "router", "bob", fine); !errors.Is(err, ErrBusy) {
		t.Errorf("a listener at work: %v", err)
	}
	if _, err := m.Rollback(t.Context(), "3", "bob"); err != nil {
		t.Error(err)
	}
	if err := m.Undo("a", "router", "bob", fine); err != nil {
		t.Error(err)
	}
	look("rules@2.0.0") // what was rolled back left no trace
}

// TestARollbackDoesNotUndoADrop: the configuration wins, whatever is taken back later.
func TestARollbackDoesNotUndoADrop(t *testing.T) {
	w := newWorld(t)
	m, _ := w.open(Default())
	submit(t, m, swap("1", "rules@1.0.0"))
	q := swap("2", "rules@2.0.0")
	q.Watch = time.Minute
	held(t, w, m, q)
	if err := m.Drop("a", "", "the configuration changed"); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Rollback(t.Context(), "2", "bob"); err != nil || len(m.Linked()) != 0 {
		t.Errorf("%v, linked %+v", err, m.Linked())
	}
}

// TestADropForgetsTheWayBack, where an undo left nothing linked over the configuration too: a
// listener of that name that is added later has no past.
func TestADropForgetsTheWayBack(t *testing.T) {
	w := newWorld(t)
	m, _ := w.open(Default())
	submit(t, m, swap("1", "rules@1.0.0"))
	it := swap("1", "").Items[0]
	if err := m.Undo(it.Listener, it.Role, "bob", func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	if len(m.Linked()) != 0 {
		t.Fatalf("linked: %+v", m.Linked())
	}
	base, err := m.ports.Links.Base(it.Listener)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Drop(it.Listener, base.Hash, "the configuration is the same"); err != nil {
		t.Fatal(err)
	}
	if items, err := m.Back(it.Listener, it.Role); err != nil || len(items) != 1 {
		t.Fatalf("%+v, %v", items, err)
	}
	if err := m.Drop(it.Listener, "", "it was removed"); err != nil {
		t.Fatal(err)
	}
	if items, err := m.Back(it.Listener, it.Role); !errors.Is(err, ErrNoBack) {
		t.Errorf("%+v, %v", items, err)
	}
}

func TestEachStateFollowsWhatItMay(t *testing.T) {
	ends := []State{Done, Refused, RolledBack, Cancelled}
	for i, s := range straight {
		for _, e := range ends[1:] {
			want := i < len(straight)-1 && (e == RolledBack || i < Committed.rank())
			if e.follows(s) != want {
				t.Errorf("%s after %s: %v", e, s, !want)
			}
		}
		for j, next := range straight {
			want := j == i+1 && i < len(straight)-1 || s == Canary && next == Canary ||
				s == Tested && (next == Canary || next == Committed) ||
				s == Shadowing && next == Committed || s == Committed && next == Done
			if next.follows(s) != want {
				t.Errorf("%s after %s: %v", next, s, !want)
			}
		}
	}
	for _, e := range ends {
		for _, s := range append(straight, ends...) {
			if s.follows(e) {
				t.Errorf("%s after the end %s", s, e)
			}
		}
	}
}

func TestVersionsInOrder(t *testing.T) {
	// The order of clause 11 of semantic versioning.
	list := []string{"0.9.10", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta",
		"1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.2.0", "1.10.0"}
	for i, a := range list {
		for j, b := range list {
			if below(a, b) != (i < j) {
				t.Errorf("%s below %s: %v", a, b, !(i < j))
			}
		}
	}
	for _, s := range []string{"", "1", "1.0", "one.two.three", "1.0.0.0", "v1.0.0"} {
		if below(s, "9.9.9") || below("0.0.0", s) {
			t.Errorf("%q is compared", s)
		}
	}
	const large = "99999999999999999999"
	if !below("2.0.0", large+".0.0") || !below("1.0.0-9", "1.0.0-"+large) {
		t.Error("a number that is larger than an integer is not compared")
	}
	if below("1.0.0+a", "1.0.0+b") {
		t.Error("builds are compared")
	}
}

// FuzzRecord reads lines as the records of a ledger: whatever they say, what they come to is the
// same once it is written and read as one record.
func FuzzRecord(f *testing.F) {
	f.Add([]byte(`{"v":1,"seq":1,"at":"2026-03-01T03:00:00Z","change":"1","new":{"id":"1",` +
		`"content":"sha256:0","places":[{"listener":"a","role":"router","position":0}],` +
		`"state":"requested","marks":null},"state":"requested"}` + "\n" +
		`{"v":1,"seq":2,"at":"2026-03-01T03:00:01Z","change":"1","state":"rolled back",` +
		`"links":[{"listener":"a","base":"h","chains":{"router":[{"from":0,"pinned":null}]},` +
		`"change":"1","since":"2026-03-01T03:00:00Z"}],` +
		`"quarantine":[{"digest":"d","change":"1","since":"2026-03-01T03:00:00Z","why":"w"}]}`))
	f.Add([]byte(`{"v":1,"seq":7,"at":"0001-01-01T00:00:00Z","book":{"floor":3,"changes":[` +
		`{"id":"1","marks":[{"seq":4,"state":"done"}],"state":"done"},null],"links":[{}]}}`))
	cfg := Default()
	cfg.HistoryMax, cfg.QuarantineMax = 2, 2
	f.Fuzz(func(t *testing.T, text []byte) {
		b := newBook(cfg)
		for line := range bytes.Lines(text) {
			if r, err := decode(line); err == nil {
				_ = b.apply(r)
			}
		}
		once, err := b.record().encode()
		if err != nil {
			t.Fatal(err)
		}
		r, err := decode(once)
		if err != nil {
			t.Fatalf("%s: %v", once, err)
		}
		again := newBook(cfg)
		if err := again.apply(r); err != nil {
			t.Fatal(err)
		}
		if twice, err := again.record().encode(); err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%s\n%s\n%v", once, twice, err)
		}
	})
}
