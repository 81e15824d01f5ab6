package connect

import (
	"strings"
	"time"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// limitedCases are about a server that offers less than the standard, in 5.0.
func limitedCases() []suite.Case {
	list := []suite.Case{{
		Name: "connect/limited-says-so", Claims: "5.0/MQTT-3.2.2-9",
		Text: "A listener with limits tells a client all of them in CONNACK.",
		Run:  limitedSays,
	}, {
		Name: "connect/limited-qos-subscribe", Claims: "5.0/MQTT-3.2.2-10",
		Text: "A listener with Maximum QoS 0 accepts SUBSCRIBE at QoS 0, 1 and 2.",
		Run:  limitedSubscribe,
	}, {
		Name: "connect/limited-qos-publish", Claims: "5.0/MQTT-3.2.2-11 5.0/MQTT-4.13.1-1",
		Text: "A listener with Maximum QoS 0 gets PUBLISH with QoS 1: it closes, and nobody gets " +
			"the message.",
		Run: limitedPublish,
	}, {
		Name: "connect/limited-qos-will", Claims: "5.0/MQTT-3.2.2-12",
		Text: "A listener with Maximum QoS 0 gets CONNECT with Will QoS 1, and with 2: it refuses.",
		Run:  limitedWillQoS,
	}, {
		Name: "connect/limited-retain-will", Claims: "5.0/MQTT-3.2.2-13",
		Text: "A listener without retained messages gets CONNECT with Will Retain 1: it refuses.",
		Run:  limitedWillRetain,
	}, {
		Name: "connect/limited-retain-publish", Claims: "5.0/MQTT-3.2.2-14 5.0/MQTT-4.13.1-1",
		Text: "A listener without retained messages gets a retained PUBLISH: it closes.",
		Run:  limitedRetain,
	}, {
		Name: "connect/limited-packet-size", Claims: "5.0/MQTT-3.2.2-15 5.0/MQTT-4.13.1-1",
		Text: "A packet as large as the Maximum Packet Size of a listener is served; one that is " +
			"a byte larger closes the connection.",
		Run: limitedSize,
	}, {
		Name: "connect/limited-topic-alias", Claims: "5.0/MQTT-3.2.2-17 5.0/MQTT-4.13.1-1",
		Text: "A topic alias as large as the Topic Alias Maximum of a listener is taken; a " +
			"larger one closes the connection.",
		Run: limitedAlias,
	}, {
		Name:   "connect/limited-keep-alive",
		Claims: "5.0/MQTT-3.1.2-22 5.0/MQTT-3.1.2-21 5.0/MQTT-3.2.2-21",
		Text: "A client without a keep alive is told one by the server and falls silent: the " +
			"server closes.",
		Run: limitedKeepAlive,
	}, {
		Name:   "connect/limited-keep-alive-is-the-servers",
		Claims: "5.0/MQTT-3.1.2-21 5.0/MQTT-3.2.2-21",
		Text: "A client asks for a keep alive of one second and is told a longer one: the server " +
			"does not close it by the shorter.",
		Run: limitedLonger,
	}}
	for i := range list {
		list[i].Versions = []mqtt.Version{mqtt.V5}
		list[i].Target = suite.Limited
	}
	return append(list, suite.Case{
		Name: "connect/packet-size-of-the-server", Versions: []mqtt.Version{mqtt.V5},
		Claims: "5.0/MQTT-3.2.2-15 5.0/MQTT-4.13.1-1",
		Text: "A server that says a Maximum Packet Size closes on a packet that is a few bytes " +
			"larger.",
		Run: limitedAnnounced,
	})
}

func limitedSays(t *suite.T) {
	said := suite.ServerOf(t.Connect().Connack.Props)
	for what, ok := range map[string]bool{
		"Maximum QoS 0":                     said.QoSMax == 0,
		"Retain Available 0":                !said.Retain,
		"Wildcard Subscription Available 0": !said.Wildcard,
		"Shared Subscription Available 0":   !said.Shared,
		"Server Keep Alive 5":               said.KeepAlive == 5,
		"Receive Maximum 4":                 said.ReceiveMax == 4,
		"Topic Alias Maximum 4":             said.TopicAliasMax == 4,
		"Maximum Packet Size 4096":          said.PacketBytesMax == 4096,
	} {
		if !ok {
			t.Errorf("CONNACK does not say %s", what)
		}
	}
}

func limitedSubscribe(t *suite.T) {
	if highest(t) == mqtt.ExactlyOnce {
		t.Skipf("the server offers Maximum QoS 2")
	}
	c, topic := t.Connect(), t.Topic("qos")
	for q := range mqtt.ExactlyOnce + 1 {
		id := c.NextPacketID()
		c.Send(mqtt.AppendSubscribe(nil, t.Version(), id, nil,
			[]mqtt.Subscription{{Filter: []byte(topic), QoS: q}}))
		if ack := c.ReadSuback(id); len(ack.Reasons) != 1 || ack.Reasons[0] > mqtt.ReasonCode(q) {
			t.Errorf("SUBACK says %v to QoS %d, want it granted", ack.Reasons, q)
		}
	}
	c.PublishText(topic, "m", 0)
	c.WantMessage(topic, "m")
}

func limitedPublish(t *suite.T) {
	topic := t.Topic("qos")
	w := t.Connect()
	w.Subscribe(topic, 0)
	c := t.Connect()
	c.SendPacket(&mqtt.Publish{Topic: []byte(topic), Payload: []byte("m"), QoS: 1, PacketID: 1})
	c.WantClosed(mqtt.QoSNotSupported, mqtt.ProtocolError, mqtt.UnspecifiedError)
	wantUnseen(w, topic)
}

func limitedWillQoS(t *suite.T) {
	for q := mqtt.AtLeastOnce; q <= mqtt.ExactlyOnce; q++ {
		c := t.Dial()
		c.Send(t.Connecting(willAt(t.Topic("will"), "will", q, false)).Append(nil))
		c.WantRefused()
	}
}

func limitedWillRetain(t *suite.T) {
	c := t.Dial()
	c.Send(t.Connecting(willAt(t.Topic("will"), "will", 0, true)).Append(nil))
	c.WantRefused()
}

func limitedRetain(t *suite.T) {
	c := t.Connect()
	c.SendPacket(&mqtt.Publish{Topic: []byte(t.Topic("r")), Payload: []byte("m"), Retain: true})
	c.WantClosed(mqtt.RetainNotSupported, mqtt.ProtocolError, mqtt.UnspecifiedError)
}

func limitedSize(t *suite.T) {
	topic := t.Topic("size")
	most := int(t.Server().PacketBytesMax)
	if most == 0 {
		t.Fatalf("the listener says no Maximum Packet Size")
	}
	c := t.Connect()
	c.Subscribe(topic, 0)
	m := mqtt.Publish{Topic: []byte(topic)}
	fits := strings.Repeat("f", most-m.Size(mqtt.V5)-1) // one byte more of length
	c.PublishText(topic, fits, 0)
	c.WantMessage(topic, fits)
	c.PublishText(topic, fits+"!", 0)
	c.WantClosed(mqtt.PacketTooLarge, mqtt.ProtocolError, mqtt.UnspecifiedError)
}

func limitedAlias(t *suite.T) {
	topic := t.Topic("alias")
	w := t.Connect()
	w.Subscribe(topic, 0)
	most := t.Server().TopicAliasMax
	if most == 0 || most == 65535 {
		t.Skipf("the server offers Topic Alias Maximum %d", most)
	}
	m := mqtt.Publish{Topic: []byte(topic), Payload: []byte("m"),
		Props: mqtt.Props(nil).AppendUint16(mqtt.TopicAlias, most)}
	c := t.Connect()
	c.SendPacket(&m)
	w.WantMessage(topic, "m")
	m.Props = mqtt.Props(nil).AppendUint16(mqtt.TopicAlias, most+1)
	c.SendPacket(&m)
	c.WantClosed(mqtt.TopicAliasInvalid, mqtt.ProtocolError, mqtt.UnspecifiedError)
	wantUnseen(w, topic)
}

func limitedKeepAlive(t *suite.T) {
	c := t.Connect(func(p *mqtt.Connect) { p.KeepAlive = 0 })
	s, said := c.Connack.Props.Uint16(mqtt.ServerKeepAlive)
	if !said || s == 0 || s > 5 {
		t.Fatalf("CONNACK says Server Keep Alive %d, given %t, want 5", s, said)
	}
	wantSilentClosed(t, c, time.Duration(s)*time.Second)
}

func limitedLonger(t *suite.T) {
	c := t.Connect(func(p *mqtt.Connect) { p.KeepAlive = 1 })
	if s, said := c.Connack.Props.Uint16(mqtt.ServerKeepAlive); !said || s < 5 {
		t.Skipf("the server does not make the keep alive longer")
	}
	t.Wait(4 * time.Second)
	c.Ping()
}

func limitedAnnounced(t *suite.T) {
	most := int(t.Server().PacketBytesMax)
	if most == 0 || most > 16<<20 {
		t.Skipf("the server says Maximum Packet Size %d (0: none), which is too much to try", most)
	}
	c := t.Connect()
	body := append(text(t.Topic("size")), make([]byte, most)...)[:most]
	c.Send(varint([]byte{byte(mqtt.PUBLISH) << 4}, most)) // and the header comes on top
	c.Send(body)
	c.WantClosed(mqtt.PacketTooLarge, mqtt.ProtocolError, mqtt.UnspecifiedError)
}
