package link

import "testing"

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
