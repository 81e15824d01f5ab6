package link

import (
	"bytes"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/lite/broker"
)

// BenchmarkPayload is what passing a payload costs by its size: to a transformer whole, the
// copy and the guest's allocator; by handle to one that does not look at it, to one that reads its
// first 64 bytes and to one that reads all of it; and to a router, which gets none.
func BenchmarkPayload(b *testing.B) {
	for _, way := range []struct {
		name, words string
		above       int
	}{
		{"whole", "", math.MaxInt}, {"blind", "blind", 0}, {"look", "look", 0}, {"read", "", 0},
		{"route", "", 0},
	} {
		h := newHouse(b, func(c *Config) { c.Limits.Fuel = 50_000_000 })
		h.link(Spec{
			RoleTransformer: {ref("transformer-by-handle", way.words)},
			RoleRouter:      {ref("router", "")},
		})
		h.handles(RoleTransformer, way.above)
		for _, n := range []int{256, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 768 << 10} {
			b.Run(fmt.Sprintf("%s/%d", way.name, n), func(b *testing.B) {
				h.benchmarkPayload(b, n, way.name == "route")
			})
		}
		if v := h.seen(RoleTransformer, 0); v.Faults != 0 {
			b.Errorf("%s: %s", way.name, v.LastFault)
		}
	}
}

func (h *house) benchmarkPayload(b *testing.B, n int, route bool) {
	p, now := h.linker.Policy("main", 0), h.clock.now()
	m := message("sensors/kitchen/temperature", string(make([]byte, n)))
	var out []broker.Message
	b.ReportAllocs()
	b.SetBytes(int64(n))
	for b.Loop() {
		if route {
			p.Route(now, &device, m, &out)
		} else {
			p.Transform(now, broker.Upstream, &device, m, &out)
		}
	}
}

// TestPayloadGoesToWhoTakesIt asks a component of each role about a message with a payload that is
// easily found. The router's and authorizer's contracts have none, so it must not be in their
// memory, however large it is.
func TestPayloadGoesToWhoTakesIt(t *testing.T) {
	h := newHouse(t, nil)
	h.link(Spec{
		RoleAuthorizer: {ref("authorizer", "")}, RoleTransformer: {ref("transformer", "")},
		RoleDeduplicator: {ref("deduplicator", "")}, RoleRouter: {ref("router", "")},
	})
	p, now := h.linker.Policy("main", 0), h.clock.now()
	const mark = "a payload that is seen"
	m := message("sensors/kitchen", mark)
	var out []broker.Message
	p.Authorize(now, &device, broker.ActionPublish, m.Topic, 1)
	p.Transform(now, broker.Upstream, &device, m, &out)
	p.Fresh(now, &device, m)
	p.Route(now, &device, m, &out)
	for r, want := range map[Role]bool{
		RoleAuthorizer: false, RoleTransformer: true, RoleDeduplicator: true, RoleRouter: false,
	} {
		g := h.guest(r)
		all, _ := g.Memory().Read(0, g.Memory().Size())
		if got := bytes.Contains(all, []byte(mark)); got != want {
			t.Errorf("%s: the payload is in its memory: %v", r, got)
		}
	}
	large := message("sensors/kitchen", string(make([]byte, 2*h.linker.cfg.MessageBytesMax)))
	calls := h.seen(RoleRouter, 0).Calls
	p.Route(now, &device, large, &out)
	if got := h.seen(RoleRouter, 0).Calls - calls; got != 1 {
		t.Errorf("the router was asked %d times about a payload it does not see", got)
	}
}

// guest is that of the first component of a role of listener main.
func (h *house) guest(r Role) *wasm.Guest {
	h.t.Helper()
	e := h.linker.listener("main").table.Load().chains[r].entries[0]
	g, err := e.seats[0].pool.Guest(time.UnixMilli(h.clock.millis()))
	if err != nil {
		h.t.Fatal(err)
	}
	return g
}
