package subscribe

import (
	"fmt"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

const (
	stops     = "3.1.1/MQTT-3.10.4-2 5.0/MQTT-3.10.4-2"
	completes = "3.1.1/MQTT-3.10.4-3 5.0/MQTT-3.10.4-3"
)

// deliveryCases are about messages while a client unsubscribes.
func deliveryCases() []suite.Case {
	var cases []suite.Case
	for q := mqtt.AtMostOnce; q <= mqtt.ExactlyOnce; q++ {
		cases = append(cases, suite.Case{
			Name: fmt.Sprintf("subscribe/unsubscribe-stops-qos-%d", q), Claims: stops,
			Text: fmt.Sprintf("After UNSUBACK no message with QoS %d comes that is published "+
				"later.", q),
			Run: func(t *suite.T) { runStops(t, q) },
		})
	}
	return append(cases, suite.Case{
		Name: "subscribe/unsubscribe-of-stored-session", Claims: stops,
		Text: "A client unsubscribes and goes: what is published while it is away is not kept " +
			"for it, and the resumed session does not have the subscription.",
		Run: runStopsStored,
	}, suite.Case{
		Name: "subscribe/unsubscribe-completes-qos-1", Claims: completes,
		Text: "A client unsubscribes before it acknowledges a message with QoS 1 and loses its " +
			"connection: the message comes again when it resumes its session.",
		Run: runCompletes1,
	}, suite.Case{
		Name: "subscribe/unsubscribe-completes-qos-2", Claims: completes,
		Text: "A client unsubscribes before it acknowledges a message with QoS 2: its PUBREC is " +
			"answered by PUBREL as ever.",
		Run: runCompletes2,
	}, suite.Case{
		Name: "subscribe/unsubscribe-completes-qos-2-resumed", Claims: completes,
		Text: "A client sends PUBREC, unsubscribes and loses its connection: PUBREL comes again " +
			"when it resumes its session.",
		Run: runCompletes2Resumed,
	})
}

func runStops(t *suite.T, q mqtt.QoS) {
	t.NeedQoS(q)
	pub, c := t.Connect(), listen(t, q, t.Topic("a"))
	pub.PublishText(t.Topic("a"), "before", q)
	wantPayloads(t, "the subscriber", gather(t, pub, q, c), "before")
	c.Unsubscribe(t.Topic("a"))
	pub.PublishText(t.Topic("a"), "after", q)
	wantPayloads(t, "the client that unsubscribed", gather(t, pub, q, c))
}

func runStopsStored(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	pub, id := t.Connect(), t.ClientID("a")
	c := t.Connect(suite.Named(id), suite.Keeping)
	c.Subscribe(t.Topic("a"), 1)
	c.Subscribe(endOf(t), 1)
	c.Unsubscribe(t.Topic("a"))
	c.Leave()
	pub.PublishText(t.Topic("a"), "away", 1)
	pub.PublishText(endOf(t), "end", 1)
	c = t.Connect(suite.Named(id), suite.Keeping)
	wantPayloads(t, "the resumed session", until(t, c, endOf(t)))
	pub.PublishText(t.Topic("a"), "back", 1)
	wantPayloads(t, "the resumed session", gather(t, pub, 1, c))
}

// begun connects a client with a stored session that has a message with QoS q it has not
// acknowledged.
func begun(t *suite.T, q mqtt.QoS) (*suite.Client, mqtt.Publish) {
	t.NeedQoS(q)
	c := t.Connect(suite.Named(t.ClientID("a")), suite.Keeping)
	c.Subscribe(t.Topic("a"), q)
	t.Connect().PublishText(t.Topic("a"), "begun", q)
	p := c.ReadPublish()
	if p.QoS != q {
		t.Fatalf("the message came with QoS %d, want %d", p.QoS, q)
	}
	return c, p
}

// lose takes the connection away and resumes the session.
func lose(t *suite.T, c *suite.Client) *suite.Client {
	c.Close()
	c = t.Connect(suite.Named(t.ClientID("a")), suite.Keeping)
	if t.Version() != mqtt.V31 && !c.Connack.SessionPresent {
		t.Fatalf("the session is not there any more")
	}
	return c
}

func runCompletes1(t *suite.T) {
	c, p := begun(t, mqtt.AtLeastOnce)
	c.Unsubscribe(t.Topic("a"))
	c = lose(t, c)
	again := c.WantMessage(t.Topic("a"), "begun")
	if again.PacketID != p.PacketID || !again.Dup {
		t.Errorf("the message came again with packet identifier %d and DUP %t, want %d and DUP 1",
			again.PacketID, again.Dup, p.PacketID)
	}
	c.Ping()
}

func runCompletes2(t *suite.T) {
	c, p := begun(t, mqtt.ExactlyOnce)
	c.Unsubscribe(t.Topic("a"))
	c.SendPacket(&mqtt.Ack{Type: mqtt.PUBREC, PacketID: p.PacketID})
	c.ReadAck(mqtt.PUBREL, p.PacketID)
	c.SendPacket(&mqtt.Ack{Type: mqtt.PUBCOMP, PacketID: p.PacketID})
	c.Ping()
}

func runCompletes2Resumed(t *suite.T) {
	c, p := begun(t, mqtt.ExactlyOnce)
	c.SendPacket(&mqtt.Ack{Type: mqtt.PUBREC, PacketID: p.PacketID})
	c.ReadAck(mqtt.PUBREL, p.PacketID)
	c.Unsubscribe(t.Topic("a"))
	c = lose(t, c)
	c.ReadAck(mqtt.PUBREL, p.PacketID)
	c.SendPacket(&mqtt.Ack{Type: mqtt.PUBCOMP, PacketID: p.PacketID})
	c.Ping()
}
