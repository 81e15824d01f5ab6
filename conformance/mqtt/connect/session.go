package connect

import (
	"fmt"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// sessionCases are about sessions that outlive their connections.
func sessionCases() []suite.Case {
	const resumes = "3.1.1/MQTT-3.1.2-4 5.0/MQTT-3.1.2-5 5.0/MQTT-3.1.2-23"
	return []suite.Case{{
		Name: "connect/session-present", Versions: since311(),
		Claims: "3.1.1/MQTT-3.2.2-2 3.1.1/MQTT-3.2.2-3 5.0/MQTT-3.2.2-3 5.0/MQTT-3.1.2-6 " +
			resumes,
		Text: "Session Present is 0 for a new session, 1 after DISCONNECT and 1 after the " +
			"connection broke.",
		Run: sessionPresent,
	}, {
		Name: "connect/session-keeps-subscriptions", Claims: resumes,
		Text: "A client comes back and gets messages by its old subscriptions, but not by the " +
			"one that it had taken back.",
		Run: sessionSubscriptions,
	}, {
		Name: "connect/session-stores-messages", Claims: "3.1.1/MQTT-3.1.2-5 " + resumes,
		Text: "Messages of QoS 1 and 2 are published while a client is away: it gets each of " +
			"them once when it comes back.",
		Run: sessionStores,
	}, {
		Name: "connect/session-stores-after-a-break", Claims: "3.1.1/MQTT-3.1.2-5 " + resumes,
		Text: "The connection of a client breaks without DISCONNECT; messages published then " +
			"reach it when it comes back.",
		Run: sessionStoresAfterBreak,
	}, {
		Name:   "connect/session-keeps-what-was-not-acknowledged",
		Claims: "3.1.1/MQTT-4.1.0-1 " + resumes,
		Text: "A client gets a message of QoS 1 and goes without PUBACK: it gets the message " +
			"again when it comes back.",
		Run: sessionUnacknowledged,
	}, {
		Name:   "connect/session-keeps-received-qos-2",
		Claims: "3.1.1/MQTT-4.1.0-1 " + resumes,
		Text: "A client sends a message of QoS 2 and goes after PUBREC; it comes back, sends it " +
			"again and ends the exchange: the message is delivered once.",
		Run: sessionReceivedQoS2,
	}, {
		Name:   "connect/session-keeps-unfinished-pubrel",
		Claims: "3.1.1/MQTT-4.1.0-1 " + resumes,
		Text: "A client answers a message of QoS 2 with PUBREC and goes before PUBREL: PUBREL " +
			"comes when it comes back, and not the message.",
		Run: sessionPubrel,
	}, {
		Name:   "connect/session-lives-with-its-connection",
		Claims: "3.1.1/MQTT-4.1.0-2 5.0/MQTT-4.1.0-1 3.1.1/MQTT-4.1.0-1",
		Text: "A session that ends with its connection keeps its subscription as long as the " +
			"connection is there, whoever else comes and goes.",
		Run: sessionLives,
	}, {
		Name: "connect/retained-is-not-of-the-session", Claims: "3.1.1/MQTT-3.1.2-7",
		Versions: all(),
		Text: "A client publishes a retained message in a session that ends: the message is " +
			"still there.",
		Run: retainedStays,
	}}
}

func sessionPresent(t *suite.T) {
	id := t.ClientID("s")
	c := keep(t, id)
	wantPresent(t, c, false)
	c.Leave()
	c = keep(t, id)
	wantPresent(t, c, true)
	c.Close()
	c = keep(t, id)
	wantPresent(t, c, true)
	c.Ping()
}

func sessionSubscriptions(t *suite.T) {
	id := t.ClientID("s")
	c := keep(t, id)
	c.Subscribe(t.Topic("kept"), 0)
	c.Subscribe(t.Topic("gone"), 0)
	c.Unsubscribe(t.Topic("gone"))
	c.Leave()
	c = keep(t, id)
	p := t.Connect()
	p.PublishText(t.Topic("gone"), "stray", 0)
	p.PublishText(t.Topic("kept"), "m", 0)
	c.WantMessage(t.Topic("kept"), "m")
	c.Ping()
}

func sessionStores(t *suite.T) {
	t.NeedQoS(mqtt.ExactlyOnce)
	id, topic := t.ClientID("s"), t.Topic("stored")
	c := keep(t, id)
	c.Subscribe(topic, mqtt.ExactlyOnce)
	c.Leave()
	p := t.Connect()
	var want []string
	for i := range 6 {
		want = append(want, fmt.Sprint("message ", i))
		p.PublishText(topic, want[i], mqtt.AtLeastOnce+mqtt.QoS(i%2))
	}
	c = keep(t, id)
	wantPresent(t, c, true)
	wantTexts(t, collect(t, c, len(want)), want...)
	c.Ping()
	c.Leave()
	keep(t, id).Ping() // delivered means gone
}

func sessionStoresAfterBreak(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	id, topic := t.ClientID("s"), t.Topic("stored")
	c := keep(t, id)
	c.Subscribe(topic, mqtt.AtLeastOnce)
	c.Close()
	p := t.Connect()
	for i := range 5 {
		p.PublishText(topic, fmt.Sprint(i), mqtt.AtLeastOnce)
	}
	c = keep(t, id)
	wantTexts(t, collect(t, c, 5), "0", "1", "2", "3", "4")
	c.Ping()
}

func sessionUnacknowledged(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	id, topic := t.ClientID("s"), t.Topic("again")
	c := keep(t, id)
	c.Subscribe(topic, mqtt.AtLeastOnce)
	t.Connect().PublishText(topic, "m", mqtt.AtLeastOnce)
	first := c.ReadPublish()
	c.Close()
	c = keep(t, id)
	again := c.WantMessage(topic, "m")
	if again.PacketID != first.PacketID || !again.Dup {
		t.Errorf("the message came again as packet %d, DUP %t, want packet %d, DUP true",
			again.PacketID, again.Dup, first.PacketID)
	}
	c.Ping()
}

func sessionReceivedQoS2(t *suite.T) {
	t.NeedQoS(mqtt.ExactlyOnce)
	id, topic := t.ClientID("s"), t.Topic("once")
	w := witness(t, topic)
	c := keep(t, id)
	m := mqtt.Publish{Topic: []byte(topic), Payload: []byte("m"), QoS: 2, PacketID: 7}
	c.SendPacket(&m)
	c.ReadAck(mqtt.PUBREC, 7)
	c.Close()
	c = keep(t, id)
	m.Dup = true
	c.SendPacket(&m)
	if again := c.ReadAck(mqtt.PUBREC, 7); again.Reason.Failed() {
		t.Errorf("PUBREC of the same message says %s", again.Reason)
	}
	c.SendPacket(&mqtt.Ack{Type: mqtt.PUBREL, PacketID: 7})
	c.Await(mqtt.PUBCOMP) // some servers send their PUBREC again when a session is resumed
	w.WantMessage(topic, "m")
	wantUnseen(w, topic)
}

func sessionPubrel(t *suite.T) {
	t.NeedQoS(mqtt.ExactlyOnce)
	id, topic := t.ClientID("s"), t.Topic("once")
	c := keep(t, id)
	c.Subscribe(topic, mqtt.ExactlyOnce)
	t.Connect().PublishText(topic, "m", mqtt.ExactlyOnce)
	m := c.ReadPublish()
	c.SendPacket(&mqtt.Ack{Type: mqtt.PUBREC, PacketID: m.PacketID})
	c.ReadAck(mqtt.PUBREL, m.PacketID) // the server has seen PUBREC
	c.Close()
	c = keep(t, id)
	c.ReadAck(mqtt.PUBREL, m.PacketID)
	c.SendPacket(&mqtt.Ack{Type: mqtt.PUBCOMP, PacketID: m.PacketID})
	c.Ping()
}

func sessionLives(t *suite.T) {
	topic := t.Topic("live")
	c := t.Connect()
	c.Subscribe(topic, highest(t))
	for i := range 3 {
		other := t.Connect()
		other.Subscribe(topic, 0)
		other.PublishText(topic, fmt.Sprint(i), 0)
		other.Leave()
		c.WantMessage(topic, fmt.Sprint(i))
	}
	t.Wait(slack / 2)
	t.Connect().PublishText(topic, "last", 0)
	c.WantMessage(topic, "last")
}

func retainedStays(t *suite.T) {
	t.NeedRetain()
	topic := t.Topic("retained")
	id := t.ClientID("s")
	c := clean(t, id)
	c.Publish(mqtt.Publish{Topic: []byte(topic), Payload: []byte("m"), Retain: true,
		QoS: min(1, highest(t))})
	c.Leave()
	clean(t, id).Leave()
	w := t.Connect()
	w.Subscribe(topic, 0)
	if m := w.WantMessage(topic, "m"); !m.Retain {
		t.Errorf("the retained message came with RETAIN 0")
	}
}
