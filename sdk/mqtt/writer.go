package mqtt

import (
	"encoding/binary"
	"slices"
)

// appendHeader appends the fixed header of a packet with n bytes behind it, and makes room for
// these.
func appendHeader(dst []byte, first byte, n int) []byte {
	dst = slices.Grow(dst, 5+n)
	return appendVarint(append(dst, first), n)
}

// appendVarint appends n as a variable byte integer in its fewest bytes [MQTT-1.5.5-1].
func appendVarint(dst []byte, n int) []byte {
	if n > VarIntMax {
		panic("mqtt: variable byte integer over 268,435,455")
	}
	for n >= 0x80 {
		dst = append(dst, byte(n)|0x80)
		n >>= 7
	}
	return append(dst, byte(n))
}

func appendUint16(dst []byte, v uint16) []byte { return binary.BigEndian.AppendUint16(dst, v) }

// appendBinary appends b behind its length.
func appendBinary(dst, b []byte) []byte {
	if len(b) > TextBytesMax {
		panic("mqtt: string over 65,535 bytes")
	}
	return append(appendUint16(dst, uint16(len(b))), b...)
}

// appendProps appends p behind its length [MQTT-2.2.2-1].
func appendProps(dst []byte, p Props) []byte {
	return append(appendVarint(dst, len(p)), p...)
}

// propsSize is the bytes of p with its length in version v, 0 before 5.0.
func propsSize(p Props, v Version) int {
	if v != V5 {
		return 0
	}
	return varintSize(len(p)) + len(p)
}
