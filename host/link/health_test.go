package link

import (
	"testing"
	"time"
)

func TestHealthTellsRefusals(t *testing.T) {
	h := newHouse(t, nil)
	h.link(Spec{
		RoleTransformer: {ref("transformer", "")}, RoleDeduplicator: {ref("deduplicator", "")},
		RoleRouter: {ref("router", "")},
	})
	plan := h.prepare("p",
		Change{Listener: "main", Role: RoleTransformer, Ref: ref("transformer", "drop")},
		Change{Listener: "main", Role: RoleDeduplicator, Ref: ref("deduplicator", "answer=1")},
	)
	h.canary(plan, Selector{Percent: 100})
	p := h.linker.Policy("main", 0)
	h.tagged(p, &device)
	p.Fresh(h.clock.now(), &device, message("a", "x"))
	if v := plan.Health(); v.Candidate.Refused != 2 {
		t.Errorf("%d refused", v.Candidate.Refused)
	}
	h.commit(plan)
	p.Fresh(h.clock.now(), &device, message("a", "x"))
	v := plan.Health()
	if v.Candidate.Refused != 3 || v.Candidate.Latency.Count() != 1 { // each one's first is not
		t.Errorf("after the commit %d refused, %d measured", v.Candidate.Refused,
			v.Candidate.Latency.Count())
	}
	plan.Release()
	p.Fresh(h.clock.now(), &device, message("a", "x"))
	if n := measured(plan); n != 1 {
		t.Errorf("%d measured, with one after the end", n)
	}
}

func measured(p *Plan) uint64 {
	h := p.Health()
	return h.Candidate.Latency.Count()
}

// TestWhatIsAskedLittleIsMeasured long after it began: by one of 32 alone a candidate that turns
// slow would be seen late.
func TestWhatIsAskedLittleIsMeasured(t *testing.T) {
	h := newHouse(t, nil)
	p := h.one(RoleDeduplicator, ref("deduplicator", ""))
	plan := h.prepare("p", Change{
		Listener: "main", Role: RoleDeduplicator, Ref: ref("deduplicator", "answer=1")})
	h.commit(plan) // without a canary
	defer plan.Release()
	ask := func(n int) {
		for range n {
			p.Fresh(h.clock.now(), &device, message("a", "x"))
		}
	}
	ask(1) // the guest's first answer is not measured
	ask(measuredFirst + 2*measuredOf)
	before := measured(plan)
	if before != measuredFirst+2 {
		t.Errorf("%d measured", before)
	}
	ask(measuredAnew)
	if n := measured(plan); n != before+measuredAnew {
		t.Errorf("%d of %d measured after a look", n-before, measuredAnew)
	}
}

func TestHealthTellsFaultsByKind(t *testing.T) {
	for words, want := range map[string]Faults{
		"call:trap":       {Trap: 1},
		"call:loop":       {Fuel: 1},
		"call:deep":       {Depth: 1},
		"garbage:outcome": {Garbage: 1},
	} {
		h := newHouse(t, nil)
		p := h.one(RoleTransformer, ref("transformer", ""))
		plan := h.prepare("p", Change{
			Listener: "main", Role: RoleTransformer, Ref: ref("transformer", words),
		})
		h.tagged(p, &device) // before the canary: not measured
		h.canary(plan, Selector{Clients: []string{"dev2"}})
		h.tagged(p, client("dev2"))
		h.tagged(p, &device)
		v := plan.Health()
		if v.Candidate.Faults != want || v.Candidate.FaultRate() != 1 {
			t.Errorf("%s: %+v", words, v.Candidate.Faults)
		}
		if v.Active.Calls != 2 || v.Active.Faults != (Faults{}) {
			t.Errorf("%s: the active version: %+v", words, v.Active.Faults)
		}
		// The guest of the candidate is another each time, and no first answer is measured.
		if v.Active.Latency.Count() != 1 || v.Candidate.Latency.Count() != 0 {
			t.Errorf("%s: %d and %d measured", words, v.Active.Latency.Count(),
				v.Candidate.Latency.Count())
		}
		if v.Places[0].Candidate != v.Candidate || v.Places[0].Role != RoleTransformer {
			t.Errorf("%s: places %+v", words, v.Places)
		}
	}
}

func TestLatency(t *testing.T) {
	g := &gauge{}
	for _, ns := range []int64{0, 5, 1000, 1_000_000, 1 << 40} {
		i := bucketOf(ns)
		g.counts[i].Add(1)
		if end := int64(bucketEnd(i)); ns < 1<<36 && (ns >= end || end > max(ns, 4)*5/4+1) {
			t.Errorf("%d ns are counted below %d", ns, end)
		}
	}
	var l Latency
	for range 99 {
		l.counts[bucketOf(1000)]++
	}
	l.counts[bucketOf(20_000)]++
	p50, p99, most := l.Quantile(0.5), l.Quantile(0.99), l.Quantile(1)
	if p50 < 1000 || p50 > 1250 || p99 < 20_000 || most < 20_000 || most > 25_000 {
		t.Errorf("p50 %v, p99 %v, max %v", p50, p99, most)
	}
	var all, below uint64
	last := time.Duration(-1)
	l.Each(func(upTo time.Duration, n uint64) {
		if upTo < last {
			t.Errorf("%v comes after %v", upTo, last)
		}
		if all, last = all+n, upTo; upTo <= p50 {
			below += n
		}
	})
	if all != 100 || below != 99 {
		t.Errorf("%d in all, %d up to p50", all, below)
	}
}
