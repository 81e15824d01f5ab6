package gate

// lagMax is how many checks at most lie between two tries to write to a socket that takes nothing.
const lagMax = 15

// A connection with a meter writes to its socket itself, parked or not: what gnet keeps of its
// output could not be taken back when it is parked. gnet has no event for room that came back, so
// the rest is tried again at the checks of the loop, less often the longer nothing moves.

// send writes raw, borrowed until return, or keeps what the socket does not take.
func (c *Conn) send(raw []byte) {
	m := c.meter
	if m.raw == nil {
		n, err := c.try(raw)
		if err != nil {
			c.end(err)
			return
		}
		raw = raw[n:]
	}
	if len(raw) == 0 {
		return
	}
	if m.raw == nil {
		m.raw = c.loop.bufs.get()
		c.watchMe()
	}
	m.raw.b = append(m.raw.b, raw...)
}

// unsent is how much output the gate keeps for the socket of c.
func (c *Conn) unsent() int {
	if c.meter == nil || c.meter.raw == nil {
		return 0
	}
	return len(c.meter.raw.b) - c.meter.rawAt
}

// try writes to the socket unless it is on its way, or gnet has something to send before.
func (c *Conn) try(b []byte) (int, error) {
	switch {
	case c.gc == nil && c.meter.fd < 0, c.gc != nil && c.gc.OutboundBuffered() > 0:
		return 0, nil
	case c.gc != nil:
		return writeSome(c.gc.Fd(), b)
	}
	return writeSome(c.meter.fd, b)
}

// flush sends what the socket takes by now of what it did not.
func (c *Conn) flush() {
	if c.unsent() == 0 {
		return
	}
	m := c.meter
	n, err := c.try(m.raw.b[m.rawAt:])
	if err != nil {
		c.end(err)
		return
	}
	m.rawAt += n
	switch {
	case m.rawAt == len(m.raw.b):
		c.loop.bufs.put(m.raw)
		m.raw, m.rawAt = nil, 0
	case m.rawAt > len(m.raw.b)/2:
		k := copy(m.raw.b, m.raw.b[m.rawAt:])
		m.raw.b, m.rawAt = m.raw.b[:k], 0
	}
	if n > 0 {
		m.lag = 0
	} else {
		m.lag = min(2*m.lag+1, lagMax)
	}
	m.skip = m.lag
}

// flushLast is for a socket that is about to be closed: what it does not take now is lost, as what
// gnet keeps is.
func (c *Conn) flushLast() {
	if c.unsent() > 0 {
		_, _ = c.try(c.meter.raw.b[c.meter.rawAt:])
	}
}

// flushSlowly is flush at a check of the loop.
func (c *Conn) flushSlowly() {
	if c.unsent() == 0 {
		return
	}
	if c.meter.skip > 0 {
		c.meter.skip--
		return
	}
	c.flush()
}
