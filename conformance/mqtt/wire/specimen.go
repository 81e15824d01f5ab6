package wire

import (
	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// specimen is a good packet of a client, in a place where it may stand. The cases take it, change
// one thing and see what the server does.
type specimen struct {
	name   string
	typ    mqtt.Type
	target string
	// prepare makes a connection that waits for the packet, which is not sent.
	prepare func(b *bench) (*suite.Client, parts)
}

// specimens are the packets that a client may send; that of will is a CONNECT whose property block
// is that of the will.
func specimens() []specimen {
	return []specimen{
		{"connect", mqtt.CONNECT, "", connectParts},
		{"will", mqtt.CONNECT, "", willParts},
		{"publish", mqtt.PUBLISH, "", publishParts(mqtt.AtMostOnce)},
		{"publish-qos-1", mqtt.PUBLISH, "", publishParts(mqtt.AtLeastOnce)},
		{"publish-qos-2", mqtt.PUBLISH, "", publishParts(mqtt.ExactlyOnce)},
		{"puback", mqtt.PUBACK, "", pubackParts},
		{"pubrec", mqtt.PUBREC, "", pubrecParts},
		{"pubrel", mqtt.PUBREL, "", pubrelParts},
		{"pubcomp", mqtt.PUBCOMP, "", pubcompParts},
		{"subscribe", mqtt.SUBSCRIBE, "", subscribeParts},
		{"unsubscribe", mqtt.UNSUBSCRIBE, "", unsubscribeParts},
		{"pingreq", mqtt.PINGREQ, "", pingreqParts},
		{"disconnect", mqtt.DISCONNECT, "", disconnectParts},
		{"auth", mqtt.AUTH, suite.Enhanced, authParts},
	}
}

// versions are those that have the packet and say what is wrong with it: 3.1 hardly does.
func (s *specimen) versions() []mqtt.Version {
	if s.typ == mqtt.AUTH {
		return []mqtt.Version{mqtt.V5}
	}
	return strict()
}

// blocked is true for packets that have properties in 5.0.
func (s *specimen) blocked() bool { return s.typ != mqtt.PINGREQ }

// strict are the versions that say what a receiver does about an error.
func strict() []mqtt.Version { return []mqtt.Version{mqtt.V311, mqtt.V5} }

// only5 is for what 5.0 alone has.
func only5() []mqtt.Version { return []mqtt.Version{mqtt.V5} }

// errorCodes are what a server may say of a malformed packet or a protocol error, beside more of
// its own: 0x80 stands for what it does not want to tell.
func errorCodes(more ...mqtt.ReasonCode) []mqtt.ReasonCode {
	return append(more, mqtt.MalformedPacket, mqtt.ProtocolError, mqtt.UnspecifiedError)
}

// opening is a CONNECT up to the property block, and what stands behind the client identifier.
func opening(b *bench, flags byte) (head, id, tail []byte) {
	p := b.t.Connecting()
	flags |= 0x02
	if p.HasUsername {
		flags |= 0x80
		tail = text(string(p.Username))
	}
	if p.HasPassword {
		flags |= 0x40
		tail = join(tail, text(string(p.Password)))
	}
	name := "MQTT"
	if p.Version == mqtt.V31 {
		name = "MQIsdp"
	}
	head = join(text(name), []byte{byte(p.Version), flags}, number(p.KeepAlive))
	return head, text(string(p.ClientID)), tail
}

func connectParts(b *bench) (*suite.Client, parts) {
	head, id, tail := opening(b, 0)
	return b.t.Dial(), parts{first: 0x10, head: head, blocked: b.t.V5(), tail: join(id, tail)}
}

func willParts(b *bench) (*suite.Client, parts) {
	head, id, tail := opening(b, 0x04)
	if b.t.V5() {
		head = append(head, 0)
	}
	return b.t.Dial(), parts{first: 0x10, head: join(head, id), blocked: b.t.V5(),
		tail: join(text(b.t.Topic("will")), text("gone"), tail)}
}

func publishParts(q mqtt.QoS) func(b *bench) (*suite.Client, parts) {
	return func(b *bench) (*suite.Client, parts) {
		b.t.NeedQoS(q)
		c := b.t.Connect()
		p := parts{first: 0x30 | byte(q)<<1, head: text(b.t.Topic("t")), blocked: b.t.V5(),
			tail: []byte("payload")}
		if q > 0 {
			p.head = join(p.head, number(c.NextPacketID()))
		}
		whole := len(p.head) + len(p.block())
		p.ends = func(n int) bool { return n >= whole }
		return c, p
	}
}

// ackParts are those of PUBACK, PUBREC, PUBREL and PUBCOMP, which may end behind the identifier, or
// behind the reason code.
func ackParts(b *bench, first byte, id uint16) parts {
	p := parts{first: first, head: number(id), blocked: b.t.V5()}
	if p.blocked {
		p.head = append(p.head, 0)
		p.ends = func(n int) bool { return n == 2 || n == 3 }
	}
	return p
}

func pubackParts(b *bench) (*suite.Client, parts) {
	c, id := b.delivered(mqtt.AtLeastOnce)
	return c, ackParts(b, 0x40, id)
}

func pubrecParts(b *bench) (*suite.Client, parts) {
	c, id := b.delivered(mqtt.ExactlyOnce)
	return c, ackParts(b, 0x50, id)
}

func pubcompParts(b *bench) (*suite.Client, parts) {
	c, id := b.delivered(mqtt.ExactlyOnce)
	c.SendPacket(&mqtt.Ack{Type: mqtt.PUBREC, PacketID: id})
	c.ReadAck(mqtt.PUBREL, id)
	return c, ackParts(b, 0x70, id)
}

func pubrelParts(b *bench) (*suite.Client, parts) {
	b.t.NeedQoS(mqtt.ExactlyOnce)
	c := b.t.Connect()
	id := c.NextPacketID()
	c.SendPacket(&mqtt.Publish{Topic: []byte(b.t.Topic("t")), QoS: mqtt.ExactlyOnce, PacketID: id})
	c.ReadAck(mqtt.PUBREC, id)
	return c, ackParts(b, 0x62, id)
}

func subscribeParts(b *bench) (*suite.Client, parts) {
	c := b.t.Connect()
	return c, parts{first: 0x82, head: number(c.NextPacketID()), blocked: b.t.V5(),
		tail: join(text(b.t.Topic("t")), []byte{0})}
}

func unsubscribeParts(b *bench) (*suite.Client, parts) {
	c := b.t.Connect()
	return c, parts{first: 0xA2, head: number(c.NextPacketID()), blocked: b.t.V5(),
		tail: text(b.t.Topic("t"))}
}

func pingreqParts(b *bench) (*suite.Client, parts) { return b.t.Connect(), parts{first: 0xC0} }

// disconnectParts has a will, by which is seen whether the server took the DISCONNECT as one.
func disconnectParts(b *bench) (*suite.Client, parts) {
	c := b.willing()
	if !b.t.V5() {
		return c, parts{first: 0xE0}
	}
	return c, parts{first: 0xE0, head: []byte{0}, blocked: true,
		ends: func(n int) bool { return n < 2 }}
}
