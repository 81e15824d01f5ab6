package link

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/lite/broker"
)

// shadowed links old and has next be its shadow.
func (h *house) shadowed(r Role, old, next Ref) (*Plan, broker.Policy) {
	h.t.Helper()
	h.link(Spec{r: {old}})
	p := h.prepare("p", Change{Listener: "main", Role: r, Ref: next})
	if err := p.Shadow(h.t.Context(), 1); err != nil {
		h.t.Fatal(err)
	}
	return p, h.linker.Policy("main", 0)
}

// compared waits until so many questions are compared.
func (h *house) compared(p *Plan, n uint64) Comparison {
	h.t.Helper()
	var c Comparison
	h.eventually("the shadow has answered", func() bool {
		c = p.Comparison()
		return c.Matched+c.Differed+c.Failed >= n
	})
	return c
}

func TestAShadowComparesAnswers(t *testing.T) {
	plain := message("a", "x")
	up := func(p broker.Policy, h *house, m *broker.Message) {
		var out []broker.Message
		p.Transform(h.clock.now(), broker.Upstream, &device, m, &out)
	}
	transform := func(p broker.Policy, h *house) { up(p, h, plain) }
	for name, c := range map[string]struct {
		role      Role
		old, next string
		ask       func(broker.Policy, *house)
		alike     bool
		says      []string
	}{
		"unchanged":     {RoleTransformer, "", "", transform, true, nil},
		"changed alike": {RoleTransformer, "tag=v1:;", "tag=v1:;out=b;", transform, true, nil},
		"changed": {RoleTransformer, "", "tag=v2:;", transform, false,
			[]string{`a (QoS 1) "x"`, `a (QoS 1) "v2:x"`}},
		"dropped": {RoleTransformer, "", "drop", transform, false, []string{`"x"`, "drop"}},
		"unwanted": {RoleTransformer, "tag=v1:;", "in=b;tag=v1:;", transform, false,
			[]string{`"v1:x"`, `"x"`}},
		"copies": {RoleTransformer, "copies=2", "copies=3", transform, false, []string{`"x" a`}},
		"trap":   {RoleTransformer, "", "call:trap", transform, false, []string{"", "failed: "}},
		"verdict": {RoleAuthorizer, "", "answer=135;", func(p broker.Policy, h *house) {
			p.Authorize(h.clock.now(), &device, broker.ActionPublish, []byte("a"), 0)
		}, false, []string{"allow", "deny 0x87"}},
		"freshness": {RoleDeduplicator, "", "answer=1;", func(p broker.Policy, h *house) {
			p.Fresh(h.clock.now(), &device, plain)
		}, false, []string{"news", "repeated"}},
		"route": {RoleRouter, "redirect=b;", "redirect=c;", func(p broker.Policy, h *house) {
			var out []broker.Message
			p.Route(h.clock.now(), &device, plain, &out)
		}, false, []string{"send", " c (QoS 1)"}},
	} {
		h := newHouse(t, nil)
		p, policy := h.shadowed(c.role, ref(c.role.String(), c.old), ref(c.role.String(), c.next))
		c.ask(policy, h)
		got := h.compared(p, 1)
		if alike := got.Matched == 1; alike != c.alike || got.Places[0].Latency.Count() != 0 {
			t.Errorf("%s: %+v", name, got.Differences)
		}
		for i, text := range c.says {
			d := got.Differences[0]
			if !strings.Contains([]string{d.Active, d.Candidate}[i], text) || d.Topic != "a" {
				t.Errorf("%s: %+v", name, d)
			}
		}
		c.ask(policy, h) // the first answer of a guest is not measured
		v := h.compared(p, 2).Places[0]
		if n, failed := v.Latency.Count(), v.Faults.Sum(); n+failed/2 != 1 && name != "unwanted" ||
			v.Calls != 2 || failed != got.Failed*2 {
			t.Errorf("%s: %d measured, %+v in %d calls", name, n, v.Faults, v.Calls)
		}
		if got.Failed == 0 && (got.Active == 0 || got.Candidate == 0 && name != "unwanted") {
			t.Errorf("%s: fuel %d and %d", name, got.Active, got.Candidate)
		}
		p.Abort()
	}
}

// TestAShadowIsAskedWhatTheOtherIsNot, where it wants: what becomes of it differs. What that takes
// is held against nothing.
func TestAShadowIsAskedWhatTheOtherIsNot(t *testing.T) {
	m := message("a", "x")
	for role, c := range map[Role]struct {
		next, had, now string
		ask            func(broker.Policy, *house)
	}{
		RoleTransformer: {"tag=v2:;", `a (QoS 1) "x"`, `a (QoS 1) "v2:x"`,
			func(p broker.Policy, h *house) {
				var out []broker.Message
				p.Transform(h.clock.now(), broker.Upstream, &device, m, &out)
			}},
		RoleAuthorizer: {"answer=135;", "allow", "deny 0x87", func(p broker.Policy, h *house) {
			p.Authorize(h.clock.now(), &device, broker.ActionPublish, []byte("a"), 0)
		}},
		RoleDeduplicator: {"answer=1;", "news", "repeated", func(p broker.Policy, h *house) {
			p.Fresh(h.clock.now(), &device, m)
		}},
		RoleRouter: {"redirect=c;", "deliver", `send c (QoS 1) "x"`,
			func(p broker.Policy, h *house) {
				var out []broker.Message
				p.Route(h.clock.now(), &device, m, &out)
			}},
	} {
		h := newHouse(t, nil)
		p, policy := h.shadowed(role, ref(role.String(), "in=b;"), ref(role.String(), c.next))
		for range 3 {
			c.ask(policy, h)
		}
		got := h.compared(p, 3)
		d, v := got.Differences[0], got.Places[0]
		if d.Active != c.had || d.Candidate != c.now || d.Topic != "a" || got.Differed != 3 {
			t.Errorf("%s: %+v", role, got.Differences)
		}
		if v.Latency.Count() != 0 || v.Fuel+got.Candidate != 0 || v.Calls != 3 {
			t.Errorf("%s: %d measured, fuel %d and %d of %d calls", role, v.Latency.Count(),
				v.Fuel, got.Candidate, v.Calls)
		}
		p.Abort()
		h = newHouse(t, nil)
		p, policy = h.shadowed(role, ref(role.String(), "in=b;"), ref(role.String(), "call:trap"))
		c.ask(policy, h)
		if got := h.compared(p, 1); got.Failed != 1 || got.Places[0].Faults.Trap != 1 {
			t.Errorf("%s: %+v", role, got)
		}
		p.Abort()
		h = newHouse(t, nil)
		neither := ref(role.String(), "in=c;call:trap")
		p, policy = h.shadowed(role, ref(role.String(), "in=b;"), neither)
		c.ask(policy, h)
		if p.Abort(); p.Comparison().Failed != 0 {
			t.Errorf("%s: neither wants it: %+v", role, p.Comparison())
		}
	}
}

// What differs is told without what it was about.
func TestWhatDiffersIsRedacted(t *testing.T) {
	for name, c := range map[string]struct {
		role            Role
		old, next, says string
	}{
		"changed": {RoleTransformer, "", "tag=v2:;", "QoS 1, 9 bytes"},
		"trap":    {RoleTransformer, "", "call:trap", "failed: trap"},
		"route":   {RoleRouter, "redirect=b;", "redirect=private/c;", "send QoS 1, 6 bytes"},
	} {
		h := newHouse(t, func(c *Config) { c.RedactFailures = true })
		p, policy := h.shadowed(c.role, ref(c.role.String(), c.old), ref(c.role.String(), c.next))
		var out []broker.Message
		if m := message("private", "secret"); c.role == RoleRouter {
			policy.Route(h.clock.now(), &device, m, &out)
		} else {
			policy.Transform(h.clock.now(), broker.Upstream, &device, m, &out)
		}
		d := h.compared(p, 1).Differences[0]
		if d.Client+d.Topic != "" || d.Candidate != c.says {
			t.Errorf("%s: %+v", name, d)
		}
		p.Abort()
	}
}

// What a shadow sets and publishes is nobody's: the active version goes on as if it were not there.
func TestAShadowHasNoEffect(t *testing.T) {
	h := newHouse(t, nil)
	counting := ref("transformer-kv", "count")
	h.tagged(h.one(RoleTransformer, counting), &device) // what is in kv before
	p, policy := h.shadowed(RoleTransformer, counting, counting)
	guests := h.engine.Guests()
	for i := range 5 {
		want := "a=" + string(rune('2'+i)) + " x"
		if got := h.tagged(policy, &device); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
	if c := h.compared(p, 5); c.Matched != 5 {
		t.Errorf("the copy of kv went another way: %+v", c.Differences)
	}
	p.Abort()
	if n := h.engine.Guests(); n >= guests {
		t.Errorf("%d guests, %d with the shadow", n, guests)
	}

	h = newHouse(t, nil)
	publishing := ref("transformer-publish", "")
	publishing.Grants = []string{"publish"}
	p, policy = h.shadowed(RoleTransformer, ref("transformer", ""), publishing)
	h.tagged(policy, &device)
	if c := h.compared(p, 1); c.Matched != 1 {
		t.Errorf("%+v", c.Differences)
	}
	if n := h.published(); n != 0 {
		t.Errorf("a shadow published %d messages", n)
	}
	h.commit(p)
	h.tagged(policy, &device)
	if n := h.published(); n != 1 {
		t.Errorf("committed it published %d messages", n)
	}
}

// behind passes six messages on while the shadow is kept from comparing the first, so that it is
// asked about the others when all are delivered.
func (h *house) behind(p *Plan, policy broker.Policy) Comparison {
	h.t.Helper()
	p.shadowing.mu.Lock()
	for i := range 6 {
		var out []broker.Message
		m := message("a", fmt.Sprint(i))
		policy.Transform(h.clock.now(), broker.Upstream, &device, m, &out)
		policy.Route(h.clock.now(), &device, m, new([]broker.Message))
	}
	p.shadowing.mu.Unlock()
	return h.compared(p, 6)
}

// TestAShadowIsToldOfHistoryWhatTheOtherWas: asked later, the last message of the topic would be
// the one in question, or one after it, and a component would not match itself.
func TestAShadowIsToldOfHistoryWhatTheOtherWas(t *testing.T) {
	h := newHouse(t, nil)
	p, policy := h.shadowed(RoleTransformer, ref("transformer-history", "in=a; history"),
		ref("transformer-history", "in=a; history"))
	if c := h.behind(p, policy); c.MatchRate() != 1 {
		t.Errorf("it does not match itself: %+v", c.Differences)
	}
	p.Abort()
	h.asks(0, "a", "x")
	if in := h.guest(RoleTransformer).Env().(*instance); in.past != nil {
		t.Error("without a shadow it is noted what history says")
	}

	h = newHouse(t, nil) // nor does it see the future where the other does not ask
	h.link(Spec{RoleTransformer: {ref("transformer", ""), ref("transformer-history", "in=b")}})
	p = h.prepare("p", Change{Listener: "main", Role: RoleTransformer,
		Ref: ref("transformer-history", "in=a; history")})
	if err := p.Shadow(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	for i, d := range h.behind(p, h.linker.Policy("main", 0)).Differences {
		want := "a (QoS 1) \"none\""
		if i > 0 {
			want = fmt.Sprintf("a (QoS 1) \"%d\"", i-1)
		}
		if d.Candidate != want {
			t.Errorf("message %d: %s, not %s", i, d.Candidate, want)
		}
	}
	p.Abort()
}

// TestWhatHistorySaysIsNotedWithinBounds, and nothing of it is borrowed.
func TestWhatHistorySaysIsNotedWithinBounds(t *testing.T) {
	var p past
	b := []byte("x")
	p.add(b, b, true)
	b[0] = '!'
	if got := p.about([]byte("x")); got == nil || string(got.payload) != "x" {
		t.Errorf("%+v", got)
	}
	p.add([]byte("large"), make([]byte, pastBytesMax), true)
	for i := range 2 * pastTopicsMax {
		p.add([]byte{byte(i)}, nil, false)
	}
	if len(p.told) != pastTopicsMax || p.size() != 2+pastTopicsMax-1 {
		t.Errorf("%d topics, %d bytes", len(p.told), p.size())
	}
}

// published is how many messages guests have published until now.
func (h *house) published() (n int) {
	h.t.Helper()
	mark := broker.Message{Topic: []byte("the/end")}
	if err := h.queue.Put(otherEnv{}, mark); err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(h.t.Context())
	h.queue.Run(ctx, outlet(func(m *broker.Message) {
		if string(m.Topic) == "the/end" {
			cancel()
			return
		}
		n++
	}))
	return n
}

// TestAShadowIsSampled: so many of the questions, and not always those of the same client where
// several take turns.
func TestAShadowIsSampled(t *testing.T) {
	h := newHouse(t, nil)
	h.link(Spec{RoleTransformer: {ref("transformer", "")}})
	p := h.prepare("p", Change{
		Listener: "main", Role: RoleTransformer, Ref: ref("transformer", "in=b;tag=v2:;"),
	})
	const asked = shadowQueueMax - 24
	if err := p.Shadow(t.Context(), 0.5); err != nil {
		t.Fatal(err)
	}
	policy := h.linker.Policy("main", 0)
	ask := func() {
		for i := range asked {
			var out []broker.Message
			m := message([]string{"a", "b"}[i%2], "x")
			policy.Transform(h.clock.now(), broker.Upstream, &device, m, &out)
		}
	}
	ask()
	h.compared(p, asked/2-72) // 4.5 standard deviations
	h.canary(p, Selector{Percent: 100})
	c := p.Comparison()
	n := c.Matched + c.Differed
	if n > asked/2+72 || c.MatchRate() < 0.35 || c.MatchRate() > 0.65 || c.LeftOut > 0 {
		t.Errorf("%d of %d are compared, %d of them alike", n, asked, c.Matched)
	}
	ask()
	if c := p.Comparison(); c.Matched+c.Differed != n || p.Health().Candidate.Calls != asked/2 {
		t.Errorf("in the canary %d are compared", c.Matched+c.Differed-n)
	}
	p.Abort()
	m := message("a", "x")
	if n := testing.AllocsPerRun(100, func() {
		policy.Fresh(h.clock.now(), &device, m)
	}); n != 0 {
		t.Errorf("afterwards %v allocations", n)
	}
}

// A loop never waits: what finds no room is left out.
func TestAShadowThatIsBehindIsSpared(t *testing.T) {
	g := &shadowing{queue: make(chan *copied, 2)}
	sh := &shadow{of: g}
	for range 5 {
		sh.saw(asking{who: &device}, message("a", "x"), reply{})
	}
	if g.left.Load() != 3 || len(g.queue) != 2 || g.bytes.Load() != 4 {
		t.Errorf("%d left out, %d wait with %d bytes", g.left.Load(), len(g.queue), g.bytes.Load())
	}
	g = &shadowing{queue: make(chan *copied, 2)}
	sh.of = g
	sh.saw(asking{who: &device}, large("a", shadowQueueBytesMax), reply{})
	if g.left.Load() != 1 || g.bytes.Load() != 0 {
		t.Errorf("a large one: %d left out, %d bytes wait", g.left.Load(), g.bytes.Load())
	}
}

// TestWhatIsTooLargeForAShadowTakesNoTime: nobody was called, so it makes no candidate look fast.
func TestWhatIsTooLargeForAShadowTakesNoTime(t *testing.T) {
	h := newHouse(t, func(c *Config) { c.MessageBytesMax = handleAbove })
	p, policy := h.shadowed(RoleTransformer, ref("transformer-by-handle", ""),
		ref("transformer", ""))
	for range 3 {
		var out []broker.Message
		policy.Transform(h.clock.now(), broker.Upstream, &device,
			large("a", handleAbove+1), &out)
	}
	c := h.compared(p, 3)
	if v := c.Places[0]; c.Failed != 3 || v.Calls != 0 || v.Latency != (Latency{}) {
		t.Errorf("%d failed; %+v", c.Failed, v)
	}
}

// What the loop has is the loop's again when it goes on.
func TestAShadowKeepsNothingBorrowed(t *testing.T) {
	g := &shadowing{queue: make(chan *copied, 2)}
	sh := &shadow{of: g}
	who, m, made, topic := device, message("a", "x"), message("b", "y"), []byte("c")
	sh.saw(asking{who: &who}, m, reply{messages: []broker.Message{*made}})
	sh.judged(&question{who: &who, topic: topic}, reply{})
	who.ClientID = "another"
	for _, b := range [][]byte{m.Topic, m.Payload, made.Topic, made.Payload, topic} {
		b[0] = '!'
	}
	c := <-g.queue
	if got := texts(append(c.reply.messages, *c.message)); got != "b=y a=x" {
		t.Errorf("a copy is %s", got)
	}
	if q := (<-g.queue).question; string(q.topic) != "c" || q.who.ClientID != "dev1" ||
		c.asking.who.ClientID != "dev1" {
		t.Errorf("a copy of a question is %s by %s", q.topic, q.who.ClientID)
	}
}

func TestPayloadsAlike(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{`{"a":1,"b":[2]}`, `{ "b": [2], "a": 1 }`, true},
		{`{"a":1}`, `{"a":2}`, false},
		{`12345678901234567890`, `12345678901234567891`, false},
		{`1 2`, `1  2`, false},
		{`x`, `x`, true},
		{`x`, `y`, false},
	} {
		if got := samePayload([]byte(c.a), []byte(c.b)); got != c.want {
			t.Errorf("%s and %s: %v", c.a, c.b, got)
		}
	}
}

func TestWhereNoShadowCanBe(t *testing.T) {
	h := newHouse(t, nil)
	h.link(Spec{
		RoleAuthenticator: {ref("authenticator", "")}, RoleTransformer: {ref("transformer", "")},
	})
	guests := h.engine.Guests()
	for says, c := range map[string]struct {
		changes []Change
		sample  float64
	}{
		"passwords": {[]Change{tagging("main", 0, "v2"),
			{Listener: "main", Role: RoleAuthenticator, Ref: ref("authenticator", "")}}, 1},
		"replaces nothing": {[]Change{tagging("main", 1, "v2")}, 1},
		"above 0 to 1":     {[]Change{tagging("main", 0, "v2")}, 2},
	} {
		p := h.prepare("p", c.changes...)
		err := p.Shadow(t.Context(), c.sample)
		if !errors.Is(err, ErrNoShadow) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
		if c := p.Comparison(); c.For != 0 {
			t.Errorf("%s: %+v", says, c)
		}
		p.Abort()
	}
	if n := h.engine.Guests(); n != guests {
		t.Errorf("%d guests, before %d", n, guests)
	}
	p, _ := h.shadowed(RoleTransformer, ref("transformer", ""), ref("transformer", ""))
	h.canary(p, Selector{Percent: 5})
	if err := p.Shadow(t.Context(), 1); !errors.Is(err, ErrPlanOver) {
		t.Errorf("a shadow in a canary: %v", err)
	}
}
