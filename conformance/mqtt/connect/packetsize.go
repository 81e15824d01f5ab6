package connect

import (
	"fmt"
	"strings"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// packetSizeCases are about the Maximum Packet Size of a client, in 5.0.
func packetSizeCases() []suite.Case {
	const never, dropped = "5.0/MQTT-3.1.2-24", "5.0/MQTT-3.1.2-25"
	list := []suite.Case{{
		Name:   "connect/packet-size-of-connack",
		Claims: never + " 5.0/MQTT-3.2.2-19 5.0/MQTT-3.2.2-20",
		Text: "Clients take packets of 5 to 64 bytes: CONNACK is no larger, or the server closes " +
			"without it.",
		Run: sizeOfConnack,
	}, {
		Name:   "connect/packet-size-of-a-refusal",
		Claims: never + " 5.0/MQTT-3.2.2-19 5.0/MQTT-3.2.2-20",
		Text: "A CONNECT of a client that takes packets of 5 to 64 bytes is refused: the CONNACK " +
			"is no larger, a Reason String is left out if need be.",
		Run: sizeOfRefusal,
	}, {
		Name: "connect/packet-size-to-the-byte", Claims: never + " " + dropped,
		Text: "A message whose PUBLISH is as large as the client allows is delivered; one that " +
			"is a byte larger is not.",
		Run: sizeToTheByte,
	}, {
		Name: "connect/packet-size-does-not-hold-up", Claims: dropped + " " + never,
		Text: "Messages that are too large for a client with Receive Maximum 1 do not hold up " +
			"the small one behind them.",
		Run: sizeReceiveMaximum,
	}, {
		Name: "connect/packet-size-does-not-come-later", Claims: dropped + " " + never,
		Text: "A message that was too large for a client does not come when the client comes " +
			"back and takes all sizes.",
		Run: sizeNotLater,
	}, {
		Name: "connect/packet-size-of-others", Claims: dropped + " " + never,
		Text: "A message that is too large for one subscriber reaches the other, and the " +
			"publisher is acknowledged.",
		Run: sizeOfOthers,
	}, {
		Name: "connect/packet-size-of-suback", Claims: never,
		Text: "A client that takes packets of 80 bytes subscribes to 100 filters at once, and " +
			"takes them back: no answer is larger.",
		Run: sizeOfSuback,
	}, {
		Name: "connect/packet-size-of-retained", Claims: never + " " + dropped,
		Text: "A client subscribes where a retained message is too large for it: it gets SUBACK " +
			"and what comes next.",
		Run: sizeOfRetained,
	}}
	for q := range mqtt.ExactlyOnce + 1 {
		list = append(list, suite.Case{
			Name: fmt.Sprint("connect/packet-size-qos-", q), Claims: dropped + " " + never,
			Text: fmt.Sprintf("Too large and small messages of QoS %d follow each other: the "+
				"client gets the small ones.", q),
			Run: func(t *suite.T) { sizeQoS(t, q) },
		})
	}
	for i := range list {
		list[i].Versions = []mqtt.Version{mqtt.V5}
	}
	return list
}

// taking says that a client takes packets of so many bytes.
func taking(n uint32) suite.Option {
	return suite.WithProps(func(p mqtt.Props) mqtt.Props {
		return p.AppendUint32(mqtt.MaximumPacketSize, n)
	})
}

// smallSizes are packet sizes that a CONNACK with properties may not fit into. One without has
// five bytes.
func smallSizes() []uint32 { return []uint32{5, 8, 12, 16, 20, 24, 32, 48, 64} }

// wantFit wants every packet up to the end, or up to the first that is no refusal, to have at most
// n bytes.
func wantFit(t *suite.T, c *suite.Client, n uint32) {
	for {
		frame, open := c.Poll(t.Options().ExpectTimeout)
		if frame == nil {
			if open {
				t.Errorf("the server neither answers nor closes")
			}
			return
		}
		if len(frame) > int(n) {
			t.Errorf("%s has %d bytes, the client takes %d", mqtt.TypeOf(frame), len(frame), n)
		}
		if letIn(frame) {
			c.Disconnect()
			return
		}
	}
}

func sizeOfConnack(t *suite.T) {
	for _, n := range smallSizes() {
		c := t.Dial()
		c.Send(t.Connecting(taking(n)).Append(nil))
		wantFit(t, c, n)
	}
}

func sizeOfRefusal(t *suite.T) {
	for _, n := range smallSizes() {
		p := good(t)
		p.props = properties(
			property(mqtt.MaximumPacketSize, 0, 0, 0, byte(n)),
			textProperty(mqtt.AuthenticationMethod, "HPMQ-NO-SUCH-METHOD"))
		c := t.Dial()
		c.Send(p.bytes())
		wantFit(t, c, n)
	}
}

const smallPacket = 256

// large is a payload that no packet of smallPacket bytes takes. It skips the case if the server
// takes none either.
func large(t *suite.T) string {
	t.NeedPacketBytes(3 * smallPacket)
	return strings.Repeat("x", 2*smallPacket)
}

func sizeQoS(t *suite.T, q mqtt.QoS) {
	t.NeedQoS(q)
	topic := t.Topic("size")
	c := t.Connect(taking(smallPacket))
	c.Subscribe(topic, q)
	p := t.Connect()
	for i := range 3 {
		p.PublishText(topic, large(t), q)
		p.PublishText(topic, fmt.Sprint(i), q)
		c.WantMessage(topic, fmt.Sprint(i))
	}
	c.Ping()
}

func sizeToTheByte(t *suite.T) {
	p := t.Connect()
	for q := range highest(t) + 1 {
		topic := t.Topic(fmt.Sprint(q))
		c := t.Connect(taking(smallPacket))
		c.Subscribe(topic, q)
		// What the server adds to a payload is measured: it may add properties.
		probe := strings.Repeat("p", smallPacket/2)
		p.PublishText(topic, probe, q)
		frame := c.Expect(mqtt.PUBLISH)
		m := decodePublish(t, frame)
		c.Acknowledge(&m)
		fits := strings.Repeat("f", smallPacket-(len(frame)-len(probe)))
		p.PublishText(topic, fits+"!", q)
		p.PublishText(topic, fits, q)
		c.WantMessage(topic, fits)
		p.PublishText(topic, "end", q)
		c.WantMessage(topic, "end")
	}
}

func sizeReceiveMaximum(t *suite.T) {
	q := highest(t)
	topic := t.Topic("size")
	c := t.Connect(taking(smallPacket), suite.WithProps(func(p mqtt.Props) mqtt.Props {
		return p.AppendUint16(mqtt.ReceiveMaximum, 1)
	}))
	c.Subscribe(topic, q)
	p := t.Connect()
	for range 4 {
		p.PublishText(topic, large(t), q)
	}
	p.PublishText(topic, "small", q)
	c.WantMessage(topic, "small")
	c.Ping()
}

func sizeNotLater(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	id, topic := t.ClientID("s"), t.Topic("size")
	c := keep(t, id, taking(smallPacket))
	c.Subscribe(topic, mqtt.AtLeastOnce)
	p := t.Connect()
	p.PublishText(topic, large(t), mqtt.AtLeastOnce)
	p.PublishText(topic, "small", mqtt.AtLeastOnce)
	c.WantMessage(topic, "small")
	c.Leave()
	c = keep(t, id)
	p.PublishText(topic, "next", mqtt.AtLeastOnce)
	c.WantMessage(topic, "next")
	c.Ping()
}

func sizeOfOthers(t *suite.T) {
	topic := t.Topic("size")
	w := witness(t, topic)
	c := t.Connect(taking(smallPacket))
	c.Subscribe(topic, highest(t))
	t.Connect().PublishText(topic, large(t), highest(t))
	w.WantMessage(topic, large(t))
	c.Ping()
}

func sizeOfSuback(t *suite.T) {
	const most = 80
	var subs []mqtt.Subscription
	var filters [][]byte
	for i := range 100 {
		filters = append(filters, []byte(t.Topic(fmt.Sprint(i))))
		subs = append(subs, mqtt.Subscription{Filter: filters[i]})
	}
	subscribe := mqtt.AppendSubscribe(nil, t.Version(), 1, nil, subs)
	t.NeedPacketBytes(len(subscribe))
	c := t.Dial()
	c.Send(t.Connecting(taking(most)).Append(nil))
	if frame, _ := c.Poll(t.Options().ExpectTimeout); frame == nil {
		t.Skipf("the server lets no client in that takes packets of %d bytes", most)
	}
	c.Send(subscribe)
	c.Send(mqtt.AppendUnsubscribe(nil, t.Version(), 2, nil, filters))
	c.Send([]byte{0xC0, 0}) // PINGREQ
	for {
		frame, open := c.Poll(t.Options().ExpectTimeout)
		switch {
		case frame == nil && open:
			t.Fatalf("the server neither answers PINGREQ nor closes")
		case frame == nil || mqtt.TypeOf(frame) == mqtt.PINGRESP:
			return
		case len(frame) > most:
			t.Fatalf("%s has %d bytes, the client takes %d", mqtt.TypeOf(frame), len(frame), most)
		}
	}
}

func sizeOfRetained(t *suite.T) {
	t.NeedRetain()
	topic := t.Topic("size")
	p := t.Connect()
	p.Publish(mqtt.Publish{Topic: []byte(topic), Payload: []byte(large(t)), Retain: true,
		QoS: min(1, highest(t))})
	c := t.Connect(taking(smallPacket))
	c.Subscribe(topic, highest(t))
	p.PublishText(topic, "next", 0)
	c.WantMessage(topic, "next")
	c.Ping()
}
