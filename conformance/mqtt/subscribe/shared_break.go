package subscribe

import (
	"fmt"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// sharedBreakCases are about members that go or refuse while a message is on its way to them.
func sharedBreakCases() []suite.Case {
	cases := []suite.Case{{
		Name: "subscribe/shared-qos-2-completed-before-pubrec", Claims: "5.0/MQTT-4.8.2-4",
		Text: "A member has a message with QoS 2, loses its connection before PUBREC and comes " +
			"back: the message comes again to it, with DUP, to the end; nobody else gets it.",
		Run: func(t *suite.T) { runSharedBreak(t, false) },
	}, {
		Name: "subscribe/shared-qos-2-completed-after-pubrec", Claims: "5.0/MQTT-4.8.2-4",
		Text: "The same, but the connection is lost after PUBREC: PUBREL comes again, and nobody " +
			"gets the message another time.",
		Run: func(t *suite.T) { runSharedBreak(t, true) },
	}, {
		Name: "subscribe/shared-qos-2-of-ended-session", Claims: "5.0/MQTT-4.8.2-5",
		Text: "A member has a message with QoS 2 and has not acknowledged it when its session " +
			"ends with its connection: another member does not get it.",
		Run: func(t *suite.T) { runSharedEnd(t) },
	}}
	for q := mqtt.AtLeastOnce; q <= mqtt.ExactlyOnce; q++ {
		for _, reason := range []mqtt.ReasonCode{mqtt.UnspecifiedError, mqtt.NotAuthorized,
			mqtt.QuotaExceeded} {
			cases = append(cases, suite.Case{
				Name:   fmt.Sprintf("subscribe/shared-refused-qos-%d-by-%02x", q, byte(reason)),
				Claims: "5.0/MQTT-4.8.2-6 5.0/MQTT-4.4.0-2",
				Text: fmt.Sprintf("A member answers a message with QoS %d by 0x%02X: neither the "+
					"other member nor, after it comes back, itself gets it again.", q,
					byte(reason)),
				Run: func(t *suite.T) { runSharedRefused(t, q, reason) },
			})
		}
	}
	return cases
}

// chosen is a member that got a message with QoS q and has not answered, with another member that
// was there too and did not get it.
func chosen(t *suite.T, q mqtt.QoS) (c, other *suite.Client, p mqtt.Publish) {
	t.NeedShared()
	t.NeedQoS(q)
	topic := t.Topic("a")
	c = t.Connect(suite.Named(t.ClientID("a")), suite.Keeping)
	c.SubscribeWith(nil, sub(group(t, "g", topic), q))
	t.Connect().PublishText(topic, "chosen", q)
	p = c.ReadPublish()
	if p.QoS != q {
		t.Fatalf("the message came with QoS %d, want %d", p.QoS, q)
	}
	return c, listen(t, q, group(t, "g", topic)), p
}

func runSharedBreak(t *suite.T, received bool) {
	c, other, p := chosen(t, mqtt.ExactlyOnce)
	pub := t.Connect()
	if received {
		c.SendPacket(&mqtt.Ack{Type: mqtt.PUBREC, PacketID: p.PacketID})
		c.ReadAck(mqtt.PUBREL, p.PacketID)
	}
	c.Close()
	wantPayloads(t, "the other member", gather(t, pub, 2, other))
	c = lose(t, c)
	if !received {
		again := c.ReadPublish()
		if string(again.Payload) != "chosen" || again.PacketID != p.PacketID || !again.Dup {
			t.Fatalf("got message %q %d with DUP %t, want %q %d with DUP true", again.Payload,
				again.PacketID, again.Dup, "chosen", p.PacketID)
		}
		c.SendPacket(&mqtt.Ack{Type: mqtt.PUBREC, PacketID: p.PacketID})
	}
	c.ReadAck(mqtt.PUBREL, p.PacketID)
	c.SendPacket(&mqtt.Ack{Type: mqtt.PUBCOMP, PacketID: p.PacketID})
	c.Subscribe(endOf(t), 2)
	wantPayloads(t, "the member, once more", gather(t, pub, 2, c))
	wantPayloads(t, "the other member", until(t, other, endOf(t)))
}

func runSharedEnd(t *suite.T) {
	t.NeedShared()
	t.NeedQoS(mqtt.ExactlyOnce)
	topic := t.Topic("a")
	// The will is sent when the session has ended: the server knows then that the member is gone.
	c := t.Connect(suite.WithWill(mqtt.Will{Topic: []byte(endOf(t)), Payload: []byte("gone")}))
	c.Subscribe(group(t, "g", topic), mqtt.ExactlyOnce)
	pub := t.Connect()
	pub.PublishText(topic, "chosen", mqtt.ExactlyOnce)
	c.ReadPublish()
	other := listen(t, mqtt.ExactlyOnce, group(t, "g", topic))
	c.Close()
	wantPayloads(t, "the other member", until(t, other, endOf(t)))
	pub.PublishText(topic, "next", mqtt.ExactlyOnce)
	wantPayloads(t, "the other member", gather(t, pub, 2, other), "next")
}

func runSharedRefused(t *suite.T, q mqtt.QoS, reason mqtt.ReasonCode) {
	c, other, p := chosen(t, q)
	pub, kind := t.Connect(), mqtt.PUBACK
	c.Subscribe(endOf(t), q)
	if q == mqtt.ExactlyOnce {
		kind = mqtt.PUBREC
	}
	c.SendPacket(&mqtt.Ack{Type: kind, PacketID: p.PacketID, Reason: reason})
	c.Ping()
	wantPayloads(t, "the other member", gather(t, pub, q, other))
	wantPayloads(t, "the member that refused", until(t, c, endOf(t)))
	c = lose(t, c)
	wantPayloads(t, "the member that refused, when it is back", gather(t, pub, q, c))
	wantPayloads(t, "the other member", until(t, other, endOf(t)))
}
