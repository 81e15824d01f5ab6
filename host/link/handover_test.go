package link

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hpmq/hpmq/lite/broker"
)

// remembering is a deduplicator that has its window in its own memory.
func remembering(words string) Ref { return ref("deduplicator-state", "remember;"+words) }

// fresh asks about a payload on one loop.
func (h *house) fresh(p broker.Policy, payload string) bool {
	return p.Fresh(h.clock.now(), &device, message("a", payload))
}

// TestAWindowInMemoryOutlivesSwaps: loops that never stop asking are never told that something is
// news twice, or not once, over 100 swaps.
func TestAWindowInMemoryOutlivesSwaps(t *testing.T) {
	const count, swaps, most = 2, 100, 500
	h := newHouse(t, func(c *Config) { c.Loops, c.HandOverTimeout = count, time.Hour })
	h.link(Spec{RoleDeduplicator: {remembering("")}})
	var stop atomic.Bool
	var running sync.WaitGroup
	for loop := range count {
		p := h.linker.Policy("main", loop)
		running.Go(func() {
			for n := 0; !stop.Load(); n++ {
				payload := fmt.Sprintf("%04d", n%most)
				h.loops.calls.RLock()
				fresh, again := h.fresh(p, payload), h.fresh(p, payload)
				h.loops.calls.RUnlock()
				if fresh != (n < most) || again {
					t.Errorf("loop %d, message %d: news %v, then %v", loop, n, fresh, again)
					return
				}
			}
		})
	}
	for i := range swaps {
		h.swap(RoleDeduplicator, remembering(fmt.Sprint("version ", i)))
	}
	stop.Store(true)
	running.Wait()
	if v := h.seen(RoleDeduplicator, 0); v.Faults != 0 {
		t.Errorf("%+v", v)
	}
}

// TestAStateThatIsNotHandedOver leaves the old version as it was, with the very same guests.
func TestAStateThatIsNotHandedOver(t *testing.T) {
	for _, c := range []struct{ old, next, say string }{
		{"export:trap", "", "version 1 does not give its state"},
		{"export:loop", "", "out of fuel"},
		{"export:deep", "", "too deep"},
		{"export:error", "", "I would rather not"},
		{"export:garbage", "", "breaks the contract"},
		{"export:huge", "", "at most 1000 are taken"},
		{"", "import:trap", "does not take the state of version 1"},
		{"", "import:loop", "out of fuel"},
		{"", "import:error", "I would rather not"},
	} {
		t.Run(c.old+c.next, func(t *testing.T) {
			h := newHouse(t, func(c *Config) {
				c.Loops, c.HandOverTimeout, c.StateBytesMax = 2, time.Hour, 1000
			})
			h.link(Spec{RoleDeduplicator: {remembering(c.old)}})
			mine, other := h.linker.Policy("main", 0), h.linker.Policy("main", 1)
			h.fresh(mine, "one")
			h.fresh(other, "two")
			before, guests := h.shown(), h.engine.Guests()
			_, err := h.linker.Swap(t.Context(), Request{
				Listener: "main", Role: RoleDeduplicator, Ref: remembering(c.next),
			})
			refused := refusedAt(t, err, StepState)
			if refused != nil && !strings.Contains(refused.Error(), c.say) {
				t.Errorf("it says: %v", err)
			}
			if got := h.shown(); got != before || h.engine.Guests() != guests {
				t.Errorf("%d guests, before %d:\n%s\nbefore\n%s", h.engine.Guests(), guests, got,
					before)
			}
			h.window(mine, "one", "two")
			h.window(other, "two", "one")
		})
	}
}

// window holds the window of a loop to have had the one message, and not the other.
func (h *house) window(p broker.Policy, had, not string) {
	h.t.Helper()
	if h.fresh(p, had) || !h.fresh(p, not) {
		h.t.Errorf("it forgot %s, or knows %s", had, not)
	}
}

// refusedAt is the refusal that err must be.
func refusedAt(t *testing.T, err error, step Step) *StepError {
	t.Helper()
	var refused *StepError
	if !errors.As(err, &refused) || refused.Step != step {
		t.Errorf("not refused at %s: %v", step, err)
		return nil
	}
	return refused
}

func TestAStateThatTakesTooLong(t *testing.T) {
	h := newHouse(t, func(c *Config) { c.HandOverTimeout = 1 })
	p := h.one(RoleDeduplicator, remembering(""))
	h.fresh(p, "one")
	q := Request{Listener: "main", Role: RoleDeduplicator, Ref: remembering("two")}
	_, err := h.linker.Swap(t.Context(), q)
	if refusedAt(t, err, StepState); !errors.Is(err, errLate) {
		t.Error(err)
	}
	h.loops.busy = true
	_, err = h.linker.Swap(t.Context(), q)
	if refusedAt(t, err, StepState); !strings.Contains(fmt.Sprint(err), "loop 0 is busy") {
		t.Error(err)
	}
	h.window(p, "one", "two")
}

// TestTheTimeOfAHandOverIsOne: what the loops take to come to a stop is of it.
func TestTheTimeOfAHandOverIsOne(t *testing.T) {
	h := newHouse(t, func(c *Config) { c.HandOverTimeout = 20 * time.Millisecond })
	p := h.one(RoleDeduplicator, remembering(""))
	h.fresh(p, "one")
	h.loops.slow = true
	_, err := h.linker.Swap(t.Context(), Request{
		Listener: "main", Role: RoleDeduplicator, Ref: remembering("two"),
	})
	if refusedAt(t, err, StepState); !errors.Is(err, errLate) {
		t.Error(err)
	}
	h.window(p, "one", "two")
}

// TestACanaryKnowsWhatTheOthersKnow, and keeps what it was asked itself.
func TestACanaryKnowsWhatTheOthersKnow(t *testing.T) {
	h := newHouse(t, func(c *Config) { c.HandOverTimeout = time.Hour })
	policy := h.one(RoleDeduplicator, remembering(""))
	ask := func(client, payload string) bool {
		who := device
		who.ClientID = client
		m := message("a", payload)
		m.From = client
		return policy.Fresh(h.clock.now(), &who, m)
	}
	ask("old", "1111")
	p := h.prepare("p", Change{Listener: "main", Role: RoleDeduplicator, Ref: remembering("two")})
	if err := p.Canary(Selector{Clients: []string{"bird"}}); err != nil {
		t.Fatal(err)
	}
	if ask("bird", "1111") || !ask("bird", "2222") || !ask("old", "3333") {
		t.Error("the canary does not know, or does not remember")
	}
	h.commit(p)
	for _, payload := range []string{"1111", "2222", "3333"} {
		if ask("old", payload) {
			t.Errorf("after the commit %s is news", payload)
		}
	}
	ask("old", "4444")
	if _, err := p.Revert(); err != nil {
		t.Fatal(err)
	}
	if ask("old", "2222") || ask("old", "4444") || !ask("old", "5555") {
		t.Error("the way back lost something")
	}
}

// TestAStateThatTheOldOneDoesNotTakeBack does not keep it from coming back.
func TestAStateThatTheOldOneDoesNotTakeBack(t *testing.T) {
	h := newHouse(t, func(c *Config) { c.HandOverTimeout = time.Hour })
	policy := h.one(RoleDeduplicator, remembering("import:error"))
	h.fresh(policy, "one")
	h.swap(RoleDeduplicator, remembering("new"))
	h.fresh(policy, "two")
	if _, err := h.linker.Rollback(context.Background(), "main", RoleDeduplicator); err != nil {
		t.Fatal(err)
	}
	h.window(policy, "one", "two")
	if !h.logged("goes on with the state it had") {
		t.Error("nobody was told")
	}
}

// TestNothingIsHandedOverToAnother component, nor by one that does not know how.
func TestNothingIsHandedOverToAnother(t *testing.T) {
	h := newHouse(t, func(c *Config) { c.HandOverTimeout = 1 })
	policy := h.one(RoleDeduplicator, remembering("export:trap"))
	h.swap(RoleDeduplicator, ref("deduplicator", ""))
	h.swap(RoleDeduplicator, remembering(""))
	if !h.fresh(policy, "one") {
		t.Error("it knows something")
	}
}

// TestEachListenersStateIsItsOwn: one change of two listeners, and of two places in one chain.
func TestEachListenersStateIsItsOwn(t *testing.T) {
	h := newHouse(t, func(c *Config) { c.HandOverTimeout = time.Hour })
	mine := h.one(RoleDeduplicator, remembering(""))
	other := h.other("other", Spec{RoleDeduplicator: {remembering("")}})
	h.fresh(mine, "one")
	h.fresh(other, "two")
	h.commit(h.prepare("p",
		Change{Listener: "main", Role: RoleDeduplicator, Ref: remembering("b")},
		Change{Listener: "other", Role: RoleDeduplicator, Ref: remembering("b")}))
	h.window(mine, "one", "two")
	h.window(other, "two", "one")
}
