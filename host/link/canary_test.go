package link

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

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
