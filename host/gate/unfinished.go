package gate

import (
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// sweepEvery is how often the unfinished packets of a loop are looked at, in milliseconds.
const sweepEvery = 250

// unfinished are the connections of one loop that hold the start of a packet in Conn.in. Idle
// connections are not in it and cost nothing.
type unfinished struct {
	conns []*Conn
	bytes int // that their buffers take
	max   int // of bytes, but for one packet alone
	swept int64
	full  rare
}

// put takes in the start of a packet of c. The time it has begins now.
func (u *unfinished) put(c *Conn, in *buffer) {
	c.in = in
	in.since, in.place = c.loop.now, len(u.conns)
	u.conns = append(u.conns, c)
	in.counted = cap(in.b)
	u.bytes += in.counted
}

// grown counts what the packet of c takes by now.
func (u *unfinished) grown(in *buffer) {
	u.bytes += cap(in.b) - in.counted
	in.counted = cap(in.b)
}

// take is the opposite of put and answers the start of the packet, nil if there is none.
func (u *unfinished) take(c *Conn) *buffer {
	in := c.in
	if in == nil {
		return nil
	}
	c.in = nil
	u.bytes -= in.counted
	last := len(u.conns) - 1
	if moved := u.conns[last]; moved != c {
		u.conns[in.place] = moved
		moved.in.place = in.place
	}
	u.conns[last] = nil
	u.conns = u.conns[:last]
	return in
}

// largest is who holds most.
func (u *unfinished) largest() *Conn {
	most := u.conns[0]
	for _, c := range u.conns[1:] {
		if c.in.counted > most.in.counted {
			most = c
		}
	}
	return most
}

// fit ends those that hold most until what is held fits. Who is alone may go beyond, so that the
// largest packet that is allowed can come.
func (l *loop) fit() {
	u := &l.unfinished
	for u.bytes > u.max && len(u.conns) > 1 {
		c := u.largest()
		if held, ok := u.full.pass(time.Now()); ok {
			l.g.log.Warn("gate: packets that have not ended take more than input_bytes_max; the "+
				"connection that holds most is ended", "loop", l.index, "listener", c.ln.name,
				"bytes", c.in.counted, "bytes max", u.max, "not logged", held)
		}
		l.giveUp(c, mqtt.QuotaExceeded, "too much is held of packets that have not ended")
	}
}

// sweep ends connections whose packet takes too long.
func (l *loop) sweep() {
	u := &l.unfinished
	if l.now-u.swept < sweepEvery {
		return
	}
	u.swept = l.now
	// From the end: what takes a place below was looked at. An end may bring about others.
	for i := len(u.conns) - 1; i >= 0; i-- {
		if i >= len(u.conns) {
			continue
		}
		c := u.conns[i]
		if c.holds() { // a codec's: the peer cannot send the rest
			c.in.since = l.now
			continue
		}
		limit := c.ln.cfg.Limits.PacketTimeout.Milliseconds()
		if c.state == open && limit > 0 && l.now-c.in.since >= limit {
			l.giveUp(c, mqtt.ImplementationSpecificError, "a packet did not end in time")
		}
	}
}

// giveUp ends c for what it holds, which is free at once.
func (l *loop) giveUp(c *Conn, r mqtt.ReasonCode, why string) {
	defer l.rescue(c)
	l.g.count.unfinished.Add(1)
	l.bufs.put(l.unfinished.take(c))
	if c.state == open {
		c.malformed(&mqtt.Error{Reason: r, Text: why, Clause: "section 4.13"})
	}
}
