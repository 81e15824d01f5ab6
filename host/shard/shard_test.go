package shard

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hpmq/hpmq/host/gate"
	"github.com/hpmq/hpmq/host/store"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// house is shards with the memory store and a listener "main", for a test.
type house struct {
	*Shards
	t    testing.TB
	addr string
	log  *sink
	late bool
}

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

func start(t testing.TB, change ...func(*house, *Config)) *house {
	t.Helper()
	h := &house{t: t, log: &sink{}}
	cfg := Default()
	cfg.Gate.Loops = 2
	cfg.Gate.Log = slog.New(slog.NewTextHandler(h.log, nil))
	cfg.Gate.CloseTimeout = patience // a slow peer is no dead one
	for _, c := range change {
		c(h, &cfg)
	}
	memory := store.New(store.Default())
	s, err := Open(cfg, func(loop int, peers broker.Peers) *broker.Kernel {
		kc := broker.Default()
		kc.Self, kc.Peers = broker.PeerID(loop), cfg.Loops()
		view := memory.View
		if h.late {
			view = memory.LateView
		}
		return broker.New(kc, view(func(f func(store.Kernel, broker.Time)) {
			h.Post(loop, func(k *broker.Kernel, now broker.Time) { f(k, now) })
		}), peers)
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Shards = s
	t.Cleanup(func() { h.stop() })
	h.addr = h.listen("main", "tcp://127.0.0.1:0", nil).String()
	return h
}

func (h *house) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return h.Close(ctx)
}

func (h *house) listen(name, bind string, auth broker.Authenticator) net.Addr {
	h.t.Helper()
	cfg := ListenerConfig{Name: name, Bind: bind, Limits: gate.DefaultLimits()}
	addr, err := h.AddListener(cfg, func(int) *broker.Listener {
		return &broker.Listener{Name: name, Limits: broker.DefaultLimits(), Auth: auth}
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return addr
}

func (h *house) dial(id string) *client {
	h.t.Helper()
	return dial(h.t, "tcp", h.addr).connect(id)
}

func (h *house) stats() Stats {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	st, err := h.Stats(ctx)
	if err != nil {
		h.t.Fatal(err)
	}
	return st
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

// settled waits until nothing is on its way between the kernels: interest has been told.
func (h *house) settled() {
	for range 3 {
		h.stats()
		until(h.t, "empty mailboxes", func() bool { return h.stats().MailboxBytes == 0 })
	}
}

// A message reaches subscribers on every loop, from publishers on every loop, in order.
func TestPublishReachesEveryLoop(t *testing.T) {
	h := start(t)
	var subs []*client
	for i := range 4 { // the gate deals them out in turn
		subs = append(subs, h.dial(fmt.Sprint("sub", i)).subscribe("t/+", 0))
	}
	pubs := []*client{h.dial("pub0"), h.dial("pub1")}
	for i, k := range h.stats().Kernels {
		if k.Connections != 3 {
			t.Fatalf("%d connections on loop %d", k.Connections, i)
		}
	}
	h.settled()
	const n = 2000
	for p, pub := range pubs {
		var all []byte
		for i := range n {
			all = append(all, publish(fmt.Sprint("t/", p), fmt.Sprint(i), false)...)
		}
		pub.send(all)
	}
	for s, sub := range subs {
		next := map[string]int{}
		for range 2 * n {
			topic, payload, _ := strings.Cut(sub.message(), " ")
			if payload != fmt.Sprint(next[topic]) {
				t.Fatalf("sub %d: %s: want %d, got %s", s, topic, next[topic], payload)
			}
			next[topic]++
		}
	}
}

func TestRetainedIsSharedByTheLoops(t *testing.T) {
	for _, late := range []bool{false, true} {
		t.Run(fmt.Sprintf("late=%v", late), func(t *testing.T) {
			h := start(t, func(h *house, _ *Config) { h.late = late })
			a, b := h.dial("a"), h.dial("b")
			a.send(publish("r/1", "kept", true))
			if !a.alive() {
				t.Fatal("no answer")
			}
			for _, c := range []*client{a, b} {
				c.subscribe("r/#", 0)
				if m := c.message(); m != "r/1 kept" {
					t.Errorf("got %q", m)
				}
			}
		})
	}
}

// slowAuth answers from another goroutine.
type slowAuth struct {
	h     *house
	loop  int
	asked chan func()
}

func (s *slowAuth) Authenticate(tok broker.Token, _ *broker.Credentials) (broker.Grant, bool) {
	s.asked <- func() {
		s.h.Post(s.loop, func(k *broker.Kernel, now broker.Time) {
			k.Authenticated(now, tok, broker.Grant{Reason: mqtt.Success})
		})
	}
	return broker.Grant{}, false
}

func TestAnswersComeByPost(t *testing.T) {
	h := start(t, func(_ *house, c *Config) { c.Gate.Loops = 1 })
	auth := &slowAuth{h: h, asked: make(chan func(), 1)}
	addr := h.listen("slow", "tcp://127.0.0.1:0", auth)
	c := dial(t, "tcp", addr.String())
	other := h.dial("other")
	p := mqtt.Connect{Version: mqtt.V5, CleanStart: true, ClientID: []byte("slow")}
	c.send(p.Append(nil))
	answer := <-auth.asked
	if !other.alive() {
		t.Fatal("the loop waits with the one that asks")
	}
	go answer()
	c.expect(mqtt.CONNACK)
}

func TestListenersComeAndGo(t *testing.T) {
	h := start(t)
	path := filepath.Join(t.TempDir(), "s")
	h.listen("local", "unix://"+path, nil)
	kept := dial(t, "unix", path).connect("kept")
	if err := h.RemoveListener("local", false); err != nil {
		t.Fatal(err)
	}
	if !kept.alive() {
		t.Error("a kept connection is gone")
	}
	addr := h.listen("more", "tcp://127.0.0.1:0", nil)
	var more []*client
	for i := range 4 {
		more = append(more, dial(t, "tcp", addr.String()).connect(fmt.Sprint("more", i)))
	}
	main := h.dial("main")
	var names []string
	for _, v := range h.Listeners() {
		names = append(names, v.Name)
	}
	if !slices.Equal(names, []string{"main", "more"}) {
		t.Errorf("listeners %q", names)
	}
	if err := h.RemoveListener("more", true); err != nil {
		t.Fatal(err)
	}
	for _, c := range more {
		c.goodbye(mqtt.AdministrativeAction)
	}
	if !kept.alive() || !main.alive() {
		t.Error("a connection of another listener is gone")
	}
	if err := h.RemoveListener("more", true); !errors.Is(err, gate.ErrUnknown) {
		t.Errorf("removed again: %v", err)
	}
}

func TestStopTellsAndDrains(t *testing.T) {
	h := start(t)
	sub := h.dial("sub").subscribe("big", 0)
	pub := h.dial("pub")
	idle := h.dial("idle")
	h.settled()
	const n = 30
	body := strings.Repeat("x", 20<<10)
	for range n {
		pub.send(publish("big", body, false))
	}
	if !pub.alive() {
		t.Fatal("no answer")
	}
	h.settled()
	stopped := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		stopped <- h.Close(ctx)
	}()
	pub.goodbye(mqtt.ServerShuttingDown)
	idle.goodbye(mqtt.ServerShuttingDown)
	for range n {
		if m := sub.message(); len(m) != len("big ")+len(body) {
			t.Fatalf("got %d bytes", len(m))
		}
	}
	sub.goodbye(mqtt.ServerShuttingDown)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", h.addr); err == nil {
		t.Error("accepts after the end")
	}
	if err := h.stop(); !errors.Is(err, ErrClosed) {
		t.Errorf("closed again: %v", err)
	}
	if h.Post(0, func(*broker.Kernel, broker.Time) {}) {
		t.Error("Post on closed shards")
	}
	ran := false
	h.Quiesce(func() { ran = true })
	if !ran {
		t.Error("Quiesce of closed shards did not call back")
	}
	if _, err := h.Stats(context.Background()); !errors.Is(err, ErrClosed) {
		t.Errorf("stats: %v", err)
	}
}

func TestStopDoesNotWaitForDeafPeers(t *testing.T) {
	h := start(t, func(_ *house, c *Config) { c.Gate.LingerTimeout = time.Hour })
	h.dial("deaf") // gets its DISCONNECT and does not close
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	err := h.Close(ctx)
	if err == nil || !strings.Contains(err.Error(), "1 connections") {
		t.Errorf("err: %v", err)
	}
}

// Quiesce calls back only when every loop has ended the turn it was in.
func TestQuiesceWaitsForEveryLoop(t *testing.T) {
	h := start(t)
	free := make(chan struct{})
	busy := make(chan struct{})
	var used atomic.Bool
	h.Post(1, func(*broker.Kernel, broker.Time) {
		used.Store(true)
		close(busy)
		<-free
		used.Store(false)
	})
	<-busy
	calm := make(chan bool, 1)
	h.Quiesce(func() { calm <- used.Load() })
	passed := make(chan struct{})
	h.Post(0, func(*broker.Kernel, broker.Time) { close(passed) })
	<-passed
	select {
	case <-calm:
		t.Fatal("called back while a loop is in its turn")
	default:
	}
	close(free)
	if <-calm {
		t.Error("called back too early")
	}
}

// 300,000 frames between two loops come in order, through the gate's wake-ups.
func TestFramesKeepOrderBetweenLoops(t *testing.T) {
	const n = 300_000
	g, err := gate.Open(Default().Gate, func(*gate.Gate, int) gate.Handler { return nobody{} })
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = g.Close() }()
	m := &mailbox{soft: 1 << 20}
	got, bad, turns := 0, 0, 0
	done := make(chan struct{})
	deliver := func(int64) {
		turns++
		m.take()
		for from, frame, ok := m.next(); ok; from, frame, ok = m.next() {
			if from != 7 || int(binary.LittleEndian.Uint32(frame)) != got {
				bad++
			}
			if got++; got == n {
				close(done)
			}
		}
		m.rest()
	}
	send := func(int64) {
		var frame [8]byte
		for i := range n {
			binary.LittleEndian.PutUint32(frame[:], uint32(i))
			if m.put(7, frame[:]) {
				g.Do(g.Loops()-1, deliver)
			}
		}
	}
	g.Do(0, send)
	<-done
	if bad > 0 {
		t.Errorf("%d out of order, %d turns", bad, turns)
	}
}

// nobody is a gate.Handler of a gate without connections.
type nobody struct{}

func (nobody) Open(int64, *gate.Conn)                   {}
func (nobody) Packet(int64, *gate.Conn, []byte)         {}
func (nobody) Malformed(int64, *gate.Conn, *mqtt.Error) {}
func (nobody) Writable(int64, *gate.Conn)               {}
func (nobody) Closed(int64, *gate.Conn, error)          {}
func (nobody) Tick(int64)                               {}

// A panic at one frame does not lose those behind it.
func TestPanicInAPeerFrameLosesNoOther(t *testing.T) {
	h := start(t)
	sh := h.shards[0]
	h.Post(0, func(k *broker.Kernel, _ broker.Time) {
		sh.box.put(1, []byte("first"))
		sh.box.put(1, []byte("second"))
		sh.kernel = nil // panics at the first
		defer func() { sh.kernel = k }()
		sh.deliver(0)
	})
	until(t, "the second frame", func() bool { return h.stats().Kernels[0].BadFrames == 1 })
	if n := h.stats().Gate.Panics; n != 1 {
		t.Errorf("%d panics", n)
	}
	until(t, "an empty mailbox", func() bool { return h.stats().MailboxBytes == 0 })
}

func TestFullMailboxIsSaidAloud(t *testing.T) {
	h := start(t, func(_ *house, c *Config) {
		c.MailboxBytesMax = 100
		c.Gate.Tick = time.Millisecond
	})
	free, busy := make(chan struct{}), make(chan struct{})
	h.Post(1, func(*broker.Kernel, broker.Time) { close(busy); <-free })
	<-busy
	sent := make(chan struct{})
	h.Post(0, func(*broker.Kernel, broker.Time) {
		p := &port{h.Shards, 0}
		for range 10 {
			p.Send(1, make([]byte, 50))
		}
		close(sent)
	})
	<-sent
	if !h.Full(1) || h.Full(0) {
		t.Errorf("full: %v, %v", h.Full(1), h.Full(0))
	}
	close(free)
	until(t, "room", func() bool { return !h.Full(1) })
	until(t, "a warning", func() bool { return strings.Contains(h.log.String(), "over its limit") })
	if n := h.stats().MailboxesOver; n != 9 {
		t.Errorf("%d over", n)
	}
}

func TestValidate(t *testing.T) {
	good := Default()
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for i, change := range []func(*Config){
		func(c *Config) { c.Gate.Loops = broker.PeersMax + 1 },
		func(c *Config) { c.Gate.Tick = 0 },
		func(c *Config) { c.MailboxBytesMax = 0 },
	} {
		c := Default()
		change(&c)
		if c.Validate() == nil {
			t.Errorf("case %d is accepted", i)
		}
		if _, err := Open(c, nil); err == nil {
			t.Errorf("case %d opens", i)
		}
	}
}
