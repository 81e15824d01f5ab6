package wire

import (
	"fmt"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// closes are the statements by which an error ends the connection.
const closes = "3.1.1/MQTT-4.8.0-1 5.0/MQTT-4.13.1-1"

// shapeCases change the shape of each packet: its flags, its length.
func shapeCases() []suite.Case {
	var cases []suite.Case
	for _, s := range specimens() {
		cases = append(cases, goodCase(s))
		if s.typ != mqtt.PUBLISH {
			cases = append(cases, flagsCase(s), trailingCase(s))
		}
		if s.blocked() {
			cases = append(cases, truncatedCase(s))
		}
	}
	return cases
}

// goodCase shows that it is not the packet itself that a server closes on in the other cases.
func goodCase(s specimen) suite.Case {
	c := errorCase(s, about{"good-" + s.name, "", "A good " + s.typ.String() + " is taken."},
		func(b *bench, s *specimen) {
			c, p := s.prepare(b)
			c.Send(p.frame())
			b.accepted(s, c)
		})
	if s.typ != mqtt.AUTH {
		c.Versions = []mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5}
	}
	return c
}

// flagsClaims are the statements about the reserved flags of a packet type.
func flagsClaims(t mqtt.Type) string {
	claims := "3.1.1/MQTT-2.2.2-2 5.0/MQTT-2.1.3-1 " + closes
	switch t {
	case mqtt.PUBREL:
		claims += " 3.1.1/MQTT-3.6.1-1 5.0/MQTT-3.6.1-1"
	case mqtt.SUBSCRIBE:
		claims += " 3.1.1/MQTT-3.8.1-1 5.0/MQTT-3.8.1-1"
	case mqtt.UNSUBSCRIBE:
		claims += " 3.1.1/MQTT-3.10.1-1 5.0/MQTT-3.10.1-1"
	case mqtt.DISCONNECT:
		claims += " 3.1.1/MQTT-3.14.1-1 5.0/MQTT-3.14.1-1"
	case mqtt.AUTH:
		claims += " 5.0/MQTT-3.15.1-1"
	}
	return claims
}

func flagsCase(s specimen) suite.Case {
	return errorCase(s, about{"reserved-flags-of-" + s.name, flagsClaims(s.typ),
		s.typ.String() + " with each of the reserved bits of its first byte turned over is an " +
			"error."}, func(b *bench, s *specimen) {
		for bit := range 4 {
			c, p := s.prepare(b)
			p.first ^= 1 << bit
			b.t.Note("first byte %02x", p.first)
			c.Send(p.frame())
			if !b.rejected(s, c, errorCodes()...) {
				return
			}
		}
	})
}

func truncatedCase(s specimen) suite.Case {
	return errorCase(s, about{"truncated-" + s.name, closes,
		s.typ.String() + " whose remaining length ends it before all its fields are there is an " +
			"error, wherever it ends."}, func(b *bench, s *specimen) {
		for n := 0; ; n++ {
			c, p := s.prepare(b)
			p = p.with(user("name", "value"))
			body := p.body()
			if n >= len(body) {
				return
			}
			if p.ends != nil && p.ends(n) {
				c.Close()
				continue
			}
			b.t.Note("%d of %d bytes", n, len(body))
			c.Send(packet(p.first, body[:n]))
			if !b.rejected(s, c, errorCodes()...) {
				return
			}
		}
	})
}

func trailingCase(s specimen) suite.Case {
	return errorCase(s, about{"bytes-behind-" + s.name, closes,
		s.typ.String() + " with bytes behind its last field, which its remaining length counts, " +
			"is an error."}, func(b *bench, s *specimen) {
		for _, more := range []string{"\x00", "\xC0\x00", "a long tail of bytes"} {
			c, p := s.prepare(b)
			b.t.Note("%q behind the last field", more)
			c.Send(packet(p.first, join(p.body(), []byte(more))))
			if !b.rejected(s, c, errorCodes()...) {
				return
			}
		}
	})
}

// forbidden are packets that a server must not get from a client that has connected.
func forbidden() []struct {
	name     string
	hex      string
	versions []mqtt.Version
	text     string
} {
	v311, v5 := []mqtt.Version{mqtt.V311}, only5()
	return []struct {
		name     string
		hex      string
		versions []mqtt.Version
		text     string
	}{
		{"type-0", "0000", strict(), "Packet type 0 is reserved."},
		{"type-0-with-flags", "0f00", strict(), "Packet type 0 is reserved, whatever its flags."},
		{"type-15", "f000", v311, "Packet type 15 is reserved before 5.0."},
		{"type-15-as-auth", "f00a180815000568656c6c6f", v311, "There is no AUTH before 5.0."},
		{"connack", "20020000", v311, "CONNACK goes from the server to the client only."},
		{"connack-5", "2003000000", v5, "CONNACK goes from the server to the client only."},
		{"suback", "9003000100", v311, "SUBACK goes from the server to the client only."},
		{"suback-5", "900400010000", v5, "SUBACK goes from the server to the client only."},
		{"unsuback", "b0020001", v311, "UNSUBACK goes from the server to the client only."},
		{"unsuback-5", "b00400010000", v5, "UNSUBACK goes from the server to the client only."},
		{"pingresp", "d000", strict(), "PINGRESP goes from the server to the client only."},
		{"auth-without-method", "f000", v5,
			"AUTH is a protocol error where CONNECT named no authentication method."},
		{"auth-with-method", "f00a180815000568656c6c6f", v5,
			"AUTH is a protocol error where CONNECT named no authentication method."},
		{"re-authentication-without-method", "f00a190815000568656c6c6f", v5,
			"So is a re-authentication."},
	}
}

// forbiddenCases send packets that are no client's.
func forbiddenCases() []suite.Case {
	var cases []suite.Case
	for _, row := range forbidden() {
		bytes := unhex(row.hex)
		cases = append(cases, suite.Case{
			Name: "wire/not-from-a-client-" + row.name, Claims: closes, Versions: row.versions,
			Text: row.text + " The server closes.",
			Run: func(t *suite.T) {
				c := t.Connect()
				c.Send(bytes)
				c.WantRejected(errorCodes()...)
			},
		})
	}
	return cases
}

// lengthCases are about the variable byte integer behind the first byte.
func lengthCases() []suite.Case {
	var cases []suite.Case
	for _, row := range [][2]string{
		{"connect-five-bytes", "108080808001"},
		{"connect-five-bytes-of-zero", "108080808000"},
		{"publish-five-bytes", "308080808001"},
		{"publish-five-bytes-full", "30ffffffff7f"},
		{"publish-never-ends", "30ffffffffffffff"},
		{"publish-fourth-byte-goes-on", "30ffffffff"},
		{"pingreq-five-bytes-of-zero", "c08080808000"},
		{"pingreq-fourth-byte-goes-on", "c080808080"},
	} {
		cases = append(cases, lengthCase(row[0], unhex(row[1])))
	}
	return cases
}

func lengthCase(name string, bytes []byte) suite.Case {
	return suite.Case{
		Name: "wire/remaining-length-of-" + name, Claims: closes, Versions: strict(),
		Text: fmt.Sprintf("A remaining length that goes on behind its fourth byte (% x) is an "+
			"error.", bytes),
		Run: func(t *suite.T) {
			if bytes[0] == 0x10 {
				c := t.Dial()
				c.Send(bytes)
				wantGone(t, c)
				return
			}
			c := t.Connect()
			c.Send(bytes)
			c.WantRejected(errorCodes()...)
		},
	}
}

// wantGone wants the connection closed by a server that has seen no CONNECT it could read: it does
// not know the version of its client, and anything but DISCONNECT may come before.
func wantGone(t *suite.T, c *suite.Client) {
	for {
		frame, ended := c.Look(graceOfDisconnect)
		switch {
		case ended:
			return
		case frame == nil:
			t.Fatalf("the server did not close the connection")
		case mqtt.TypeOf(frame) == mqtt.DISCONNECT:
			t.Fatalf("DISCONNECT before a successful CONNACK [MQTT-3.14.0-1]")
		}
	}
}
