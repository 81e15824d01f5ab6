package gate

import "github.com/hpmq/hpmq/host/websocket"

// stage stands between a socket and the framing, for what is not plain MQTT on the wire: TLS
// records, WebSocket frames, other protocols. It belongs to one connection and its loop. Stages are
// stacked: TLS is next to the socket, WebSocket or a codec on top of it, the framing above both.
// What must wait, as a handshake over the network does, is done before the loop has the connection:
// see arrival.
//
// The order of bytes on the wire is the order of the calls that bring them.
type stage interface {
	// in takes bytes from below, borrowed until return. It hands what they carry to rise and sends
	// its own answers by sink. When c is not open any more the rest is thrown away. An error closes
	// c.
	in(c *Conn, raw []byte) error
	// bye appends to dst what ends the conversation; nothing follows it.
	bye(c *Conn, dst []byte) []byte
	// stand answers the place of the stage.
	stand() *place
}

// coder is a stage whose bytes are not those of the framing.
type coder interface {
	// out appends to dst what carries plain to the stage below.
	out(c *Conn, dst, plain []byte) ([]byte, error)
}

// framer is a stage that only puts a header before what it carries. It is next to the framing.
type framer interface {
	// frame answers what carries b to the stage below, a part of b. The first frontBytes of b are
	// free for the header.
	frame(b []byte) []byte
}

// frontBytes is what Conn.Write leaves free for a framer.
const frontBytes = websocket.HeaderBytesMax

// front is what is free before the output of c.
func (c *Conn) front() int {
	if c.pile == nil {
		return 0
	}
	if _, ok := c.pile.inner.(framer); ok {
		return frontBytes
	}
	return 0
}

// place is where a stage stands. A stage embeds it.
type place struct {
	above stage // nearer to MQTT; nil: the framing
	below stage // nearer to the socket; nil: the socket
}

func (p *place) stand() *place { return p }

// rise hands b, borrowed until return, to the stage above or to the framing.
func (p *place) rise(c *Conn, b []byte) error {
	if p.above == nil {
		c.receive(b)
		return nil
	}
	return p.above.in(c, b)
}

// sink sends b, borrowed until return, to the stage below or to the socket, now: ahead of what
// Conn.Write has queued. Conn.push before it keeps the order of the calls.
func (p *place) sink(c *Conn, b []byte) error { return c.descend(p.below, b) }

// descend takes b, borrowed until return, through s and the stages below it to the socket. s is a
// framer only for what push brings, which has its front free.
func (c *Conn) descend(s stage, b []byte) error {
	if f, ok := s.(framer); ok {
		b, s = f.frame(b), s.stand().below
	}
	var raw *buffer
	for ; s != nil && len(b) > 0; s = s.stand().below {
		next := c.loop.bufs.get()
		var err error
		next.b, err = s.(coder).out(c, next.b, b)
		c.loop.bufs.put(raw)
		if raw, b = next, next.b; err != nil {
			c.loop.bufs.put(raw)
			return err
		}
	}
	if len(b) > 0 {
		c.wire(b)
	}
	c.loop.bufs.put(raw)
	return nil
}

// pile is what few connections need, so that a plain one does without: the stages, and until
// Handler.Open is over, what admission learned of the peer.
type pile struct {
	outer stage // next to the socket, or nil
	inner stage // next to the framing, or nil

	address string // of the PROXY header; empty: the socket's
	subject string // of the verified certificate
}

// put places s on top of those that are there.
func (p *pile) put(s stage) {
	if p.inner == nil {
		p.outer, p.inner = s, s
		return
	}
	p.inner.stand().above, s.stand().below = s, p.inner
	p.inner = s
}

// staged is true if something stands between the socket and the framing.
func (c *Conn) staged() bool { return c.pile != nil && c.pile.outer != nil }

// climb brings bytes of the socket, borrowed until return, through the stages to the framing.
func (c *Conn) climb(raw []byte) {
	defer c.loop.rescue(c)
	if err := c.pile.outer.in(c, raw); err != nil {
		c.end(err)
	}
}

// opened is called once, after Handler.Open: what was for Open only is dropped.
// Admission has read nothing from the socket beyond what it needed.
func (c *Conn) opened() {
	if c.pile == nil {
		return
	}
	c.pile.address, c.pile.subject = "", ""
	if c.pile.outer == nil {
		c.pile = nil
	}
}

// pushStaged sends plain, borrowed until return, through the stages to the socket.
func (c *Conn) pushStaged(plain []byte) {
	defer c.loop.rescue(c)
	if err := c.descend(c.pile.inner, plain); err != nil {
		c.end(err)
	}
}

// farewell sends the last words of the stages, the inner first.
func (c *Conn) farewell() {
	defer c.loop.rescue(c)
	for s := c.pile.inner; s != nil && c.state != gone; s = s.stand().below {
		if err := s.stand().sink(c, s.bye(c, nil)); err != nil {
			c.end(err)
		}
	}
}

// part ends c from this side in order: what is queued goes out, then the last words of the stages,
// then the socket is closed as Close does it. Other than after Close the handler is told.
func (c *Conn) part(why error) {
	if c.state != open {
		return
	}
	c.loop.ended = append(c.loop.ended, ending{c, why})
	c.Close()
}
