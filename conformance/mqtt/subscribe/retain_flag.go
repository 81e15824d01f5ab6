package subscribe

import (
	"fmt"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// retainFlagCases are about the option Retain As Published.
func retainFlagCases() []suite.Case {
	const claims = "5.0/MQTT-3.3.1-12 5.0/MQTT-3.3.1-13"
	return []suite.Case{{
		Name: "subscribe/retain-as-published-on-and-off", Claims: claims,
		Text: "A message with RETAIN 1 and one with RETAIN 0 come to a client with Retain As " +
			"Published as they are, to one without it both with RETAIN 0.",
		Run: runAsPublished,
	}, {
		Name: "subscribe/retain-as-published-replaced", Claims: claims + " 5.0/MQTT-3.8.4-3",
		Text: "Retain As Published comes and goes with a subscription that replaces another.",
		Run:  runAsPublishedReplaced,
	}, {
		Name: "subscribe/retain-as-published-of-stored-session", Claims: claims,
		Text: "A message with RETAIN 1 that was kept for an absent client comes with RETAIN 1 by " +
			"a filter with Retain As Published, with RETAIN 0 by one without.",
		Run: runAsPublishedStored,
	}, {
		Name: "subscribe/retain-as-published-of-new-subscription", Claims: "5.0/MQTT-3.3.1-9",
		Text: "A retained message that comes because of a new subscription has RETAIN 1, with " +
			"Retain As Published and without.",
		Run: runAsPublishedNew,
	}}
}

func asPublished(filter string, q mqtt.QoS) mqtt.Subscription {
	return mqtt.Subscription{Filter: []byte(filter), QoS: q, RetainAsPublished: true}
}

// publishBoth publishes one message with RETAIN 1 and one with RETAIN 0.
func publishBoth(t *suite.T, pub *suite.Client, topic string) {
	retain(t, pub, topic, "retained")
	pub.PublishText(topic, "passing", usual(t))
}

// wantFlags wants both messages of publishBoth, with RETAIN as published or with RETAIN 0.
func wantFlags(t *suite.T, got []mqtt.Publish, kept bool) {
	wantPayloads(t, "the subscriber", got, "passing", "retained")
	for _, p := range got {
		if want := kept && string(p.Payload) == "retained"; p.Retain != want {
			t.Errorf("Retain As Published %t: message %q came with RETAIN %t", kept, p.Payload,
				p.Retain)
		}
	}
}

func runAsPublished(t *suite.T) {
	t.NeedRetain()
	q := usual(t)
	pub, with, without := t.Connect(), listen(t, q), listen(t, q)
	for c, s := range map[*suite.Client]mqtt.Subscription{
		with: asPublished(t.Topic("a"), q), without: sub(t.Topic("a"), q)} {
		s.RetainHandling = never // or a slow server finds the message retained too
		c.SubscribeWith(nil, s)
	}
	publishBoth(t, pub, t.Topic("a"))
	wantFlags(t, gather(t, pub, q, with), true)
	wantFlags(t, until(t, without, endOf(t)), false)
}

func runAsPublishedReplaced(t *suite.T) {
	t.NeedRetain()
	q := usual(t)
	pub, c := t.Connect(), listen(t, q)
	for i, s := range []mqtt.Subscription{sub(t.Topic("a"), q), asPublished(t.Topic("a"), q),
		sub(t.Topic("a"), q)} {
		s.RetainHandling = never
		c.SubscribeWith(nil, s)
		publishBoth(t, pub, t.Topic("a"))
		wantFlags(t, gather(t, pub, q, c), i == 1)
	}
}

func runAsPublishedStored(t *suite.T) {
	t.NeedRetain()
	t.NeedQoS(mqtt.AtLeastOnce)
	pub := t.Connect()
	for i, s := range []mqtt.Subscription{sub(t.Topic("a"), 1), asPublished(t.Topic("a"), 1)} {
		id := t.ClientID(fmt.Sprint("s", i))
		c := t.Connect(suite.Named(id), suite.Keeping)
		s.RetainHandling = never
		c.SubscribeWith(nil, s, sub(endOf(t), 1))
		c.Leave()
		publishBoth(t, pub, t.Topic("a"))
		pub.PublishText(endOf(t), "end", 1)
		c = t.Connect(suite.Named(id), suite.Keeping)
		wantFlags(t, until(t, c, endOf(t)), i == 1)
	}
}

func runAsPublishedNew(t *suite.T) {
	t.NeedRetain()
	q := usual(t)
	pub, c := t.Connect(), t.Connect()
	for _, s := range []mqtt.Subscription{sub(t.Topic("a"), q), asPublished(t.Topic("b"), q)} {
		retain(t, pub, string(s.Filter), "hello")
		settle(t, pub)
		c.SubscribeWith(nil, s)
		if p := c.WantMessage(string(s.Filter), "hello"); !p.Retain {
			t.Errorf("Retain As Published %t: the retained message has RETAIN 0",
				s.RetainAsPublished)
		}
	}
}
