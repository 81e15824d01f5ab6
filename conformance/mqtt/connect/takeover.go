package connect

import (
	"slices"
	"time"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// takeOverCases are about a client identifier that is connected already.
func takeOverCases() []suite.Case {
	const claims = "3.1.1/MQTT-3.1.4-2 5.0/MQTT-3.1.4-3"
	return []suite.Case{{
		Name: "connect/take-over-closes", Claims: claims,
		Text: "A second client connects with an identifier in use: the first connection is " +
			"closed, the second works.",
		Run: takeOverCloses,
	}, {
		Name: "connect/take-over-says-so", Claims: "5.0/MQTT-3.1.4-3",
		Versions: []mqtt.Version{mqtt.V5},
		Text:     "The client that is taken over gets DISCONNECT with Session taken over.",
		Run:      takeOverSays,
	}, {
		Name: "connect/take-over-again-and-again", Claims: claims,
		Text: "Eight clients with one identifier connect one after the other: each closes the " +
			"one before it, the last stays.",
		Run: takeOverAgain,
	}, {
		Name: "connect/take-over-all-at-once", Claims: claims,
		Text: "Eight clients with one identifier connect at once: one is left.",
		Run:  takeOverStorm,
	}, {
		Name: "connect/take-over-keeps-the-session",
		Claims: claims + " 3.1.1/MQTT-3.1.2-4 5.0/MQTT-3.1.2-5 5.0/MQTT-3.1.2-23 " +
			"3.1.1/MQTT-3.2.2-2 5.0/MQTT-3.2.2-3",
		Text: "A connected client with a kept session is taken over: the session goes on at the " +
			"second connection, with the message that was not acknowledged.",
		Run: takeOverKeeps,
	}, {
		Name:   "connect/take-over-by-a-clean-one",
		Claims: claims + " 3.1.1/MQTT-3.1.2-6 5.0/MQTT-3.1.2-4 3.1.1/MQTT-3.2.2-1 5.0/MQTT-3.2.2-2",
		Text: "A connected client with a kept session is taken over by one that starts clean: it " +
			"has no session and no subscription.",
		Run: takeOverClean,
	}, {
		Name:   "connect/take-over-of-a-clean-one",
		Claims: claims + " 3.1.1/MQTT-3.1.2-6 5.0/MQTT-4.1.0-2 3.1.1/MQTT-3.2.2-3 5.0/MQTT-3.2.2-3",
		Text: "A connected client whose session ends with its connection is taken over by one " +
			"that would resume: there is nothing to resume.",
		Run: takeOverOfClean,
	}, {
		Name: "connect/take-over-publishes-the-will", Versions: since311(),
		Claims: "3.1.1/MQTT-3.1.2-8 5.0/MQTT-3.1.2-8",
		Text: "A client with a will and no delay is taken over: its connection ends without " +
			"DISCONNECT, so the will is published.",
		Run: takeOverWill,
	}, {
		Name: "connect/take-over-within-the-will-delay", Claims: "5.0/MQTT-3.1.3-9",
		Versions: []mqtt.Version{mqtt.V5},
		Text: "A client whose will is delayed by one second is taken over and its session goes " +
			"on: the will is not published.",
		Run: takeOverDelayed,
	}, {
		// Whether the will is due is told in two ways: by section 3.1.3.2.2 it is, since the
		// session ends; by the last clause of MQTT-3.1.2-8 it need not be.
		Name:     "connect/take-over-of-a-delayed-will-by-a-clean-one",
		Claims:   "5.0/MQTT-3.1.2-10 5.0/MQTT-3.1.2-4",
		Versions: []mqtt.Version{mqtt.V5},
		Text: "A client whose will is delayed is taken over by one that starts clean: the will " +
			"is published once at most, and the new session is not the old one.",
		Run: takeOverEndsDelayed,
	}}
}

func takeOverCloses(t *suite.T) {
	old := t.Connect()
	c := clean(t, old.ID)
	old.WantClosed(mqtt.SessionTakenOver)
	c.Ping()
}

func takeOverSays(t *suite.T) {
	old := t.Connect()
	c := clean(t, old.ID)
	if r := readDisconnect(t, old.Expect(mqtt.DISCONNECT)); r != mqtt.SessionTakenOver {
		t.Errorf("DISCONNECT says %s, want %s", r, mqtt.SessionTakenOver)
	}
	old.WantClosed()
	c.Ping()
}

func takeOverAgain(t *suite.T) {
	id := t.ClientID("t")
	old := clean(t, id)
	for range 7 {
		c := clean(t, id)
		old.WantClosed(mqtt.SessionTakenOver)
		c.Ping()
		old = c
	}
}

func takeOverStorm(t *suite.T) {
	connect := t.Connecting(suite.Named(t.ClientID("t"))).Append(nil)
	var clients []*suite.Client
	for range 8 {
		c := t.Dial()
		c.Send(connect)
		clients = append(clients, c)
	}
	// Each has had its turn when all have answered or ended; who is left is asked again then.
	for range 2 {
		for _, c := range clients {
			c.Send([]byte{0xC0, 0}) // PINGREQ
		}
		clients = slices.DeleteFunc(clients, func(c *suite.Client) bool { return !staysOpen(t, c) })
	}
	if len(clients) != 1 {
		t.Errorf("%d of the clients with one identifier are connected, want 1", len(clients))
	}
}

// staysOpen is true for a client that is still connected a moment after its answers came.
func staysOpen(t *suite.T, c *suite.Client) bool {
	wait := t.Options().ExpectTimeout
	for {
		frame, open := c.Poll(wait)
		if frame == nil || mqtt.TypeOf(frame) == mqtt.DISCONNECT {
			return frame == nil && open
		}
		if mqtt.TypeOf(frame) == mqtt.PINGRESP {
			wait = time.Second / 2
		}
	}
}

func takeOverKeeps(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	id, topic := t.ClientID("t"), t.Topic("live")
	old := keep(t, id)
	old.Subscribe(topic, mqtt.AtLeastOnce)
	p := t.Connect()
	p.PublishText(topic, "0", mqtt.AtLeastOnce)
	old.ReadPublish()
	c := keep(t, id)
	wantPresent(t, c, true)
	old.WantClosed(mqtt.SessionTakenOver)
	p.PublishText(topic, "1", mqtt.AtLeastOnce)
	wantTexts(t, collect(t, c, 2), "0", "1")
	c.Ping()
}

func takeOverClean(t *suite.T) {
	id, topic := t.ClientID("t"), t.Topic("old")
	old := keep(t, id)
	old.Subscribe(topic, highest(t))
	c := clean(t, id)
	wantPresent(t, c, false)
	old.WantClosed(mqtt.SessionTakenOver)
	wantUnsubscribed(t, c, topic)
}

func takeOverOfClean(t *suite.T) {
	id, topic := t.ClientID("t"), t.Topic("old")
	old := clean(t, id)
	old.Subscribe(topic, highest(t))
	c := keep(t, id)
	wantPresent(t, c, false)
	old.WantClosed(mqtt.SessionTakenOver)
	wantUnsubscribed(t, c, topic)
}

func takeOverWill(t *suite.T) {
	topic := t.Topic("will")
	w := witness(t, topic)
	old := t.Connect(will(topic, "will"))
	clean(t, old.ID).Ping()
	w.WantMessage(topic, "will")
	wantUnseen(w, topic)
}

func takeOverDelayed(t *suite.T) {
	id, topic := t.ClientID("t"), t.Topic("will")
	w := witness(t, topic)
	old := keep(t, id, delayedWill(topic, "will", 1))
	c := keep(t, id)
	old.WantClosed(mqtt.SessionTakenOver)
	wantStillUnseen(t, w, topic, time.Second+slack/2)
	c.Ping()
}

func takeOverEndsDelayed(t *suite.T) {
	id, topic := t.ClientID("t"), t.Topic("will")
	w := witness(t, topic)
	keep(t, id, delayedWill(topic, "will", 1))
	c := clean(t, id)
	wantPresent(t, c, false)
	wantAtMostOnce(t, w, topic, time.Second+slack/2)
	c.Ping()
}
