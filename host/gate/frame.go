package gate

import (
	"errors"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// topUpBytes is by how much the start of a packet grows at a time: what is copied in vain when
// the packet ends is no more than this.
const topUpBytes = 4 << 10

// errNoConnect is what the start of a first packet is that is no CONNECT. A whole one is the
// handler's to refuse.
var errNoConnect = &mqtt.Error{
	Reason: mqtt.ProtocolError, Clause: "MQTT-3.1.0-1", Text: "the first packet is no CONNECT",
}

// receive cuts b, borrowed until return, into packets and hands them up. Whole packets are not
// copied; they go up from here, so that the way of a PUBLISH is one frame shorter. The start of a
// packet whose end has not come is kept in c.in, which is never larger than twice the largest
// packet allowed, since Frame refuses a larger one by its first bytes; unfinished bounds how long,
// and how much of all connections together.
func (c *Conn) receive(b []byte) {
	l := c.loop
	defer l.rescue(c)
	if c.holds() {
		c.hold(b)
		return
	}
	for c.in != nil && len(b) > 0 && c.state == open {
		b = c.topUp(b)
	}
	for len(b) > 0 && c.state == open {
		n, err := mqtt.Frame(b, c.packetBytesMax())
		if err != nil {
			c.malformed(err)
			return
		}
		if n == 0 && !c.past && mqtt.TypeOf(b) != mqtt.CONNECT {
			c.malformed(errNoConnect) // HTTP, TLS, a PROXY header: its end may never come
			return
		}
		if n == 0 {
			in := l.bufs.get()
			in.b = append(in.b, b...)
			l.unfinished.put(c, in)
			l.fit()
			return
		}
		if c.meter != nil && !c.passes(b[:n]) {
			c.hold(b)
			return
		}
		c.past = true
		l.packetsIn.Add(1)
		l.handler.Packet(l.now, c, b[:n])
		if invariants {
			scribble(b[:n])
		}
		b = b[n:]
	}
}

// topUp adds some of b to the packet in c.in, hands it up if that makes it whole, and answers
// the rest of b.
func (c *Conn) topUp(b []byte) []byte {
	in := c.in
	have := len(in.b)
	k := min(len(b), max(topUpBytes, have))
	in.b = append(in.b, b[:k]...)
	n, err := mqtt.Frame(in.b, c.packetBytesMax())
	if err != nil {
		c.malformed(err)
		return nil
	}
	if n == 0 {
		c.loop.unfinished.grown(in)
		c.loop.fit() // may end c
		return b[k:]
	}
	c.loop.unfinished.take(c)
	if c.meter != nil && !c.passes(in.b[:n]) {
		c.meter.held = in
		c.hold(b[k:])
		return nil
	}
	c.deliver(in.b[:n])
	c.loop.bufs.put(in)
	return b[n-have:]
}

// packetBytesMax is what a packet may measure: the first, of a stranger, less.
func (c *Conn) packetBytesMax() uint32 {
	if c.past {
		return c.ln.cfg.Limits.PacketBytesMax
	}
	return c.ln.cfg.Limits.FirstPacketBytesMax
}

// deliver hands up a packet that came in parts.
func (c *Conn) deliver(frame []byte) {
	c.past = true
	c.loop.packetsIn.Add(1)
	c.loop.handler.Packet(c.loop.now, c, frame)
	if invariants {
		scribble(frame)
	}
}

func (c *Conn) malformed(err error) {
	var e *mqtt.Error
	if !errors.As(err, &e) {
		c.end(err)
		return
	}
	c.loop.handler.Malformed(c.loop.now, c, e)
	c.Close()
}

// scribble ruins a buffer that was lent, so that whoever kept it is found.
func scribble(b []byte) {
	for i := range b {
		b[i] = 0xDB
	}
}
