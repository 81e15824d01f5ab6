package wire

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

const (
	claimsStream = "3.1.1/MQTT-7.1.1-1 5.0/MQTT-4.2-1"
	claimsPing   = "3.1.1/MQTT-3.12.4-1 5.0/MQTT-3.12.4-1"
)

// streamCases are about packets on a stream of bytes, which knows no borders.
func streamCases() []suite.Case {
	return []suite.Case{
		{Name: "wire/ping", Claims: claimsPing,
			Text: "Each PINGREQ is answered by one PINGRESP, which is two bytes.", Run: ping},
		{Name: "wire/many-pings", Claims: claimsPing,
			Text: "PINGREQs in one write are answered each.", Run: manyPings},
		{Name: "wire/ping-between-messages", Claims: claimsPing,
			Text: "A PINGREQ is answered while messages wait for their acknowledgement.",
			Run:  pingBetween},
		{Name: "wire/byte-by-byte", Claims: claimsStream,
			Text: "Packets that come byte by byte are as good as others.", Run: byteByByte},
		{Name: "wire/all-in-one-write", Claims: claimsStream,
			Text: "CONNECT and what follows may come in one piece, before the CONNACK.",
			Run:  allInOne},
		{Name: "wire/borders-anywhere", Claims: claimsStream,
			Text: "Where a write ends says nothing about where a packet does.", Run: borders},
		{Name: "wire/half-a-packet", Claims: closes, Versions: strict(),
			Text: "A packet that the end of the connection cuts off has no effect.", Run: half},
		{Name: "wire/no-extension-needed", Claims: "3.1.1/MQTT-7.0.0-2",
			Versions: []mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5},
			Text: "A client that uses nothing but the plain protocol can connect, subscribe, " +
				"publish and leave.", Run: plain},
		{Name: "wire/remaining-lengths", Claims: "5.0/MQTT-1.5.5-1",
			Versions: []mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5},
			Text: "Packets at the borders of one, two and three bytes of remaining length " +
				"come through; the server writes lengths in the fewest bytes.", Run: lengths},
		{Name: "wire/property-lengths", Claims: "5.0/MQTT-1.5.5-1",
			Text: "The server writes the length of properties, and subscription identifiers, in " +
				"the fewest bytes.", Run: propertyLengths},
		{Name: "wire/longer-lengths-than-needed", Claims: "5.0/MQTT-1.5.5-1",
			Versions: strict(),
			Text: "A remaining length in more bytes than needed is refused or read as what it " +
				"says, and never as anything else.", Run: longLengths},
		{Name: "wire/flags-of-the-server", Claims: "3.1.1/MQTT-2.2.2-1 5.0/MQTT-2.1.3-1 " +
			"5.0/MQTT-2.2.2-1", Versions: strict(),
			Text: "The packets of the server have the reserved flags of their type, the fewest " +
				"bytes of length, and in 5.0 a property length.", Run: serverFlags},
	}
}

func ping(t *suite.T) {
	c := t.Connect()
	for range 3 {
		c.Send([]byte{0xC0, 0})
		t.Same("PINGRESP", c.Expect(mqtt.PINGRESP), []byte{0xD0, 0})
	}
}

func manyPings(t *suite.T) {
	const n = 50
	c := t.Connect()
	c.Send(bytes.Repeat([]byte{0xC0, 0}, n))
	for range n {
		c.Expect(mqtt.PINGRESP)
	}
	c.Subscribe(t.Topic("t"), mqtt.AtMostOnce)
	c.PublishText(t.Topic("t"), "behind", mqtt.AtMostOnce)
	c.WantMessage(t.Topic("t"), "behind")
}

func pingBetween(t *suite.T) {
	b := &bench{t: t}
	c, id := b.delivered(mqtt.AtLeastOnce)
	c.Ping()
	c.SendPacket(&mqtt.Ack{Type: mqtt.PUBACK, PacketID: id})
	c.Ping()
}

// conversation is CONNECT, SUBSCRIBE, PUBLISH and PINGREQ.
func conversation(t *suite.T) []byte {
	v := t.Version()
	b := t.Connecting().Append(nil)
	b = mqtt.AppendSubscribe(b, v, 1, nil, []mqtt.Subscription{{Filter: []byte(t.Topic("t"))}})
	p := mqtt.Publish{Topic: []byte(t.Topic("t")), Payload: []byte("hello"),
		QoS: min(mqtt.AtLeastOnce, t.Server().QoSMax)}
	if p.QoS > 0 {
		p.PacketID = 2
	}
	return (&mqtt.Ping{Type: mqtt.PINGREQ}).Append(p.Append(b, v), v)
}

// answered wants the answers of conversation, behind CONNACK in any order. The message comes if the
// subscription was there first, which the standard leaves to the server; the next must come.
func answered(t *suite.T, c *suite.Client) {
	if p := c.ReadConnack(); p.Reason != mqtt.Success {
		t.Fatalf("CONNACK says %s", p.Reason)
	}
	want := map[mqtt.Type]bool{mqtt.SUBACK: true, mqtt.PINGRESP: true}
	if t.Server().QoSMax > 0 {
		want[mqtt.PUBACK] = true
	}
	for len(want) > 0 {
		got := mqtt.TypeOf(c.Next())
		if !want[got] && got != mqtt.PUBLISH {
			t.Fatalf("%s is not what was asked for", got)
		}
		delete(want, got)
	}
	c.PublishText(t.Topic("t"), "again", mqtt.AtMostOnce)
	for string(c.ReadPublish().Payload) != "again" {
		t.Note("that is the message of the conversation")
	}
}

func byteByByte(t *suite.T) {
	c := t.Dial()
	for _, x := range conversation(t) {
		c.Send([]byte{x})
	}
	answered(t, c)
}

func allInOne(t *suite.T) {
	c := t.Dial()
	c.Send(conversation(t))
	answered(t, c)
}

func borders(t *suite.T) {
	all := conversation(t)
	for _, size := range []int{2, 3, 7, 17, len(all) - 1} {
		c := t.Dial()
		all = conversation(t)
		for len(all) > 0 {
			n := min(size, len(all))
			c.Send(all[:n])
			all = all[n:]
			t.Wait(time.Millisecond)
		}
		answered(t, c)
		c.Disconnect()
	}
}

func half(t *suite.T) {
	watch := t.Connect()
	watch.Subscribe(t.Topic("t"), mqtt.AtMostOnce)
	c := t.Connect()
	whole := (&mqtt.Publish{Topic: []byte(t.Topic("t")), Payload: []byte("cut off")}).Append(nil,
		t.Version())
	c.Send(whole[:len(whole)-1])
	c.Close()
	t.Connect().PublishText(t.Topic("t"), "whole", mqtt.AtMostOnce)
	watch.WantMessage(t.Topic("t"), "whole")
}

func plain(t *suite.T) {
	c := t.Dial()
	c.Send(conversation(t))
	answered(t, c)
	c.Unsubscribe(t.Topic("t"))
	c.Disconnect()
}

// lengths sends messages whose packets, as the server sends them on, have these remaining lengths.
func lengths(t *suite.T) {
	c := t.Connect()
	topic := t.Topic("t")
	c.Subscribe(topic, mqtt.AtMostOnce)
	for _, n := range []int{127, 128, 129, 16383, 16384, 16385, 40000} {
		if limit := t.Server().PacketBytesMax; limit != 0 && int(limit) < n+5 {
			break
		}
		header := 2 + len(topic)
		if t.V5() {
			header++
		}
		payload := strings.Repeat("x", n-header)
		c.PublishText(topic, payload, mqtt.AtMostOnce)
		frame := c.Expect(mqtt.PUBLISH)
		checkLength(t, frame)
		if !bytes.HasSuffix(frame, []byte(payload)) {
			t.Fatalf("the payload of %d bytes is not what was sent", len(payload))
		}
	}
}

// longLengths is allowed to end either way.
func longLengths(t *suite.T) {
	for _, long := range []string{"c08000", "c0808000", "c080808000"} {
		c := t.Connect()
		c.Send(unhex(long + "c000"))
		switch frame, ended := c.Look(graceOfDisconnect); {
		case ended || frame != nil && mqtt.TypeOf(frame) == mqtt.DISCONNECT:
			t.Note("the server closes on it")
		case frame == nil:
			t.Fatalf("neither an answer nor an end")
		default:
			t.Note("the server takes it")
			t.Same("the answer to the first PINGREQ", frame, []byte{0xD0, 0})
			c.Expect(mqtt.PINGRESP)
			c.Ping()
		}
	}
}

// serverFlags looks at a packet of each type that a server sends to a client that does all right.
func serverFlags(t *suite.T) {
	q := t.Server().QoSMax
	c := t.Dial()
	c.Send(t.Connecting().Append(nil))
	checkHeader(t, c.Expect(mqtt.CONNACK), 0x20)
	c.Send(mqtt.AppendSubscribe(nil, t.Version(), 1, nil,
		[]mqtt.Subscription{{Filter: []byte(t.Topic("t")), QoS: q}}))
	checkHeader(t, c.Expect(mqtt.SUBACK), 0x90)
	c.Send([]byte{0xC0, 0})
	checkHeader(t, c.Expect(mqtt.PINGRESP), 0xD0)
	pub := t.Connect()
	if q >= mqtt.AtLeastOnce {
		pub.SendPacket(&mqtt.Publish{Topic: []byte(t.Topic("1")), QoS: 1, PacketID: 1})
		checkHeader(t, pub.Expect(mqtt.PUBACK), 0x40)
	}
	if q == mqtt.ExactlyOnce {
		pub.SendPacket(&mqtt.Publish{Topic: []byte(t.Topic("t")), QoS: 2, PacketID: 2})
		checkHeader(t, pub.Expect(mqtt.PUBREC), 0x50)
		pub.SendPacket(&mqtt.Ack{Type: mqtt.PUBREL, PacketID: 2})
		checkHeader(t, pub.Expect(mqtt.PUBCOMP), 0x70)
		frame := c.Expect(mqtt.PUBLISH)
		checkHeader(t, frame, 0x34)
		var p mqtt.Publish
		if err := p.Decode(t.Version(), frame); err != nil {
			t.Fatalf("the server's PUBLISH: %v", err)
		}
		c.SendPacket(&mqtt.Ack{Type: mqtt.PUBREC, PacketID: p.PacketID})
		checkHeader(t, c.Expect(mqtt.PUBREL), 0x62)
		c.SendPacket(&mqtt.Ack{Type: mqtt.PUBCOMP, PacketID: p.PacketID})
	}
	c.Send(mqtt.AppendUnsubscribe(nil, t.Version(), 3, nil, [][]byte{[]byte(t.Topic("t"))}))
	checkHeader(t, c.Expect(mqtt.UNSUBACK), 0xB0)
}

// checkHeader wants that first byte and a remaining length in the fewest bytes. In 5.0 it wants a
// whole property block in packets that must have one.
func checkHeader(t *suite.T, frame []byte, first byte) {
	if frame[0] != first {
		t.Errorf("first byte %02x, want %02x", frame[0], first)
	}
	checkLength(t, frame)
	if !t.V5() {
		return
	}
	var err error
	switch mqtt.TypeOf(frame) {
	case mqtt.CONNACK:
		err = new(mqtt.Connack).Decode(mqtt.V5, frame)
	case mqtt.SUBACK:
		err = new(mqtt.Suback).Decode(mqtt.V5, frame)
	case mqtt.UNSUBACK:
		err = new(mqtt.Unsuback).Decode(mqtt.V5, frame)
	}
	if err != nil {
		t.Errorf("%s: %v", mqtt.TypeOf(frame), err)
	}
}

func checkLength(t *suite.T, frame []byte) {
	at := 1
	for frame[at]&0x80 != 0 {
		at++
	}
	if want := varint(len(frame) - at - 1); !bytes.Equal(frame[1:at+1], want) {
		t.Errorf("remaining length % x, want % x", frame[1:at+1], want)
	}
	t.Note("%s", fmt.Sprintf("remaining length % x", frame[1:at+1]))
}
