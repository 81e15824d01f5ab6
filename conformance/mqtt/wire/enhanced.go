package wire

import (
	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// enhancedCases are about a server that knows suite.EnhancedMethod.
func enhancedCases() []suite.Case {
	cases := []suite.Case{
		{Name: "wire/enhanced-authentication",
			Claims: "5.0/MQTT-4.12.0-2 5.0/MQTT-4.12.0-5 5.0/MQTT-3.15.2-1",
			Text: "The exchange goes on by AUTH 0x18 and ends by CONNACK; each has the method " +
				"of CONNECT.", Run: func(t *suite.T) { exchanged(t).Ping() }},
		{Name: "wire/re-authentication",
			Claims: "5.0/MQTT-4.12.0-2 5.0/MQTT-4.12.0-5 5.0/MQTT-3.15.2-1",
			Text: "A client may authenticate again and again; each exchange ends by AUTH 0x00 " +
				"with the method.", Run: again},
		{Name: "wire/re-authentication-among-packets", Claims: "5.0/MQTT-3.12.4-1",
			Text: "While a client authenticates again its other packets are served.",
			Run:  among},
		{Name: "wire/re-authentication-fails", Claims: "5.0/MQTT-4.12.1-2 5.0/MQTT-4.13.2-1",
			Text: "A wrong answer to the challenge of a re-authentication ends the connection.",
			Run:  againWrong},
		{Name: "wire/enhanced-authentication-fails",
			Claims: "5.0/MQTT-4.12.0-4 5.0/MQTT-4.13.2-1 5.0/MQTT-3.14.0-1",
			Text: "A wrong answer to the challenge is refused by CONNACK or the end of the " +
				"connection.", Run: wrongAnswer},
		{Name: "wire/only-one-method-is-known", Claims: "5.0/MQTT-4.12.0-1",
			Text: "A server with one method refuses others, with data that would do for its own.",
			Run:  otherMethod},
		{Name: "wire/auth-keeps-to-the-packet-size", Claims: "5.0/MQTT-3.15.2-2 5.0/MQTT-3.15.2-3",
			Text: "AUTH of the server has no texts that make it larger than the client's " +
				"Maximum Packet Size.", Run: smallAuth},
	}
	for i := range cases {
		cases[i].Target = suite.Enhanced
	}
	return append(append(cases, brokenExchanges()...), brokenRepeats()...)
}

// challenged is a connection that got the challenge to its CONNECT.
func challenged(t *suite.T) *suite.Client {
	c := t.Dial()
	c.Send(t.Connecting(asking(suite.EnhancedMethod, "hello")).Append(nil))
	wantAuth(t, c, mqtt.ContinueAuthentication, "challenge")
	return c
}

// wantAuth wants an AUTH with the method and these.
func wantAuth(t *suite.T, c *suite.Client, r mqtt.ReasonCode, data string) {
	var p mqtt.Auth
	if err := p.Decode(mqtt.V5, c.Expect(mqtt.AUTH)); err != nil {
		t.Fatalf("the server's AUTH: %v", err)
	}
	if p.Reason != r {
		t.Errorf("AUTH says %s, want %s", p.Reason, r)
	}
	checkExchange(t, p.Props, data)
}

func checkExchange(t *suite.T, p mqtt.Props, data string) {
	method, _ := p.Bytes(mqtt.AuthenticationMethod)
	t.Same("Authentication Method", method, []byte(suite.EnhancedMethod))
	got, _ := p.Bytes(mqtt.AuthenticationData)
	t.Same("Authentication Data", got, []byte(data))
}

// respond sends the right answer to the challenge.
func respond(c *suite.Client) {
	c.Send(authPacket(mqtt.ContinueAuthentication, suite.EnhancedMethod, "response"))
}

// exchanged is a connection that was let in.
func exchanged(t *suite.T) *suite.Client {
	c := challenged(t)
	respond(c)
	p := c.ReadConnack()
	if p.Reason != mqtt.Success {
		t.Fatalf("CONNACK says %s", p.Reason)
	}
	checkExchange(t, p.Props, "welcome")
	return c
}

// authParts are those of the answer to the challenge of a re-authentication.
func authParts(b *bench) (*suite.Client, parts) {
	c := exchanged(b.t)
	repeat(b.t, c)
	return c, parts{first: 0xF0, head: []byte{byte(mqtt.ContinueAuthentication)}, blocked: true,
		props: authProps(nil, suite.EnhancedMethod, "response")}
}

// repeat begins a re-authentication and gets its challenge.
func repeat(t *suite.T, c *suite.Client) {
	c.Send(authPacket(mqtt.ReAuthenticate, suite.EnhancedMethod, "hello"))
	wantAuth(t, c, mqtt.ContinueAuthentication, "challenge")
}

func again(t *suite.T) {
	c := exchanged(t)
	for range 3 {
		repeat(t, c)
		respond(c)
		wantAuth(t, c, mqtt.Success, "welcome")
		c.Ping()
	}
}

func among(t *suite.T) {
	c := exchanged(t)
	repeat(t, c)
	c.Ping()
	c.Subscribe(t.Topic("t"), mqtt.AtMostOnce)
	c.PublishText(t.Topic("t"), "between", mqtt.AtMostOnce)
	c.WantMessage(t.Topic("t"), "between")
	respond(c)
	wantAuth(t, c, mqtt.Success, "welcome")
}

func againWrong(t *suite.T) {
	c := exchanged(t)
	repeat(t, c)
	c.Send(authPacket(mqtt.ContinueAuthentication, suite.EnhancedMethod, "wrong"))
	p, said := farewell(t, c)
	if said && !p.Reason.Failed() {
		t.Errorf("DISCONNECT says %s", p.Reason)
	}
}

func wrongAnswer(t *suite.T) {
	c := challenged(t)
	c.Send(authPacket(mqtt.ContinueAuthentication, suite.EnhancedMethod, "wrong"))
	c.WantRefused()
	c = t.Dial()
	c.Send(t.Connecting(asking(suite.EnhancedMethod, "wrong")).Append(nil))
	c.WantRefused()
}

func otherMethod(t *suite.T) {
	for _, method := range []string{"OTHER", suite.EnhancedMethod + "2", "HPMQ"} {
		c := t.Dial()
		c.Send(t.Connecting(asking(method, "hello")).Append(nil))
		c.WantRefused(mqtt.BadAuthenticationMethod, mqtt.NotAuthorized)
	}
}

// smallAuth takes the size of the packets seen without a limit, less one, for the largest of AUTH:
// the server must leave out texts, or have none to leave out.
func smallAuth(t *suite.T) {
	c := t.Dial()
	c.Send(t.Connecting(asking(suite.EnhancedMethod, "hello")).Append(nil))
	least := len(authPacket(mqtt.ContinueAuthentication, suite.EnhancedMethod, "challenge"))
	full := len(c.Expect(mqtt.AUTH))
	t.Note("AUTH has %d bytes, %d without texts", full, least)
	c = t.Dial()
	c.Send(t.Connecting(asking(suite.EnhancedMethod, "hello"),
		suite.WithProps(func(p mqtt.Props) mqtt.Props {
			return p.AppendUint32(mqtt.MaximumPacketSize, uint32(least))
		})).Append(nil))
	if frame, _ := c.Look(graceOfDisconnect); len(frame) > least {
		t.Errorf("%s of %d bytes, the client takes %d", mqtt.TypeOf(frame), len(frame), least)
	}
}

// brokenExchanges are packets that must not come in the place of the answer to a challenge.
func brokenExchanges() []suite.Case {
	good := suite.EnhancedMethod
	var cases []suite.Case
	for _, row := range []struct {
		name, claims, text string
		bytes              []byte
	}{
		{"another-method", "5.0/MQTT-4.12.0-5", "An AUTH with another method",
			authPacket(mqtt.ContinueAuthentication, "OTHER", "response")},
		{"no-method", "5.0/MQTT-4.12.0-5", "An AUTH without method",
			packet(0xF0, join([]byte{0x18, 11}, prop(mqtt.AuthenticationData, text("response"))))},
		{"nothing", "5.0/MQTT-4.12.0-5", "An AUTH without anything", unhex("f000")},
		{"reason-success", "5.0/MQTT-4.12.0-3", "An AUTH 0x00, which a client does not send,",
			authPacket(mqtt.Success, good, "response")},
		{"reason-re-authenticate", "5.0/MQTT-4.12.0-3", "An AUTH 0x19 before CONNACK",
			authPacket(mqtt.ReAuthenticate, good, "hello")},
		{"unknown-reason", "5.0/MQTT-3.15.2-1", "An AUTH with a reason code of no table",
			authPacket(0x1A, good, "response")},
		{"flags", "5.0/MQTT-3.15.1-1", "An AUTH with a reserved flag", append([]byte{0xF1},
			authPacket(mqtt.ContinueAuthentication, good, "response")[1:]...)},
		{"publish", "5.0/MQTT-3.1.2-30", "A PUBLISH", unhex("30050001740061")},
		{"subscribe", "5.0/MQTT-3.1.2-30", "A SUBSCRIBE", unhex("820700010000017400")},
		{"pingreq", "5.0/MQTT-3.1.2-30", "A PINGREQ", unhex("c000")},
	} {
		cases = append(cases, suite.Case{
			Name: "wire/exchange-broken-by-" + row.name, Claims: row.claims + " " + closes,
			Versions: only5(), Target: suite.Enhanced,
			Text: row.text + " in the place of the answer to the challenge is an error.",
			Run: func(t *suite.T) {
				c := challenged(t)
				c.Send(row.bytes)
				c.WantRefused()
			},
		})
	}
	return cases
}

// brokenRepeats are AUTH packets that must not come from a client that was let in.
func brokenRepeats() []suite.Case {
	good := suite.EnhancedMethod
	var cases []suite.Case
	for _, row := range []struct {
		name, claims, text string
		bytes              []byte
	}{
		{"with-another-method", "5.0/MQTT-4.12.1-1", "with another method",
			authPacket(mqtt.ReAuthenticate, "OTHER", "hello")},
		{"without-method", "5.0/MQTT-4.12.1-1", "without a method", unhex("f0021900")},
		{"that-goes-on-with-nothing", "5.0/MQTT-4.12.1-1", "that goes on with none",
			authPacket(mqtt.ContinueAuthentication, good, "response")},
		{"with-reason-0", "5.0/MQTT-3.15.2-1", "with reason 0x00",
			authPacket(mqtt.Success, good, "hello")},
		{"with-unknown-reason", "5.0/MQTT-3.15.2-1", "with a reason code of no table",
			authPacket(0x81, good, "hello")},
	} {
		cases = append(cases, suite.Case{
			Name: "wire/re-authentication-" + row.name, Claims: row.claims + " " + closes,
			Versions: only5(), Target: suite.Enhanced,
			Text: "A re-authentication " + row.text + " ends the connection.",
			Run: func(t *suite.T) {
				c := exchanged(t)
				c.Send(row.bytes)
				c.WantRejected(append(errorCodes(), mqtt.BadAuthenticationMethod,
					mqtt.NotAuthorized)...)
			},
		})
	}
	return cases
}
