package publish

import (
	"time"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// qos2SenderCases are those where the server sends.
func qos2SenderCases() []suite.Case {
	return []suite.Case{
		{
			Name: "publish/qos-2-is-sent-again-until-pubrec",
			Claims: "3.1.1/MQTT-4.3.3-1 3.1.1/MQTT-4.4.0-1 3.1.1/MQTT-3.3.1-1 " +
				"5.0/MQTT-4.3.3-3 5.0/MQTT-4.4.0-1 5.0/MQTT-3.3.1-1",
			Text: "A QoS 2 message without PUBREC comes again when the client resumes its " +
				"session, twice over, with DUP 1 and its packet identifier.",
			Run: againUntilPubrec,
		}, {
			Name: "publish/qos-2-pubrel-is-sent-again-until-pubcomp",
			Claims: "3.1.1/MQTT-4.3.3-1 3.1.1/MQTT-4.4.0-1 5.0/MQTT-4.3.3-5 " +
				"5.0/MQTT-4.3.3-6 5.0/MQTT-4.4.0-1",
			Text: "After PUBREL and without PUBCOMP, a client that resumes its session gets " +
				"PUBREL again and not PUBLISH, until it answers PUBCOMP.",
			Run: pubrelUntilPubcomp,
		}, {
			Name: "publish/qos-2-pubrec-counts-though-the-connection-breaks",
			Claims: "3.1.1/MQTT-4.3.3-1 3.1.1/MQTT-4.4.0-1 5.0/MQTT-4.3.3-6 " +
				"5.0/MQTT-4.4.0-1",
			Text: "Two QoS 2 messages, one answered by PUBREC: a client that resumes its " +
				"session gets PUBREL for that and PUBLISH for the other.",
			Run: pubrecCounts,
		}, {
			Name:   "publish/qos-2-pubcomp-ends-it",
			Claims: "3.1.1/MQTT-4.3.3-1 5.0/MQTT-4.3.3-5",
			Text: "After PUBCOMP neither PUBLISH nor PUBREL comes when the client resumes its " +
				"session.",
			Run: pubcompEnds,
		}, {
			Name:   "publish/qos-2-does-not-expire-once-sent",
			Claims: "5.0/MQTT-4.3.3-7 5.0/MQTT-4.4.0-1",
			Text: "A QoS 2 message that was sent and whose interval has passed since comes again " +
				"when the client resumes its session.",
			Run: noExpiryOnceSent,
		}, {
			Name:   "publish/qos-2-pubrec-with-an-error-ends-it",
			Claims: "5.0/MQTT-4.3.3-4 5.0/MQTT-4.4.0-2",
			Text: "After PUBREC with an error no PUBREL comes, and no PUBLISH again when the " +
				"client resumes its session.",
			Run: pubrecErrorEnds,
		},
	}
}

// receiver2 is a client with a session, a QoS 2 subscription, and a publisher beside it.
func receiver2(t *suite.T) (pub, sub *suite.Client) {
	t.NeedQoS(mqtt.ExactlyOnce)
	pub, sub = t.Connect(), keeper(t)
	sub.Subscribe(t.Topic(""), mqtt.ExactlyOnce)
	return pub, sub
}

func againUntilPubrec(t *suite.T) {
	pub, sub := receiver2(t)
	pub.PublishText(t.Topic(""), "m", mqtt.ExactlyOnce)
	first := sub.ReadPublish()
	if first.Dup {
		t.Errorf("DUP is 1 on the first delivery")
	}
	for range 2 {
		sub.Close()
		sub = resume(t, sub)
		wantResent(t, sub, &first)
	}
	sub.Acknowledge(&first)
	pub.PublishText(t.Topic(""), "end", mqtt.ExactlyOnce)
	wantOnly(t, sub, "end")
}

func pubrelUntilPubcomp(t *suite.T) {
	pub, sub := receiver2(t)
	pub.PublishText(t.Topic(""), "m", mqtt.ExactlyOnce)
	first := sub.ReadPublish()
	sub.SendPacket(&mqtt.Ack{Type: mqtt.PUBREC, PacketID: first.PacketID})
	sub.ReadAck(mqtt.PUBREL, first.PacketID)
	for range 2 {
		sub.Close()
		sub = resume(t, sub)
		wantPubrel(t, sub, first.PacketID)
	}
	sub.SendPacket(&mqtt.Ack{Type: mqtt.PUBCOMP, PacketID: first.PacketID})
	pub.PublishText(t.Topic(""), "end", mqtt.ExactlyOnce)
	wantOnly(t, sub, "end")
}

// wantPubrel wants PUBREL as the very next packet.
func wantPubrel(t *suite.T, c *suite.Client, id uint16) {
	var a mqtt.Ack
	if err := a.Decode(t.Version(), c.Expect(mqtt.PUBREL)); err != nil {
		t.Fatalf("the server's PUBREL: %v", err)
	}
	if a.PacketID != id {
		t.Errorf("PUBREL of packet %d, want %d", a.PacketID, id)
	}
}

func pubrecCounts(t *suite.T) {
	pub, sub := receiver2(t)
	batch(t, pub, message(t.Topic(""), "", mqtt.ExactlyOnce), []string{"one", "two"})
	list := inFlight(t, sub)
	if len(list) < 2 {
		t.Skipf("the server sends one message at a time")
	}
	sub.SendPacket(&mqtt.Ack{Type: mqtt.PUBREC, PacketID: list[0].PacketID})
	sub.ReadAck(mqtt.PUBREL, list[0].PacketID)
	sub.Close()
	sub = resume(t, sub)
	var released, resent bool
	for range 2 {
		frame := sub.Next()
		var p mqtt.Publish
		var a mqtt.Ack
		switch {
		case a.Decode(t.Version(), frame) == nil && a.Type == mqtt.PUBREL:
			released = a.PacketID == list[0].PacketID
		case p.Decode(t.Version(), frame) == nil:
			resent = p.PacketID == list[1].PacketID && string(p.Payload) == "two" && p.Dup
		}
	}
	if !released || !resent {
		t.Errorf("PUBREL of packet %d: %t, PUBLISH %d \"two\" with DUP 1: %t; want both",
			list[0].PacketID, released, list[1].PacketID, resent)
	}
	sub.Ping()
}

func pubcompEnds(t *suite.T) {
	pub, sub := receiver2(t)
	pub.PublishText(t.Topic(""), "m", mqtt.ExactlyOnce)
	sub.WantMessage(t.Topic(""), "m")
	sub.Ping()
	sub.Close()
	sub = resume(t, sub)
	sub.Ping()
	pub.PublishText(t.Topic(""), "end", mqtt.ExactlyOnce)
	wantOnly(t, sub, "end")
}

func noExpiryOnceSent(t *suite.T) {
	pub, sub := receiver2(t)
	p := expiring(t.Topic(""), "m", 1)
	p.QoS = mqtt.ExactlyOnce
	pub.Publish(p)
	first := sub.ReadPublish()
	sub.Close()
	t.Wait(2200 * time.Millisecond)
	sub = resume(t, sub)
	wantResent(t, sub, &first)
	sub.Acknowledge(&first)
}

func pubrecErrorEnds(t *suite.T) {
	pub, sub := receiver2(t)
	pub.PublishText(t.Topic(""), "m", mqtt.ExactlyOnce)
	first := sub.ReadPublish()
	sub.SendPacket(&mqtt.Ack{Type: mqtt.PUBREC, PacketID: first.PacketID,
		Reason: mqtt.UnspecifiedError})
	sub.Ping()
	sub.Close()
	sub = resume(t, sub)
	sub.Ping()
	pub.PublishText(t.Topic(""), "end", mqtt.ExactlyOnce)
	wantOnly(t, sub, "end")
}
