package link

import (
	"fmt"
	"testing"
	"time"
)

// window is a deduplicator with state, of that name and version.
func window(t *testing.T, name string, version int, words string) Ref {
	r := remembering(words)
	r.Code = stamped(t, "deduplicator-state", fmt.Sprintf(
		`{"name":%q,"version":"%d.0.0","role":"deduplicator"}`, name, version))
	return r
}

// TestWhoDidNotGiveItsStateIsOnRecord, and not who was to take it.
func TestWhoDidNotGiveItsStateIsOnRecord(t *testing.T) {
	h := newHouse(t, func(c *Config) { c.HandOverTimeout = time.Hour })
	h.link(Spec{RoleDeduplicator: {window(t, "window", 1, "export:trap")}})
	one := h.seen(RoleDeduplicator, 0)
	_, err := h.linker.Swap(t.Context(), Request{Listener: "main", Role: RoleDeduplicator,
		Ref: window(t, "window", 2, "")})
	refusedAt(t, err, StepState)
	if f := h.failed(); f.Version != one.Version || f.Digest != one.Digest {
		t.Errorf("version %s failed in %s, on record is %s: %s", one.Version, f.Function,
			f.Version, f.Text)
	}
}

// TestRefusalsOfOneComponentPushOutNoOther from the record.
func TestRefusalsOfOneComponentPushOutNoOther(t *testing.T) {
	h := newHouse(t, func(c *Config) { c.HandOverTimeout = time.Hour })
	const components = 9
	for n := range components {
		name := fmt.Sprint("window", n)
		h.clock.pass(time.Second)
		if n == 0 {
			h.link(Spec{RoleDeduplicator: {window(t, name, n, "")}})
		}
		h.swap(RoleDeduplicator, window(t, name, n, "one"))
		_, err := h.linker.Swap(t.Context(), Request{Listener: "main", Role: RoleDeduplicator,
			Ref: window(t, name, n, "import:trap")})
		refusedAt(t, err, StepState)
	}
	if all := h.linker.Failures(); len(all) != components {
		t.Errorf("%d of %d refusals are on record, with room for %d", len(all), components,
			failuresMax)
	}
}

// TestWhoIsNotAskedIsNotMeasured: without a guest a shadow answers nothing, and takes no time.
func TestWhoIsNotAskedIsNotMeasured(t *testing.T) {
	h := newHouse(t, func(c *Config) { c.Pool.DeathsMax = 1 })
	h.link(Spec{RoleDeduplicator: {ref("deduplicator", "")}})
	pol := h.linker.Policy("main", 0)
	p := h.prepare("p", Change{Listener: "main", Role: RoleDeduplicator,
		Ref: ref("deduplicator", "call:trap")})
	if err := p.Shadow(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	defer p.Abort()
	const asked = 100
	for i := range asked {
		pol.Fresh(h.clock.now(), &device, message("a", fmt.Sprint(i)))
	}
	h.eventually("all are compared", func() bool {
		c := p.Comparison()
		return c.Failed+c.Matched+c.Differed+c.LeftOut == asked
	})
	if v := p.Comparison().Places[0]; v.Latency.Count() > v.Calls {
		t.Errorf("%d answers have a latency, of %d calls", v.Latency.Count(), v.Calls)
	}
}
