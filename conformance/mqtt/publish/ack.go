package publish

import (
	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

func ackCases() []suite.Case {
	return []suite.Case{
		{
			Name:   "publish/acknowledgements-say-what-the-table-has",
			Claims: "5.0/MQTT-3.4.2-1 5.0/MQTT-3.5.2-1 5.0/MQTT-3.7.2-1",
			Text: "PUBACK, PUBREC and PUBCOMP of good messages say Success; No matching " +
				"subscribers is good only where there is none.",
			Run: ackCodes,
		}, {
			Name: "publish/pubrel-of-the-server",
			Claims: "3.1.1/MQTT-3.6.1-1 3.1.1/MQTT-2.3.1-6 5.0/MQTT-3.6.1-1 " +
				"5.0/MQTT-3.6.2-1 5.0/MQTT-2.2.1-5 5.0/MQTT-4.3.3-4",
			Text: "The server's PUBREL has the flags 0010, the packet identifier of its " +
				"PUBLISH, and in 5.0 the reason Success.",
			Run: pubrelOfServer,
		}, {
			Name:   "publish/refuses-pubrel-with-wrong-flags",
			Claims: "3.1.1/MQTT-3.6.1-1 5.0/MQTT-3.6.1-1", Versions: modern(),
			Text: "PUBREL with the flags 0000, 0011 and 1010 ends the connection.",
			Run:  pubrelWrongFlags,
		}, {
			Name:   "publish/pubrel-of-an-unknown-packet",
			Claims: "3.1.1/MQTT-4.3.3-2 5.0/MQTT-4.3.3-11 5.0/MQTT-3.7.2-1",
			Text: "PUBREL for a packet identifier that no PUBLISH had is answered with PUBCOMP " +
				"of that identifier.",
			Run: pubrelUnknown,
		}, {
			Name: "publish/pubrec-of-an-unknown-packet", Claims: "5.0/MQTT-3.6.2-1",
			Text: "If the server answers a PUBREC for a packet identifier it never used, then " +
				"with a PUBREL of that identifier, Success or Packet Identifier not found.",
			Run: pubrecUnknown,
		}, {
			Name:   "publish/acknowledgements-of-every-form-count",
			Claims: "5.0/MQTT-4.3.2-3 5.0/MQTT-4.3.3-5",
			Text: "PUBACK and PUBCOMP without reason, with reason, with an empty property " +
				"length, with Reason String and User Property end their message: none comes again.",
			Run: ackForms,
		},
	}
}

func ackCodes(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	pub := t.Connect()
	subscriber(t, t.Topic("wanted"), mqtt.AtMostOnce)
	for _, topic := range []string{t.Topic("wanted"), t.Topic("unwanted")} {
		good := func(a mqtt.Ack) {
			none := a.Reason == mqtt.NoMatchingSubscribers && a.Type != mqtt.PUBCOMP
			if a.Reason != mqtt.Success && !(none && topic == t.Topic("unwanted")) {
				t.Errorf("%s for %q says 0x%02X %s", a.Type, topic, byte(a.Reason), a.Reason)
			}
		}
		p := message(topic, "m", mqtt.AtLeastOnce)
		p.PacketID = 5
		pub.SendPacket(&p)
		good(pub.ReadAck(mqtt.PUBACK, 5))
		if top(t) < mqtt.ExactlyOnce {
			continue
		}
		p.QoS = mqtt.ExactlyOnce
		pub.SendPacket(&p)
		good(pub.ReadAck(mqtt.PUBREC, 5))
		pub.SendPacket(&mqtt.Ack{Type: mqtt.PUBREL, PacketID: 5})
		good(pub.ReadAck(mqtt.PUBCOMP, 5))
	}
}

func pubrelOfServer(t *suite.T) {
	t.NeedQoS(mqtt.ExactlyOnce)
	pub, sub := t.Connect(), subscriber(t, t.Topic(""), mqtt.ExactlyOnce)
	for range 3 {
		pub.PublishText(t.Topic(""), "m", mqtt.ExactlyOnce)
		p := sub.ReadPublish()
		sub.SendPacket(&mqtt.Ack{Type: mqtt.PUBREC, PacketID: p.PacketID})
		frame := sub.Expect(mqtt.PUBREL)
		if frame[0] != 0x62 && t.Version() != mqtt.V31 {
			t.Errorf("PUBREL begins with 0x%02X, want 0x62", frame[0])
		}
		var rel mqtt.Ack
		if err := rel.Decode(t.Version(), frame); err != nil {
			t.Fatalf("the server's PUBREL: %v", err)
		}
		if rel.PacketID != p.PacketID || rel.Reason != mqtt.Success {
			t.Errorf("PUBREL of packet %d says 0x%02X, want packet %d, 0x00", rel.PacketID,
				byte(rel.Reason), p.PacketID)
		}
		sub.SendPacket(&mqtt.Ack{Type: mqtt.PUBCOMP, PacketID: p.PacketID})
	}
}

func pubrelWrongFlags(t *suite.T) {
	t.NeedQoS(mqtt.ExactlyOnce)
	for _, first := range []byte{0x60, 0x63, 0x6A} {
		c := t.Connect()
		p := message(t.Topic(""), "m", mqtt.ExactlyOnce)
		p.PacketID = 5
		c.SendPacket(&p)
		c.ReadAck(mqtt.PUBREC, 5)
		c.Send([]byte{first, 2, 0, 5})
		c.WantClosed(mqtt.MalformedPacket, mqtt.ProtocolError)
	}
}

func pubrelUnknown(t *suite.T) {
	t.NeedQoS(mqtt.ExactlyOnce)
	c := t.Connect()
	for _, id := range []uint16{1, 4242, 65535} {
		c.SendPacket(&mqtt.Ack{Type: mqtt.PUBREL, PacketID: id})
		a := c.ReadAck(mqtt.PUBCOMP, id)
		if a.Reason != mqtt.Success && a.Reason != mqtt.PacketIdentifierNotFound {
			t.Errorf("PUBCOMP says 0x%02X", byte(a.Reason))
		}
	}
	c.Ping()
}

func pubrecUnknown(t *suite.T) {
	t.NeedQoS(mqtt.ExactlyOnce)
	c := t.Connect()
	c.SendPacket(&mqtt.Ack{Type: mqtt.PUBREC, PacketID: 4242})
	c.SendPacket(&mqtt.Ping{Type: mqtt.PINGREQ})
	frame, open := c.Poll(t.Options().ExpectTimeout)
	switch {
	case frame == nil && open:
		t.Fatalf("neither PUBREL nor PINGRESP")
	case frame == nil || mqtt.TypeOf(frame) == mqtt.DISCONNECT:
		t.Note("the server ends the connection, which no statement forbids")
		return
	case mqtt.TypeOf(frame) == mqtt.PINGRESP:
		return
	}
	var a mqtt.Ack
	if err := a.Decode(t.Version(), frame); err != nil || a.Type != mqtt.PUBREL {
		t.Fatalf("the answer is %s: %v", mqtt.TypeOf(frame), err)
	}
	if a.PacketID != 4242 || a.Reason != mqtt.Success &&
		a.Reason != mqtt.PacketIdentifierNotFound {
		t.Errorf("PUBREL of packet %d says 0x%02X", a.PacketID, byte(a.Reason))
	}
	c.Expect(mqtt.PINGRESP)
}
