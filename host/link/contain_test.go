package link

import (
	"testing"
	"time"

	"github.com/hpmq/hpmq/lite/broker"
)

// twice is a component at main and at other, of the same bytes with the same configuration.
func twice(t *testing.T, change func(*Config)) (h *house, mine, other broker.Policy) {
	h = newHouse(t, change)
	mine = h.one(RoleTransformer, ref("transformer", "tag=v1:;"))
	return h, mine, h.other("other", Spec{RoleTransformer: {ref("transformer", "tag=v1:;")}})
}

func (h *house) passes(p broker.Policy, topic string) broker.Verdict {
	var out []broker.Message
	return p.Transform(h.clock.now(), broker.Upstream, &device, message(topic, "x"), &out)
}

// at is the component that is linked first at a listener.
func (h *house) at(listener string) ComponentView {
	for _, l := range h.linker.Show() {
		if l.Listener == listener {
			return l.Components[0]
		}
	}
	h.t.Fatalf("nothing is linked at %s", listener)
	return ComponentView{}
}

// TestABreakerIsOfAListener: the same component goes on elsewhere, asked as before.
func TestABreakerIsOfAListener(t *testing.T) {
	h, mine, other := twice(t, nil)
	for n := uint64(1); h.at("main").Breaker != "open"; n++ {
		h.passes(mine, "trap/x")
		if h.passes(other, "a") != broker.Replace || h.at("other").Calls != n {
			t.Fatal("the other one does not answer")
		}
	}
	if h.passes(mine, "a") != broker.Keep || h.passes(other, "a") != broker.Replace {
		t.Error("the breaker is not of its listener")
	}
	if v := h.at("other"); v.Breaker != "closed" || v.Faults+v.Absent+v.BreakerOpened != 0 {
		t.Errorf("%+v", v)
	}
}

// TestReplacementsAreLimitedByListener: who dies again and again is replaced as fast as the pool
// says and no faster; the same component elsewhere has all of its own.
func TestReplacementsAreLimitedByListener(t *testing.T) {
	const burst = 2
	h, mine, other := twice(t, func(c *Config) {
		c.Pool.BuildsBurst, c.Pool.BuildsPerSecond, c.Pool.DeathsMax = burst, 1, 1000
	})
	most := uint64(1 + h.linker.cfg.Pool.SparesMax + burst)
	dies := func() {
		for range 1000 {
			h.passes(mine, "trap/x")
		}
	}
	h.eventually("all are dead", func() bool { dies(); return h.at("main").Faults == most })
	if dies(); h.at("main").Faults != most || h.at("main").Absent == 0 {
		t.Errorf("%+v", h.at("main"))
	}
	h.passes(other, "trap/x")
	if h.passes(other, "a") != broker.Replace {
		t.Error("the other one has no spare")
	}
	h.clock.pass(time.Second)
	h.eventually("one more is made", func() bool { dies(); return h.at("main").Faults == most+1 })
	if dies(); h.at("main").Faults != most+1 {
		t.Errorf("%+v", h.at("main"))
	}
}

// TestTheBudgetIsOfAListener: one that has taken all of its own leaves that of others alone.
func TestTheBudgetIsOfAListener(t *testing.T) {
	h := budget(t, 2)
	v1 := ref("transformer", "tag=v1:;")
	h.link(Spec{RoleTransformer: {v1, v1}})
	other := h.other("other", Spec{RoleTransformer: {v1}})
	overBudget(t, h.trySwap(ref("transformer", "tag=v2:;"), 0), "listener main")
	if _, err := h.linker.Swap(t.Context(), Request{
		Listener: "other", Role: RoleTransformer, Ref: ref("transformer", "tag=v2:;"),
	}); err != nil || h.passes(other, "a") != broker.Replace {
		t.Errorf("the other one has no room: %v", err)
	}
}
