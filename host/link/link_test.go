package link

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hpmq/hpmq/host/cap/config"
	"github.com/hpmq/hpmq/host/cap/history"
	"github.com/hpmq/hpmq/host/cap/kv"
	caplog "github.com/hpmq/hpmq/host/cap/log"
	"github.com/hpmq/hpmq/host/cap/lookback"
	"github.com/hpmq/hpmq/host/cap/payload"
	"github.com/hpmq/hpmq/host/cap/publish"
	"github.com/hpmq/hpmq/host/cap/wasi"
	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/lite/broker"
)

// clock is the time of a test, in milliseconds.
type clock struct{ at atomic.Int64 }

func (c *clock) now() broker.Time     { return broker.Time(c.at.Load()) }
func (c *clock) millis() int64        { return c.at.Load() }
func (c *clock) pass(d time.Duration) { c.at.Add(d.Milliseconds()) }

// loops stands for the shards: a test loop calls turn between two calls.
type loops struct {
	mu      sync.Mutex
	waiting []*quiescing
	count   int // loops that turn; 0: nobody is ever in a call when Quiesce is called
	// calls is held for reading by a loop that may be in a call, if a test has such a thing.
	calls sync.RWMutex
	busy  bool // they never stand still
	// around is called in place of what is to be done while they stand, if it is not nil.
	around func(f func())
	slow   bool // they do at the last moment
}

// Halt is Halter.
func (l *loops) Halt(within time.Duration, f func()) (time.Duration, error) {
	if l.busy {
		return 0, errors.New("loop 0 is busy")
	}
	for began := time.Now(); l.slow && time.Since(began) <= within; {
		runtime.Gosched()
	}
	l.calls.Lock()
	defer l.calls.Unlock()
	began := time.Now()
	if l.around != nil {
		l.around(f)
	} else {
		f()
	}
	return time.Since(began), nil
}

type quiescing struct {
	left map[int]bool
	done func()
}

func (l *loops) Quiesce(done func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.count == 0 {
		done()
		return
	}
	q := &quiescing{left: map[int]bool{}, done: done}
	for i := range l.count {
		q.left[i] = true
	}
	l.waiting = append(l.waiting, q)
}

// turn says that a loop is in no call.
func (l *loops) turn(loop int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	keep := l.waiting[:0]
	for _, q := range l.waiting {
		delete(q.left, loop)
		if len(q.left) == 0 {
			q.done()
		} else {
			keep = append(keep, q)
		}
	}
	l.waiting = keep
}

// house is a linker with all capabilities, as host/app would wire it.
type house struct {
	t       testing.TB
	clock   *clock
	engine  *wasm.Engine
	linker  *Linker
	loops   *loops
	log     *safeBuffer
	history *history.Store
	// past answers look-back; nil is that nothing is logged.
	past  func(lookback.Question) (lookback.Page, error)
	kv    *kv.Store
	queue *publish.Queue
	lines *caplog.Log
}

// capabilities are what guests may import.
func (h *house) capabilities() []wasm.HostModule {
	return append(wasi.Modules(func(time.Duration) {}),
		h.lines.Module(), config.Module(), h.kv.Module(h.clock.millis),
		h.history.Module(lookback.Func(h)), h.queue.Module(), payload.Module(),
	)
}

// LookBack is lookback.Log.
func (h *house) LookBack(q lookback.Question) (lookback.Page, error) {
	if h.past == nil {
		return lookback.Page{}, lookback.ErrNotLogged
	}
	return h.past(q)
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func newHouse(t testing.TB, change func(*Config)) *house {
	t.Helper()
	on := wasm.Default()
	on.Interpreter = strings.Contains(t.Name(), "ByInterpreter/")
	return newHouseOn(t, on, change)
}

// newHouseOn is newHouse with an engine of that kind.
func newHouseOn(t testing.TB, on wasm.Config, change func(*Config)) *house {
	t.Helper()
	h := &house{t: t, clock: &clock{}, loops: &loops{}, log: &safeBuffer{}}
	h.clock.at.Store(1_700_000_000_000)
	engine, err := wasm.Open(on)
	if err != nil {
		t.Fatal(err)
	}
	h.engine = engine
	out := slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	lines := caplog.New(caplog.Default(), out, h.clock.millis)
	h.kv, h.history = kv.New(kv.Default()), history.New(history.Default())
	h.queue = publish.New(publish.Default())
	h.lines = lines
	for _, m := range h.capabilities() {
		if err := engine.Provide(m); err != nil {
			t.Fatal(err)
		}
	}
	cfg := Default()
	// A guest that never ends in configure is to end soon.
	cfg.Limits.StartFuel, cfg.AuthLimits.StartFuel = 50_000_000, 50_000_000
	if change != nil {
		change(&cfg)
	}
	h.linker, err = New(engine, cfg, Ports{
		Read: h.readTestdata, Quiescer: h.loops, Halter: h.loops, History: h.history, KV: h.kv,
		Keys: Migrations(h.kv),
		Line: lines.Line, Log: out, Now: h.clock.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.close)
	return h
}

// close fails the test if a guest is left behind.
func (h *house) close() {
	h.loops.mu.Lock()
	h.loops.count = 0
	for _, q := range h.loops.waiting {
		q.done()
	}
	h.loops.waiting = nil
	h.loops.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := h.linker.Close(ctx); err != nil {
		h.t.Error(err)
	}
	if n := h.engine.Guests(); n != 0 {
		h.t.Errorf("%d guests are left behind", n)
	}
	if n := len(h.linker.modules.held); n != 0 {
		h.t.Errorf("%d modules are left behind", n)
	}
	if err := h.engine.Close(ctx); err != nil {
		h.t.Error(err)
	}
}

// readTestdata brings a guest of testdata, in the form that the test is about.
func (h *house) readTestdata(_ context.Context, use string) (Artifact, error) {
	folder := "testdata/"
	if h.inComponentForm() {
		folder += "components/"
	}
	code, err := os.ReadFile(folder + use + ".wasm")
	return Artifact{Code: code, Name: use, Version: "1"}, err
}

// ref is a guest of testdata with words that it looks for in its configuration.
func ref(use, words string) Ref {
	text, _ := json.Marshal(words)
	return Ref{Use: use, Config: text, Grants: []string{"kv", "history"}}
}

func (h *house) link(spec Spec) {
	h.t.Helper()
	if err := h.linker.Link(context.Background(), "main", spec); err != nil {
		h.t.Fatal(err)
	}
}

// one links a single component.
func (h *house) one(r Role, rf Ref) broker.Policy {
	h.t.Helper()
	h.link(Spec{r: {rf}})
	return h.linker.Policy("main", 0)
}

func (h *house) swap(r Role, rf Ref) Result {
	h.t.Helper()
	res, err := h.linker.Swap(context.Background(), Request{Listener: "main", Role: r, Ref: rf})
	if err != nil {
		h.t.Fatal(err)
	}
	return res
}

// seen is what Show says of the component in one place.
func (h *house) seen(r Role, position int) ComponentView {
	h.t.Helper()
	for _, l := range h.linker.Show() {
		for _, c := range l.Components {
			if l.Listener == "main" && c.Role == r && c.Position == position {
				return c
			}
		}
	}
	h.t.Fatalf("nothing is linked as %s in place %d", r, position)
	return ComponentView{}
}

// shown is all that Show says, as text to compare.
func (h *house) shown() string {
	h.t.Helper()
	text, err := json.Marshal(h.linker.Show())
	if err != nil {
		h.t.Fatal(err)
	}
	return string(text)
}

// eventually waits until ok says true; the components' pools work on goroutines of their own.
func (h *house) eventually(what string, ok func() bool) {
	h.t.Helper()
	deadline := time.After(2 * time.Minute)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			h.t.Fatalf("never: %s", what)
		case <-tick.C:
		}
	}
}

func (h *house) logged(words string) bool { return strings.Contains(h.log.String(), words) }

var device = broker.Identity{
	ClientID: "dev1", Username: "alice", Address: "10.0.0.7", Listener: "main", Version: 5,
}

func message(topic, payload string) *broker.Message {
	return &broker.Message{
		Topic: []byte(topic), Payload: []byte(payload), QoS: 1, From: "dev1",
	}
}

// texts are messages as "topic=payload".
func texts(list []broker.Message) string {
	var out []string
	for _, m := range list {
		out = append(out, string(m.Topic)+"="+string(m.Payload))
	}
	return strings.Join(out, " ")
}
