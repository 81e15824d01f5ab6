package subscribe

import (
	"fmt"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// sizeFilters is how many filters fill an answer: enough for it to be larger than any CONNACK that
// is to be expected, so that a Maximum Packet Size of its size lets the client in.
const sizeFilters = 120

// sizeCases are about answers that just fit into the client's Maximum Packet Size.
func sizeCases() []suite.Case {
	const suback = "5.0/MQTT-3.9.2-1 5.0/MQTT-3.9.2-2"
	return []suite.Case{{
		Name: "subscribe/suback-just-fits", Claims: suback,
		Text: "A client's Maximum Packet Size is that of a SUBACK with 120 codes and without " +
			"properties: the SUBACK comes, and without them.",
		Run: func(t *suite.T) { runSubackFits(t, t.Topic("")) },
	}, {
		Name: "subscribe/suback-of-refusals-just-fits", Claims: suback, Target: suite.Guarded,
		Text: "The same with filters that are not allowed, for which a server has reasons to tell.",
		Run:  func(t *suite.T) { runSubackFits(t, suite.DeniedTopic) },
	}, {
		Name: "subscribe/unsuback-just-fits", Claims: "5.0/MQTT-3.11.2-1 5.0/MQTT-3.11.2-2",
		Text: "A client's Maximum Packet Size is that of an UNSUBACK with 120 codes and without " +
			"properties: the UNSUBACK for filters that are not there comes, and without them.",
		Run: runUnsubackFits,
	}}
}

// narrow connects a client that takes no more than an answer with sizeFilters codes.
func narrow(t *suite.T) *suite.Client {
	size := len((&mqtt.Suback{PacketID: 1, Reasons: make([]mqtt.ReasonCode, sizeFilters)}).
		Append(nil, mqtt.V5))
	return t.Connect(suite.WithProps(func(p mqtt.Props) mqtt.Props {
		return p.AppendUint32(mqtt.MaximumPacketSize, uint32(size))
	}))
}

func runSubackFits(t *suite.T, level string) {
	c := narrow(t)
	var subs []mqtt.Subscription
	for i := range sizeFilters {
		subs = append(subs, sub(fmt.Sprint(level, "/", i), 0))
	}
	id := c.NextPacketID()
	b := mqtt.AppendSubscribe(nil, mqtt.V5, id, nil, subs)
	t.NeedPacketBytes(len(b))
	c.Send(b)
	ack := c.ReadSuback(id)
	if len(ack.Props) > 0 || len(ack.Reasons) != sizeFilters {
		t.Errorf("SUBACK has %d bytes of properties and %d codes, want none and %d",
			len(ack.Props), len(ack.Reasons), sizeFilters)
	}
}

func runUnsubackFits(t *suite.T) {
	var filters []string
	size := 16
	for i := range sizeFilters {
		filters = append(filters, t.Topic(fmt.Sprint(i)))
		size += 2 + len(filters[i])
	}
	t.NeedPacketBytes(size)
	c := narrow(t)
	ack := unsubscribe(c, filters...)
	if len(ack.Props) > 0 || len(ack.Reasons) != sizeFilters {
		t.Errorf("UNSUBACK has %d bytes of properties and %d codes, want none and %d",
			len(ack.Props), len(ack.Reasons), sizeFilters)
	}
}
