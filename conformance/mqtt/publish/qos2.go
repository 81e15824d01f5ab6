package publish

import (
	"time"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// qos2ReceiverCases are those where the server receives.
func qos2ReceiverCases() []suite.Case {
	return []suite.Case{
		{
			Name:   "publish/qos-2-arrives-once-though-published-again",
			Claims: "3.1.1/MQTT-4.3.3-2 5.0/MQTT-4.3.3-8 5.0/MQTT-4.3.3-10 5.0/MQTT-4.3.3-11",
			Text: "PUBLISH sent three times before PUBREL, in 5.0 on three connections of a " +
				"session, gets three PUBRECs, and the message is delivered once.",
			Run: onceThoughAgain,
		}, {
			Name:   "publish/qos-2-arrives-once-over-two-connections",
			Claims: "3.1.1/MQTT-4.3.3-2 5.0/MQTT-4.3.3-10 5.0/MQTT-4.3.3-11",
			Text: "PUBLISH sent again after the publisher resumed its session gets PUBREC, and " +
				"the message is delivered once.",
			Run: onceOverTwo,
		}, {
			Name:   "publish/qos-2-pubrel-is-answered-after-a-reconnection",
			Claims: "3.1.1/MQTT-4.3.3-2 5.0/MQTT-4.3.3-11 5.0/MQTT-4.3.3-12",
			Text: "PUBREL that a publisher sends again after it resumed its session gets " +
				"PUBCOMP, and the message is delivered once.",
			Run: pubrelAgain,
		}, {
			Name:   "publish/qos-2-packet-identifier-is-free-after-pubcomp",
			Claims: "3.1.1/MQTT-4.3.3-2 5.0/MQTT-4.3.3-12",
			Text: "After PUBCOMP, PUBLISH with the same packet identifier, payload and DUP 0 or " +
				"1 is a new message and is delivered again.",
			Run: freeAfterPubcomp,
		}, {
			Name:   "publish/qos-2-goes-on-when-the-message-has-expired",
			Claims: "5.0/MQTT-4.3.3-13",
			Text: "A message expires between PUBREC and PUBREL: PUBLISH again, when the session " +
				"is resumed, gets PUBREC, PUBREL gets PUBCOMP.",
			Run: goesOnExpired,
		}, {
			Name: "publish/packet-identifiers-of-the-two-directions-are-apart",
			Claims: "3.1.1/MQTT-4.3.3-2 3.1.1/MQTT-2.3.1-6 5.0/MQTT-4.3.3-8 " +
				"5.0/MQTT-4.3.3-11 5.0/MQTT-2.2.1-5",
			Text: "A client publishes with the packet identifier of a message it is just " +
				"receiving; both go their way.",
			Run: directionsApart,
		}, {
			Name:   "publish/requests-may-have-packet-identifiers-the-server-uses",
			Claims: "3.1.1/MQTT-2.3.1-7 3.1.1/MQTT-3.9.3-2 5.0/MQTT-2.2.1-6",
			Text: "A client subscribes, unsubscribes and publishes at QoS 1 with the packet " +
				"identifier of a message that it is just receiving: all succeed.",
			Run: requestsApart,
		},
	}
}

// exactly is a QoS 2 message with packet identifier 5.
func exactly(topic, payload string, dup bool) mqtt.Publish {
	p := message(topic, payload, mqtt.ExactlyOnce)
	p.PacketID, p.Dup = 5, dup
	return p
}

// begin sends a QoS 2 PUBLISH and reads its PUBREC.
func begin(c *suite.Client, p mqtt.Publish) {
	c.SendPacket(&p)
	c.ReadAck(mqtt.PUBREC, p.PacketID)
}

// release sends PUBREL and reads its PUBCOMP. A PUBREC of the same message before it is let pass: a
// server that sends it again after a reconnection does no harm.
func release(t *suite.T, c *suite.Client, id uint16) {
	c.SendPacket(&mqtt.Ack{Type: mqtt.PUBREL, PacketID: id})
	for {
		var a mqtt.Ack
		if err := a.Decode(t.Version(), c.Next()); err != nil || a.PacketID != id ||
			a.Type != mqtt.PUBREC && a.Type != mqtt.PUBCOMP {
			t.Fatalf("want PUBCOMP of packet %d, got %s of packet %d: %v", id, a.Type, a.PacketID,
				err)
		}
		if a.Type == mqtt.PUBREC {
			continue
		}
		if a.Reason.Failed() && a.Reason != mqtt.PacketIdentifierNotFound {
			t.Errorf("PUBCOMP says 0x%02X %s", byte(a.Reason), a.Reason)
		}
		return
	}
}

func onceThoughAgain(t *suite.T) {
	t.NeedQoS(mqtt.ExactlyOnce)
	topic := t.Topic("")
	pub, sub := keeper(t), subscriber(t, topic, mqtt.ExactlyOnce)
	begin(pub, exactly(topic, "once", false))
	for range 2 {
		pub = where(t, pub)
		begin(pub, exactly(topic, "once", true))
	}
	for range 2 {
		release(t, pub, 5)
		pub = where(t, pub)
	}
	settle(pub)
	pub.PublishText(topic, "end", mqtt.ExactlyOnce)
	wantOnly(t, sub, "end", "once")
}

// where is the connection that a client may send a packet again on: its own in 3.x, another to the
// same session in 5.0 [MQTT-4.4.0-1].
func where(t *suite.T, c *suite.Client) *suite.Client {
	if !t.V5() {
		return c
	}
	c.Close()
	return resume(t, c)
}

func onceOverTwo(t *suite.T) {
	t.NeedQoS(mqtt.ExactlyOnce)
	topic := t.Topic("")
	pub, sub := keeper(t), subscriber(t, topic, mqtt.ExactlyOnce)
	begin(pub, exactly(topic, "once", false))
	pub.Close()
	pub = resume(t, pub)
	begin(pub, exactly(topic, "once", true))
	release(t, pub, 5)
	settle(pub)
	pub.PublishText(topic, "end", mqtt.ExactlyOnce)
	wantOnly(t, sub, "end", "once")
}

// settle passes over what a server has still to say of the last connection.
func settle(c *suite.Client) {
	c.SendPacket(&mqtt.Ping{Type: mqtt.PINGREQ})
	c.Await(mqtt.PINGRESP)
}

func pubrelAgain(t *suite.T) {
	t.NeedQoS(mqtt.ExactlyOnce)
	topic := t.Topic("")
	pub, sub := keeper(t), subscriber(t, topic, mqtt.ExactlyOnce)
	for _, payload := range []string{"one", "two"} {
		begin(pub, exactly(topic, payload, false))
		if payload == "two" {
			pub.SendPacket(&mqtt.Ack{Type: mqtt.PUBREL, PacketID: 5})
		}
		pub.Close()
		pub = resume(t, pub)
		release(t, pub, 5)
		settle(pub)
	}
	pub.PublishText(topic, "end", mqtt.ExactlyOnce)
	wantOnly(t, sub, "end", "one", "two")
}

func freeAfterPubcomp(t *suite.T) {
	t.NeedQoS(mqtt.ExactlyOnce)
	topic := t.Topic("")
	pub, sub := t.Connect(), subscriber(t, topic, mqtt.ExactlyOnce)
	for _, dup := range []bool{false, true, false} {
		begin(pub, exactly(topic, "m", dup))
		release(t, pub, 5)
		settle(pub)
	}
	pub.PublishText(topic, "end", mqtt.ExactlyOnce)
	wantOnly(t, sub, "end", "m", "m", "m")
}

func goesOnExpired(t *suite.T) {
	t.NeedQoS(mqtt.ExactlyOnce)
	pub := keeper(t)
	p := expiring(t.Topic(""), "m", 1)
	p.QoS, p.PacketID = mqtt.ExactlyOnce, 5
	pub.SendPacket(&p)
	pub.ReadAck(mqtt.PUBREC, 5)
	t.Wait(2200 * time.Millisecond)
	pub = where(t, pub)
	p.Dup = true
	pub.SendPacket(&p)
	pub.ReadAck(mqtt.PUBREC, 5)
	release(t, pub, 5)
}

func directionsApart(t *suite.T) {
	t.NeedQoS(mqtt.ExactlyOnce)
	in, out := t.Topic("in"), t.Topic("out")
	other, c := subscriber(t, out, mqtt.ExactlyOnce), subscriber(t, in, mqtt.ExactlyOnce)
	other.PublishText(in, "to the client", mqtt.ExactlyOnce)
	got := c.ReadPublish()
	id := got.PacketID
	p := exactly(out, "from the client", false)
	p.PacketID = id
	begin(c, p)
	c.SendPacket(&mqtt.Ack{Type: mqtt.PUBREC, PacketID: id})
	c.ReadAck(mqtt.PUBREL, id)
	release(t, c, id)
	c.SendPacket(&mqtt.Ack{Type: mqtt.PUBCOMP, PacketID: id})
	other.WantMessage(out, "from the client")
	c.Ping()
	other.PublishText(in, "end", mqtt.ExactlyOnce)
	wantOnly(t, c, "end")
}

func requestsApart(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	pub, c := t.Connect(), subscriber(t, t.Topic("in"), mqtt.AtLeastOnce)
	pub.PublishText(t.Topic("in"), "m", mqtt.AtLeastOnce)
	got := c.ReadPublish()
	other := []byte(t.Topic("other"))
	c.Send(mqtt.AppendSubscribe(nil, t.Version(), got.PacketID, nil,
		[]mqtt.Subscription{{Filter: other}}))
	if a := c.ReadSuback(got.PacketID); len(a.Reasons) != 1 || a.Reasons[0] != mqtt.GrantedQoS0 {
		t.Errorf("SUBACK says %v, want QoS 0", a.Reasons)
	}
	c.Send(mqtt.AppendUnsubscribe(nil, t.Version(), got.PacketID, nil, [][]byte{other}))
	if a := c.ReadUnsuback(got.PacketID); t.V5() &&
		(len(a.Reasons) != 1 || a.Reasons[0] != mqtt.Success) {
		t.Errorf("UNSUBACK says %v, want Success", a.Reasons)
	}
	p := message(t.Topic("out"), "m", mqtt.AtLeastOnce)
	p.PacketID = got.PacketID
	c.Publish(p)
	c.Acknowledge(&got)
	pub.PublishText(t.Topic("in"), "end", mqtt.AtLeastOnce)
	wantOnly(t, c, "end")
}
