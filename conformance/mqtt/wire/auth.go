package wire

import (
	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// authCases are about enhanced authentication on a server that may know no method.
func authCases() []suite.Case {
	return []suite.Case{
		{Name: "wire/unknown-authentication-method",
			Claims: "5.0/MQTT-4.12.0-1 5.0/MQTT-4.12.0-4 5.0/MQTT-4.13.2-1",
			Text: "A CONNECT with a method that the server does not know is refused, by CONNACK " +
				"0x8C or 0x87 or without, and the connection closed.", Run: unknownMethod},
		{Name: "wire/no-method-no-auth", Claims: "5.0/MQTT-4.12.0-6",
			Text: "A client that names no method gets neither AUTH nor a method in CONNACK.",
			Run:  noMethod},
		{Name: "wire/auth-before-connect", Claims: "5.0/MQTT-3.1.0-1 " + closes,
			Versions: only5(), Text: "AUTH as the first packet ends the connection.",
			Run: func(t *suite.T) {
				c := t.Dial()
				c.Send(authPacket(mqtt.ContinueAuthentication, suite.EnhancedMethod, "hello"))
				wantGone(t, c)
			}},
	}
}

// authPacket is an AUTH. An empty method or data is left out.
func authPacket(r mqtt.ReasonCode, method, data string) []byte {
	return (&mqtt.Auth{Reason: r, Props: authProps(nil, method, data)}).Append(nil, mqtt.V5)
}

func authProps(p mqtt.Props, method, data string) mqtt.Props {
	if method != "" {
		p = p.AppendBytes(mqtt.AuthenticationMethod, []byte(method))
	}
	if data != "" {
		p = p.AppendBytes(mqtt.AuthenticationData, []byte(data))
	}
	return p
}

// asking is the option to authenticate by a method.
func asking(method, data string) suite.Option {
	return suite.WithProps(func(p mqtt.Props) mqtt.Props { return authProps(p, method, data) })
}

func unknownMethod(t *suite.T) {
	for _, method := range []string{"HPMQ-NOBODY-KNOWS", "hpmq-conformance", "PLAIN "} {
		c := t.Dial()
		c.Send(t.Connecting(asking(method, "data")).Append(nil))
		c.WantRefused(mqtt.BadAuthenticationMethod, mqtt.NotAuthorized)
	}
}

func noMethod(t *suite.T) {
	c := t.Connect()
	if m, has := c.Connack.Props.Bytes(mqtt.AuthenticationMethod); has {
		t.Errorf("CONNACK has the authentication method %q", m)
	}
	c.Ping()
}
