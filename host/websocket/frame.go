package websocket

import (
	"encoding/binary"

	"github.com/gobwas/ws"
)

// HeaderBytesMax is what AppendHeader appends at most: frames to a client have no mask.
const HeaderBytesMax = 10

// Bits and values of the first two bytes of a frame (RFC 6455, 5.2).
const (
	finBit   = 0x80
	rsvBits  = 0x70
	opBits   = 0x0F
	maskBit  = 0x80
	lenBits  = 0x7F
	len16    = 126 // the length is in the next two bytes
	len64    = 127 // the length is in the next eight bytes
	maskSize = 4
)

var (
	errText    = &Error{Code: CloseUnsupported, text: "a text frame: MQTT comes in binary frames"}
	errMinimal = &Error{Code: CloseProtocol, text: "a frame length in more bytes than it needs"}
	errTopBit  = &Error{Code: CloseProtocol, text: "a frame length with its highest bit set"}
)

// AppendHeader appends the header of a binary frame with n bytes of payload that is a message of
// its own.
func AppendHeader(dst []byte, n int) []byte {
	dst = append(dst, finBit|byte(ws.OpBinary))
	switch {
	case n < len16:
		return append(dst, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(dst, len16), uint16(n))
	}
	return binary.BigEndian.AppendUint64(append(dst, len64), uint64(n))
}

// PutHeader writes the same header so that it ends where front ends, and answers where it begins.
// front has HeaderBytesMax bytes at least: who leaves them free before the payload copies nothing.
func PutHeader(front []byte, n int) int {
	var b [HeaderBytesMax]byte
	h := AppendHeader(b[:0], n)
	at := len(front) - len(h)
	copy(front[at:], h)
	return at
}

// headerSize is how long a frame header is whose first two bytes are b.
func headerSize(b []byte) int {
	n := 2
	switch b[1] & lenBits {
	case len16:
		n += 2
	case len64:
		n += 8
	}
	if b[1]&maskBit != 0 {
		n += maskSize
	}
	return n
}

// header takes raw, not empty, up to the end of a frame header and acts on it. A header that is
// whole in raw is read where it is.
func (c *Conn) header(raw, answer []byte) (rest, out []byte, err error) {
	if c.heads == 0 && len(raw) >= 2 {
		if n := headerSize(raw); len(raw) >= n {
			return c.begin(raw[:n], raw[n:], answer)
		}
	}
	for i, b := range raw {
		c.head[c.heads] = b
		c.heads++
		if c.heads >= 2 && int(c.heads) == headerSize(c.head[:]) {
			h := c.head[:c.heads]
			c.heads = 0
			return c.begin(h, raw[i+1:], answer)
		}
	}
	return nil, answer, nil
}

// begin begins the frame with the whole header h.
func (c *Conn) begin(h, raw, answer []byte) (rest, out []byte, err error) {
	hd, bad := c.check(h)
	if bad != nil {
		out, err = c.fail(answer, bad)
		return nil, out, err
	}
	c.op, c.mask, c.left = hd.OpCode, hd.Mask, uint64(hd.Length)
	if hd.OpCode.IsControl() {
		c.phase = control
		if c.left == 0 {
			return c.control(raw, answer)
		}
		return raw, answer, nil
	}
	c.flags |= fragmented
	if hd.Fin {
		c.flags &^= fragmented
	}
	if c.left > 0 {
		c.phase = data
	}
	return raw, answer, nil
}

// length is the length of the payload in the header h.
func length(h []byte) (int64, *Error) {
	switch n := h[1] & lenBits; n {
	case len16:
		v := binary.BigEndian.Uint16(h[2:])
		if v < len16 {
			return 0, errMinimal
		}
		return int64(v), nil
	case len64:
		v := binary.BigEndian.Uint64(h[2:])
		if v>>63 != 0 {
			return 0, errTopBit
		}
		if v < 1<<16 {
			return 0, errMinimal
		}
		return int64(v), nil
	default:
		return int64(n), nil
	}
}

// check reads the header h and says what is wrong with it.
func (c *Conn) check(h []byte) (ws.Header, *Error) {
	hd := ws.Header{Fin: h[0]&finBit != 0, Rsv: h[0] & rsvBits >> 4,
		OpCode: ws.OpCode(h[0] & opBits), Masked: h[1]&maskBit != 0}
	n, bad := length(h)
	hd.Length = n
	if hd.Masked {
		hd.Mask = [maskSize]byte(h[len(h)-maskSize:])
	}
	state := ws.StateServerSide
	if c.flags&fragmented != 0 {
		state = state.Set(ws.StateFragmented)
	}
	if err := ws.CheckHeader(hd, state); err != nil {
		return hd, &Error{Code: CloseProtocol, text: err.Error()}
	}
	if bad == nil && hd.OpCode == ws.OpText {
		bad = errText
	}
	return hd, bad
}
