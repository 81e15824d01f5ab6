package gate

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// A packet larger than all limits of output is in order when it was written with room: a peer that
// takes it slowly is not cut by what is said to it meanwhile, one that takes nothing is in the end.
func TestLargePacketToASlowReader(t *testing.T) {
	const size, soft = 20 << 20, 1 << 20
	conns, closed := make(chan *Conn, 1), make(chan error, 1)
	f := &fake{
		packet: func(c *Conn, frame []byte) {
			if len(frame) < 100 {
				c.Write(frame) // as a ping is answered
				return
			}
			c.Write(packet(size, 'm'))
			conns <- c
		},
		closed: func(_ *Conn, err error) { closed <- err },
	}
	h := start(t, f, func(_ *Config, l *Limits) { l.OutBytesMax, l.OutCutBytesMax = soft, 4*soft })
	peer := h.dial()
	_ = peer.(*net.TCPConn).SetReadBuffer(64 << 10)
	send := func(n int) {
		t.Helper()
		if _, err := peer.Write(packet(n, 'p')); err != nil {
			t.Fatal(err)
		}
	}
	send(200)
	c := <-conns
	const pings = 20
	for i := range pings { // a step of the message, a ping
		if _, err := io.CopyN(io.Discard, peer, size/pings); err != nil {
			t.Fatalf("after %d pings: %v", i, err)
		}
		send(5)
	}
	rest := int64(len(packet(size, 0)) - size + pings*len(packet(5, 0)))
	if _, err := io.CopyN(io.Discard, peer, rest); err != nil {
		t.Fatal(err)
	}
	ping(t, peer)

	send(200)
	<-conns
	most := make(chan int, 1)
	h.g.Do(c.Loop(), func(int64) {
		n := 0
		for q := c.queued2(); q > 0; q = c.queued2() {
			n = q
			c.Write(make([]byte, 8<<10))
		}
		most <- n
	})
	if n := <-most; n < 5<<20 || n > size+5*soft {
		t.Errorf("%d bytes wait for a peer that takes none", n)
	}
	if err := <-closed; !errors.Is(err, ErrCut) {
		t.Errorf("closed: %v", err)
	}
	told(t, h, 1)
}

// told: of all cuts one warning, that says who.
func told(t *testing.T, h *house, cuts uint64) {
	t.Helper()
	h.rarely("a peer was cut")
	if direct && !strings.Contains(h.log.String(), "peer=127.0.0.1 ") {
		t.Errorf("log: %s", h.log)
	}
	if n := h.g.Stats().Cut; n != cuts {
		t.Errorf("%d cut", n)
	}
}

// Those that are cut after Close are told of too, once for many.
func TestCutsAreLogged(t *testing.T) {
	h := start(t, &fake{packet: func(c *Conn, _ []byte) {
		c.Write(make([]byte, 16<<20))
		c.Close()
	}}, func(c *Config, _ *Limits) { c.CloseTimeout = 50 * time.Millisecond })
	for range 3 {
		if _, err := h.dial().Write(packet(1, 'x')); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "cut", func() bool { return h.g.Stats().Cut == 3 })
	told(t, h, 3)
}
