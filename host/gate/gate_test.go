package gate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

const patience = 20 * time.Second // for what happens in milliseconds on an idle machine

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
	t    testing.TB
	g    *Gate
	log  *sink
	addr string
}

func start(t testing.TB, f *fake, change ...func(*Config, *Limits)) *house {
	t.Helper()
	h := &house{t: t, log: &sink{}}
	cfg, limits := Default(), DefaultLimits()
	cfg.Loops = 2
	cfg.Tick = 10 * time.Millisecond
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

func (h *house) dial() net.Conn { h.t.Helper(); return dial(h.t, "tcp", h.addr) }

func dial(t testing.TB, network, addr string) net.Conn {
	t.Helper()
	c, err := net.DialTimeout(network, addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return c
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

// packet is a PUBLISH to the framing: a first byte, a length, n bytes.
func packet(n int, fill byte) []byte {
	p := []byte{0x30}
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

// Packets come up whole and in order, however the network cuts them.
func TestPacketsComeWhole(t *testing.T) {
	h := start(t, &fake{packet: echo})
	seed := time.Now().UnixNano()
	r := rand.New(rand.NewSource(seed))
	c := h.dial()
	var sent []byte
	for i := range 400 {
		n := r.Intn(300)
		if i%40 == 39 {
			n = r.Intn(300_000)
		}
		sent = append(sent, packet(n, byte(i))...)
	}
	go func() {
		for rest := sent; len(rest) > 0; {
			n := min(len(rest), 1+r.Intn(1<<r.Intn(17)))
			if _, err := c.Write(rest[:n]); err != nil {
				return
			}
			rest = rest[n:]
		}
	}()
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(c, got); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	if !bytes.Equal(got, sent) {
		t.Fatalf("seed %d: other bytes came back", seed)
	}
	st := h.g.Stats()
	if st.PacketsIn != 400 || st.BytesIn != uint64(len(sent)) || st.BytesOut != st.BytesIn {
		t.Errorf("stats: %+v, %d bytes", st, len(sent))
	}
}

func TestTooLargeIsMalformed(t *testing.T) {
	for _, tc := range []struct {
		name  string
		bytes []byte
		want  string
	}{
		{"the first packet", packet(101, 'x')[:3], "refused"},
		{"a later packet", append(packet(90, 'x'), packet(1001, 'x')[:3]...), "refused"},
		{"a bad length", []byte{0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F}, "refused"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := start(t, &fake{
				malformed: func(c *Conn, err *mqtt.Error) { c.Write([]byte("refused")) },
			}, func(_ *Config, l *Limits) { l.FirstPacketBytesMax, l.PacketBytesMax = 100, 1000 })
			c := h.dial()
			if _, err := c.Write(tc.bytes); err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(c)
			if err != nil || string(got) != tc.want {
				t.Fatalf("got %q, %v", got, err)
			}
		})
	}
}

func TestListenersComeAndGo(t *testing.T) {
	h := start(t, &fake{packet: echo})
	old := h.dial()
	ping(t, old)
	if _, err := h.g.Listen(ListenerConfig{
		Name: "main", Bind: "tcp://127.0.0.1:0", Limits: DefaultLimits(),
	}); !errors.Is(err, ErrExists) {
		t.Errorf("the same name again: %v", err)
	}
	for range 3 {
		if err := h.g.Unlisten("main"); err != nil {
			t.Fatal(err)
		}
		if c, err := net.Dial("tcp", h.addr); err == nil {
			_ = c.Close()
			t.Fatal("a removed listener accepts")
		}
		ping(t, old)
		_, err := h.g.Listen(ListenerConfig{
			Name: "main", Bind: "tcp://" + h.addr, Limits: DefaultLimits(),
		})
		if err != nil {
			t.Fatal(err)
		}
		ping(t, h.dial())
	}
	if err := h.g.Unlisten("other"); !errors.Is(err, ErrUnknown) {
		t.Errorf("unknown: %v", err)
	}
	vs := h.g.Listeners()
	if len(vs) != 1 || vs[0].Address != "tcp://"+h.addr || vs[0].Accepted != 1 {
		t.Errorf("view: %+v", vs)
	}
}

func TestUnixSocket(t *testing.T) {
	h := start(t, &fake{packet: echo, open: func(c *Conn) { c.Write([]byte(c.Address())) }})
	path := filepath.Join(t.TempDir(), "s")
	// What a killed broker leaves: a socket nobody serves.
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false)
	_ = left.Close()
	cfg := ListenerConfig{Name: "unix", Bind: "unix://" + path, Limits: DefaultLimits()}
	if _, err := h.g.Listen(cfg); err != nil {
		t.Fatal(err)
	}
	c := dial(t, "unix", path)
	hello := make([]byte, 4)
	if _, err := io.ReadFull(c, hello); err != nil || string(hello) != "unix" {
		t.Fatalf("%q, %v", hello, err)
	}
	ping(t, c)
	cfg.Name = "again"
	if _, err := h.g.Listen(cfg); err == nil {
		t.Error("a served socket was taken")
	}
}

// starved is a listener to which the system gives nothing for a while.
type starved struct {
	net.Listener
	left atomic.Int64
}

func (s *starved) Accept() (net.Conn, error) {
	if s.left.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return s.Listener.Accept()
}

func TestNoDescriptorsKillsNothing(t *testing.T) {
	h := start(t, &fake{packet: echo})
	old := h.dial()
	sock, err := listen("tcp://127.0.0.1:0", 0)
	if err != nil {
		t.Fatal(err)
	}
	poor := &starved{Listener: sock}
	poor.left.Store(4)
	addr, err := h.g.serve(ListenerConfig{Name: "poor", Limits: DefaultLimits()},
		func() (net.Listener, error) { return poor, nil })
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, "tcp", addr.String())
	ping(t, old)
	ping(t, c) // waited in the backlog
	if n := h.g.Stats().AcceptErrors; n != 4 {
		t.Errorf("%d accept errors", n)
	}
	if n := strings.Count(h.log.String(), "gate: accept"); n != 1 {
		t.Errorf("logged %d times", n)
	}
	poor.left.Store(1 << 40)
	_ = dial(t, "tcp", addr.String()) // wakes the Accept that was under way
	until(t, "accept errors", func() bool { return h.g.Stats().AcceptErrors > 6 })
	if err := h.g.Unlisten("poor"); err != nil { // does not wait for the backoff
		t.Fatal(err)
	}
}

func TestConnectionLimit(t *testing.T) {
	h := start(t, &fake{packet: echo}, func(_ *Config, l *Limits) { l.ConnectionsMax = 2 })
	a, b := h.dial(), h.dial()
	ping(t, a)
	ping(t, b)
	if n, err := h.dial().Read(make([]byte, 1)); err == nil {
		t.Fatalf("read %d bytes above the limit", n)
	}
	_ = a.Close()
	until(t, "a place", func() bool { return h.g.Stats().Connections == 1 })
	ping(t, h.dial())
	if n := h.g.Stats().Refused; n != 1 {
		t.Errorf("%d refused", n)
	}
}

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
	for _, want := range []string{"in Packet", "in Closed", "in Do", "gate_test.go"} {
		if !strings.Contains(h.log.String(), want) {
			t.Errorf("the log lacks %q", want)
		}
	}
}

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
	// More than one packet: the rest of the input must not reset the connection.
	if _, err := c.Write(bytes.Repeat(packet(9, 'x'), 10)); err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, c)
	if err != nil || n != size {
		t.Fatalf("%d bytes, %v", n, err)
	}
	_ = c.Close()
	until(t, "gone", func() bool { return h.g.Stats().Connections == 0 })
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

// flip is a stage that inverts every byte, answers an empty packet by itself, and says bye.
type flip struct{}

func (flip) in(c *Conn, raw []byte) error {
	plain := make([]byte, len(raw))
	for i, b := range raw {
		plain[i] = ^b
	}
	if bytes.Equal(plain, []byte{0x30, 0}) {
		c.wire([]byte("pong"))
		return nil
	}
	if plain[0] == 0 {
		return fmt.Errorf("no such record")
	}
	c.receive(plain)
	return nil
}

func (flip) out(dst, plain []byte) ([]byte, error) {
	for _, b := range plain {
		dst = append(dst, ^b)
	}
	return dst, nil
}

func (flip) bye(dst []byte) []byte { return append(dst, "bye"...) }

func TestStageBetweenSocketAndFraming(t *testing.T) {
	f := &fake{packet: func(c *Conn, frame []byte) {
		c.Write(frame)
		c.Close()
	}}
	h := start(t, f)
	addr, err := h.g.Listen(ListenerConfig{
		Name: "flip", Bind: "tcp://127.0.0.1:0", Limits: DefaultLimits(),
		newStage: func() stage { return flip{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	for sent, want := range map[string]string{
		"\xCF\xFF":          "pong",
		"\xCF\xFE" + "\xBE": "\xCF\xFE" + "\xBE" + "bye",
		"\xFF":              "",
	} {
		c := dial(t, "tcp", addr.String())
		if _, err := c.Write([]byte(sent)); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(want))
		if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
			t.Errorf("%q: got %q, %v", sent, got, err)
		}
		if want == "" {
			if _, err := c.Read(make([]byte, 1)); err == nil {
				t.Error("an error of the stage did not close")
			}
		}
	}
}

func TestParseBind(t *testing.T) {
	for bind, want := range map[string]string{
		"tcp://127.0.0.1:1883": "tcp 127.0.0.1:1883",
		"tcp://:1883":          "tcp :1883",
		"tcp://[::1]:1883":     "tcp [::1]:1883",
		"unix:///run/m.sock":   "unix /run/m.sock",
		"tcp://host":           "",
		"tcp://h:1/path":       "",
		"unix://m.sock":        "",
		"udp://h:1":            "",
		"1883":                 "",
		"":                     "",
	} {
		network, address, err := ParseBind(bind)
		if got := strings.TrimSpace(network + " " + address); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", bind, got, err)
		}
	}
}

func TestValidate(t *testing.T) {
	good, limits := Default(), DefaultLimits()
	if good.Validate() != nil || limits.Validate() != nil {
		t.Error("defaults are refused")
	}
	for i, change := range []func(*Config, *Limits){
		func(c *Config, _ *Limits) { c.Loops = -1 },
		func(c *Config, _ *Limits) { c.Tick = 0 },
		func(c *Config, _ *Limits) { c.SpareBytesMax = -1 },
		func(_ *Config, l *Limits) { l.ConnectionsMax = 0 },
		func(_ *Config, l *Limits) { l.PacketBytesMax = 1 },
		func(_ *Config, l *Limits) { l.OutCutBytesMax = l.OutBytesMax - 1 },
	} {
		c, l := Default(), DefaultLimits()
		change(&c, &l)
		if c.Validate() == nil && l.Validate() == nil {
			t.Errorf("case %d is accepted", i)
		}
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
	b.put(&buffer{make([]byte, 0, 2*bufferBytesKept)})
	if len(b.free) != 10 || b.size != 10*bufferBytes {
		t.Errorf("%d free, %d bytes", len(b.free), b.size)
	}
}

func TestConnIsSmall(t *testing.T) {
	if size := unsafe.Sizeof(Conn{}); unsafe.Sizeof(uintptr(0)) == 8 && size > 96 {
		t.Errorf("%d bytes", size)
	}
}
