package gate

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

const patience = 2 * time.Minute // for what happens in milliseconds on an idle machine

// fake is a Handler of which a test sets what it needs.
type fake struct {
	open      func(c *Conn)
	packet    func(c *Conn, frame []byte)
	malformed func(c *Conn, err *mqtt.Error)
	writable  func(c *Conn)
	closed    func(c *Conn, err error)
	ticks     atomic.Int64
}

func (f *fake) Open(_ int64, c *Conn) {
	if f.open != nil {
		f.open(c)
	}
}

func (f *fake) Packet(_ int64, c *Conn, frame []byte) {
	if f.packet != nil {
		f.packet(c, frame)
	}
}

func (f *fake) Malformed(_ int64, c *Conn, err *mqtt.Error) {
	if f.malformed != nil {
		f.malformed(c, err)
	}
}

func (f *fake) Writable(_ int64, c *Conn) {
	if f.writable != nil {
		f.writable(c)
	}
}

func (f *fake) Closed(_ int64, c *Conn, err error) {
	if f.closed != nil {
		f.closed(c, err)
	}
}

func (f *fake) Tick(int64) { f.ticks.Add(1) }

// sink is a log that a test reads.
type sink struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *sink) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *sink) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

// house is a gate with one listener for a test.
type house struct {
	t     testing.TB
	g     *Gate
	log   *sink
	addr  string
	begun time.Time
}

func start(t testing.TB, f *fake, change ...func(*Config, *Limits)) *house {
	t.Helper()
	h := &house{t: t, log: &sink{}, begun: time.Now()}
	cfg, limits := Default(), DefaultLimits()
	cfg.Loops = 2
	cfg.Tick = 10 * time.Millisecond
	cfg.CloseTimeout, cfg.LingerTimeout = patience, patience // a slow peer is no dead one
	cfg.Log = slog.New(slog.NewTextHandler(h.log, nil))
	for _, c := range change {
		c(&cfg, &limits)
	}
	g, err := Open(cfg, func(*Gate, int) Handler { return f })
	if err != nil {
		t.Fatal(err)
	}
	h.g = g
	t.Cleanup(func() { _ = g.Close() })
	addr, err := g.Listen(ListenerConfig{Name: "main", Bind: "tcp://127.0.0.1:0", Limits: limits})
	if err != nil {
		t.Fatal(err)
	}
	h.addr = addr.String()
	return h
}

// rarely sees that the log has text, and not more often than once in ten seconds.
func (h *house) rarely(text string) {
	h.t.Helper()
	most := 1 + int(time.Since(h.begun)/(10*time.Second))
	if n := strings.Count(h.log.String(), text); n < 1 || n > most {
		h.t.Errorf("logged %d times: %s\n%s", n, text, h.log)
	}
}

func (h *house) dial() net.Conn { h.t.Helper(); return dial(h.t, "tcp", h.addr) }

func dial(t testing.TB, network, addr string) net.Conn {
	t.Helper()
	c, err := net.DialTimeout(network, addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	deadline(t, c)
	return c
}

func deadline(t testing.TB, c net.Conn) {
	t.Helper()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
}

// until waits for a condition.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	end := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("never: %s", what)
		}
	}
}

// packet is one to the framing: a first byte, a length, n bytes.
// A first packet that comes in parts must be a CONNECT.
func packet(n int, fill byte) []byte { return framed(mqtt.CONNECT, n, fill) }

// publish is a packet that counts as a message.
func publish(n int, fill byte) []byte { return framed(mqtt.PUBLISH, n, fill) }

func framed(kind mqtt.Type, n int, fill byte) []byte {
	p := []byte{byte(kind) << 4}
	for v := n; ; {
		b := byte(v & 0x7F)
		v >>= 7
		if v > 0 {
			p = append(p, b|0x80)
			continue
		}
		p = append(p, b)
		break
	}
	return append(p, bytes.Repeat([]byte{fill}, n)...)
}

func echo(c *Conn, frame []byte) { c.Write(frame) }

func ping(t testing.TB, c net.Conn) {
	t.Helper()
	p := packet(5, 'p')
	if _, err := c.Write(p); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(p))
	if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, p) {
		t.Fatalf("got %q, %v", got, err)
	}
}
