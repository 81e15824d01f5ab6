package subscribe

import (
	"fmt"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

const replaced = "3.1.1/MQTT-3.8.4-3 5.0/MQTT-3.8.4-3"

// replaceCases are about a filter that is subscribed to again. 3.1 says nothing of it.
func replaceCases() []suite.Case {
	cases := []suite.Case{{
		Name: "subscribe/replace-lowers-qos", Claims: replaced,
		Text: "A filter with QoS 2, then the same with QoS 0: a message with QoS 2 comes once, " +
			"with QoS 0.",
		Run: func(t *suite.T) { runReplace(t, mqtt.ExactlyOnce, mqtt.AtMostOnce) },
	}, {
		Name: "subscribe/replace-raises-qos", Claims: replaced,
		Text: "A filter with QoS 0, then the same with QoS 2: a message with QoS 2 comes once, " +
			"with QoS 2.",
		Run: func(t *suite.T) { runReplace(t, mqtt.AtMostOnce, mqtt.ExactlyOnce) },
	}, {
		Name: "subscribe/replace-after-resuming", Claims: replaced,
		Text: "The subscription of a stored session is replaced by one of the next connection: a " +
			"message with QoS 1 comes once, with QoS 0.",
		Run: runReplaceResumed,
	}, {
		Name: "subscribe/replace-only-the-same-filter", Claims: replaced,
		Text: "A filter is subscribed to again; another, that differs in case, in a wildcard or " +
			"in a separator at its end, stays as it was.",
		Run: runReplaceOther,
	}, {
		Name: "subscribe/replace-sends-retained-again", Claims: replaced + " 5.0/MQTT-3.8.4-4",
		Text: "Each of three SUBSCRIBE with the same filter and the same QoS brings the retained " +
			"messages of two topics again.",
		Run: runReplaceRetained,
	}, {
		Name: "subscribe/replace-loses-nothing", Claims: replaced + " 5.0/MQTT-3.8.4-4",
		Text: "While a client subscribes 100 times to the same filter, another publishes 200 " +
			"messages with QoS 1: all of them come, none twice.",
		Run: runReplaceFlow,
	}}
	for i := range cases {
		cases[i].Versions = numbered()
	}
	return cases
}

func runReplace(t *suite.T, first, second mqtt.QoS) {
	t.NeedQoS(mqtt.ExactlyOnce)
	pub, c := t.Connect(), listen(t, mqtt.ExactlyOnce)
	topic := t.Topic("a")
	granted(t, topic, first, ask(t, c, nil, sub(topic, first))[0])
	code := ask(t, c, nil, sub(topic, second))[0]
	granted(t, topic, second, code)
	pub.PublishText(topic, "hello", mqtt.ExactlyOnce)
	got := gather(t, pub, mqtt.ExactlyOnce, c)
	wantPayloads(t, "the subscriber", got, "hello")
	for _, p := range got {
		wantQoS(t, p, mqtt.QoS(code))
	}
}

func runReplaceResumed(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	pub, id := t.Connect(), t.ClientID("a")
	topic := t.Topic("a")
	c := t.Connect(suite.Named(id), suite.Keeping)
	c.Subscribe(topic, mqtt.AtLeastOnce)
	c.Subscribe(endOf(t), mqtt.AtLeastOnce)
	c.Leave()
	c = t.Connect(suite.Named(id), suite.Keeping)
	c.Subscribe(topic, mqtt.AtMostOnce)
	pub.PublishText(topic, "hello", mqtt.AtLeastOnce)
	got := gather(t, pub, mqtt.AtLeastOnce, c)
	wantPayloads(t, "the subscriber", got, "hello")
	for _, p := range got {
		wantQoS(t, p, mqtt.AtMostOnce)
	}
}

func runReplaceOther(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	t.NeedWildcard()
	pub := t.Connect()
	filter := t.Topic("level/a")
	for _, other := range []string{"level/A", "level/a/", "level/+", "level//a"} {
		c := listen(t, mqtt.AtLeastOnce, t.Topic(other), filter)
		c.Subscribe(filter, mqtt.AtMostOnce)
		name := t.Topic(other)
		if other == "level/+" {
			name = t.Topic("level/b")
		}
		pub.PublishText(name, other, mqtt.AtLeastOnce)
		got := gather(t, pub, mqtt.AtLeastOnce, c)
		wantPayloads(t, "the subscriber", got, other)
		for _, p := range got {
			wantQoS(t, p, mqtt.AtLeastOnce)
		}
		c.Disconnect()
	}
}

func runReplaceRetained(t *suite.T) {
	t.NeedRetain()
	t.NeedWildcard()
	pub, c := t.Connect(), t.Connect()
	q := usual(t)
	retain(t, pub, t.Topic("a"), "a")
	retain(t, pub, t.Topic("b"), "b")
	settle(t, pub)
	for range 3 {
		c.Subscribe(t.Topic("+"), q)
		got := []mqtt.Publish{c.ReadMessage(), c.ReadMessage()}
		wantPayloads(t, "the subscriber", got, "a", "b")
		for _, p := range got {
			if !p.Retain {
				t.Errorf("the retained message %q came with RETAIN 0", p.Payload)
			}
		}
	}
	c.Ping()
}

func runReplaceFlow(t *suite.T) {
	const rounds, perRound = 100, 2
	t.NeedQoS(mqtt.AtLeastOnce)
	pub, c := t.Connect(), listen(t, mqtt.AtLeastOnce, t.Topic("a"))
	var want []string
	var got []mqtt.Publish
	for i := range rounds {
		id := c.NextPacketID()
		c.Send(mqtt.AppendSubscribe(nil, c.Version(), id, nil,
			[]mqtt.Subscription{sub(t.Topic("a"), mqtt.AtLeastOnce)}))
		for k := range perRound {
			want = append(want, fmt.Sprint(i*perRound+k))
			pub.PublishText(t.Topic("a"), want[len(want)-1], mqtt.AtLeastOnce)
		}
		c.ReadSuback(id)
		for range perRound {
			got = append(got, c.ReadMessage())
		}
	}
	got = append(got, gather(t, pub, mqtt.AtLeastOnce, c)...)
	wantPayloads(t, "the subscriber", got, want...)
}
