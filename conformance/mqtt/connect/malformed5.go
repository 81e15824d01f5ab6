package connect

import (
	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// malformed5Cases are about the properties of CONNECT and of the will, in 5.0.
func malformed5Cases() []suite.Case {
	rows := append(wrongValues(), twice()...)
	rows = append(rows, foreign()...)
	rows = append(rows, wrongLengths()...)
	rows = append(rows, willTwice()...)
	rows = append(rows, wrongWillValues()...)
	for i := range rows {
		rows[i].versions = []mqtt.Version{mqtt.V5}
	}
	return cases(rows)
}

// having is a CONNECT with these properties.
func having(list ...[]byte) func(*packet) {
	return func(p *packet) { p.props = properties(list...) }
}

// willHaving is a CONNECT with a will with these properties.
func willHaving(list ...[]byte) func(*packet) {
	return func(p *packet) {
		p.setWill("hpmq-conformance/never", "never")
		p.willProps = properties(list...)
	}
}

func wrongValues() []spoiled {
	method := []mqtt.ReasonCode{mqtt.BadAuthenticationMethod, mqtt.NotAuthorized}
	return []spoiled{{
		name: "receive-maximum-0", text: "with Receive Maximum 0",
		spoil: having(property(mqtt.ReceiveMaximum, 0, 0)),
	}, {
		name: "maximum-packet-size-0", text: "with Maximum Packet Size 0",
		spoil: having(property(mqtt.MaximumPacketSize, 0, 0, 0, 0)),
	}, {
		name: "request-response-information-2", text: "with Request Response Information 2",
		spoil: having(property(mqtt.RequestResponseInformation, 2)),
	}, {
		name: "request-problem-information-2", text: "with Request Problem Information 2",
		spoil: having(property(mqtt.RequestProblemInformation, 2)),
	}, {
		name: "authentication-data-alone", text: "with Authentication Data and no method",
		spoil: having(textProperty(mqtt.AuthenticationData, "data")), may: method,
	}, {
		name: "authentication-method-utf8", text: "with an Authentication Method that is no UTF-8",
		claims: "5.0/MQTT-1.5.4-1",
		spoil:  having(textProperty(mqtt.AuthenticationMethod, "\xC0\xAF")), may: method,
	}, {
		name: "user-property-utf8", text: "with a User Property that is no UTF-8",
		claims: "5.0/MQTT-1.5.4-1",
		spoil:  having(userProperty("name", "\xFF")),
	}, {
		name: "user-property-zero", text: "with U+0000 in the name of a User Property",
		claims: "5.0/MQTT-1.5.4-2",
		spoil:  having(userProperty("na\x00me", "value")),
	}}
}

// twice are properties that may stand once and stand twice with the same value.
func twice() []spoiled {
	var rows []spoiled
	for _, p := range []struct {
		name string
		id   mqtt.PropID
		text []byte
		may  []mqtt.ReasonCode
	}{
		{"session-expiry-interval", mqtt.SessionExpiryInterval, []byte{0, 0, 0, 0}, nil},
		{"receive-maximum", mqtt.ReceiveMaximum, []byte{0, 9}, nil},
		{"maximum-packet-size", mqtt.MaximumPacketSize, []byte{0, 1, 0, 0}, nil},
		{"topic-alias-maximum", mqtt.TopicAliasMaximum, []byte{0, 0}, nil},
		{"request-response-information", mqtt.RequestResponseInformation, []byte{0}, nil},
		{"request-problem-information", mqtt.RequestProblemInformation, []byte{1}, nil},
		{"authentication-method", mqtt.AuthenticationMethod, text("HPMQ-NONE"),
			[]mqtt.ReasonCode{mqtt.BadAuthenticationMethod, mqtt.NotAuthorized}},
	} {
		one := property(p.id, p.text...)
		rows = append(rows, spoiled{name: "twice-" + p.name, text: "with two " + p.id.String(),
			spoil: having(one, one), may: p.may})
	}
	return rows
}

// foreign are properties that stand in other packets alone.
func foreign() []spoiled {
	var rows []spoiled
	for _, p := range []struct {
		name string
		prop []byte
	}{
		{"topic-alias", property(mqtt.TopicAlias, 0, 1)},
		{"maximum-qos", property(mqtt.MaximumQoS, 1)},
		{"server-keep-alive", property(mqtt.ServerKeepAlive, 0, 9)},
		{"assigned-client-identifier", textProperty(mqtt.AssignedClientIdentifier, "x")},
		{"reason-string", textProperty(mqtt.ReasonString, "why")},
		{"subscription-identifier", property(mqtt.SubscriptionIdentifier, 1)},
		{"will-delay-interval", property(mqtt.WillDelayInterval, 0, 0, 0, 1)},
		{"payload-format-indicator", property(mqtt.PayloadFormatIndicator, 1)},
	} {
		rows = append(rows, spoiled{name: "foreign-" + p.name, text: "with the property " +
			mqtt.PropID(p.prop[0]).String() + ", which is not for CONNECT", spoil: having(p.prop)})
	}
	return append(rows, spoiled{name: "unknown-property",
		text: "with a property that the standard does not have", spoil: having([]byte{0x7F, 0})})
}

func wrongLengths() []spoiled {
	return []spoiled{{
		name: "property-length-too-long", text: "whose Property Length goes beyond its end",
		spoil: func(p *packet) { p.props = []byte{0x7F} },
	}, {
		name: "property-length-five-bytes", text: "with a Property Length of five bytes",
		spoil: func(p *packet) { p.props = []byte{0x80, 0x80, 0x80, 0x80, 0x00} },
	}, {
		name: "property-cut-off", text: "whose Property Length ends within a property",
		spoil: func(p *packet) {
			p.props = []byte{3, byte(mqtt.SessionExpiryInterval), 0, 0, 0, 0}
		},
	}, {
		name:  "property-text-too-long",
		text:  "with a property text beyond the end of the properties",
		spoil: having([]byte{byte(mqtt.UserProperty), 0, 1, 'a', 0, 9, 'b'}),
	}}
}

func willTwice() []spoiled {
	var rows []spoiled
	for _, p := range []struct {
		name string
		id   mqtt.PropID
		text []byte
	}{
		{"delay-interval", mqtt.WillDelayInterval, []byte{0, 0, 0, 0}},
		{"payload-format-indicator", mqtt.PayloadFormatIndicator, []byte{0}},
		{"message-expiry-interval", mqtt.MessageExpiryInterval, []byte{0, 0, 0, 9}},
		{"content-type", mqtt.ContentType, text("text/plain")},
		{"response-topic", mqtt.ResponseTopic, text("hpmq-conformance/answer")},
		{"correlation-data", mqtt.CorrelationData, text("data")},
	} {
		one := property(p.id, p.text...)
		rows = append(rows, spoiled{name: "will-twice-" + p.name,
			text: "whose will has two " + p.id.String(), spoil: willHaving(one, one)})
	}
	return rows
}

func wrongWillValues() []spoiled {
	return []spoiled{{
		name: "will-payload-format-2", text: "whose will has Payload Format Indicator 2",
		spoil: willHaving(property(mqtt.PayloadFormatIndicator, 2)),
	}, {
		name: "will-content-type-utf8", text: "whose will has a Content Type that is no UTF-8",
		claims: "5.0/MQTT-1.5.4-1",
		spoil:  willHaving(textProperty(mqtt.ContentType, "\xFF\xFE")),
	}, {
		name: "will-response-topic-zero", text: "whose will has U+0000 in its Response Topic",
		claims: "5.0/MQTT-1.5.4-2",
		spoil:  willHaving(textProperty(mqtt.ResponseTopic, "a\x00b")),
		may:    []mqtt.ReasonCode{mqtt.TopicNameInvalid},
	}, {
		name: "will-foreign-topic-alias", text: "whose will has a Topic Alias",
		spoil: willHaving(property(mqtt.TopicAlias, 0, 1)),
	}, {
		name:  "will-foreign-subscription-identifier",
		text:  "whose will has a Subscription Identifier",
		spoil: willHaving(property(mqtt.SubscriptionIdentifier, 1)),
	}, {
		name: "will-foreign-session-expiry", text: "whose will has a Session Expiry Interval",
		spoil: willHaving(property(mqtt.SessionExpiryInterval, 0, 0, 0, 1)),
	}, {
		name: "will-properties-missing", text: "with a will that lacks its properties",
		claims: "5.0/MQTT-3.1.2-9",
		spoil: func(p *packet) {
			p.setWill("hpmq-conformance/never", "never")
			p.willProps = nil
		},
	}, {
		name: "will-property-length-too-long",
		text: "whose will has a Property Length beyond the end of the packet",
		spoil: func(p *packet) {
			p.setWill("hpmq-conformance/never", "never")
			p.willProps = []byte{0xFF, 0x7F}
		},
	}}
}
