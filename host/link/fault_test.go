package link

import (
	"testing"
	"time"

	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// badCalls are ways to fail in a call.
var badCalls = []string{"call:trap", "call:loop", "call:deep", "call:bomb"}

func with(r Ref, f FaultPolicy) Ref { r.OnFault = f; return r }

func TestFaultsFollowThePolicy(t *testing.T) {
	for _, words := range badCalls {
		for _, f := range []FaultPolicy{FaultClosed, FaultOpen} {
			t.Run(words+" "+f.String(), func(t *testing.T) {
				h := newHouse(t, nil)
				h.link(Spec{
					RoleAuthorizer:   {with(ref("authorizer", words), f)},
					RoleTransformer:  {with(ref("transformer", words), f)},
					RoleDeduplicator: {with(ref("deduplicator", words), f)},
					RoleRouter:       {with(ref("router", words), f)},
				})
				h.everyRole(f == FaultOpen)
				for _, r := range []Role{
					RoleAuthorizer, RoleTransformer, RoleDeduplicator, RoleRouter,
				} {
					if v := h.seen(r, 0); v.Faults == 0 || v.LastFault == "" {
						t.Errorf("%s: no fault is counted", r)
					}
				}
				if !h.logged("component fault") {
					t.Error("not logged")
				}
			})
		}
	}
}

// everyRole asks each role about a message and checks that it goes on, or not.
func (h *house) everyRole(open bool) {
	h.t.Helper()
	p, now := h.linker.Policy("main", 0), h.clock.now()
	m := message("a", "x")
	var out []broker.Message
	if got := p.Authorize(now, &device, broker.ActionPublish, m.Topic, 0); (got == 0) != open {
		h.t.Errorf("authorize: %v", got)
	} else if !open && got != mqtt.ImplementationSpecificError {
		h.t.Errorf("authorize: %v", got)
	}
	verdict := broker.Keep
	if !open {
		verdict = broker.Drop
	}
	if got := p.Transform(now, broker.Upstream, &device, m, &out); got != verdict || out != nil {
		h.t.Errorf("transform: %d, %s", got, texts(out))
	}
	if got := p.Fresh(now, &device, m); got != open {
		h.t.Errorf("fresh: %v", got)
	}
	if got := p.Route(now, &device, m, &out); got != verdict || out != nil {
		h.t.Errorf("route: %d, %s", got, texts(out))
	}
	if got := p.Share("g", "a"); got != broker.RoundRobin {
		h.t.Errorf("share: %d", got)
	}
}

func TestDefaultsOfFaultPolicies(t *testing.T) {
	for r := Role(0); r < roleCount; r++ {
		want := FaultOpen
		if r == RoleAuthenticator || r == RoleAuthorizer || r == RoleCodec {
			want = FaultClosed
		}
		if got := FaultDefault.or(r); got != want {
			t.Errorf("%s: %s", r, got)
		}
	}
}

func TestGarbageIsAFault(t *testing.T) {
	for role, all := range map[Role][]string{
		RoleAuthorizer:   {"answer=2", "answer=127", "answer=768"},
		RoleDeduplicator: {"answer=3"},
		RoleRouter: {
			"garbage:reach", "garbage:outcome", "redirect=a/#;", "copy=b; copies=64", "strategy=4",
		},
		RoleTransformer: {
			"garbage:outcome", "garbage:address", "garbage:list", "garbage:length",
			"garbage:topic", "garbage:text", "garbage:qos", "topic=;", "copies=65",
		},
	} {
		for _, words := range all {
			h := newHouse(t, nil)
			h.link(Spec{role: {with(ref(role.String(), words), FaultOpen)}})
			h.everyRole(true)
			if v := h.seen(role, 0); v.Faults == 0 {
				t.Errorf("%s %q: no fault", role, words)
			}
		}
	}
}

func TestAPoisonousMessageCostsOneGuest(t *testing.T) {
	h := newHouse(t, nil)
	p := h.one(RoleAuthorizer, ref("authorizer", ""))
	ask := func(topic string) mqtt.ReasonCode {
		return p.Authorize(h.clock.now(), &device, broker.ActionPublish, []byte(topic), 0)
	}
	if got := ask("trap/x"); got != mqtt.ImplementationSpecificError {
		t.Errorf("the poison: %v", got)
	}
	if got := ask("open/x"); got != mqtt.Success {
		t.Errorf("the next message: %v; the spare must answer", got)
	}
	if v := h.seen(RoleAuthorizer, 0); v.Faults != 1 || v.Breaker != "closed" {
		t.Errorf("%+v", v)
	}
}

func TestAStormOpensTheBreaker(t *testing.T) {
	h := newHouse(t, nil)
	p := h.one(RoleTransformer, ref("transformer", "tag=v1:;"))
	up := func(topic string) broker.Verdict {
		var out []broker.Message
		return p.Transform(h.clock.now(), broker.Upstream, &device, message(topic, "x"), &out)
	}
	h.eventually("the breaker is open", func() bool {
		if up("trap/x") != broker.Keep {
			t.Fatal("not open")
		}
		return h.seen(RoleTransformer, 0).Breaker == "open"
	})
	calls := h.seen(RoleTransformer, 0).Calls
	for range 100 {
		if up("a") != broker.Keep {
			t.Fatal("the fault policy does not hold")
		}
	}
	if got := h.seen(RoleTransformer, 0).Calls; got != calls {
		t.Errorf("%d calls through an open breaker", got-calls)
	}
	h.clock.pass(h.linker.cfg.Pool.CoolDown + time.Second)
	h.eventually("it works again", func() bool { return up("a") == broker.Replace })
	h.clock.pass(h.linker.cfg.Pool.Window + time.Second)
	up("a")
	if v := h.seen(RoleTransformer, 0); v.Breaker != "closed" {
		t.Errorf("breaker %s", v.Breaker)
	}
}

func TestAFaultHurtsNobodyElse(t *testing.T) {
	h := newHouse(t, nil)
	h.link(Spec{RoleTransformer: {
		ref("transformer", "call:loop"), ref("transformer", "tag=ok:;"),
	}})
	p := h.linker.Policy("main", 0)
	for range 50 {
		var out []broker.Message
		m := message("a", "x")
		got := p.Transform(h.clock.now(), broker.Upstream, &device, m, &out)
		if got != broker.Replace || texts(out) != "a=ok:x" {
			t.Fatalf("verdict %d, %s", got, texts(out))
		}
	}
	if v := h.seen(RoleTransformer, 1); v.Faults != 0 {
		t.Errorf("the other one has %d faults", v.Faults)
	}
}

func TestAGiantMessageIsNotShown(t *testing.T) {
	h := newHouse(t, func(c *Config) { c.MessageBytesMax = 100 })
	h.link(Spec{
		RoleTransformer:  {with(ref("transformer", "tag=v1:;"), FaultClosed)},
		RoleDeduplicator: {ref("deduplicator", "answer=1")},
	})
	p := h.linker.Policy("main", 0)
	m := message("a", string(make([]byte, 100)))
	var out []broker.Message
	if got := p.Transform(h.clock.now(), broker.Upstream, &device, m, &out); got != broker.Drop {
		t.Errorf("closed transformer: %d", got)
	}
	if !p.Fresh(h.clock.now(), &device, m) {
		t.Error("open deduplicator: not fresh")
	}
	v := h.seen(RoleTransformer, 0)
	if v.Calls != 0 || v.Faults != 1 || v.Breaker != "closed" {
		t.Errorf("%+v", v)
	}
}
