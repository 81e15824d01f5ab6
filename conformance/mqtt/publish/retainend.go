package publish

import (
	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// Version 3.1 lets a server keep what an empty payload asks to remove, so its clients are not asked
// here.
func retainEndCases() []suite.Case {
	return []suite.Case{
		{
			Name:   "publish/retained-at-qos-0-discards-the-last",
			Claims: "3.1.1/MQTT-3.3.1-7 5.0/MQTT-3.3.1-5", Versions: modern(),
			Text: "A retained message of QoS 0 ends the one of QoS 1 before it; later " +
				"subscribers get the new one, or nothing if the server chose not to keep it.",
			Run: retainedAtQoS0,
		}, {
			Name: "publish/retained-empty-payload-removes",
			Claims: "3.1.1/MQTT-3.3.1-10 3.1.1/MQTT-3.3.1-11 5.0/MQTT-3.3.1-6 " +
				"5.0/MQTT-3.3.1-7", Versions: modern(),
			Text: "A retained message without payload reaches those who are subscribed, and " +
				"later subscribers get neither it nor what was retained before.",
			Run: retainedRemoved,
		}, {
			Name:   "publish/retained-empty-payload-is-not-kept",
			Claims: "3.1.1/MQTT-3.3.1-11 5.0/MQTT-3.3.1-7", Versions: modern(),
			Text: "A retained message without payload on a topic where nothing was retained is " +
				"not kept, at each QoS.",
			Run: emptyIsNotKept,
		}, {
			Name:   "publish/retained-can-be-set-again-after-removal",
			Claims: "3.1.1/MQTT-3.3.1-5 5.0/MQTT-3.3.1-5", Versions: modern(),
			Text: "A retained message that follows a removal is kept.",
			Run:  retainedAgain,
		}, {
			Name:   "publish/retain-0-leaves-the-retained-message",
			Claims: "3.1.1/MQTT-3.3.1-12 5.0/MQTT-3.3.1-8", Versions: modern(),
			Text: "Messages with RETAIN 0, an empty one among them, neither replace nor remove " +
				"what is retained, and are not retained where nothing was.",
			Run: retain0Leaves,
		},
	}
}

func retainedAtQoS0(t *suite.T) {
	t.NeedRetain()
	t.NeedQoS(mqtt.AtLeastOnce)
	topic := t.Topic("")
	pub := t.Connect()
	keep(pub, topic, "old", mqtt.AtLeastOnce)
	keep(pub, topic, "new", mqtt.AtMostOnce)
	sub := subscriber(t, topic, mqtt.AtLeastOnce)
	pub.PublishText(topic, "end", mqtt.AtLeastOnce)
	got := payloads(until(sub, "end"))
	if len(got) > 1 || len(got) == 1 && got[0] != "new" {
		t.Errorf("a later subscriber got %q, want \"new\" alone or nothing", got)
	}
}

func retainedRemoved(t *suite.T) {
	t.NeedRetain()
	for q := mqtt.AtMostOnce; q <= top(t); q++ {
		topic := t.Topic(string('a' + rune(q)))
		pub := t.Connect()
		keep(pub, topic, "old", q)
		there := subscriber(t, topic, q)
		if q > mqtt.AtMostOnce {
			there.WantMessage(topic, "old")
		}
		keep(pub, topic, "", q)
		pub.PublishText(topic, "end", q)
		got := payloads(until(there, "end"))
		if len(got) == 0 || got[len(got)-1] != "" {
			t.Errorf("QoS %d: a subscriber did not get the message without payload", q)
		}
		late := subscriber(t, topic, q)
		pub.PublishText(topic, "end", q)
		wantOnly(t, late, "end")
	}
}

func emptyIsNotKept(t *suite.T) {
	t.NeedRetain()
	for q := mqtt.AtMostOnce; q <= top(t); q++ {
		topic := t.Topic(string('a' + rune(q)))
		pub := t.Connect()
		keep(pub, topic, "", q)
		sub := subscriber(t, topic, q)
		pub.PublishText(topic, "end", q)
		wantOnly(t, sub, "end")
	}
}

func retainedAgain(t *suite.T) {
	t.NeedRetain()
	t.NeedQoS(mqtt.AtLeastOnce)
	pub := t.Connect()
	for _, payload := range []string{"old", "", "new"} {
		keep(pub, t.Topic(""), payload, mqtt.AtLeastOnce)
	}
	subscriber(t, t.Topic(""), mqtt.AtLeastOnce).WantMessage(t.Topic(""), "new")
}

func retain0Leaves(t *suite.T) {
	t.NeedRetain()
	t.NeedQoS(mqtt.AtLeastOnce)
	pub := t.Connect()
	kept, never := t.Topic("kept"), t.Topic("never")
	keep(pub, kept, "kept", mqtt.AtLeastOnce)
	for _, topic := range []string{kept, never} {
		for q := mqtt.AtMostOnce; q <= top(t); q++ {
			pub.PublishText(topic, "passing", q)
			pub.PublishText(topic, "", q)
		}
	}
	pub.PublishText(never, "passing", mqtt.AtLeastOnce)
	sub := subscriber(t, kept, mqtt.AtLeastOnce)
	sub.WantMessage(kept, "kept")
	pub.PublishText(kept, "end", mqtt.AtLeastOnce)
	wantOnly(t, sub, "end")
	sub = subscriber(t, never, mqtt.AtLeastOnce)
	pub.PublishText(never, "end", mqtt.AtLeastOnce)
	wantOnly(t, sub, "end")
}
