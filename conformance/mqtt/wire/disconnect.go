package wire

import (
	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// disconnectCases are about DISCONNECT in both directions.
func disconnectCases() []suite.Case {
	cases := []suite.Case{
		{Name: "wire/disconnect-drops-the-will",
			Claims: "3.1.1/MQTT-3.14.4-3 5.0/MQTT-3.14.4-3",
			Text: "After DISCONNECT, in 5.0 with reason 0 in each of its lengths, the will is " +
				"not published.", Run: dropsTheWill},
		{Name: "wire/disconnect-with-will", Claims: "5.0/MQTT-3.1.2-8",
			Text: "After DISCONNECT with reason 0x04 the will is published.", Run: withWill},
		{Name: "wire/disconnect-with-another-reason", Claims: "5.0/MQTT-3.1.2-8",
			Text: "After DISCONNECT with a reason above 0x80 the will is published.",
			Run:  failedWithWill},
		{Name: "wire/disconnect-with-unknown-reason", Claims: "5.0/MQTT-3.14.2-1 " + closes,
			Versions: only5(),
			Text:     "A DISCONNECT whose reason code is none of the table ends the connection.",
			Run:      func(t *suite.T) { unknownReason(t, false) }},
		{Name: "wire/disconnect-with-unknown-reason-keeps-the-will",
			Claims: "5.0/MQTT-3.1.2-8 5.0/MQTT-3.1.2-10",
			Text: "After a DISCONNECT whose reason code is none of the table the will is " +
				"published: only 0x00 removes it.",
			Run: func(t *suite.T) { unknownReason(t, true) }},
		{Name: "wire/disconnect-prolongs-a-session-of-none", Claims: closes, Versions: only5(),
			Text: "A Session Expiry Interval in DISCONNECT where CONNECT had none is a protocol " +
				"error: the server closes, and no session is prolonged.", Run: prolongs},
		{Name: "wire/no-disconnect-before-connack", Claims: "5.0/MQTT-3.14.0-1",
			Text: "Whatever comes before a successful CONNACK, the server does not answer it by " +
				"DISCONNECT.", Run: noneBeforeConnack},
		{Name: "wire/nothing-before-connack", Claims: "3.1.1/MQTT-4.8.0-1",
			Versions: []mqtt.Version{mqtt.V311},
			Text:     "Before 5.0 a server has no DISCONNECT at all.", Run: noneBeforeConnack},
	}
	for _, row := range offences() {
		cases = append(cases, farewellCases(row)...)
	}
	return append(cases, suite.Case{Name: "wire/disconnect-keeps-to-the-packet-size",
		Claims: "5.0/MQTT-3.14.2-3 5.0/MQTT-3.14.2-4",
		Text: "A DISCONNECT of the server is not larger than the client's Maximum Packet Size, " +
			"and if it would be without its texts, there is none.", Run: smallFarewell})
}

func dropsTheWill(t *suite.T) {
	b := &bench{t: t}
	forms := []string{"e000"}
	if t.V5() {
		forms = append(forms, "e00100", "e0020000")
	}
	for _, form := range forms {
		c := b.willing()
		c.Send(unhex(form))
		b.wantNoWill(c)
	}
	// With all properties that a good one may have.
	if t.V5() {
		for _, s := range specimens() {
			if s.name == "disconnect" {
				c, p := s.prepare(b)
				c.Send(p.with(prop(mqtt.ReasonString, text("bye")), user("a", "b")).frame())
				b.wantNoWill(c)
			}
		}
	}
}

func withWill(t *suite.T) {
	b := &bench{t: t}
	for _, form := range []string{"e00104", "e0020400"} {
		leave(b, unhex(form))
	}
}

func failedWithWill(t *suite.T) {
	b := &bench{t: t}
	for _, r := range []mqtt.ReasonCode{mqtt.UnspecifiedError, mqtt.MalformedPacket,
		mqtt.ProtocolError, mqtt.ImplementationSpecificError, mqtt.ReceiveMaximumExceeded,
		mqtt.PacketTooLarge, mqtt.QuotaExceeded, mqtt.AdministrativeAction} {
		leave(b, []byte{0xE0, 1, byte(r)})
	}
}

// leave sends that DISCONNECT and closes, as a client must, and wants the will.
func leave(b *bench, disconnect []byte) {
	c := b.willing()
	c.Send(disconnect)
	c.Close()
	b.wantWill()
}

// unknownReason judges the end of the connection, or the will.
func unknownReason(t *suite.T, will bool) {
	b := &bench{t: t}
	for _, r := range []byte{0x01, 0x03, 0x05, 0x7F, 0xA3, 0xFF} {
		c := b.willing()
		c.Send([]byte{0xE0, 1, r})
		if !will {
			c.WantRejected(errorCodes()...)
			continue
		}
		c.Look(graceOfDisconnect)
		c.Close()
		b.wantWill()
	}
}

// prolongs wants the session to be gone with its connection: the DISCONNECT that would prolong it
// counts for nothing.
func prolongs(t *suite.T) {
	id := t.ClientID("s")
	c := t.Connect(suite.Named(id))
	props := prop(mqtt.SessionExpiryInterval, []byte{0, 0, 0, 60})
	c.Send(packet(0xE0, join([]byte{0}, varint(len(props)), props)))
	c.WantRejected(mqtt.ProtocolError, mqtt.UnspecifiedError)
	c = t.Connect(suite.Named(id), func(p *mqtt.Connect) { p.CleanStart = false })
	if c.Connack.SessionPresent {
		t.Errorf("the session was prolonged")
	}
}

// noneBeforeConnack sends what a server closes on.
func noneBeforeConnack(t *suite.T) {
	for _, first := range []string{"c000", "e000", "30050001747879", "0000", "f000", "d000",
		"8206000100017400", "2003000000"} {
		c := t.Dial()
		c.Send(unhex(first))
		wantNoDisconnect(t, c)
	}
	_, good := connectParts(&bench{t: t})
	body := good.body()
	for _, damaged := range [][]byte{
		packet(0x11, body),
		packet(0x10, body[:8]),
		packet(0x10, nil),
	} {
		c := t.Dial()
		c.Send(damaged)
		wantNoDisconnect(t, c)
	}
}

// wantNoDisconnect reads to the end. A server that lets the client in, or does not close, is judged
// by other cases.
func wantNoDisconnect(t *suite.T, c *suite.Client) {
	for {
		frame, ended := c.Look(graceOfDisconnect)
		switch {
		case ended:
			return
		case frame == nil || len(frame) > 3 && mqtt.TypeOf(frame) == mqtt.CONNACK && frame[3] == 0:
			t.Note("it is not seen as an error, which other cases judge")
			return
		case mqtt.TypeOf(frame) == mqtt.DISCONNECT:
			t.Fatalf("DISCONNECT before a successful CONNACK")
		}
	}
}

// offence is something on which a 5.0 server closes.
type offence struct {
	name, text string
	bytes      func(t *suite.T) []byte
	reasons    []mqtt.ReasonCode
}

func offences() []offence {
	always := func(s string) func(*suite.T) []byte {
		return func(*suite.T) []byte { return unhex(s) }
	}
	return []offence{
		{"a-malformed-packet", "A SUBSCRIBE with wrong flags", always("800700010000017400"),
			errorCodes()},
		{"a-protocol-error", "An AUTH that nobody asked for", always("f000"), errorCodes()},
		{"a-second-connect", "A second CONNECT",
			func(t *suite.T) []byte { return t.Connecting().Append(nil) }, errorCodes()},
		{"an-unknown-type", "Packet type 0", always("0000"), errorCodes()},
		{"a-topic-with-wildcards", "A PUBLISH to a wildcard",
			func(t *suite.T) []byte {
				return (&mqtt.Publish{Topic: []byte(t.Topic("#"))}).Append(nil, mqtt.V5)
			}, errorCodes(mqtt.TopicNameInvalid)},
		{"a-topic-alias-of-0", "A topic alias of 0", always("30080001740323000061"),
			errorCodes(mqtt.TopicAliasInvalid)},
	}
}

// farewellCases look at the end of a connection, and at the DISCONNECT before it if there is one.
func farewellCases(row offence) []suite.Case {
	return []suite.Case{{
		Name:   "wire/farewell-after-" + row.name,
		Claims: "5.0/MQTT-4.13.1-1",
		Text: row.text + " ends the connection. If the server says DISCONNECT it has a reason " +
			"code that fits.",
		Run: func(t *suite.T) {
			c := t.Connect()
			c.Send(row.bytes(t))
			c.WantRejected(row.reasons...)
		},
	}, {
		Name: "wire/disconnect-after-" + row.name,
		Claims: "5.0/MQTT-3.14.2-1 5.0/MQTT-3.14.2-2 5.0/MQTT-3.14.4-1 5.0/MQTT-3.14.4-2 " +
			"5.0/MQTT-4.13.2-1",
		Text: row.text + ": if the server says DISCONNECT, that has a reason code of the table " +
			"and no Session Expiry Interval, nothing comes behind it, and the server closes.",
		Run: func(t *suite.T) {
			c := t.Connect()
			c.Send(row.bytes(t))
			if _, said := farewell(t, c); !said {
				t.Skipf("the server says no DISCONNECT")
			}
		},
	}}
}

// farewell reads up to the end of the connection, and checks the DISCONNECT if there is one.
func farewell(t *suite.T, c *suite.Client) (p mqtt.Disconnect, said bool) {
	for {
		frame, ended := c.Look(graceOfDisconnect)
		switch {
		case ended:
			return p, said
		case frame == nil && !said:
			t.Skipf("the server says no DISCONNECT")
		case frame == nil:
			t.Fatalf("the server did not close the connection")
		case said:
			t.Fatalf("%s behind DISCONNECT", mqtt.TypeOf(frame))
		case mqtt.TypeOf(frame) != mqtt.DISCONNECT:
			continue
		}
		said = true
		if err := p.Decode(mqtt.V5, frame); err != nil {
			t.Fatalf("the server's DISCONNECT: %v", err)
		}
		if _, has := p.Props.Uint32(mqtt.SessionExpiryInterval); has {
			t.Errorf("the server's DISCONNECT has a Session Expiry Interval")
		}
		if serverMayNotSay(p.Reason) {
			t.Errorf("a server does not say %s", p.Reason)
		}
	}
}

// serverMayNotSay is true for reason codes of DISCONNECT that only a client sends, and for those
// that say nothing went wrong.
func serverMayNotSay(r mqtt.ReasonCode) bool {
	return r == mqtt.NormalDisconnection || r == mqtt.DisconnectWithWillMessage
}

// smallFarewell takes the size of CONNACK for the largest packet: nothing shorter lets a client in.
func smallFarewell(t *suite.T) {
	c := t.Dial()
	c.Send(t.Connecting().Append(nil))
	size := uint32(len(c.Expect(mqtt.CONNACK)))
	c.Disconnect()
	for _, row := range offences() {
		c := t.Connect(suite.WithProps(func(p mqtt.Props) mqtt.Props {
			return p.AppendUint32(mqtt.MaximumPacketSize, size)
		}))
		c.Send(row.bytes(t))
		for {
			frame, ended := c.Look(graceOfDisconnect)
			if ended {
				break
			}
			if frame == nil {
				t.Fatalf("the server did not close the connection")
			}
			if len(frame) > int(size) {
				t.Errorf("%s of %d bytes, the client takes %d", mqtt.TypeOf(frame), len(frame),
					size)
			}
		}
	}
}
