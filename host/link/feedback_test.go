package link

import (
	"context"
	"testing"

	"github.com/hpmq/hpmq/host/cap/publish"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// other publishes in the name of another component.
type otherEnv struct{}

func (otherEnv) Component() string { return "other" }
func (otherEnv) Listener() string  { return "main" }

// outlet is the broker as far as the queue sees it.
type outlet func(m *broker.Message)

func (o outlet) Publish(_ string, m *broker.Message) { o(m) }

// A transformer that publishes at each delivery what is delivered would do so for ever, if it were
// asked about its own messages.
func TestAComponentDoesNotFeedItself(t *testing.T) {
	h := newHouse(t, nil)
	echo := ref("transformer-publish", "")
	echo.Grants = []string{"publish"}
	p := h.one(RoleTransformer, echo)
	deliver := func(m *broker.Message) {
		var out []broker.Message
		if v := p.Transform(h.clock.now(), broker.Downstream, &device, m, &out); v != broker.Keep {
			t.Errorf("verdict %d", v)
		}
	}
	deliver(message("a", "x"))
	ctx, stop := context.WithCancel(t.Context())
	var own []string
	h.queue.Run(ctx, outlet(func(m *broker.Message) {
		if m.From != publish.From("transformer-publish") {
			stop() // what was put behind all that there was
			return
		}
		own = append(own, string(m.Topic))
		deliver(m)
		if len(own) == 1 {
			if err := h.queue.Put(otherEnv{}, *message("end", "")); err != nil {
				t.Error(err)
			}
		}
	}))
	if len(own) != 1 {
		t.Errorf("it published %v for one message", own)
	}
	if v := h.seen(RoleTransformer, 0); v.Calls != 1 {
		t.Errorf("%d calls", v.Calls)
	}
}

func TestOwnMessagesAreNotAskedAbout(t *testing.T) {
	h := newHouse(t, nil)
	h.link(Spec{
		RoleAuthorizer:   {ref("authorizer", "answer=135")},
		RoleTransformer:  {ref("transformer", "drop")},
		RoleDeduplicator: {ref("deduplicator", "answer=1")},
		RoleRouter:       {ref("router", "redirect=b;")},
	})
	p, now := h.linker.Policy("main", 0), h.clock.now()
	var out []broker.Message
	for role, ask := range map[string]func(m *broker.Message) bool{
		"authorizer": func(m *broker.Message) bool {
			m.Topic = []byte("x")
			return p.Transform(now, broker.Downstream, &device, m, &out) == broker.Keep
		},
		"transformer": func(m *broker.Message) bool {
			return p.Transform(now, broker.Upstream, &device, m, &out) == broker.Keep
		},
		"deduplicator": func(m *broker.Message) bool { return p.Fresh(now, &device, m) },
		"router": func(m *broker.Message) bool {
			return p.Route(now, &device, m, &out) == broker.Keep
		},
	} {
		if role == "authorizer" { // alone: the transformer drops what it lets through
			h.link(Spec{RoleAuthorizer: {ref("authorizer", "answer=135")}})
		} else {
			h.link(Spec{roleOf(t, role): {ref(role, "drop;answer=1;redirect=b;")}})
		}
		own, foreign := message("a", "x"), message("a", "x")
		own.From = publish.From(role)
		if !ask(own) {
			t.Errorf("%s is asked about its own message", role)
		}
		if ask(foreign) {
			t.Errorf("%s is not asked about others'", role)
		}
	}
}

func roleOf(t *testing.T, name string) Role {
	t.Helper()
	r, err := ParseRole(name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Who could take a component's client id would not be checked by it.
func TestTheNamesOfComponentsAreNotForClients(t *testing.T) {
	h := newHouse(t, nil)
	h.link(Spec{})
	c := login("", "")
	c.Identity.ClientID = publish.From("authorizer-rules")
	a := h.linker.Authenticator("main", 0, nil)
	if g, now := a.Authenticate(1, &c); !now || g.Reason != mqtt.ClientIdentifierNotValid {
		t.Errorf("%+v, %v", g, now)
	}
	c.Identity.ClientID = "component/x"
	if g, now := a.Authenticate(1, &c); !now || g.Reason != mqtt.Success {
		t.Errorf("another: %+v, %v", g, now)
	}
}
