package publish

import (
	"slices"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

func receiptCases() []suite.Case {
	return []suite.Case{
		{
			Name:   "publish/reaches-every-subscriber-once",
			Claims: "3.1.1/MQTT-4.5.0-1 5.0/MQTT-4.5.0-1",
			Text: "Messages of each QoS reach ten subscribers with different QoS, the publisher " +
				"itself among them, each once.",
			Run: everySubscriber,
		}, {
			Name:   "publish/waits-for-subscribers-that-are-away",
			Claims: "3.1.1/MQTT-4.5.0-1 5.0/MQTT-4.5.0-1",
			Text: "Messages of QoS 1 and 2 published while three clients with sessions are away " +
				"reach each when it resumes, beside one that was there.",
			Run: awaySubscribers,
		}, {
			Name:   "publish/reaches-subscribers-of-every-matching-filter",
			Claims: "3.1.1/MQTT-4.5.0-1 5.0/MQTT-4.5.0-1",
			Text: "A message reaches clients with the filters a/b/c, a/+/c, a/#, +/b/+ and # " +
				"below the topic of the case.",
			Run: everyFilter,
		},
	}
}

func everySubscriber(t *suite.T) {
	topic := t.Topic("")
	pub := subscriber(t, topic, mqtt.AtMostOnce)
	subs := []*suite.Client{pub}
	for i := range 9 {
		subs = append(subs, subscriber(t, topic, min(mqtt.QoS(i%3), top(t))))
	}
	for q := mqtt.AtMostOnce; q <= top(t); q++ {
		pub.PublishText(topic, "m", q)
		for _, sub := range subs {
			sub.WantMessage(topic, "m")
		}
	}
	for _, sub := range subs {
		sub.Ping()
	}
}

func awaySubscribers(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	topic := t.Topic("")
	pub, there := t.Connect(), subscriber(t, topic, top(t))
	away := []*suite.Client{keeper(t), keeper(t), keeper(t)}
	for i, sub := range away {
		sub.Subscribe(topic, []mqtt.QoS{mqtt.AtLeastOnce, top(t), top(t)}[i])
		if i == 2 {
			sub.Close()
		} else {
			sub.Leave()
		}
	}
	want := []string{"one", "two", "three"}
	for i, payload := range want {
		pub.PublishText(topic, payload, []mqtt.QoS{mqtt.AtLeastOnce, top(t), mqtt.AtLeastOnce}[i])
	}
	for _, sub := range away {
		sub = resume(t, sub)
		var got []string
		for range want {
			p := sub.ReadMessage()
			got = append(got, string(p.Payload))
		}
		slices.Sort(got)
		if !slices.Equal(got, []string{"one", "three", "two"}) {
			t.Errorf("a client that was away got %q, want each of %q", got, want)
		}
		sub.Ping()
	}
	for range want {
		there.ReadMessage()
	}
	there.Ping()
}

func everyFilter(t *suite.T) {
	t.NeedWildcard()
	q := min(mqtt.AtLeastOnce, top(t))
	var subs []*suite.Client
	for _, filter := range []string{"a/b/c", "a/+/c", "a/#", "+/b/+", "#", "a/b/c/#"} {
		subs = append(subs, subscriber(t, t.Topic(filter), q))
	}
	pub := t.Connect()
	pub.PublishText(t.Topic("a/b/c"), "m", q)
	for _, sub := range subs {
		sub.WantMessage(t.Topic("a/b/c"), "m")
	}
}
