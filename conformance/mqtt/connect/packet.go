package connect

import (
	"encoding/binary"
	"slices"

	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// The connect flags (section 3.1.2.3 of both standards).
const (
	flagReserved   = 1 << 0
	flagClean      = 1 << 1
	flagWill       = 1 << 2
	flagWillQoS1   = 1 << 3
	flagWillQoS2   = 2 << 3
	flagWillQoS3   = 3 << 3
	flagWillRetain = 1 << 5
	flagPassword   = 1 << 6
	flagUsername   = 1 << 7
)

// packet is a CONNECT in parts, so that a case can spoil any of them. A part that is nil is left
// out.
type packet struct {
	name      []byte // with its length, as all texts here
	level     byte
	flags     byte
	keepAlive uint16
	props     []byte // nil before 5.0
	id        []byte
	willProps []byte
	willTopic []byte
	will      []byte
	username  []byte
	password  []byte
	tail      []byte
	whole     []byte // in place of all of them, if it is not nil
}

// good is a CONNECT without fault.
func good(t *suite.T) *packet {
	p := t.Connecting()
	g := &packet{name: text("MQTT"), level: byte(p.Version), flags: flagClean, keepAlive: 60,
		id: text(string(p.ClientID))}
	switch p.Version {
	case mqtt.V31:
		g.name = text("MQIsdp")
	case mqtt.V5:
		g.props = properties()
	}
	if p.HasUsername {
		g.flags |= flagUsername | flagPassword
		g.username, g.password = text(string(p.Username)), text(string(p.Password))
	}
	return g
}

// setWill gives the packet a will without fault.
func (p *packet) setWill(topic, payload string) {
	p.flags |= flagWill
	if p.level == byte(mqtt.V5) {
		p.willProps = properties()
	}
	p.willTopic, p.will = text(topic), text(payload)
}

// withoutUser takes user name and password away.
func (p *packet) withoutUser() {
	p.flags &^= flagUsername | flagPassword
	p.username, p.password = nil, nil
}

// bytes are the whole packet, with the remaining length that it has.
func (p *packet) bytes() []byte {
	b := p.whole
	if b == nil {
		b = append(b, p.name...)
		b = binary.BigEndian.AppendUint16(append(b, p.level, p.flags), p.keepAlive)
		b = slices.Concat(b, p.props, p.id, p.willProps, p.willTopic, p.will, p.username,
			p.password, p.tail)
	}
	return append(varint([]byte{byte(mqtt.CONNECT) << 4}, len(b)), b...)
}

// text is a string or binary field with its length.
func text(s string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(s))), s...)
}

// properties are properties with their length.
func properties(list ...[]byte) []byte {
	var b []byte
	for _, p := range list {
		b = append(b, p...)
	}
	return append(varint(nil, len(b)), b...)
}

// property is one property by its bytes.
func property(id mqtt.PropID, value ...byte) []byte { return append([]byte{byte(id)}, value...) }

// textProperty is one property that is a string or binary.
func textProperty(id mqtt.PropID, s string) []byte { return property(id, text(s)...) }

// userProperty is one user property.
func userProperty(name, value string) []byte {
	return property(mqtt.UserProperty, append(text(name), text(value)...)...)
}

func varint(b []byte, n int) []byte {
	for n >= 0x80 {
		b = append(b, byte(n)|0x80)
		n >>= 7
	}
	return append(b, byte(n))
}
