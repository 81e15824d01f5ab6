//go:build unix

package app

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/store"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// diskNode is testConfig with a data folder.
func diskNode(dir string) configs.Config {
	c := testConfig("l")
	c.DataDir = dir
	c.Store.Memory = 64 * configs.MiB
	c.Store.FreeBytesMin = 0
	return c
}

// keep connects a client whose session outlives its connections; it answers if it was there.
func keep(t *testing.T, address, id string) (*peer, bool) {
	t.Helper()
	return keepAs(t, address, mqtt.Connect{Version: mqtt.V5, ClientID: []byte(id)})
}

// keepAs is keep for a client that says more of itself.
func keepAs(t *testing.T, address string, c mqtt.Connect) (*peer, bool) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	p := newPeer(t, conn)
	c.Props = c.Props.AppendUint32(mqtt.SessionExpiryInterval, 3600)
	p.send(c.Append(nil))
	var ack mqtt.Connack
	if err := ack.Decode(mqtt.V5, p.next()); err != nil || ack.Reason != mqtt.Success {
		t.Fatal(ack.Reason, err)
	}
	return p, ack.SessionPresent
}

// store publishes at QoS 1 and waits for PUBACK.
func (p *peer) store(topic, payload string, id uint16) {
	p.t.Helper()
	m := mqtt.Publish{
		QoS: mqtt.AtLeastOnce, PacketID: id, Topic: []byte(topic), Payload: []byte(payload),
		Retain: strings.HasPrefix(topic, "r/"),
	}
	p.send(m.Append(nil, mqtt.V5))
	var a mqtt.Ack
	if err := a.Decode(mqtt.V5, p.next()); err != nil || a.Reason >= mqtt.UnspecifiedError {
		p.t.Fatal(a.Reason, err)
	}
}

func TestWhatIsAcknowledgedSurvivesARestart(t *testing.T) {
	const messages = 300
	cfg := diskNode(t.TempDir())
	a := open(t, cfg)
	sub, present := keep(t, address(t, a, "l"), "device")
	list := []mqtt.Subscription{{Filter: []byte("t/#"), QoS: mqtt.AtLeastOnce}}
	sub.send(mqtt.AppendSubscribe(nil, mqtt.V5, 1, nil, list))
	if got := mqtt.TypeOf(sub.next()); got != mqtt.SUBACK || present {
		t.Fatal(got, present)
	}
	_ = sub.conn.Close()
	pub := dial(t, address(t, a, "l"), "pub")
	for i := range messages {
		pub.store("t/x", fmt.Sprint(i), uint16(i+1))
	}
	pub.store("r/x", "kept", 1000)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	a = open(t, cfg)
	sub, present = keep(t, address(t, a, "l"), "device")
	if !present {
		t.Fatal("the session is gone")
	}
	for i := range messages {
		var m mqtt.Publish
		if err := m.Decode(mqtt.V5, sub.next()); err != nil {
			t.Fatal(err)
		}
		if string(m.Payload) != fmt.Sprint(i) {
			t.Fatalf("got %s, want %d", m.Payload, i)
		}
		ack := mqtt.Ack{Type: mqtt.PUBACK, PacketID: m.PacketID}
		sub.send(ack.Append(nil, mqtt.V5))
	}
	other := dial(t, address(t, a, "l"), "other")
	other.subscribe("r/#")
	if topic, payload := other.receive(); topic != "r/x" || payload != "kept" {
		t.Errorf("retained: %s %s", topic, payload)
	}
}

// recorder keeps the state of the session that is written last.
type recorder struct{ state []byte }

func (r *recorder) Write(_ broker.Token, b *broker.Batch) bool {
	for _, op := range b.Ops {
		if op.Kind == broker.OpPutSession {
			r.state = append([]byte(nil), op.Value...)
		}
	}
	return true
}

func (r *recorder) Read(broker.Token, broker.Query, func(broker.Record)) bool { return true }

// nowhere is a Sink.
type nowhere struct{}

func (nowhere) Write([]byte) {}
func (nowhere) Room() int    { return 1 << 20 }
func (nowhere) Held() int64  { return 0 }
func (nowhere) Close()       {}

// sessionState is how the kernel writes a session that is away and wants filter.
func sessionState(filter string) []byte {
	r := &recorder{}
	cfg := broker.Default()
	cfg.Durable = true
	k := broker.New(cfg, r, nil)
	now := broker.Time(time.Now().UnixMilli())
	l := &broker.Listener{Name: "l", Limits: broker.DefaultLimits()}
	c := k.Open(now, l, "192.0.2.1", nowhere{})
	p := mqtt.Connect{Version: mqtt.V5, ClientID: []byte("x")}
	p.Props = p.Props.AppendUint32(mqtt.SessionExpiryInterval, 3600)
	k.Packet(now, c, p.Append(nil))
	list := []mqtt.Subscription{{Filter: []byte(filter), QoS: mqtt.AtLeastOnce}}
	k.Packet(now, c, mqtt.AppendSubscribe(nil, mqtt.V5, 1, nil, list))
	k.Closed(now, c)
	return r.state
}

// waiter gets the answers of a store.
type waiter chan error

func (w waiter) Written(_ broker.Time, _ broker.Token, err error)       { w <- err }
func (w waiter) Read(broker.Time, broker.Token, []broker.Record, error) {}
func (w waiter) Expired(broker.Time, []broker.Record)                   {}
func (w waiter) post(f func(store.Kernel, broker.Time))                 { f(w, 0) }
func (w waiter) write(v *store.DiskView, t broker.Token, ops []broker.Op) <-chan error {
	v.Write(t, &broker.Batch{Ops: ops, Relaxed: true})
	return w
}

// fill makes a store with so many sessions, each with a subscription of its own, and as many
// retained messages.
func fill(b *testing.B, dir string, n int) {
	c := store.DefaultDisk()
	c.Dir = filepath.Join(dir, storeName)
	d, _, err := store.OpenDisk(c)
	if err != nil {
		b.Fatal(err)
	}
	w := make(waiter, 1)
	v := d.View(w.post)
	var ops []broker.Op
	const mold = "cmd/000/0000000/#"
	state := sessionState(mold)
	for i := range n {
		filter := fmt.Sprintf("cmd/%03d/%07d/#", i%1000, i)
		ops = append(ops, broker.Op{
			Kind: broker.OpPutSession, Num: uint32(i + 1), Key: fmt.Sprintf("device-%07d", i),
			Value: bytes.Replace(state, []byte(mold), []byte(filter), 1),
		}, broker.Op{
			Kind: broker.OpRetain, Key: fmt.Sprintf("state/%d/%d", i%1000, i),
			Value: make([]byte, 200),
		})
		if len(ops) < 2000 && i < n-1 {
			continue
		}
		if err := <-w.write(v, 1, ops); err != nil {
			b.Fatal(err)
		}
		ops = ops[:0]
	}
	if err := d.Close(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkStart is how long a node with so many (-benchtime 1000000x) sessions and retained
// messages takes until it accepts.
func BenchmarkStart(b *testing.B) {
	cfg := diskNode(b.TempDir())
	cfg.Store.Memory = 1024 * configs.MiB
	fill(b, cfg.DataDir, b.N)
	base := rss()
	cpu := cpuTime()
	b.ResetTimer()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	pace := func(on bool) { // as the program does
		debug.SetGCPercent(100)
		if on {
			debug.SetGCPercent(1600)
		}
	}
	a, err := Open(b.Context(), cfg, Options{Log: log, Restoring: pace})
	if err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	b.ReportMetric(float64(b.Elapsed().Milliseconds()), "ms-to-accept")
	b.ReportMetric(float64((cpuTime() - cpu).Milliseconds()), "cpu-ms")
	b.ReportMetric(float64(rss()-base)/float64(b.N), "bytes/session")
	b.ReportMetric(float64(rss())/(1<<20), "MiB-rss")
	if err := a.Close(); err != nil {
		b.Fatal(err)
	}
}

// rss is the resident memory of this process, bytes.
func rss() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var all, resident int64
	if _, err := fmt.Sscan(string(text), &all, &resident); err != nil {
		return 0
	}
	return resident * int64(os.Getpagesize())
}

// TestAStartSaysWhatItTookAndWhatIsTooMuch: the whole time, and more sessions than sessions_max.
func TestAStartSaysWhatItTookAndWhatIsTooMuch(t *testing.T) {
	cfg := diskNode(t.TempDir())
	a := open(t, cfg)
	for i := range 3 {
		hello(t, address(t, a, "l"), mqtt.Connect{
			Version: mqtt.V5, ClientID: fmt.Append(nil, "c", i),
		})
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	cfg.SessionsMax = 2
	var said bytes.Buffer
	a, err := Open(t.Context(), cfg, Options{Log: slog.New(slog.NewTextHandler(&said, nil))})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil { // nobody writes any more
		t.Fatal(err)
	}
	for _, want := range []string{"app: accepting", "since start", "open took",
		"more sessions than sessions_max", "sessions=3 sessions_max=2"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("no %q in\n%s", want, said.String())
		}
	}
}
