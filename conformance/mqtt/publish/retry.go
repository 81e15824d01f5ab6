package publish

import (
	"slices"
	"time"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

func retryCases() []suite.Case {
	return []suite.Case{
		{
			Name: "publish/qos-1-is-sent-again-until-puback",
			Claims: "3.1.1/MQTT-3.3.1-1 3.1.1/MQTT-4.3.2-1 3.1.1/MQTT-4.4.0-1 " +
				"5.0/MQTT-3.3.1-1 5.0/MQTT-4.3.2-3 5.0/MQTT-4.4.0-1",
			Text: "A QoS 1 message without PUBACK comes again when the client resumes its " +
				"session, twice over, with DUP 1 and its packet identifier.",
			Run: againUntilPuback,
		}, {
			Name:   "publish/is-sent-again-to-a-connection-that-takes-over",
			Claims: "3.1.1/MQTT-3.3.1-1 3.1.1/MQTT-4.4.0-1 5.0/MQTT-3.3.1-1 5.0/MQTT-4.4.0-1",
			Text: "A message without PUBACK comes again to a second connection that takes the " +
				"session from the first while that is still open.",
			Run: againAfterTakeover,
		}, {
			Name: "publish/is-sent-again-in-order",
			Claims: "3.1.1/MQTT-4.4.0-1 3.1.1/MQTT-4.6.0-6 5.0/MQTT-4.4.0-1 " +
				"5.0/MQTT-4.6.0-5", Versions: modern(),
			Text: "Of five messages on their way the first is acknowledged; the others come " +
				"again in their order, and those that waited come behind them.",
			Run: againInOrder,
		}, {
			Name:   "publish/is-not-sent-again-to-a-new-session",
			Claims: "3.1.1/MQTT-4.4.0-1 5.0/MQTT-4.4.0-1",
			Text: "A message without PUBACK does not come again to a client that asks for a " +
				"new session and subscribes again.",
			Run: notToNewSession,
		},
	}
}

func againUntilPuback(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	topic := t.Topic("")
	pub, sub := t.Connect(), keeper(t)
	sub.Subscribe(topic, mqtt.AtLeastOnce)
	pub.PublishText(topic, "m", mqtt.AtLeastOnce)
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
	pub.PublishText(topic, "end", mqtt.AtLeastOnce)
	wantOnly(t, sub, "end")
}

func againAfterTakeover(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	topic := t.Topic("")
	pub, sub := t.Connect(), keeper(t)
	sub.Subscribe(topic, mqtt.AtLeastOnce)
	pub.PublishText(topic, "m", mqtt.AtLeastOnce)
	first := sub.ReadPublish()
	sub = resume(t, sub)
	wantResent(t, sub, &first)
	sub.Acknowledge(&first)
	pub.PublishText(topic, "end", mqtt.AtLeastOnce)
	wantOnly(t, sub, "end")
}

func againInOrder(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	for q := mqtt.AtLeastOnce; q <= top(t); q++ {
		topic := t.Topic(string('a' + rune(q)))
		pub, sub := t.Connect(), keeper(t)
		sub.Subscribe(topic, q)
		batch(t, pub, message(topic, "", q), numbers(0, 5))
		open := inFlight(t, sub)
		sub.Acknowledge(&open[0])
		sub.Ping()
		sub.Leave()
		batch(t, pub, message(topic, "", q), numbers(5, 8))
		sub = resume(t, sub)
		batch(t, pub, message(topic, "", q), numbers(8, 10))
		var got []string
		for i := 1; i < 10; i++ {
			p := sub.ReadMessage()
			got = append(got, string(p.Payload))
			if i < len(open) && (!p.Dup || p.PacketID != open[i].PacketID) {
				t.Errorf("QoS %d: %q came again as packet %d with DUP %t, want %d, true", q,
					p.Payload, p.PacketID, p.Dup, open[i].PacketID)
			}
		}
		if want := numbers(1, 10); !slices.Equal(got, want) {
			t.Errorf("QoS %d: messages came as %q, want %q", q, got, want)
		}
	}
}

func notToNewSession(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	topic := t.Topic("")
	pub, sub := t.Connect(), keeper(t)
	sub.Subscribe(topic, mqtt.AtLeastOnce)
	pub.PublishText(topic, "m", mqtt.AtLeastOnce)
	sub.ReadPublish()
	sub.Close()
	sub = t.Connect(suite.Named(sub.ID))
	sub.Subscribe(topic, mqtt.AtLeastOnce)
	pub.PublishText(topic, "end", mqtt.AtLeastOnce)
	wantOnly(t, sub, "end")
}

func retry5Cases() []suite.Case {
	return []suite.Case{
		{
			Name:   "publish/puback-with-an-error-ends-it",
			Claims: "5.0/MQTT-4.4.0-2",
			Text: "After PUBACK with an error the message does not come again when the client " +
				"resumes its session.",
			Run: pubackErrorEnds,
		}, {
			Name: "publish/is-not-sent-again-on-the-same-connection", Claims: "5.0/MQTT-4.4.0-1",
			Text: "For five seconds a client leaves a QoS 1 message, a QoS 2 message and a " +
				"PUBREL unanswered: none comes again on this connection.",
			Run: notOnSameConnection,
		},
	}
}

func pubackErrorEnds(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	topic := t.Topic("")
	pub, sub := t.Connect(), keeper(t)
	sub.Subscribe(topic, mqtt.AtLeastOnce)
	pub.PublishText(topic, "m", mqtt.AtLeastOnce)
	first := sub.ReadPublish()
	sub.SendPacket(&mqtt.Ack{Type: mqtt.PUBACK, PacketID: first.PacketID,
		Reason: mqtt.ImplementationSpecificError})
	sub.Ping()
	sub.Close()
	sub = resume(t, sub)
	sub.Ping()
	pub.PublishText(topic, "end", mqtt.AtLeastOnce)
	wantOnly(t, sub, "end")
}

func notOnSameConnection(t *suite.T) {
	t.NeedQoS(mqtt.ExactlyOnce)
	pub, one, two, three := t.Connect(), t.Connect(), t.Connect(), t.Connect()
	one.Subscribe(t.Topic(""), mqtt.AtLeastOnce)
	two.Subscribe(t.Topic(""), mqtt.ExactlyOnce)
	three.Subscribe(t.Topic(""), mqtt.ExactlyOnce)
	pub.PublishText(t.Topic(""), "m", mqtt.ExactlyOnce)
	one.ReadPublish()
	two.ReadPublish()
	p := three.ReadPublish()
	three.SendPacket(&mqtt.Ack{Type: mqtt.PUBREC, PacketID: p.PacketID})
	three.ReadAck(mqtt.PUBREL, p.PacketID)
	t.Wait(5 * time.Second)
	for _, c := range []*suite.Client{one, two, three} {
		c.Ping()
	}
}
