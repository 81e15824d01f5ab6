package connect

import (
	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// askedCases are about what a client asks the server to send or to leave out, in 5.0.
func askedCases() []suite.Case {
	const noInformation, noProblem = "5.0/MQTT-3.1.2-28", "5.0/MQTT-3.1.2-29"
	list := []suite.Case{{
		Name: "connect/response-information-0", Claims: noInformation,
		Text: "A client asks for no Response Information and gets none.",
		Run: func(t *suite.T) {
			wantNoInformation(t, t.Connect(asking(mqtt.RequestResponseInformation, 0)))
		},
	}, {
		Name: "connect/response-information-absent", Claims: noInformation,
		Text: "A client that does not ask for Response Information gets none.",
		Run:  func(t *suite.T) { wantNoInformation(t, t.Connect()) },
	}, {
		Name: "connect/problem-information-0", Claims: noProblem,
		Text: "A client that wants no problem information is told of things that go wrong " +
			"without Reason String and User Property.",
		Run: problemInformation,
	}, {
		Name:   "connect/problem-information-0-is-not-of-publish",
		Claims: noProblem + " 5.0/MQTT-3.3.2-17",
		Text: "A client that wants no problem information gets the User Properties of a message " +
			"all the same.",
		Run: problemPublish,
	}, {
		Name: "connect/problem-information-0-of-the-denied", Claims: noProblem,
		Target: suite.Guarded,
		Text: "A client that wants no problem information is denied a PUBLISH and a SUBSCRIBE " +
			"without Reason String and User Property.",
		Run: problemDenied,
	}, {
		Name: "connect/topic-alias-absent", Claims: "5.0/MQTT-3.1.2-27",
		Text: "A client without Topic Alias Maximum gets no topic alias however often a topic " +
			"comes.",
		Run: func(t *suite.T) { wantAliases(t, t.Connect(), 0) },
	}, {
		Name: "connect/topic-alias-0", Claims: "5.0/MQTT-3.1.2-27",
		Text: "A client with Topic Alias Maximum 0 gets no topic alias however often a topic " +
			"comes.",
		Run: func(t *suite.T) { wantAliases(t, t.Connect(aliases(0)), 0) },
	}, {
		Name: "connect/topic-alias-maximum", Claims: "5.0/MQTT-3.1.2-26",
		Text: "A client with Topic Alias Maximum 2 gets messages on five topics: no alias is " +
			"above 2, and each leads to the right topic.",
		Run: func(t *suite.T) { wantAliases(t, t.Connect(aliases(2)), 2) },
	}, {
		Name: "connect/topic-alias-of-a-connection", Claims: "5.0/MQTT-3.1.2-27",
		Text: "A client had Topic Alias Maximum 5 and resumes its session without: it gets no " +
			"topic alias.",
		Run: aliasOfConnection,
	}}
	for i := range list {
		list[i].Versions = []mqtt.Version{mqtt.V5}
	}
	return list
}

// asking sets a property of one byte.
func asking(id mqtt.PropID, v byte) suite.Option {
	return suite.WithProps(func(p mqtt.Props) mqtt.Props { return p.AppendByte(id, v) })
}

// aliases sets the Topic Alias Maximum.
func aliases(n uint16) suite.Option {
	return suite.WithProps(func(p mqtt.Props) mqtt.Props {
		return p.AppendUint16(mqtt.TopicAliasMaximum, n)
	})
}

func wantNoInformation(t *suite.T, c *suite.Client) {
	if v, ok := c.Connack.Props.Bytes(mqtt.ResponseInformation); ok {
		t.Errorf("CONNACK has Response Information %q", v)
	}
}

// wantBare is a fault if a packet that answers the client explains itself.
func wantBare(t *suite.T, frame []byte) {
	props := answerProps(t, frame)
	if v, ok := props.Bytes(mqtt.ReasonString); ok {
		t.Errorf("%s has Reason String %q", mqtt.TypeOf(frame), v)
	}
	if _, ok := props.Bytes(mqtt.UserProperty); ok {
		t.Errorf("%s has a User Property", mqtt.TypeOf(frame))
	}
}

// answerProps are the properties of an acknowledgement; a DISCONNECT may have what it likes.
func answerProps(t *suite.T, frame []byte) mqtt.Props {
	var (
		suback   mqtt.Suback
		unsuback mqtt.Unsuback
		ack      mqtt.Ack
		err      error
	)
	switch mqtt.TypeOf(frame) {
	case mqtt.SUBACK:
		err = suback.Decode(t.Version(), frame)
	case mqtt.UNSUBACK:
		err = unsuback.Decode(t.Version(), frame)
	case mqtt.PUBACK, mqtt.PUBREC, mqtt.PUBREL, mqtt.PUBCOMP:
		err = ack.Decode(t.Version(), frame)
	}
	if err != nil {
		t.Fatalf("the server's %s: %v", mqtt.TypeOf(frame), err)
	}
	return append(append(suback.Props, unsuback.Props...), ack.Props...)
}

func problemInformation(t *suite.T) {
	c := t.Connect(asking(mqtt.RequestProblemInformation, 0))
	nobody, filter := []byte(t.Topic("nobody")), []byte(t.Topic("a"))
	c.Send(mqtt.AppendUnsubscribe(nil, t.Version(), 1, nil, [][]byte{filter}))
	wantBare(t, c.Next())
	if highest(t) >= mqtt.AtLeastOnce {
		c.SendPacket(&mqtt.Publish{Topic: nobody, QoS: mqtt.AtLeastOnce, PacketID: 2})
		wantBare(t, c.Next())
	}
	c.SendPacket(&mqtt.Ack{Type: mqtt.PUBREL, PacketID: 3})
	wantBare(t, c.Next())
	// What is wrong in these may be told by SUBACK, or close the connection.
	for i, bad := range []string{"$share/hpmq/", "$share//" + t.Topic("a"), t.Topic("a/#/b")} {
		c.Send(mqtt.AppendSubscribe(nil, t.Version(), uint16(4+i), nil,
			[]mqtt.Subscription{{Filter: []byte(bad)}}))
		frame, _ := c.Poll(t.Options().ExpectTimeout)
		if frame == nil || mqtt.TypeOf(frame) == mqtt.DISCONNECT {
			return
		}
		wantBare(t, frame)
	}
}

func problemPublish(t *suite.T) {
	topic := t.Topic("users")
	c := t.Connect(asking(mqtt.RequestProblemInformation, 0))
	c.Subscribe(topic, 0)
	t.Connect().Publish(mqtt.Publish{Topic: []byte(topic), Payload: []byte("m"),
		Props: mqtt.Props(nil).AppendUser([]byte("name"), []byte("value"))})
	m := c.WantMessage(topic, "m")
	users := 0
	m.Props.Users(func(name, value []byte) bool {
		users++
		return true
	})
	if users != 1 {
		t.Errorf("the message has %d User Properties, want 1", users)
	}
}

func problemDenied(t *suite.T) {
	c := t.Connect(asking(mqtt.RequestProblemInformation, 0))
	topic := suite.DeniedTopic + "/" + t.ClientID("x")
	c.Send(mqtt.AppendSubscribe(nil, t.Version(), 1, nil,
		[]mqtt.Subscription{{Filter: []byte(topic)}}))
	wantBare(t, c.Next())
	for q := mqtt.AtLeastOnce; q <= highest(t); q++ {
		c.SendPacket(&mqtt.Publish{Topic: []byte(topic), QoS: q, PacketID: uint16(q)})
		frame, _ := c.Poll(t.Options().ExpectTimeout)
		if frame == nil || mqtt.TypeOf(frame) == mqtt.DISCONNECT {
			return
		}
		wantBare(t, frame)
	}
}

// wantAliases publishes on five topics, three times each, and judges the aliases of what c gets.
func wantAliases(t *suite.T, c *suite.Client, most uint16) {
	topics := make(map[string]int)
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		topics[t.Topic(name)] = 0
		c.Subscribe(t.Topic(name), 0)
	}
	p := t.Connect()
	for range 3 {
		for topic := range topics {
			p.PublishText(topic, topic, 0)
		}
	}
	known := make(map[uint16]string)
	for range 3 * len(topics) {
		m := c.ReadPublish()
		topic := aliased(t, &m, known, most)
		if topic != string(m.Payload) {
			t.Errorf("the message for %q came on topic %q", m.Payload, topic)
		}
		topics[topic]++
	}
	for topic, n := range topics {
		if n != 3 {
			t.Errorf("%d messages on topic %q, want 3", n, topic)
		}
	}
}

// aliased is the topic of a message, by its alias if it has one.
func aliased(t *suite.T, m *mqtt.Publish, known map[uint16]string, most uint16) string {
	alias, ok := m.Props.Uint16(mqtt.TopicAlias)
	switch {
	case !ok:
		return string(m.Topic)
	case alias == 0 || alias > most:
		t.Fatalf("Topic Alias %d, the client takes %d", alias, most)
	case len(m.Topic) > 0:
		known[alias] = string(m.Topic)
	case known[alias] == "":
		t.Fatalf("Topic Alias %d stands for nothing yet", alias)
	}
	return known[alias]
}

func aliasOfConnection(t *suite.T) {
	id := t.ClientID("s")
	c := keep(t, id, aliases(5))
	wantAliases(t, c, 5)
	c.Leave()
	wantAliases(t, keep(t, id), 0)
}
