package link

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/hpmq/hpmq/components"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// shipped is a component that comes with the broker.
func shipped(t testing.TB, name, config string) Ref {
	t.Helper()
	code, ok := components.Default(name)
	if !ok {
		t.Fatalf("no component %s", name)
	}
	r := Ref{Use: name, Code: code, Grants: []string{"kv", "history"}}
	if config != "" {
		r.Config = json.RawMessage(config)
	}
	return r
}

// allShipped is the link of a listener that says nothing.
func allShipped(t testing.TB) Spec {
	return Spec{
		RoleAuthenticator: {shipped(t, "authenticator-file", "")},
		RoleAuthorizer:    {shipped(t, "authorizer-rules", "")},
		RoleTransformer:   {shipped(t, "transformer-json", "")},
		RoleDeduplicator:  {shipped(t, "deduplicator-window", "")},
		RoleRouter:        {shipped(t, "router-rules", "")},
	}
}

func TestTheShippedComponentsLetAMessageThrough(t *testing.T) {
	h := newHouse(t, nil)
	h.link(allShipped(t))
	c := login("", "")
	c.Identity.Address = "127.0.0.1"
	if g := h.door().ask(c); g.Reason != mqtt.Success {
		t.Errorf("anonymous on loopback: %v", g.Reason)
	}
	p, now, m := h.linker.Policy("main", 0), h.clock.now(), message("a/b", `{"t":21.5}`)
	var out []broker.Message
	if r := p.Authorize(now, &device, broker.ActionPublish, m.Topic, 1); r != mqtt.Success {
		t.Errorf("publish: %v", r)
	}
	if v := p.Transform(now, broker.Upstream, &device, m, &out); v != broker.Keep {
		t.Errorf("upstream: %v", v)
	}
	if !p.Fresh(now, &device, m) {
		t.Error("not fresh")
	}
	if v := p.Route(now, &device, m, &out); v != broker.Keep {
		t.Errorf("route: %v", v)
	}
	if s := p.Share("g", "a/#"); s != broker.RoundRobin {
		t.Errorf("share: %v", s)
	}
	for r := Role(0); r <= RoleRouter; r++ { // no worker is shipped
		v := h.seen(r, 0)
		if v.Faults != 0 || v.Version == "" || v.Name == "" {
			t.Errorf("%s: %+v", r, v)
		}
	}
}

func TestHostileComponentsAreContained(t *testing.T) {
	for _, name := range []string{"loop", "trap", "memory", "recurse", "garbage"} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, nil)
			h.link(Spec{RoleTransformer: {hostile(t, name), ref("transformer", "tag=ok:;")}})
			p := h.linker.Policy("main", 0)
			for range 20 {
				var out []broker.Message
				p.Transform(h.clock.now(), broker.Upstream, &device, message("a", "x"), &out)
				if texts(out) != "a=ok:x" {
					t.Fatalf("got %s", texts(out))
				}
			}
			if h.seen(RoleTransformer, 0).Faults == 0 || h.seen(RoleTransformer, 1).Faults != 0 {
				t.Errorf("%s", h.shown())
			}
		})
	}
}

// Garbage does not trap, so it is the linker that ends the guest; else it would be asked for ever.
func TestGarbageOpensTheBreaker(t *testing.T) {
	h := newHouse(t, nil)
	h.link(Spec{RoleTransformer: {hostile(t, "garbage"), ref("transformer", "tag=ok:;")}})
	other := h.other("other", Spec{RoleTransformer: {ref("transformer", "tag=far:;")}})
	up := func(p broker.Policy) string {
		var out []broker.Message
		p.Transform(h.clock.now(), broker.Upstream, &device, message("a", "x"), &out)
		return texts(out)
	}
	p := h.linker.Policy("main", 0)
	if up(p) != "a=ok:x" || h.seen(RoleTransformer, 0).Faults != 1 {
		t.Fatalf("%s", h.shown())
	}
	h.eventually("the breaker is open", func() bool {
		if got := up(p); got != "a=ok:x" {
			t.Fatalf("got %s", got)
		}
		if got := up(other); got != "a=far:x" {
			t.Fatalf("the other listener got %s", got)
		}
		return h.seen(RoleTransformer, 0).Breaker == "open"
	})
	bad := h.seen(RoleTransformer, 0)
	if bad.Faults != uint64(h.linker.cfg.Pool.DeathsMax) {
		t.Errorf("%d faults until it was open", bad.Faults)
	}
	for range 100 {
		up(p)
	}
	if now := h.seen(RoleTransformer, 0); now.Calls != bad.Calls {
		t.Errorf("%d calls through an open breaker", now.Calls-bad.Calls)
	}
	for _, l := range h.linker.Show() {
		for _, c := range l.Components {
			if c.Digest != bad.Digest && c.Faults != 0 {
				t.Errorf("%s of %s has faults", c.Name, l.Listener)
			}
		}
	}
}

// An endless loop is called a few times, each for one budget, and then rests.
func TestAnEndlessLoopBurnsAFewBudgets(t *testing.T) {
	h := newHouse(t, nil)
	p := h.one(RoleTransformer, hostile(t, "loop"))
	h.eventually("the breaker is open", func() bool {
		var out []broker.Message
		p.Transform(h.clock.now(), broker.Upstream, &device, message("a", "x"), &out)
		return h.seen(RoleTransformer, 0).Breaker == "open"
	})
	v := h.seen(RoleTransformer, 0)
	if most := uint64(h.linker.cfg.Pool.FuelDeathsMax); v.Calls > most {
		t.Errorf("%d calls, at most %d", v.Calls, most)
	}
}

// hostile is one of the bad guests of components/testdata.
func hostile(t testing.TB, name string) Ref {
	t.Helper()
	code, err := os.ReadFile("../../components/testdata/hostile-" + name + ".wasm")
	if err != nil {
		t.Fatal(err)
	}
	return Ref{Use: "hostile-" + name, Code: code}
}

func BenchmarkShipped(b *testing.B) {
	h := newHouse(b, nil)
	h.link(allShipped(b))
	p, now := h.linker.Policy("main", 0), h.clock.now()
	m := message("sensors/kitchen/temperature", string(make([]byte, 256)))
	var out []broker.Message
	b.ReportAllocs()
	b.SetBytes(256)
	for b.Loop() {
		p.Authorize(now, &device, broker.ActionPublish, m.Topic, 1)
		p.Transform(now, broker.Upstream, &device, m, &out)
		p.Fresh(now, &device, m)
		p.Route(now, &device, m, &out)
		p.Transform(now, broker.Downstream, &device, m, &out)
	}
}
