package connect

import (
	"strconv"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// protocolCases are about protocol name and level.
func protocolCases() []suite.Case {
	var cases []suite.Case
	for _, row := range []struct{ label, name, says string }{
		{"in-small-letters", "mqtt", "in small letters"},
		{"too-long", "MQTTX", "with a letter too many"},
		{"too-short", "MQT", "with a letter too few"},
		{"empty", "", "without a letter"},
		{"with-a-zero", "MQTT\x00", "with a zero byte behind it"},
	} {
		cases = append(cases, suite.Case{
			Name:   "connect/protocol-name-" + row.label,
			Claims: "3.1.1/MQTT-3.1.2-1 5.0/MQTT-3.1.2-1", Versions: since311(),
			Text: "A CONNECT with a protocol name " + row.says + " is not let in as MQTT.",
			Run:  func(t *suite.T) { wrongName(t, row.name) },
		})
	}
	for _, level := range []byte{0, 1, 2, 6, 127} {
		cases = append(cases, suite.Case{
			Name:   "connect/protocol-level-" + strconv.Itoa(int(level)),
			Claims: "3.1.1/MQTT-3.1.2-2 5.0/MQTT-3.1.2-2", Versions: since311(),
			Text: "A CONNECT with the unknown protocol level " + strconv.Itoa(int(level)) +
				" is refused with the code for that, if any, and the connection is closed.",
			Run: func(t *suite.T) { wrongLevel(t, level) },
		})
	}
	return append(cases, suite.Case{
		Name:     "connect/protocol-level-5-without-5",
		Claims:   "3.1.1/MQTT-3.1.2-2",
		Versions: []mqtt.Version{mqtt.V311},
		Text: "A server that does not speak 5.0 answers its CONNECT with the return code for an " +
			"unacceptable protocol level.",
		Run: level5,
	})
}

// wrongName judges the answer to a wrong name. A server of 3.1.1 may go by another specification,
// so that anything but success will do; one of 5.0 closes.
func wrongName(t *suite.T, name string) {
	p := good(t)
	p.name = text(name)
	c := t.Dial()
	c.Send(p.bytes())
	frame, open := c.Poll(t.Options().ExpectTimeout)
	if letIn(frame) {
		t.Fatalf("the server let the client in")
	}
	if t.V5() && open {
		c.WantClosed()
	}
}

// wrongLevel judges the answer to a level that nobody has. It may have the form of 3.1.1 or of 5.0:
// no form is right for an unknown version.
func wrongLevel(t *suite.T, level byte) {
	p := good(t)
	p.level = level
	c := t.Dial()
	c.Send(p.bytes())
	frame, open := c.Poll(t.Options().ExpectTimeout)
	switch {
	case frame != nil:
		wantLevelRefused(t, frame)
		c.WantClosed()
	case open:
		t.Fatalf("neither CONNACK nor the end of the connection")
	case !t.V5() && level < byte(mqtt.V31):
		t.Errorf("the connection ended without CONNACK, want one with code 0x01")
	}
}

// wantLevelRefused judges a CONNACK by its bytes.
func wantLevelRefused(t *suite.T, frame []byte) {
	if mqtt.TypeOf(frame) != mqtt.CONNACK || len(frame) < 4 {
		t.Fatalf("want CONNACK, got %s", mqtt.TypeOf(frame))
	}
	flags, code := frame[2], mqtt.ReasonCode(frame[3])
	if flags != 0 {
		t.Errorf("a refusal has the acknowledge flags %#02x, want 0", flags)
	}
	switch {
	case len(frame) == 4 && code == 1:
	case len(frame) > 4 && t.Server().SpeaksV5 && levelReason(code):
	default:
		t.Errorf("CONNACK % x, want return code 0x01, or reason 0x84 in the form of 5.0", frame)
	}
}

// levelReason is true for the reasons of 5.0 that fit an unknown level.
func levelReason(r mqtt.ReasonCode) bool {
	return r == mqtt.UnsupportedProtocolVersion || r == mqtt.UnspecifiedError
}

func level5(t *suite.T) {
	if t.Server().SpeaksV5 {
		t.Skipf("the server speaks 5.0")
	}
	p := good(t)
	p.level, p.props = byte(mqtt.V5), properties()
	c := t.Dial()
	c.Send(p.bytes())
	wantLevelRefused(t, c.Expect(mqtt.CONNACK))
	c.WantClosed()
}
