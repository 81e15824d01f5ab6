package publish

import (
	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// serverQuotaCases are about the server's own Receive Maximum.
func serverQuotaCases() []suite.Case {
	return []suite.Case{
		{
			Name: "publish/takes-as-many-as-its-receive-maximum", Claims: "5.0/MQTT-4.3.3-8",
			Text: "As many QoS 2 messages as the server's Receive Maximum, or 200, are on their " +
				"way at once, twice over: each gets its PUBREC and its PUBCOMP.",
			Run: takesMaximum,
		}, {
			Name:   "publish/refuses-more-than-its-receive-maximum",
			Claims: "5.0/MQTT-3.3.4-7 5.0/MQTT-4.13.1-1",
			Text: "One QoS 2 message more than the server's Receive Maximum, none of them " +
				"released, ends the connection.",
			Run: refusesMore,
		}, {
			Name:   "publish/takes-qos-1-without-counting-what-is-acknowledged",
			Claims: "5.0/MQTT-4.3.2-4 5.0/MQTT-4.3.2-5",
			Text: "Three times the server's Receive Maximum of QoS 1 messages, at most 3000, one " +
				"after the other, get their PUBACKs.",
			Run: takesQoS1,
		},
	}
}

// send2 sends n QoS 2 messages with new packet identifiers in one write.
func send2(t *suite.T, c *suite.Client, n int) []mqtt.Publish {
	var b []byte
	var sent []mqtt.Publish
	for range n {
		p := message(t.Topic(""), "m", mqtt.ExactlyOnce)
		p.PacketID = c.NextPacketID()
		b, sent = p.Append(b, t.Version()), append(sent, p)
	}
	c.Send(b)
	return sent
}

func takesMaximum(t *suite.T) {
	t.NeedQoS(mqtt.ExactlyOnce)
	c := t.Connect()
	for range 2 {
		sent := send2(t, c, min(200, int(t.Server().ReceiveMax)))
		collect(t, c, mqtt.PUBREC, sent)
		acknowledge(c, mqtt.PUBREL, sent)
		collect(t, c, mqtt.PUBCOMP, sent)
	}
}

func refusesMore(t *suite.T) {
	t.NeedQoS(mqtt.ExactlyOnce)
	most := int(t.Server().ReceiveMax)
	if most > 5000 {
		t.Skipf("the server's Receive Maximum of %d is too large to try", most)
	}
	c := t.Connect()
	for left := most + 1; left > 0; left -= 200 {
		send2(t, c, min(left, 200))
	}
	c.WantClosed(mqtt.ReceiveMaximumExceeded)
}

func takesQoS1(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	n := min(1000, int(t.Server().ReceiveMax))
	batch(t, t.Connect(), message(t.Topic(""), "", mqtt.AtLeastOnce), numbers(0, 3*n))
}
