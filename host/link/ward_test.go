package link

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/lite/broker"
)

// budget is a house whose listeners have room for so many components of 16 MiB a guest.
func budget(t *testing.T, components int) *house {
	return newHouse(t, func(c *Config) {
		c.ListenerGuestsMax = components * (c.Pool.SparesMax + 1)
		c.ListenerMemoryBytesMax = uint64(components) * 32 << 20
	})
}

// overBudget checks that err is a refusal for the budget that says words.
func overBudget(t *testing.T, err error, words ...string) {
	t.Helper()
	var step *StepError
	if !errors.As(err, &step) || step.Step != StepBudget || step.Do == "" {
		t.Fatalf("%v", err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q is not in %v", w, err)
		}
	}
}

func (h *house) trySwap(rf Ref, position int) error {
	_, err := h.linker.Swap(context.Background(), Request{
		Listener: "main", Role: RoleTransformer, Position: position, Ref: rf,
	})
	return err
}

func TestASwapBeyondTheBudgetIsRefused(t *testing.T) {
	h := budget(t, 3)
	v1 := ref("transformer", "tag=v1:;")
	h.link(Spec{RoleTransformer: {v1, v1}})
	had := h.shown()
	// Two are linked: one more has room, beside them both, and the next has not.
	if err := h.trySwap(ref("transformer", "tag=v2:;"), 0); err != nil {
		t.Fatal(err)
	}
	after := h.shown()
	if had == after {
		t.Error("nothing was swapped")
	}
	overBudget(t, h.trySwap(ref("transformer", "tag=v3:;"), 1), "may have 6",
		"write wasm: {listener_guests_max: 8}")
	if h.shown() != after {
		t.Error("something has changed")
	}
	// Other listeners have a budget of their own.
	h.other("other", Spec{RoleTransformer: {v1, v1, v1}})
	if err := h.linker.Link(t.Context(), "third", Spec{
		RoleTransformer: {v1, v1}, RoleRouter: {ref("router", ""), ref("router", "")},
	}); err == nil {
		t.Error("a link beyond the budget")
	} else {
		overBudget(t, err, "listener third")
	}
	// What is let go of has room again.
	if err := h.linker.Unlink("other"); err != nil {
		t.Fatal(err)
	}
	h.other("other", Spec{RoleTransformer: {v1, v1, v1}})
}

func TestMemoryIsABudget(t *testing.T) {
	h := newHouse(t, func(c *Config) { c.ListenerMemoryBytesMax = 40 << 20 })
	h.one(RoleTransformer, ref("transformer", "tag=v1:;"))
	v2 := ref("transformer", "tag=v2:;")
	overBudget(t, h.trySwap(v2, 0), "may take 32MiB of memory beside 32MiB", "may take 40MiB",
		"write memory: 4MiB, or less", "listener_memory_max: 64MiB")
	v2.Limits.MemoryBytesMax = 4 << 20
	if err := h.trySwap(v2, 0); err != nil {
		t.Error(err)
	}
	if v := h.seen(RoleTransformer, 0); v.Guests != 2 || v.MemoryBytesMax != 8<<20 {
		t.Errorf("%+v", v)
	}
}

// TestACanaryCounts: its guests are there beside those that serve, until it ends.
func TestACanaryCounts(t *testing.T) {
	h := budget(t, 3)
	h.link(Spec{RoleTransformer: {ref("transformer", "tag=v1:;"), ref("transformer", "")}})
	plan := h.prepare("p1", tagging("main", 0, "v2"))
	h.canary(plan, Selector{Percent: 5})
	if ls, _ := h.linker.find("main"); ls.ward.taken.guests != 6 {
		t.Errorf("%+v", ls.ward.taken)
	}
	_, err := h.linker.Prepare(t.Context(), "p2", "", []Change{
		tagging("main", 0, "v2"), tagging("main", 1, "v2"),
	})
	if !errors.Is(err, ErrBusy) {
		t.Errorf("%v", err)
	}
	plan.Abort()
	_, err = h.linker.Prepare(t.Context(), "p3", "", []Change{
		tagging("main", 0, "v2"), tagging("main", 1, "v2"),
	})
	overBudget(t, err, "may have 6")
	// What the refused plan had made is given back.
	h.commit(h.prepare("p4", tagging("main", 1, "v2")))
	ls, _ := h.linker.find("main")
	ls.ward.mu.Lock()
	defer ls.ward.mu.Unlock()
	if ls.ward.taken.guests != 6 || ls.ward.taken.bytes != 96<<20 {
		t.Errorf("%+v", ls.ward.taken)
	}
}

// TestManySwapsKeepTheBudget: what is swapped out gives back what it had at once, though its guests
// end later.
func TestManySwapsKeepTheBudget(t *testing.T) {
	h := budget(t, 3)
	h.one(RoleTransformer, ref("transformer", "tag=v0:;"))
	h.loops.mu.Lock()
	h.loops.count = 1 // nobody turns: nothing is closed
	h.loops.mu.Unlock()
	for range 20 {
		if err := h.trySwap(ref("transformer", "tag=v1:;"), 0); err != nil {
			t.Fatal(err)
		}
	}
}

func TestARehearsalHasTheBudget(t *testing.T) {
	h := budget(t, 1)
	v1 := ref("transformer", "tag=v1:;")
	err := h.linker.Rehearse(t.Context(), []Wanted{
		{Listener: "a", Spec: Spec{RoleTransformer: {v1}}},
		{Listener: "b", Spec: Spec{RoleTransformer: {v1, v1}}},
	})
	overBudget(t, err, "listener b")
}

// TestTheBoundsCostNothing: with bounds and records in place a question allocates nothing.
func TestTheBoundsCostNothing(t *testing.T) {
	h := budget(t, 4)
	p := h.one(RoleTransformer, ref("transformer", "tag=v1:;"))
	m, now := message("a", "payload"), h.clock.now()
	out := make([]broker.Message, 0, 4)
	if n := testing.AllocsPerRun(200, func() {
		out = out[:0]
		p.Transform(now, broker.Upstream, &device, m, &out)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if all := h.linker.Failures(); len(all) != 0 {
		t.Errorf("%+v", all)
	}
}

// TestAShadowCounts: its guests are there beside those of its plan; what it fails of is on record.
func TestAShadowCounts(t *testing.T) {
	h := budget(t, 2)
	p := h.one(RoleTransformer, ref("transformer", "tag=v1:;"))
	plan := h.prepare("p1", tagging("main", 0, "v2"))
	overBudget(t, plan.Shadow(t.Context(), 1), "may have 4")
	plan.Abort()

	h = budget(t, 3)
	p = h.one(RoleTransformer, ref("transformer", "tag=v1:;"))
	plan = h.prepare("p2", Change{
		Listener: "main", Role: RoleTransformer, Ref: hostile(t, "trap"),
	})
	if err := plan.Shadow(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	h.eventually("the shadow fails", func() bool {
		h.tagged(p, &device)
		return len(h.failures(FailureTrap)) > 0
	})
	if f := h.failures(FailureTrap)[0]; !f.Shadow || f.Linked || f.Topic != "a" {
		t.Errorf("%+v", f)
	}
	plan.Abort()
	ls, _ := h.linker.find("main")
	ls.ward.mu.Lock()
	defer ls.ward.mu.Unlock()
	if ls.ward.taken.guests != 2 {
		t.Errorf("%+v", ls.ward.taken)
	}
}
