package publish

import (
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
}

func malformedCases() []suite.Case {
	name := []mqtt.ReasonCode{mqtt.MalformedPacket, mqtt.ProtocolError, mqtt.TopicNameInvalid}
	return badCases([]bad{
		{"qos-3", "3.1.1/MQTT-3.3.1-4 5.0/MQTT-3.3.1-4", "Both QoS bits are 1.", mqtt.AtMostOnce,
			func(_ *suite.T, p *mqtt.Publish) { p.QoS, p.PacketID = 3, 1 }, name[:1]},
		{"dup-at-qos-0", "3.1.1/MQTT-3.3.1-2 5.0/MQTT-3.3.1-2", "DUP is 1 at QoS 0.",
			mqtt.AtMostOnce, func(_ *suite.T, p *mqtt.Publish) { p.Dup = true }, name[:2]},
		{"packet-identifier-0-at-qos-1", "3.1.1/MQTT-2.3.1-1 5.0/MQTT-2.2.1-3",
			"The packet identifier is 0 at QoS 1.", mqtt.AtLeastOnce,
			func(_ *suite.T, p *mqtt.Publish) { p.QoS = mqtt.AtLeastOnce }, name[:2]},
		{"packet-identifier-0-at-qos-2", "3.1.1/MQTT-2.3.1-1 5.0/MQTT-2.2.1-3",
			"The packet identifier is 0 at QoS 2.", mqtt.ExactlyOnce,
			func(_ *suite.T, p *mqtt.Publish) { p.QoS = mqtt.ExactlyOnce }, name[:2]},
		named("wildcard-hash", "3.1.1/MQTT-3.3.2-2 5.0/MQTT-3.3.2-2", "ends in /#", "/#"),
		named("wildcard-plus", "3.1.1/MQTT-3.3.2-2 5.0/MQTT-3.3.2-2", "has + as a level", "/+/a"),
		named("wildcard-inside-a-level", "3.1.1/MQTT-3.3.2-2 5.0/MQTT-3.3.2-2",
			"has # inside a level", "/a#b"),
		named("topic-of-no-utf-8", "3.1.1/MQTT-3.3.2-1 5.0/MQTT-3.3.2-1",
			"has the bytes FF FE, which no UTF-8 has", "/\xFF\xFE"),
		named("topic-of-overlong-utf-8", "3.1.1/MQTT-3.3.2-1 5.0/MQTT-3.3.2-1",
			"has an overlong form, C0 AF for the slash", "/\xC0\xAF"),
		named("topic-with-a-surrogate", "3.1.1/MQTT-3.3.2-1 5.0/MQTT-3.3.2-1",
			"has ED A0 80, which is U+D800", "/\xED\xA0\x80"),
		named("topic-that-ends-inside-a-letter", "3.1.1/MQTT-3.3.2-1 5.0/MQTT-3.3.2-1",
			"ends after the first of two bytes of a letter", "/\xC3"),
		named("topic-with-u+0000", "3.1.1/MQTT-3.3.2-1 5.0/MQTT-3.3.2-1", "has U+0000", "/a\x00b"),
		{"topic-of-no-bytes", "3.1.1/MQTT-4.7.3-1 5.0/MQTT-4.7.3-1",
			"The topic name is empty, and in 5.0 there is no topic alias.", mqtt.AtMostOnce,
			func(_ *suite.T, p *mqtt.Publish) { p.Topic = nil }, name},
	})
}

// named is a PUBLISH whose topic name goes on in a way it may not.
func named(name, claims, text, more string) bad {
	return bad{name: name, claims: claims, text: "The topic name " + text + ".",
		change:  func(_ *suite.T, p *mqtt.Publish) { p.Topic = append(p.Topic, more...) },
		reasons: []mqtt.ReasonCode{mqtt.MalformedPacket, mqtt.ProtocolError, mqtt.TopicNameInvalid}}
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
		if b.claims[0] == '3' {
			cases[i].Versions = modern()
		}
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
	c.WantClosed(b.reasons...)
	t.Connect().PublishText(t.Topic(""), "end", mqtt.AtMostOnce)
	wantOnly(t, witness, "end")
}

// witness gets all that is published at and below the topic of the case.
func (b *bad) witness(t *suite.T) *suite.Client {
	if t.Server().Wildcard {
		return subscriber(t, t.Topic("#"), mqtt.AtMostOnce)
	}
	return subscriber(t, t.Topic(""), mqtt.AtMostOnce)
}
