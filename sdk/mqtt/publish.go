package mqtt

import "encoding/binary"

// Publish carries an application message (section 3.3). Its bytes are borrowed from the decoded
// frame.
type Publish struct {
	Dup, Retain bool
	QoS         QoS
	PacketID    uint16 // 0 at QoS 0 [MQTT-2.2.1-2]
	// Topic is empty only in 5.0 with a topic alias.
	Topic, Payload []byte
	Props          Props
}

// The flags of PUBLISH (section 3.3.1).
const (
	publishRetain   = 1 << 0
	publishQoS      = 3 << 1
	publishDup      = 1 << 3
	publishQoSShift = 1
)

// Decode reads a PUBLISH of version v. Nothing is copied or allocated. Whether a client may send
// subscription identifiers [MQTT-3.3.4-6] or this topic alias [MQTT-3.3.2-9] is not checked here.
//
// It is the way of every message, so it is written without reader. After an error p is undefined.
func (p *Publish) Decode(v Version, frame []byte) error {
	b, err := open(frame, PUBLISH, v)
	if err != nil {
		return err
	}
	if err = p.flags(frame[0]); err != nil {
		return err
	}
	if len(b) < 2 {
		return errShort
	}
	at := 2 + int(binary.BigEndian.Uint16(b))
	if at > len(b) {
		return errShort
	}
	p.Topic = b[2:at:at]
	if err = checkName(p.Topic); err != nil {
		return err
	}
	p.PacketID = 0
	if p.QoS > AtMostOnce {
		if at+2 > len(b) {
			return errShort
		}
		if p.PacketID = binary.BigEndian.Uint16(b[at:]); p.PacketID == 0 {
			return errPacketID
		}
		at += 2
	}
	if v == V5 {
		return p.decodeProps(b[at:])
	}
	p.Props, p.Payload = nil, b[at:]
	if len(p.Topic) == 0 {
		return errNoName
	}
	return nil
}

func (p *Publish) flags(first byte) *Error {
	p.Dup, p.Retain = first&publishDup != 0, first&publishRetain != 0
	p.QoS = QoS(first & publishQoS >> publishQoSShift)
	if p.QoS > ExactlyOnce {
		return errQoS3
	}
	if first&(publishDup|publishQoS) == publishDup {
		return errDupQoS0
	}
	return nil
}

// decodeProps reads properties and payload.
func (p *Publish) decodeProps(b []byte) error {
	if len(b) > 0 && b[0] == 0 && len(p.Topic) > 0 {
		p.Props, p.Payload = nil, b[1:]
		return nil
	}
	r := reader{rest: b}
	var seen uint64
	p.Props, seen = r.props(PUBLISH)
	p.Payload = r.rest
	switch {
	case r.err != nil:
		return r.err
	case len(p.Topic) == 0 && seen&(1<<TopicAlias) == 0:
		return errNoTopic
	}
	return nil
}

// Append appends the packet in version v.
func (p *Publish) Append(dst []byte, v Version) []byte {
	first := byte(PUBLISH)<<4 | byte(p.QoS)<<publishQoSShift
	if p.Dup {
		first |= publishDup
	}
	if p.Retain {
		first |= publishRetain
	}
	dst = appendHeader(dst, first, p.remaining(v))
	dst = appendBinary(dst, p.Topic)
	if p.QoS > AtMostOnce {
		dst = appendUint16(dst, p.PacketID)
	}
	if v == V5 {
		dst = appendProps(dst, p.Props)
	}
	return append(dst, p.Payload...)
}

// Size is the bytes of the whole packet in version v, what Append will add.
func (p *Publish) Size(v Version) int {
	n := p.remaining(v)
	return 1 + varintSize(n) + n
}

// remaining is the remaining length.
func (p *Publish) remaining(v Version) int {
	n := 2 + len(p.Topic) + len(p.Payload) + propsSize(p.Props, v)
	if p.QoS > AtMostOnce {
		n += 2
	}
	return n
}

// PublishPacketIDOffset is where the packet identifier stands in frame, an encoded PUBLISH, as two
// bytes with the high one first; 0 at QoS 0, which has none. It serves a sender that encodes a
// message once and patches the identifier for each receiver.
func PublishPacketIDOffset(frame []byte) int {
	if frame[0]&publishQoS == 0 {
		return 0
	}
	_, n := varint(frame[1:])
	at := 1 + n
	return at + 2 + int(binary.BigEndian.Uint16(frame[at:]))
}
