package gate

import "github.com/hpmq/hpmq/sdk/mqtt"

const (
	// napMin is the least time in milliseconds for which a connection above its own rate is left
	// alone: ten wake-ups a second, however high the rate.
	napMin = 100
	// napMax is the longest time in milliseconds until a peer that is not read is looked at: it may
	// be gone.
	napMax = 1000
	// sliceTime is what a connection books of its listener's total when it must wait: a hundred
	// wake-ups a second for all connections together.
	sliceTime = 10 * milli
)

// meter is what a connection needs when its listener has rates. Others have none.
type meter struct {
	in, out [2]tab // messages and bytes

	// Of the listener's totals: what is booked, and from when on it may be used.
	credit [2]int64
	ready  [2]int64

	held   *buffer // input that came and must wait, whole packets first; or nil
	heldAt int     // where in held the first of them begins
	over   func(c *Conn)
	heard  int64 // until when input was held back last

	raw    *buffer // output that the socket did not take, or nil
	rawAt  int     // what of raw is sent
	skip   uint8   // checks to let pass before the socket is tried again
	lag    uint8   // what skip was last
	paused bool    // input waits
	flying bool    // on the way back to its loop
	fd     int     // of the socket while it is parked, else -1

	inDue, outDue int64 // when tokens will be there, 0 for not waiting
	due           int64 // the earlier of both
	turn          uint64
	index         int // in loop.naps, -1 for not there
}

func newMeter() *meter { return &meter{fd: -1, index: -1} }

// measure gives c a meter if its listener has rates and c has none yet.
func (c *Conn) measure() {
	if c.meter == nil && c.ln.rates.Load() != nil {
		c.meter = newMeter()
	}
}

// weigh is what a packet counts.
func weigh(frame []byte) amount {
	n := amount{0, len(frame)}
	if mqtt.TypeOf(frame) == mqtt.PUBLISH {
		n[0] = 1
	}
	return n
}

// passes is true if frame may be handed up now; it is paid for then. Else inDue is when to ask
// again. The first packet of a stranger never waits: there is a deadline for it already.
func (c *Conn) passes(frame []byte) bool {
	m, r := c.meter, c.ln.rates.Load()
	if r == nil {
		return true
	}
	n, now := weigh(frame), c.loop.now*milli
	if c.past {
		wait := m.wait(now, r, n)
		if wait == 0 {
			wait = m.book(now, c.ln.listener, r, n)
		} else {
			wait = max(wait, napMin*milli)
		}
		if wait > 0 {
			m.inDue = c.loop.now + min((wait+milli-1)/milli, napMax)
			return false
		}
	}
	for i := range n {
		if r.in[i] > 0 {
			m.in[i].pay(now, price(n[i], r.in[i]))
		}
		if r.total[i] > 0 {
			m.settle(now, &c.ln.totals[i], i, price(n[i], r.total[i]))
		}
	}
	return true
}

// wait is how long the connection's own rates hold n back.
func (m *meter) wait(now int64, r *rates, n amount) int64 {
	var wait int64
	for i := range n {
		if r.in[i] > 0 && n[i] > 0 {
			wait = max(wait, m.in[i].wait(now, price(n[i], r.in[i])))
		}
	}
	return wait
}

// book is how long the listener's totals hold n back, which is booked after.
func (m *meter) book(now int64, ln *listener, r *rates, n amount) int64 {
	var wait int64
	for i := range n {
		if r.total[i] == 0 || n[i] == 0 {
			continue
		}
		if p := price(n[i], r.total[i]); p > m.credit[i] {
			at, got := ln.totals[i].book(now, p-m.credit[i], sliceTime)
			m.credit[i] += got
			m.ready[i] = at
		}
		wait = max(wait, m.ready[i]-now)
	}
	return wait
}

// settle pays for a packet out of what is booked; the first packet has booked nothing.
func (m *meter) settle(now int64, t *total, i int, price int64) {
	if m.credit[i] < price {
		_, got := t.book(now, price-m.credit[i], 0)
		m.credit[i] += got
	}
	m.credit[i] -= price
}

// refund gives back what is booked of the listener's totals.
func (m *meter) refund(ln *listener) {
	for i := range m.credit {
		if m.credit[i] > 0 {
			ln.totals[i].refund(m.credit[i])
		}
		m.credit[i], m.ready[i] = 0, 0
	}
}

// sent pays for a packet that was written.
func (c *Conn) sent(frame []byte) {
	r := c.ln.rates.Load()
	if r == nil {
		return
	}
	n, now := weigh(frame), c.loop.now*milli
	for i := range n {
		if r.out[i] > 0 {
			c.meter.out[i].pay(now, price(n[i], r.out[i]))
		}
	}
}

// mayWrite is true if one more message may be written to c. Else the handler gets Writable later.
func (c *Conn) mayWrite() bool {
	m, r := c.meter, c.ln.rates.Load()
	if r == nil {
		return true
	}
	var wait int64
	for i := range r.out {
		if r.out[i] > 0 {
			wait = max(wait, m.out[i].wait(c.loop.now*milli, price(1, r.out[i])))
		}
	}
	if wait == 0 {
		return true
	}
	if m.outDue == 0 {
		m.outDue = c.loop.now + max((wait+milli-1)/milli, napMin)
		c.loop.nap(c)
	}
	return false
}
