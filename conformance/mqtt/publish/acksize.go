package publish

import (
	"fmt"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// ackSizeCases are about acknowledgements to a client that takes no large packets.
func ackSizeCases() []suite.Case {
	cases := []suite.Case{{
		Name:   "publish/pubrel-keeps-to-the-maximum-packet-size",
		Claims: "5.0/MQTT-3.6.2-2 5.0/MQTT-3.6.2-3",
		Text: "To a client that takes no larger packets than a small PUBLISH, PUBREL comes " +
			"without what would make it too large.",
		Run: pubrelKeepsSize,
	}}
	for _, row := range []struct {
		kind          mqtt.Type
		section, name string
	}{{mqtt.PUBACK, "3.4.2", "puback"}, {mqtt.PUBREC, "3.5.2", "pubrec"},
		{mqtt.PUBCOMP, "3.7.2", "pubcomp"}} {
		cases = append(cases, suite.Case{
			Name:   "publish/" + row.name + "-keeps-to-the-maximum-packet-size",
			Claims: "5.0/MQTT-" + row.section + "-2 5.0/MQTT-" + row.section + "-3",
			Text: fmt.Sprintf("To a client that takes no larger packets than CONNACK, %s, good "+
				"and bad, comes without what would make it too large.", row.kind),
			Run: func(t *suite.T) { acksKeepSize(t, row.kind) },
		})
	}
	return cases
}

// taking connects a client that takes packets of so many bytes.
func taking(t *suite.T, limit uint32) *suite.Client {
	return t.Connect(suite.WithProps(func(p mqtt.Props) mqtt.Props {
		return p.AppendUint32(mqtt.MaximumPacketSize, limit)
	}))
}

// acksKeepSize draws acknowledgements of every type and judges those of one.
func acksKeepSize(t *suite.T, kind mqtt.Type) {
	t.NeedQoS(mqtt.ExactlyOnce)
	limit := connackBytes(t)
	c := taking(t, limit)
	judge := func(want mqtt.Type) {
		if frame := c.Expect(want); want == kind {
			wantSize(t, frame, limit)
		}
	}
	topic := t.Topic("a")
	odd := mqtt.Publish{Topic: []byte(topic), Payload: []byte{0xFF, 0xFE}, QoS: mqtt.AtLeastOnce,
		PacketID: 2}
	odd.Props = odd.Props.AppendByte(mqtt.PayloadFormatIndicator, 1)
	good := message(topic, "m", mqtt.AtLeastOnce)
	good.PacketID = 1
	for _, p := range []mqtt.Publish{good, odd} {
		c.SendPacket(&p)
		judge(mqtt.PUBACK)
		p.QoS = mqtt.ExactlyOnce
		c.SendPacket(&p)
		judge(mqtt.PUBREC)
		c.SendPacket(&mqtt.Ack{Type: mqtt.PUBREL, PacketID: p.PacketID})
		judge(mqtt.PUBCOMP)
	}
	if kind == mqtt.PUBCOMP {
		c.SendPacket(&mqtt.Ack{Type: mqtt.PUBREL, PacketID: 77})
		judge(mqtt.PUBCOMP)
	}
}

func pubrelKeepsSize(t *suite.T) {
	t.NeedQoS(mqtt.ExactlyOnce)
	topic := t.Topic("")
	m := message(topic, "m", mqtt.ExactlyOnce)
	limit := max(connackBytes(t), uint32(m.Size(mqtt.V5))+8) // some for the server's properties
	c := taking(t, limit)
	c.Subscribe(topic, mqtt.ExactlyOnce)
	t.Connect().Publish(m)
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
