package subscribe

import (
	"strings"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

const longest = "3.1.1/MQTT-4.7.3-3 5.0/MQTT-4.7.3-3"

// lengthCases are about names and filters as long as the length field can say. 3.1 has them
// shorter. A server may have less room, but may not change what it takes.
func lengthCases() []suite.Case {
	cases := []suite.Case{{
		Name: "subscribe/length-of-one-level", Claims: longest,
		Text: "A filter and a name of 65535 bytes with one long last level: the message comes " +
			"with the whole name, or the server refuses; a shorter name never matches.",
		Run: func(t *suite.T) { runLongest(t, "x") },
	}, {
		Name: "subscribe/length-in-wide-characters", Claims: longest,
		Text: "The same with a name whose last level is of characters of four bytes: the length " +
			"is counted in bytes.",
		Run: func(t *suite.T) { runLongest(t, "\U0001f600") },
	}, {
		Name: "subscribe/length-in-levels", Claims: longest,
		Text: "The same with a name that is levels of one character to the end.",
		Run:  func(t *suite.T) { runLongest(t, "/x") },
	}}
	for i := range cases {
		cases[i].Versions = numbered()
		cases[i].Alone = true // some servers need seconds for so many levels
	}
	return cases
}

// runLongest fills a topic to the length with unit.
func runLongest(t *suite.T, unit string) {
	if size := t.Server().PacketBytesMax; size > 0 && size < mqtt.TextBytesMax+64 {
		t.Skipf("the server offers a Maximum Packet Size of %d", size)
	}
	base := t.Topic("")
	if unit != "/x" {
		base += "/"
	}
	left := mqtt.TextBytesMax - len(base)
	topic := base + strings.Repeat("y", left%len(unit)) + strings.Repeat(unit, left/len(unit))
	shorter := strings.TrimSuffix(topic, unit)
	c, pub := listen(t, 0), t.Connect()
	if !takes(t, c, topic) || !sends(t, pub, shorter) || !sends(t, pub, topic) {
		t.Skipf("the server does not take topics of 65535 bytes")
	}
	got := gather(t, pub, 0, c)
	if len(got) != 1 || string(got[0].Topic) != topic || string(got[0].Payload) != topic[:100] {
		t.Errorf("%d messages came, want one on the topic of 65535 bytes", len(got))
		for _, p := range got {
			t.Errorf("one came on a topic of %d bytes", len(p.Topic))
		}
	}
}

// takes subscribes and says whether the server grants it and stays.
func takes(t *suite.T, c *suite.Client, filter string) bool {
	c.Send(mqtt.AppendSubscribe(nil, c.Version(), c.NextPacketID(), nil,
		[]mqtt.Subscription{sub(filter, 0)}))
	frame, _ := c.Poll(t.Options().ExpectTimeout)
	var p mqtt.Suback
	return frame != nil && mqtt.TypeOf(frame) == mqtt.SUBACK &&
		p.Decode(c.Version(), frame) == nil && !p.Reasons[0].Failed()
}

// sends publishes the beginning of the topic on it and says whether the server stays.
func sends(t *suite.T, c *suite.Client, topic string) bool {
	c.PublishText(topic, topic[:100], 0)
	c.SendPacket(&mqtt.Ping{Type: mqtt.PINGREQ})
	frame, _ := c.Poll(t.Options().ExpectTimeout)
	return frame != nil && mqtt.TypeOf(frame) == mqtt.PINGRESP
}
