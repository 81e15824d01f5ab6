// Package log serves hpmq:broker/log: lines of a component in the broker's log, marked with its
// name and bounded in rate and length. It does not know where the log goes.
package log

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"

	"github.com/hpmq/hpmq/host/cap/abi"
	"github.com/hpmq/hpmq/host/wasm"
)

// Name is the interface as a guest imports it.
const Name = "hpmq:broker/log@0.1.0"

// Env is what the environment of a guest must answer.
type Env interface {
	Component() string
	Listener() string
}

// Config bounds what components may write.
type Config struct {
	// LinesPerSecondMax is how many lines a component writes in the long run.
	LinesPerSecondMax int
	// LinesBurstMax is how many it may write at once.
	LinesBurstMax int
	// LineBytesMax cuts longer lines.
	LineBytesMax int
}

// Default is generous for a component in trouble and harmless for the disk under the log.
func Default() Config {
	return Config{LinesPerSecondMax: 20, LinesBurstMax: 100, LineBytesMax: 1024}
}

// Validate says what is wrong with c.
func (c Config) Validate() error {
	if c.LinesPerSecondMax < 1 || c.LinesBurstMax < 1 || c.LineBytesMax < 1 {
		return errors.New("log: every bound must be at least 1")
	}
	return nil
}

// Log writes the lines of all components. Safe for concurrent use.
type Log struct {
	cfg Config
	out *slog.Logger
	now func() int64

	mu      sync.Mutex
	buckets map[string]*bucket // by component; as many as components were ever linked
}

// bucket is what a component has left to write.
type bucket struct {
	tokens  float64
	at      int64
	dropped int
}

// New writes to out. now is milliseconds on a clock that does not go back.
func New(cfg Config, out *slog.Logger, now func() int64) *Log {
	return &Log{cfg: cfg, out: out, now: now, buckets: map[string]*bucket{}}
}

// Module is the interface for the engine.
func (l *Log) Module() wasm.HostModule {
	return wasm.HostModule{Name: Name, Funcs: []wasm.HostFunc{{
		Name: "write", Params: []wasm.ValueType{wasm.I32, wasm.I32, wasm.I32}, Call: l.write,
		Type: "(level: enum{debug, info, warn, error}, text: string)",
	}}}
}

// levels are those of the WIT enum, in its order.
var levels = [...]slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError}

// write: func(level: level, text: string)
func (l *Log) write(g *wasm.Guest, stack []uint64) {
	env, ok := g.Env().(Env)
	if !ok {
		g.Trap("log is not served here")
	}
	level := uint32(stack[0])
	if level >= uint32(len(levels)) {
		g.Trap("log level out of range")
	}
	l.Line(env.Component(), env.Listener(), levels[level], abi.Text(g, stack[1], stack[2]))
}

// Line writes text, borrowed until return, unless the component has used up its rate.
func (l *Log) Line(component, listener string, level slog.Level, text []byte) {
	if !l.out.Enabled(context.Background(), level) {
		return
	}
	dropped, ok := l.take(component)
	if !ok {
		return
	}
	attrs := []slog.Attr{
		slog.String("component", component), slog.String("listener", listener),
	}
	if dropped > 0 {
		attrs = append(attrs, slog.Int("lines_dropped", dropped))
	}
	text = text[:min(len(text), l.cfg.LineBytesMax)]
	line := strings.ToValidUTF8(string(text), "")
	l.out.LogAttrs(context.Background(), level, line, attrs...)
}

// take answers whether component may write a line, and how many it lost before this one.
func (l *Log) take(component string) (dropped int, ok bool) {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.buckets[component]
	if b == nil {
		b = &bucket{tokens: float64(l.cfg.LinesBurstMax), at: now}
		l.buckets[component] = b
	}
	if now > b.at {
		b.tokens += float64(now-b.at) * float64(l.cfg.LinesPerSecondMax) / 1000
		b.tokens = min(b.tokens, float64(l.cfg.LinesBurstMax))
		b.at = now
	}
	if b.tokens < 1 {
		b.dropped++
		return 0, false
	}
	b.tokens--
	dropped, b.dropped = b.dropped, 0
	return dropped, true
}
