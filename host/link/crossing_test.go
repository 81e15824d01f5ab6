package link

import (
	"testing"
	"time"

	"github.com/hpmq/hpmq/host/cap/kv"
)

// TestACommitFallsBetweenTwoMessages, and so does the way back: all roles of all listeners of a
// plan change while the loops stand, so that no message is asked of two versions.
func TestACommitFallsBetweenTwoMessages(t *testing.T) {
	h, main, other := twoListeners(t)
	halts := 0
	crossing := func(before, after string) {
		h.loops.around = func(f func()) {
			halts++
			if got := h.state(main, other); got != before {
				t.Errorf("changed while loops run: %s", got)
			}
			f()
			if got := h.state(main, other); got != after {
				t.Errorf("loops go on with %s", got)
			}
		}
	}
	p := h.prepare("p", everywhere()...)
	crossing(stateBefore, stateAfter)
	all := h.commit(p)
	if halts != 1 {
		t.Errorf("the loops stood %d times for a commit of two listeners", halts)
	}
	for _, r := range all {
		if r.Commit <= 0 {
			t.Errorf("%s %s: nobody knows how long they stood", r.Listener, r.Role)
		}
	}
	crossing(stateAfter, stateBefore)
	if _, err := p.Revert(); err != nil || halts != 2 {
		t.Error(err, halts)
	}
	h.loops.around = func(func()) { t.Error("the loops stand for who serves nobody yet") }
	h.other("third", Spec{RoleTransformer: {ref("transformer", "")}})
}

// TestBusyLoopsKeepNobodyFromACure: a change that hands nothing over does not need them to stand.
func TestBusyLoopsKeepNobodyFromACure(t *testing.T) {
	h, main, other := twoListeners(t)
	h.loops.busy = true
	p := h.prepare("p", everywhere()...)
	h.commit(p)
	got := h.state(main, other)
	if got != stateAfter || !h.logged("beside messages that are under way") {
		t.Errorf("%s; log:\n%s", got, h.log)
	}
	if _, err := p.Revert(); err != nil || h.state(main, other) != stateBefore {
		t.Error(err)
	}
}

// TestACanaryEndsBetweenTwoMessages, as it ends by itself when its candidate fails; busy loops keep
// nobody from that either.
func TestACanaryEndsBetweenTwoMessages(t *testing.T) {
	h, main, _ := twoListeners(t)
	begin := func(id string) *Plan {
		p := h.prepare(id, tagging("main", 0, "v2"))
		h.canary(p, Selector{Clients: []string{device.ClientID}})
		return p
	}
	p, halts := begin("p"), 0
	h.loops.around = func(f func()) {
		halts++
		if got := h.tagged(main, &device); got != "a=v2:x" {
			t.Errorf("it went back while loops run: %s", got)
		}
		f()
	}
	p.Abort()
	if got := h.tagged(main, &device); halts != 1 || got != "a=v1:x" {
		t.Errorf("%d halts, then %s", halts, got)
	}
	h.loops.around = nil
	p = begin("q")
	h.loops.busy = true
	p.Abort()
	if got := h.tagged(main, &device); got != "a=v1:x" || !h.logged("a canary ends beside") {
		t.Errorf("%s; log:\n%s", got, h.log)
	}
}

// TestACallOfAWorkerHoldsUpNobodyElse: a swap that waits until it is over does not keep other
// listeners from theirs.
func TestACallOfAWorkerHoldsUpNobodyElse(t *testing.T) {
	h, a, out := mindfulHouse(t, "", "0001")
	h.other("other", Spec{RoleTransformer: {ref("transformer", "tag=v1:;")}})
	h.hears(out, "timer ", "told 0001")
	e := h.workerOf()
	e.use.RLock() // it is in a call
	defer e.use.RUnlock()
	swapped := make(chan error, 1)
	go func() {
		_, err := h.linker.Swap(t.Context(), Request{Listener: "main", Role: RoleWorker,
			Ref: mindful("two")})
		swapped <- err
	}()
	h.waitedFor(e)
	_, err := h.linker.Swap(t.Context(), Request{Listener: "other", Role: RoleTransformer,
		Ref: ref("transformer", "tag=v2:;")})
	if err != nil {
		t.Error(err)
	}
	refusedAt(t, h.rung(a, h.linker.cfg.BesideTimeout, swapped), StepState)
}

// TestTheWayBackHasLessPatience with a call of what is being left than the way forth.
func TestTheWayBackHasLessPatience(t *testing.T) {
	h, a, out := mindfulHouse(t, "", "0001")
	h.hears(out, "timer ", "told 0001")
	p := h.prepare("p", Change{Listener: "main", Role: RoleWorker, Ref: mindful("two")})
	h.commit(p)
	h.linker.cfg.HandOverTimeout = 250 * time.Millisecond
	bad := h.workerOf()
	bad.use.RLock() // it computes for ever
	defer bad.use.RUnlock()
	back := make(chan error, 1)
	go func() {
		_, err := p.Revert()
		back <- err
	}()
	h.waitedFor(bad)
	if err := h.rung(a, h.linker.cfg.HandOverTimeout, back); err != nil {
		t.Error(err)
	}
}

// TestTheWayBackOfKeysIsAsPatient as the way forth: there is none without them.
func TestTheWayBackOfKeysIsAsPatient(t *testing.T) {
	h, a, _ := workerHouse(t, nil)
	h.link(Spec{RoleWorker: {teller(t, 1, "")}})
	p := h.prepare("p", Change{Listener: "main", Role: RoleWorker, Ref: teller(t, 2, "")})
	h.commit(p)
	h.linker.cfg.HandOverTimeout = 251 * time.Millisecond
	h.eventually("it works", func() bool { return h.workerOf().seats[0].calls.Load() == 1 })
	bad := h.workerOf()
	bad.use.RLock()
	back := make(chan error, 1)
	go func() {
		_, err := p.Revert()
		back <- err
	}()
	h.waitedFor(bad)
	if a.ring(h.linker.cfg.HandOverTimeout) {
		t.Error("it is less patient")
	}
	bad.use.RUnlock()
	err := <-back
	if schema, _ := h.kv.Schema("teller"); err != nil || schema != 1 {
		t.Errorf("schema %d: %v", schema, err)
	}
}

// briefHalts has loops say that they stood for a millisecond each time.
type briefHalts struct{ Halter }

func (b briefHalts) Halt(within time.Duration, f func()) (time.Duration, error) {
	_, err := b.Halter.Halt(within, f)
	return time.Millisecond, err
}

// busyKeys is a Migrator of keys that are written so many times when they are to be applied.
type busyKeys struct {
	Migrator
	times int
}

type busyBringing struct {
	bringing
	left int
}

func (b *busyKeys) migrate(l *Linker, shifts []turnover) (bringing, error) {
	m, err := b.Migrator.migrate(l, shifts)
	return &busyBringing{m, b.times}, err
}

func (b *busyBringing) applied(until time.Time) error {
	if b.left--; b.left >= 0 {
		return kv.ErrBusy
	}
	return b.bringing.applied(until)
}

// TestTheTimeThatLoopsStandIsOfAllTries, also of those in which keys were being written.
func TestTheTimeThatLoopsStandIsOfAllTries(t *testing.T) {
	h, _ := keeps(t)
	h.linker.ports.Halter = briefHalts{h.loops}
	h.linker.ports.Keys = &busyKeys{h.linker.ports.Keys, 2}
	r, err := h.linker.Swap(t.Context(), Request{Listener: "main", Role: RoleDeduplicator,
		Ref: keeper(t, 2, "")})
	if err != nil || r.Commit != 3*time.Millisecond {
		t.Errorf("they stood %s: %v", r.Commit, err)
	}
}

// waitedFor waits until somebody waits for calls of e to end.
func (h *house) waitedFor(e *entry) {
	h.t.Helper()
	h.eventually("somebody waits", func() bool {
		free := e.use.TryRLock()
		if free {
			e.use.RUnlock()
		}
		return !free
	})
}

// rung has alarms of that time ring until something has ended.
func (h *house) rung(a *alarms, d time.Duration, ended chan error) (err error) {
	h.t.Helper()
	h.eventually("it ends", func() bool {
		a.ring(d)
		select {
		case err = <-ended:
			return true
		default:
			return false
		}
	})
	return err
}
