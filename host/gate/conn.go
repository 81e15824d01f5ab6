package gate

import (
	"errors"
	"net"
	"time"

	"github.com/panjf2000/gnet/v2"
)

// ErrCut is why a connection was closed whose peer takes nothing of what it is sent.
var ErrCut = errors.New("gate: the peer does not read")

// flushBytes is when output is written before the turn ends: as much as a socket takes at once,
// and few enough to be in the cache still.
const flushBytes = 64 << 10

// state is where a connection stands between open and gone.
type state uint8

const (
	open    state = iota
	closing       // Close was called, output is on its way
	linger        // output and our end are sent; the peer's end is awaited
	gone          // the socket is closed
)

// Conn is one connection. There may be a hundred thousand idle ones, so it is small: 96 bytes, and
// no buffer while nothing is on its way. All of it belongs to the goroutine of its loop: call it
// only from a Handler or from Gate.Do of that loop. A Conn that is closed ignores what is written
// to it.
type Conn struct {
	// Data is the handler's own.
	Data any

	gc    gnet.Conn // invalid once state is gone; nil while c is parked
	loop  *loop
	ln    *terms
	pile  *pile   // nil: the socket's bytes are MQTT
	meter *meter  // nil: the listener has no rates
	in    *buffer // the start of a packet whose end has not come, or nil
	out   *buffer // what gnet was not handed yet, or nil
	until int64   // when closing or linger ends

	state   state
	dirty   bool // in loop.dirty
	watched bool // in loop.watch
	slow    bool // Room said no: the handler waits for Writable
	past    bool // its first packet was seen
	entered bool // OnOpen came

	bulk uint16 // in bulkBytes: how far what was last written with room goes beyond OutBytesMax
}

// bulkBytes is the unit of Conn.bulk, of which 65,535 are more than all packets of MQTT.
const bulkBytes = 64 << 10

// Loop is the number of the loop that owns c.
func (c *Conn) Loop() int { return c.loop.index }

// Listener is the data of the listener c came in by.
func (c *Conn) Listener() any { return c.ln.cfg.Data }

// Address is the peer's address without its port, "unix" for a unix socket; behind a trusted
// proxy that of the PROXY header. It is for Handler.Open: the gate does not keep it longer.
func (c *Conn) Address() string {
	if c.state == gone {
		return ""
	}
	if c.pile != nil && c.pile.address != "" {
		return c.pile.address
	}
	if c.gc == nil {
		return ""
	}
	switch a := c.gc.RemoteAddr().(type) {
	case *net.TCPAddr:
		if a.IP != nil {
			return a.IP.String()
		}
	case *net.UnixAddr:
		return "unix"
	}
	return ""
}

// CertificateSubject is whom the peer's verified certificate names, as RFC 4514 writes it, or
// empty. It is for Handler.Open: the gate does not keep it longer.
func (c *Conn) CertificateSubject() string {
	if c.pile == nil {
		return ""
	}
	return c.pile.subject
}

// Write queues p, borrowed until return. It goes out at the end of the turn, earlier if it is
// much. A peer that has not taken Limits.OutCutBytesMax when more is written is cut; what one
// packet that was written with room goes beyond OutBytesMax is not held against it.
func (c *Conn) Write(p []byte) {
	if c.state != open || len(p) == 0 {
		return
	}
	if c.full(len(p)) {
		return
	}
	if c.out == nil {
		c.out = c.loop.bufs.get()
		c.out.b = c.out.b[:c.front()]
	}
	if invariants && c.loop.g.cfg.OnWrite != nil {
		c.loop.g.cfg.OnWrite()
	}
	c.out.b = append(c.out.b, p...)
	if c.meter != nil {
		c.sent(p)
	}
	c.touch()
	if len(c.out.b) >= flushBytes {
		c.push()
	}
}

// full cuts a peer for whom too much waits when n bytes more are written, and is true then.
func (c *Conn) full(n int) bool {
	q, l := c.queued(), &c.ln.cfg.Limits
	if q < l.OutBytesMax {
		c.bulk = 0
		if over := int64(q) + int64(n) + int64(n/64) - int64(l.OutBytesMax); over > 0 { // 1/64: TLS
			c.bulk = uint16(min((over+bulkBytes-1)/bulkBytes, 1<<16-1))
		}
		return false
	}
	if int64(q) < int64(l.OutCutBytesMax)+int64(c.bulk)*bulkBytes {
		return false
	}
	c.cutUnread()
	return true
}

// cutUnread cuts a peer that does not read, counts it, and logs it now and then.
func (c *Conn) cutUnread() {
	c.loop.g.count.cut.Add(1)
	if held, ok := c.ln.deaf.pass(time.Now()); ok {
		c.loop.g.log.Warn("gate: a peer was cut: it does not read", "listener", c.ln.name,
			"peer", c.remote(), "unread", c.queued(), "not logged", held)
	}
	c.cut(ErrCut)
}

// remote asks the system for the peer's address, which the gate does not keep: behind a proxy it is
// the proxy's. It is empty for a unix socket, and where the system has no way to ask.
func (c *Conn) remote() string {
	switch {
	case c.gc != nil:
		return remoteOf(c.gc.Fd())
	case c.meter != nil && c.meter.fd >= 0:
		return remoteOf(c.meter.fd)
	}
	return ""
}

// Room is how many bytes may be queued before the peer counts as slow; then it is below 0, and
// the handler gets Writable when half of the room is free again. It is 0 while a rate lets nothing
// more through; the handler gets Writable when it does.
func (c *Conn) Room() int {
	if c.state != open {
		return -1
	}
	room := c.ln.cfg.Limits.OutBytesMax - c.queued()
	if room > 0 {
		if c.meter != nil && !c.mayWrite() {
			return 0
		}
		return room
	}
	if !c.slow {
		c.slow = true
		c.watchMe()
	}
	return min(room, -1)
}

// Close sends what is queued, then closes. The handler hears no more of c. A peer that does not
// read is cut after Config.CloseTimeout.
func (c *Conn) Close() {
	if c.state != open {
		return
	}
	c.state = closing
	c.until = c.loop.now + c.loop.g.cfg.CloseTimeout.Milliseconds()
	c.touch()
}

func (c *Conn) queued() int {
	n := c.unsent()
	if c.gc != nil {
		n += c.gc.OutboundBuffered()
	}
	if c.out != nil {
		n += len(c.out.b)
	}
	return n
}

// touch makes settle look at c at the end of the turn.
func (c *Conn) touch() {
	if !c.dirty {
		c.dirty = true
		c.loop.dirty = append(c.loop.dirty, c)
	}
}

// watchMe makes check look at c.
func (c *Conn) watchMe() {
	if !c.watched {
		c.watched = true
		c.loop.watch = append(c.loop.watch, c)
	}
}

// dropAddresses empties the addresses that gnet keeps of a connection: 64 bytes that an idle one
// need not cost. It also takes their zones from gnet, which would give the strings, not its own, to
// a pool of byte buffers when the connection ends.
func (c *Conn) dropAddresses() {
	if c.state == gone {
		return
	}
	for _, a := range []net.Addr{c.gc.RemoteAddr(), c.gc.LocalAddr()} {
		if t, ok := a.(*net.TCPAddr); ok {
			*t = net.TCPAddr{}
		}
	}
}

// push hands the output to gnet, which writes it or keeps what the socket does not take.
func (c *Conn) push() {
	out := c.out
	if out == nil {
		return
	}
	c.out = nil // the socket may turn out dead below, and left would give the buffer back as well
	if c.staged() {
		c.pushStaged(out.b)
	} else {
		c.wire(out.b)
	}
	c.loop.bufs.put(out)
}

// wire writes raw bytes, borrowed until return. If the socket is dead gnet calls OnClose from
// inside.
func (c *Conn) wire(raw []byte) {
	if c.state == gone {
		return
	}
	c.loop.bytesOut.Add(uint64(len(raw)))
	if direct && c.meter != nil {
		c.send(raw)
		return
	}
	if _, err := c.gc.Write(raw); err != nil && c.state != gone {
		c.end(err)
	}
}

// settle ends the turn for c.
func (c *Conn) settle() {
	c.dirty = false
	c.push()
	if c.state == closing && c.staged() {
		c.farewell()
	}
	if c.state == closing && c.meter != nil {
		c.leaveRates()
	}
	if c.state == closing && c.waits() {
		c.watchMe()
	}
}

// waits takes a closing connection as far as it can go, and is true while c has something to wait
// for: room, or its end.
func (c *Conn) waits() bool {
	switch c.state {
	case open:
		return c.unsent() > 0 || c.slow && !c.relieved()
	case closing:
		return c.leave()
	case linger:
		if c.loop.now < c.until {
			return true
		}
		c.end(nil)
	}
	return false
}

// relieved is true when half of the room of c is free.
func (c *Conn) relieved() bool { return c.queued() <= c.ln.cfg.Limits.OutBytesMax/2 }

// leave goes from closing to linger once the output is sent. Closing a socket at once, with input
// unread, would reset it and could take the last packet from the peer.
func (c *Conn) leave() bool {
	if c.gc == nil || c.queued() > 0 {
		if c.loop.now < c.until {
			return true
		}
		c.cutUnread()
		return false
	}
	if closeWrite(c.gc) != nil {
		c.end(nil)
		return false
	}
	c.state = linger
	c.until = c.loop.now + c.loop.g.cfg.LingerTimeout.Milliseconds()
	return true
}

// cut closes c now and forgets its output.
func (c *Conn) cut(why error) {
	if c.state == gone {
		return
	}
	if c.gc == nil {
		c.endParked(why, true)
		return
	}
	_ = c.gc.SetLinger(0) // a reset: the system keeps nothing for a peer that does not read
	c.end(why)
}

// end closes the socket. gnet calls OnClose from inside, which calls left.
func (c *Conn) end(why error) {
	if c.state == gone {
		return
	}
	if c.gc == nil {
		c.endParked(why, false)
		return
	}
	c.loop.why = why
	_ = c.gc.EventLoop().Close(c.gc)
	c.loop.why = nil
}

// endParked is end without gnet. A socket on its way back is closed when it arrives.
func (c *Conn) endParked(why error, reset bool) {
	c.left(why)
	if c.meter.fd >= 0 {
		drop(c.meter.fd, reset)
		c.meter.fd = -1
	}
}

// left is the last that happens to c: the socket is closed.
func (c *Conn) left(err error) {
	c.flushLast()
	told := c.state != open
	c.state = gone
	c.loop.bufs.put(c.loop.unfinished.take(c))
	c.loop.bufs.put(c.out)
	c.out, c.pile = nil, nil
	c.forgetRates()
	c.loop.conns.Add(-1)
	c.ln.release()
	if told {
		return
	}
	if c.loop.why != nil {
		err = c.loop.why
	}
	c.loop.ended = append(c.loop.ended, ending{c, err})
}

// action is what a gnet callback answers: on Windows gnet must be told that its connection is gone.
func (c *Conn) action() gnet.Action {
	if c.state == gone {
		return gnet.Close
	}
	return gnet.None
}
