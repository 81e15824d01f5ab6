package load

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// toy is a broker that knows exact topics and # at the end, and can be told to misbehave: fault is
// asked for each delivery by its number and answers how the packets go out.
type toy struct {
	mu    sync.Mutex
	subs  map[string][]*toyConn
	count int
	fault func(n int, packet []byte, held *[]byte) []byte
	held  []byte
}

type toyConn struct {
	conn net.Conn
	v    mqtt.Version
}

func startToy(t *testing.T, fault func(n int, p []byte, held *[]byte) []byte) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	b := &toy{subs: map[string][]*toyConn{}, fault: fault}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go b.serve(c)
		}
	}()
	return ln.Addr().String()
}

func (b *toy) serve(conn net.Conn) {
	defer conn.Close()
	p := &peer{conn: conn}
	c := &toyConn{conn: conn}
	for {
		frame, err := p.next()
		if err != nil {
			return
		}
		if frame == nil {
			if p.fill() != nil {
				return
			}
			continue
		}
		b.packet(c, frame)
	}
}

func (b *toy) packet(c *toyConn, frame []byte) {
	switch mqtt.TypeOf(frame) {
	case mqtt.CONNECT:
		var m mqtt.Connect
		if m.Decode(frame) == nil {
			c.v = m.Version
			c.send((&mqtt.Connack{}).Append(nil, c.v))
		}
	case mqtt.SUBSCRIBE:
		var m mqtt.Subscribe
		if m.Decode(c.v, frame) != nil {
			return
		}
		s, _ := m.Next()
		b.mu.Lock()
		b.subs[string(s.Filter)] = append(b.subs[string(s.Filter)], c)
		b.mu.Unlock()
		ack := mqtt.Suback{PacketID: m.PacketID, Reasons: []mqtt.ReasonCode{mqtt.ReasonCode(s.QoS)}}
		c.send(ack.Append(nil, c.v))
	case mqtt.PUBLISH:
		var m mqtt.Publish
		if m.Decode(c.v, frame) == nil {
			b.publish(c, &m)
		}
	case mqtt.PUBREC:
		c.answer(frame, mqtt.PUBREL)
	case mqtt.PUBREL:
		c.answer(frame, mqtt.PUBCOMP)
	}
}

func (b *toy) publish(c *toyConn, m *mqtt.Publish) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for filter, subs := range b.subs {
		dir, all := strings.CutSuffix(filter, "#")
		if filter != string(m.Topic) && !(all && strings.HasPrefix(string(m.Topic), dir)) {
			continue
		}
		for _, s := range subs {
			out := m.Append(nil, s.v)
			if b.fault != nil {
				out = b.fault(b.count, out, &b.held)
			}
			b.count++
			s.send(out)
		}
	}
	switch m.QoS {
	case mqtt.AtLeastOnce:
		c.send((&mqtt.Ack{Type: mqtt.PUBACK, PacketID: m.PacketID}).Append(nil, c.v))
	case mqtt.ExactlyOnce:
		c.send((&mqtt.Ack{Type: mqtt.PUBREC, PacketID: m.PacketID}).Append(nil, c.v))
	}
}

// answer acknowledges an acknowledgement. The test reads the outcome, so a failed write shows
// there.
func (c *toyConn) answer(frame []byte, with mqtt.Type) {
	var ack mqtt.Ack
	if ack.Decode(c.v, frame) == nil {
		c.send((&mqtt.Ack{Type: with, PacketID: ack.PacketID}).Append(nil, c.v))
	}
}

func (c *toyConn) send(p []byte) {
	if len(p) > 0 {
		_, _ = c.conn.Write(p)
	}
}

func short(addr string) Config {
	c := Default()
	c.Addr, c.Publishers, c.Subscribers, c.Window = addr, 3, 3, 10
	c.Warmup, c.Duration, c.Drain = 10*time.Millisecond, 50*time.Millisecond, 3*time.Second
	return c
}

func mustRun(t *testing.T, c Config) *Result {
	t.Helper()
	r, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// longer runs c until enough says that the run was, each time for longer: on a machine that has no
// time for it a short run measures nothing. It answers the last.
func longer(t *testing.T, c Config, enough func(*Result) bool) *Result {
	t.Helper()
	for {
		r := mustRun(t, c)
		if c.Duration *= 4; enough(r) || c.Duration > time.Minute {
			return r
		}
		c.Drain = max(c.Drain, 2*c.Duration)
	}
}

func TestEveryPatternDelivers(t *testing.T) {
	addr := startToy(t, nil)
	for _, pattern := range []Pattern{Pairs, FanOut, FanIn} {
		for qos := range mqtt.QoS(3) {
			for _, v := range []mqtt.Version{mqtt.V311, mqtt.V5} {
				c := short(addr)
				c.Pattern, c.QoS, c.Version = pattern, qos, v
				wantAll(t, c)
			}
		}
	}
}

func wantAll(t *testing.T, c Config) {
	t.Helper()
	c.Drain = 2 * time.Minute // it ends when all is there
	r := longer(t, c, func(r *Result) bool { return r.Delivered > 0 })
	if r.Delivered == 0 || r.Lost+r.Duplicates+r.OutOfOrder+r.Refused != 0 {
		t.Errorf("%s qos %d v%d: %+v", c.Pattern, c.QoS, c.Version, r)
	}
	if r.Latency.Max < r.Latency.P99 || r.Latency.P50 <= 0 {
		t.Errorf("%s qos %d: latency %+v", c.Pattern, c.QoS, r.Latency)
	}
}

func TestFaultsAreCounted(t *testing.T) {
	for name, c := range map[string]struct {
		fault func(n int, p []byte, held *[]byte) []byte
		count func(r *Result) uint64
	}{
		"lost": {func(n int, p []byte, _ *[]byte) []byte {
			if n == 20 {
				return nil
			}
			return p
		}, func(r *Result) uint64 { return r.Lost }},
		"duplicates": {func(n int, p []byte, _ *[]byte) []byte {
			if n == 20 {
				return slices.Concat(p, p)
			}
			return p
		}, func(r *Result) uint64 { return r.Duplicates }},
		"out of order": {func(n int, p []byte, held *[]byte) []byte {
			switch n {
			case 20:
				*held = p
				return nil
			case 21:
				return slices.Concat(p, *held)
			}
			return p
		}, func(r *Result) uint64 { return r.OutOfOrder }},
	} {
		var r *Result
		for cfg := short(""); cfg.Duration < time.Minute; cfg.Duration, cfg.Drain = 4*cfg.Duration,
			4*cfg.Drain {
			cfg.Addr = startToy(t, c.fault) // which counts anew
			cfg.Publishers, cfg.Subscribers = 1, 1
			if r = mustRun(t, cfg); c.count(r) == 1 && r.Lost+r.Duplicates+r.OutOfOrder == 1 {
				break // else there was no time for so many messages, or for the last of them
			}
		}
		if got := c.count(r); got != 1 || r.Lost+r.Duplicates+r.OutOfOrder != 1 {
			t.Errorf("%s: counted %d: %+v", name, got, r)
		}
	}
}

func TestRateIsKept(t *testing.T) {
	c := short(startToy(t, nil))
	c.Rate, c.Duration = 1000, 300*time.Millisecond
	c.Drain = 2 * time.Minute
	kept := func(r *Result) bool { return r.PerSecond >= 700 && r.PerSecond <= 1300 }
	if r := longer(t, c, kept); !kept(r) || r.Lost != 0 {
		t.Errorf("asked for 1000 a second: %+v", r)
	}
}

func TestIdleConnectionsAreCounted(t *testing.T) {
	c := short(startToy(t, nil))
	c.Pattern, c.Publishers, c.Subscribers = Idle, 20, 20
	r := mustRun(t, c)
	if r.ConnectsPerSecond <= 0 || r.Dropped != 0 {
		t.Errorf("%+v", r)
	}
}

func TestRefusesWhatCannotRun(t *testing.T) {
	for name, spoil := range map[string]func(*Config){
		"pattern":  func(c *Config) { c.Pattern = "star" },
		"pairs":    func(c *Config) { c.Publishers = 1 },
		"payload":  func(c *Config) { c.PayloadBytes = PayloadBytesMin - 1 },
		"window":   func(c *Config) { c.Window = 0 },
		"qos":      func(c *Config) { c.QoS = 3 },
		"version":  func(c *Config) { c.Version = 6 },
		"duration": func(c *Config) { c.Duration = 0 },
	} {
		c := short("127.0.0.1:1")
		spoil(&c)
		if c.Validate() == nil {
			t.Errorf("%s: nothing found", name)
		}
	}
	c := Default()
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	c.Addr = "127.0.0.1:1"
	if _, err := Run(t.Context(), c); err == nil {
		t.Error("no error without a broker")
	}
}

func TestHistogramIsNearTheTruth(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var h, a, b Histogram
	var all []int64
	for i := range 20000 {
		v := int64(r.ExpFloat64() * 1e6)
		all = append(all, v)
		h.Add(v)
		if i%2 == 0 {
			a.Add(v)
		} else {
			b.Add(v)
		}
	}
	slices.Sort(all)
	a.Merge(&b)
	if a != h {
		t.Error("merged histograms differ from the whole")
	}
	for _, q := range []float64{.01, .5, .9, .99, .999, 1} {
		want := float64(all[max(0, int(q*float64(len(all)))-1)])
		got := float64(h.Quantile(q))
		if got < want || got > want*1.04+2 {
			t.Errorf("quantile %v: %v, want %v", q, got, want)
		}
	}
	for v := range uint64(1 << 12) {
		if i := bucketOf(v); v > bucketTop(i) || i > 0 && v <= bucketTop(i-1) {
			t.Fatalf("%d is not in bucket %d", v, i)
		}
	}
}

func TestTrackTellsLateFromTwice(t *testing.T) {
	var k track
	for _, seq := range []uint64{0, 1, 4, 3, 3, 5, 0, 2} {
		k.see(seq)
	}
	if k.unique != 6 || k.late != 2 || k.dups != 2 || len(k.missing) != 0 {
		t.Errorf("%+v", k)
	}
}

func TestReportsAreWhole(t *testing.T) {
	r := &Result{Pattern: Pairs, Lost: 7, Latency: Latency{P99: 12.5}}
	var js, table bytes.Buffer
	if err := r.WriteJSON(&js); err != nil {
		t.Fatal(err)
	}
	var back Result
	if err := json.Unmarshal(js.Bytes(), &back); err != nil || back != *r {
		t.Errorf("%v: %+v", err, back)
	}
	if err := r.WriteTable(&table); err != nil || !strings.Contains(table.String(), "12.5") {
		t.Errorf("%v: %s", err, table.String())
	}
}

func TestMediansOfRounds(t *testing.T) {
	var in, out bytes.Buffer
	for i, perSecond := range []float64{10, 70, 30} {
		r := Result{Label: "us", Pattern: Pairs, PerSecond: perSecond, Lost: uint64(i)}
		if err := r.WriteJSON(&in); err != nil {
			t.Fatal(err)
		}
	}
	if err := WriteMedians(&out, &in); err != nil {
		t.Fatal(err)
	}
	row := strings.Join(strings.Fields(out.String()), " ")
	if !strings.HasSuffix(row, "| us | p2p | 0 | 3 | 30 | 0.00 | 0 | 0 | 0 | 3 | 0 | 0 |") {
		t.Errorf("%s", out.String())
	}
	if err := WriteMedians(&out, strings.NewReader("{")); err == nil {
		t.Error("broken JSON was taken")
	}
}
