package publish

import (
	"time"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

func packetIDCases() []suite.Case {
	const claims = "3.1.1/MQTT-2.3.1-4 3.1.1/MQTT-4.3.2-1 3.1.1/MQTT-4.3.3-1 " +
		"5.0/MQTT-2.2.1-4 5.0/MQTT-4.3.2-1 5.0/MQTT-4.3.3-1"
	return []suite.Case{
		{
			Name: "publish/packet-identifiers-of-open-messages-differ", Claims: claims,
			Text: "Messages of QoS 1 and 2 that are on their way to a client at the same time " +
				"have packet identifiers that differ and are not 0.",
			Run: openDiffer,
		}, {
			Name:   "publish/packet-identifiers-skip-what-is-open-after-65535-messages",
			Claims: "5.0/MQTT-2.2.1-4 5.0/MQTT-4.3.2-1",
			Text: "While a QoS 2 message waits for its PUBCOMP, 65540 QoS 1 messages come and " +
				"go: none has packet identifier 0 or that of the one that waits.",
			Alone: true, Run: skipOpen,
		},
	}
}

func openDiffer(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	pub, sub := t.Connect(), t.Connect()
	for q := mqtt.AtLeastOnce; q <= top(t); q++ {
		sub.Subscribe(t.Topic(string('a'+rune(q))), q)
	}
	for q := mqtt.AtLeastOnce; q <= top(t); q++ {
		batch(t, pub, message(t.Topic(string('a'+rune(q))), "", q), numbers(0, 10))
	}
	seen := make(map[uint16]bool)
	for _, p := range inFlight(t, sub) {
		if p.PacketID == 0 || seen[p.PacketID] {
			t.Errorf("packet identifier %d for %q, which is in use", p.PacketID, p.Payload)
		}
		if p.Dup {
			t.Errorf("DUP is 1 on the first delivery of %q", p.Payload)
		}
		seen[p.PacketID] = true
	}
}

// wrapTimeout is what the 65540 messages may take.
const wrapTimeout = 15 * time.Second

// skipOpen leaves a PUBREL without PUBCOMP, for which no order is set, so that its packet
// identifier stays in use.
func skipOpen(t *suite.T) {
	const n, chunk = 65540, 60
	t.NeedQoS(mqtt.ExactlyOnce)
	topic := t.Topic("")
	pub, sub := t.Connect(), subscriber(t, topic, mqtt.ExactlyOnce)
	pub.PublishText(topic, "waits", mqtt.ExactlyOnce)
	waits := sub.ReadPublish()
	sub.SendPacket(&mqtt.Ack{Type: mqtt.PUBREC, PacketID: waits.PacketID})
	sub.ReadAck(mqtt.PUBREL, waits.PacketID)
	start := time.Now()
	for from := 0; from < n; from += chunk {
		if time.Since(start) > wrapTimeout {
			t.Skipf("%d of %d messages in %v", from, n, wrapTimeout)
		}
		batch(t, pub, message(topic, "", mqtt.AtLeastOnce), numbers(from, from+chunk))
		for i := range chunk {
			frame, open := sub.Poll(2 * time.Second)
			if frame == nil && open {
				t.Skipf("the server sends no more than %d messages while one waits", from+i)
			}
			var p mqtt.Publish
			if err := p.Decode(t.Version(), frame); err != nil {
				t.Fatalf("want PUBLISH: %v", err)
			}
			if p.PacketID == waits.PacketID {
				t.Fatalf("packet identifier %d for %q, which is in use", p.PacketID, p.Payload)
			}
			sub.Acknowledge(&p)
		}
	}
}
