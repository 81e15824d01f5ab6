package connect

import (
	"slices"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// firstCases are about what comes first on a connection, from either side.
func firstCases() []suite.Case {
	return append(strangers(), []suite.Case{{
		Name: "connect/publish-before-connect-goes-nowhere", Versions: since311(),
		Claims: "3.1.1/MQTT-3.1.0-1 5.0/MQTT-3.1.0-1 3.1.1/MQTT-4.8.0-1 5.0/MQTT-4.13.1-1",
		Text: "A client publishes before its CONNECT, both in one write: it is shut out and the " +
			"message reaches nobody.",
		Run: publishBeforeConnect,
	}, {
		Name:   "connect/good-connect-gets-connack",
		Claims: "3.1.1/MQTT-3.1.4-4 5.0/MQTT-3.1.4-5 3.1.1/MQTT-3.2.0-1 5.0/MQTT-3.2.0-1",
		Text:   "A good CONNECT is answered by one CONNACK with code 0, and the connection works.",
		Run:    goodConnect,
	}, {
		Name:   "connect/connect-in-single-bytes",
		Claims: "3.1.1/MQTT-3.1.4-4 5.0/MQTT-3.1.4-5",
		Text:   "A CONNECT that arrives in many small pieces is as good as one in a single piece.",
		Run:    connectInBytes,
	}, {
		Name: "connect/connack-before-answers-to-a-burst", Versions: since311(),
		Claims: "3.1.1/MQTT-3.2.0-1 5.0/MQTT-3.2.0-1 3.1.1/MQTT-3.1.4-4 5.0/MQTT-3.1.4-5",
		Text: "CONNECT, SUBSCRIBE, PUBLISH and PINGREQ come in one write: CONNACK is the first " +
			"packet back, and each of the others is served.",
		Run: burst,
	}, {
		Name:   "connect/connack-before-stored-messages",
		Claims: "3.1.1/MQTT-3.2.0-1 5.0/MQTT-3.2.0-1",
		Text: "A client comes back to a session with stored messages: the first packet is " +
			"CONNACK, not one of them.",
		Run: connackBeforeStored,
	}}...)
}

// stranger is a packet that may not be the first.
type stranger struct {
	name, text string
	build      func(t *suite.T) []byte
}

func strangers() []suite.Case {
	raw := func(b ...byte) func(*suite.T) []byte { return func(*suite.T) []byte { return b } }
	var cases []suite.Case
	for _, s := range []stranger{
		{"publish", "PUBLISH", func(t *suite.T) []byte {
			p := mqtt.Publish{Topic: []byte(t.Topic("")), Payload: []byte("early")}
			return p.Append(nil, t.Version())
		}},
		{"subscribe", "SUBSCRIBE", func(t *suite.T) []byte {
			return mqtt.AppendSubscribe(nil, t.Version(), 1, nil,
				[]mqtt.Subscription{{Filter: []byte(t.Topic(""))}})
		}},
		{"pingreq", "PINGREQ", raw(0xC0, 0)},
		{"puback", "PUBACK", raw(0x40, 2, 0, 1)},
		{"pubrel", "PUBREL", raw(0x62, 2, 0, 1)},
		{"disconnect", "DISCONNECT", raw(0xE0, 0)},
		{"connack", "CONNACK", raw(0x20, 2, 0, 0)},
		{"auth", "AUTH", raw(0xF0, 0)},
		{"reserved-type", "a packet of the reserved type 0", raw(0, 0)},
	} {
		cases = append(cases, suite.Case{
			Name: "connect/first-packet-" + s.name, Versions: since311(),
			Claims: "3.1.1/MQTT-3.1.0-1 5.0/MQTT-3.1.0-1 3.1.1/MQTT-4.8.0-1 " +
				"5.0/MQTT-4.13.1-1 5.0/MQTT-3.14.0-1",
			Text: "The first packet of a client is " + s.text + " in place of CONNECT: the " +
				"server closes the connection and does not serve it.",
			Run: func(t *suite.T) {
				c := t.Dial()
				c.Send(s.build(t))
				c.WantRefused()
			},
		})
	}
	return cases
}

func publishBeforeConnect(t *suite.T) {
	topic := t.Topic("early")
	w := witness(t, topic)
	early := mqtt.Publish{Topic: []byte(topic), Payload: []byte("early")}
	c := t.Dial()
	c.Send(append(early.Append(nil, t.Version()), t.Connecting().Append(nil)...))
	c.WantRefused()
	wantUnseen(w, topic)
}

func goodConnect(t *suite.T) {
	c := t.Connect()
	c.Ping()
}

func connectInBytes(t *suite.T) {
	c := t.Dial()
	for _, b := range t.Connecting().Append(nil) {
		c.Send([]byte{b})
	}
	if ack := c.ReadConnack(); ack.Reason != mqtt.Success {
		t.Fatalf("CONNACK says %s, want Success", ack.Reason)
	}
	c.Ping()
}

func burst(t *suite.T) {
	topic := t.Topic("burst")
	w := witness(t, topic)
	b := t.Connecting().Append(nil)
	b = mqtt.AppendSubscribe(b, t.Version(), 1, nil,
		[]mqtt.Subscription{{Filter: []byte(t.Topic("other"))}})
	m := mqtt.Publish{Topic: []byte(topic), Payload: []byte("m")}
	b = m.Append(b, t.Version())
	c := t.Dial()
	c.Send(append(b, 0xC0, 0))
	if ack := c.ReadConnack(); ack.Reason != mqtt.Success {
		t.Fatalf("CONNACK says %s, want Success", ack.Reason)
	}
	answers := []mqtt.Type{mqtt.TypeOf(c.Next()), mqtt.TypeOf(c.Next())}
	if slices.Sort(answers); !slices.Equal(answers, []mqtt.Type{mqtt.SUBACK, mqtt.PINGRESP}) {
		t.Errorf("got %v, want SUBACK and PINGRESP", answers)
	}
	w.WantMessage(topic, "m")
}

func connackBeforeStored(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	id, topic := t.ClientID("s"), t.Topic("stored")
	c := keep(t, id)
	c.Subscribe(topic, mqtt.AtLeastOnce)
	c.Leave()
	p := t.Connect()
	p.PublishText(topic, "1", mqtt.AtLeastOnce)
	p.PublishText(topic, "2", mqtt.AtLeastOnce)
	c = keep(t, id) // CONNACK must be the first packet
	wantTexts(t, collect(t, c, 2), "1", "2")
}
