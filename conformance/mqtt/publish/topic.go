package publish

import (
	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

func topicCases() []suite.Case {
	return []suite.Case{
		{
			Name:   "publish/topic-name-arrives-byte-for-byte",
			Claims: "3.1.1/MQTT-3.3.2-1 5.0/MQTT-3.3.2-1",
			Text: "Topic names with empty levels, spaces, letters of several alphabets and four " +
				"bytes a letter arrive as they were published.",
			Run: topicArrives,
		}, {
			Name:   "publish/delivers-what-the-filter-matches",
			Claims: "3.1.1/MQTT-3.3.2-3 5.0/MQTT-3.3.2-3",
			Text: "Of messages on topics above, below, beside and with other letter case than " +
				"the filter's, only those on the filter's own topic arrive.",
			Run: deliversMatching,
		}, {
			Name:   "publish/delivers-what-the-wildcard-matches",
			Claims: "3.1.1/MQTT-3.3.2-3 5.0/MQTT-3.3.2-3",
			Text: "A subscription with + gets the topics with any one level in that place, " +
				"named by their own topic names, and no other.",
			Run: deliversWildcard,
		},
	}
}

func topicArrives(t *suite.T) {
	q := min(mqtt.AtLeastOnce, top(t))
	pub := t.Connect()
	for _, suffix := range []string{"", "/", "a//b", " a b ", "grüße", "温度", "𝄞/🌡",
		"\uFEFFbom", "a\u0301"} {
		topic := t.Topic(suffix)
		sub := subscriber(t, topic, q)
		pub.PublishText(topic, "m", q)
		sub.WantMessage(topic, "m")
	}
}

func deliversMatching(t *suite.T) {
	q := min(mqtt.AtLeastOnce, top(t))
	pub, sub := t.Connect(), subscriber(t, t.Topic("room/one"), q)
	for _, other := range []string{"room", "room/one/", "room/one/two", "room//one", "/room/one",
		"room/on", "room/onee", "Room/one", "room/ONE", "one", "room/one ", "room/\u200Bone"} {
		pub.PublishText(t.Topic(other), "not for "+other, q)
	}
	pub.PublishText(t.Topic("room/one"), "end", q)
	wantOnly(t, sub, "end")
}

func deliversWildcard(t *suite.T) {
	t.NeedWildcard()
	q := min(mqtt.AtLeastOnce, top(t))
	pub, sub := t.Connect(), subscriber(t, t.Topic("+/end"), q)
	for _, topic := range []string{"end", "a/b/end", "a/End", "a", "a/end/", "a/ends"} {
		pub.PublishText(t.Topic(topic), "not for it", q)
	}
	for _, topic := range []string{"a/end", "b/end", "/end"} {
		pub.PublishText(t.Topic(topic), topic, q)
		sub.WantMessage(t.Topic(topic), topic)
	}
}

func overlapCases() []suite.Case {
	const claims = "3.1.1/MQTT-3.3.5-1 5.0/MQTT-3.3.4-2"
	return []suite.Case{
		{
			Name: "publish/overlapping-subscriptions-deliver-with-the-highest-qos",
			Text: "Three subscriptions of one client match, made in every order of QoS 0, 1 " +
				"and 2: the message, in one copy or several, comes with the highest QoS.",
			Claims: claims,
			Run:    overlapHighest,
		}, {
			Name: "publish/overlapping-subscriptions-forget-the-highest-when-it-goes",
			Text: "After the subscription with the highest QoS is gone, messages come with the " +
				"highest of the rest.",
			Claims: claims,
			Run:    overlapForgets,
		},
	}
}

func overlapHighest(t *suite.T) {
	t.NeedWildcard()
	t.NeedQoS(mqtt.AtLeastOnce)
	filters := []string{t.Topic("a"), t.Topic("+"), t.Topic("#")}
	pub := t.Connect()
	for shift := range filters {
		sub := t.Connect()
		for i := range filters {
			sub.Subscribe(filters[i], min(mqtt.QoS((i+shift)%3), top(t)))
		}
		pub.PublishText(t.Topic("a"), "m", top(t))
		wantHighest(t, sub, top(t))
	}
}

func overlapForgets(t *suite.T) {
	t.NeedWildcard()
	t.NeedQoS(mqtt.AtLeastOnce)
	pub, sub := t.Connect(), t.Connect()
	sub.Subscribe(t.Topic("+"), mqtt.AtMostOnce)
	sub.Subscribe(t.Topic("a"), top(t))
	sub.Unsubscribe(t.Topic("a"))
	pub.PublishText(t.Topic("a"), "m", top(t))
	wantHighest(t, sub, mqtt.AtMostOnce)
}

// wantHighest reads the copies of one message. A server may send one for each subscription
// (section 3.3.5 of 3.1.1, 3.3.4 of 5.0), but not with a QoS above the highest granted.
func wantHighest(t *suite.T, sub *suite.Client, want mqtt.QoS) {
	copies := []mqtt.Publish{sub.ReadMessage()}
	for {
		frame, _ := sub.Poll(quiet)
		if frame == nil {
			break
		}
		var p mqtt.Publish
		if err := p.Decode(t.Version(), frame); err != nil {
			t.Fatalf("want PUBLISH: %v", err)
		}
		sub.Acknowledge(&p)
		copies = append(copies, p)
	}
	highest := mqtt.AtMostOnce
	for i := range copies {
		highest = max(highest, copies[i].QoS)
	}
	if highest != want {
		t.Errorf("the highest QoS of the copies that came (%d) is %d, want %d", len(copies),
			highest, want)
	}
	if len(copies) > 3 {
		t.Errorf("%d copies for 3 subscriptions", len(copies))
	}
}
