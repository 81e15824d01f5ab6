package websocket

import (
	"unicode/utf8"

	"github.com/gobwas/ws"
)

var (
	errCloseShort = &Error{Code: CloseProtocol, text: "a close frame with half a code"}
	errCloseCode  = &Error{Code: CloseProtocol, text: "a close code that must not be sent"}
	errCloseText  = &Error{Code: CloseInvalid, text: "a close reason that is not UTF-8"}
)

// control takes what raw has of the control frame under way, and acts on it when it is whole. A
// frame in one piece is read where it is; what comes in parts is kept, 125 bytes at most.
func (c *Conn) control(raw, answer []byte) (rest, out []byte, err error) {
	n := min(int(c.left), len(raw))
	b := raw[:n]
	c.unmask(b)
	c.left -= uint64(n)
	if c.part != nil || c.left > 0 {
		if c.part == nil {
			c.part = &part{make([]byte, 0, n+int(c.left))}
		}
		c.part.b = append(c.part.b, b...)
		b = c.part.b
	}
	if c.left > 0 {
		return nil, answer, nil
	}
	c.phase, c.part = between, nil
	out, err = c.act(b, answer)
	return raw[n:], out, err
}

// act does what the control frame with the payload p asks for.
func (c *Conn) act(p, answer []byte) ([]byte, error) {
	switch c.op {
	case ws.OpPing:
		answer = append(answer, finBit|byte(ws.OpPong), byte(len(p)))
		return append(answer, p...), nil
	case ws.OpClose:
		if bad := checkClose(p); bad != nil {
			return c.fail(answer, bad)
		}
		c.flags |= closeSent
		answer = append(answer, finBit|byte(ws.OpClose), byte(min(len(p), 2)))
		return append(answer, p[:min(len(p), 2)]...), ErrClosed
	}
	return answer, nil // a pong nobody asked for is allowed
}

// checkClose says what is wrong with the payload of a close frame.
func checkClose(p []byte) *Error {
	if len(p) == 0 {
		return nil
	}
	if len(p) == 1 {
		return errCloseShort
	}
	code := ws.StatusCode(uint16(p[0])<<8 | uint16(p[1]))
	if ws.CheckCloseFrameData(code, "") != nil || code > ws.StatusRangePrivate.Max {
		return errCloseCode
	}
	if !utf8.Valid(p[2:]) {
		return errCloseText
	}
	return nil
}
