package mqtt

import "encoding/binary"

// reader takes fields off the front of a packet. After the first error it gives zero values, so
// that a decoder may read on and look at err once.
type reader struct {
	rest []byte
	err  *Error
}

// fail keeps the first error.
func (r *reader) fail(err *Error) {
	if r.err == nil {
		r.err = err
	}
	r.rest = nil
}

func (r *reader) byte() byte {
	if len(r.rest) < 1 {
		r.fail(errShort)
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

func (r *reader) uint16() uint16 {
	if len(r.rest) < 2 {
		r.fail(errShort)
		return 0
	}
	v := binary.BigEndian.Uint16(r.rest)
	r.rest = r.rest[2:]
	return v
}

// packetID reads a packet identifier, which is never zero [MQTT-2.2.1-3].
func (r *reader) packetID() uint16 {
	id := r.uint16()
	if id == 0 {
		r.fail(errPacketID)
	}
	return id
}

// binary reads bytes behind their length of two bytes.
func (r *reader) binary() []byte {
	n := int(r.uint16())
	if n > len(r.rest) {
		r.fail(errShort)
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) text() []byte {
	b := r.binary()
	if err := checkText(b); err != nil {
		r.fail(err)
	}
	return b
}

// name reads a topic name that must not be empty [MQTT-4.7.3-1].
func (r *reader) name() []byte {
	b := r.binary()
	if r.err != nil {
		return nil
	}
	if err := checkName(b); err != nil {
		r.fail(err)
	} else if len(b) == 0 {
		r.fail(errNoName)
	}
	return b
}

// props reads the properties of a packet of type in, which is willProps for those of a will. seen
// has a bit for each property there is.
func (r *reader) props(in Type) (p Props, seen uint64) {
	length, n := varint(r.rest)
	switch {
	case r.err != nil:
		return nil, 0
	case n == 0 || n > 0 && int(length) > len(r.rest)-n:
		r.fail(errPropLength)
		return nil, 0
	case n < 0:
		r.fail(errVarInt)
		return nil, 0
	case n > 1 && r.rest[n-1] == 0:
		r.fail(errVarIntShort)
		return nil, 0
	}
	end := n + int(length)
	p = Props(r.rest[n:end:end])
	r.rest = r.rest[end:]
	seen, err := p.check(in)
	if err != nil {
		r.fail(err)
	}
	return p, seen
}

// end answers the first error, or that bytes are left.
func (r *reader) end() error {
	if r.err == nil && len(r.rest) != 0 {
		r.err = errTrailing
	}
	if r.err != nil {
		return r.err
	}
	return nil
}
