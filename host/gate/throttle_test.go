//go:build unix

package gate

import (
	"bytes"
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// rated is a house whose clock belongs to the test. It counts what packets come up.
type rated struct {
	*house
	now   atomic.Int64
	got   atomic.Int64
	conns chan *Conn
}

func startRated(t testing.TB, f *fake, r Rates, change ...func(*Config, *Limits)) *rated {
	t.Helper()
	h := &rated{conns: make(chan *Conn, 100)}
	h.now.Store(1_000_000)
	packet, open := f.packet, f.open
	f.packet = func(c *Conn, frame []byte) {
		h.got.Add(1)
		if packet != nil {
			packet(c, frame)
		}
	}
	f.open = func(c *Conn) {
		h.conns <- c
		if open != nil {
			open(c)
		}
	}
	early := func(c *Config, l *Limits) { // the clock jumps ahead of the network
		c.CloseTimeout, c.LingerTimeout, l.PacketTimeout = 1000*time.Hour, 1000*time.Hour, 0
	}
	h.house = start(t, f, append(append([]func(*Config, *Limits){early}, change...),
		func(c *Config, l *Limits) {
			c.Now, c.Tick, l.Rates = h.now.Load, time.Millisecond, r
		})...)
	return h
}

// pass lets time go by, and the loops see it.
func (h *rated) pass(ms int64) {
	h.now.Add(ms)
	h.turn()
}

// turn waits until each loop has had a few turns.
func (h *rated) turn() {
	for range 3 {
		for i := range h.g.Loops() {
			done := make(chan struct{})
			if h.g.Do(i, func(int64) { close(done) }) {
				<-done
			}
		}
	}
}

// on runs f on the loop of c and waits.
func (h *rated) on(c *Conn, f func()) {
	h.t.Helper()
	done := make(chan struct{})
	if !h.g.Do(c.Loop(), func(int64) { defer close(done); f() }) {
		h.t.Fatal("closed")
	}
	<-done
}

func (h *rated) paused(n int64) {
	h.t.Helper()
	until(h.t, "paused", func() bool { return h.g.Stats().Paused == n })
	h.turn()
}

// exactly waits for n packets and sees that no more come.
func (h *rated) exactly(n int64) {
	h.t.Helper()
	until(h.t, "so many packets", func() bool { return h.got.Load() >= n })
	h.turn()
	if got := h.got.Load(); got != n {
		h.t.Fatalf("%d packets, want %d", got, n)
	}
}

func (h *rated) write(c net.Conn, b []byte) {
	h.t.Helper()
	if _, err := c.Write(b); err != nil {
		h.t.Fatal(err)
	}
}

func many(n, size int) []byte {
	var b []byte
	for i := range n {
		b = append(b, publish(size, byte(i))...)
	}
	return b
}

func TestMessagesInPerSecond(t *testing.T) {
	h := startRated(t, &fake{}, Rates{MessagesInPerSecond: 10})
	c := h.dial()
	h.write(c, many(1, 5)) // the first never waits, but counts
	h.write(c, many(64, 5))
	h.paused(1)
	h.exactly(10)
	for s := range int64(4) {
		for i := range int64(10) {
			h.pass(100)
			h.exactly(10 + 10*s + i + 1)
		}
	}
	h.pass(100_000) // the burst is one second, however long the rest
	h.exactly(60)
	h.pass(1000)
	h.exactly(65)
	h.paused(0)
	st := h.g.Stats()
	if v := h.g.Listeners()[0]; st.PausedTotal == 0 || v.PausedTotal != st.PausedTotal ||
		v.Paused != 0 {
		t.Errorf("%+v, %+v", st, v)
	}
	ping2 := []byte{0xC0, 0}
	h.write(c, bytes.Repeat(ping2, 100)) // no message
	h.exactly(165)
}

func TestBytesInPerSecond(t *testing.T) {
	h := startRated(t, &fake{}, Rates{BytesInPerSecond: 1000})
	c := h.dial()
	h.write(c, many(40, 98))
	h.paused(1)
	h.exactly(10)
	for i := range int64(3) {
		h.pass(1000)
		h.exactly(20 + 10*i)
	}
	h.paused(0)
	h.pass(1000)
	h.write(c, append(many(1, 4997), many(1, 98)...)) // 5,000 bytes: five seconds' worth
	h.exactly(41)
	h.paused(1)
	for range 4 {
		h.pass(1000)
	}
	h.exactly(41)
	h.pass(100)
	h.exactly(42)
}

// Two connections on two loops share what the listener may take, evenly and exactly.
func TestListenerTotalIsShared(t *testing.T) {
	var per [2]atomic.Int64
	f := &fake{packet: func(c *Conn, _ []byte) { per[c.Loop()].Add(1) }}
	h := startRated(t, f, Rates{ListenerMessagesInPerSecond: 100})
	for range 2 {
		c := h.dial()
		go func() { _, _ = c.Write(many(4000, 5)) }()
	}
	a, b := <-h.conns, <-h.conns
	if a.Loop() == b.Loop() {
		t.Fatal("on one loop")
	}
	h.paused(2)
	if n := h.got.Load(); n < 100 || n > 101 { // the first packet of the second never waits
		t.Fatalf("a burst of %d", n)
	}
	before := [2]int64{per[0].Load(), per[1].Load()}
	for range 2000 {
		h.pass(5)
	}
	for range 20 { // what a loop had not come to
		h.turn()
	}
	x, y := per[0].Load()-before[0], per[1].Load()-before[1]
	if d := x - y; d < -4 || d > 4 || x+y < 990 || x+y > 1000 {
		t.Errorf("%d and %d in ten seconds", x, y)
	}
}

func TestMessagesOutPerSecond(t *testing.T) {
	var h *rated
	var sent atomic.Int64
	pump := func(c *Conn) {
		for sent.Load() < 100 {
			room := c.Room()
			if room <= 0 {
				if room < 0 {
					t.Error("slow")
				}
				return
			}
			sent.Add(1)
			c.Write(publish(10, 'o'))
		}
	}
	h = startRated(t, &fake{packet: func(c *Conn, _ []byte) { pump(c) }, writable: pump},
		Rates{MessagesOutPerSecond: 10, BytesOutPerSecond: 600})
	c := h.dial()
	h.write(c, many(1, 1))
	exactly := func(n int64) {
		t.Helper()
		until(t, "so many", func() bool { return sent.Load() >= n })
		if h.turn(); sent.Load() != n {
			t.Fatalf("%d sent, want %d", sent.Load(), n)
		}
	}
	exactly(10)
	for i := range int64(20) {
		h.pass(100)
		exactly(11 + i)
	}
	h.pass(10_000)
	exactly(40)
	conn := <-h.conns
	h.on(conn, func() { conn.Write(publish(1200, 'b')) }) // two seconds' worth of bytes, unasked
	for range 10 {
		h.pass(100)
	}
	exactly(40)
	h.pass(1000)
	exactly(50)
}

func TestConnectsPerSecond(t *testing.T) {
	h := startRated(t, &fake{}, Rates{ConnectsPerSecond: 5})
	for range 12 {
		h.dial() // the system takes them
	}
	accepted := func(n uint64) {
		t.Helper()
		until(t, "accepted", func() bool { return h.g.Stats().Accepted >= n })
		if h.turn(); h.g.Stats().Accepted != n {
			t.Fatalf("%d accepted, want %d", h.g.Stats().Accepted, n)
		}
	}
	accepted(5)
	h.pass(200)
	accepted(6)
	h.pass(1000)
	accepted(11)
	if st := h.g.Stats(); st.Refused != 0 {
		t.Errorf("%+v", st)
	}
	if err := h.g.Unlisten("main"); err != nil { // while it waits
		t.Error(err)
	}
}

// Rates of an open listener change for those who are there as well.
func TestUpdateChangesRates(t *testing.T) {
	h := startRated(t, &fake{}, Rates{})
	c := h.dial()
	conn := <-h.conns
	h.write(c, many(100, 5))
	h.exactly(100)
	h.on(conn, func() {
		if conn.meter != nil {
			t.Error("a meter without rates")
		}
	})
	cfg := ListenerConfig{Name: "main", Bind: "tcp://" + h.addr, Limits: DefaultLimits()}
	cfg.Limits.MessagesInPerSecond = 10
	if err := h.g.Update(cfg); err != nil {
		t.Fatal(err)
	}
	h.write(c, many(100, 5))
	h.exactly(110)
	cfg.Limits.MessagesInPerSecond = 50
	if err := h.g.Update(cfg); err != nil {
		t.Fatal(err)
	}
	h.pass(1000)
	h.exactly(160)
	cfg.Limits.Rates = Rates{}
	if err := h.g.Update(cfg); err != nil {
		t.Fatal(err)
	}
	h.pass(1000)
	h.exactly(200)
	h.paused(0)
}
