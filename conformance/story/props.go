package story

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// kind is how the value of a property stands on the wire (1.5).
type kind byte

const (
	kindByte kind = iota
	kindUint16
	kindUint32
	kindVarInt
	kindString
	kindBinary
	kindPair
)

type property struct {
	id   byte
	name string
	kind kind
}

// properties is table 2-4 of MQTT 5 in order of identifiers, the order they are printed in.
func properties() []property {
	return []property{
		{1, "payload-format", kindByte}, {2, "message-expiry", kindUint32},
		{3, "content-type", kindString}, {8, "response-topic", kindString},
		{9, "correlation", kindBinary}, {11, "sub-id", kindVarInt},
		{17, "session-expiry", kindUint32}, {18, "assigned-id", kindString},
		{19, "server-keepalive", kindUint16}, {21, "auth-method", kindString},
		{22, "auth-data", kindBinary}, {23, "request-problem", kindByte},
		{24, "will-delay", kindUint32}, {25, "request-response", kindByte},
		{26, "response-info", kindString}, {28, "server-reference", kindString},
		{31, "reason-string", kindString}, {33, "receive-max", kindUint16},
		{34, "alias-max", kindUint16}, {35, "alias", kindUint16}, {36, "qos-max", kindByte},
		{37, "retain-available", kindByte}, {38, "user", kindPair}, {39, "packet-max", kindUint32},
		{40, "wildcard-available", kindByte}, {41, "sub-id-available", kindByte},
		{42, "shared-available", kindByte},
	}
}

func propertyNamed(name string) (property, bool) {
	for _, p := range properties() {
		if p.name == name {
			return p, true
		}
	}
	return property{}, false
}

// appendProperty encodes one property from its value in a script.
func appendProperty(dst []byte, p property, value string) ([]byte, error) {
	dst = append(dst, p.id)
	switch p.kind {
	case kindString, kindBinary:
		return appendString(dst, value), nil
	case kindPair:
		name, v, ok := strings.Cut(value, ":")
		if !ok {
			return nil, fmt.Errorf("user property %q is not name:value", value)
		}
		return appendString(appendString(dst, name), v), nil
	}
	n, err := number(value)
	if err != nil {
		return nil, fmt.Errorf("property %s: %w", p.name, err)
	}
	switch p.kind {
	case kindByte:
		return append(dst, byte(n)), nil
	case kindUint16:
		return binary.BigEndian.AppendUint16(dst, uint16(n)), nil
	case kindVarInt:
		return appendVarInt(dst, int(n)), nil
	}
	return binary.BigEndian.AppendUint32(dst, uint32(n)), nil
}

func appendString(dst []byte, s string) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(s)))
	return append(dst, s...)
}

func appendVarInt(dst []byte, n int) []byte {
	for n > 0x7f {
		dst = append(dst, byte(n)|0x80)
		n >>= 7
	}
	return append(dst, byte(n))
}

// shown is one property of a packet from the broker, ready to print.
type shown struct {
	id   byte
	name string
	text string
}

// readProperties takes the properties with their length off the front of r, in order of their
// identifiers; those that share one stay in the order they came in [MQTT-3.3.2-18].
func readProperties(r *reader) []shown {
	length := r.varint()
	if length > len(r.b) {
		r.err = errors.New("properties longer than the packet")
		return nil
	}
	in := &reader{b: r.b[:length]}
	r.b = r.b[length:]
	var out []shown
	for len(in.b) > 0 && in.err == nil {
		out = append(out, readProperty(in))
	}
	if in.err != nil {
		r.err = in.err
	}
	slices.SortStableFunc(out, func(a, b shown) int { return int(a.id) - int(b.id) })
	return out
}

func readProperty(r *reader) shown {
	id := r.byte()
	table := properties()
	i := slices.IndexFunc(table, func(p property) bool { return p.id == id })
	if i < 0 {
		r.err = fmt.Errorf("unknown property 0x%02x", id)
		return shown{}
	}
	s := shown{id: id, name: table[i].name}
	switch table[i].kind {
	case kindByte:
		s.text = strconv.Itoa(int(r.byte()))
	case kindUint16:
		s.text = strconv.Itoa(int(r.uint16()))
	case kindUint32:
		s.text = strconv.FormatUint(uint64(r.uint32()), 10)
	case kindVarInt:
		s.text = strconv.Itoa(r.varint())
	case kindString, kindBinary:
		s.text = word(r.string())
	case kindPair:
		name := r.string()
		s.text = word(name + ":" + r.string())
	}
	return s
}

// word prints a text as a script would have it: bare if it can be, else quoted.
func word(s string) string {
	odd := func(c rune) bool { return c <= ' ' || c > '~' || c == '"' }
	if s == "" || strings.ContainsFunc(s, odd) {
		return quote(s)
	}
	return s
}

// quote prints a payload: quoted, and short if it is one byte many times.
func quote(s string) string {
	if len(s) > 40 && strings.Count(s, s[:1]) == len(s) {
		return strconv.Quote(s[:1]) + "*" + strconv.Itoa(len(s))
	}
	return strconv.Quote(s)
}

// unhex answers the bytes of hexadecimal digits.
func unhex(s string) ([]byte, error) {
	return hex.DecodeString(s)
}
