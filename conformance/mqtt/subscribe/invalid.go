package subscribe

import (
	"fmt"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// invalid is a filter or name that the standards do not have. @ stands for the levels of T.Topic.
type invalid struct{ name, text, claims string }

// invalidFilterCases: none of them may be granted. A server closes for them or, as many do, refuses
// the filter in SUBACK; both will do, as the standards have a code for it.
func invalidFilterCases() []suite.Case {
	const hash = "3.1.1/MQTT-4.7.1-2 5.0/MQTT-4.7.1-1"
	const plus = "3.1.1/MQTT-4.7.1-3 5.0/MQTT-4.7.1-2"
	var cases []suite.Case
	for _, f := range []invalid{
		{"hash-behind-text", "@/a#", hash},
		{"hash-before-text", "@/#a", hash},
		{"hash-before-level", "@/#/b", hash},
		{"hash-before-separator", "@/#/", hash},
		{"hash-first", "#/@", hash},
		{"two-hashes", "@/##", hash},
		{"hash-twice", "@/#/#", hash},
		{"plus-behind-text", "@/a+", plus},
		{"plus-before-text", "@/+a", plus},
		{"plus-within-text", "@/a+b/c", plus},
		{"plus-before-text-first", "+a/@", plus},
		{"two-plus", "@/++", plus},
		{"plus-and-hash-in-one-level", "@/+#", fold(hash, plus)},
		{"empty", "", "3.1.1/MQTT-4.7.3-1 5.0/MQTT-4.7.3-1"},
	} {
		cases = append(cases, suite.Case{
			Name: "subscribe/invalid-filter-" + f.name, Claims: f.claims, Versions: numbered(),
			Text: fmt.Sprintf("SUBSCRIBE to %q is not granted: the server says failure in SUBACK "+
				"or closes the connection.", f.text),
			Run: func(t *suite.T) {
				refused(t, t.Connect(), sub(place(t, f.text), 0), mqtt.TopicFilterInvalid,
					mqtt.UnspecifiedError, mqtt.ImplementationSpecificError)
			},
		})
	}
	return cases
}

// invalidNameCases: for each the server closes, and nobody gets the message.
func invalidNameCases() []suite.Case {
	const wild = "3.1.1/MQTT-4.7.1-1 5.0/MQTT-4.7.0-1 3.1.1/MQTT-3.3.2-2 5.0/MQTT-3.3.2-2"
	const short = "3.1.1/MQTT-4.7.3-1 5.0/MQTT-4.7.3-1"
	var cases []suite.Case
	for _, n := range []invalid{
		{"plus", "@/+", wild},
		{"hash", "@/#", wild},
		{"plus-within-text", "@/a+b", wild},
		{"hash-within-text", "@/a#b", wild},
		{"plus-between", "@/+/a", wild},
		{"hash-alone", "#", wild},
		{"empty", "", short},
		{"nul", "@/a\x00b", nul},
	} {
		for q := mqtt.AtMostOnce; q <= mqtt.AtLeastOnce; q++ {
			cases = append(cases, suite.Case{
				Name:   fmt.Sprintf("subscribe/invalid-name-%s-qos-%d", n.name, q),
				Claims: fold(n.claims, closes3, closes5), Versions: numbered(),
				Text: fmt.Sprintf("PUBLISH on %q with QoS %d: the server closes the connection, "+
					"and a client with matching filters gets nothing.", n.text, q),
				Run: func(t *suite.T) { runInvalidName(t, n.text, q) },
			})
		}
	}
	return cases
}

func runInvalidName(t *suite.T, name string, q mqtt.QoS) {
	t.NeedQoS(q)
	filters := []string{t.Topic("a")}
	if t.Server().Wildcard {
		filters = append(filters, t.Topic("#"))
	}
	witness, bad := listen(t, 0, filters...), t.Connect()
	p := mqtt.Publish{Topic: []byte(place(t, name)), Payload: []byte("x"), QoS: q, PacketID: 1}
	bad.SendPacket(&p)
	bad.WantClosed(mqtt.TopicNameInvalid, mqtt.MalformedPacket, mqtt.ProtocolError,
		mqtt.TopicAliasInvalid)
	wantPayloads(t, "a subscriber", gather(t, t.Connect(), 0, witness))
}
