package connect

import (
	"time"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// willDelayCases are about the Will Delay Interval, in 5.0.
func willDelayCases() []suite.Case {
	const waits, back = "5.0/MQTT-3.1.2-8", "5.0/MQTT-3.1.3-9"
	list := []suite.Case{{
		Name: "connect/will-delay-passes", Claims: waits,
		Text: "A will is delayed by two seconds: it is not published before, and it is after.",
		Run:  delayPasses,
	}, {
		Name: "connect/will-delay-after-disconnect-with-will", Claims: waits,
		Text: "DISCONNECT with reason 0x04 does not do away with the delay of a will.",
		Run:  delayReason,
	}, {
		Name: "connect/will-delay-client-is-back", Claims: back,
		Text: "A client is back within the delay of its will, and goes on: the will is not " +
			"published.",
		Run: delayBack,
	}, {
		Name: "connect/will-delay-client-was-back", Claims: back + " 5.0/MQTT-3.1.2-10",
		Text: "A client is back within the delay of its will and leaves by DISCONNECT: the will " +
			"is not published.",
		Run: delayWasBack,
	}, {
		Name: "connect/will-delay-new-will", Claims: back + " " + waits,
		Text: "A client is back within the delay with another will and the connection breaks: " +
			"only the other will is published.",
		Run: delayNewWill,
	}, {
		// See take-over-of-a-delayed-will-by-a-clean-one.
		Name: "connect/will-delay-clean-start", Claims: "5.0/MQTT-3.1.2-10 5.0/MQTT-3.1.2-4",
		Text: "A client is back within the delay with Clean Start 1: the will of the old session " +
			"is published once at most.",
		Run: delayClean,
	}, {
		Name: "connect/will-delay-session-expires", Claims: waits,
		Text: "A will is delayed by a minute and the session expires after one second: the will " +
			"is published then.",
		Run: delayExpires,
	}, {
		Name: "connect/will-delay-session-ends-at-once", Claims: waits,
		Text: "A will is delayed by a minute and the session ends with the connection: the will " +
			"is published at once.",
		Run: delayNoSession,
	}, {
		Name: "connect/will-delay-0", Claims: waits,
		Text: "A will with a delay of 0 is published at once though the session stays.",
		Run:  delayZero,
	}}
	for i := range list {
		list[i].Versions = []mqtt.Version{mqtt.V5}
	}
	return list
}

func delayPasses(t *suite.T) {
	id, topic := t.ClientID("w"), t.Topic("will")
	w := witness(t, topic)
	keep(t, id, delayedWill(topic, "will", 2)).Close()
	w.WantNothingFor(1500 * time.Millisecond)
	w.WantMessage(topic, "will")
	wantUnseen(w, topic)
}

func delayReason(t *suite.T) {
	id, topic := t.ClientID("w"), t.Topic("will")
	w := witness(t, topic)
	c := keep(t, id, delayedWill(topic, "will", 2))
	c.SendPacket(&mqtt.Disconnect{Reason: mqtt.DisconnectWithWillMessage})
	w.WantNothingFor(1500 * time.Millisecond)
	w.WantMessage(topic, "will")
}

func delayBack(t *suite.T) {
	id, topic := t.ClientID("w"), t.Topic("will")
	w := witness(t, topic)
	keep(t, id, delayedWill(topic, "will", 2)).Close()
	t.Wait(slack / 6) // the server sees the break
	c := keep(t, id)
	wantStillUnseen(t, w, topic, 2*time.Second+slack/2)
	c.Ping()
}

func delayWasBack(t *suite.T) {
	id, topic := t.ClientID("w"), t.Topic("will")
	w := witness(t, topic)
	keep(t, id, delayedWill(topic, "will", 2)).Close()
	t.Wait(slack / 6)
	keep(t, id).Leave()
	wantStillUnseen(t, w, topic, 2*time.Second+slack/2)
}

func delayNewWill(t *suite.T) {
	id, topic := t.ClientID("w"), t.Topic("will")
	w := witness(t, topic)
	keep(t, id, delayedWill(topic, "old", 2)).Close()
	t.Wait(slack / 6)
	keep(t, id, delayedWill(topic, "new", 1)).Close()
	w.WantMessage(topic, "new")
	wantStillUnseen(t, w, topic, 2*time.Second)
}

func delayClean(t *suite.T) {
	id, topic := t.ClientID("w"), t.Topic("will")
	w := witness(t, topic)
	keep(t, id, delayedWill(topic, "will", 2)).Close()
	t.Wait(slack / 6)
	clean(t, id).Leave()
	wantAtMostOnce(t, w, topic, 2*time.Second+slack/2)
}

// wantAtMostOnce wants that the will comes once or not at all within d.
func wantAtMostOnce(t *suite.T, w *suite.Client, topic string, d time.Duration) {
	t.Wait(d)
	w.SendPacket(&mqtt.Publish{Topic: []byte(topic), Payload: []byte("sentinel")})
	m := w.ReadMessage()
	t.Note("the will was published: %t", string(m.Payload) == "will")
	if string(m.Payload) == "will" {
		w.WantMessage(topic, "sentinel")
	}
}

func delayExpires(t *suite.T) {
	id, topic := t.ClientID("w"), t.Topic("will")
	w := witness(t, topic)
	keepFor(t, id, 1, delayedWill(topic, "will", 60)).Close()
	w.WantMessage(topic, "will")
	wantUnseen(w, topic)
}

func delayNoSession(t *suite.T) {
	topic := t.Topic("will")
	w := witness(t, topic)
	t.Connect(delayedWill(topic, "will", 60)).Close()
	w.WantMessage(topic, "will")
}

func delayZero(t *suite.T) {
	id, topic := t.ClientID("w"), t.Topic("will")
	w := witness(t, topic)
	keep(t, id, delayedWill(topic, "will", 0)).Close()
	w.WantMessage(topic, "will")
}
