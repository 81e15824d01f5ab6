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
	for r := Role(0); r < roleCount; r++ {
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
			code, err := os.ReadFile("../../components/testdata/hostile-" + name + ".wasm")
			if err != nil {
				t.Fatal(err)
			}
			hostile := Ref{Use: "hostile-" + name, Code: code}
			h.link(Spec{RoleTransformer: {hostile, ref("transformer", "tag=ok:;")}})
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
