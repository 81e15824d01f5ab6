package wire

import (
	"fmt"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// propCases are about the property block of 5.0, a case for each packet and kind of error.
func propCases() []suite.Case {
	var cases []suite.Case
	for _, s := range propertied() {
		cases = append(cases, allowedCase(s), foreignCase(s), unknownCase(s), cutCase(s),
			textCase(s))
		if s.name != "unsubscribe" { // it has user properties only
			cases = append(cases, twiceCase(s))
		}
		cases = append(cases, blockCases(s)...)
	}
	return append(cases, rangeCases()...)
}

// propCase is errorCase for 5.0.
func propCase(s specimen, a about, run func(b *bench, s *specimen)) suite.Case {
	c := errorCase(s, a, run)
	c.Versions = only5()
	return c
}

func allowedCase(s specimen) suite.Case {
	return propCase(s, about{"all-properties-of-" + s.name, "",
		"The " + s.name + " packet is taken with every property that it may have, and user " +
			"properties twice."}, func(b *bench, s *specimen) {
		c, p := s.prepare(b)
		for _, prop := range properties() {
			if prop.allowed(s.name) && !prop.unclear(s.name) && !b.lacks(prop.id, s) {
				p = p.with(prop.bytes())
			}
		}
		c.Send(p.with(user("name", "value")).frame())
		b.accepted(s, c)
	})
}

// lacks is true for a property that the server does not offer, or that the specimen has.
func (b *bench) lacks(id mqtt.PropID, s *specimen) bool {
	switch id {
	case mqtt.TopicAlias:
		return b.t.Server().TopicAliasMax == 0
	case mqtt.SubscriptionIdentifier:
		return !b.t.Server().Identifiers
	case mqtt.AuthenticationMethod, mqtt.AuthenticationData:
		return s.typ == mqtt.AUTH
	}
	return false
}

// each runs row for the rows of a table, each on a connection of its own.
func each(b *bench, s *specimen, n int, row func(i int, p parts) (parts, []mqtt.ReasonCode)) {
	for i := range n {
		c, p := s.prepare(b)
		changed, reasons := row(i, p)
		c.Send(changed.frame())
		if !b.rejected(s, c, reasons...) {
			return
		}
	}
}

func foreignCase(s specimen) suite.Case {
	return propCase(s, about{"foreign-properties-in-" + s.name, closes,
		"Every property that is none of the " + s.name + " packet makes it malformed."},
		func(b *bench, s *specimen) {
			var foreign []property
			for _, p := range properties() {
				if !p.allowed(s.name) && !p.unclear(s.name) {
					foreign = append(foreign, p)
				}
			}
			each(b, s, len(foreign), func(i int, p parts) (parts, []mqtt.ReasonCode) {
				b.t.Note("property %d, %s", foreign[i].id, foreign[i].id)
				return p.with(foreign[i].bytes()), errorCodes()
			})
		})
}

func unknownCase(s specimen) suite.Case {
	return propCase(s, about{"unknown-properties-in-" + s.name, closes,
		"A property identifier that the standard does not have makes the " + s.name +
			" packet malformed."}, func(b *bench, s *specimen) {
		unknown := []string{"0001", "0400", "0a00", "2b01", "7f0000", "800101", "ffffff7f01"}
		each(b, s, len(unknown), func(i int, p parts) (parts, []mqtt.ReasonCode) {
			b.t.Note("property %s", unknown[i])
			return p.with(unhex(unknown[i])), errorCodes()
		})
	})
}

func twiceCase(s specimen) suite.Case {
	return propCase(s, about{"properties-twice-in-" + s.name, closes,
		"Every property of the " + s.name + " packet that may stand once is an error when it " +
			"stands twice."}, func(b *bench, s *specimen) {
		var once []property
		for _, p := range properties() {
			if p.once(s.name) {
				once = append(once, p)
			}
		}
		if len(once) == 0 {
			b.t.Skipf("this packet has user properties only, which may stand twice")
		}
		each(b, s, len(once), func(i int, p parts) (parts, []mqtt.ReasonCode) {
			b.t.Note("property %d, %s, twice", once[i].id, once[i].id)
			return p.with(once[i].bytes(), once[i].bytes()),
				errorCodes(mqtt.TopicAliasInvalid)
		})
	})
}

// cutCase ends the block inside each property: the length of the block and that of the packet fit.
func cutCase(s specimen) suite.Case {
	return propCase(s, about{"cut-properties-in-" + s.name, closes,
		"A property that is not whole when the property block of the " + s.name +
			" packet ends makes it malformed."}, func(b *bench, s *specimen) {
		var whole [][]byte
		for _, p := range properties() {
			if p.allowed(s.name) && !p.unclear(s.name) {
				whole = append(whole, p.bytes())
			}
		}
		each(b, s, len(whole), func(i int, p parts) (parts, []mqtt.ReasonCode) {
			b.t.Note("property %d without its last byte", whole[i][0])
			return p.with(whole[i][:len(whole[i])-1]), errorCodes()
		})
	})
}

// blockCases are about the length of the block.
func blockCases(s specimen) []suite.Case {
	long := join(prop(mqtt.UserProperty, text("name")), number(0xFFFF), []byte("value"))
	rows := []struct {
		name, claims, text string
		raw                func(p parts) []byte
	}{
		{"property-length-beyond-the-packet", "", "is longer than what is left",
			func(parts) []byte { return []byte{0x7F} }},
		{"property-length-inside-a-property", "", "ends inside a property",
			func(p parts) []byte {
				all := join(p.props, user("name", "value"))
				return join(varint(len(all)-1), all)
			}},
		{"property-length-of-five-bytes", "", "has a fifth byte",
			func(p parts) []byte { return join(unhex("8080808000"), p.props) }},
		{"property-length-that-never-ends", "", "has no end",
			func(p parts) []byte { return join(unhex("ffffffffffff"), p.props) }},
		{"string-beyond-the-properties", "", "ends before the string of its last property does",
			func(p parts) []byte {
				return join(varint(len(p.props)+len(long)), p.props, long)
			}},
	}
	if len(s.name) > 0 && s.typ != mqtt.DISCONNECT && s.typ != mqtt.AUTH && !acknowledges(s.typ) {
		rows = append(rows, struct {
			name, claims, text string
			raw                func(p parts) []byte
		}{"no-property-length", " 5.0/MQTT-2.2.2-1", "is not there",
			func(parts) []byte { return []byte{} }})
	}
	var cases []suite.Case
	for _, row := range rows {
		cases = append(cases, propCase(s, about{row.name + "-in-" + s.name, closes + row.claims,
			fmt.Sprintf("A property length of the %s packet that %s makes it malformed.", s.name,
				row.text)}, func(b *bench, s *specimen) {
			c, p := s.prepare(b)
			c.Send(p.around(row.raw(p)).frame())
			b.rejected(s, c, errorCodes()...)
		}))
	}
	return cases
}

// acknowledges is true for the packets that may end before their properties.
func acknowledges(t mqtt.Type) bool { return t >= mqtt.PUBACK && t <= mqtt.PUBCOMP }

// rangeCases are values that a property must not have.
func rangeCases() []suite.Case {
	var cases []suite.Case
	for _, row := range []struct {
		name, in string
		id       mqtt.PropID
		value    string
		more     mqtt.ReasonCode
	}{
		{"receive-maximum-of-0", "connect", mqtt.ReceiveMaximum, "0000", 0},
		{"maximum-packet-size-of-0", "connect", mqtt.MaximumPacketSize, "00000000", 0},
		{"request-problem-information-of-2", "connect", mqtt.RequestProblemInformation, "02", 0},
		{"request-response-information-of-2", "connect", mqtt.RequestResponseInformation, "ff", 0},
		{"topic-alias-of-0", "publish", mqtt.TopicAlias, "0000", mqtt.TopicAliasInvalid},
		{"subscription-identifier-of-0", "subscribe", mqtt.SubscriptionIdentifier, "00", 0},
		{"subscription-identifier-from-a-client", "publish", mqtt.SubscriptionIdentifier, "07", 0},
		{"subscription-identifier-of-five-bytes", "subscribe", mqtt.SubscriptionIdentifier,
			"8080808001", 0},
		{"authentication-data-without-method", "connect", mqtt.AuthenticationData, "000161", 0},
	} {
		for _, s := range propertied() {
			if s.name != row.in {
				continue
			}
			cases = append(cases, propCase(s, about{row.name, closes,
				fmt.Sprintf("%s %s in the %s packet is an error.", row.id, row.value, row.in)},
				func(b *bench, s *specimen) {
					c, p := s.prepare(b)
					c.Send(p.with(prop(row.id, unhex(row.value))).frame())
					b.rejected(s, c, append(errorCodes(), max(row.more, mqtt.MalformedPacket))...)
				}))
		}
	}
	return cases
}
