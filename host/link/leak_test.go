package link

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/hpmq/hpmq/lite/broker"
)

// guests is how many guests the tables call for: two a seat, of what is linked and what a rollback
// would bring back.
func (h *house) wantedGuests() int {
	h.linker.mu.Lock()
	defer h.linker.mu.Unlock()
	n := 0
	for _, ls := range h.linker.listeners {
		for _, e := range ls.table.Load().entries(nil) {
			n += len(e.seats) * (h.linker.cfg.Pool.SparesMax + 1)
		}
	}
	return n
}

// TestNoGuestIsLeft changes links at random, well and badly, with guests that die in between. What
// fails prints its seed.
func TestNoGuestIsLeft(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	h := newHouse(t, func(c *Config) {
		c.Loops, c.AuthWorkers = 2, 2
		c.Pool.DeathsMax, c.Pool.FuelDeathsMax = 1<<20, 1<<20
		c.Pool.BuildsPerSecond, c.Pool.BuildsBurst = 1e6, 1<<20
	})
	words := []string{"", "call:trap", "configure:trap", "configure:error", "call:loop"}
	pick := func() Ref { return ref("transformer", words[r.IntN(len(words))]) }
	for i := range 150 {
		name := fmt.Sprintf("l%d", r.IntN(3))
		ctx := t.Context()
		switch r.IntN(8) {
		case 0:
			_ = h.linker.Unlink(name)
		case 1, 2:
			_ = h.linker.Link(ctx, name, Spec{
				RoleAuthenticator: {ref("authenticator", "")}, RoleTransformer: {pick(), pick()},
			})
		case 3, 4, 5:
			_, _ = h.linker.Swap(ctx, Request{
				Listener: name, Role: RoleTransformer, Position: r.IntN(3), Ref: pick(),
			})
		case 6:
			_, _ = h.linker.Rollback(ctx, name, RoleTransformer)
		default:
			var out []broker.Message
			h.linker.Policy(name, 0).Transform(
				h.clock.now(), broker.Upstream, &device, message("a", "x"), &out)
		}
		if i%10 == 0 {
			h.settled(seed, i)
		}
	}
	for i := range 3 {
		_ = h.linker.Unlink(fmt.Sprintf("l%d", i))
	}
	h.eventually("all guests are closed", func() bool { return h.engine.Guests() == 0 })
}

// settled waits until there are as many guests as there should be: fewer while one is replaced.
func (h *house) settled(seed uint64, step int) {
	h.t.Helper()
	h.eventually(fmt.Sprintf("guests settle in step %d of seed %d", step, seed), func() bool {
		return h.engine.Guests() <= h.wantedGuests()
	})
}

// Answers about long names are not worth the memory.
func TestLongKeysAreNotRemembered(t *testing.T) {
	h := newHouse(t, nil)
	h.link(Spec{
		RoleAuthorizer: {ref("authorizer", "how=256")}, RoleRouter: {ref("router", "")},
	})
	p := h.linker.Policy("main", 0).(*policy)
	long := string(make([]byte, rememberedBytesMax+1))
	named := device
	named.Username = long
	for range 3 {
		p.Authorize(h.clock.now(), &device, broker.ActionPublish, []byte(long), 0)
		p.Authorize(h.clock.now(), &named, broker.ActionPublish, []byte("a"), 0)
		p.Share("g", long)
	}
	if n := h.seen(RoleAuthorizer, 0).Calls; n != 6 || len(p.decisions.young) != 0 {
		t.Errorf("%d calls, %d remembered", n, len(p.decisions.young))
	}
	if n := h.seen(RoleRouter, 0).Calls; n != 3 || len(p.shares.known) != 0 {
		t.Errorf("%d calls, %d remembered", n, len(p.shares.known))
	}
}
