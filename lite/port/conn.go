package port

import (
	"net"
	"sync"
	"time"

	"github.com/hpmq/hpmq/lite/broker"
)

// Conn is one connection; for the kernel it is the broker.Sink.
type Conn struct {
	port *Port
	ln   *listener
	sock net.Conn

	// Of the kernel goroutine.
	side  *broker.Conn
	over  bool // the kernel wants to hear no more
	dirty bool

	// Of the reader.
	head [headBytes]byte
	past bool          // the first packet has come
	turn chan struct{} // the kernel is done with what the reader handed over

	mu      sync.Mutex
	out     []byte // what waits
	sending int    // what a writer is at
	writing bool   // there is a writer
	slow    bool   // the kernel waits for room
	leaving bool   // closed by the kernel: the rest is sent, then the end
	ended   bool   // nothing is sent any more
	said    bool   // our side of the socket is closed
	done    bool   // the reader has ended
	freed   bool
}

// address is the remote address without the port.
func (c *Conn) address() string {
	text := c.sock.RemoteAddr().String()
	if host, _, err := net.SplitHostPort(text); err == nil {
		return host
	}
	return text
}

// Write is broker.Sink. A peer for which too much waits is cut.
func (c *Conn) Write(p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended || c.leaving {
		return
	}
	if len(c.out)+c.sending+len(p) > c.ln.cfg.Limits.OutCutBytesMax && len(c.out)+c.sending > 0 {
		c.endLocked()
		return
	}
	if c.out == nil {
		c.out = c.port.bufs.get()
	}
	c.out = append(c.out, p...)
	c.touch()
}

// Room is broker.Sink.
func (c *Conn) Room() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return -1
	}
	room := c.ln.cfg.Limits.OutBytesMax - len(c.out) - c.sending
	if room <= 0 {
		c.slow = true
		return min(room, -1)
	}
	return room
}

// Held is broker.Sink: a port has no rates.
func (c *Conn) Held() int64 { return 0 }

// Close is broker.Sink: what is queued is sent, for as long as Config.CloseTimeout.
func (c *Conn) Close() {
	c.over = true
	c.mu.Lock()
	c.leaving = true
	c.mu.Unlock()
	_ = c.sock.SetDeadline(time.Now().Add(c.port.cfg.CloseTimeout))
	c.touch()
}

// touch makes settle look at c at the end of the turn.
func (c *Conn) touch() {
	if !c.dirty {
		c.dirty = true
		c.port.dirty = append(c.port.dirty, c)
	}
}

// flush starts a writer if there is work for one and none is there.
func (c *Conn) flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.writing && !c.ended && !c.said && (len(c.out) > 0 || c.leaving) {
		c.writing = true
		go c.write()
	}
}

// write is the writer of c: it sends what waits until nothing does.
func (c *Conn) write() {
	for {
		buf, ok := c.take()
		if !ok {
			return
		}
		_, err := c.sock.Write(buf)
		c.port.bufs.put(buf)
		if c.sent(err) {
			c.hand(event{kind: writable})
		}
	}
}

// take answers what waits. False: the writer ends.
func (c *Conn) take() ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sending = len(c.out)
	if c.sending > 0 && !c.ended {
		buf := c.out
		c.out = nil
		return buf, true
	}
	c.writing = false
	if c.leaving && !c.ended {
		c.byeLocked()
	}
	c.freeLocked()
	return nil, false
}

// sent takes note of what a write came to, and answers whether the kernel waits for it.
func (c *Conn) sent(err error) (tell bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sending = 0
	if err != nil {
		c.endLocked()
		return false
	}
	tell = c.slow && len(c.out) <= c.ln.cfg.Limits.OutBytesMax/2
	if tell {
		c.slow = false
	}
	return tell
}

// byeLocked closes our side. The reader waits for the peer's.
func (c *Conn) byeLocked() {
	c.said = true
	half, ok := c.sock.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		c.endLocked()
		return
	}
	_ = c.sock.SetReadDeadline(time.Now().Add(c.port.cfg.LingerTimeout))
}

// discarding is true when what the peer sends interests nobody any more.
func (c *Conn) discarding() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.leaving
}

// cut ends c now and forgets its output. The kernel hears of it from the reader.
func (c *Conn) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.endLocked()
}

// endLocked closes the socket: reader and writer find that out and end.
func (c *Conn) endLocked() {
	if c.ended {
		return
	}
	c.ended = true
	if t, ok := c.sock.(*net.TCPConn); ok && len(c.out)+c.sending > 0 {
		_ = t.SetLinger(0) // a reset: the system keeps nothing for a peer that does not read
	}
	_ = c.sock.Close()
	c.port.bufs.put(c.out)
	c.out = nil
}

// readEnded is the last thing a reader does. One that ended before the kernel closed the connection
// leaves nobody to send to.
func (c *Conn) readEnded() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done = true
	if !c.leaving {
		c.endLocked()
	}
	c.freeLocked()
}

// freeLocked forgets c when reader and writer have ended.
func (c *Conn) freeLocked() {
	if !c.done || c.writing || c.freed {
		return
	}
	if c.leaving && !c.ended && len(c.out) > 0 {
		return // the kernel closed it in this turn: a writer will come
	}
	c.freed = true
	c.endLocked()
	c.ln.release(c)
}
