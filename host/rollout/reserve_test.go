package rollout

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"
)

func routerAt(listener, id string) Request {
	return Request{ID: id, Items: []Item{{Listener: listener, Role: "router", Source: "x@1.0.0"}}}
}

// TestAReservationKeepsChangesAway, and undos, but not those of who has it, nor other listeners.
func TestAReservationKeepsChangesAway(t *testing.T) {
	w := newWorld(t)
	m, _ := w.open(Default())
	submit(t, m, swap("1", "rules@2.0.0"))
	r, err := m.Reserve("a reload", "a", "comes")
	if err != nil {
		t.Fatal(err)
	}
	var busy *BusyError
	_, err = m.Submit(routerAt("a", "2"))
	if !errors.As(err, &busy) || !errors.Is(err, ErrBusy) || busy.Reserved != "a reload" ||
		!strings.Contains(err.Error(), "a reload is at work at listener a: ask again") {
		t.Errorf("meanwhile: %v", err)
	}
	err = m.Undo("a", "router", "bob", func() error { t.Error("it is undone"); return nil })
	if !errors.Is(err, ErrBusy) {
		t.Errorf("an undo meanwhile: %v", err)
	}
	if _, err := m.Submit(swap("1", "rules@2.0.0")); err != nil {
		t.Errorf("what is known already: %v", err)
	}
	if _, err := m.Reserve("another", "b", "a"); !errors.Is(err, ErrBusy) {
		t.Errorf("reserved twice: %v", err)
	}
	if c := submit(t, m, routerAt("b", "3")); c.State != Done {
		t.Errorf("another listener: %+v", c)
	}
	if _, err := r.Submit(swap("4", "rules@3.0.0")); err != nil {
		t.Errorf("of who has it: %v", err)
	}
	if c, err := m.Wait(t.Context(), "4"); err != nil || c.State != Done {
		t.Errorf("of who has it: %+v, %v", c, err)
	}
	r.Release()
	r.Release()
	<-busy.Until
	if c := submit(t, m, routerAt("a", "2")); c.State != Done {
		t.Errorf("then: %+v", c)
	}
}

// TestWhatIsInAChangeIsNotReserved, nor is anything beside it.
func TestWhatIsInAChangeIsNotReserved(t *testing.T) {
	w := newWorld(t)
	m, _ := w.open(Default())
	q := swap("1", "rules@2.0.0")
	q.Canary.Steps = []CanaryStep{{5, time.Minute}}
	held(t, w, m, q)
	var busy *BusyError
	if _, err := m.Reserve("a reload", "b", "a"); !errors.As(err, &busy) || busy.Change != "1" {
		t.Errorf("reserved: %v", err)
	}
	if c := submit(t, m, routerAt("b", "2")); c.State != Done {
		t.Errorf("the other is held: %+v", c)
	}
	m.Close()
	if _, err := m.Reserve("a reload", "a"); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// TestAnUndoHoldsUpNobodyElse: the tables may take long to go back.
func TestAnUndoHoldsUpNobodyElse(t *testing.T) {
	w := newWorld(t)
	m, _ := w.open(Default())
	submit(t, m, swap("1", "rules@2.0.0"))
	begun, goOn, undone := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		undone <- m.Undo("a", "router", "bob", func() error {
			close(begun)
			<-goOn
			return nil
		})
	}()
	<-begun
	if c := submit(t, m, routerAt("b", "2")); c.State != Done {
		t.Errorf("another listener: %+v", c)
	}
	_, err := m.Submit(routerAt("a", "3"))
	if err == nil || !strings.Contains(err.Error(), "a rollback of its router is at work") {
		t.Errorf("the same listener: %v", err)
	}
	closed := make(chan struct{})
	go func() { m.Close(); close(closed) }()
	for r, err := m.Reserve("x", "c"); !errors.Is(err, ErrClosed); r, err = m.Reserve("x", "c") {
		r.Release()
		runtime.Gosched()
	}
	runtime.Gosched()
	select {
	case <-closed:
		t.Error("Close did not wait for the undo")
	default:
	}
	close(goOn)
	<-closed
	if now := routerOf(m); now != "config" {
		t.Errorf("when Close is done %s is linked", now)
	}
	if err := <-undone; err != nil || routerOf(m) != "config" {
		t.Errorf("undone: %v, %s is linked", err, routerOf(m))
	}
	if again, _ := w.next().open(Default()); routerOf(again) != "config" {
		t.Errorf("after a restart %s is linked", routerOf(again))
	}
}

// TestWhatNeverBecameAChangeIsOnRecord, once, also after a restart.
func TestWhatNeverBecameAChangeIsOnRecord(t *testing.T) {
	w := newWorld(t)
	m, _ := w.open(Default())
	for range 2 {
		for range 2 {
			err := m.Refuse(Finding{ID: "f", By: "watch", Of: "read", Why: errors.New("half")})
			if err != nil {
				t.Fatal(err)
			}
		}
		list := m.Changes()
		if len(list) != 1 || list[0].State != Refused || list[0].Why != "half" ||
			states(list[0]) != "requested → refused" {
			t.Errorf("%+v", list)
		}
		w = w.next()
		m, _ = w.open(Default())
	}
	if err := m.Refuse(Finding{Why: errors.New("x")}); !errors.Is(err, ErrRequest) {
		t.Error(err)
	}
}

// TestWhatIsInTheWayIsSaidHowToEnd: what is committed is not cancelled, what is not is not rolled
// back.
func TestWhatIsInTheWayIsSaidHowToEnd(t *testing.T) {
	canary, watched := swap("1", "rules@2.0.0"), swap("1", "rules@2.0.0")
	canary.Canary.Steps = []CanaryStep{{5, time.Minute}}
	watched.Watch = time.Minute
	for want, q := range map[string]Request{
		"or cancel it: hpmq-cli change cancel 1":                    canary,
		"or bring the old version back: hpmq-cli change rollback 1": watched,
	} {
		w := newWorld(t)
		m, _ := w.open(Default())
		held(t, w, m, q)
		err := m.Undo("a", "router", "bob", nil)
		if !errors.Is(err, ErrBusy) || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("it says %v, not %s", err, want)
		}
		end, wrong := m.Cancel, "hpmq-cli change rollback 1"
		if q.Watch == 0 {
			end, wrong = m.Rollback, "hpmq-cli change cancel 1"
		}
		if _, err := end(t.Context(), "1", "bob"); err == nil ||
			!strings.HasSuffix(err.Error(), wrong) {
			t.Errorf("it says %v, not %s", err, wrong)
		}
	}
}
