package publish

import (
	"slices"
	"strconv"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// Version 3.1 promises no order, so its clients are not asked here.
func orderCases() []suite.Case {
	const claims = "3.1.1/MQTT-4.6.0-5 3.1.1/MQTT-4.6.0-6 5.0/MQTT-4.6.0-5 5.0/MQTT-4.6.0-6"
	return []suite.Case{
		{
			Name: "publish/order-of-a-topic-is-kept", Claims: claims, Versions: modern(),
			Text: "300 pipelined messages on one topic arrive in order, at each QoS.",
			Run:  orderKept,
		}, {
			Name: "publish/order-is-kept-for-a-lower-granted-qos", Claims: claims,
			Versions: modern(),
			Text: "100 QoS 2 messages arrive in order at subscriptions of QoS 0 and 1 with a " +
				"wildcard.",
			Run: orderLowered,
		}, {
			Name: "publish/order-is-kept-from-a-session-into-the-present", Claims: claims,
			Versions: modern(),
			Text: "50 messages that waited in a session and 50 published while the client comes " +
				"back arrive in order.",
			Run: orderFromSession,
		}, {
			Name: "publish/order-is-kept-in-a-small-window", Claims: "5.0/MQTT-4.6.0-5",
			Text: "50 messages arrive in order at a client with Receive Maximum 3.",
			Run:  orderSmallWindow,
		}, {
			Name:   "publish/pubrels-come-in-the-order-of-the-pubrecs",
			Claims: "3.1.1/MQTT-4.6.0-6", Versions: []mqtt.Version{mqtt.V311},
			Text: "A client answers several QoS 2 messages with PUBREC: the PUBRELs come in that " +
				"order.",
			Run: pubrelOrder,
		},
	}
}

// wantOrder reads and acknowledges messages and wants the numbers from 0 to n-1. At QoS 0 some
// may be lost.
func wantOrder(t *suite.T, c *suite.Client, q mqtt.QoS, n int) {
	for last := -1; last < n-1; {
		p := c.ReadMessage()
		at, err := strconv.Atoi(string(p.Payload))
		if err != nil || at <= last || q > mqtt.AtMostOnce && at != last+1 {
			t.Fatalf("QoS %d: message %q behind %d", q, p.Payload, last)
		}
		last = at
	}
}

func orderKept(t *suite.T) {
	const n = 300
	pub := t.Connect()
	for q := mqtt.AtMostOnce; q <= top(t); q++ {
		topic := t.Topic(string('a' + rune(q)))
		sub := subscriber(t, topic, q)
		batch(t, pub, message(topic, "", q), numbers(0, n))
		wantOrder(t, sub, q, n)
	}
}

func orderLowered(t *suite.T) {
	t.NeedWildcard()
	t.NeedQoS(mqtt.ExactlyOnce)
	const n = 100
	pub := t.Connect()
	zero := subscriber(t, t.Topic("+"), mqtt.AtMostOnce)
	one := subscriber(t, t.Topic("+"), mqtt.AtLeastOnce)
	batch(t, pub, message(t.Topic("a"), "", mqtt.ExactlyOnce), numbers(0, n))
	wantOrder(t, zero, mqtt.AtMostOnce, n)
	wantOrder(t, one, mqtt.AtLeastOnce, n)
}

func orderFromSession(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	const n = 50
	for q := mqtt.AtLeastOnce; q <= top(t); q++ {
		topic := t.Topic(string('a' + rune(q)))
		pub, sub := t.Connect(), keeper(t)
		sub.Subscribe(topic, q)
		sub.Leave()
		batch(t, pub, message(topic, "", q), numbers(0, n))
		sub = resume(t, sub)
		batch(t, pub, message(topic, "", q), numbers(n, 2*n))
		wantOrder(t, sub, q, 2*n)
	}
}

func orderSmallWindow(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	const n = 50
	pub := t.Connect()
	for q := mqtt.AtLeastOnce; q <= top(t); q++ {
		topic := t.Topic(string('a' + rune(q)))
		sub := subscriber(t, topic, q, receiving(3))
		batch(t, pub, message(topic, "", q), numbers(0, n))
		wantOrder(t, sub, q, n)
	}
}

func pubrelOrder(t *suite.T) {
	t.NeedQoS(mqtt.ExactlyOnce)
	topic := t.Topic("")
	pub, sub := t.Connect(), subscriber(t, topic, mqtt.ExactlyOnce)
	batch(t, pub, message(topic, "", mqtt.ExactlyOnce), numbers(0, 10))
	var want, got []uint16
	list := inFlight(t, sub)
	acknowledge(sub, mqtt.PUBREC, list)
	for i := range list {
		var a mqtt.Ack
		if err := a.Decode(t.Version(), sub.Await(mqtt.PUBREL)); err != nil {
			t.Fatalf("the server's PUBREL: %v", err)
		}
		want, got = append(want, list[i].PacketID), append(got, a.PacketID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("PUBRELs of packets %v, want %v", got, want)
	}
}
