package publish

import (
	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

func acksKeepSize(t *suite.T) {
	t.NeedQoS(mqtt.ExactlyOnce)
	limit := connackBytes(t)
	pub := t.Connect()
	c := t.Connect(suite.WithProps(func(p mqtt.Props) mqtt.Props {
		return p.AppendUint32(mqtt.MaximumPacketSize, limit)
	}))
	topic := t.Topic("a")
	odd := mqtt.Publish{Topic: []byte(topic), Payload: []byte{0xFF, 0xFE}, QoS: mqtt.AtLeastOnce,
		PacketID: 2}
	odd.Props = odd.Props.AppendByte(mqtt.PayloadFormatIndicator, 1)
	good := message(topic, "m", mqtt.AtLeastOnce)
	good.PacketID = 1
	for _, p := range []mqtt.Publish{good, odd} {
		c.SendPacket(&p)
		wantSize(t, c.Expect(mqtt.PUBACK), limit)
		p.QoS = mqtt.ExactlyOnce
		c.SendPacket(&p)
		rec := c.Expect(mqtt.PUBREC)
		wantSize(t, rec, limit)
		c.SendPacket(&mqtt.Ack{Type: mqtt.PUBREL, PacketID: p.PacketID})
		wantSize(t, c.Expect(mqtt.PUBCOMP), limit)
	}
	c.SendPacket(&mqtt.Ack{Type: mqtt.PUBREL, PacketID: 77})
	wantSize(t, c.Expect(mqtt.PUBCOMP), limit)
	c.Subscribe("t"+c.ID, mqtt.ExactlyOnce)
	pub.PublishText("t"+c.ID, "m", mqtt.ExactlyOnce)
	small := message("t"+c.ID, "m", mqtt.ExactlyOnce)
	if small.Size(mqtt.V5) > int(limit) {
		t.Note("the server's CONNACK is too small for a PUBLISH")
		return
	}
	p := c.ReadPublish()
	c.SendPacket(&mqtt.Ack{Type: mqtt.PUBREC, PacketID: p.PacketID})
	wantSize(t, c.Expect(mqtt.PUBREL), limit)
}

// connackBytes is how large the server's CONNACK is: with that as a limit it can let a client in.
func connackBytes(t *suite.T) uint32 {
	c := t.Dial()
	c.Send(t.Connecting().Append(nil))
	return uint32(len(c.Expect(mqtt.CONNACK)))
}

func wantSize(t *suite.T, frame []byte, limit uint32) {
	if len(frame) > int(limit) {
		t.Errorf("%s of %d bytes to a client that takes %d", mqtt.TypeOf(frame), len(frame), limit)
	}
}

// ackForms answers one message with each form, and wants none of them to come again when the
// session is resumed.
func ackForms(t *suite.T) {
	t.NeedQoS(mqtt.AtLeastOnce)
	var props mqtt.Props
	props = props.AppendBytes(mqtt.ReasonString, []byte("fine")).
		AppendUser([]byte("a"), []byte("b")).AppendUser([]byte("a"), []byte("b"))
	forms := [][]byte{{}, {0}, {0, 0}, append([]byte{0, byte(len(props))}, props...)}
	topic := t.Topic("")
	pub, sub := t.Connect(), keeper(t)
	sub.Subscribe(topic, top(t))
	for q := mqtt.AtLeastOnce; q <= top(t); q++ {
		for _, form := range forms {
			pub.PublishText(topic, "m", q)
			p := sub.ReadPublish()
			if p.QoS == mqtt.AtLeastOnce {
				sub.Send(ackBytes(0x40, p.PacketID, form))
				continue
			}
			sub.Send(ackBytes(0x50, p.PacketID, form))
			sub.ReadAck(mqtt.PUBREL, p.PacketID)
			sub.Send(ackBytes(0x70, p.PacketID, form))
		}
	}
	sub.Ping()
	sub.Close()
	sub = resume(t, sub)
	sub.Ping()
	pub.PublishText(topic, "end", mqtt.AtLeastOnce)
	wantOnly(t, sub, "end")
}

// ackBytes is an acknowledgement with these bytes behind its packet identifier.
func ackBytes(first byte, id uint16, more []byte) []byte {
	b := []byte{first, byte(2 + len(more)), byte(id >> 8), byte(id)}
	return append(b, more...)
}
