package publish

import (
	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// limitedCases are about what a server said it does not offer.
func limitedCases() []suite.Case {
	return []suite.Case{
		{
			Name: "publish/refuses-a-qos-above-its-maximum", Claims: "5.0/MQTT-3.2.2-11",
			Text: "PUBLISH with a QoS above the server's Maximum QoS ends the connection and is " +
				"not delivered.",
			Target: suite.Limited, Run: refusesQoS,
		}, {
			Name:   "publish/refuses-retain-it-does-not-offer",
			Claims: "5.0/MQTT-3.2.2-14",
			Text: "PUBLISH with RETAIN 1 to a server with Retain Available 0 ends the connection " +
				"and is not delivered.",
			Target: suite.Limited, Run: refusesRetain,
		}, {
			Name: "publish/limited-topic-alias-of-every-value", Claims: "5.0/MQTT-3.3.2-12",
			Text:   "A server with a small Topic Alias Maximum takes every alias up to that.",
			Target: suite.Limited, Run: aliasEvery,
		},
	}
}

// refusedLimited sends p, wants the connection to end, and wants nobody to get it.
func refusedLimited(t *suite.T, p mqtt.Publish, reason mqtt.ReasonCode) {
	sub, c := subscriber(t, t.Topic(""), mqtt.AtMostOnce), t.Connect()
	c.SendPacket(&p)
	c.WantClosed(reason)
	t.Connect().PublishText(t.Topic(""), "end", mqtt.AtMostOnce)
	wantOnly(t, sub, "end")
}

func refusesQoS(t *suite.T) {
	if top(t) == mqtt.ExactlyOnce {
		t.Skipf("the server offers Maximum QoS 2")
	}
	for q := top(t) + 1; q <= mqtt.ExactlyOnce; q++ {
		p := message(t.Topic(""), "bad", q)
		p.PacketID = 5
		refusedLimited(t, p, mqtt.QoSNotSupported)
	}
}

func refusesRetain(t *suite.T) {
	if t.Server().Retain {
		t.Skipf("the server offers retained messages")
	}
	p := message(t.Topic(""), "bad", mqtt.AtMostOnce)
	p.Retain = true
	refusedLimited(t, p, mqtt.RetainNotSupported)
}
