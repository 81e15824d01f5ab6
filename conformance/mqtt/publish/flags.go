package publish

import (
	"fmt"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

func flagCases() []suite.Case {
	return []suite.Case{
		{
			Name: "publish/dup-is-not-passed-on",
			Claims: "3.1.1/MQTT-3.3.1-3 3.1.1/MQTT-4.3.2-1 3.1.1/MQTT-4.3.3-1 " +
				"5.0/MQTT-3.3.1-3 5.0/MQTT-4.3.2-2 5.0/MQTT-4.3.3-2",
			Text: "A message that a client publishes with DUP 1 is delivered with DUP 0: for " +
				"the subscriber it is no re-transmission.",
			Run: dupIsNotPassedOn,
		}, {
			Name: "publish/dup-is-0-on-a-message-that-waited",
			Claims: "3.1.1/MQTT-3.3.1-3 3.1.1/MQTT-4.3.2-1 3.1.1/MQTT-4.3.3-1 " +
				"5.0/MQTT-3.3.1-3 5.0/MQTT-4.3.2-2 5.0/MQTT-4.3.3-2",
			Text: "A message that waited in the session of an absent client was never sent, so " +
				"it comes with DUP 0.",
			Run: dupOfQueued,
		}, {
			Name: "publish/qos-0-goes-out-as-qos-0",
			Claims: "3.1.1/MQTT-3.3.1-2 3.1.1/MQTT-4.3.1-1 5.0/MQTT-3.3.1-2 " +
				"5.0/MQTT-4.3.1-1",
			Text: "Messages of each QoS, with DUP 0 and 1, come to a QoS 0 subscription with " +
				"QoS 0 and DUP 0, and a QoS 0 message comes so to any subscription.",
			Run: qos0GoesOut,
		}, {
			Name: "publish/dup-at-qos-0-is-not-passed-on", Claims: "5.0/MQTT-3.3.1-2",
			Text: "A client publishes at QoS 0 with DUP 1, which it may not: whatever the server " +
				"makes of that, no subscriber gets QoS 0 with DUP 1.",
			Run: dupAtQoS0,
		}, {
			Name: "publish/is-answered-by-its-qos",
			Claims: "3.1.1/MQTT-3.3.4-1 3.1.1/MQTT-4.3.2-2 3.1.1/MQTT-4.3.3-2 " +
				"5.0/MQTT-3.3.4-1 5.0/MQTT-4.3.2-4 5.0/MQTT-4.3.3-8",
			Text: "QoS 0 gets no answer, QoS 1 one PUBACK, QoS 2 one PUBREC, each with the " +
				"packet identifier.",
			Run: answeredByQoS,
		}, {
			Name:   "publish/payload-arrives-unaltered",
			Claims: "3.1.1/MQTT-3.3.4-1 5.0/MQTT-3.3.4-1",
			Text: "Payloads of 0, 1, 127, 128, 16383, 16384 and 200000 bytes of every value " +
				"arrive as they were published.",
			Run: payloadUnaltered,
		},
	}
}

func dupIsNotPassedOn(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	pub := t.Connect()
	for q := mqtt.AtLeastOnce; q <= top(t); q++ {
		topic := t.Topic(fmt.Sprintf("q%d", q))
		sub := subscriber(t, topic, q)
		p := message(topic, "m", q)
		p.Dup = true
		pub.Publish(p)
		if got := sub.WantMessage(topic, "m"); got.Dup {
			t.Errorf("QoS %d: DUP is 1 on the first delivery", q)
		}
	}
}

func dupOfQueued(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	topic := t.Topic("")
	pub, sub := t.Connect(), keeper(t)
	sub.Subscribe(topic, top(t))
	sub.Leave()
	for q := mqtt.AtLeastOnce; q <= top(t); q++ {
		p := message(topic, "m", q)
		p.Dup = true
		pub.Publish(p)
	}
	sub = resume(t, sub)
	for q := mqtt.AtLeastOnce; q <= top(t); q++ {
		if got := sub.WantMessage(topic, "m"); got.Dup {
			t.Errorf("QoS %d: DUP is 1 on the first delivery", got.QoS)
		}
	}
}

func qos0GoesOut(t *suite.T) {
	pub := t.Connect()
	low, high := subscriber(t, t.Topic(""), mqtt.AtMostOnce), subscriber(t, t.Topic(""), top(t))
	wantQoS0 := func(c *suite.Client, what string) {
		if got := c.WantMessage(t.Topic(""), "m"); got.QoS != mqtt.AtMostOnce || got.Dup {
			t.Errorf("%s came with QoS %d, DUP %t", what, got.QoS, got.Dup)
		}
	}
	pub.PublishText(t.Topic(""), "m", mqtt.AtMostOnce)
	wantQoS0(high, "QoS 0")
	wantQoS0(low, "QoS 0")
	for q := mqtt.AtLeastOnce; q <= top(t); q++ {
		p := message(t.Topic(""), "m", q)
		p.Dup = q == mqtt.AtLeastOnce
		pub.Publish(p)
		wantQoS0(low, fmt.Sprintf("QoS %d to a QoS 0 subscription", q))
	}
}

func dupAtQoS0(t *suite.T) {
	sub, bad := subscriber(t, t.Topic(""), top(t)), t.Connect()
	p := message(t.Topic(""), "bad", mqtt.AtMostOnce)
	p.Dup = true
	bad.SendPacket(&p)
	bad.SendPacket(&mqtt.Ping{Type: mqtt.PINGREQ})
	_, _ = bad.Poll(t.Options().ExpectTimeout)
	t.Connect().PublishText(t.Topic(""), "end", mqtt.AtMostOnce)
	until(sub, "end") // what is decoded has no DUP at QoS 0
}

func answeredByQoS(t *suite.T) {
	c := t.Connect()
	p := message(t.Topic(""), "m", mqtt.AtMostOnce)
	c.SendPacket(&p)
	c.Ping()
	if top(t) >= mqtt.AtLeastOnce {
		p.QoS, p.PacketID = mqtt.AtLeastOnce, 1
		c.SendPacket(&p)
		c.ReadAck(mqtt.PUBACK, 1)
		c.Ping()
	}
	if top(t) >= mqtt.ExactlyOnce {
		p.QoS, p.PacketID = mqtt.ExactlyOnce, 65535
		c.SendPacket(&p)
		c.ReadAck(mqtt.PUBREC, 65535)
		c.Ping()
	}
}

func payloadUnaltered(t *suite.T) {
	q := min(mqtt.AtLeastOnce, top(t))
	pub, sub := t.Connect(), subscriber(t, t.Topic(""), q)
	for _, n := range []int{0, 1, 127, 128, 16383, 16384, 200000} {
		payload := make([]byte, n)
		for i := range payload {
			payload[i] = byte(i ^ i>>8)
		}
		p := mqtt.Publish{Topic: []byte(t.Topic("")), Payload: payload, QoS: q}
		if limit := t.Server().PacketBytesMax; limit > 0 && p.Size(t.Version()) > int(limit) {
			t.Note("the server takes packets up to %d bytes", limit)
			break
		}
		pub.Publish(p)
		got := sub.ReadMessage()
		if len(got.Payload) != n {
			t.Fatalf("a payload of %d bytes came with %d", n, len(got.Payload))
		}
		t.Same("payload", got.Payload, payload)
	}
}
