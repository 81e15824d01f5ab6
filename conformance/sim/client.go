package sim

import (
	"fmt"

	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// client is one client of the world with what it remembers of its session.
type client struct {
	w       *world
	id      string
	version mqtt.Version
	// persist: the session outlives its connections. Otherwise each connection starts a new one.
	persist    bool
	keepAlive  uint16
	receiveMax uint16
	member     bool // of the shared group
	mortal     bool // its session ends a second after its connection

	sock *socket
	up   bool // CONNACK came on sock
	told bool // DISCONNECT came on sock
	// old counts connections that were left open when another was made, and may still do something.
	old int
	// wipers are those of them that asked for a new session and were not answered.
	wipers  int
	clean   bool        // the next CONNECT must start a new session
	had     bool        // the server said it has the session of this epoch
	first   bool        // sock began the session: nothing on it can be a second attempt
	epoch   int         // counts sessions
	heard   broker.Time // when something came last
	conns   int
	loop    int // of the last connection
	ackLast broker.Time

	out       []*outgoing // sent and not fully acknowledged, in order
	nextID    uint16
	serverMax int

	subs    []*interval
	asked   map[uint16]*interval // SUBSCRIBE or UNSUBSCRIBE under way on sock
	inbox   inbox
	started int // messages published
}

func newClient(w *world, i int) *client {
	c := &client{w: w, id: fmt.Sprintf("c%d", i), clean: true}
	c.version = []mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5, mqtt.V5}[w.rnd.IntN(4)]
	c.persist = w.rnd.IntN(3) > 0
	if w.often(3) {
		c.keepAlive = 1
	}
	c.receiveMax = uint16(1 + w.rnd.IntN(10))
	c.mortal = c.persist && c.version == mqtt.V5 && w.often(3)
	c.forget()
	return c
}

// forget drops what the client remembers of its session, which is over for it.
func (c *client) forget() {
	if c.epoch++; c.epoch > 1 {
		c.w.count.Ended++
	}
	for _, o := range c.out {
		o.m.lost = true
	}
	c.out, c.had, c.clean = nil, false, true
	c.subs, c.asked = nil, map[uint16]*interval{}
	c.inbox = inbox{busy: map[uint16]bool{}}
}

// connect opens a connection on any loop. One that is still open is left to the server to end.
func (c *client) connect() {
	if c.w.down {
		c.w.after(1+c.w.upTo(20), c.connect)
		return
	}
	if c.sock != nil && !c.sock.cut {
		c.leave()
	}
	if !c.persist {
		c.forget()
	}
	c.conns++
	c.up, c.told = false, false
	c.asked = map[uint16]*interval{}
	c.inbox.busy = map[uint16]bool{}
	loop := c.w.rnd.IntN(len(c.w.kernels))
	s := c.w.dial(c, loop)
	c.sock = s
	p := mqtt.Connect{
		Version: c.version, CleanStart: c.starts(), ClientID: []byte(c.id), KeepAlive: c.keepAlive,
	}
	if c.version == mqtt.V5 {
		p.Props = p.Props.AppendUint16(mqtt.ReceiveMaximum, c.receiveMax)
		switch {
		case c.persist && c.mortal:
			p.Props = p.Props.AppendUint32(mqtt.SessionExpiryInterval, 1)
		case c.persist:
			p.Props = p.Props.AppendUint32(mqtt.SessionExpiryInterval, broker.Never)
		}
		if c.w.often(2) {
			p.Props = p.Props.AppendUint16(mqtt.TopicAliasMaximum, uint16(1+c.w.rnd.IntN(3)))
		}
	}
	if c.had && loop != c.loop {
		c.w.count.Moves++
	}
	c.loop = loop
	c.w.trace("%s (version %d, persists %t) connects to kernel %d, clean %t",
		c.id, c.version, c.persist, loop, c.starts())
	s.send(p.Append(nil))
	c.w.after(4000, func() { c.impatient(s) })
	c.ping(s)
}

// starts says if CONNECT asks for a new session. A session that 3.1.1 starts anew cannot be kept,
// so such a client never does.
func (c *client) starts() bool {
	return c.clean && (c.version == mqtt.V5 || !c.persist)
}

// leave abandons an open connection: the server may still read what is under way on it.
func (c *client) leave() {
	c.haunted()
	c.w.after(100+c.w.upTo(400), c.sock.breakOff)
}

// haunted: for as long as the server may not know that a connection is no more, that one may take
// the session from the next, if its CONNECT is handled later.
func (c *client) haunted() {
	c.old++
	c.w.after(4000, func() { c.old-- })
	if !c.up && c.starts() {
		c.wipers++
		c.w.after(4000, func() { c.wipers-- })
	}
}

// impatient gives up a connection that was not answered.
func (c *client) impatient(s *socket) {
	if s != c.sock || s.cut || c.up {
		return
	}
	if c.w.calm {
		c.w.fail("%s: no CONNACK", c.id)
		return
	}
	c.breakOff()
}

func (c *client) ping(s *socket) {
	if c.keepAlive == 0 {
		return
	}
	c.w.after(400, func() {
		if s != c.sock || s.cut {
			return
		}
		if c.up {
			p := mqtt.Ping{Type: mqtt.PINGREQ}
			s.send(p.Append(nil, c.version))
		}
		c.ping(s)
	})
}

// breakOff loses the connection and tries again soon.
func (c *client) breakOff() {
	c.w.trace("%s loses its connection", c.id)
	if !c.up {
		c.haunted()
	}
	c.sock.breakOff()
	c.again(c.sock)
}

func (c *client) again(s *socket) {
	c.w.after(c.w.upTo(150), func() {
		if s == c.sock {
			c.connect()
		}
	})
}

// closed is told when the server closed s.
func (c *client) closed(s *socket) {
	if s != c.sock {
		return
	}
	c.w.trace("%s is closed", c.id)
	if c.version == mqtt.V5 && !c.told && (c.up || !c.w.hurt()) {
		c.w.fail("%s: closed without a reason", c.id)
	}
	if c.version != mqtt.V5 && c.old == 0 && !c.w.hurt() {
		c.w.fail("%s: closed without a cause", c.id)
	}
	if c.wipers > 0 {
		// It may have been one of those, and have begun the session anew. The next CONNECT would be
		// told that a session is present, and cannot tell which. So it asks for a new one.
		c.forget()
	}
	c.again(s)
}

// live does something every now and then until the world is calm.
func (c *client) live() {
	c.w.after(1+c.w.upTo(40), func() {
		if c.w.calm {
			return
		}
		c.act()
		c.live()
	})
}

func (c *client) act() {
	open := c.sock != nil && !c.sock.cut
	switch n := c.w.rnd.IntN(100); {
	case n < 4 && open:
		c.breakOff()
	case n == 4 && open && c.up:
		c.w.trace("%s takes over", c.id)
		c.connect()
	case n == 5 && c.persist && c.version == mqtt.V5 && open:
		c.w.trace("%s starts anew", c.id)
		c.haunted()
		c.sock.breakOff()
		c.forget()
		c.again(c.sock)
	case n == 6 && c.mortal && open:
		c.die()
	case !c.up || !open:
	case n < 12:
		c.changeSubscription()
	case n < 70:
		c.publish()
	}
}

// die stays away until the session has ended.
func (c *client) die() {
	c.w.trace("%s dies", c.id)
	c.haunted()
	c.sock.breakOff()
	c.forget()
	s := c.sock
	c.w.after(1200+c.w.upTo(1000), func() {
		if s == c.sock {
			c.connect()
		}
	})
}

// admitted handles CONNACK.
func (c *client) admitted(s *socket, frame []byte) {
	var a mqtt.Connack
	if err := a.Decode(c.version, frame); err != nil {
		c.w.fail("%s: CONNACK: %v", c.id, err)
		return
	}
	c.w.trace("%s is admitted, %v, present %t", c.id, a.Reason, a.SessionPresent)
	switch {
	case a.Reason != mqtt.Success && c.w.refused(a.Reason):
		return // it will be closed
	case a.Reason != mqtt.Success:
		c.w.fail("%s: CONNACK %v", c.id, a.Reason)
		return
	case a.SessionPresent && c.starts():
		c.w.fail("%s: session present after a clean start", c.id)
	case !a.SessionPresent && c.had && c.mortal && c.w.now-c.heard > 900:
		c.forget() // it was away for too long
	case !a.SessionPresent && c.had && c.version != mqtt.V31 && c.old == 0:
		c.w.fail("%s: its session is gone", c.id)
	case !a.SessionPresent && c.had && c.version != mqtt.V31:
		c.forget() // a clean start that was given up came through later
	}
	s.epoch, c.serverMax = c.epoch, 8
	if v, ok := a.Props.Uint16(mqtt.ReceiveMaximum); ok {
		c.serverMax = int(v)
	}
	c.up, c.first = true, c.clean
	c.had, c.clean = c.persist, !c.persist
	c.sendAgain(s)
	c.subscribeAgain(s)
}

// calmDown ends the trouble: whoever is away comes back, what was left open is closed.
func (w *world) calmDown() {
	w.calm = true
	w.trace("calm")
	for _, c := range w.clients {
		if c.sock.cut {
			c.again(c.sock)
		}
	}
}
