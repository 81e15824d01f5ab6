package gate

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"
	"unsafe"
)

// A peer that reads nothing is slow at OutBytesMax, is told of as writable when it reads, and is
// cut when the handler writes on regardless.
func TestPeerThatDoesNotRead(t *testing.T) {
	const soft, hard = 64 << 10, 256 << 10
	writable := make(chan int, 1)
	closed := make(chan error, 1)
	conns := make(chan *Conn, 2)
	f := &fake{
		packet:   func(c *Conn, _ []byte) { conns <- c },
		writable: func(c *Conn) { writable <- c.Room() },
		closed:   func(_ *Conn, err error) { closed <- err },
	}
	h := start(t, f, func(_ *Config, l *Limits) { l.OutBytesMax, l.OutCutBytesMax = soft, hard })
	peer := h.dial()
	if _, err := peer.Write(packet(1, 'x')); err != nil {
		t.Fatal(err)
	}
	c := <-conns
	block := make([]byte, 8<<10)
	sent := make(chan int, 1)
	fill := func(int64) {
		n := 0
		for c.Room() > 0 {
			c.Write(block)
			n += len(block)
		}
		if q := c.queued(); q > soft+len(block) {
			t.Errorf("%d bytes wait", q)
		}
		sent <- n
	}
	h.g.Do(c.Loop(), fill)
	n := <-sent
	if n < soft {
		t.Fatalf("slow after %d bytes", n)
	}
	if _, err := io.CopyN(io.Discard, peer, int64(n)); err != nil {
		t.Fatal(err)
	}
	if room := <-writable; room < soft/2 {
		t.Errorf("writable with room for %d", room)
	}
	h.g.Do(c.Loop(), func(int64) {
		for range 4096 { // 32 MiB, above what any socket takes
			c.Write(block)
		}
		if c.queued2() > hard+flushBytes+len(block) {
			t.Errorf("%d bytes wait", c.queued2())
		}
	})
	if err := <-closed; !errors.Is(err, ErrCut) {
		t.Errorf("closed: %v", err)
	}
	if st := h.g.Stats(); st.Cut != 1 || st.Connections != 0 {
		t.Errorf("stats: %+v", st)
	}
}

// queued2 is queued for a connection that may be gone.
func (c *Conn) queued2() int {
	if c.state == gone {
		return 0
	}
	return c.queued()
}

func TestCloseSendsWhatIsQueued(t *testing.T) {
	const size = 6 << 20 // more than a socket takes
	body := make([]byte, size)
	f := &fake{}
	f.packet = func(c *Conn, _ []byte) {
		c.Write(body)
		c.Close()
		c.Write([]byte("not sent"))
	}
	f.closed = func(*Conn, error) { t.Error("Closed after Close") }
	h := start(t, f)
	c := h.dial()
	if _, err := c.Write(packet(9, 'x')); err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, c)
	if err != nil || n != size {
		t.Fatalf("%d bytes, %v", n, err)
	}
	_ = c.Close()
	until(t, "gone", func() bool { return h.g.Stats().Connections == 0 })
}

// A peer that goes on sending after the gate has sent its last still gets all of it: the input must
// not reset the connection.
func TestInputBehindCloseLosesNothing(t *testing.T) {
	const size = 48 << 10 // the sockets take it all, the peer's own only some
	conns := make(chan *Conn, 1)
	h := start(t, &fake{packet: func(c *Conn, _ []byte) {
		c.Write(make([]byte, size))
		c.Close()
		conns <- c
	}})
	peer := h.dial()
	_ = peer.(*net.TCPConn).SetReadBuffer(4 << 10)
	if _, err := peer.Write(packet(1, 'x')); err != nil {
		t.Fatal(err)
	}
	c := <-conns
	until(t, "all sent", func() bool {
		sent := make(chan bool)
		h.g.Do(c.Loop(), func(int64) { sent <- c.state > closing })
		return <-sent
	})
	for range 10 {
		_, _ = peer.Write(packet(100, 'x'))
	}
	n, err := io.Copy(io.Discard, peer)
	if err != nil || n != size {
		t.Fatalf("%d bytes, %v", n, err)
	}
}

func TestCloseDoesNotWaitForever(t *testing.T) {
	for name, size := range map[string]int{"output": 16 << 20, "end": 1} {
		t.Run(name, func(t *testing.T) {
			body := make([]byte, size)
			h := start(t, &fake{packet: func(c *Conn, _ []byte) {
				c.Write(body)
				c.Close()
			}}, func(c *Config, _ *Limits) {
				c.CloseTimeout, c.LingerTimeout = 50*time.Millisecond, 50*time.Millisecond
			})
			c := h.dial() // reads nothing and does not close
			if _, err := c.Write(packet(1, 'x')); err != nil {
				t.Fatal(err)
			}
			until(t, "accepted", func() bool { return h.g.Stats().PacketsIn == 1 })
			until(t, "gone", func() bool { return h.g.Stats().Connections == 0 })
		})
	}
}

// A handler hears once of a connection that dies while it is written to, and may write from there.
func TestDeadPeerIsToldOnce(t *testing.T) {
	var h *house
	var mu sync.Mutex
	open := map[*Conn]bool{}
	told := 0
	f := &fake{
		open: func(c *Conn) { mu.Lock(); open[c] = true; mu.Unlock() },
		closed: func(c *Conn, _ error) {
			mu.Lock()
			defer mu.Unlock()
			told++
			delete(open, c)
			for o := range open {
				o.Write(packet(1, 'w')) // one loop: a will
			}
		},
	}
	f.packet = func(c *Conn, _ []byte) {
		mu.Lock()
		defer mu.Unlock()
		for o := range open {
			o.Write(make([]byte, 100<<10))
		}
	}
	h = start(t, f, func(c *Config, _ *Limits) { c.Loops = 1 })
	const peers = 20
	last := h.dial()
	for range peers {
		c := h.dial()
		until(t, "open", func() bool { mu.Lock(); defer mu.Unlock(); return len(open) > 1 })
		_ = c.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
		if _, err := last.Write(packet(1, 'x')); err != nil {
			t.Fatal(err)
		}
	}
	go func() { _, _ = io.Copy(io.Discard, last) }()
	until(t, "told of each", func() bool { mu.Lock(); defer mu.Unlock(); return told == peers })
	_ = last.Close()
	until(t, "empty", func() bool { return h.g.Stats().Connections == 0 })
	until(t, "told of the last", func() bool { mu.Lock(); defer mu.Unlock(); return told > peers })
	if st := h.g.Stats(); st.Panics != 0 {
		t.Errorf("%+v, %s", st, h.log)
	}
}

func TestBuffersAreBounded(t *testing.T) {
	b := buffers{keep: 10 * bufferBytes}
	var lent []*buffer
	for range 20 {
		lent = append(lent, b.get())
	}
	for _, p := range lent {
		b.put(p)
	}
	b.put(nil)
	b.put(&buffer{b: make([]byte, 0, 2*bufferBytesKept)})
	if len(b.free) != 10 || b.size != 10*bufferBytes {
		t.Errorf("%d free, %d bytes", len(b.free), b.size)
	}
}

func TestConnIsSmall(t *testing.T) {
	if size := unsafe.Sizeof(Conn{}); unsafe.Sizeof(uintptr(0)) == 8 && size > 96 {
		t.Errorf("%d bytes", size)
	}
}
