package wire

import (
	"fmt"
	"time"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// identifierCases are about packet identifiers.
func identifierCases() []suite.Case {
	return append(zeroCases(),
		suite.Case{
			Name:   "wire/acknowledgements-have-the-identifier",
			Claims: "3.1.1/MQTT-2.3.1-6 3.1.1/MQTT-2.3.1-7 5.0/MQTT-2.2.1-5 5.0/MQTT-2.2.1-6",
			Text: "PUBACK, PUBREC, PUBCOMP, SUBACK and UNSUBACK have the identifier that they " +
				"answer, whatever it is.",
			Run: acknowledgedByID,
		},
		suite.Case{
			Name:   "wire/acknowledgements-of-many-identifiers",
			Claims: "3.1.1/MQTT-2.3.1-6 3.1.1/MQTT-2.3.1-7 5.0/MQTT-2.2.1-5 5.0/MQTT-2.2.1-6",
			Text: "Requests of several kinds that are on their way at once are answered each by " +
				"its own.",
			Run: acknowledgedAtOnce,
		},
		suite.Case{
			Name:   "wire/identifiers-of-the-server",
			Claims: "3.1.1/MQTT-2.3.1-4 5.0/MQTT-2.2.1-4",
			Text: "Eight messages are on their way to a client that acknowledges none: those " +
				"that the server sends at once have identifiers that are not zero and all " +
				"different.",
			Run: serverIDs,
		},
		suite.Case{
			Name:   "wire/identifiers-of-both-sides",
			Claims: "3.1.1/MQTT-2.3.1-6 5.0/MQTT-2.2.1-5",
			Text: "Client and server may use the same identifier at once; an acknowledgement " +
				"ends the message of the other side alone.",
			Run: idsOfBothSides,
		},
		suite.Case{
			Name:     "wire/unknown-identifiers",
			Versions: []mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5},
			Text: "An acknowledgement of nothing harms nobody: the connection goes on, or at " +
				"most ends, and nothing comes of it but the answer that its type has.",
			Run: unknownIDs,
		},
		suite.Case{
			Name:   "wire/qos-0-has-no-identifier",
			Claims: "3.1.1/MQTT-2.3.1-5 5.0/MQTT-2.2.1-2",
			Text: "A PUBLISH of QoS 0 from the server has its payload behind topic and " +
				"properties.",
			Run: func(t *suite.T) {
				c := t.Connect()
				c.Subscribe(t.Topic("0"), mqtt.AtMostOnce)
				c.PublishText(t.Topic("0"), "\x00\x01\x00payload", mqtt.AtMostOnce)
				p := c.WantMessage(t.Topic("0"), "\x00\x01\x00payload")
				if p.QoS != mqtt.AtMostOnce {
					t.Errorf("QoS %d", p.QoS)
				}
			},
		})
}

// zeroCases send requests with identifier 0.
func zeroCases() []suite.Case {
	var cases []suite.Case
	for _, s := range specimens() {
		switch s.name {
		case "publish-qos-1", "publish-qos-2", "subscribe", "unsubscribe":
			cases = append(cases, errorCase(s, about{"identifier-0-of-" + s.name,
				"3.1.1/MQTT-2.3.1-1 5.0/MQTT-2.2.1-3 " + closes,
				s.typ.String() + " with packet identifier 0 is an error."},
				func(b *bench, s *specimen) {
					c, p := s.prepare(b)
					at := len(p.head) - 2
					p.head[at], p.head[at+1] = 0, 0
					c.Send(p.frame())
					b.rejected(s, c, errorCodes()...)
				}))
		}
	}
	return cases
}

func acknowledgedByID(t *suite.T) {
	c := t.Connect()
	topic, filter := []byte(t.Topic("t")), []byte(t.Topic("f"))
	for _, id := range []uint16{1, 0x00FF, 0x0100, 0x1234, 0x8000, 0xFFFF} {
		c.Send(mqtt.AppendSubscribe(nil, t.Version(), id, nil,
			[]mqtt.Subscription{{Filter: filter}}))
		c.ReadSuback(id)
		for q := mqtt.AtLeastOnce; q <= t.Server().QoSMax; q++ {
			c.Publish(mqtt.Publish{Topic: topic, QoS: q, PacketID: id})
		}
		c.Send(mqtt.AppendUnsubscribe(nil, t.Version(), id, nil, [][]byte{filter}))
		c.ReadUnsuback(id)
	}
}

// acknowledgedAtOnce sends all requests in one write and takes the answers in any order.
func acknowledgedAtOnce(t *suite.T) {
	c := t.Connect()
	v, topic := t.Version(), []byte(t.Topic("t"))
	want := make(map[string]bool)
	var b []byte
	for i := range uint16(3) {
		id := 0x0101*i + 7
		sub := mqtt.Subscription{Filter: []byte(t.Topic(fmt.Sprint("f", i)))}
		b = mqtt.AppendSubscribe(b, v, id, nil, []mqtt.Subscription{sub})
		b = mqtt.AppendUnsubscribe(b, v, id+1, nil, [][]byte{sub.Filter})
		want[fmt.Sprint(mqtt.SUBACK, id)], want[fmt.Sprint(mqtt.UNSUBACK, id+1)] = true, true
		if t.Server().QoSMax >= mqtt.AtLeastOnce {
			b = (&mqtt.Publish{Topic: topic, QoS: mqtt.AtLeastOnce, PacketID: id + 2}).Append(b, v)
			want[fmt.Sprint(mqtt.PUBACK, id+2)] = true
		}
	}
	c.Send(b)
	for len(want) > 0 {
		frame := c.Next()
		if len(frame) < 4 {
			t.Fatalf("%s of %d bytes answers nothing", mqtt.TypeOf(frame), len(frame))
		}
		answer := fmt.Sprint(mqtt.TypeOf(frame), uint16(frame[2])<<8|uint16(frame[3]))
		if !want[answer] {
			t.Fatalf("%s answers nothing that was asked", answer)
		}
		delete(want, answer)
	}
}

// graceOfMessages is how long the next of several messages may take.
const graceOfMessages = 2 * time.Second

func serverIDs(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	const n = 8
	c, pub := t.Connect(), t.Connect()
	c.Subscribe(t.Topic("1"), mqtt.AtLeastOnce)
	if t.Server().QoSMax == mqtt.ExactlyOnce {
		c.Subscribe(t.Topic("2"), mqtt.ExactlyOnce)
	}
	for i := range n {
		topic, q := t.Topic("1"), mqtt.AtLeastOnce
		if i%2 == 1 && t.Server().QoSMax == mqtt.ExactlyOnce {
			topic, q = t.Topic("2"), mqtt.ExactlyOnce
		}
		pub.PublishText(topic, "m", q)
	}
	// A server may have fewer on their way at once.
	seen := make(map[uint16]bool)
	for i := range n {
		frame, _ := c.Look(graceOfMessages)
		if frame == nil && i < 2 {
			t.Skipf("the server sends %d message before it is acknowledged", i)
		}
		if frame == nil {
			t.Note("the server sends %d messages before one is acknowledged", i)
			return
		}
		var p mqtt.Publish
		if err := p.Decode(t.Version(), frame); err != nil {
			t.Fatalf("want PUBLISH: %v", err)
		}
		if p.PacketID == 0 || seen[p.PacketID] {
			t.Errorf("message %d has packet identifier %d", i, p.PacketID)
		}
		seen[p.PacketID] = true
	}
}

func idsOfBothSides(t *suite.T) {
	t.NeedQoS(mqtt.ExactlyOnce)
	b := &bench{t: t}
	c, id := b.delivered(mqtt.ExactlyOnce)
	topic := []byte(t.Topic("other"))
	// The client's message with the identifier of the server's, each at its own step.
	c.SendPacket(&mqtt.Publish{Topic: topic, QoS: mqtt.ExactlyOnce, PacketID: id})
	c.ReadAck(mqtt.PUBREC, id)
	c.SendPacket(&mqtt.Ack{Type: mqtt.PUBREC, PacketID: id})
	c.ReadAck(mqtt.PUBREL, id)
	c.SendPacket(&mqtt.Ack{Type: mqtt.PUBREL, PacketID: id})
	c.ReadAck(mqtt.PUBCOMP, id)
	c.SendPacket(&mqtt.Ack{Type: mqtt.PUBCOMP, PacketID: id})
	c.Ping()
}

// unknownIDs sends acknowledgements that no message waits for. No standard calls that an error:
// they can be left over from a session that the server has lost.
func unknownIDs(t *suite.T) {
	other := t.Connect()
	for _, row := range []struct{ sent, answer mqtt.Type }{
		{mqtt.PUBACK, 0}, {mqtt.PUBREC, mqtt.PUBREL}, {mqtt.PUBREL, mqtt.PUBCOMP},
		{mqtt.PUBCOMP, 0},
	} {
		c := t.Connect()
		c.SendPacket(&mqtt.Ack{Type: row.sent, PacketID: 0x7777})
		c.SendPacket(&mqtt.Ping{Type: mqtt.PINGREQ})
		for {
			frame, ended := c.Look(graceOfDisconnect)
			switch {
			case ended:
				t.Note("the server ends the connection on %s", row.sent)
			case frame == nil:
				t.Errorf("neither PINGRESP nor the end of the connection behind %s", row.sent)
			case mqtt.TypeOf(frame) == row.answer:
				continue
			case mqtt.TypeOf(frame) == mqtt.DISCONNECT && t.V5():
				continue
			case mqtt.TypeOf(frame) != mqtt.PINGRESP:
				t.Errorf("%s answered by %s", row.sent, mqtt.TypeOf(frame))
			}
			break
		}
	}
	other.Ping()
}
