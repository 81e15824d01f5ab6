package gate

import (
	"container/heap"
	"errors"
	"fmt"

	"github.com/panjf2000/gnet/v2"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// How input is held back. A packet above a rate, and all that was read behind it, is kept in
// meter.held; the socket is taken out of the loop (parked) at the end of the turn, so that TCP
// stops the peer. From then on:
//
//	inDue comes      → drain hands up what may pass by now
//	held is empty    → the socket goes back to the loop, by a goroutine (gnet would deadlock)
//	output           → goes straight to the descriptor
//	Close            → held is dropped, the socket goes back, the rest is as ever
//	the peer is gone → seen at the next look, at most napMax later, or when held is empty
//
// What is kept of a peer is at most one read of the loop and one packet. The handler hears nothing
// of all this; Conn.Held tells it how far the peer's silence is not the peer's.

// errAbove is why a connection was cut of which more came than may be kept, while its socket could
// not be parked: no descriptor is left, or the system has no way to.
var errAbove = errors.New("gate: above the rate, and reading could not be paused")

// heldBytesMax is what is kept of input beyond one packet: twice what gnet reads at once, for a
// stage may have kept a record, and gnet reads twice when the peer has sent its end.
const heldBytesMax = 128 << 10

// hold keeps b, borrowed until return, behind what is held.
func (c *Conn) hold(b []byte) {
	m := c.meter
	if m.held == nil {
		m.held = c.loop.bufs.get()
	}
	m.held.b = append(m.held.b, b...)
	limit := heldBytesMax + int(c.ln.cfg.Limits.PacketBytesMax)
	if len(m.held.b)-m.heldAt > limit {
		c.cut(errAbove)
		return
	}
	if !m.paused {
		m.paused = true
		c.ln.countPaused(1)
	}
	c.loop.nap(c)
}

// holds is true while input of c waits.
func (c *Conn) holds() bool { return c.meter != nil && c.meter.paused }

// Held is the last millisecond in which input of c was held back, 0 for never: up to then the peer
// may have said what was not heard. On the clock of Config.Now.
func (c *Conn) Held() int64 {
	m := c.meter
	if m == nil {
		return 0
	}
	if m.paused || m.flying {
		m.heard = c.loop.now
	}
	return m.heard
}

// after calls f when all that is held was handed up, false if nothing is: for a stage whose peer
// has said its last.
func (c *Conn) after(f func(c *Conn)) bool {
	if !c.holds() {
		return false
	}
	c.meter.over = f
	return true
}

// drain hands up what is held as far as the rates allow.
func (c *Conn) drain() {
	defer c.loop.rescue(c)
	m := c.meter
	held, at := m.held, m.heldAt
	m.held, m.heldAt, m.inDue = nil, 0, 0 // the handler may close c, and left frees what is held
	for c.state == open {
		b := held.b[at:]
		n, err := mqtt.Frame(b, c.packetBytesMax())
		if err != nil {
			c.malformed(err)
			break
		}
		if n == 0 {
			c.resume(held, b)
			return
		}
		if !c.passes(b[:n]) {
			m.held, m.heldAt = held, at
			c.nextNap()
			return
		}
		at += n
		c.deliver(b[:n])
	}
	c.loop.bufs.put(held)
}

// resume ends the wait of c; rest is the start of a packet, and the end of held.
func (c *Conn) resume(held *buffer, rest []byte) {
	m := c.meter
	if len(rest) > 0 {
		held.b = append(held.b[:0], rest...)
		c.loop.unfinished.put(c, held)
	} else {
		c.loop.bufs.put(held)
	}
	over := m.over
	c.unpause()
	if over != nil {
		over(c)
		return
	}
	c.loop.bringBack(c)
}

// unpause forgets that c waits, and what is left of that.
func (c *Conn) unpause() {
	m := c.meter
	c.Held()
	m.refund(c.ln.listener)
	c.loop.bufs.put(m.held)
	m.held, m.heldAt, m.over, m.inDue = nil, 0, nil, 0
	if m.paused {
		m.paused = false
		c.ln.countPaused(-1)
	}
}

// nextNap puts c to sleep again, unless the peer is gone.
func (c *Conn) nextNap() {
	if c.meter.fd >= 0 {
		if err := socketError(c.meter.fd); err != nil {
			c.end(err)
			return
		}
	}
	c.loop.nap(c)
}

// forgetRates is of a connection that is gone.
func (c *Conn) forgetRates() {
	m := c.meter
	if m == nil {
		return
	}
	c.unpause()
	m.outDue = 0
	c.loop.nap(c)
	c.loop.bufs.put(m.raw)
	m.raw, m.rawAt = nil, 0
}

// leaveRates lets go of a connection that is not open any more: its socket goes back to the loop,
// which reads what the peer still says and throws it away.
func (c *Conn) leaveRates() {
	c.unpause()
	c.meter.outDue = 0
	c.loop.nap(c)
	c.loop.bringBack(c)
}

// park takes the socket of c out of the loop if input must wait; what it answers is for gnet. What
// gnet has still to send would be lost with its connection, so c stays as it is then.
func (c *Conn) park() gnet.Action {
	if c.state != open || !c.holds() {
		return c.action()
	}
	if c.gc.OutboundBuffered() > 0 {
		return gnet.None
	}
	fd, err := parked(c.gc)
	if err != nil {
		c.ln.complain("park", err)
		return gnet.None
	}
	c.gc.SetContext(nil) // OnClose is not the end of c
	c.gc, c.meter.fd = nil, fd
	return gnet.Close
}

// homing is a parked socket on its way back to its loop.
type homing struct {
	conn *Conn
	fd   int
}

// bringBack gives the parked socket of c back to gnet, which would deadlock if the loop did it. One
// goroutine for a loop does, in the order of the calls, and ends when there is nothing to do.
func (l *loop) bringBack(c *Conn) {
	m := c.meter
	if m.fd < 0 {
		return
	}
	if !l.sendHome(homing{c, m.fd}) {
		c.end(nil)
		return
	}
	m.fd, m.flying = -1, true
}

// sendHome is false when the loop is about to end.
func (l *loop) sendHome(h homing) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped {
		return false
	}
	l.homing = append(l.homing, h)
	if !l.piloted {
		l.piloted = true
		l.pilot.Add(1)
		go l.bringHome()
	}
	return true
}

func (l *loop) bringHome() {
	defer l.pilot.Done()
	for {
		l.mu.Lock()
		if len(l.homing) == 0 {
			l.homing, l.piloted = nil, false
			l.mu.Unlock()
			return
		}
		h := l.homing[0]
		l.homing = l.homing[1:]
		l.mu.Unlock()
		if err := l.enrolAgain(h); err != nil {
			l.do(func(int64) { h.conn.lost(err) })
		}
	}
}

// lost ends a connection whose socket did not come back.
func (c *Conn) lost(err error) {
	if c.state != gone && c.gc == nil {
		c.end(fmt.Errorf("gate: read again: %w", err))
	}
}

// home is OnOpen of a socket that was parked.
func (l *loop) home(c *Conn, gc gnet.Conn) gnet.Action {
	if c.state == gone {
		gc.SetContext(nil)
		return gnet.Close
	}
	l.begin()
	c.gc, c.meter.flying, c.meter.heard = gc, false, l.now
	c.dropAddresses()
	c.flush()
	if c.state == closing {
		c.touch()
	}
	l.end()
	return c.action()
}

// naps are the connections that wait for tokens, the earliest due first, of those the one that
// waits longest.
type naps []*Conn

func (h naps) Len() int { return len(h) }

func (h naps) Less(i, j int) bool {
	a, b := h[i].meter, h[j].meter
	return a.due < b.due || a.due == b.due && a.turn < b.turn
}

func (h naps) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].meter.index, h[j].meter.index = i, j
}

// Push is heap.Interface.
func (h *naps) Push(x any) {
	c := x.(*Conn)
	c.meter.index = len(*h)
	*h = append(*h, c)
}

// Pop is heap.Interface.
func (h *naps) Pop() any {
	last := len(*h) - 1
	c := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	c.meter.index = -1
	return c
}

// nap places c in naps by what it waits for.
func (l *loop) nap(c *Conn) {
	m := c.meter
	due := m.inDue
	if due == 0 || m.outDue != 0 && m.outDue < due {
		due = m.outDue
	}
	switch {
	case due == 0 && m.index >= 0:
		heap.Remove(&l.naps, m.index)
	case due == 0:
	case m.index >= 0:
		m.due = due
		heap.Fix(&l.naps, m.index)
	default:
		l.turns++
		m.due, m.turn = due, l.turns
		heap.Push(&l.naps, c)
	}
}

// wakeDue lets go on who waited for tokens.
func (l *loop) wakeDue() {
	if l.ringing != 0 && l.ringing <= l.now {
		l.ringing = 0
	}
	for len(l.naps) > 0 && l.naps[0].meter.due <= l.now {
		c := heap.Pop(&l.naps).(*Conn)
		m := c.meter
		if m.outDue != 0 && m.outDue <= l.now {
			m.outDue = 0
			if !c.slow && c.state == open {
				l.writable(c)
			}
		}
		if c.state == open && m.inDue != 0 && m.inDue <= l.now {
			c.drain()
		}
		if c.state == open {
			l.nap(c)
		}
	}
}
