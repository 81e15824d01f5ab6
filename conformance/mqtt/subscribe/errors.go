package subscribe

import (
	"fmt"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// violation is what breaks the protocol in any packet, not in its flags or texts.
type violation struct{ name, text, packet string }

func violations() []violation {
	return []violation{
		{"type-0", "a packet of the reserved type 0", "0000"},
		{"type-15", "a packet of the reserved type 15", "f000"},
		{"connack", "CONNACK, which only a server sends", "20020000"},
		{"suback", "SUBACK, which only a server sends", "9003000100"},
		{"unsuback", "UNSUBACK, which only a server sends", "b0020001"},
		{"pingresp", "PINGRESP, which only a server sends", "d000"},
		{"pingreq-with-payload", "PINGREQ with a payload", "c00100"},
		{"length-of-five-bytes", "a remaining length of five bytes", "c08080808001"},
		{"puback-without-packet-id", "PUBACK without a packet identifier", "4000"},
		{"publish-without-topic", "PUBLISH that ends within the length of its topic", "300100"},
		{"publish-with-packet-id-0", "PUBLISH with QoS 1 and packet identifier 0",
			"3205 000161 0000"},
		{"publish-without-packet-id", "PUBLISH with QoS 1 that ends behind its topic",
			"3203 000161"},
	}
}

// violationCases are about section 4.8 of 3.1.1. Section 4.13 of 5.0 is with the form of packets.
func violationCases() []suite.Case {
	var cases []suite.Case
	for _, v := range violations() {
		cases = append(cases, suite.Case{
			Name: "subscribe/violation-" + v.name, Claims: closes3,
			Versions: []mqtt.Version{mqtt.V311},
			Text: fmt.Sprintf("A client sends %s. The server must close that connection, and no "+
				"other.", v.text),
			Run: func(t *suite.T) { runViolation(t, v) },
		})
	}
	return cases
}

func runViolation(t *suite.T, v violation) {
	good, bad := t.Connect(), t.Connect()
	bad.Send(unhex(t, v.packet))
	bad.WantClosed()
	good.Ping()
}

// conversationCases are about section 7 of 3.1.1: what a server offers to anyone.
func conversationCases() []suite.Case {
	return []suite.Case{{
		Name:   "subscribe/conversation-in-plain-words",
		Claims: "3.1.1/MQTT-7.0.0-2",
		Text: "A client that says only what the standard has connects, subscribes, publishes, " +
			"gets its message, unsubscribes. No extension must be needed.",
		Run: runConversation,
	}, {
		Name:   "subscribe/conversation-ordered-and-whole",
		Claims: "3.1.1/MQTT-7.1.1-1",
		Text: "200 messages, some written byte by byte and some all at once, come in their " +
			"order and whole: the transport is an ordered, lossless stream both ways.",
		Run: runStream,
	}}
}

func runConversation(t *suite.T) {
	c := t.Connect()
	topic := t.Topic("a")
	c.Subscribe(topic, mqtt.AtMostOnce)
	c.PublishText(topic, "hello", mqtt.AtMostOnce)
	c.WantMessage(topic, "hello")
	c.Unsubscribe(topic)
	c.Ping()
	c.Disconnect()
}

func runStream(t *suite.T) {
	const messages, slowly = 200, 5
	c := t.Connect()
	topic := t.Topic("a")
	c.Subscribe(topic, usual(t))
	var rest []byte
	for i := range messages {
		p := mqtt.Publish{Topic: []byte(topic), Payload: fmt.Appendf(nil, "message %d", i)}
		b := p.Append(nil, c.Version())
		if i >= slowly {
			rest = append(rest, b...)
			continue
		}
		for k := range b {
			c.Send(b[k : k+1])
		}
	}
	c.Send(rest)
	for i := range messages {
		c.WantMessage(topic, fmt.Sprintf("message %d", i))
	}
}
