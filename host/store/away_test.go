package store

import (
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// home is a kernel over a Disk, with the time of the test.
type home struct {
	t    *testing.T
	at   *clock
	disk *Disk
	lis  broker.Listener

	mu sync.Mutex // of the kernel: what its loop would be
	k  *broker.Kernel
}

func openHome(t *testing.T, c DiskConfig, at *clock) *home {
	t.Helper()
	d, rep, err := OpenDisk(c)
	if err != nil {
		t.Fatal(err)
	}
	h := &home{t: t, at: at, disk: d}
	h.lis = broker.Listener{Name: "door", Limits: broker.DefaultLimits()}
	h.lis.Limits.SessionExpiryMax = broker.Never
	last, err := d.LastSession()
	if err != nil {
		t.Fatal(err)
	}
	cfg := broker.Default()
	cfg.Durable, cfg.Boot, cfg.Numbers = true, rep.Boot, last
	h.mu.Lock()
	defer h.mu.Unlock()
	h.k = broker.New(cfg, d.View(func(f func(Kernel, broker.Time)) {
		h.mu.Lock()
		defer h.mu.Unlock()
		f(h.k, at.Now())
	}), nil)
	err = d.Sessions(func(r broker.Record) error { return h.k.Restore(at.Now(), &r) })
	if err != nil {
		t.Fatal(err)
	}
	h.k.Serve(&h.lis)
	h.k.Restored(at.Now())
	h.k.Begin(at.Now())
	return h
}

// leave ends the store as a kill does.
func (h *home) leave() {
	k := desktop{t: h.t, disk: h.disk}
	k.kill()
}

// until waits for the kernel to come to be so.
func (h *home) until(ok func() bool) {
	h.t.Helper()
	waitFor(h.t, func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.k.Tick(h.at.Now())
		return ok()
	})
}

// guest is a client of a home.
type guest struct {
	*home
	conn   *broker.Conn
	frames [][]byte // what came, under mu
}

func (g *guest) Write(p []byte) { g.frames = append(g.frames, append([]byte(nil), p...)) }
func (g *guest) Room() int      { return 1 << 20 }
func (g *guest) Held() int64    { return 0 }
func (g *guest) Close()         {}

// send sends a packet and waits for the next frame of that type.
func (g *guest) send(frame []byte, answer mqtt.Type) {
	g.t.Helper()
	g.mu.Lock()
	had := g.count(answer)
	g.k.Packet(g.at.Now(), g.conn, frame)
	g.mu.Unlock()
	g.until(func() bool { return g.count(answer) > had })
}

func (g *guest) count(t mqtt.Type) (n int) {
	for _, f := range g.frames {
		if mqtt.TypeOf(f) == t {
			n++
		}
	}
	return n
}

func (h *home) come(id string) *guest {
	h.t.Helper()
	g := &guest{home: h}
	h.mu.Lock()
	g.conn = h.k.Open(h.at.Now(), &h.lis, "198.51.100.1", g)
	h.mu.Unlock()
	p := mqtt.Connect{Version: mqtt.V5, ClientID: []byte(id)}
	p.Props = p.Props.AppendUint32(mqtt.SessionExpiryInterval, broker.Never)
	g.send(p.Append(nil), mqtt.CONNACK)
	return g
}

func (g *guest) part() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.k.Closed(g.at.Now(), g.conn)
}

func (g *guest) publish(id uint16, payload string, expiry uint32) {
	p := mqtt.Publish{QoS: 1, PacketID: id, Topic: []byte("a"), Payload: []byte(payload)}
	if expiry > 0 {
		p.Props = p.Props.AppendUint32(mqtt.MessageExpiryInterval, expiry)
	}
	g.send(p.Append(nil, mqtt.V5), mqtt.PUBACK)
}

// What waits for a client that is away, and expires, is counted no longer, be it since this start
// of the broker or one before; what does not expire comes when the client does.
func TestTotalsFollowWhatExpired(t *testing.T) {
	for _, killed := range []bool{false, true} {
		t.Run("killed "+strconv.FormatBool(killed), func(t *testing.T) {
			at := &clock{}
			at.now.Store(hour)
			c := diskConfig(t)
			c.Now = at.Now
			h := openHome(t, c, at)
			sub := h.come("away")
			filters := []mqtt.Subscription{{Filter: []byte("a"), QoS: mqtt.AtLeastOnce}}
			sub.send(mqtt.AppendSubscribe(nil, mqtt.V5, 1, nil, filters), mqtt.SUBACK)
			sub.part()
			pub := h.come("pub")
			pub.publish(1, strings.Repeat("large", 1000), 60)
			pub.publish(2, "stays", 0)
			pub.publish(3, "small", 60)
			if killed {
				h.leave()
				h = openHome(t, c, at)
			}
			defer func() { _ = h.disk.Close() }()
			waits := func() (n, bytes int) { st := h.k.Stats(); return st.Queued, st.QueuedBytes }
			h.until(func() bool { n, bytes := waits(); return n == 3 && bytes > 5000 })
			at.now.Add(60_000 + sweepGrace + sweepEvery)
			h.until(func() bool { n, bytes := waits(); return n == 1 && bytes < 500 })
			sub = h.come("away")
			h.until(func() bool { return sub.count(mqtt.PUBLISH) > 0 })
			h.mu.Lock()
			st := h.k.Stats()
			n := sub.count(mqtt.PUBLISH)
			h.mu.Unlock()
			if n != 1 || st.Queued != 0 || st.QueuedBytes != 0 || st.DroppedExpired != 2 {
				t.Errorf("%d came, %+v", n, st)
			}
		})
	}
}

// What a member of a shared group leaves is no session any more, and whole: a check counts it, and
// the next start gives it to another.
func TestAnEstateIsChecked(t *testing.T) {
	at := &clock{}
	at.now.Store(hour)
	c := diskConfig(t)
	c.Now = at.Now
	h := openHome(t, c, at)
	filters := []mqtt.Subscription{{Filter: []byte("$share/g/a"), QoS: mqtt.AtLeastOnce}}
	member := func(id string) *guest {
		g := h.come(id)
		g.send(mqtt.AppendSubscribe(nil, mqtt.V5, 1, nil, filters), mqtt.SUBACK)
		return g
	}
	heir := member("heir")
	heir.part()
	dies := member("dies")
	pub := h.come("pub")
	pub.publish(1, "left behind", 0)
	h.mu.Lock()
	end := mqtt.Disconnect{}
	end.Props = end.Props.AppendUint32(mqtt.SessionExpiryInterval, 0)
	h.k.Packet(at.Now(), dies.conn, end.Append(nil, mqtt.V5))
	got := dies.count(mqtt.PUBLISH)
	h.mu.Unlock()
	h.leave() // before a tick gives it out
	if got != 1 {
		t.Fatalf("%d came to the member that is there", got)
	}
	rep, err := CheckDir(c.Dir)
	if err != nil || rep.Estates != 1 || rep.Sessions != 2 || rep.Queued != 1 {
		t.Errorf("%+v, %v", rep, err)
	}
	h = openHome(t, c, at)
	defer func() { _ = h.disk.Close() }()
	heir = h.come("heir")
	h.until(func() bool { at.now.Add(100); return heir.count(mqtt.PUBLISH) > 0 })
	waitFor(t, func() bool {
		h.mu.Lock()
		h.k.Tick(broker.Time(at.now.Add(100)))
		h.mu.Unlock()
		rep, err := h.disk.Check()
		return err == nil && rep.Estates == 0 && rep.FaultsFound == 0
	})
}
