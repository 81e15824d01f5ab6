package link

import (
	"testing"

	"github.com/hpmq/hpmq/lite/broker"
)

// questions are what the kernel asks on the way of a PUBLISH, each where nothing changes.
func questions(h *house) map[string]func() {
	h.link(Spec{
		RoleAuthorizer:   {ref("authorizer", "out=none;")},
		RoleTransformer:  {ref("transformer", "")},
		RoleDeduplicator: {ref("deduplicator", "")},
		RoleRouter:       {ref("router", "")},
	})
	p, now := h.linker.Policy("main", 0), h.clock.now()
	cached := h.other("cached", Spec{RoleAuthorizer: {ref("authorizer", "how=256")}})
	unwanted := h.other("unwanted", Spec{
		RoleAuthorizer:   {ref("authorizer", "in=no;out=no;")},
		RoleTransformer:  {ref("transformer", "in=no;out=no;")},
		RoleDeduplicator: {ref("deduplicator", "in=no;out=no;")},
		RoleRouter:       {ref("router", "in=no;out=no;")},
	})
	block := h.other("block", Spec{RoleAuthorizer: {ref("authorizer-block", "")}})
	m := message("sensors/kitchen/temperature", string(make([]byte, 256)))
	var out []broker.Message
	up, down := broker.Upstream, broker.Downstream
	return map[string]func(){
		"authorize": func() { p.Authorize(now, &device, broker.ActionPublish, m.Topic, 1) },
		"authorize-cached": func() {
			cached.Authorize(now, &device, broker.ActionPublish, m.Topic, 1)
		},
		"authorize-block": func() {
			block.Authorize(now, &device, broker.ActionPublish, m.Topic, 1)
		},
		"upstream":   func() { p.Transform(now, up, &device, m, &out) },
		"downstream": func() { p.Transform(now, down, &device, m, &out) },
		"fresh":      func() { p.Fresh(now, &device, m) },
		"route":      func() { p.Route(now, &device, m, &out) },
		"share":      func() { p.Share("g", "sensors/#") },
		"unwanted": func() {
			unwanted.Authorize(now, &device, broker.ActionPublish, m.Topic, 1)
			unwanted.Transform(now, up, &device, m, &out)
			unwanted.Fresh(now, &device, m)
			unwanted.Route(now, &device, m, &out)
			unwanted.Transform(now, down, &device, m, &out)
		},
	}
}

// other links another listener.
func (h *house) other(name string, spec Spec) broker.Policy {
	h.t.Helper()
	if err := h.linker.Link(h.t.Context(), name, spec); err != nil {
		h.t.Fatal(err)
	}
	return h.linker.Policy(name, 0)
}

func TestUnchangedPathsDoNotAllocate(t *testing.T) {
	for name, ask := range questions(newHouse(t, nil)) {
		if n := testing.AllocsPerRun(200, ask); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func TestAChangedMessageDoesNotAllocate(t *testing.T) {
	h := newHouse(t, nil)
	p := h.one(RoleTransformer, ref("transformer", "tag=v1:;"))
	m, now := message("a", "payload"), h.clock.now()
	out := make([]broker.Message, 0, 4)
	n := testing.AllocsPerRun(200, func() {
		out = out[:0]
		p.Transform(now, broker.Upstream, &device, m, &out)
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAsk(b *testing.B) {
	h := newHouse(b, nil)
	all := questions(h)
	for _, name := range []string{
		"authorize", "authorize-block", "authorize-cached", "upstream",
		"downstream", "fresh", "route", "share",
		"unwanted",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(256)
			for b.Loop() {
				all[name]()
			}
		})
	}
}

func BenchmarkReplace(b *testing.B) {
	h := newHouse(b, nil)
	p := h.one(RoleTransformer, ref("transformer", "tag=v1:;"))
	m, now := message("sensors/a", string(make([]byte, 256))), h.clock.now()
	var out []broker.Message
	b.ReportAllocs()
	b.SetBytes(256)
	for b.Loop() {
		out = out[:0]
		p.Transform(now, broker.Upstream, &device, m, &out)
	}
}

func BenchmarkAuthenticate(b *testing.B) {
	h := newHouse(b, nil)
	h.link(Spec{RoleAuthenticator: {ref("authenticator", "")}})
	d := h.door()
	c := login("alice", "secret")
	b.ReportAllocs()
	b.SetBytes(int64(len("alice") + len("secret")))
	for b.Loop() {
		d.ask(c)
	}
}
