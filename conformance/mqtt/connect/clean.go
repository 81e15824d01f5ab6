package connect

import (
	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// cleanCases are about Clean Start 1 and CleanSession 1.
func cleanCases() []suite.Case {
	const starts = "3.1.1/MQTT-3.1.2-6 5.0/MQTT-3.1.2-4 3.1.1/MQTT-3.1.4-3 5.0/MQTT-3.1.4-4"
	return []suite.Case{{
		Name: "connect/clean-says-no-session", Versions: since311(),
		Claims: "3.1.1/MQTT-3.2.2-1 5.0/MQTT-3.2.2-2 " + starts,
		Text:   "A client with a stored session starts clean: Session Present is 0.",
		Run:    cleanPresent,
	}, {
		Name: "connect/clean-drops-subscriptions", Claims: starts,
		Text: "A client with a stored session starts clean: its old subscription is gone.",
		Run:  cleanSubscriptions,
	}, {
		Name: "connect/clean-drops-stored-messages", Claims: starts,
		Text: "A client starts clean when messages wait in its stored session: it gets none of " +
			"them, then or later.",
		Run: cleanStored,
	}, {
		Name: "connect/clean-drops-unacknowledged-messages", Claims: starts,
		Text: "A client that has not acknowledged a message starts clean: the message does not " +
			"come again.",
		Run: cleanUnacknowledged,
	}, {
		Name: "connect/clean-drops-received-qos-2", Claims: starts,
		Text: "A client sends a message of QoS 2, goes after PUBREC, starts clean and sends " +
			"another with the same packet identifier: the other is delivered.",
		Run: cleanReceivedQoS2,
	}, {
		Name: "connect/clean-leaves-nothing", Claims: "3.1.1/MQTT-3.2.2-3 5.0/MQTT-3.1.2-6 " +
			"5.0/MQTT-3.2.2-3 " + starts,
		Text: "The session of a client that started clean ends with the connection: the next has " +
			"neither session nor subscription.",
		Run: cleanLeavesNothing,
	}, {
		Name: "connect/clean-then-kept", Claims: "5.0/MQTT-3.1.2-4 5.0/MQTT-3.1.2-23",
		Versions: []mqtt.Version{mqtt.V5},
		Text: "Clean Start 1 with a Session Expiry Interval starts a session that stays: the new " +
			"subscription is there at the next connection, the old one is not.",
		Run: cleanThenKept,
	}}
}

func cleanPresent(t *suite.T) {
	id := t.ClientID("s")
	keep(t, id).Leave()
	c := clean(t, id)
	wantPresent(t, c, false)
	c.Leave()
	c = clean(t, id)
	wantPresent(t, c, false)
}

func cleanSubscriptions(t *suite.T) {
	id, topic := t.ClientID("s"), t.Topic("old")
	c := keep(t, id)
	c.Subscribe(topic, 0)
	c.Leave()
	wantUnsubscribed(t, clean(t, id), topic)
}

func cleanStored(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	id, topic := t.ClientID("s"), t.Topic("old")
	c := keep(t, id)
	c.Subscribe(topic, mqtt.AtLeastOnce)
	c.Leave()
	t.Connect().PublishText(topic, "stored", mqtt.AtLeastOnce)
	c = clean(t, id)
	c.Ping()
	wantUnsubscribed(t, c, topic)
	c.Leave()
	c = keep(t, id)
	wantPresent(t, c, false)
	wantUnsubscribed(t, c, topic)
}

func cleanUnacknowledged(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	id, topic := t.ClientID("s"), t.Topic("old")
	c := keep(t, id)
	c.Subscribe(topic, mqtt.AtLeastOnce)
	t.Connect().PublishText(topic, "m", mqtt.AtLeastOnce)
	c.ReadPublish()
	c.Close()
	c = clean(t, id)
	c.Ping()
	c.WantNothing()
}

func cleanReceivedQoS2(t *suite.T) {
	t.NeedQoS(mqtt.ExactlyOnce)
	id, topic := t.ClientID("s"), t.Topic("qos2")
	w := t.Connect()
	w.Subscribe(topic, mqtt.AtLeastOnce)
	c := keep(t, id)
	m := mqtt.Publish{Topic: []byte(topic), Payload: []byte("old"), QoS: 2, PacketID: 7}
	c.SendPacket(&m)
	c.ReadAck(mqtt.PUBREC, 7)
	c.Close()
	c = clean(t, id)
	m.Payload = []byte("new")
	c.Publish(m)
	// A server may deliver a message of QoS 2 with PUBREC already, or drop it with its session.
	got := w.ReadMessage()
	if string(got.Payload) == "old" {
		got = w.ReadMessage()
	}
	if string(got.Payload) != "new" {
		t.Errorf("got message %q, want %q", got.Payload, "new")
	}
}

func cleanLeavesNothing(t *suite.T) {
	id, topic := t.ClientID("s"), t.Topic("old")
	c := clean(t, id)
	c.Subscribe(topic, highest(t))
	c.Leave()
	c = keep(t, id)
	wantPresent(t, c, false)
	wantUnsubscribed(t, c, topic)
}

func cleanThenKept(t *suite.T) {
	id := t.ClientID("s")
	c := keep(t, id)
	c.Subscribe(t.Topic("old"), 0)
	c.Leave()
	c = t.Connect(suite.Named(id), expiry(60))
	wantPresent(t, c, false)
	c.Subscribe(t.Topic("new"), 0)
	c.Leave()
	c = keep(t, id)
	wantPresent(t, c, true)
	p := t.Connect()
	p.PublishText(t.Topic("old"), "stray", 0)
	p.PublishText(t.Topic("new"), "m", 0)
	c.WantMessage(t.Topic("new"), "m")
}
