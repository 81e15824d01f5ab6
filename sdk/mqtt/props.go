package mqtt

import "encoding/binary"

// Props are the properties of a 5.0 packet as on the wire, without their length. Those a Decode
// gives are valid, and borrowed as the frame is; nil has no properties. Looking up walks them from
// the front, which for the handful a packet has is faster than any index.
type Props []byte

// next splits the first property off p. value has no length in front for strings and binary; of a
// user property it is both strings with their lengths. ok is false at the end and where p is not
// properties.
func (p Props) next() (id PropID, value []byte, rest Props, ok bool) {
	if len(p) == 0 || int(p[0]) >= len(props) {
		return 0, nil, nil, false
	}
	id, p = PropID(p[0]), p[1:]
	from, to := 0, -1
	switch props[id].kind {
	case kindByte:
		to = 1
	case kindUint16:
		to = 2
	case kindUint32:
		to = 4
	case kindVarInt:
		if _, n := varint(p); n > 0 {
			to = n
		}
	case kindText, kindBinary:
		from, to = 2, lengthAt(p, 0)
	case kindPair:
		if to = lengthAt(p, 0); to > 0 {
			to = lengthAt(p, to)
		}
	}
	if to < 0 || to > len(p) {
		return 0, nil, nil, false
	}
	return id, p[from:to:to], p[to:], true
}

// lengthAt is where the string ends whose length stands at p[at], -1 if p has no length there.
func lengthAt(p []byte, at int) int {
	if len(p) < at+2 {
		return -1
	}
	return at + 2 + int(binary.BigEndian.Uint16(p[at:]))
}

// find is the value of the first property id.
func (p Props) find(id PropID) ([]byte, bool) {
	for {
		at, value, rest, ok := p.next()
		if !ok {
			return nil, false
		}
		if at == id {
			return value, true
		}
		p = rest
	}
}

// Byte is the value of the first property id, false if there is none.
func (p Props) Byte(id PropID) (byte, bool) {
	b, ok := p.find(id)
	if !ok || len(b) != 1 {
		return 0, false
	}
	return b[0], true
}

// Uint16 is the value of the first property id, false if there is none.
func (p Props) Uint16(id PropID) (uint16, bool) {
	b, ok := p.find(id)
	if !ok || len(b) != 2 {
		return 0, false
	}
	return binary.BigEndian.Uint16(b), true
}

// Uint32 is the value of the first property id, false if there is none.
func (p Props) Uint32(id PropID) (uint32, bool) {
	b, ok := p.find(id)
	if !ok || len(b) != 4 {
		return 0, false
	}
	return binary.BigEndian.Uint32(b), true
}

// VarInt is the value of the first property id, false if there is none.
func (p Props) VarInt(id PropID) (uint32, bool) {
	b, ok := p.find(id)
	if !ok || int(id) >= len(props) || props[id].kind != kindVarInt {
		return 0, false
	}
	v, _ := varint(b)
	return v, true
}

// Bytes is the value of the first string or binary property id, false if there is none. It may be
// empty, and is borrowed as p is.
func (p Props) Bytes(id PropID) ([]byte, bool) {
	b, ok := p.find(id)
	return b, ok
}

// Each calls visit for every property in order until it answers false. value is as on the wire,
// without the length of strings and binary; of a user property it is both strings with their
// lengths, see Users. value is borrowed as p is.
func (p Props) Each(visit func(id PropID, value []byte) bool) {
	for {
		id, value, rest, ok := p.next()
		if !ok || !visit(id, value) {
			return
		}
		p = rest
	}
}

// Users calls visit for every user property in order until it answers false. name and value are
// borrowed as p is.
func (p Props) Users(visit func(name, value []byte) bool) {
	for {
		id, value, rest, ok := p.next()
		if !ok {
			return
		}
		if id == UserProperty {
			n := lengthAt(value, 0)
			if !visit(value[2:n:n], value[n+2:]) {
				return
			}
		}
		p = rest
	}
}

// SubscriptionIdentifiers calls visit for every subscription identifier in order until it answers
// false. A PUBLISH of a server may have several [MQTT-3.3.4-4].
func (p Props) SubscriptionIdentifiers(visit func(id uint32) bool) {
	for {
		id, value, rest, ok := p.next()
		if !ok {
			return
		}
		if id == SubscriptionIdentifier {
			if v, _ := varint(value); !visit(v) {
				return
			}
		}
		p = rest
	}
}
