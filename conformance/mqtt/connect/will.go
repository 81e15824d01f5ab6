package connect

import (
	"fmt"
	"strings"
	"time"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// willCases are about what a will is published as.
func willCases() []suite.Case {
	const published = "3.1.1/MQTT-3.1.2-8 5.0/MQTT-3.1.2-7 5.0/MQTT-3.1.2-8"
	var list []suite.Case
	for q := range mqtt.ExactlyOnce + 1 {
		list = append(list, suite.Case{
			Name:   fmt.Sprint("connect/will-qos-", q),
			Claims: "3.1.1/MQTT-3.1.2-9 " + published,
			Text: fmt.Sprintf("The connection of a client with a will of QoS %d breaks: a "+
				"subscriber of the highest QoS gets the will at QoS %d.", q, q),
			Run: func(t *suite.T) { willQoS(t, q) },
		})
	}
	return append(list, suite.Case{
		// In 3.1 a will is 7-bit text.
		Name: "connect/will-payload-is-kept", Claims: "3.1.1/MQTT-3.1.2-9 " + published,
		Versions: since311(),
		Text: "Wills without a payload, with bytes that are no text and with 60,000 bytes are " +
			"published as they were given.",
		Run: willPayloads,
	}, suite.Case{
		Name: "connect/will-not-retained", Claims: "3.1.1/MQTT-3.1.2-16 5.0/MQTT-3.1.2-14",
		Text: "A will with Will Retain 0 is published and not stored: a later subscriber does " +
			"not get it.",
		Run: willNotRetained,
	}, suite.Case{
		Name:   "connect/will-retained",
		Claims: "3.1.1/MQTT-3.1.2-17 5.0/MQTT-3.1.2-15 3.1.1/MQTT-3.1.2-9",
		Text: "A will with Will Retain 1 is published to a subscriber with RETAIN 0, and a later " +
			"subscriber gets it with RETAIN 1.",
		Run: willRetained,
	}, suite.Case{
		Name:   "connect/will-replaces-retained",
		Claims: "3.1.1/MQTT-3.1.2-17 5.0/MQTT-3.1.2-15 3.1.1/MQTT-3.1.2-16 5.0/MQTT-3.1.2-14",
		Text: "A will with Will Retain 1 takes the place of the retained message; one with Will " +
			"Retain 0 leaves it.",
		Run: willReplaces,
	}, suite.Case{
		Name: "connect/will-is-stored-for-who-is-away", Claims: published,
		Text: "A will of QoS 1 is published while a subscriber with a session is away: it gets " +
			"the will when it comes back.",
		Run: willStored,
	}, suite.Case{
		Name: "connect/wills-of-two-clients", Claims: published,
		Text: "Two clients have wills on one topic and one connection breaks: its will is " +
			"published and the other is not.",
		Run: willsOfTwo,
	})
}

// will is a will of QoS 0.
func will(topic, payload string) suite.Option {
	return suite.WithWill(mqtt.Will{Topic: []byte(topic), Payload: []byte(payload)})
}

// willAt is a will with a QoS and Will Retain.
func willAt(topic, payload string, q mqtt.QoS, retain bool) suite.Option {
	return suite.WithWill(mqtt.Will{Topic: []byte(topic), Payload: []byte(payload), QoS: q,
		Retain: retain})
}

// delayedWill is a will with a Will Delay Interval.
func delayedWill(topic, payload string, seconds uint32) suite.Option {
	return suite.WithWill(mqtt.Will{Topic: []byte(topic), Payload: []byte(payload),
		Props: mqtt.Props(nil).AppendUint32(mqtt.WillDelayInterval, seconds)})
}

func willQoS(t *suite.T, q mqtt.QoS) {
	t.NeedQoS(q)
	topic := t.Topic("will")
	w := witness(t, topic)
	c := t.Connect(willAt(topic, "will", q, false))
	wantUnseen(w, topic)
	c.Close()
	if m := w.WantMessage(topic, "will"); m.QoS != q || m.Dup {
		t.Errorf("the will came with QoS %d, DUP %t, want QoS %d, DUP false", m.QoS, m.Dup, q)
	}
	wantUnseen(w, topic)
}

func willPayloads(t *suite.T) {
	topic := t.Topic("will")
	w := witness(t, topic)
	payloads := []string{"", "\x00\xFF\xC3\x28", strings.Repeat("will", 15000)}
	if most := t.Server().PacketBytesMax; most > 0 && most < 61000 {
		payloads = payloads[:2]
	}
	for _, payload := range payloads {
		t.Connect(will(topic, payload)).Abort()
		w.WantMessage(topic, payload)
	}
}

func willNotRetained(t *suite.T) {
	topic := t.Topic("will")
	w := witness(t, topic)
	t.Connect(will(topic, "will")).Close()
	if m := w.WantMessage(topic, "will"); m.Retain {
		t.Errorf("the will came with RETAIN 1")
	}
	wantUnseen(witness(t, topic), topic)
}

func willRetained(t *suite.T) {
	t.NeedRetain()
	topic := t.Topic("will")
	w := witness(t, topic)
	t.Connect(willAt(topic, "will", min(1, highest(t)), true)).Close()
	if m := w.WantMessage(topic, "will"); m.Retain {
		t.Errorf("the will came to a subscription that was there before it with RETAIN 1")
	}
	if m := witness(t, topic).WantMessage(topic, "will"); !m.Retain {
		t.Errorf("the retained will came with RETAIN 0")
	}
}

func willReplaces(t *suite.T) {
	t.NeedRetain()
	topic := t.Topic("will")
	t.Connect().Publish(mqtt.Publish{Topic: []byte(topic), Payload: []byte("old"), Retain: true,
		QoS: min(1, highest(t))})
	w := witness(t, topic)
	w.WantMessage(topic, "old")
	t.Connect(will(topic, "passing")).Close()
	w.WantMessage(topic, "passing")
	witness(t, topic).WantMessage(topic, "old")
	t.Connect(willAt(topic, "new", 0, true)).Close()
	w.WantMessage(topic, "new")
	witness(t, topic).WantMessage(topic, "new")
}

func willStored(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	id, topic := t.ClientID("s"), t.Topic("will")
	w := witness(t, topic)
	c := keep(t, id)
	c.Subscribe(topic, mqtt.AtLeastOnce)
	c.Leave()
	t.Connect(willAt(topic, "will", mqtt.AtLeastOnce, false)).Close()
	w.WantMessage(topic, "will") // it is published
	keep(t, id).WantMessage(topic, "will")
}

func willsOfTwo(t *suite.T) {
	topic := t.Topic("will")
	w := witness(t, topic)
	a, b := t.Connect(will(topic, "a")), t.Connect(will(topic, "b"))
	a.Close()
	w.WantMessage(topic, "a")
	b.Ping()
	wantStillUnseen(t, w, topic, time.Second/2)
	b.Close()
	w.WantMessage(topic, "b")
}
