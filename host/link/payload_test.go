package link

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/lite/broker"
)

// BenchmarkPayload is what passing a payload costs by its size, to a transformer that does not look
// at it: the copy and the guest's allocator.
func BenchmarkPayload(b *testing.B) {
	h := newHouse(b, nil)
	h.link(Spec{RoleTransformer: {ref("transformer", "")}, RoleRouter: {ref("router", "")}})
	p, now := h.linker.Policy("main", 0), h.clock.now()
	for _, n := range []int{256, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 768 << 10} {
		m := message("sensors/kitchen/temperature", string(make([]byte, n)))
		var out []broker.Message
		b.Run(fmt.Sprintf("upstream/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(n))
			for b.Loop() {
				p.Transform(now, broker.Upstream, &device, m, &out)
			}
		})
		b.Run(fmt.Sprintf("route/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(n))
			for b.Loop() {
				p.Route(now, &device, m, &out)
			}
		})
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
