package publish

import (
	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

func retainOptionCases() []suite.Case {
	return []suite.Case{
		{
			Name: "publish/retain-handling-0-sends-each-time", Claims: "5.0/MQTT-3.3.1-9",
			Text: "With Retain Handling 0 the retained message comes for the first SUBSCRIBE " +
				"and for the same again.",
			Run: func(t *suite.T) { retainHandling(t, 0, "kept", "kept", "kept") },
		}, {
			Name:   "publish/retain-handling-1-sends-to-new-subscriptions",
			Claims: "5.0/MQTT-3.3.1-10",
			Text: "With Retain Handling 1 the retained message comes for a new subscription, " +
				"not for the same again, and again once it was unsubscribed.",
			Run: func(t *suite.T) { retainHandling(t, 1, "kept", "", "kept") },
		}, {
			Name: "publish/retain-handling-2-sends-none", Claims: "5.0/MQTT-3.3.1-11",
			Text: "With Retain Handling 2 no retained message comes for any SUBSCRIBE.",
			Run:  func(t *suite.T) { retainHandling(t, 2, "", "", "") },
		}, {
			Name:   "publish/retain-handling-1-knows-a-resumed-subscription",
			Claims: "5.0/MQTT-3.3.1-10",
			Text: "After a session is resumed, SUBSCRIBE with Retain Handling 1 for a filter it " +
				"has already brings no retained message.",
			Run: retainHandlingResumed,
		}, {
			Name:   "publish/retain-as-published",
			Claims: "5.0/MQTT-3.3.1-12 5.0/MQTT-3.3.1-13",
			Text: "Messages are forwarded with RETAIN 0 to a subscription without Retain As " +
				"Published, and with RETAIN as they were published to one with it.",
			Run: retainAsPublished,
		}, {
			Name:   "publish/retain-as-published-of-queued-messages",
			Claims: "5.0/MQTT-3.3.1-12 5.0/MQTT-3.3.1-13",
			Text: "Retain As Published holds for messages that wait in a session while its " +
				"client is away.",
			Run: retainAsPublishedQueued,
		},
	}
}

// retainHandling subscribes, subscribes again, unsubscribes and subscribes, and wants these
// retained messages, empty for none.
func retainHandling(t *suite.T, handling byte, wants ...string) {
	t.NeedRetain()
	t.NeedQoS(mqtt.AtLeastOnce)
	topic := t.Topic("")
	pub, sub := t.Connect(), t.Connect()
	keep(pub, topic, "kept", mqtt.AtLeastOnce)
	for i, want := range wants {
		if i == 2 {
			sub.Unsubscribe(topic)
		}
		sub.SubscribeWith(nil, mqtt.Subscription{Filter: []byte(topic), QoS: mqtt.AtLeastOnce,
			RetainHandling: handling})
		if want != "" {
			if got := sub.WantMessage(topic, want); !got.Retain {
				t.Errorf("SUBSCRIBE %d: RETAIN is 0 on the retained message", i+1)
			}
		}
		pub.PublishText(topic, "end", mqtt.AtLeastOnce)
		wantOnly(t, sub, "end")
	}
}

func retainHandlingResumed(t *suite.T) {
	t.NeedRetain()
	t.NeedQoS(mqtt.AtLeastOnce)
	topic := t.Topic("")
	pub, sub := t.Connect(), keeper(t)
	sub.Subscribe(topic, mqtt.AtLeastOnce)
	sub.Leave()
	keep(pub, topic, "kept", mqtt.AtLeastOnce)
	sub = resume(t, sub)
	if got := sub.WantMessage(topic, "kept"); got.Retain {
		t.Errorf("RETAIN is 1 on a message to an existing subscription")
	}
	sub.SubscribeWith(nil, mqtt.Subscription{Filter: []byte(topic), QoS: mqtt.AtLeastOnce,
		RetainHandling: 1})
	pub.PublishText(topic, "end", mqtt.AtLeastOnce)
	wantOnly(t, sub, "end")
}

func retainAsPublished(t *suite.T) {
	t.NeedRetain()
	topic := t.Topic("")
	pub, with, without := t.Connect(), t.Connect(), t.Connect()
	with.SubscribeWith(nil, mqtt.Subscription{Filter: []byte(topic), QoS: top(t),
		RetainAsPublished: true})
	without.Subscribe(topic, top(t))
	for q := mqtt.AtMostOnce; q <= top(t); q++ {
		for _, retain := range []bool{true, false} {
			p := message(topic, "m", q)
			p.Retain = retain
			pub.Publish(p)
			if got := with.WantMessage(topic, "m"); got.Retain != retain {
				t.Errorf("QoS %d, Retain As Published 1: RETAIN %t came as %t", q, retain,
					got.Retain)
			}
			if got := without.WantMessage(topic, "m"); got.Retain {
				t.Errorf("QoS %d, Retain As Published 0: RETAIN %t came as 1", q, retain)
			}
		}
	}
}

func retainAsPublishedQueued(t *suite.T) {
	t.NeedRetain()
	t.NeedQoS(mqtt.AtLeastOnce)
	with, without := t.Topic("with"), t.Topic("without")
	pub, sub := t.Connect(), keeper(t)
	sub.SubscribeWith(nil,
		mqtt.Subscription{Filter: []byte(with), QoS: mqtt.AtLeastOnce, RetainAsPublished: true},
		mqtt.Subscription{Filter: []byte(without), QoS: mqtt.AtLeastOnce})
	sub.Leave()
	keep(pub, with, "m", mqtt.AtLeastOnce)
	keep(pub, without, "m", mqtt.AtLeastOnce)
	sub = resume(t, sub)
	for range 2 {
		got := sub.ReadMessage()
		if want := string(got.Topic) == with; got.Retain != want {
			t.Errorf("%s: RETAIN is %t, want %t", got.Topic, got.Retain, want)
		}
	}
}
