package connect

import (
	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// What every malformed CONNECT is a case of.
const (
	malformed311 = "3.1.1/MQTT-3.1.4-1 3.1.1/MQTT-3.2.2-6"
	malformed5   = "5.0/MQTT-3.1.4-1 5.0/MQTT-4.13.1-1"
)

// spoiled is a way to spoil a good CONNECT.
type spoiled struct {
	name, text string
	// claims beside those of every malformed CONNECT.
	claims string
	// versions, nil for 3.1.1 and 5.0.
	versions []mqtt.Version
	spoil    func(p *packet)
	// may are the reasons that fit beside Malformed Packet, Protocol Error. If there are any, 3.1.1
	// may say so by a return code too.
	may []mqtt.ReasonCode
}

// malformedCases are about CONNECTs that no version allows.
func malformedCases() []suite.Case {
	return cases(append(append(wrongFlags(), wrongFields()...), wrongTexts()...))
}

func cases(rows []spoiled) []suite.Case {
	var list []suite.Case
	for _, row := range rows {
		claims := malformed311 + " " + malformed5 + " " + row.claims
		versions := row.versions
		if versions == nil {
			versions = since311()
		}
		list = append(list, suite.Case{Name: "connect/malformed-" + row.name, Claims: claims,
			Versions: versions, Text: "A CONNECT " + row.text + " is not let in.",
			Run: func(t *suite.T) { sendSpoiled(t, &row) }})
	}
	return list
}

// sendSpoiled wants the end: in 3.1.1 without a CONNACK, in 5.0 a CONNACK may come before it.
func sendSpoiled(t *suite.T, row *spoiled) {
	p := good(t)
	row.spoil(p)
	c := t.Dial()
	c.Send(p.bytes())
	switch {
	case t.V5():
		c.WantRefused(append([]mqtt.ReasonCode{mqtt.MalformedPacket, mqtt.ProtocolError,
			mqtt.UnspecifiedError}, row.may...)...)
	case row.may != nil:
		c.WantRefused(row.may...)
	default:
		c.WantEnd()
	}
}

func wrongFlags() []spoiled {
	return []spoiled{{
		name: "reserved-flag", text: "with the reserved connect flag set",
		claims: "3.1.1/MQTT-3.1.2-3 5.0/MQTT-3.1.2-3",
		spoil:  func(p *packet) { p.flags |= flagReserved },
	}, {
		name: "will-qos-without-will", text: "with Will Flag 0 and Will QoS 1",
		claims: "3.1.1/MQTT-3.1.2-11 3.1.1/MQTT-3.1.2-13 5.0/MQTT-3.1.2-11",
		spoil:  func(p *packet) { p.flags |= flagWillQoS1 },
	}, {
		name: "will-qos-2-without-will", text: "with Will Flag 0 and Will QoS 2",
		claims: "3.1.1/MQTT-3.1.2-11 3.1.1/MQTT-3.1.2-13 5.0/MQTT-3.1.2-11",
		spoil:  func(p *packet) { p.flags |= flagWillQoS2 },
	}, {
		name: "will-retain-without-will", text: "with Will Flag 0 and Will Retain 1",
		claims: "3.1.1/MQTT-3.1.2-11 3.1.1/MQTT-3.1.2-15 5.0/MQTT-3.1.2-13",
		spoil:  func(p *packet) { p.flags |= flagWillRetain },
	}, {
		name: "will-qos-3", text: "with Will QoS 3",
		claims: "3.1.1/MQTT-3.1.2-14 5.0/MQTT-3.1.2-12",
		spoil: func(p *packet) {
			p.setWill("hpmq-conformance/never", "never")
			p.flags |= flagWillQoS3
		},
	}, {
		name: "password-without-user", text: "with a password and no user name",
		claims: "3.1.1/MQTT-3.1.2-22", versions: []mqtt.Version{mqtt.V311},
		spoil: func(p *packet) {
			p.withoutUser()
			p.flags |= flagPassword
			p.password = text("secret")
		},
	}}
}

func wrongFields() []spoiled {
	return []spoiled{{
		name: "will-missing", text: "with Will Flag 1 that ends behind the client identifier",
		claims: "3.1.1/MQTT-3.1.2-9 5.0/MQTT-3.1.2-9",
		spoil:  func(p *packet) { p.withoutUser(); p.flags |= flagWill },
	}, {
		name: "will-payload-missing", text: "with Will Flag 1 that ends behind the will topic",
		claims: "3.1.1/MQTT-3.1.2-9 5.0/MQTT-3.1.2-9",
		spoil: func(p *packet) {
			p.withoutUser()
			p.setWill("hpmq-conformance/never", "")
			p.will = nil
		},
	}, {
		name: "will-without-flag", text: "with Will Flag 0 that has a will in its payload",
		claims: "3.1.1/MQTT-3.1.2-11",
		spoil: func(p *packet) {
			p.withoutUser()
			p.setWill("hpmq-conformance/never", "never")
			p.flags &^= flagWill
		},
	}, {
		name: "user-missing", text: "with User Name Flag 1 and no user name",
		claims: "3.1.1/MQTT-3.1.2-19 5.0/MQTT-3.1.2-17",
		spoil:  func(p *packet) { p.withoutUser(); p.flags |= flagUsername },
	}, {
		name: "user-without-flag", text: "with User Name Flag 0 that has a user name",
		claims: "3.1.1/MQTT-3.1.2-18 5.0/MQTT-3.1.2-16",
		spoil:  func(p *packet) { p.withoutUser(); p.username = text("user") },
	}, {
		name: "password-missing", text: "with Password Flag 1 that ends behind the user name",
		claims: "3.1.1/MQTT-3.1.2-21 5.0/MQTT-3.1.2-19",
		spoil: func(p *packet) {
			p.withoutUser()
			p.flags |= flagUsername | flagPassword
			p.username = text("user")
		},
	}, {
		name: "password-without-flag", text: "with Password Flag 0 that has a password",
		claims: "3.1.1/MQTT-3.1.2-20 5.0/MQTT-3.1.2-18",
		spoil: func(p *packet) {
			p.withoutUser()
			p.flags |= flagUsername
			p.username, p.password = text("user"), text("secret")
		},
	}, {
		name: "identifier-missing", text: "without a payload",
		claims: "3.1.1/MQTT-3.1.3-3 5.0/MQTT-3.1.3-3",
		spoil:  func(p *packet) { p.withoutUser(); p.id = nil },
	}, {
		name: "identifier-cut-off", text: "that ends within the client identifier",
		claims: "3.1.1/MQTT-3.1.3-3 5.0/MQTT-3.1.3-3",
		spoil:  func(p *packet) { p.withoutUser(); p.id = p.id[:len(p.id)-1] },
	}, {
		name: "empty", text: "without a variable header",
		spoil: func(p *packet) { p.whole = []byte{} },
	}, {
		name: "header-cut-off", text: "that ends within the protocol name",
		spoil: func(p *packet) { p.whole = []byte("\x00\x09MQTT") },
	}, {
		name: "bytes-behind", text: "with bytes behind its last field",
		spoil: func(p *packet) { p.tail = []byte{1, 2, 3} },
	}}
}

func wrongTexts() []spoiled {
	return []spoiled{{
		name: "identifier-utf8", text: "with a client identifier that is not UTF-8",
		claims: "3.1.1/MQTT-3.1.3-4 5.0/MQTT-3.1.3-4 3.1.1/MQTT-1.5.3-1 5.0/MQTT-1.5.4-1",
		spoil:  func(p *packet) { p.id = text("hpmq\xC3\x28") },
		may:    []mqtt.ReasonCode{mqtt.ClientIdentifierNotValid},
	}, {
		name: "identifier-surrogate", text: "with a surrogate in its client identifier",
		claims: "3.1.1/MQTT-3.1.3-4 5.0/MQTT-3.1.3-4 3.1.1/MQTT-1.5.3-1 5.0/MQTT-1.5.4-1",
		spoil:  func(p *packet) { p.id = text("hpmq\xED\xA0\x80") },
		may:    []mqtt.ReasonCode{mqtt.ClientIdentifierNotValid},
	}, {
		name: "identifier-zero", text: "with U+0000 in its client identifier",
		claims: "3.1.1/MQTT-3.1.3-4 5.0/MQTT-3.1.3-4 3.1.1/MQTT-1.5.3-2 5.0/MQTT-1.5.4-2",
		spoil:  func(p *packet) { p.id = text("hp\x00mq") },
		may:    []mqtt.ReasonCode{mqtt.ClientIdentifierNotValid},
	}, {
		name: "will-topic-utf8", text: "with a will topic that is not UTF-8",
		claims: "3.1.1/MQTT-3.1.3-10 5.0/MQTT-3.1.3-11 3.1.1/MQTT-1.5.3-1 5.0/MQTT-1.5.4-1",
		spoil:  func(p *packet) { p.setWill("hpmq\xFF", "never") },
		may:    []mqtt.ReasonCode{mqtt.TopicNameInvalid},
	}, {
		name: "will-topic-zero", text: "with U+0000 in its will topic",
		claims: "3.1.1/MQTT-3.1.3-10 5.0/MQTT-3.1.3-11 3.1.1/MQTT-1.5.3-2 5.0/MQTT-1.5.4-2",
		spoil:  func(p *packet) { p.setWill("hp\x00mq", "never") },
		may:    []mqtt.ReasonCode{mqtt.TopicNameInvalid},
	}, {
		name: "will-topic-wildcard", text: "with a wildcard in its will topic",
		claims: "3.1.1/MQTT-4.7.1-1 3.1.1/MQTT-4.8.0-1 5.0/MQTT-4.7.0-1",
		spoil:  func(p *packet) { p.setWill("hpmq-conformance/#", "never") },
		may:    []mqtt.ReasonCode{mqtt.TopicNameInvalid},
	}, {
		name: "will-topic-plus", text: "with a + in its will topic",
		claims: "3.1.1/MQTT-4.7.1-1 3.1.1/MQTT-4.8.0-1 5.0/MQTT-4.7.0-1",
		spoil:  func(p *packet) { p.setWill("hpmq-conformance/+/x", "never") },
		may:    []mqtt.ReasonCode{mqtt.TopicNameInvalid},
	}, {
		name: "will-topic-empty", text: "with an empty will topic",
		claims: "3.1.1/MQTT-4.7.3-1 5.0/MQTT-4.7.3-1 3.1.1/MQTT-4.8.0-1",
		spoil:  func(p *packet) { p.setWill("", "never") },
		may:    []mqtt.ReasonCode{mqtt.TopicNameInvalid},
	}, {
		name: "user-utf8", text: "with a user name that is not UTF-8",
		claims: "3.1.1/MQTT-3.1.3-11 5.0/MQTT-3.1.3-12 3.1.1/MQTT-1.5.3-1 5.0/MQTT-1.5.4-1",
		spoil: func(p *packet) {
			p.withoutUser()
			p.flags |= flagUsername
			p.username = text("us\xFEer")
		},
		may: []mqtt.ReasonCode{mqtt.BadUserNameOrPassword, mqtt.NotAuthorized},
	}, {
		name: "user-zero", text: "with U+0000 in its user name",
		claims: "3.1.1/MQTT-3.1.3-11 5.0/MQTT-3.1.3-12 3.1.1/MQTT-1.5.3-2 5.0/MQTT-1.5.4-2",
		spoil: func(p *packet) {
			p.withoutUser()
			p.flags |= flagUsername
			p.username = text("us\x00er")
		},
		may: []mqtt.ReasonCode{mqtt.BadUserNameOrPassword, mqtt.NotAuthorized},
	}}
}
