package sim

import (
	"fmt"
	"strings"

	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// guests are the components of the listener: they deny, drop and change messages as chance has it,
// are swapped for a new version at any time, and trap for a while, in which they let nothing or
// everything through. What they did to a message stands in the message.
type guests struct {
	w       *world
	since   []broker.Time // each version
	broken  broker.Time   // they trap until then
	lenient bool          // a trap lets through
	turns   broker.Strategy
	noted   []bool // by kernel, since its last write
}

func newGuests(w *world, kernels int) *guests {
	return &guests{
		w: w, since: []broker.Time{w.now}, lenient: w.often(2),
		turns: broker.Strategy(w.rnd.IntN(4)), noted: make([]bool, kernels),
	}
}

// swap puts the next version in place.
func (g *guests) swap() {
	if !g.w.calm {
		g.since = append(g.since, g.w.now)
		g.w.count.Swaps++
		g.w.trace("guests are swapped for version %d", len(g.since)-1)
	}
}

// trap breaks them for a while.
func (g *guests) trap() {
	if !g.w.calm {
		g.broken = g.w.now + g.w.upTo(100)
		g.w.count.Traps++
		g.w.trace("guests trap, lenient %t", g.lenient)
	}
}

// refuse says if this call ends in no, as one in n does, or all while they trap.
func (g *guests) refuse(n int) bool {
	switch {
	case g.w.calm:
		return false
	case g.w.now < g.broken:
		return !g.lenient
	}
	return g.w.often(n)
}

// Authorize implements broker.Policy.
func (g *guests) Authorize(
	_ broker.Time, _ *broker.Identity, a broker.Action, _ []byte, _ mqtt.QoS,
) mqtt.ReasonCode {
	if a != broker.ActionPublish || !g.refuse(40) {
		return mqtt.Success
	}
	if g.w.current != nil {
		g.deny(g.w.current)
	}
	return mqtt.NotAuthorized
}

func (g *guests) deny(m *message) {
	m.denied = true
	g.w.count.Denied++
}

// Transform implements broker.Policy.
func (g *guests) Transform(
	_ broker.Time, d broker.Direction, who *broker.Identity, m *broker.Message,
	out *[]broker.Message,
) broker.Verdict {
	x := g.w.message(m.Payload)
	switch {
	case x == nil:
		return broker.Keep
	case g.refuse(60) && d == broker.Upstream:
		g.deny(x)
		return broker.Drop
	case d == broker.Downstream && x.topic[0] != 's' && g.refuse(60):
		x.withhold(who.ClientID)
		return broker.Drop
	case !g.w.often(3):
		return broker.Keep
	}
	c := *m
	c.Payload = x.payload(len(g.since))
	*out = append(*out, c)
	return broker.Replace
}

// Fresh implements broker.Policy.
func (g *guests) Fresh(_ broker.Time, _ *broker.Identity, m *broker.Message) bool {
	if x := g.w.message(m.Payload); x != nil && g.refuse(60) {
		g.deny(x)
		return false
	}
	return true
}

// Route implements broker.Policy.
func (g *guests) Route(
	_ broker.Time, _ *broker.Identity, m *broker.Message, out *[]broker.Message,
) broker.Verdict {
	x := g.w.message(m.Payload)
	switch {
	case x == nil:
		return broker.Keep
	case g.refuse(60):
		g.deny(x)
		return broker.Drop
	}
	x.passed = true
	if !g.w.often(4) {
		return broker.Keep
	}
	*out = append(*out, *m)
	return broker.Replace
}

// Share implements broker.Policy.
func (g *guests) Share(string, string) broker.Strategy { return g.turns }

// note has guests note something about one PUBLISH of three that kernel i has judged: it goes with
// the kernel's next write.
func (g *guests) note(i int, cfg *broker.Config) {
	cfg.Noted = func() bool { return g.noted[i] }
	cfg.Judging = func(on bool) { g.noted[i] = on && g.w.often(3) }
}

// checkGuests: m went through guests that were in force on its way, and past none that denied it.
func (c *client) checkGuests(m *message, payload []byte) {
	g := c.w.guests
	if g == nil {
		return
	}
	if !m.passed {
		c.w.fail("%s: %v came past the guests that denied it", c.id, m)
	}
	var n, version int
	if _, err := fmt.Sscanf(string(payload), "#%d v%d ", &n, &version); err != nil {
		c.w.fail("%s: payload %q", c.id, payload)
	}
	if version == 0 {
		return // none changed it
	}
	over := version < len(g.since) && g.since[version] < m.sent
	if version > len(g.since) || over {
		c.w.fail("%s: %v was changed by guests that were not in force", c.id, m)
	}
}

// withhold notes that a client is not to get m.
func (m *message) withhold(client string) {
	if m.withheld == nil {
		m.withheld = map[string]bool{}
	}
	m.withheld[client] = true
}

// payload names m and the version of the guests that changed it, 0 for none.
func (m *message) payload(version int) []byte {
	return fmt.Appendf(nil, "#%d v%d %s", m.n, version, strings.Repeat(".", m.n*7%50))
}
