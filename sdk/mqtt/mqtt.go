// Package mqtt knows the 15 control packets of MQTT 3.1, 3.1.1 and 5.0 as bytes: how long a packet
// is, what its fields are, whether it is well formed, and how to write one. Decoding gives views
// over the borrowed bytes of the packet; encoding appends to the caller's slice. It does not know
// connections, sessions, time, topic filters beyond their being text, or what a broker does with a
// packet; rules that need state (identifiers in use, negotiated limits, who may send what) are not
// checked here.
//
// Clauses in brackets are those of MQTT 5.0 unless 3.1.1 is named.
package mqtt

// Version is a protocol version by its level byte in CONNECT [MQTT-3.1.2-2].
type Version byte

// The versions this package speaks.
const (
	V31  Version = 3
	V311 Version = 4
	V5   Version = 5
)

// String is the version as the standards call themselves.
func (v Version) String() string {
	switch v {
	case V31:
		return "3.1"
	case V311:
		return "3.1.1"
	case V5:
		return "5.0"
	}
	return "unknown"
}

// Type is a control packet type, the high half of the first byte of a packet.
type Type byte

// The control packet types (section 2.1.2). AUTH is 5.0 only.
const (
	CONNECT Type = iota + 1
	CONNACK
	PUBLISH
	PUBACK
	PUBREC
	PUBREL
	PUBCOMP
	SUBSCRIBE
	SUBACK
	UNSUBSCRIBE
	UNSUBACK
	PINGREQ
	PINGRESP
	DISCONNECT
	AUTH
)

// typeNames is read only.
var typeNames = [16]string{
	"reserved", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP",
	"SUBSCRIBE", "SUBACK", "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH",
}

// String is the name of the type as in the standard.
func (t Type) String() string { return typeNames[t&15] }

// flags are the low half of the first byte that the standard fixes for t [MQTT-2.1.3-1].
func (t Type) flags() byte {
	if t == PUBREL || t == SUBSCRIBE || t == UNSUBSCRIBE {
		return 0b0010
	}
	return 0
}

// QoS is a quality of service level, 0 to 2.
type QoS byte

// The levels of section 4.3.
const (
	AtMostOnce QoS = iota
	AtLeastOnce
	ExactlyOnce
)

// TextBytesMax is the most bytes a string or binary field can hold (section 1.5.4). Appending a
// longer one is a bug of the caller and panics.
const TextBytesMax = 65535

// VarIntMax is the largest variable byte integer (section 1.5.5), and so the most bytes a packet
// has behind its fixed header.
const VarIntMax = 268435455
