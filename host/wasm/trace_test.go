package wasm

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/host/wasm/asm"
)

func TestNamesInTheBacktraceAreWhole(t *testing.T) {
	for line, want := range map[string]string{
		".main()":                                             "main",
		".$12(i32,i64) i32":                                   "$12",
		".$12(i32,i64) (i32,i32)":                             "$12",
		".(*a.com/b.T).ask(i32)":                              "(*a.com/b.T).ask",
		".(*a.com/b.T).ask() (i64,f32)":                       "(*a.com/b.T).ask",
		".operator()(int)(i32) i32":                           "operator()(int)",
		".f(char const*) const()":                             "f(char const*) const",
		".core::panicking::panic_fmt::h0123456789abcdef(i32)": "core::panicking::panic_fmt",
		".::h0123456789abcdef(i32)":                           "::h0123456789abcdef",
		"":                                                    "",
	} {
		if got := frameName(line); got != want {
			t.Errorf("%q: %q, not %q", line, got, want)
		}
	}
}

// TestPoolsShareABreaker: what one loop's guests die of keeps those of the others from dying.
func TestPoolsShareABreaker(t *testing.T) {
	m := compile(t, open(t, Default()), mortal())
	cfg := DefaultPool()
	cfg.Breaker = NewBreaker(cfg)
	var pools [2]*pooled
	for i := range pools {
		made, err := OpenPool(context.Background(), cfg, Builder{Module: m})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(made.Close)
		pools[i] = &pooled{Pool: made, t: t, now: time.Unix(1000, 0)}
	}
	for i := range cfg.DeathsMax {
		p := pools[i%2]
		p.until("a guest", func() bool { return p.active != nil })
		p.kill()
	}
	for i, p := range pools {
		if _, err := p.Guest(p.now); !errors.Is(err, ErrBreakerOpen) {
			t.Errorf("pool %d: %v", i, err)
		}
	}
	v := cfg.Breaker.View(pools[0].now)
	if v.State != BreakerOpen || v.Opened != 1 || !v.Since.Equal(pools[0].now) {
		t.Errorf("%+v", v)
	}
	later := pools[0].now.Add(cfg.CoolDown)
	if v := cfg.Breaker.View(later); v.State != BreakerHalfOpen {
		t.Errorf("%+v", v)
	}
	// The clock of another loop is behind: time does not go back.
	if v := cfg.Breaker.View(pools[1].now); v.State != BreakerHalfOpen || !v.Since.Equal(later) {
		t.Errorf("%+v", v)
	}
	cfg.Breaker.death(pools[1].now, 1) // and so it rests from now on, not from then
	if v := cfg.Breaker.View(later); v.State != BreakerOpen || !v.Since.Equal(later) {
		t.Errorf("%+v", v)
	}
	later = later.Add(cfg.CoolDown)
	if v := cfg.Breaker.View(later); v.State != BreakerHalfOpen {
		t.Errorf("%+v", v)
	}
	if v := cfg.Breaker.View(later.Add(cfg.Window)); v.State != BreakerClosed || v.Opened != 2 {
		t.Errorf("%+v", v)
	}
}

func TestAFailedReplacementIsTold(t *testing.T) {
	var told []string
	m := compile(t, open(t, Default()), mortal())
	setups := 0
	made, err := OpenPool(context.Background(), DefaultPool(), Builder{
		Module: m,
		Setup: func(*Guest) error {
			if setups++; setups > 2 {
				return errors.New("bad config")
			}
			return nil
		},
		Failed: func(err error) { told = append(told, err.Error()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	p := &pooled{Pool: made, t: t, now: time.Unix(1000, 0)}
	t.Cleanup(p.Close)
	p.kill()
	p.until("it is told", func() bool { return len(told) > 0 })
	if !slices.Contains(told, "wasm: set up: bad config") {
		t.Errorf("%q", told)
	}
}

// TestALongBacktrace: all of it is kept, a line shows some.
func TestALongBacktrace(t *testing.T) {
	m := asm.New()
	m.Memory(1, 0)
	const deep = 20
	var names []string
	for i := range deep {
		body := asm.Op(asm.Unreachable)
		if i > 0 {
			body = asm.Call(uint32(i - 1))
		}
		f := m.Func(none, none, none, body)
		if i == deep-1 {
			m.ExportFunc("f", f)
		}
		names = append(names, "(*T).f"+strings.Repeat("x", i))
	}
	m.FuncNames(names...)
	g, f := one(t, Default(), m, small)
	var trap *TrapError
	if err := g.Call(f, nil); !errors.As(err, &trap) {
		t.Fatal(err)
	}
	if !slices.Equal(trap.Backtrace, names) {
		t.Errorf("%q", trap.Backtrace)
	}
	if n := strings.Count(trap.Error(), " < "); n != shownMax-1 {
		t.Errorf("%d in %v", n, trap)
	}
}
