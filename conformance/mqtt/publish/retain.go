package publish

import (
	"fmt"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

func retainCases() []suite.Case {
	return []suite.Case{
		{
			Name: "publish/retained-is-sent-to-later-subscribers",
			Claims: "3.1.1/MQTT-3.3.1-5 3.1.1/MQTT-3.3.1-6 3.1.1/MQTT-3.3.1-8 " +
				"5.0/MQTT-3.3.1-5 5.0/MQTT-3.3.1-9",
			Text: "Retained messages of QoS 1 and 2 go to subscriptions made later, with RETAIN " +
				"1, the payload and the lower of their and the granted QoS, once.",
			Run: retainedIsSent,
		}, {
			Name:   "publish/retained-outlives-its-publisher",
			Claims: "3.1.1/MQTT-3.3.1-6 5.0/MQTT-3.3.1-5",
			Text: "The publisher of a retained message is gone; later subscribers get it all " +
				"the same, the second as well as the first.",
			Run: retainedOutlives,
		}, {
			Name:   "publish/retained-goes-to-an-existing-subscription-without-retain",
			Claims: "3.1.1/MQTT-3.3.1-9 5.0/MQTT-3.3.1-12",
			Text: "A retained message that is published while a subscription exists (in 5.0 " +
				"with Retain As Published 0) reaches it with RETAIN 0, at each QoS.",
			Run: retainedForExisting,
		}, {
			Name:   "publish/retained-is-replaced",
			Claims: "3.1.1/MQTT-3.3.1-5 3.1.1/MQTT-3.3.1-6 5.0/MQTT-3.3.1-5",
			Text: "Four publishers retain messages on one topic, one after the other: eight " +
				"later subscribers get the last alone.",
			Alone: true, Run: retainedIsReplaced,
		}, {
			Name:   "publish/retained-of-each-matching-topic",
			Claims: "3.1.1/MQTT-3.3.1-6 5.0/MQTT-3.3.1-9",
			Text: "A later subscription with a wildcard gets the last retained message of each " +
				"topic it matches, and of no other.",
			Run: retainedOfEachTopic,
		},
	}
}

func retainedIsSent(t *suite.T) {
	t.NeedRetain()
	t.NeedQoS(mqtt.AtLeastOnce)
	pub := t.Connect()
	for q := mqtt.AtLeastOnce; q <= top(t); q++ {
		topic := t.Topic(fmt.Sprintf("q%d", q))
		keep(pub, topic, "kept", q)
		for granted := mqtt.AtMostOnce; granted <= top(t); granted++ {
			sub := subscriber(t, topic, granted)
			got := sub.WantMessage(topic, "kept")
			if !got.Retain {
				t.Errorf("RETAIN is 0 on a message sent for a new subscription")
			}
			if want := min(q, granted); got.QoS != want {
				t.Errorf("retained at QoS %d, granted %d: came with QoS %d", q, granted, got.QoS)
			}
			sub.Ping()
		}
	}
}

func retainedOutlives(t *suite.T) {
	t.NeedRetain()
	t.NeedQoS(mqtt.AtLeastOnce)
	pub := t.Connect()
	keep(pub, t.Topic(""), "kept", mqtt.AtLeastOnce)
	pub.Disconnect()
	for range 2 {
		sub := subscriber(t, t.Topic(""), mqtt.AtLeastOnce)
		if got := sub.WantMessage(t.Topic(""), "kept"); !got.Retain {
			t.Errorf("RETAIN is 0 on a message sent for a new subscription")
		}
	}
}

func retainedForExisting(t *suite.T) {
	t.NeedRetain()
	pub := t.Connect()
	for q := mqtt.AtMostOnce; q <= top(t); q++ {
		topic := t.Topic(fmt.Sprintf("q%d", q))
		sub := subscriber(t, topic, q)
		keep(pub, topic, "kept", q)
		if got := sub.WantMessage(topic, "kept"); got.Retain {
			t.Errorf("QoS %d: RETAIN is 1 on a message to an existing subscription", q)
		}
	}
}

// retainedIsReplaced has many clients, for servers with several threads, and lets all connect
// before the first message, so that nothing else makes such a server bring its threads together.
func retainedIsReplaced(t *suite.T) {
	t.NeedRetain()
	t.NeedQoS(mqtt.AtLeastOnce)
	topic := t.Topic("")
	var pubs, subs []*suite.Client
	for range 4 {
		pubs, subs = append(pubs, t.Connect()), append(subs, t.Connect(), t.Connect())
	}
	for i := range pubs {
		keep(pubs[i], topic, "old", top(t))
		keep(pubs[(i+1)%len(pubs)], topic, "new", mqtt.AtLeastOnce)
		for _, sub := range subs {
			sub.Subscribe(topic, mqtt.AtLeastOnce)
			sub.WantMessage(topic, "new")
			sub.Unsubscribe(topic)
		}
	}
}

func retainedOfEachTopic(t *suite.T) {
	t.NeedRetain()
	t.NeedQoS(mqtt.AtLeastOnce)
	t.NeedWildcard()
	pub := t.Connect()
	for _, suffix := range []string{"in/a", "in/b", "in/c", "out/a", "in/a/deeper", "in"} {
		keep(pub, t.Topic(suffix), "of "+suffix, mqtt.AtLeastOnce)
	}
	keep(pub, t.Topic("in/b"), "of in/b again", mqtt.AtLeastOnce)
	sub := subscriber(t, t.Topic("in/+"), mqtt.AtLeastOnce)
	want := map[string]string{
		t.Topic("in/a"): "of in/a", t.Topic("in/b"): "of in/b again", t.Topic("in/c"): "of in/c",
	}
	for len(want) > 0 {
		got := sub.ReadMessage()
		if want[string(got.Topic)] != string(got.Payload) {
			t.Fatalf("got %q on %q, want one of %v", got.Payload, got.Topic, want)
		}
		if !got.Retain {
			t.Errorf("RETAIN is 0 on a message sent for a new subscription")
		}
		delete(want, string(got.Topic))
	}
	pub.PublishText(t.Topic("in/d"), "end", mqtt.AtLeastOnce)
	wantOnly(t, sub, "end")
}
