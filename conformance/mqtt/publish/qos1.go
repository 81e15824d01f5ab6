package publish

import (
	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

func qos1Cases() []suite.Case {
	return []suite.Case{
		{
			Name:   "publish/qos-1-one-puback-for-each-packet",
			Claims: "3.1.1/MQTT-4.3.2-2 3.1.1/MQTT-2.3.1-6 5.0/MQTT-4.3.2-4 5.0/MQTT-2.2.1-5",
			Text: "Pipelined QoS 1 messages with packet identifiers from all over the range get " +
				"one PUBACK each, and all arrive.",
			Run: pubackForEach,
		}, {
			Name:   "publish/qos-1-packet-identifier-is-free-after-puback",
			Claims: "3.1.1/MQTT-4.3.2-2 5.0/MQTT-4.3.2-5",
			Text: "After PUBACK, PUBLISH with the same packet identifier, payload and DUP 0 or " +
				"1 is a new message and is delivered again.",
			Run: freeAfterPuback,
		}, {
			Name:   "publish/qos-1-is-unacknowledged-until-its-own-puback",
			Claims: "3.1.1/MQTT-4.3.2-1 3.1.1/MQTT-4.4.0-1 5.0/MQTT-4.3.2-3 5.0/MQTT-4.4.0-1",
			Text: "A PUBACK for another packet identifier does not count: the message comes " +
				"again when the client resumes its session.",
			Run: untilPuback,
		}, {
			Name:   "publish/qos-1-puback-ends-it",
			Claims: "3.1.1/MQTT-4.3.2-1 3.1.1/MQTT-4.4.0-1 5.0/MQTT-4.3.2-3 5.0/MQTT-4.4.0-1",
			Text: "After PUBACK a message does not come again when the client resumes its " +
				"session.",
			Run: pubackEnds,
		},
	}
}

func pubackForEach(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	topic := t.Topic("")
	pub, sub := t.Connect(), subscriber(t, topic, mqtt.AtLeastOnce)
	ids := []uint16{65535, 1, 256, 255, 32768, 2, 4660, 13330}
	ids = ids[:min(len(ids), int(t.Server().ReceiveMax))]
	var b []byte
	var sent []mqtt.Publish
	for _, id := range ids {
		p := message(topic, "m", mqtt.AtLeastOnce)
		p.PacketID = id
		b, sent = p.Append(b, t.Version()), append(sent, p)
	}
	pub.Send(b)
	collect(t, pub, mqtt.PUBACK, sent)
	pub.Ping()
	for range sent {
		sub.WantMessage(topic, "m")
	}
	sub.Ping()
}

func freeAfterPuback(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	topic := t.Topic("")
	pub, sub := t.Connect(), subscriber(t, topic, mqtt.AtLeastOnce)
	for _, dup := range []bool{false, true, false, true, true} {
		p := message(topic, "m", mqtt.AtLeastOnce)
		p.PacketID, p.Dup = 5, dup
		pub.Publish(p)
	}
	pub.PublishText(topic, "end", mqtt.AtLeastOnce)
	wantOnly(t, sub, "end", "m", "m", "m", "m", "m")
}

func untilPuback(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	topic := t.Topic("")
	pub, sub := t.Connect(), keeper(t)
	sub.Subscribe(topic, mqtt.AtLeastOnce)
	pub.PublishText(topic, "m", mqtt.AtLeastOnce)
	first := sub.ReadPublish()
	sub.SendPacket(&mqtt.Ack{Type: mqtt.PUBACK, PacketID: first.PacketID ^ 0x5555})
	sub.SendPacket(&mqtt.Ping{Type: mqtt.PINGREQ})
	_, _ = sub.Poll(t.Options().ExpectTimeout)
	sub.Close()
	wantResent(t, resume(t, sub), &first)
}

func pubackEnds(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	topic := t.Topic("")
	pub, sub := t.Connect(), keeper(t)
	sub.Subscribe(topic, mqtt.AtLeastOnce)
	pub.PublishText(topic, "m", mqtt.AtLeastOnce)
	sub.WantMessage(topic, "m")
	sub.Ping()
	sub.Close()
	sub = resume(t, sub)
	pub.PublishText(topic, "end", mqtt.AtLeastOnce)
	wantOnly(t, sub, "end")
}

// wantResent wants the next packet to be first again, with DUP 1 and its packet identifier.
func wantResent(t *suite.T, c *suite.Client, first *mqtt.Publish) {
	p := c.ReadPublish()
	if p.PacketID != first.PacketID || string(p.Payload) != string(first.Payload) ||
		string(p.Topic) != string(first.Topic) || p.QoS != first.QoS {
		t.Errorf("got packet %d %q on %q with QoS %d, want again packet %d %q on %q with QoS %d",
			p.PacketID, p.Payload, p.Topic, p.QoS, first.PacketID, first.Payload, first.Topic,
			first.QoS)
	}
	if !p.Dup {
		t.Errorf("DUP is 0 on %q, which was sent before", p.Payload)
	}
}
