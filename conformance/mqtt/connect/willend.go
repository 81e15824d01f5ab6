package connect

import (
	"fmt"
	"time"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// willEndCases are about the ends of a connection that have its will published, and those that
// remove it.
func willEndCases() []suite.Case {
	const (
		published = "3.1.1/MQTT-3.1.2-8 5.0/MQTT-3.1.2-8"
		removed   = "3.1.1/MQTT-3.1.2-10 5.0/MQTT-3.1.2-10"
	)
	list := []suite.Case{{
		Name: "connect/will-not-after-disconnect", Claims: removed + " " + published,
		Text: "A client with a will sends DISCONNECT: the will is not published.",
		Run:  willDisconnect,
	}, {
		Name: "connect/will-not-after-disconnect-and-reset", Claims: removed + " " + published,
		Text: "A client with a will sends DISCONNECT and breaks the connection in the same " +
			"moment: the will is not published.",
		Run: willDisconnectReset,
	}, {
		Name: "connect/will-once", Claims: removed + " 3.1.1/MQTT-3.1.2-12",
		Text: "A will was published; its client comes back without one and the connection breaks " +
			"again: the will is not published again.",
		Run: willOnce,
	}, {
		Name: "connect/will-removed-for-good", Claims: removed + " 3.1.1/MQTT-3.1.2-12",
		Text: "A client with a kept session and a will sends DISCONNECT, comes back without a " +
			"will and the connection breaks: nothing is published.",
		Run: willRemovedForGood,
	}, {
		Name: "connect/will-flag-0", Claims: "3.1.1/MQTT-3.1.2-12",
		Text: "The connection of a client without a will breaks: nothing is published.",
		Run:  willFlag0,
	}, {
		Name: "connect/will-of-the-last-connect", Claims: published + " 5.0/MQTT-3.1.2-7",
		Text: "A client with a kept session comes back with another will: at the break that one " +
			"is published.",
		Run: willOfLast,
	}, {
		Name:   "connect/will-after-keep-alive",
		Claims: published + " 3.1.1/MQTT-3.1.2-24 5.0/MQTT-3.1.2-22",
		Text: "A client with a will and a keep alive of one second falls silent: the will is " +
			"published.",
		Run: willKeepAlive,
	}, {
		Name: "connect/will-after-a-fault", Claims: published, Versions: since311(),
		Text: "A client with a will sends a packet of the reserved type 0: the server closes, " +
			"and the will is published.",
		Run: willFault,
	}, {
		Name: "connect/will-after-disconnect-with-will", Claims: "5.0/MQTT-3.1.2-8",
		Versions: []mqtt.Version{mqtt.V5},
		Text:     "A client sends DISCONNECT with reason 0x04: its will is published.",
		Run:      func(t *suite.T) { willReason(t, mqtt.DisconnectWithWillMessage) },
	}}
	for _, r := range []mqtt.ReasonCode{mqtt.UnspecifiedError, mqtt.ProtocolError,
		mqtt.AdministrativeAction} {
		list = append(list, suite.Case{
			Name:   fmt.Sprintf("connect/will-after-disconnect-%02x", byte(r)),
			Claims: "5.0/MQTT-3.1.2-8 5.0/MQTT-3.1.2-10", Versions: []mqtt.Version{mqtt.V5},
			Text: fmt.Sprintf("A client sends DISCONNECT with reason 0x%02X, which is not Normal "+
				"disconnection: its will is published.", byte(r)),
			Run: func(t *suite.T) { willReason(t, r) },
		})
	}
	return list
}

func willDisconnect(t *suite.T) {
	topic := t.Topic("will")
	w := witness(t, topic)
	t.Connect(will(topic, "will")).Leave()
	w.WantNothing()
	wantUnseen(w, topic)
}

func willDisconnectReset(t *suite.T) {
	topic := t.Topic("will")
	w := witness(t, topic)
	t.Connect(will(topic, "will")).Disconnect()
	w.WantNothing()
	wantUnseen(w, topic)
}

func willOnce(t *suite.T) {
	id, topic := t.ClientID("w"), t.Topic("will")
	w := witness(t, topic)
	keep(t, id, will(topic, "will")).Close()
	w.WantMessage(topic, "will")
	keep(t, id).Close()
	w.WantNothing()
	wantUnseen(w, topic)
}

func willRemovedForGood(t *suite.T) {
	id, topic := t.ClientID("w"), t.Topic("will")
	w := witness(t, topic)
	keep(t, id, will(topic, "will")).Leave()
	c := keep(t, id)
	c.Ping()
	c.Close()
	w.WantNothing()
	wantUnseen(w, topic)
}

func willFlag0(t *suite.T) {
	w := t.Connect()
	if t.Server().Wildcard {
		w.Subscribe(t.Topic("#"), 0)
	}
	t.Connect().Close()
	w.WantNothing()
	w.Ping()
}

func willOfLast(t *suite.T) {
	id, topic := t.ClientID("w"), t.Topic("will")
	w := witness(t, topic)
	keep(t, id, will(topic, "old")).Leave()
	keep(t, id, will(topic, "new")).Close()
	w.WantMessage(topic, "new")
	wantUnseen(w, topic)
}

func willKeepAlive(t *suite.T) {
	topic := t.Topic("will")
	w := witness(t, topic)
	c := silent(t, will(topic, "will"))
	wantSilentClosed(t, c, time.Second)
	w.WantMessage(topic, "will")
}

func willFault(t *suite.T) {
	topic := t.Topic("will")
	w := witness(t, topic)
	c := t.Connect(will(topic, "will"))
	c.Send([]byte{0, 0})
	c.WantClosed()
	w.WantMessage(topic, "will")
}

func willReason(t *suite.T, r mqtt.ReasonCode) {
	topic := t.Topic("will")
	w := witness(t, topic)
	c := t.Connect(will(topic, "will"))
	c.SendPacket(&mqtt.Disconnect{Reason: r})
	c.Poll(time.Second) // until the server closes
	c.Close()
	w.WantMessage(topic, "will")
	wantUnseen(w, topic)
}
