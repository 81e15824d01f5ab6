package wire

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// propertyLengths sends messages with properties of these sizes through subscriptions with these
// identifiers, and looks at the bytes that come.
func propertyLengths(t *suite.T) {
	c := t.Connect()
	topic := t.Topic("p")
	c.Subscribe(topic, mqtt.AtMostOnce)
	for _, n := range []int{126, 127, 128, 129, 1000} {
		if t.TakesPacket(n + 100) {
			wantProps(t, c, topic, n)
		}
	}
	t.NeedIdentifiers()
	for _, id := range []uint32{1, 127, 128, 16383, 16384, 2097151, 2097152, mqtt.VarIntMax} {
		filter := t.Topic(fmt.Sprint("id", id))
		c.SubscribeWith(mqtt.Props(nil).AppendVarInt(mqtt.SubscriptionIdentifier, id),
			mqtt.Subscription{Filter: []byte(filter)})
		c.PublishText(filter, "x", mqtt.AtMostOnce)
		want := prop(mqtt.SubscriptionIdentifier, varint(int(id)))
		if frame := c.Expect(mqtt.PUBLISH); !bytes.Contains(frame, want) {
			t.Errorf("identifier %d is not in the message as % x", id, want)
		}
	}
}

// wantProps sends a message with n bytes of properties and looks at the length of those that come.
func wantProps(t *suite.T, c *suite.Client, topic string, n int) {
	props := user("n", strings.Repeat("v", n-6))
	c.Publish(mqtt.Publish{Topic: []byte(topic), Props: props, Payload: []byte("x")})
	frame := c.Expect(mqtt.PUBLISH)
	_, rest, _ := bytes.Cut(frame, text(topic))
	if !bytes.Contains(rest, props) {
		t.Fatalf("the user property is not in the message")
	}
	// A server may add properties of its own: what the length says is the packet less the payload.
	for size := 1; size <= 4; size++ {
		if length := varint(len(rest) - size - 1); len(length) == size {
			t.Same("property length", rest[:size], length)
			return
		}
	}
}
