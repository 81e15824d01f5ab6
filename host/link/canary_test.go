package link

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

func (h *house) canary(p *Plan, s Selector) {
	h.t.Helper()
	if err := p.Canary(s); err != nil {
		h.t.Fatal(err)
	}
}

func client(name string) *broker.Identity {
	who := device
	who.ClientID = name
	return &who
}

// clients are many.
func clients() (all []*broker.Identity) {
	for i := range 1000 {
		all = append(all, client(fmt.Sprintf("sensor-%04d", i)))
	}
	return all
}

// tag is the version that answers a client.
func (h *house) tag(p broker.Policy, who *broker.Identity) string {
	tag, _, _ := strings.Cut(strings.TrimPrefix(h.tagged(p, who), "a="), ":")
	return tag
}

func TestACanaryGrowsAndNobodyGoesBack(t *testing.T) {
	h := newHouse(t, nil)
	p := h.one(RoleTransformer, ref("transformer", "tag=v1:;"))
	plan := h.prepare("p1", tagging("main", 0, "v2"))
	has := map[string]bool{}
	for _, step := range []struct {
		percent    float64
		least, max int
	}{{1, 2, 25}, {5, 30, 75}, {5, 30, 75}, {50, 440, 560}, {100, 1000, 1000}} {
		h.canary(plan, Selector{Percent: step.percent})
		n := 0
		for _, who := range clients() {
			switch got := h.tag(p, who); {
			case got == "v2":
				has[who.ClientID] = true
				n++
			case got != "v1" || has[who.ClientID]:
				t.Fatalf("%v %%: %s answers %s", step.percent, got, who.ClientID)
			}
		}
		if n < step.least || n > step.max {
			t.Errorf("%v %% are %d of 1000", step.percent, n)
		}
	}
	if g := h.linker.Show()[0].Generation; g != 1 {
		t.Errorf("a canary changed the link to generation %d", g)
	}
	h.commit(plan)
	for who := range has {
		if got := h.tag(p, client(who)); got != "v2" {
			t.Fatalf("committed: %s answers", got)
		}
	}
	plan.Release()
}

func TestAnAbortedCanaryLeavesNothing(t *testing.T) {
	h := newHouse(t, nil)
	p := h.one(RoleTransformer, ref("transformer", "tag=v1:;"))
	guests := h.engine.Guests()
	plan := h.prepare("p1", tagging("main", 0, "v2"))
	h.canary(plan, Selector{Percent: 100})
	if got := h.tag(p, &device); got != "v2" {
		t.Errorf("in the canary: %s", got)
	}
	plan.Abort()
	if got := h.tag(p, &device); got != "v1" {
		t.Errorf("aborted: %s", got)
	}
	h.eventually("the candidate is closed", func() bool { return h.engine.Guests() == guests })
	if err := plan.Canary(Selector{Percent: 1}); !errors.Is(err, ErrPlanOver) {
		t.Errorf("canary of an aborted plan: %v", err)
	}
	if plan.Health().Candidate.Calls != 1 {
		t.Errorf("health of an aborted plan: %+v", plan.Health().Candidate.Calls)
	}
	h.swap(RoleTransformer, ref("transformer", "tag=v3:;"))
	next := h.prepare("p2", tagging("main", 0, "v4"))
	h.canary(next, Selector{Percent: 100})
	if err := h.linker.Unlink("main"); err != nil {
		t.Fatal(err)
	}
	h.eventually("all is closed", func() bool { return h.engine.Guests() == 0 })
}

func TestSelectors(t *testing.T) {
	far := device
	far.Tenant = "far"
	for _, c := range []struct {
		s            Selector
		who          *broker.Identity
		topic        string
		subscription bool
		want         bool
	}{
		{Selector{Clients: []string{"dev1"}}, &device, "a", false, true},
		{Selector{Clients: []string{"dev2"}}, &device, "a", false, false},
		{Selector{Tenants: []string{"far"}}, &far, "a", false, true},
		{Selector{Tenants: []string{"far"}}, &device, "a", false, false},
		{Selector{Filters: []string{"a/+"}}, &device, "a/b", false, true},
		{Selector{Filters: []string{"a/+"}}, &device, "b", false, false},
		{Selector{Filters: []string{"a/+"}}, &device, "#", true, true},
		{Selector{Filters: []string{"a/+"}}, &device, "$share/g/a/b", true, true},
		{Selector{Filters: []string{"a/+"}}, &device, "b/#", true, false},
		{Selector{Tenants: []string{"x"}, Filters: []string{"a"}}, &far, "a", false, true},
		{Selector{Tenants: []string{"far"}, Filters: []string{"a"}}, &far, "b", false, true},
		{Selector{Tenants: []string{"far"}, Filters: []string{"a"}, All: true}, &far, "b", false,
			false},
		{Selector{Tenants: []string{"far"}, Filters: []string{"a"}, All: true}, &far, "a", false,
			true},
		{Selector{Percent: 100, Clients: []string{"dev2"}, All: true}, &device, "a", false, false},
	} {
		s, err := c.s.ready("p")
		if err != nil {
			t.Fatal(err)
		}
		if got := s.has(c.who, []byte(c.topic), c.subscription); got != c.want {
			t.Errorf("%v: %s about %s: %v", &c.s, c.who.ClientID, c.topic, got)
		}
	}
	for _, bad := range []Selector{
		{}, {Percent: -1}, {Percent: 101}, {Percent: 0.001}, {Filters: []string{"a#"}},
		{Clients: make([]string, NamesMax+1)},
	} {
		if _, err := bad.ready("p"); err == nil {
			t.Errorf("%v is taken", &bad)
		}
	}
}

func TestWhichSelectorIsWider(t *testing.T) {
	ab, a := []string{"a", "b"}, []string{"a"}
	for _, c := range []struct {
		wide, narrow Selector
		want         bool
	}{
		{Selector{Percent: 10}, Selector{Percent: 5}, true},
		{Selector{Percent: 5}, Selector{Percent: 10}, false},
		{Selector{Percent: 100}, Selector{Clients: a}, true},
		{Selector{Percent: 99}, Selector{Clients: a}, false},
		{Selector{Percent: 5, Clients: a}, Selector{Clients: a}, true},
		{Selector{Percent: 5, Clients: a, All: true}, Selector{Clients: a}, false},
		{Selector{Clients: a}, Selector{Percent: 5, Clients: a, All: true}, true},
		{Selector{Clients: ab}, Selector{Clients: a}, true},
		{Selector{Clients: a}, Selector{Clients: ab}, false},
		{Selector{Tenants: ab}, Selector{Tenants: a, Clients: a}, false},
		{Selector{Tenants: ab, Clients: a, All: true}, Selector{Tenants: a, Clients: a, All: true},
			true},
		{Selector{Tenants: ab, Clients: a}, Selector{Tenants: a, Clients: a, All: true}, false},
		{Selector{Filters: []string{"a/#"}}, Selector{Filters: []string{"a/+/b", "a"}}, true},
		{Selector{Filters: []string{"a/+"}}, Selector{Filters: []string{"a/#"}}, false},
		{Selector{Filters: []string{"+/b"}}, Selector{Filters: []string{"a/b"}}, true},
		{Selector{Filters: []string{"+/b"}}, Selector{Filters: []string{"$a/b"}}, false},
		{Selector{Filters: []string{"a"}}, Selector{Filters: []string{"a/b"}}, false},
	} {
		if got := c.wide.covers(&c.narrow); got != c.want {
			t.Errorf("%v covers %v: %v", &c.wide, &c.narrow, got)
		}
	}
}

func TestWhereNoCanaryCanBe(t *testing.T) {
	h := newHouse(t, nil)
	h.link(Spec{RoleTransformer: {ref("transformer", "")}})
	all := Selector{Percent: 100}
	worker := ref("worker", "")
	worker.Grants = []string{"publish"}
	for name, c := range map[string]struct {
		change Change
		s      Selector
		says   string
	}{
		"codec": {
			Change{Listener: "main", Role: RoleCodec, Ref: ref("codec", "")}, all, "a codec",
		},
		"worker": {Change{Listener: "main", Role: RoleWorker, Ref: worker}, all, "a worker"},
		"nobody": {tagging("main", 0, ""), Selector{}, "nobody is selected"},
		"an authenticator by tenant": {
			Change{Listener: "main", Role: RoleAuthenticator, Ref: ref("authenticator", "")},
			Selector{Tenants: []string{"far"}}, "no tenant or topic yet",
		},
	} {
		p := h.prepare("p", c.change)
		err := p.Canary(c.s)
		if !errors.Is(err, ErrNoCanary) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
		if _, on := p.Selector(); on {
			t.Errorf("%s: a canary is on", name)
		}
		p.Abort()
	}
	p := h.prepare("p", tagging("main", 0, ""))
	h.canary(p, Selector{Percent: 50})
	if err := p.Canary(Selector{Percent: 10}); !errors.Is(err, ErrNoCanary) {
		t.Errorf("a narrower one: %v", err)
	}
	if s, on := p.Selector(); !on || s.Percent != 50 {
		t.Errorf("%+v, %v", s, on)
	}
}

// Clients of both sides take turns: each side remembers what its own authorizer said.
func TestBothSidesOfACanaryRemember(t *testing.T) {
	h := newHouse(t, nil)
	h.link(Spec{RoleAuthorizer: {ref("authorizer", "how=256")}, RoleRouter: {ref("router", "")}})
	p := h.linker.Policy("main", 0)
	plan := h.prepare("p", Change{
		Listener: "main", Role: RoleAuthorizer, Ref: ref("authorizer", "how=256;answer=135;"),
	})
	one, two := client("one"), client("two")
	h.canary(plan, Selector{Clients: []string{"two"}})
	for range 100 {
		if p.Authorize(h.clock.now(), one, broker.ActionPublish, []byte("a"), 0) != mqtt.Success {
			t.Fatal("the active version denies")
		}
		if p.Authorize(h.clock.now(), two, broker.ActionPublish, []byte("a"), 0) == mqtt.Success {
			t.Fatal("the candidate allows")
		}
	}
	v := plan.Health()
	if v.Active.Calls != 1 || v.Candidate.Calls != 1 || v.Candidate.Refused != 1 {
		t.Errorf("%d and %d calls, %d refused", v.Active.Calls, v.Candidate.Calls,
			v.Candidate.Refused)
	}
}

// A plan that leaves the authorizers as they are leaves what they answered.
func TestACanaryOfAnotherRoleForgetsNothing(t *testing.T) {
	h := newHouse(t, nil)
	h.link(Spec{
		RoleAuthorizer: {ref("authorizer", "how=256")}, RoleTransformer: {ref("transformer", "")},
	})
	p := h.linker.Policy("main", 0)
	ask := func() { p.Authorize(h.clock.now(), &device, broker.ActionPublish, []byte("a"), 0) }
	ask()
	plan := h.prepare("p", tagging("main", 0, "v2"))
	h.canary(plan, Selector{Percent: 100})
	ask()
	h.commit(plan)
	ask()
	if n := h.seen(RoleAuthorizer, 0).Calls; n != 1 {
		t.Errorf("%d calls", n)
	}
}

func TestAuthenticatorsInACanary(t *testing.T) {
	h := newHouse(t, nil)
	h.link(Spec{RoleAuthenticator: {ref("authenticator", "")}})
	d := h.door()
	plan := h.prepare("p", Change{
		Listener: "main", Role: RoleAuthenticator, Ref: ref("authenticator", "only-local"),
	})
	h.canary(plan, Selector{Clients: []string{"dev2"}})
	old, chosen := login("alice", "secret"), login("alice", "secret")
	chosen.Identity.ClientID = "dev2"
	if g := d.ask(old); g.Reason != mqtt.Success {
		t.Errorf("the active version: %+v", g)
	}
	if g := d.ask(chosen); g.Reason != mqtt.NotAuthorized {
		t.Errorf("the candidate: %+v", g)
	}
	plan.Abort()
	if g := d.ask(chosen); g.Reason != mqtt.Success {
		t.Errorf("aborted: %+v", g)
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

// While a canary is on, and for either side, nothing is allocated.
func TestACanaryDoesNotAllocate(t *testing.T) {
	h := newHouse(t, nil)
	all := questions(h)
	plan := h.prepare("p", tagging("main", 0, "v2"), Change{
		Listener: "main", Role: RoleAuthorizer, Ref: ref("authorizer", "out=none;"),
	})
	for _, s := range []Selector{{Clients: []string{"dev2"}}, {Percent: 100}} {
		h.canary(plan, s)
		for name, ask := range all {
			if name == "upstream" || name == "downstream" {
				continue // what they are changed to is kept by the test
			}
			if n := testing.AllocsPerRun(200, ask); n != 0 {
				t.Errorf("%s: %v allocations", name, n)
			}
		}
	}
}

// No session sees a version and then an older one, while plans become canaries, grow and commit.
func TestCanariesUnderCalls(t *testing.T) {
	const count, plans = 3, 12
	h := newHouse(t, func(c *Config) { c.Loops = count })
	h.loops.count = count
	h.link(Spec{RoleTransformer: {ref("transformer", "tag=000:;")}})
	var stop atomic.Bool
	var running sync.WaitGroup
	for i := range count {
		running.Go(func() { h.sessions(i, &stop) })
	}
	for i := 1; i <= plans; i++ {
		p := h.prepare(number(i), tagging("main", 0, number(i)))
		for _, percent := range []float64{5, 30, 60} {
			h.canary(p, Selector{Percent: percent})
			h.eventually("the candidate or the active one was asked", func() bool {
				v := p.Health()
				return v.Active.Calls+v.Candidate.Calls > 0
			})
		}
		h.commit(p)
		p.Release()
	}
	stop.Store(true)
	running.Wait()
	h.eventually("only what is linked and its rollback are left", func() bool {
		for i := range count {
			h.loops.turn(i)
		}
		return h.engine.Guests() == h.wantedGuests()
	})
}

// sessions is a loop with some sessions.
func (h *house) sessions(i int, stop *atomic.Bool) {
	p := h.linker.Policy("main", i)
	var all [8]*broker.Identity
	var last [len(all)]string
	for k := range all {
		all[k] = client(fmt.Sprintf("loop-%d-session-%d", i, k))
	}
	for !stop.Load() {
		for k, who := range all {
			got := h.tag(p, who)
			if got < last[k] || len(got) != len("000") {
				h.t.Errorf("%s: %q after %q", who.ClientID, got, last[k])
				return
			}
			last[k] = got
		}
		h.loops.turn(i)
	}
	h.loops.turn(i)
}

// BenchmarkCanary is BenchmarkAsk beside a canary, of who is not in it and of who is.
func BenchmarkCanary(b *testing.B) {
	h := newHouse(b, nil)
	all := questions(h)
	plan := h.prepare("p",
		Change{Listener: "main", Role: RoleDeduplicator, Ref: ref("deduplicator", "")},
		Change{Listener: "main", Role: RoleAuthorizer, Ref: ref("authorizer", "out=none;")})
	for _, side := range []struct {
		name string
		s    Selector
	}{{"active", Selector{Clients: []string{"dev2"}}}, {"candidate", Selector{Percent: 100}}} {
		h.canary(plan, side.s)
		for _, name := range []string{"authorize", "fresh"} {
			b.Run(side.name+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(256)
				for b.Loop() {
					all[name]()
				}
			})
		}
	}
}
