// Package trial runs components outside of a broker, by the engine and the links that the broker
// has: to inspect them, to ask them, to hold them to golden cases, to measure them. It knows no
// socket, no command line and no toolchain.
package trial

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/hpmq/hpmq/host/cap/config"
	"github.com/hpmq/hpmq/host/cap/history"
	"github.com/hpmq/hpmq/host/cap/kv"
	caplog "github.com/hpmq/hpmq/host/cap/log"
	"github.com/hpmq/hpmq/host/cap/lookback"
	"github.com/hpmq/hpmq/host/cap/payload"
	"github.com/hpmq/hpmq/host/cap/publish"
	"github.com/hpmq/hpmq/host/cap/wasi"
	"github.com/hpmq/hpmq/host/link"
	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/lite/broker"
)

// Config of a Trial.
type Config struct {
	// CacheDir keeps compiled code between runs; "" keeps none.
	CacheDir string
	// Interpreter asks for the interpreter where a compiler exists.
	Interpreter bool
	// Log takes the lines of guests; nil for none.
	Log *slog.Logger
	// Live lets the clock run and gives random numbers; else the clock stands still but for Wait,
	// and numbers are always the same, so that every run spends the same fuel.
	Live bool
}

// Trial is an engine with all capabilities and a linker. One goroutine at a time may use it.
type Trial struct {
	cfg    Config
	engine *wasm.Engine
	linker *link.Linker
	clock  atomic.Int64 // milliseconds, if not live

	// The stores of the capabilities are made anew for each case, so the engine is given modules
	// that pass on.
	kv        *passing
	publish   *passing
	history   *history.Store
	past      past
	published *outlet
}

// epoch is where the clock stands still: some moment, the same for all.
const epoch = 1_700_000_000_000

// memoryBytesMax is what the hungriest component of a broker may have by default: authenticators
// that hash slowly.
const memoryBytesMax = 64 << 20

// Open starts an engine.
func Open(cfg Config) (*Trial, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	t := &Trial{cfg: cfg}
	t.clock.Store(epoch)
	w := wasm.Default()
	w.CacheDir, w.Interpreter, w.Log = cfg.CacheDir, cfg.Interpreter, cfg.Log
	w.MemoryBytesMax = memoryBytesMax
	if !cfg.Live {
		w.Now, w.Random = func() time.Time { return time.UnixMilli(t.now()) }, drawn
	}
	var err error
	if t.engine, err = wasm.Open(w); err != nil {
		return nil, fmt.Errorf("trial: open: %w", err)
	}
	if err = t.provide(); err == nil {
		err = t.link()
	}
	if err != nil {
		return nil, fmt.Errorf("trial: open: %w", errors.Join(err, t.engine.Close(
			context.Background())))
	}
	return t, nil
}

// provide gives the engine what guests may import.
func (t *Trial) provide() error {
	lines := caplog.Default()
	lines.LinesPerSecondMax, lines.LinesBurstMax = 1000, 1000 // somebody looks on
	log := caplog.New(lines, t.cfg.Log, t.now)
	t.history = history.New(history.Default())
	t.kv, t.publish = &passing{t.newKV()}, &passing{t.newPublish()}
	for _, m := range append(wasi.Modules(t.sleep),
		log.Module(), config.Module(), t.history.Module(lookback.Func(&t.past)), t.kv.module(),
		t.publish.module(), payload.Module(),
	) {
		if err := t.engine.Provide(m); err != nil {
			return err
		}
	}
	return nil
}

func (t *Trial) newKV() wasm.HostModule { return kv.New(kv.Default()).Module(t.now) }

// newPublish is a queue that ends in a new outlet.
func (t *Trial) newPublish() wasm.HostModule {
	t.published = &outlet{queue: publish.New(publish.Default())}
	return t.published.queue.Module()
}

func (t *Trial) link() (err error) {
	cfg := link.Default()
	cfg.AuthWorkers = 1
	cfg.AuthLimits.MemoryBytesMax = memoryBytesMax
	cfg.Limits.MemoryBytesMax = wasm.Default().MemoryBytesMax
	t.linker, err = link.New(t.engine, cfg, link.Ports{
		Read: unreadable, Quiescer: still{}, History: t.history,
		Line: func(component, _ string, level slog.Level, text []byte) {
			t.cfg.Log.Log(context.Background(), level, string(text), "component", component)
		},
		Log: slog.New(slog.DiscardHandler), // faults are answers here
		Now: func() broker.Time { return broker.Time(t.now()) },
	})
	return err
}

// unreadable is for references without code, of which there are none here.
func unreadable(_ context.Context, use string) (link.Artifact, error) {
	return link.Artifact{}, fmt.Errorf("trial: %s is not at hand", use)
}

// still is loops that are in no call.
type still struct{}

// Quiesce calls done at once.
func (still) Quiesce(done func()) { done() }

// now is the clock of the capabilities.
func (t *Trial) now() int64 {
	if t.cfg.Live {
		return time.Now().UnixMilli()
	}
	return t.clock.Load()
}

// drawn are the random numbers of a Trial that is not live.
func drawn(b []byte) {
	for i := range b {
		b[i] = byte(i)*31 + 7
	}
}

func (t *Trial) sleep(d time.Duration) {
	if t.cfg.Live {
		time.Sleep(d)
		return
	}
	t.Wait(d)
}

// Wait lets time pass, unless it runs by itself.
func (t *Trial) Wait(d time.Duration) { t.clock.Add(d.Milliseconds()) }

// Reset forgets what guests stored, saw and published.
func (t *Trial) Reset() {
	t.kv.to, t.publish.to = t.newKV(), t.newPublish()
	t.history.Forget(link.ProbeListener)
	t.past = past{}
}

// Happened lets history know a payload of a topic, borrowed.
func (t *Trial) Happened(topic string, payload []byte) {
	at := history.Place{Listener: link.ProbeListener, Loop: -1}
	t.history.Record(at, []byte(topic), payload, true)
}

// Published takes what guests published since it was asked last.
func (t *Trial) Published() []*broker.Message { return t.published.take() }

// Keep compiles a component once for all that is done with it until letGo is called. Between two
// golden cases nobody has it, and it would be compiled for each.
func (t *Trial) Keep(ctx context.Context, code []byte) (letGo func(), err error) {
	return t.linker.Keep(ctx, code)
}

// Inspect says what a component is.
func (t *Trial) Inspect(ctx context.Context, code []byte) (link.Inspection, error) {
	return t.linker.Inspect(ctx, code)
}

// Probe makes a guest of a component.
func (t *Trial) Probe(ctx context.Context, r link.Role, ref link.Ref) (*link.Probe, error) {
	return t.linker.Probe(ctx, r, ref)
}

// Grantable are all capabilities.
func Grantable() []string { return []string{"kv", "history", "publish"} }

// Close ends the engine. All probes must be closed.
func (t *Trial) Close() error {
	ctx := context.Background()
	return errors.Join(t.linker.Close(ctx), t.engine.Close(ctx))
}
