package publish

import (
	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// refusalCases are about messages that a server does not accept though they are well formed.
func refusalCases() []suite.Case {
	return []suite.Case{
		{
			Name:   "publish/without-permission-is-acknowledged-or-closed",
			Claims: "3.1.1/MQTT-3.3.5-2 5.0/MQTT-3.4.2-1 5.0/MQTT-3.5.2-1",
			Text: "A message below " + suite.DeniedTopic + " is acknowledged by its QoS, in " +
				"5.0 with a reason of the table, or the connection is closed.",
			Target: suite.Guarded, Run: deniedIsAnswered,
		}, {
			Name:   "publish/pubrec-with-an-error-frees-the-packet-identifier",
			Claims: "5.0/MQTT-4.3.3-9",
			Text: "After PUBREC with an error for a message below " + suite.DeniedTopic +
				", PUBLISH with the same packet identifier is a new message, DUP or not.",
			Target: suite.Guarded, Run: deniedFreesID,
		}, {
			Name:   "publish/pubrec-with-an-error-for-a-payload-frees-the-packet-identifier",
			Claims: "5.0/MQTT-4.3.3-9",
			Text: "As before, where the server refuses a payload that is no UTF-8 though its " +
				"Payload Format Indicator says so.",
			Run: payloadFreesID,
		},
	}
}

func deniedIsAnswered(t *suite.T) {
	for q := mqtt.AtMostOnce; q <= top(t); q++ {
		c := t.Connect()
		p := message(suite.DeniedTopic+"/a", "m", q)
		if q > mqtt.AtMostOnce {
			p.PacketID = 5
		}
		c.SendPacket(&p)
		c.SendPacket(&mqtt.Ping{Type: mqtt.PINGREQ})
		frame, open := c.Poll(t.Options().ExpectTimeout)
		if frame == nil && open {
			t.Fatalf("QoS %d: no answer, and the connection is open", q)
		}
		if frame == nil || mqtt.TypeOf(frame) == mqtt.DISCONNECT && t.V5() {
			t.Note("QoS %d: the server ends the connection", q)
			continue
		}
		want := []mqtt.Type{mqtt.PINGRESP, mqtt.PUBACK, mqtt.PUBREC}[q]
		if mqtt.TypeOf(frame) != want {
			t.Fatalf("QoS %d: want %s or the end of the connection, got %s", q, want,
				mqtt.TypeOf(frame))
		}
		if q == mqtt.AtMostOnce {
			continue
		}
		var a mqtt.Ack
		if err := a.Decode(t.Version(), frame); err != nil || a.PacketID != 5 {
			t.Errorf("QoS %d: %s of packet %d: %v", q, want, a.PacketID, err)
		}
	}
}

func deniedFreesID(t *suite.T) {
	t.NeedQoS(mqtt.ExactlyOnce)
	p := message(suite.DeniedTopic+"/a", "denied", mqtt.ExactlyOnce)
	freesID(t, p)
}

func payloadFreesID(t *suite.T) {
	t.NeedQoS(mqtt.ExactlyOnce)
	p := message(t.Topic(""), "\xFF\xFE", mqtt.ExactlyOnce)
	p.Props = p.Props.AppendByte(mqtt.PayloadFormatIndicator, 1)
	freesID(t, p)
}

// freesID publishes what the server may refuse, and then what it must not, with the same packet
// identifier.
func freesID(t *suite.T, refused mqtt.Publish) {
	topic := t.Topic("good")
	sub, c := subscriber(t, topic, mqtt.ExactlyOnce), t.Connect()
	for _, dup := range []bool{false, true} {
		refused.PacketID = 5
		c.SendPacket(&refused)
		frame, open := c.Poll(t.Options().ExpectTimeout)
		var a mqtt.Ack
		if frame == nil && !open || frame != nil && mqtt.TypeOf(frame) == mqtt.DISCONNECT {
			t.Skipf("the server ends the connection")
		}
		if frame == nil || a.Decode(t.Version(), frame) != nil || a.Type != mqtt.PUBREC {
			t.Fatalf("want PUBREC")
		}
		if !a.Reason.Failed() {
			t.Skipf("the server accepts the message")
		}
		good := message(topic, "good", mqtt.ExactlyOnce)
		good.PacketID, good.Dup = 5, dup
		c.Publish(good)
		sub.WantMessage(topic, "good")
	}
	sub.Ping()
}
