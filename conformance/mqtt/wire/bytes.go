package wire

import (
	"encoding/binary"
	"encoding/hex"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// packet is a control packet of these bytes, with its remaining length.
func packet(first byte, body []byte) []byte {
	return append(append([]byte{first}, varint(len(body))...), body...)
}

// varint is a variable byte integer.
func varint(n int) []byte {
	var b []byte
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

// text is a string, or binary data, with its length.
func text(s string) []byte {
	return append(number(uint16(len(s))), s...)
}

// number is a two byte integer.
func number(n uint16) []byte { return binary.BigEndian.AppendUint16(nil, n) }

// join is one slice of its own.
func join(parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// prop is a property of these bytes.
func prop(id mqtt.PropID, value ...[]byte) []byte {
	return append([]byte{byte(id)}, join(value...)...)
}

// user is a user property.
func user(name, value string) []byte { return prop(mqtt.UserProperty, text(name), text(value)) }

// parts are a control packet taken apart.
type parts struct {
	first byte
	head  []byte // before the property block
	// blocked is true for a packet with a property block, 5.0 only. props is what is in the block;
	// raw stands in place of the block with its length, if it is not nil.
	blocked    bool
	props, raw []byte
	tail       []byte // behind the property block
	// ends says whether the packet may as well end after n bytes of its body; nil: it may not.
	ends func(n int) bool
}

// block is the property block with its length.
func (p parts) block() []byte {
	switch {
	case !p.blocked:
		return nil
	case p.raw != nil:
		return p.raw
	}
	return join(varint(len(p.props)), p.props)
}

func (p parts) body() []byte { return join(p.head, p.block(), p.tail) }

// frame is the whole packet.
func (p parts) frame() []byte { return packet(p.first, p.body()) }

// with is the packet with these properties beside its own.
func (p parts) with(props ...[]byte) parts {
	p.props = join(p.props, join(props...))
	return p
}

// around is the packet with these bytes in place of its property block.
func (p parts) around(raw []byte) parts {
	p.raw = raw
	return p
}

// unhex is the bytes of a table.
func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic("wire: a table with " + s)
	}
	return b
}
