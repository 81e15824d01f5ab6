package publish

import (
	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// malformed5Cases are about properties, which only 5.0 has.
func malformed5Cases() []suite.Case {
	malformed := []mqtt.ReasonCode{mqtt.MalformedPacket, mqtt.ProtocolError}
	named := append(malformed[:2:2], mqtt.TopicNameInvalid)
	return append(append(badCases([]bad{
		having(bad{name: "response-topic-with-hash", claims: "5.0/MQTT-3.3.2-14",
			text: "The Response Topic has the wildcard #.", unnamed: true},
			text(mqtt.ResponseTopic, "a/#")),
		having(bad{name: "response-topic-with-plus", claims: "5.0/MQTT-3.3.2-14",
			text: "The Response Topic has the wildcard +.", unnamed: true},
			text(mqtt.ResponseTopic, "a/+/b")),
		having(bad{name: "response-topic-of-no-utf-8", claims: "5.0/MQTT-3.3.2-13",
			text: "The Response Topic is no UTF-8.", reasons: named},
			text(mqtt.ResponseTopic, "a\xFF")),
		having(bad{name: "content-type-of-no-utf-8", claims: "5.0/MQTT-3.3.2-19",
			text: "The Content Type is no UTF-8.", reasons: malformed},
			text(mqtt.ContentType, "a\xC3\x28")),
		having(bad{name: "subscription-identifier", claims: "5.0/MQTT-3.3.4-6",
			text: "A client's PUBLISH has a Subscription Identifier.", reasons: malformed},
			func(p mqtt.Props) mqtt.Props {
				return p.AppendVarInt(mqtt.SubscriptionIdentifier, 1)
			}),
		having(bad{name: "property-of-another-packet", claims: "5.0/MQTT-4.13.1-1",
			text: "PUBLISH has a Session Expiry Interval.", reasons: malformed},
			func(p mqtt.Props) mqtt.Props {
				return p.AppendUint32(mqtt.SessionExpiryInterval, 9)
			}),
		having(bad{name: "property-without-an-identifier", claims: "5.0/MQTT-4.13.1-1",
			text: "PUBLISH has a property with the unused identifier 0x7F.", reasons: malformed},
			func(p mqtt.Props) mqtt.Props { return append(p, 0x7F, 0x00) }),
		having(bad{name: "property-cut-short", claims: "5.0/MQTT-4.13.1-1",
			text:    "The property length ends inside the Message Expiry Interval.",
			reasons: malformed},
			func(p mqtt.Props) mqtt.Props {
				return append(p, byte(mqtt.MessageExpiryInterval), 0)
			}),
	}), twiceCases()...), aliasRefusalCases()...)
}

// having is a PUBLISH with a property it may not have.
func having(b bad, add func(mqtt.Props) mqtt.Props) bad {
	b.change = func(_ *suite.T, p *mqtt.Publish) { p.Props = add(p.Props) }
	return b
}

// text adds a property that is a string or binary data.
func text(id mqtt.PropID, v string) func(mqtt.Props) mqtt.Props {
	return func(p mqtt.Props) mqtt.Props { return p.AppendBytes(id, []byte(v)) }
}

// twiceCases are about properties that section 3.3.2.3 lets stand once.
func twiceCases() []suite.Case {
	reasons := []mqtt.ReasonCode{mqtt.ProtocolError, mqtt.MalformedPacket}
	var rows []bad
	for _, row := range []struct {
		name, words string
		add         func(mqtt.Props) mqtt.Props
	}{
		{"response-topic", "Response Topic", text(mqtt.ResponseTopic, "a")},
		{"correlation-data", "Correlation Data", text(mqtt.CorrelationData, "a")},
		{"content-type", "Content Type", text(mqtt.ContentType, "a")},
	} {
		rows = append(rows, having(bad{name: row.name + "-twice", claims: "5.0/MQTT-4.13.1-1",
			text: "PUBLISH has " + row.words + " twice.", reasons: reasons},
			func(p mqtt.Props) mqtt.Props { return row.add(row.add(p)) }))
	}
	return badCases(rows)
}

// aliasRefusalCases are those of section 3.3.2.3.4.
func aliasRefusalCases() []suite.Case {
	invalid := []mqtt.ReasonCode{mqtt.TopicAliasInvalid}
	alias := func(p *mqtt.Publish, v uint16) {
		p.Props = p.Props.AppendUint16(mqtt.TopicAlias, v)
	}
	return badCases([]bad{
		{name: "topic-alias-0", claims: "5.0/MQTT-3.3.2-8", text: "The topic alias is 0.",
			change: func(_ *suite.T, p *mqtt.Publish) { alias(p, 0) }, reasons: invalid},
		{name: "topic-alias-above-the-maximum",
			claims:  "5.0/MQTT-3.3.2-9 5.0/MQTT-3.2.2-17 5.0/MQTT-3.2.2-18",
			text:    "The topic alias is one more than the server's Topic Alias Maximum.",
			reasons: invalid,
			change: func(t *suite.T, p *mqtt.Publish) {
				if t.Server().TopicAliasMax == 65535 {
					t.Skipf("the server takes every topic alias")
				}
				alias(p, t.Server().TopicAliasMax+1)
			}},
		{name: "topic-alias-without-a-topic", claims: "5.0/MQTT-4.13.1-1",
			text:    "The topic name is empty and the topic alias was never set.",
			reasons: []mqtt.ReasonCode{mqtt.ProtocolError, mqtt.TopicAliasInvalid},
			change: func(t *suite.T, p *mqtt.Publish) {
				needAlias(t, 1)
				alias(p, 1)
				p.Topic = nil
			}},
		{name: "topic-alias-twice", claims: "5.0/MQTT-4.13.1-1",
			text:    "PUBLISH has Topic Alias twice.",
			reasons: []mqtt.ReasonCode{mqtt.ProtocolError, mqtt.MalformedPacket},
			change: func(t *suite.T, p *mqtt.Publish) {
				needAlias(t, 1)
				alias(p, 1)
				alias(p, 1)
			}},
	})
}
