package publish

import (
	"slices"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// bad is a PUBLISH that no client may send: change makes it of a good one, and a server closes the
// connection [MQTT-4.8.0-1 (3.1.1)] [MQTT-4.13.1-1] and delivers nothing. What 3.1 wants of a
// server is not said there, so it is left out.
type bad struct {
	name, claims, text string
	qos                mqtt.QoS // that the server must offer
	change             func(t *suite.T, p *mqtt.Publish)
	reasons            []mqtt.ReasonCode // that 5.0 has for it
	// unnamed is true for what 5.0 forbids a sender and does not call an error of what is
	// received. How far a server checks is left to it (section 4.13.1), but what it sends itself
	// it answers for: it must not pass the message on.
	unnamed bool
}

func malformedCases() []suite.Case {
	name := []mqtt.ReasonCode{mqtt.MalformedPacket, mqtt.ProtocolError, mqtt.TopicNameInvalid}
	return badCases([]bad{
		{name: "qos-3", claims: "3.1.1/MQTT-3.3.1-4 5.0/MQTT-3.3.1-4",
			text: "Both QoS bits are 1.", reasons: name[:1],
			change: func(_ *suite.T, p *mqtt.Publish) { p.QoS, p.PacketID = 3, 1 }},
		{name: "dup-at-qos-0", claims: "3.1.1/MQTT-3.3.1-2", text: "DUP is 1 at QoS 0.",
			change: func(_ *suite.T, p *mqtt.Publish) { p.Dup = true }},
		{name: "packet-identifier-0-at-qos-1", claims: "3.1.1/MQTT-2.3.1-1",
			text: "The packet identifier is 0 at QoS 1.", qos: mqtt.AtLeastOnce,
			change: func(_ *suite.T, p *mqtt.Publish) { p.QoS = mqtt.AtLeastOnce }},
		{name: "packet-identifier-0-at-qos-2", claims: "3.1.1/MQTT-2.3.1-1",
			text: "The packet identifier is 0 at QoS 2.", qos: mqtt.ExactlyOnce,
			change: func(_ *suite.T, p *mqtt.Publish) { p.QoS = mqtt.ExactlyOnce }},
		wild("wildcard-hash", "ends in /#", "/#"),
		wild("wildcard-plus", "has + as a level", "/+/a"),
		wild("wildcard-inside-a-level", "has # inside a level", "/a#b"),
		named("topic-of-no-utf-8", "3.1.1/MQTT-3.3.2-1 5.0/MQTT-3.3.2-1",
			"has the bytes FF FE, which no UTF-8 has", "/\xFF\xFE"),
		named("topic-of-overlong-utf-8", "3.1.1/MQTT-3.3.2-1 5.0/MQTT-3.3.2-1",
			"has an overlong form, C0 AF for the slash", "/\xC0\xAF"),
		named("topic-with-a-surrogate", "3.1.1/MQTT-3.3.2-1 5.0/MQTT-3.3.2-1",
			"has ED A0 80, which is U+D800", "/\xED\xA0\x80"),
		named("topic-that-ends-inside-a-letter", "3.1.1/MQTT-3.3.2-1 5.0/MQTT-3.3.2-1",
			"ends after the first of two bytes of a letter", "/\xC3"),
		named("topic-with-u+0000", "3.1.1/MQTT-3.3.2-1 5.0/MQTT-3.3.2-1", "has U+0000", "/a\x00b"),
		{name: "topic-of-no-bytes", claims: "3.1.1/MQTT-4.7.3-1 5.0/MQTT-4.7.3-1",
			text:   "The topic name is empty, and in 5.0 there is no topic alias.",
			change: func(_ *suite.T, p *mqtt.Publish) { p.Topic = nil }, reasons: name},
	})
}

// named is a PUBLISH whose topic name goes on in a way it may not.
func named(name, claims, text, more string) bad {
	return bad{name: name, claims: claims, text: "The topic name " + text + ".",
		change:  func(_ *suite.T, p *mqtt.Publish) { p.Topic = append(p.Topic, more...) },
		reasons: []mqtt.ReasonCode{mqtt.MalformedPacket, mqtt.ProtocolError, mqtt.TopicNameInvalid}}
}

// wild is a PUBLISH whose topic name has a wildcard.
func wild(name, text, more string) bad {
	b := named(name, "3.1.1/MQTT-3.3.2-2 5.0/MQTT-3.3.2-2", text, more)
	b.unnamed = true
	return b
}

// badCases are a case for each row.
func badCases(rows []bad) []suite.Case {
	cases := make([]suite.Case, len(rows))
	for i := range rows {
		b := &rows[i]
		cases[i] = suite.Case{
			Name: "publish/refuses-" + b.name, Claims: b.claims,
			Text: b.text + " The server closes the connection and delivers nothing.",
			Run:  b.run,
		}
		if b.unnamed {
			cases[i].Text = b.text + " The server closes the connection, which in 5.0 it need " +
				"not, and delivers nothing."
		}
		cases[i].Versions = slices.DeleteFunc(cases[i].For(), func(v mqtt.Version) bool {
			return v == mqtt.V31
		})
	}
	return cases
}

func (b *bad) run(t *suite.T) {
	t.NeedQoS(b.qos)
	witness := b.witness(t)
	c := t.Connect()
	p := message(t.Topic(""), "bad", mqtt.AtMostOnce)
	b.change(t, &p)
	c.SendPacket(&p)
	if b.unnamed && t.V5() {
		b.mayClose(t, c)
	} else {
		c.WantClosed(b.reasons...)
	}
	t.Connect().PublishText(t.Topic(""), "end", mqtt.AtMostOnce)
	wantOnly(t, witness, "end")
}

// mayClose waits until the server has seen the packet.
func (b *bad) mayClose(t *suite.T, c *suite.Client) {
	c.SendPacket(&mqtt.Ping{Type: mqtt.PINGREQ})
	frame, open := c.Poll(t.Options().ExpectTimeout)
	switch {
	case frame == nil && open:
		t.Fatalf("the server neither closed the connection nor answered PINGREQ")
	case frame != nil && mqtt.TypeOf(frame) == mqtt.PINGRESP:
		t.Note("the server lets the packet pass, as section 4.13.1 allows")
	}
}

// witness gets all that is published at and below the topic of the case.
func (b *bad) witness(t *suite.T) *suite.Client {
	if t.Server().Wildcard {
		return subscriber(t, t.Topic("#"), mqtt.AtMostOnce)
	}
	return subscriber(t, t.Topic(""), mqtt.AtMostOnce)
}
