package connect

import (
	"unicode/utf8"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// emptyIDCases are about a client that leaves its identifier to the server. 3.1 does not have that.
func emptyIDCases() []suite.Case {
	return []suite.Case{{
		Name:   "connect/empty-identifier-is-unique",
		Claims: "3.1.1/MQTT-3.1.3-6 5.0/MQTT-3.1.3-6 5.0/MQTT-3.2.2-16", Versions: since311(),
		Text: "Three clients without an identifier are connected at once: none takes another " +
			"over, and in 5.0 each is told an identifier of its own.",
		Run: emptyUnique,
	}, {
		Name: "connect/empty-identifier-works", Versions: since311(),
		Claims: "3.1.1/MQTT-3.1.3-6 5.0/MQTT-3.1.3-7",
		Text: "Two clients without an identifier subscribe to different topics: each gets its " +
			"own messages alone.",
		Run: emptyWorks,
	}, {
		Name:   "connect/empty-identifier-with-clean-session-0",
		Claims: "3.1.1/MQTT-3.1.3-8 3.1.1/MQTT-3.1.3-9",
		Text: "A client without an identifier asks for CleanSession 0: CONNACK with return code " +
			"0x02, then the end.",
		Versions: []mqtt.Version{mqtt.V311}, Run: emptyKept,
	}, {
		Name:   "connect/empty-identifier-refused-to-the-end",
		Claims: "3.1.1/MQTT-3.2.2-4 3.1.1/MQTT-3.2.2-5", Versions: []mqtt.Version{mqtt.V311},
		Text: "If a client without an identifier that asks for CleanSession 0 is refused by " +
			"CONNACK, that says Session Present 0 and the connection ends.",
		Run: emptyKeptEnds,
	}, {
		Name:   "connect/empty-identifier-refused-is-not-heard",
		Claims: "3.1.1/MQTT-3.1.4-5", Versions: []mqtt.Version{mqtt.V311},
		Text: "A client without an identifier asks for CleanSession 0 and publishes in the same " +
			"write: nobody gets the message.",
		Run: emptyKeptPublishes,
	}, {
		Name: "connect/assigned-identifier-names-the-session", Versions: []mqtt.Version{mqtt.V5},
		Claims: "5.0/MQTT-3.1.3-7 5.0/MQTT-3.2.2-16 5.0/MQTT-3.1.3-2",
		Text: "A client without an identifier asks for a session that stays; it finds it again, " +
			"with its messages, by the identifier it was assigned.",
		Run: assignedSession,
	}, {
		Name: "connect/assigned-identifier-is-no-stored-one", Versions: []mqtt.Version{mqtt.V5},
		Claims: "5.0/MQTT-3.2.2-16",
		Text: "A client without an identifier and with Clean Start 0 gets none that a stored " +
			"session has, and no session.",
		Run: assignedNew,
	}}
}

// nameless connects without an identifier. It skips the case if the server does not allow that,
// which it may.
func nameless(t *suite.T, options ...suite.Option) *suite.Client {
	c := t.Dial()
	p := t.Connecting(append([]suite.Option{suite.Named("")}, options...)...)
	c.Send(p.Append(nil))
	frame, open := c.Poll(t.Options().ExpectTimeout)
	if frame == nil {
		if open {
			t.Fatalf("neither CONNACK nor the end of the connection")
		}
		t.Skipf("the server wants a client identifier")
	}
	if err := c.Connack.Decode(t.Version(), frame); err != nil {
		t.Fatalf("the server's answer: %v", err)
	}
	if r := c.Connack.Reason; r != mqtt.Success {
		if r != mqtt.ClientIdentifierNotValid && r != mqtt.UnspecifiedError {
			t.Errorf("CONNACK says %s, want Client Identifier not valid", r)
		}
		c.WantClosed()
		t.Skipf("the server wants a client identifier")
	}
	id, _ := c.Connack.Props.Bytes(mqtt.AssignedClientIdentifier)
	c.ID = string(id)
	if t.V5() && (len(id) == 0 || !utf8.Valid(id)) {
		t.Errorf("CONNACK has the Assigned Client Identifier %q", id)
	}
	wantPresent(t, c, false)
	return c
}

func emptyUnique(t *suite.T) {
	var clients []*suite.Client
	for range 3 {
		clients = append(clients, nameless(t))
	}
	seen := make(map[string]bool)
	for _, c := range clients {
		c.Ping()
		if t.V5() && seen[c.ID] {
			t.Errorf("two clients were assigned the identifier %q", c.ID)
		}
		seen[c.ID] = true
	}
}

func emptyWorks(t *suite.T) {
	a, b := nameless(t), nameless(t)
	a.Subscribe(t.Topic("a"), 0)
	b.Subscribe(t.Topic("b"), 0)
	a.PublishText(t.Topic("b"), "for b", 0)
	b.WantMessage(t.Topic("b"), "for b")
	b.PublishText(t.Topic("a"), "for a", 0)
	a.WantMessage(t.Topic("a"), "for a")
	a.Ping()
	b.Ping()
}

func emptyKept(t *suite.T) {
	c := t.Dial()
	c.Send(t.Connecting(suite.Named(""), suite.Keeping).Append(nil))
	c.WantRefusedBy(mqtt.ClientIdentifierNotValid)
}

func emptyKeptEnds(t *suite.T) {
	c := t.Dial()
	c.Send(t.Connecting(suite.Named(""), suite.Keeping).Append(nil))
	frame, _ := c.Poll(t.Options().ExpectTimeout)
	if frame == nil || mqtt.TypeOf(frame) != mqtt.CONNACK || letIn(frame) {
		t.Skipf("the server does not refuse by CONNACK, which other cases judge")
	}
	wantRefusal(t, frame)
	c.WantEnd()
}

func emptyKeptPublishes(t *suite.T) {
	topic := t.Topic("behind")
	w := witness(t, topic)
	m := mqtt.Publish{Topic: []byte(topic), Payload: []byte("behind")}
	b := t.Connecting(suite.Named(""), suite.Keeping).Append(nil)
	c := t.Dial()
	c.Send(m.Append(b, t.Version()))
	c.WantRefused(mqtt.ClientIdentifierNotValid)
	w.WantNothing()
	wantUnseen(w, topic)
}

func assignedSession(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	topic := t.Topic("stored")
	c := nameless(t, expiry(60))
	c.Subscribe(topic, mqtt.AtLeastOnce)
	c.Leave()
	t.Connect().PublishText(topic, "stored", mqtt.AtLeastOnce)
	c = keep(t, c.ID)
	wantPresent(t, c, true)
	c.WantMessage(topic, "stored")
}

func assignedNew(t *suite.T) {
	first := nameless(t, expiry(60))
	first.Leave()
	second := nameless(t, suite.Keeping)
	if first.ID == second.ID {
		t.Errorf("the identifier %q of a stored session was assigned again", first.ID)
	}
	// The suite cleans up by the identifiers that it sent.
	clean(t, first.ID).Leave()
	clean(t, second.ID).Leave()
}
