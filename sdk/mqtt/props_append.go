package mqtt

import "encoding/binary"

// AppendByte appends property id with value v. The kind of value must be the one the standard has
// for id; this holds for all AppendX here, and anything else is a bug of the caller.
func (p Props) AppendByte(id PropID, v byte) Props { return append(p, byte(id), v) }

// AppendUint16 appends property id with value v.
func (p Props) AppendUint16(id PropID, v uint16) Props {
	return binary.BigEndian.AppendUint16(append(p, byte(id)), v)
}

// AppendUint32 appends property id with value v.
func (p Props) AppendUint32(id PropID, v uint32) Props {
	return binary.BigEndian.AppendUint32(append(p, byte(id)), v)
}

// AppendVarInt appends property id with value v, at most VarIntMax.
func (p Props) AppendVarInt(id PropID, v uint32) Props {
	return appendVarint(append(p, byte(id)), int(v))
}

// AppendBytes appends the string or binary property id, at most TextBytesMax long.
func (p Props) AppendBytes(id PropID, v []byte) Props {
	return appendBinary(append(p, byte(id)), v)
}

// AppendUser appends a user property, each half at most TextBytesMax long.
func (p Props) AppendUser(name, value []byte) Props {
	return appendBinary(appendBinary(append(p, byte(UserProperty)), name), value)
}

// AppendForward appends to dst those properties of a PUBLISH or will that a server must pass on
// unaltered and in order: payload format [MQTT-3.3.2-4], response topic [MQTT-3.3.2-15],
// correlation data [MQTT-3.3.2-16], user properties [MQTT-3.3.2-17] [MQTT-3.3.2-18] and content
// type [MQTT-3.3.2-20].
func (p Props) AppendForward(dst Props) Props {
	for {
		id, _, rest, ok := p.next()
		if !ok {
			return dst
		}
		if props[id].forward {
			dst = append(dst, p[:len(p)-len(rest)]...)
		}
		p = rest
	}
}
