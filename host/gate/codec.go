package gate

// Codec translates for one connection that does not speak MQTT. It belongs to the loop of the
// connection. now is a reading of Config.Now. up takes whole packets of MQTT for the handler, down
// bytes for the peer. An error ends the connection after what came with it.
type Codec interface {
	// In reads raw, borrowed until return: what the last In left, and what came since. used is how
	// much of raw was read. down follows what the handler answers at once to up.
	In(now int64, raw []byte, up, down *[]byte) (used int, err error)
	// Out writes packets, which are whole and borrowed until return.
	Out(now int64, packets []byte, up, down *[]byte) error
}

// codecStage is a Codec between the socket, or TLS, and the framing. What it has not read waits
// where the start of a packet would, so that the same limits hold for it; the framing is only ever
// given whole packets.
type codecStage struct {
	place
	codec Codec
	// up is what Out has for the handler. It is handed up in a turn of its own: Out may run inside
	// a call of the handler.
	up []byte
}

func (s *codecStage) in(c *Conn, raw []byte) error {
	l := c.loop
	kept := l.unfinished.take(c)
	since := l.now
	if kept != nil {
		since = kept.since
		kept.b = append(kept.b, raw...)
		raw = kept.b
	}
	left, err := s.read(c, raw)
	if len(left) < len(raw) {
		since = l.now
	}
	if c.state != open || err != nil || len(left) == 0 {
		l.bufs.put(kept)
		if err != nil {
			s.over(c, err)
		}
		return nil
	}
	if kept == nil {
		kept = l.bufs.get()
	}
	kept.b = append(kept.b[:0], left...) // to the front, if left is the end of it
	l.unfinished.put(c, kept)
	kept.since = since
	l.fit()
	return nil
}

// read answers what of raw was not read.
func (s *codecStage) read(c *Conn, raw []byte) (left []byte, err error) {
	up, down := c.loop.bufs.get(), c.loop.bufs.get()
	defer func() { c.loop.bufs.put(up); c.loop.bufs.put(down) }()
	for used := 1; err == nil && used > 0 && len(raw) > 0 && c.state == open; raw = raw[used:] {
		up.b, down.b = up.b[:0], down.b[:0]
		used, err = s.codec.In(c.loop.now, raw, &up.b, &down.b)
		if sunk := s.pass(c, up.b, down.b); sunk != nil {
			return nil, sunk
		}
	}
	return raw, err
}

// pass hands up what the peer said, then sends what follows the answers.
func (s *codecStage) pass(c *Conn, up, down []byte) error {
	if err := s.rise(c, up); err != nil {
		return err
	}
	c.push()
	if len(down) == 0 || c.state != open || c.full(len(down)) {
		return nil
	}
	return s.sink(c, down)
}

// over ends c. What the peer said before counts, also if a rate holds it back.
func (s *codecStage) over(c *Conn, why error) {
	if !c.after(func(c *Conn) { c.part(why) }) {
		c.part(why)
	}
}

func (s *codecStage) out(c *Conn, dst, plain []byte) ([]byte, error) {
	had := len(s.up)
	err := s.codec.Out(c.loop.now, plain, &s.up, &dst)
	if had == 0 && len(s.up) > 0 {
		c.loop.do(func(int64) { s.answer(c) })
	}
	return dst, err
}

// answer hands up what Out left.
func (s *codecStage) answer(c *Conn) {
	up := s.up
	s.up = nil
	if c.state != open {
		return
	}
	kept := c.loop.unfinished.take(c) // the framing must not take it for its own
	c.receive(up)
	if kept == nil || c.state != open {
		c.loop.bufs.put(kept)
		return
	}
	since := kept.since
	c.loop.unfinished.put(c, kept)
	kept.since = since
}

func (s *codecStage) bye(_ *Conn, dst []byte) []byte { return dst }
