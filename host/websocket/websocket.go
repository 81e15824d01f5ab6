// Package websocket knows how WebSocket (RFC 6455) carries MQTT: the upgrade from HTTP and the
// frames, as bytes, at the server's end.
//
// It does not know sockets, clocks, TLS or what an MQTT packet is. A Conn is a state machine: bytes
// go in, cut anywhere; payload and answers come out. It never waits and keeps no payload.
package websocket

import (
	"errors"

	"github.com/gobwas/ws"
)

// RequestBytesMax bounds the HTTP request of the upgrade.
const RequestBytesMax = 8 << 10

// Close codes of RFC 6455, 7.4.1, that a server of MQTT sends.
const (
	CloseNormal      = uint16(ws.StatusNormalClosure)
	CloseGoingAway   = uint16(ws.StatusGoingAway)
	CloseProtocol    = uint16(ws.StatusProtocolError)
	CloseUnsupported = uint16(ws.StatusUnsupportedData)
	CloseInvalid     = uint16(ws.StatusInvalidFramePayloadData)
)

// ErrClosed says that the peer ended the conversation, and was answered.
var ErrClosed = errors.New("websocket: the peer closed")

// Error is why a conversation is ended here. What tells the peer is in the answer of the call that
// gave the error.
type Error struct {
	// Code is the close code that was sent, 0 if there was no WebSocket yet.
	Code uint16
	// Status is the HTTP status that refused an upgrade, 0 after it.
	Status int
	text   string
}

// Error says what the peer did.
func (e *Error) Error() string { return "websocket: " + e.text }

// phase is where a Conn stands.
type phase uint8

const (
	request phase = iota // the HTTP request comes
	between              // a frame header comes
	data                 // payload of a binary message comes
	control              // payload of a control frame comes
	ended                // nothing is taken any more
)

// Conn is one conversation at the server's end: 48 bytes, and no buffer between two frames. It
// belongs to one goroutine. Make one with Rules.Conn.
type Conn struct {
	rules *Rules
	// part is a request, or the payload of a control frame, whose end has not come; else nil.
	part  *part
	left  uint64 // payload of the frame under way that is to come
	mask  [4]byte
	head  [ws.MaxHeaderSize]byte // the start of a frame header whose end has not come
	heads uint8                  // how much of head is there
	op    ws.OpCode              // of the frame under way
	phase phase
	flags flags
}

type part struct{ b []byte }

type flags uint8

const (
	fragmented flags = 1 << iota // a message has begun and its last frame has not
	last                         // the data frame under way ends its message
	upgraded                     // the 101 was given out
	closeSent                    // so was a close frame
)

// Conn answers a new conversation that begins with an HTTP request.
func (r *Rules) Conn() Conn { return Conn{rules: r} }

// Upgraded is true once the peer was answered 101.
func (c *Conn) Upgraded() bool { return c.flags&upgraded != 0 }

// Next takes raw up to and with the first payload in it. payload is a part of raw, unmasked in
// place, or nil when raw gave none; rest is what is left of raw for the next call. What must be
// sent to the peer is appended to answer: the 101 or what refuses the request, a pong for each
// ping, a close frame. Send it before what payload brings about. It never is more than 256 bytes
// longer than what was taken.
//
// payload is a stretch of the byte stream [MQTT-6.0.0-2]: where it begins and ends says nothing.
//
// An error ends the conversation: ErrClosed when the peer wished so, else *Error. What
// answer has then must be sent before the socket is closed; later calls take everything and give
// nothing.
func (c *Conn) Next(raw, answer []byte) (payload, rest, out []byte, err error) {
	for len(raw) > 0 && err == nil {
		switch c.phase {
		case request:
			raw, answer, err = c.upgrade(raw, answer)
		case between:
			raw, answer, err = c.header(raw, answer)
		case data:
			payload, raw = c.payload(raw)
			return payload, raw, answer, nil
		case control:
			raw, answer, err = c.control(raw, answer)
		case ended:
			return nil, nil, answer, nil
		}
	}
	if err != nil {
		c.phase, c.part, raw = ended, nil, nil
	}
	return nil, raw, answer, err
}

// payload takes what raw, not empty, has of the data frame under way.
func (c *Conn) payload(raw []byte) (payload, rest []byte) {
	n := len(raw)
	if uint64(n) >= c.left {
		n = int(c.left)
		c.phase = between
	}
	c.left -= uint64(n)
	payload = raw[:n:n]
	c.unmask(payload)
	return payload, raw[n:]
}

// unmask unmasks b and turns the mask to where the next byte stands.
func (c *Conn) unmask(b []byte) {
	ws.Cipher(b, c.mask, 0)
	if k := len(b) & 3; k != 0 {
		m := c.mask
		for i := range c.mask {
			c.mask[i] = m[(i+k)&3]
		}
	}
}

// fail ends the conversation with a close frame.
func (c *Conn) fail(answer []byte, e *Error) ([]byte, error) {
	return c.AppendClose(answer, e.Code), e
}

// AppendClose appends what ends the conversation from here: a close frame with the code, at most
// once; an HTTP answer if the peer has not asked for WebSocket. The Conn takes nothing after it.
func (c *Conn) AppendClose(dst []byte, code uint16) []byte {
	switch {
	case c.phase == ended || c.flags&closeSent != 0:
		return dst
	case c.flags&upgraded == 0:
		dst, _ = refuse(dst, errEarly)
	default:
		dst = append(dst, finBit|byte(ws.OpClose), 2, byte(code>>8), byte(code))
		c.flags |= closeSent
	}
	c.phase, c.part = ended, nil
	return dst
}
