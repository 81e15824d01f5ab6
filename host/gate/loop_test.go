package gate

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestPanicCutsOneConnection(t *testing.T) {
	var closed atomic.Int64
	f := &fake{closed: func(*Conn, error) { closed.Add(1); panic("in Closed") }}
	f.packet = func(c *Conn, frame []byte) {
		if frame[len(frame)-1] == '!' {
			panic("in Packet")
		}
		c.Write(frame)
	}
	h := start(t, f)
	bad, good := h.dial(), h.dial()
	ping(t, bad)
	ping(t, good)
	if _, err := bad.Write(packet(3, '!')); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(bad); err == nil {
		t.Error("a connection whose handler panicked ended well")
	}
	ping(t, good)
	h.g.Do(0, func(int64) { panic("in Do") })
	until(t, "three panics", func() bool { return h.g.Stats().Panics == 3 })
	if closed.Load() != 1 {
		t.Errorf("closed %d times", closed.Load())
	}
	for _, want := range []string{"in Packet", "in Closed", "in Do", "loop_test.go"} {
		until(t, want+" in the log", func() bool { return strings.Contains(h.log.String(), want) })
	}
}

// What is brought first comes before those whose bytes are there already, what is not behind them.
func TestDoFirstIsBeforeWhoHasSent(t *testing.T) {
	var h *house
	order := make(chan string, 4)
	var brought sync.Once
	f := &fake{packet: func(*Conn, []byte) {
		order <- "packet"
		brought.Do(func() {
			h.g.Do(0, func(int64) { order <- "soon" })
			h.g.DoFirst(0, func(int64) { order <- "first" })
		})
	}}
	h = start(t, f, func(c *Config, _ *Limits) { c.Loops = 1 })
	busy, goOn := make(chan struct{}), make(chan struct{})
	conns := []net.Conn{h.dial(), h.dial()}
	until(t, "both are there", func() bool { return h.g.Stats().Connections == 2 })
	h.g.Do(0, func(int64) { close(busy); <-goOn })
	<-busy
	for _, c := range conns {
		if _, err := c.Write(packet(3, '!')); err != nil {
			t.Fatal(err)
		}
	}
	close(goOn)
	for _, want := range []string{"packet", "first", "packet", "soon"} {
		if got := <-order; got != want {
			t.Errorf("%s comes where %s should", got, want)
		}
	}
	if err := h.g.Close(); err != nil || h.g.DoFirst(0, func(int64) { t.Error("it runs") }) {
		t.Error(err, "a gate that is closed takes it")
	}
}

// What is brought first while the loop does what came first is done too, though no tick is near.
func TestDoFirstWhileThatIsDone(t *testing.T) {
	h := start(t, &fake{}, func(c *Config, _ *Limits) { c.Loops, c.Tick = 1, time.Hour })
	busy, goOn, second := make(chan struct{}), make(chan struct{}), make(chan struct{})
	h.g.DoFirst(0, func(int64) { close(busy); <-goOn })
	<-busy
	h.g.DoFirst(0, func(int64) { close(second) })
	close(goOn)
	select {
	case <-second:
	case <-time.After(patience):
		t.Error("the loop was not woken")
	}
}

func TestDoKeepsOrder(t *testing.T) {
	h := start(t, &fake{})
	const n = 300_000
	var got, bad int
	done := make(chan struct{})
	for i := range n {
		h.g.Do(1, func(int64) {
			if got != i {
				bad++
			}
			if got++; got == n {
				close(done)
			}
		})
	}
	<-done
	if bad > 0 {
		t.Errorf("%d out of order", bad)
	}
}

func TestTicks(t *testing.T) {
	f := &fake{}
	h := start(t, f)
	until(t, "ticks", func() bool { return f.ticks.Load() > 4 })
	// A loop that is busy gets one tick when it is free, not all it missed.
	free := make(chan struct{})
	busy := make(chan struct{})
	h.g.Do(0, func(int64) { close(busy); <-free })
	<-busy
	l := h.g.loops[0]
	for range 100 {
		l.tickSoon()
	}
	l.mu.Lock()
	if len(l.tasks) != 0 || !l.tickDue || !l.pending {
		t.Errorf("tasks %d, due %v, pending %v", len(l.tasks), l.tickDue, l.pending)
	}
	l.mu.Unlock()
	close(free)
}

func TestDrain(t *testing.T) {
	all := make(chan *Conn, 8)
	h := start(t, &fake{open: func(c *Conn) { all <- c }})
	var wg sync.WaitGroup
	for range 4 {
		c := h.dial()
		conn := <-all
		wg.Add(1)
		go func() {
			defer wg.Done()
			if n, err := io.Copy(io.Discard, c); err != nil || n != 3<<20 {
				t.Errorf("%d bytes, %v", n, err)
			}
			_ = c.Close()
		}()
		h.g.Do(conn.Loop(), func(int64) { conn.Write(make([]byte, 3<<20)); conn.Close() })
	}
	h.g.CloseListeners()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if left := h.g.Drain(ctx); left != 0 {
		t.Errorf("%d left", left)
	}
	wg.Wait()
	if err := h.g.Close(); err != nil {
		t.Error(err)
	}
	if h.g.Do(0, func(int64) {}) {
		t.Error("Do on a closed gate")
	}
	if err := h.g.Close(); !errors.Is(err, ErrClosed) {
		t.Errorf("closed again: %v", err)
	}
	if _, err := h.g.Listen(ListenerConfig{Name: "x", Bind: "tcp://127.0.0.1:0",
		Limits: DefaultLimits()}); !errors.Is(err, ErrClosed) {
		t.Errorf("listen: %v", err)
	}
}
