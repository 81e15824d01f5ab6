package link

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// mindful is a worker that has what it was told in its own memory.
func mindful(words string) Ref {
	r := ref("worker-state", words)
	r.Grants = []string{"publish"}
	return r
}

// mindfulHouse has such a worker, which was told of the words.
func mindfulHouse(t *testing.T, words string, tell ...string) (*house, *alarms, *told) {
	h, a, out := workerHouse(t, func(c *Config) {
		c.HandOverTimeout, c.StateBytesMax = time.Hour, 1000
	})
	h.link(Spec{RoleWorker: {mindful(words)}})
	h.hears(out, "timer ")
	for _, payload := range tell {
		h.accept("a", payload)
	}
	return h, a, out
}

// knows has the worker say what it was told, and waits until that is all of it, each once and in
// its order.
func (h *house) knows(o *told, all ...string) {
	h.t.Helper()
	h.accept("all/", "")
	want := "all " + strings.Join(all, "")
	h.eventually(want, func() bool {
		h.loops.turn(0)
		return slices.Contains(o.all(), want)
	})
}

// workerOf is the entry of the worker of main.
func (h *house) workerOf() *entry {
	return h.linker.listener("main").table.Load().chains[RoleWorker].entries[0]
}

// TestAWorkerHandsOver: what it has in its memory outlives a hundred swaps under messages, none of
// which is told twice or not at all; and it says no last words, for it goes on.
func TestAWorkerHandsOver(t *testing.T) {
	h, _, out := mindfulHouse(t, "")
	h.loops.count = 1
	var all []string
	for i := range 100 {
		h.accept("a", fmt.Sprintf("%04d", 2*i))
		h.swap(RoleWorker, mindful(fmt.Sprint("version ", i)))
		h.accept("a", fmt.Sprintf("%04d", 2*i+1))
		h.loops.turn(0)
		all = append(all, fmt.Sprintf("%04d", 2*i), fmt.Sprintf("%04d", 2*i+1))
	}
	h.knows(out, all...)
	var heard []string
	for _, w := range out.all() {
		if payload, ok := strings.CutPrefix(w, "told "); ok {
			heard = append(heard, payload)
		}
	}
	if !slices.Equal(heard, all) || slices.Contains(out.all(), "stopped ") {
		t.Errorf("heard %q", out.all())
	}
	if !h.logged("state handed over") {
		t.Error("nobody was told")
	}
}

// TestAWorkerHandsOverInACall: what it was about to be told is told its heir, which knows what the
// call at hand made of its state.
func TestAWorkerHandsOverInACall(t *testing.T) {
	h, _, out := mindfulHouse(t, "", "0001")
	h.hears(out, "timer ", "told 0001")
	e := h.workerOf()
	e.use.RLock() // it is in a call
	swapped := make(chan error, 1)
	go func() {
		_, err := h.linker.Swap(t.Context(), Request{
			Listener: "main", Role: RoleWorker, Ref: mindful("two"),
		})
		swapped <- err
	}()
	h.eventually("the swap waits", func() bool {
		if e.use.TryRLock() {
			e.use.RUnlock()
			return false
		}
		return true
	})
	for _, payload := range []string{"0002", "0003"} {
		h.accept("a", payload)
	}
	e.use.RUnlock()
	if err := <-swapped; err != nil {
		t.Fatal(err)
	}
	h.knows(out, "0001", "0002", "0003")
	if n := e.lost.Load(); n != 0 {
		t.Errorf("%d are lost", n)
	}
}

// TestAWorkerThatIsInACall for too long refuses the swap, and goes on.
func TestAWorkerThatIsInACall(t *testing.T) {
	h, a, out := mindfulHouse(t, "", "0001")
	h.hears(out, "timer ", "told 0001")
	e, before := h.workerOf(), h.shown()
	e.use.RLock()
	swapped := make(chan error, 1)
	go func() {
		_, err := h.linker.Swap(t.Context(), Request{
			Listener: "main", Role: RoleWorker, Ref: mindful("two"),
		})
		swapped <- err
	}()
	var err error
	h.eventually("it is refused", func() bool {
		a.ring(h.linker.cfg.BesideTimeout)
		select {
		case err = <-swapped:
			return true
		default:
			return false
		}
	})
	e.use.RUnlock()
	const say = "it is in a call that takes too long: worker-state 1 of listener main, for 2s; " +
		"nothing has changed; to do: try it again when it has less to do"
	if r := refusedAt(t, err, StepState); r != nil && !strings.Contains(r.Error(), say) {
		t.Error(r)
	}
	if got := h.shown(); got != before {
		t.Errorf("%s\nbefore\n%s", got, before)
	}
	h.accept("a", "0002")
	h.knows(out, "0001", "0002")
}

// TestAWorkersStateThatIsNotHandedOver leaves the old version as it was, with all it was told.
func TestAWorkersStateThatIsNotHandedOver(t *testing.T) {
	for _, c := range []struct{ old, next, say string }{
		{"export:trap", "", "version 1 does not give its state"},
		{"export:loop", "", "out of fuel"},
		{"export:deep", "", "too deep"},
		{"export:bomb", "", "version 1 does not give its state"},
		{"export:error", "", "I would rather not"},
		{"export:garbage", "", "breaks the contract"},
		{"export:huge", "", "at most 1000 are taken"},
		{"", "import:trap", "does not take the state of version 1"},
		{"", "import:loop", "out of fuel"},
		{"", "import:deep", "too deep"},
		{"", "import:bomb", "does not take the state of version 1"},
		{"", "import:error", "I would rather not"},
		{"", "import:garbage", "breaks the contract"},
	} {
		t.Run(c.old+c.next, func(t *testing.T) {
			h, _, out := mindfulHouse(t, c.old, "0001", "0002")
			h.hears(out, "timer ", "told 0001", "told 0002")
			before := h.shown()
			for range 2 {
				_, err := h.linker.Swap(t.Context(), Request{
					Listener: "main", Role: RoleWorker, Ref: mindful(c.next),
				})
				r := refusedAt(t, err, StepState)
				if r != nil && !strings.Contains(r.Error(), c.say) {
					t.Errorf("it says: %v", err)
				}
			}
			if got := h.shown(); got != before {
				t.Errorf("%s\nbefore\n%s", got, before)
			}
			h.accept("a", "0003")
			h.knows(out, "0001", "0002", "0003")
			if c.old == "export:huge" {
				return // no call failed
			}
			if f := h.failed(); !strings.HasSuffix(f.Function, "port-state") || f.Linked ||
				f.Count != 2 || f.FuelMax != h.linker.cfg.StateFuel {
				t.Errorf("on record is %+v", f)
			}
		})
	}
}

// TestAWorkerComesBack by a rollback or revert with what its successor knows, not twice what it had
// itself; and if it does not take that, with what it had.
func TestAWorkerComesBack(t *testing.T) {
	h, _, out := mindfulHouse(t, "", "0001")
	p := h.prepare("p", Change{Listener: "main", Role: RoleWorker, Ref: mindful("two")})
	h.commit(p)
	h.accept("a", "0002")
	if _, err := p.Revert(); err != nil {
		t.Fatal(err)
	}
	h.accept("a", "0003")
	h.knows(out, "0001", "0002", "0003")

	h, _, out = mindfulHouse(t, "import:error", "0001")
	h.hears(out, "timer ", "told 0001")
	h.swap(RoleWorker, mindful("two"))
	h.accept("a", "0002")
	if _, err := h.linker.Rollback(t.Context(), "main", RoleWorker); err != nil {
		t.Fatal(err)
	}
	h.accept("a", "0003")
	h.knows(out, "0001", "0003")
}

// TestEachWorkersStateGoesToItsHeir: two of the same component in one chain.
func TestEachWorkersStateGoesToItsHeir(t *testing.T) {
	h, _, out := mindfulHouse(t, "in=c;")
	if err := h.linker.Link(t.Context(), "main", Spec{
		RoleWorker: {mindful("in=a;"), mindful("in=b;")},
	}); err != nil {
		t.Fatal(err)
	}
	h.hears(out, "timer ", "timer ", "timer ")
	h.accept("a", "0001")
	h.hears(out, "timer ", "timer ", "timer ", "told 0001")
	h.accept("b", "0002")
	h.hears(out, "timer ", "timer ", "timer ", "told 0001", "told 0002")
	h.commit(h.prepare("p",
		Change{Listener: "main", Role: RoleWorker, Ref: mindful("in=all/#;")},
		Change{Listener: "main", Role: RoleWorker, Position: 1, Ref: mindful("in=all/#;two")}))
	h.accept("all/", "")
	h.eventually("both say", func() bool {
		all := out.all()
		return slices.Contains(all, "all 0001") && slices.Contains(all, "all 0002")
	})
}

// authenticators is a house with one who lets nobody in twice, as far as one seat knows.
func authenticators(t *testing.T, words string) *house {
	h := newHouse(t, func(c *Config) { c.HandOverTimeout, c.AuthWorkers = time.Hour, 2 })
	h.link(Spec{RoleAuthenticator: {once(words)}})
	return h
}

func once(words string) Ref { return ref("authenticator-state", "remember;"+words) }

// comes asks in that seat.
func (h *house) comes(seat int, name string) bool {
	ls := h.linker.listener("main")
	who := broker.Credentials{Identity: broker.Identity{ClientID: name, Username: name, Version: 5},
		HasUsername: true}
	ls.workers()
	return ls.auth.Load().judge(seat, &who).Reason == mqtt.Success
}

// TestAnAuthenticatorHandsOver: seat by seat, also when a canary of it begins or grows.
func TestAnAuthenticatorHandsOver(t *testing.T) {
	h := authenticators(t, "")
	if !h.comes(0, "adam") || !h.comes(1, "eve") || h.comes(0, "adam") {
		t.Fatal("it does not remember")
	}
	h.swap(RoleAuthenticator, once("two"))
	if h.comes(0, "adam") || h.comes(1, "eve") || !h.comes(1, "adam") {
		t.Error("a seat has not got its own")
	}
	p := h.prepare("p", Change{Listener: "main", Role: RoleAuthenticator, Ref: once("three")})
	if err := p.Canary(Selector{Clients: []string{"bird"}}); err != nil {
		t.Fatal(err)
	}
	if h.comes(0, "adam") || !h.comes(0, "bird") || h.comes(0, "bird") || !h.comes(0, "cain") {
		t.Error("the canary does not know, or the old one is not asked any more")
	}
	h.commit(p)
	if h.comes(0, "cain") || h.comes(0, "bird") || h.comes(1, "eve") {
		t.Error("after the commit somebody is forgotten")
	}
	for _, words := range []string{"import:trap", "import:loop"} {
		_, err := h.linker.Swap(t.Context(), Request{
			Listener: "main", Role: RoleAuthenticator, Ref: once(words),
		})
		if refusedAt(t, err, StepState); h.comes(0, "cain") || h.comes(1, "eve") {
			t.Error("the refused one took something away")
		}
	}
}

// TestWhoHasLeftIsNotAsked: a question that found the old table goes to who has the state by now.
func TestWhoHasLeftIsNotAsked(t *testing.T) {
	h := authenticators(t, "")
	ls := h.linker.listener("main")
	old := ls.table.Load()
	h.swap(RoleAuthenticator, once("two"))
	e := old.chains[RoleAuthenticator].entries[0]
	who := broker.Credentials{Identity: device, HasUsername: true}
	if _, err := e.authenticate(0, &who); !errors.Is(err, errClosedEntry) {
		t.Errorf("it answers: %v", err)
	}
	if _, err := h.linker.Rollback(t.Context(), "main", RoleAuthenticator); err != nil {
		t.Fatal(err)
	}
	if _, err := e.authenticate(0, &who); err != nil {
		t.Errorf("it is back: %v", err)
	}
}
