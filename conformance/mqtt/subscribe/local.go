package subscribe

import (
	"fmt"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

const noLocal = "5.0/MQTT-3.8.3-3"

// localCases are about the option No Local.
func localCases() []suite.Case {
	cases := []suite.Case{{
		Name: "subscribe/no-local-off", Claims: "5.0/MQTT-4.5.0-1",
		Text: "Without No Local a client gets its own message.",
		Run: func(t *suite.T) {
			c := t.Connect()
			c.Subscribe(t.Topic("a"), mqtt.AtMostOnce)
			c.PublishText(t.Topic("a"), "own", mqtt.AtMostOnce)
			c.WantMessage(t.Topic("a"), "own")
		},
	}, {
		Name: "subscribe/no-local-of-another-filter", Claims: noLocal,
		Text: "No Local of one filter says nothing of another filter of the same SUBSCRIBE: the " +
			"client gets its own message on the second, not on the first.",
		Run: runLocalOther,
	}, {
		Name: "subscribe/no-local-replaced", Claims: noLocal + " 5.0/MQTT-3.8.4-3",
		Text: "No Local comes and goes with a subscription that replaces the one before.",
		Run:  runLocalReplaced,
	}, {
		Name: "subscribe/no-local-of-resumed-session", Claims: noLocal,
		Text: "No Local of a subscription in a stored session holds for what a later connection " +
			"with the same client identifier publishes.",
		Run: runLocalResumed,
	}, {
		Name: "subscribe/no-local-by-wildcard", Claims: noLocal,
		Text: "No Local of a filter with a wildcard keeps the client's own messages away on " +
			"every topic that it matches.",
		Run: func(t *suite.T) {
			t.NeedWildcard()
			runLocal(t, t.Topic("#"), usual(t))
		},
	}}
	for q := mqtt.AtMostOnce; q <= mqtt.ExactlyOnce; q++ {
		cases = append(cases, suite.Case{
			Name: fmt.Sprintf("subscribe/no-local-qos-%d", q), Claims: noLocal,
			Text: fmt.Sprintf("With No Local a client does not get its own message with QoS %d, "+
				"but those of others, and others get its.", q),
			Run: func(t *suite.T) { runLocal(t, t.Topic("a"), q) },
		})
	}
	return cases
}

// local is a subscription with No Local.
func local(filter string, q mqtt.QoS) mqtt.Subscription {
	return mqtt.Subscription{Filter: []byte(filter), QoS: q, NoLocal: true}
}

func runLocal(t *suite.T, filter string, q mqtt.QoS) {
	t.NeedQoS(q)
	pub, own, witness := t.Connect(), listen(t, q), listen(t, q, filter)
	own.SubscribeWith(nil, local(filter, q))
	own.PublishText(t.Topic("a"), "own", q)
	// Two publishers have no order among them: the second waits until the first is done.
	witness.WantMessage(t.Topic("a"), "own")
	pub.PublishText(t.Topic("a"), "other", q)
	wantPayloads(t, "the publisher with No Local", gather(t, pub, q, own), "other")
	wantPayloads(t, "another client", until(t, witness, endOf(t)), "other")
}

func runLocalOther(t *suite.T) {
	c := listen(t, 0)
	a, b := t.Topic("a"), t.Topic("b")
	c.SubscribeWith(nil, local(a, 0), sub(b, 0))
	c.PublishText(a, "a", 0)
	c.PublishText(b, "b", 0)
	wantPayloads(t, "the client", gather(t, c, 0, c), "b")
}

func runLocalReplaced(t *suite.T) {
	c := listen(t, 0)
	a := t.Topic("a")
	c.Subscribe(a, 0)
	c.SubscribeWith(nil, local(a, 0))
	c.PublishText(a, "with No Local", 0)
	wantPayloads(t, "the client with No Local", gather(t, c, 0, c))
	c.Subscribe(a, 0)
	c.PublishText(a, "without", 0)
	wantPayloads(t, "the client without No Local", gather(t, c, 0, c), "without")
}

func runLocalResumed(t *suite.T) {
	q, id := usual(t), t.ClientID("a")
	c := t.Connect(suite.Named(id), suite.Keeping)
	c.SubscribeWith(nil, local(t.Topic("a"), q), sub(endOf(t), q))
	c.Leave()
	c = t.Connect(suite.Named(id), suite.Keeping)
	if !c.Connack.SessionPresent {
		t.Fatalf("the session is not there any more")
	}
	c.PublishText(t.Topic("a"), "own", 0)
	c.Ping()
	pub := t.Connect()
	pub.PublishText(t.Topic("a"), "other", q)
	wantPayloads(t, "the resumed session", gather(t, pub, q, c), "other")
}
