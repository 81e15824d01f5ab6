package publish

import (
	"fmt"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

func aliasCases() []suite.Case {
	return []suite.Case{
		{
			Name:   "publish/topic-alias-stands-for-its-topic",
			Claims: "5.0/MQTT-3.3.2-11 5.0/MQTT-3.3.2-12",
			Text: "A message with an empty topic name and an alias set before is delivered on " +
				"the alias's topic, at each QoS and retained; the alias itself is not passed on.",
			Run: aliasStands,
		}, {
			Name: "publish/topic-alias-of-every-value", Claims: "5.0/MQTT-3.3.2-12",
			Text: "The server takes every alias from 1 to its Topic Alias Maximum, each for a " +
				"topic of its own.",
			Run: aliasEvery,
		}, {
			Name: "publish/topic-alias-is-set-anew", Claims: "5.0/MQTT-3.3.2-12",
			Text: "An alias that comes with another topic name stands for that from then on.",
			Run:  aliasAnew,
		}, {
			Name: "publish/topic-alias-belongs-to-a-connection", Claims: "5.0/MQTT-3.3.2-7",
			Text: "Two clients set the same alias for different topics; neither sees the other's.",
			Run:  aliasOfConnection,
		}, {
			Name:   "publish/topic-alias-ends-with-its-connection",
			Claims: "5.0/MQTT-3.3.2-7",
			Text: "After a reconnection to the same session an alias that was set before is " +
				"unknown: the server closes the connection and delivers nothing.",
			Run: aliasEnds,
		},
	}
}

// needAlias skips the case if the server does not take that many aliases.
func needAlias(t *suite.T, n uint16) {
	if t.Server().TopicAliasMax < n {
		t.Skipf("the server offers Topic Alias Maximum %d", t.Server().TopicAliasMax)
	}
}

// aliased is a message with a topic alias; topic may be empty.
func aliased(alias uint16, topic, payload string, q mqtt.QoS) mqtt.Publish {
	p := message(topic, payload, q)
	p.Props = p.Props.AppendUint16(mqtt.TopicAlias, alias)
	return p
}

func aliasStands(t *suite.T) {
	needAlias(t, 1)
	topic := t.Topic("")
	pub, sub := t.Connect(), subscriber(t, topic, top(t))
	pub.Publish(aliased(1, topic, "set", mqtt.AtMostOnce))
	sub.WantMessage(topic, "set")
	for q := mqtt.AtMostOnce; q <= top(t); q++ {
		pub.Publish(aliased(1, "", "used", q))
		got := sub.WantMessage(topic, "used")
		if v, has := got.Props.Uint16(mqtt.TopicAlias); has {
			t.Errorf("topic alias %d to a client that takes none", v)
		}
	}
	pub.PublishText(topic, "without", mqtt.AtMostOnce)
	sub.WantMessage(topic, "without")
	if t.Server().Retain && top(t) > mqtt.AtMostOnce {
		p := aliased(1, "", "kept", mqtt.AtLeastOnce)
		p.Retain = true
		pub.Publish(p)
		subscriber(t, topic, mqtt.AtLeastOnce).WantMessage(topic, "kept")
	}
}

func aliasEvery(t *suite.T) {
	needAlias(t, 1)
	q := min(mqtt.AtLeastOnce, top(t))
	last := t.Server().TopicAliasMax
	pub, sub := t.Connect(), t.Connect()
	watched := []uint16{1, max(1, last/2), last}
	for _, alias := range watched {
		sub.Subscribe(t.Topic(fmt.Sprint(alias)), q)
	}
	var b []byte
	for alias := uint16(1); alias > 0 && alias <= min(last, 1000); alias++ {
		p := aliased(alias, t.Topic(fmt.Sprint(alias)), "set", mqtt.AtMostOnce)
		b = p.Append(b, t.Version())
	}
	pub.Send(b)
	p := aliased(last, t.Topic(fmt.Sprint(last)), "set", mqtt.AtMostOnce)
	pub.SendPacket(&p)
	pub.Ping()
	for i, alias := range watched {
		if alias > 1000 && alias != last {
			continue
		}
		payload := fmt.Sprintf("used %d", i)
		pub.Publish(aliased(alias, "", payload, q))
		for {
			got := sub.ReadMessage()
			if string(got.Payload) == "set" {
				continue
			}
			if want := t.Topic(fmt.Sprint(alias)); string(got.Topic) != want {
				t.Errorf("alias %d: delivered on %q, want %q", alias, got.Topic, want)
			}
			break
		}
	}
}

func aliasAnew(t *suite.T) {
	needAlias(t, 1)
	q := min(mqtt.AtLeastOnce, top(t))
	a, b := t.Topic("a"), t.Topic("b")
	pub, sub := t.Connect(), t.Connect()
	sub.Subscribe(a, q)
	sub.Subscribe(b, q)
	for _, step := range []struct{ topic, on string }{{a, a}, {"", a}, {b, b}, {"", b}, {a, a},
		{"", a}} {
		pub.Publish(aliased(1, step.topic, "m", q))
		sub.WantMessage(step.on, "m")
	}
}

func aliasOfConnection(t *suite.T) {
	needAlias(t, 1)
	q := min(mqtt.AtLeastOnce, top(t))
	a, b := t.Topic("a"), t.Topic("b")
	one, two, sub := t.Connect(), t.Connect(), t.Connect()
	sub.Subscribe(a, q)
	sub.Subscribe(b, q)
	one.Publish(aliased(1, a, "set", q))
	sub.WantMessage(a, "set")
	two.Publish(aliased(1, b, "set", q))
	sub.WantMessage(b, "set")
	one.Publish(aliased(1, "", "used", q))
	sub.WantMessage(a, "used")
	two.Publish(aliased(1, "", "used", q))
	sub.WantMessage(b, "used")
}

func aliasEnds(t *suite.T) {
	needAlias(t, 1)
	q := min(mqtt.AtLeastOnce, top(t))
	topic := t.Topic("")
	sub, pub := subscriber(t, topic, q), keeper(t)
	pub.Publish(aliased(1, topic, "set", q))
	sub.WantMessage(topic, "set")
	pub.Close()
	pub = resume(t, pub)
	p := aliased(1, "", "used", q)
	if q > mqtt.AtMostOnce {
		p.PacketID = 9
	}
	pub.SendPacket(&p)
	pub.WantClosed(mqtt.ProtocolError, mqtt.TopicAliasInvalid)
	t.Connect().PublishText(topic, "end", q)
	wantOnly(t, sub, "end")
}
