package connect

import (
	"strings"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// credentialCases are about user names and passwords.
func credentialCases() []suite.Case {
	guarded := []struct {
		name, text string
		spoil      func(*packet)
	}{
		{"wrong-password", "a wrong password", wrongPassword},
		{"no-password", "the user name alone", func(p *packet) {
			p.flags &^= flagPassword
			p.password = nil
		}},
		{"empty-password", "an empty password", func(p *packet) { p.password = text("") }},
		{"unknown-user", "an unknown user", func(p *packet) { p.username = text("hpmq nobody") }},
		{"no-user", "neither user name nor password", (*packet).withoutUser},
	}
	var list []suite.Case
	for _, g := range guarded {
		list = append(list, suite.Case{
			Name: "connect/guarded-" + g.name, Target: suite.Guarded, Versions: all(),
			Claims: "5.0/MQTT-3.1.4-2 5.0/MQTT-3.2.2-7 3.1.1/MQTT-3.2.2-5 5.0/MQTT-3.2.2-8",
			Text: "A listener that asks for a user gets " + g.text + ": it refuses, by a code " +
				"for that if by any, and closes.",
			Run: func(t *suite.T) { guardedRefuses(t, g.spoil) },
		})
	}
	return append(list, suite.Case{
		Name: "connect/guarded-right-password", Target: suite.Guarded, Versions: all(),
		Claims: "3.1.1/MQTT-3.1.4-4 5.0/MQTT-3.1.4-5",
		Text:   "A listener that asks for a user gets the right one: the client is let in.",
		Run:    goodConnect,
	}, suite.Case{
		Name: "connect/password-is-binary", Versions: since311(),
		Claims: "3.1.1/MQTT-3.1.4-4 5.0/MQTT-3.1.4-5",
		Text: "A password is any bytes: where any password will do, so does one that is no " +
			"text.",
		Run: binaryPassword,
	}, suite.Case{
		Name: "connect/user-alone", Versions: all(),
		Claims: "3.1.1/MQTT-3.1.4-4 5.0/MQTT-3.1.4-5",
		Text: "A user name without a password is well formed: where any user will do, so does " +
			"one without.",
		Run: userAlone,
	}, suite.Case{
		Name: "connect/password-alone", Versions: []mqtt.Version{mqtt.V5},
		Claims: "5.0/MQTT-3.1.4-5",
		Text: "A password without a user name is well formed in 5.0: it is let in, or refused " +
			"for what it says, not for its form.",
		Run: passwordAlone,
	})
}

func guardedRefuses(t *suite.T, spoil func(*packet)) {
	if t.Options().Username == "" {
		t.Skipf("there is no user whose password could be wrong")
	}
	p := good(t)
	spoil(p)
	c := t.Dial()
	c.Send(p.bytes())
	c.WantRefused(mqtt.BadUserNameOrPassword, mqtt.NotAuthorized, mqtt.UnspecifiedError,
		mqtt.Banned)
}

// anyUser is true if the server lets a user in that nobody has told it of.
func anyUser(t *suite.T, user, password string, has bool) bool {
	p := good(t)
	p.withoutUser()
	p.flags |= flagUsername
	p.username = text(user)
	if has {
		p.flags |= flagPassword
		p.password = text(password)
	}
	c := t.Dial()
	c.Send(p.bytes())
	frame, _ := c.Poll(t.Options().ExpectTimeout)
	defer c.Close()
	return letIn(frame)
}

func binaryPassword(t *suite.T) {
	if !anyUser(t, "hpmq-nobody", "text", true) {
		t.Skipf("the server does not let everybody in")
	}
	for _, password := range []string{"", "\x00\xFF\xFE\xED\xA0\x80", strings.Repeat("\x01", 300)} {
		if !anyUser(t, "hpmq-nobody", password, true) {
			t.Errorf("a password of the bytes % x is not let in", password[:min(8, len(password))])
		}
	}
}

func userAlone(t *suite.T) {
	if !anyUser(t, "hpmq-nobody", "text", true) {
		t.Skipf("the server does not let everybody in")
	}
	for _, user := range []string{"hpmq-nobody", "ünsichtbar"} {
		if !anyUser(t, user, "", false) {
			t.Errorf("user %q without a password is not let in", user)
		}
	}
}

func passwordAlone(t *suite.T) {
	p := good(t)
	p.withoutUser()
	p.flags |= flagPassword
	p.password = text("secret")
	c := t.Dial()
	c.Send(p.bytes())
	frame, open := c.Poll(t.Options().ExpectTimeout)
	switch {
	case frame == nil && open:
		t.Fatalf("neither CONNACK nor the end of the connection")
	case frame == nil:
		return // a server may keep its reason to itself
	}
	var ack mqtt.Connack
	if err := ack.Decode(t.Version(), frame); err != nil {
		t.Fatalf("the server's answer: %v", err)
	}
	if r := ack.Reason; r == mqtt.MalformedPacket || r == mqtt.ProtocolError {
		t.Errorf("CONNACK says %s, of a well-formed CONNECT", r)
	}
}
