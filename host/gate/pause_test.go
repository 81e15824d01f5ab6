//go:build unix

package gate

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// Whatever the cuts and however often it waits, all that is sent comes back as it was sent.
func TestNothingIsLostInAThousandPauses(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	h := startRated(t, &fake{packet: echo}, Rates{MessagesInPerSecond: 50})
	c := h.dial()
	_ = c.SetDeadline(time.Now().Add(10 * patience))
	var sent, back atomic.Int64
	const window, pauses = 4 << 10, 1000
	over := make(chan struct{})
	go func() { // the clock
		r := rand.New(rand.NewPCG(seed, 2))
		for {
			select {
			case <-over:
				return
			default:
			}
			if h.g.Stats().Paused > 0 {
				h.pass(r.Int64N(400))
			} else {
				h.turn()
			}
		}
	}()
	want := make(chan []byte, 1<<20)
	go func() {
		defer close(want)
		var out []byte
		for i := uint32(0); h.g.Stats().PausedTotal < pauses; i++ {
			p := publish(4+rnd.IntN(60), 'm')
			if i == 0 {
				p[0] = byte(mqtt.CONNECT) << 4 // it may be cut
			}
			binary.BigEndian.PutUint32(p[2:], i)
			want <- p
			out = append(out, p...)
			for rnd.IntN(5) == 0 && len(out) > 0 {
				k := 1 + rnd.IntN(len(out))
				if _, err := c.Write(out[:k]); err != nil {
					return
				}
				out = out[k:]
				for sent.Add(int64(k)); sent.Load()-back.Load() > window; {
					runtime.Gosched()
				}
			}
		}
		_, _ = c.Write(out)
	}()
	n := 0
	for p := range want {
		got := make([]byte, len(p))
		if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, p) {
			t.Fatalf("packet %d: %x, want %x, %v", n, got, p, err)
		}
		back.Add(int64(len(p)))
		n++
	}
	close(over)
	t.Logf("%d packets, %d pauses", n, h.g.Stats().PausedTotal)
}

// A client that pushes 50 MB into a rate of 10 KB a second costs a read and a packet.
func TestHeldInputIsBounded(t *testing.T) {
	const size, push = 1024, 50 << 20
	h := startRated(t, &fake{}, Rates{BytesInPerSecond: 10_240}, func(_ *Config, l *Limits) {
		l.PacketBytesMax = 4096
	})
	c := h.dial()
	_ = c.SetDeadline(time.Now().Add(20 * patience))
	go func() {
		block := many(push/size/512, size-3)
		for range 512 {
			if _, err := c.Write(block); err != nil {
				return
			}
		}
	}()
	conn := <-h.conns
	h.paused(1)
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	peak := 0
	for h.got.Load() < push/size {
		h.now.Add(1000)
		h.on(conn, func() {
			held := len(conn.meter.queuedIn()) + len(conn.inBytes())
			peak = max(peak, held)
		})
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if peak > 64<<10+4096 || peak < 1024 {
		t.Errorf("%d bytes were held", peak)
	}
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 2<<20 {
		t.Errorf("the heap grew by %d", grown)
	}
	t.Logf("held at most %d", peak)
}

func (m *meter) queuedIn() []byte {
	if m.held == nil {
		return nil
	}
	return m.held.b[m.heldAt:]
}

func (c *Conn) inBytes() []byte {
	if c.in == nil {
		return nil
	}
	return c.in.b
}

// flood is a client whose input waits, and the gate's side of it.
func (h *rated) flood() (net.Conn, *Conn) {
	h.t.Helper()
	c := h.dial()
	conn := <-h.conns
	total := h.g.Stats().PausedTotal
	h.write(c, many(500, 100))
	until(h.t, "paused", func() bool { return h.g.Stats().PausedTotal > total })
	h.turn()
	h.on(conn, func() {
		if conn.gc != nil || conn.meter.fd < 0 {
			h.t.Error("not parked")
		}
	})
	return c, conn
}

func (h *rated) empty() {
	h.t.Helper()
	until(h.t, "no connections", func() bool { return h.g.Stats().Connections == 0 })
	if st := h.g.Stats(); st.Paused != 0 || st.Panics != 0 {
		h.t.Errorf("%+v, %s", st, h.log)
	}
}

func TestCloseWhileParked(t *testing.T) {
	f := &fake{closed: func(*Conn, error) { t.Error("Closed after Close") }}
	h := startRated(t, f, Rates{MessagesInPerSecond: 1})
	c, conn := h.flood()
	const size = 6 << 20 // more than the socket takes
	h.on(conn, func() {
		conn.Write(make([]byte, size))
		conn.Close()
	})
	n, err := io.Copy(io.Discard, c)
	if err != nil || n != size {
		t.Fatalf("%d bytes, %v", n, err)
	}
	_ = c.Close()
	h.empty()
}

// The peer does not read: the time to close runs out.
func TestCloseWhileParkedIsNotForever(t *testing.T) {
	h := startRated(t, &fake{}, Rates{MessagesInPerSecond: 1}, func(c *Config, _ *Limits) {
		c.CloseTimeout = 5 * time.Second
	})
	_, conn := h.flood()
	h.on(conn, func() {
		conn.Write(make([]byte, 16<<20))
		conn.Close()
	})
	h.turn()
	h.now.Add(6000)
	h.empty()
}

func TestDrainAndCloseWhileParked(t *testing.T) {
	var told atomic.Int64
	h := startRated(t, &fake{closed: func(*Conn, error) { told.Add(1) }},
		Rates{MessagesInPerSecond: 1})
	c, conn := h.flood()
	_, _ = h.flood()
	h.on(conn, conn.Close)
	if _, err := io.Copy(io.Discard, c); err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	until(t, "one left", func() bool { return h.g.Stats().Connections == 1 })
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if left := h.g.Drain(ctx); left != 1 {
		t.Errorf("%d left", left)
	}
	if err := h.g.Close(); err != nil {
		t.Error(err)
	}
	if told.Load() != 1 || h.g.Stats().Connections != 0 {
		t.Errorf("told %d, %+v", told.Load(), h.g.Stats())
	}
}

func TestPeerGoneWhileParked(t *testing.T) {
	ended := make(chan error, 2)
	h := startRated(t, &fake{closed: func(_ *Conn, err error) { ended <- err }},
		Rates{MessagesInPerSecond: 10})
	c, _ := h.flood()
	_ = c.(*net.TCPConn).SetLinger(0)
	_ = c.Close() // a reset: seen at the next look
	until(t, "seen", func() bool { h.pass(100); return h.g.Stats().Connections == 0 })
	if err := <-ended; err == nil || h.got.Load() > 400 {
		t.Errorf("%v after %d", err, h.got.Load())
	}
	h.got.Store(0)
	c, _ = h.flood()
	_ = c.Close() // an end: what came before it counts
	until(t, "seen", func() bool { h.pass(500); return h.g.Stats().Connections == 0 })
	if err := <-ended; !errors.Is(err, io.EOF) || h.got.Load() != 500 {
		t.Errorf("%v after %d", err, h.got.Load())
	}
	h.empty()
}

// Output goes on while input waits, more than the socket takes at once too.
func TestOutputWhileParked(t *testing.T) {
	writable := make(chan struct{}, 10)
	const size = 24 << 20 // more than the sockets take
	h := startRated(t, &fake{writable: func(*Conn) { writable <- struct{}{} }},
		Rates{MessagesInPerSecond: 1}, func(_ *Config, l *Limits) { l.OutCutBytesMax = 2 * size })
	c, conn := h.flood()
	body := make([]byte, size)
	for i := range body {
		body[i] = byte(i * 7 >> 3)
	}
	h.on(conn, func() { conn.Write(body) })
	h.on(conn, func() {
		if conn.Room() >= 0 || conn.unsent() < 1<<20 {
			t.Errorf("room for %d, %d unsent", conn.Room(), conn.unsent())
		}
	})
	got := make([]byte, size)
	if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, body) {
		t.Fatal("not what was sent", err)
	}
	<-writable
	// Writes while some is unsent, and while the peer makes room.
	clear(got)
	for at := 0; at < size; {
		k := min(size-at, 1<<20)
		h.on(conn, func() { conn.Write(body[at : at+k]) })
		at += k
		if at > size/2 {
			if _, err := io.ReadFull(c, got[at-size/2-k:at-size/2]); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := io.ReadFull(c, got[size-size/2:]); err != nil || !bytes.Equal(got, body) {
		t.Fatal("not in order", err)
	}
	h.on(conn, func() {
		if conn.meter.fd < 0 {
			t.Error("not parked any more")
		}
	})
	h.pass(1000)
	h.on(conn, func() { conn.Write(body[:1000]) })
	if _, err := io.ReadFull(c, got[:1000]); err != nil || !bytes.Equal(got[:1000], body[:1000]) {
		t.Fatal("not what was sent", err)
	}
}

// Descriptors are given back, however a parked connection ends.
func TestParkedDescriptorsAreGivenBack(t *testing.T) {
	before := descriptors(t)
	h := startRated(t, &fake{packet: echo}, Rates{MessagesInPerSecond: 20})
	var wg sync.WaitGroup
	for i := range 40 {
		c, conn := h.flood()
		wg.Add(1)
		go func() { defer wg.Done(); _, _ = io.Copy(io.Discard, c); _ = c.Close() }()
		switch i % 4 {
		case 0:
			h.on(conn, conn.Close)
		case 1:
			h.on(conn, func() { conn.cut(ErrCut) })
		case 2:
			_ = c.Close()
		}
		h.pass(50)
	}
	if err := h.g.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	until(t, "all given back", func() bool { return descriptors(t) <= before })
}

func descriptors(t *testing.T) int {
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc/self/fd here")
	}
	return len(fds)
}

// Silence counts from when the peer could be heard.
func TestHeld(t *testing.T) {
	h := startRated(t, &fake{}, Rates{MessagesInPerSecond: 100})
	_, conn := h.flood()
	held := func() (ms int64) {
		h.on(conn, func() { ms = conn.Held() })
		return ms
	}
	h.pass(500)
	if ms := held(); ms != h.now.Load() {
		t.Errorf("held until %d of %d", ms, h.now.Load())
	}
	for h.got.Load() < 500 { // the network may bring them in parts, each of which is held
		h.pass(100)
	}
	until(t, "back", func() (back bool) {
		h.on(conn, func() { back = conn.gc != nil })
		return back
	})
	last := h.now.Load()
	h.pass(5000)
	if ms := held(); ms != last {
		t.Errorf("held until %d, want %d", ms, last)
	}
}

// BenchmarkPause is a socket out of its loop and back: with the packet that does it, and the turns
// of the loop that the test waits for.
func BenchmarkPause(b *testing.B) {
	h := startRated(b, &fake{}, Rates{MessagesInPerSecond: 1}, func(c *Config, _ *Limits) {
		c.Loops = 1
	})
	c := h.dial()
	conn := <-h.conns
	p := publish(10, 'x')
	h.write(c, p)
	b.ReportAllocs()
	for b.Loop() {
		h.write(c, p)
		for back := false; !back; {
			h.on(conn, func() { back = conn.gc == nil && conn.meter.fd >= 0 })
		}
		h.now.Add(1000)
		for back := false; !back; {
			h.on(conn, func() { back = conn.gc != nil })
		}
	}
}
