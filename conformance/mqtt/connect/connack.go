package connect

import (
	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// connackCases are about what stands in CONNACK.
func connackCases() []suite.Case {
	return []suite.Case{{
		Name: "connect/connack-flags", Claims: "5.0/MQTT-3.2.2-1 3.1.1/MQTT-3.2.2-1 " +
			"3.1.1/MQTT-3.2.2-2",
		Versions: since311(),
		Text: "The acknowledge flags are 0 for a new session and 1 for a resumed one, byte by " +
			"byte.",
		Run: connackFlags,
	}, {
		Name: "connect/connack-reason-of-a-version", Versions: []mqtt.Version{mqtt.V5},
		Claims: "5.0/MQTT-3.2.2-8 5.0/MQTT-3.2.2-7 5.0/MQTT-3.2.2-6",
		Text: "Four CONNECTs are refused for different reasons: each CONNACK that comes has a " +
			"reason of the standard's table, Session Present 0, and the connection ends.",
		Run: connackReasons,
	}, {
		Name: "connect/connack-properties", Versions: []mqtt.Version{mqtt.V5},
		Claims: "5.0/MQTT-3.1.4-5",
		Text: "The properties of CONNACK are of CONNACK, stand once each and have values that " +
			"are allowed.",
		Run: connackProperties,
	}, {
		Name: "connect/connack-tells-no-method", Versions: []mqtt.Version{mqtt.V5},
		Claims: "5.0/MQTT-4.12.0-6",
		Text:   "A client that names no authentication method finds none, and no data, in CONNACK.",
		Run:    connackMethod,
	}, {
		Name: "connect/maximum-qos-is-true", Versions: []mqtt.Version{mqtt.V5},
		Claims: "5.0/MQTT-3.2.2-9",
		Text: "A server takes PUBLISH up to the Maximum QoS of its CONNACK, QoS 2 if it says " +
			"nothing.",
		Run: maximumQoSTrue,
	}, {
		Name: "connect/retain-available-is-true", Versions: []mqtt.Version{mqtt.V5},
		Text: "A server that does not say that it has no retained messages lets a retained will " +
			"in.",
		Run: retainTrue,
	}, {
		Name: "connect/connack-takes-all-properties", Versions: []mqtt.Version{mqtt.V5},
		Claims: "5.0/MQTT-3.1.4-5",
		Text: "A CONNECT with every property of the standard but authentication, and a will with " +
			"every property, is let in.",
		Run: allProperties,
	}}
}

func connackFlags(t *suite.T) {
	id := t.ClientID("s")
	for want := range byte(2) {
		c := t.Dial()
		c.Send(t.Connecting(suite.Named(id), suite.Keeping).Append(nil))
		frame := c.Expect(mqtt.CONNACK)
		if len(frame) < 4 {
			t.Fatalf("CONNACK of %d bytes", len(frame))
		}
		at := 2 // behind a remaining length of one byte
		if frame[1] > 0x7F {
			at = 3
		}
		if frame[0] != 0x20 || frame[at] != want || frame[at+1] != 0 {
			t.Errorf("CONNACK begins with % x, want header 20, flags %02x, code 00", frame[:at+2],
				want)
		}
		c.Leave()
	}
}

func connackReasons(t *suite.T) {
	id, answers := t.ClientID("s"), 0
	keep(t, id).Leave()
	for _, spoil := range []func(*packet){
		func(p *packet) { p.flags |= flagReserved },
		having(property(mqtt.ReceiveMaximum, 0, 0)),
		having(textProperty(mqtt.AuthenticationMethod, "HPMQ-NO-SUCH-METHOD")),
		func(p *packet) { p.setWill("hpmq-conformance/#", "never") },
	} {
		p := good(t)
		p.flags &^= flagClean
		p.id = text(id)
		spoil(p)
		c := t.Dial()
		c.Send(p.bytes())
		if frame, _ := c.Poll(t.Options().ExpectTimeout); frame != nil {
			answers++
			wantRefusal(t, frame)
		}
		c.WantClosed()
	}
	if answers == 0 {
		t.Skipf("the server refuses without CONNACK")
	}
}

// wantRefusal wants a frame to be a CONNACK that refuses.
func wantRefusal(t *suite.T, frame []byte) {
	var p mqtt.Connack
	if mqtt.TypeOf(frame) != mqtt.CONNACK {
		t.Fatalf("want CONNACK, got %s", mqtt.TypeOf(frame))
	}
	if err := p.Decode(t.Version(), frame); err != nil {
		t.Fatalf("the server's CONNACK: %v", err)
	}
	if !p.Reason.Failed() || p.SessionPresent {
		t.Errorf("CONNACK says %s, session present %t, want a refusal", p.Reason, p.SessionPresent)
	}
}

func connackProperties(t *suite.T) {
	c := t.Connect()
	props := c.Connack.Props
	for id, most := range map[mqtt.PropID]byte{mqtt.MaximumQoS: 1, mqtt.RetainAvailable: 1,
		mqtt.WildcardSubscriptionAvailable: 1, mqtt.SubscriptionIdentifierAvailable: 1,
		mqtt.SharedSubscriptionAvailable: 1} {
		if v, ok := props.Byte(id); ok && v > most {
			t.Errorf("%s is %d, want at most %d", id, v, most)
		}
	}
	if v, ok := props.Uint16(mqtt.ReceiveMaximum); ok && v == 0 {
		t.Errorf("Receive Maximum is 0")
	}
	if v, ok := props.Uint32(mqtt.MaximumPacketSize); ok && v == 0 {
		t.Errorf("Maximum Packet Size is 0")
	}
	var seen [256]int
	props.Each(func(id mqtt.PropID, _ []byte) bool {
		if seen[id]++; seen[id] == 2 && id != mqtt.UserProperty {
			t.Errorf("%s stands twice", id)
		}
		return true
	})
	for _, id := range []mqtt.PropID{mqtt.RequestProblemInformation, mqtt.WillDelayInterval,
		mqtt.RequestResponseInformation, mqtt.TopicAlias, mqtt.SubscriptionIdentifier} {
		if seen[id] > 0 {
			t.Errorf("CONNACK has the property %s", id)
		}
	}
}

func connackMethod(t *suite.T) {
	props := t.Connect().Connack.Props
	for _, id := range []mqtt.PropID{mqtt.AuthenticationMethod, mqtt.AuthenticationData} {
		if v, ok := props.Bytes(id); ok {
			t.Errorf("CONNACK has %s %q", id, v)
		}
	}
}

func maximumQoSTrue(t *suite.T) {
	topic := t.Topic("qos")
	w := witness(t, topic)
	c := t.Connect()
	for q := range highest(t) + 1 {
		c.PublishText(topic, "m", q)
		w.WantMessage(topic, "m")
	}
}

func retainTrue(t *suite.T) {
	t.NeedRetain()
	t.Connect(willAt(t.Topic("will"), "will", 0, true)).Leave()
}

func allProperties(t *suite.T) {
	p := t.Connecting()
	p.Props = p.Props.AppendUint32(mqtt.SessionExpiryInterval, 5).
		AppendUint16(mqtt.ReceiveMaximum, 1).
		AppendUint32(mqtt.MaximumPacketSize, 100000).
		AppendUint16(mqtt.TopicAliasMaximum, 65535).
		AppendByte(mqtt.RequestResponseInformation, 1).
		AppendByte(mqtt.RequestProblemInformation, 0).
		AppendUser([]byte("name"), []byte("1")).
		AppendUser([]byte("name"), []byte("2")).
		AppendUser(nil, nil)
	p.HasWill = true
	p.Will = mqtt.Will{Topic: []byte(t.Topic("will")), Payload: []byte("{}"),
		Props: mqtt.Props(nil).AppendUint32(mqtt.WillDelayInterval, 1).
			AppendByte(mqtt.PayloadFormatIndicator, 1).
			AppendUint32(mqtt.MessageExpiryInterval, 60).
			AppendBytes(mqtt.ContentType, []byte("application/json")).
			AppendBytes(mqtt.ResponseTopic, []byte(t.Topic("answer"))).
			AppendBytes(mqtt.CorrelationData, []byte{0}).
			AppendUser([]byte("name"), []byte("value"))}
	c := t.Dial()
	c.Connect(p)
	c.Ping()
	c.Leave()
}
