package publish

import (
	"slices"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

func flowCases() []suite.Case {
	return []suite.Case{
		{
			Name:   "publish/receive-maximum-of-the-client-is-kept",
			Claims: "5.0/MQTT-3.3.4-9 5.0/MQTT-4.9.0-1 5.0/MQTT-4.9.0-2",
			Text: "To a client with Receive Maximum 3, at most 3 of 10 messages come before it " +
				"acknowledges one, then one more, and in the end all.",
			Run: quotaKept,
		}, {
			Name:   "publish/receive-maximum-of-one-is-enough",
			Claims: "5.0/MQTT-3.3.4-9 5.0/MQTT-4.9.0-1 5.0/MQTT-4.9.0-2",
			Text: "To a client with Receive Maximum 1, messages of QoS 1 and 2 come one by one, " +
				"a QoS 2 message keeping its place until PUBCOMP.",
			Run: quotaOfOne,
		}, {
			Name:   "publish/receive-maximum-does-not-stop-other-packets",
			Claims: "5.0/MQTT-3.3.4-10 5.0/MQTT-4.9.0-3",
			Text: "While the quota is used up, PINGREQ, SUBSCRIBE, UNSUBSCRIBE and PUBLISH of " +
				"that client are answered.",
			Run: quotaOthers,
		}, {
			Name:   "publish/receive-maximum-place-is-free-after-an-error",
			Claims: "5.0/MQTT-3.3.4-9 5.0/MQTT-4.3.3-4 5.0/MQTT-4.4.0-2",
			Text: "PUBACK or PUBREC with an error frees the only place: the next message comes, " +
				"without a PUBREL before it.",
			Run: quotaAfterError,
		}, {
			Name:   "publish/receive-maximum-is-that-of-the-connection",
			Claims: "5.0/MQTT-3.3.4-9 5.0/MQTT-4.9.0-1 5.0/MQTT-4.9.0-2",
			Text: "A session with 5 messages on their way is resumed with Receive Maximum 1: " +
				"messages come one by one, and all come.",
			Run: quotaOfConnection,
		},
	}
}

func quotaKept(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	pub := t.Connect()
	for q := mqtt.AtLeastOnce; q <= top(t); q++ {
		topic := t.Topic(string('a' + rune(q)))
		sub := subscriber(t, topic, q, receiving(3))
		batch(t, pub, message(topic, "", q), numbers(0, 10))
		open := inFlight(t, sub)
		if len(open) > 3 {
			t.Fatalf("QoS %d: %d messages without an acknowledgement, want at most 3", q, len(open))
		}
		got := payloads(open)
		for i := range open {
			sub.Acknowledge(&open[i])
		}
		for len(got) < 10 {
			p := sub.ReadMessage()
			got = append(got, string(p.Payload))
		}
		if !slices.Equal(got, numbers(0, 10)) {
			t.Errorf("QoS %d: messages %q, want 0 to 9", q, got)
		}
	}
}

func quotaOfOne(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	topic := t.Topic("")
	pub, sub := t.Connect(), subscriber(t, topic, top(t), receiving(1))
	for i, payload := range numbers(0, 4) {
		pub.PublishText(topic, payload, []mqtt.QoS{mqtt.AtLeastOnce, top(t)}[i%2])
	}
	for range 4 {
		p := sub.ReadPublish()
		sub.WantNothingFor(quiet)
		if p.QoS == mqtt.ExactlyOnce {
			sub.SendPacket(&mqtt.Ack{Type: mqtt.PUBREC, PacketID: p.PacketID})
			wantPubrel(t, sub, p.PacketID)
			sub.WantNothingFor(quiet)
			sub.SendPacket(&mqtt.Ack{Type: mqtt.PUBCOMP, PacketID: p.PacketID})
			continue
		}
		sub.Acknowledge(&p)
	}
	sub.Ping()
}

func quotaOthers(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	topic := t.Topic("")
	pub, sub := t.Connect(), subscriber(t, topic, mqtt.AtLeastOnce, receiving(1))
	batch(t, pub, message(topic, "", mqtt.AtLeastOnce), numbers(0, 3))
	first := sub.ReadPublish()
	sub.Ping()
	other := []byte(t.Topic("other"))
	id := first.PacketID ^ 0x4000 // another than the server's, which is not the matter here
	sub.Send(mqtt.AppendSubscribe(nil, t.Version(), id, nil, []mqtt.Subscription{{Filter: other}}))
	sub.ReadSuback(id)
	sub.Send(mqtt.AppendUnsubscribe(nil, t.Version(), id, nil, [][]byte{other}))
	sub.ReadUnsuback(id)
	p := message(t.Topic("unheard"), "m", top(t))
	p.PacketID = id
	sub.Publish(p)
	sub.Ping()
	sub.WantNothing()
	sub.Acknowledge(&first)
	wantOnly(t, sub, "2", "1")
}

func quotaAfterError(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	pub := t.Connect()
	for q := mqtt.AtLeastOnce; q <= top(t); q++ {
		topic := t.Topic(string('a' + rune(q)))
		sub := subscriber(t, topic, q, receiving(1))
		batch(t, pub, message(topic, "", q), numbers(0, 4))
		kind := []mqtt.Type{mqtt.PUBLISH, mqtt.PUBACK, mqtt.PUBREC}[q]
		for _, want := range numbers(0, 3) {
			p := sub.ReadPublish()
			if string(p.Payload) != want {
				t.Fatalf("QoS %d: got %q, want %q", q, p.Payload, want)
			}
			sub.SendPacket(&mqtt.Ack{Type: kind, PacketID: p.PacketID,
				Reason: mqtt.UnspecifiedError})
		}
		sub.WantMessage(topic, "3")
		sub.Ping()
	}
}

func quotaOfConnection(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	topic := t.Topic("")
	pub, sub := t.Connect(), keeper(t, receiving(10))
	sub.Subscribe(topic, mqtt.AtLeastOnce)
	batch(t, pub, message(topic, "", mqtt.AtLeastOnce), numbers(0, 5))
	inFlight(t, sub)
	sub.Close()
	sub = resume(t, sub, receiving(1))
	for i, want := range numbers(0, 5) {
		p := sub.ReadPublish()
		if string(p.Payload) != want {
			t.Fatalf("got %q, want %q", p.Payload, want)
		}
		if i < 2 {
			sub.WantNothingFor(quiet)
		}
		sub.Acknowledge(&p)
	}
	sub.Ping()
}
