package port

import (
	"errors"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// headBytes is what a connection holds to wait with: acknowledgements, pings and small messages
// fit, and of larger packets the rest comes with a second read.
const headBytes = 32

// read is the reader of c. It ends when the peer or the kernel has ended the connection.
func (c *Conn) read() {
	defer c.readEnded()
	if !c.hand(event{kind: opened}) {
		return
	}
	for !c.discarding() {
		n, err := c.sock.Read(c.head[:])
		if err != nil {
			break
		}
		if !c.burst(c.head[:n]) {
			break
		}
	}
	c.discard()
	c.hand(event{kind: gone})
}

// burst reads on from b until no part of a packet is left. False: nothing more is wanted.
func (c *Conn) burst(b []byte) bool {
	rest, ok := c.feed(b)
	if !ok || len(rest) == 0 {
		return ok
	}
	buf := append(c.port.bufs.get(), rest...)
	for ok && len(buf) > 0 {
		if len(buf) == cap(buf) {
			grown := append(make([]byte, 0, 2*cap(buf)), buf...)
			c.port.bufs.put(buf)
			buf = grown
		}
		n, err := c.sock.Read(buf[len(buf):cap(buf)])
		if err != nil {
			ok = false
			break
		}
		buf = buf[:len(buf)+n]
		rest, ok = c.feed(buf)
		buf = buf[:copy(buf, rest)]
	}
	c.port.bufs.put(buf)
	return ok
}

// feed hands up the whole packets in b and answers the rest. False: nothing more is wanted.
func (c *Conn) feed(b []byte) (rest []byte, ok bool) {
	whole := 0
	var bad error
	for whole < len(b) {
		n, err := mqtt.Frame(b[whole:], c.packetBytesMax())
		if n == 0 || err != nil {
			bad = err
			break
		}
		c.past = true
		whole += n
	}
	if whole > 0 && !c.handAndWait(event{kind: frames, data: b[:whole]}) {
		return nil, false
	}
	var e *mqtt.Error
	if errors.As(bad, &e) {
		c.handAndWait(event{kind: malformed, err: e})
		return nil, false
	}
	return b[whole:], !c.discarding()
}

// packetBytesMax is what the next packet may measure: the first, of a stranger, less.
func (c *Conn) packetBytesMax() uint32 {
	most := c.ln.cfg.Broker.Limits.PacketBytesMax
	if !c.past {
		most = min(most, c.ln.cfg.Limits.FirstPacketBytesMax)
	}
	return most
}

// hand gives e to the kernel goroutine. False: there is none any more.
func (c *Conn) hand(e event) bool {
	e.conn = c
	select {
	case c.port.events <- e:
		return true
	case <-c.port.done:
		return false
	}
}

// handAndWait is hand for what the kernel borrows: when it returns the bytes are the reader's
// again.
func (c *Conn) handAndWait(e event) bool {
	if !c.hand(e) {
		return false
	}
	select {
	case <-c.turn:
		return true
	case <-c.port.done:
		return false
	}
}

// discard reads on after the kernel closed c: to close with input unread would reset the connection
// and could take the last packet from the peer. Close and the writer set deadlines.
func (c *Conn) discard() {
	for c.discarding() {
		if _, err := c.sock.Read(c.head[:]); err != nil {
			return
		}
	}
}
