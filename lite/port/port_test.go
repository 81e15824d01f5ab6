package port

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

func TestMessagesOfEveryQoS(t *testing.T) {
	for _, bind := range []string{"tcp", "unix"} {
		t.Run(bind, func(t *testing.T) {
			b := serve(t, Default(), func(lc *ListenerConfig) {
				if bind == "unix" {
					lc.Bind = "unix://" + filepath.Join(t.TempDir(), "s")
				}
			})
			sub := b.dial().connect(named("sub")).subscribe("a/#", mqtt.ExactlyOnce)
			pub := b.dial().connect(named("pub"))
			pub.send(packet("a/0", "zero", 0, 0))
			pub.send(packet("a/1", "one", 1, 7))
			pub.expect(mqtt.PUBACK)
			pub.send(packet("a/2", "two", 2, 8))
			pub.expect(mqtt.PUBREC)
			pub.send(ack(mqtt.PUBREL, 8))
			pub.expect(mqtt.PUBCOMP)
			for _, want := range []string{"a/0 zero 0", "a/1 one 1", "a/2 two 2"} {
				if got := sub.message(); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			}
			sub.alive()
		})
	}
}

// Packets come in pieces of every size, large ones too, and are put together.
func TestPiecesArePutTogether(t *testing.T) {
	b := serve(t, Default(), func(lc *ListenerConfig) {
		lc.Limits.OutBytesMax, lc.Limits.OutCutBytesMax = 4<<20, 4<<20 // nothing is dropped
	})
	sub := b.dial().connect(named("sub")).subscribe("#", 1)
	pub := b.dial().connect(named("pub"))
	var stream []byte
	sizes := []int{0, 1, 20, 28, 31, 100, 2000, 2048, 5000, 70_000, 3}
	for _, size := range sizes {
		stream = append(stream, packet("t", strings.Repeat("x", size), 0, 0)...)
	}
	for _, piece := range []int{1, 2, 7, 31, 32, 33, 1000, len(stream)} {
		whole := stream
		if piece < 31 {
			whole = stream[:3000] // a system call a piece
		}
		for rest := whole; len(rest) > 0; {
			n := min(piece, len(rest))
			pub.send(rest[:n])
			rest = rest[n:]
		}
		if piece < 31 {
			pub.send(stream[3000:])
		}
		for _, size := range sizes {
			var p mqtt.Publish
			err := p.Decode(mqtt.V5, sub.expect(mqtt.PUBLISH))
			if err != nil || len(p.Payload) != size {
				t.Fatalf("pieces of %d: %d bytes, want %d, %v", piece, len(p.Payload), size, err)
			}
			if string(p.Payload) != strings.Repeat("x", size) {
				t.Fatalf("in pieces of %d: bytes were ruined", piece)
			}
		}
	}
}

func TestBadBytesEndTheConnectionAlone(t *testing.T) {
	b := serve(t, Default(), func(lc *ListenerConfig) { lc.Broker.Limits.PacketBytesMax = 1000 })
	other := b.dial().connect(named("other"))
	c := b.dial().connect(named("c"))
	c.send(packet("t", strings.Repeat("x", 2000), 0, 0))
	c.goodbye(mqtt.PacketTooLarge)
	c = b.dial().connect(named("c"))
	c.send([]byte{0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x01})
	c.goodbye(mqtt.MalformedPacket)
	c = b.dial()
	c.send([]byte("GET / HTTP/1.1\r\nHost: example.com\r\nUser-Agent: " + strings.Repeat("x", 80)))
	c.eof()
	other.alive()
}

func TestTheFirstPacketIsSmall(t *testing.T) {
	b := serve(t, Default(), func(lc *ListenerConfig) { lc.Limits.FirstPacketBytesMax = 100 })
	c := b.dial()
	p := mqtt.Connect{Version: mqtt.V5, CleanStart: true, ClientID: bytes.Repeat([]byte("x"), 200)}
	c.send(p.Append(nil))
	c.eof()
	c = b.dial().connect(named("c"))
	c.send(packet("t", strings.Repeat("x", 200), 1, 1))
	c.expect(mqtt.PUBACK)
}

func TestConnectionsAreBounded(t *testing.T) {
	b := serve(t, Default(), func(lc *ListenerConfig) { lc.Limits.ConnectionsMax = 2 })
	one := b.dial().connect(named("one"))
	b.dial().connect(named("two"))
	three := b.dial()
	if _, err := three.read(); err == nil {
		t.Error("a third got in")
	}
	_ = one.c.Close()
	b.until("room again", func(broker.Stats) bool { return b.Listeners()[0].Connections == 1 })
	b.dial().connect(named("three"))
	if v := b.Listeners()[0]; v.Refused != 1 || v.Name != "test" {
		t.Errorf("%+v", v)
	}
}

func TestWillOfACutConnection(t *testing.T) {
	b := serve(t, Default(), nil)
	sub := b.dial().connect(named("sub")).subscribe("will", 1)
	dying := named("dying")
	dying.HasWill = true
	dying.Will = mqtt.Will{Topic: []byte("will"), Payload: []byte("gone"), QoS: 1}
	c := b.dial().connect(dying)
	_ = c.c.Close()
	if got := sub.message(); got != "will gone 1" {
		t.Error(got)
	}
}

// The keep alive passes by the kernel's clock, which is the test's.
func TestKeepAliveByTheKernelsClock(t *testing.T) {
	cfg := Default()
	var clock atomic.Int64
	clock.Store(1_000_000)
	ticks := make(chan time.Time)
	cfg.Now = func() broker.Time { return broker.Time(clock.Load()) }
	cfg.Ticks = ticks
	b := serve(t, cfg, nil)
	p := named("c")
	p.KeepAlive = 10
	c := b.dial().connect(p)
	clock.Add(14_000)
	ticks <- time.Time{}
	c.alive()
	clock.Add(14_900)
	ticks <- time.Time{}
	b.until("still there", func(st broker.Stats) bool { return st.Connections == 1 })
	clock.Add(200)
	ticks <- time.Time{}
	c.goodbye(mqtt.KeepAliveTimeout)
}

// A peer that does not read is slow: what is for it waits up to a bound, and comes when it reads.
func TestASlowPeerIsBounded(t *testing.T) {
	b := serve(t, Default(), func(lc *ListenerConfig) {
		lc.Limits.OutBytesMax, lc.Limits.OutCutBytesMax = 32<<10, 256<<10
	})
	slow := b.dial().connect(named("slow")).subscribe("t", 1)
	pub := b.dial().connect(named("pub"))
	const n = 2000
	payload := strings.Repeat("x", 8<<10)
	acked := make(chan struct{})
	go func() {
		defer close(acked)
		for range n {
			if _, err := pub.read(); err != nil {
				return
			}
		}
	}()
	for i := range n {
		pub.send(packet("t", payload, 1, uint16(i+1)))
	}
	<-acked
	b.until("queued", func(st broker.Stats) bool { return st.Queued > 0 })
	var held int
	b.mu.Lock()
	for c := range b.conns {
		c.mu.Lock()
		held = max(held, len(c.out)+c.sending)
		c.mu.Unlock()
	}
	b.mu.Unlock()
	if held == 0 || held > 32<<10+9<<10 {
		t.Errorf("%d bytes wait in the port", held)
	}
	for range n {
		slow.message()
	}
	slow.alive()
}

// QoS 0 for a peer that does not read is dropped; acknowledgements it asks for without reading cut
// it.
func TestAPeerThatNeverReadsIsCut(t *testing.T) {
	b := serve(t, Default(), func(lc *ListenerConfig) {
		lc.Limits.OutBytesMax, lc.Limits.OutCutBytesMax = 1<<10, 4<<10
	})
	c := b.dial().connect(named("c"))
	// The system's buffers: one that shrinks while it is full drops what acknowledges the pings.
	ping := bytes.Repeat([]byte{0xC0, 0}, 64<<10)
	for {
		if _, err := c.c.Write(ping); err != nil {
			break
		}
	}
	b.until("gone", func(st broker.Stats) bool { return st.Connections == 0 })
}

func TestCloseTellsEveryClient(t *testing.T) {
	b := serve(t, Default(), nil)
	var all []*client
	for _, id := range []string{"a", "b", "c"} {
		all = append(all, b.dial().connect(named(id)))
	}
	var wg sync.WaitGroup
	for _, c := range all {
		wg.Add(1)
		go func() {
			defer wg.Done()
			c.goodbye(mqtt.ServerShuttingDown)
		}()
	}
	if err := b.Close(t.Context()); err != nil {
		t.Error(err)
	}
	wg.Wait()
	ran := b.Post(func(*broker.Kernel, broker.Time) {})
	quiet := false
	b.Quiesce(func() { quiet = true })
	if _, err := b.Listen(ListenerConfig{
		Bind: "tcp://127.0.0.1:0", Limits: DefaultLimits(), Broker: b.ln,
	}); ran || !quiet || !errors.Is(err, ErrClosed) {
		t.Errorf("after the end: posted %v, quiesced %v, listen %v", ran, quiet, err)
	}
}

// A client that takes nothing cannot hold the broker up.
func TestCloseEndsWithItsContext(t *testing.T) {
	b := serve(t, Default(), nil)
	b.dial().connect(named("deaf")) // never closes its side
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Close(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	select {
	case <-b.done:
	default:
		t.Error("the kernel goroutine runs on")
	}
}

// bomb panics for one topic.
type bomb struct{ broker.Policy }

func (bomb) Authorize(
	_ broker.Time, _ *broker.Identity, _ broker.Action, topic []byte, _ mqtt.QoS,
) mqtt.ReasonCode {
	if string(topic) == "boom" {
		panic("boom")
	}
	return mqtt.Success
}

func (bomb) Transform(
	broker.Time, broker.Direction, *broker.Identity, *broker.Message, *[]broker.Message,
) broker.Verdict {
	return broker.Keep
}

func (bomb) Fresh(broker.Time, *broker.Identity, *broker.Message) bool { return true }

func (bomb) Route(
	broker.Time, *broker.Identity, *broker.Message, *[]broker.Message,
) broker.Verdict {
	return broker.Keep
}

func TestAPanicEndsOneConnection(t *testing.T) {
	cfg := Default()
	var log bytes.Buffer
	cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
	b := serve(t, cfg, func(lc *ListenerConfig) { lc.Broker.Policy = bomb{} })
	other := b.dial().connect(named("other")).subscribe("t", 0)
	c := b.dial().connect(named("c"))
	c.send(packet("boom", "x", 0, 0))
	if _, err := c.read(); err == nil {
		t.Error("the connection lives on")
	}
	b.until("one left", func(st broker.Stats) bool { return st.Connections == 1 })
	c = b.dial().connect(named("c"))
	c.send(packet("t", "x", 0, 0))
	if got := other.message(); got != "t x 0" {
		t.Error(got)
	}
	b.Post(func(*broker.Kernel, broker.Time) { panic("posted") })
	other.alive()
	_, _ = c.c.Close(), other.c.Close()
	_ = b.Close(t.Context())
	if text := log.String(); !strings.Contains(text, "boom") || !strings.Contains(text, "posted") {
		t.Errorf("log: %s", text)
	}
}

func TestAnAbandonedSocketIsTaken(t *testing.T) {
	bind := "unix://" + filepath.Join(t.TempDir(), "s")
	b := serve(t, Default(), func(lc *ListenerConfig) { lc.Bind = bind })
	_, err := b.Listen(ListenerConfig{Bind: bind, Limits: DefaultLimits(), Broker: &broker.Listener{
		Name: "second", Limits: broker.DefaultLimits(),
	}})
	if err == nil {
		t.Error("a socket in use was taken")
	}
	// A killed broker leaves the file behind.
	b.mu.Lock()
	b.listeners[0].sock.(interface{ SetUnlinkOnClose(bool) }).SetUnlinkOnClose(false)
	b.mu.Unlock()
	_ = b.Close(t.Context())
	b = serve(t, Default(), func(lc *ListenerConfig) { lc.Bind = bind })
	b.dial().connect(named("c"))
}

func TestParseBind(t *testing.T) {
	for bind, want := range map[string]string{
		"tcp://127.0.0.1:1883": "tcp 127.0.0.1:1883", "tcp://:0": "tcp :0",
		"tcp://[::1]:1883": "tcp [::1]:1883", "unix:///run/s": "unix /run/s",
		"127.0.0.1:1883": "", "tcp://host": "", "tcp://h:1/x": "", "unix://x/y": "", "ws://h:1": "",
		"tcp://u@h:1": "", "": "", "unix:///": "",
	} {
		network, address, err := ParseBind(bind)
		got := network + " " + address
		if (err == nil) != (want != "") || err == nil && got != want {
			t.Errorf("%s: %q, %v", bind, got, err)
		}
	}
}

func TestClockDoesNotGoBack(t *testing.T) {
	now := Clock()
	before := time.Now().UnixMilli()
	last := now()
	if after := time.Now().UnixMilli(); int64(last) < before-1000 || int64(last) > after+1000 {
		t.Errorf("%d, not in %d to %d", last, before, after)
	}
	for range 1000 {
		if n := now(); n < last {
			t.Fatal("back")
		} else {
			last = n
		}
	}
}

func (bomb) Share(string, string) broker.Strategy { return broker.RoundRobin }
