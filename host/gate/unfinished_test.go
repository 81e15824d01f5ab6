package gate

import (
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// held is what the loops hold of packets that have not ended.
func (h *house) held() (conns, bytes int) {
	for i, l := range h.g.loops {
		done := make(chan struct{})
		h.g.Do(i, func(int64) {
			conns += len(l.unfinished.conns)
			bytes += l.unfinished.bytes
			close(done)
		})
		<-done
	}
	return conns, bytes
}

func (h *house) starts(b []byte) net.Conn {
	h.t.Helper()
	c := h.dial()
	if _, err := c.Write(b); err != nil {
		h.t.Fatal(err)
	}
	return c
}

// A packet that does not end in time ends its connection, also if more of it comes now and then;
// one that ends does not, nor does silence between packets.
func TestPacketMustEndInTime(t *testing.T) {
	var now atomic.Int64
	now.Store(1_000_000)
	h := start(t, &fake{
		packet:    echo,
		malformed: func(c *Conn, err *mqtt.Error) { c.Write([]byte(err.Text)) },
	}, func(c *Config, l *Limits) {
		c.Now, c.LingerTimeout, l.PacketTimeout = now.Load, 1000*time.Hour, 300*time.Millisecond
	})
	whole := packet(20_000, 'x')
	idle := h.starts(whole)
	read := make([]byte, len(whole))
	if _, err := io.ReadFull(idle, read); err != nil {
		t.Fatal(err)
	}
	slow := h.starts(whole[:100])
	until(t, "it is held", func() bool { conns, _ := h.held(); return conns == 1 })
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 100; i < len(whole); i++ {
			select {
			case <-stop:
				return
			default:
			}
			_, _ = slow.Write(whole[i : i+1])
			now.Add(20)
			h.held() // a turn of each loop
		}
	}()
	got, err := io.ReadAll(slow)
	close(stop)
	<-stopped
	if err != nil || string(got) != "a packet did not end in time" {
		t.Errorf("got %q, %v", got, err)
	}
	if conns, bytes := h.held(); conns != 0 || bytes != 0 {
		t.Errorf("%d connections hold %d bytes", conns, bytes)
	}
	if _, err := idle.Write(whole); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(idle, read); err != nil {
		t.Errorf("who was silent: %v", err)
	}
	if n := h.g.Stats().Unfinished; n != 1 {
		t.Errorf("%d ended", n)
	}
}

// What is held of packets that have not ended stays within a bound; who holds most is ended, and
// one alone may hold a packet larger than the bound.
func TestUnfinishedPacketsAreBounded(t *testing.T) {
	const max, n = 1 << 20, 100
	h := start(t, &fake{packet: echo}, func(c *Config, l *Limits) {
		c.Loops, c.InputBytesMax, l.FirstPacketBytesMax = 1, max, 4<<20
		l.PacketBytesMax = 4 << 20
	})
	large := packet(3<<20, 'x')
	alone := h.starts(large)
	if _, err := io.ReadFull(alone, make([]byte, len(large))); err != nil {
		t.Fatalf("alone: %v", err)
	}
	small := h.starts(packet(1000, 'y')[:500])
	until(t, "it is held", func() bool { conns, _ := h.held(); return conns == 1 })
	half := packet(100_000, 'z')[:60_000]
	for range n {
		h.starts(half)
	}
	until(t, "some are ended", func() bool { return h.g.Stats().Unfinished > n/2 })
	if conns, bytes := h.held(); bytes > max || conns < 5 {
		t.Errorf("%d connections hold %d bytes", conns, bytes)
	}
	if _, err := small.Write(packet(1000, 'y')[500:]); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(small, make([]byte, len(packet(1000, 'y')))); err != nil {
		t.Errorf("who holds little: %v", err)
	}
	h.rarely("input_bytes_max")
}
