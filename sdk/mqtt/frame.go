package mqtt

// Frame is the number of bytes of the first packet in b with its fixed header, or 0 if b does not
// hold all of it yet. A packet of more than sizeMax bytes is PacketTooLarge as soon as its length
// is known; 0 is no limit. The error is an *Error; after it nothing in b can be trusted.
func Frame(b []byte, sizeMax uint32) (n int, err error) {
	if len(b) == 0 {
		return 0, nil
	}
	if b[0] < 1<<4 {
		return 0, errType
	}
	length, n := varint(b[1:])
	if n <= 0 {
		if n < 0 {
			return 0, errVarInt
		}
		return 0, nil
	}
	n += 1 + int(length)
	if sizeMax != 0 && uint32(n) > sizeMax {
		return 0, errTooLarge
	}
	if n > len(b) {
		return 0, nil
	}
	return n, nil
}

// TypeOf is the type of the packet that frame begins. frame must not be empty.
func TypeOf(frame []byte) Type { return Type(frame[0] >> 4) }

// open checks the fixed header of frame but its flags and answers what is behind it. The reserved
// flags of PUBLISH are its own; all others go by openFixed.
func open(frame []byte, t Type, v Version) ([]byte, *Error) {
	if len(frame) < 2 {
		return nil, errShort
	}
	if TypeOf(frame) != t {
		return nil, errNotThis
	}
	if rest := frame[2:]; int(frame[1]) == len(rest) && len(rest) < 0x80 {
		return rest, nil
	}
	if rest := frame[2:]; len(rest) >= 1<<7 && len(rest) <= 1<<14 {
		// Two bytes of length, the high one not zero: most of what does not fit in one.
		n := len(rest) - 1
		if high := rest[0]; high != 0 && frame[1] == byte(n)|0x80 && int(high) == n>>7 {
			return rest[1:], nil
		}
	}
	return openLong(frame[1:], v)
}

// openLong is open for a length of several bytes, b being all behind the first byte.
func openLong(b []byte, v Version) ([]byte, *Error) {
	length, n := varint(b)
	switch {
	case n < 0:
		return nil, errVarInt
	case n == 0 || int(length) != len(b)-n:
		return nil, errLength
	case n > 1 && b[n-1] == 0 && v == V5:
		// 3.1.1 does not ask for the fewest bytes, and devices exist that reserve two.
		return nil, errVarIntShort
	}
	return b[n:], nil
}

// openFixed is open for packets whose flags the standard fixes [MQTT-2.1.3-1]. In 3.1 they were
// "not used", or a DUP for resent requests, and are not looked at.
func openFixed(frame []byte, t Type, v Version) reader {
	rest, err := open(frame, t, v)
	if err == nil && v != V31 && frame[0]&15 != t.flags() {
		rest, err = nil, errFlags
	}
	return reader{rest: rest, err: err}
}

// varint reads a variable byte integer. n is its bytes, 0 if b ends before it does, -1 if it does
// not end within four bytes.
func varint(b []byte) (value uint32, n int) {
	if len(b) >= 2 && b[1] < 0x80 { // a short one is nearly all there is
		if b[0] < 0x80 {
			return uint32(b[0]), 1
		}
		return uint32(b[0]&0x7F) | uint32(b[1])<<7, 2
	}
	for i, c := range b {
		value |= uint32(c&0x7F) << (7 * i)
		if c < 0x80 {
			return value, i + 1
		}
		if i == 3 {
			return 0, -1
		}
	}
	return 0, 0
}

// varintSize is the bytes of value as a variable byte integer.
func varintSize(value int) int {
	switch {
	case value < 1<<7:
		return 1
	case value < 1<<14:
		return 2
	case value < 1<<21:
		return 3
	}
	return 4
}
