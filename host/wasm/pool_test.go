package wasm

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hpmq/hpmq/host/wasm/asm"
)

// mortal exports f, which traps unless its argument is 0, and loop, which never ends.
func mortal() *asm.Module {
	m := asm.New()
	m.ExportFunc("f", m.Func(i32, none, none,
		asm.LocalGet(0), asm.If(asm.Empty, asm.Op(asm.Unreachable))))
	m.ExportFunc("loop", m.Func(i32, none, none, forever))
	return m
}

// pooled is a pool with a clock of the test's.
type pooled struct {
	*Pool
	t      *testing.T
	now    time.Time
	broken atomic.Bool // setup fails
	setups atomic.Int64
}

func pool(t *testing.T, change func(c *PoolConfig)) *pooled {
	t.Helper()
	m := compile(t, open(t, Default()), mortal())
	p := &pooled{t: t, now: time.Unix(1000, 0)}
	cfg := DefaultPool()
	change(&cfg)
	var err error
	p.Pool, err = OpenPool(context.Background(), cfg, Builder{
		Module: m,
		Env:    func() any { return p },
		Setup: func(g *Guest) error {
			if g.Env() != p {
				t.Error("the guest has another env")
			}
			p.setups.Add(1)
			if p.broken.Load() {
				return errors.New("bad config")
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// kill makes the active guest trap and lets the pool see it.
func (p *pooled) kill() { p.t.Helper(); p.die("f", ErrTrap) }

// die makes the active guest die in a call of that export and lets the pool see it.
func (p *pooled) die(export string, cause error) {
	p.t.Helper()
	g, err := p.Guest(p.now)
	if err != nil {
		p.t.Fatal(err)
	}
	f, err := g.Func(export)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := g.Call(f, []uint64{1}); !errors.Is(err, cause) {
		p.t.Fatal(err)
	}
	p.Tick(p.now)
}

// until waits for what the pool's goroutine does; the clock stands.
func (p *pooled) until(what string, done func() bool) {
	p.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !done(); {
		if time.Now().After(deadline) {
			p.t.Fatalf("never: %s; %+v", what, p.Stats())
		}
		runtime.Gosched()
		p.Tick(p.now)
	}
}

func (p *pooled) spared(n int) func() bool { return func() bool { return len(p.spares) == n } }

func TestASpareTakesOverAtOnce(t *testing.T) {
	p := pool(t, func(c *PoolConfig) { c.SparesMax = 2 })
	first, _ := p.Guest(p.now)
	if again, _ := p.Guest(p.now); again != first {
		t.Error("the guest changes without need")
	}
	p.kill()
	second, err := p.Guest(p.now)
	if err != nil || second == first || second.Dead() {
		t.Fatalf("%v", err)
	}
	p.until("the spare is replaced", p.spared(2))
	s := p.Stats()
	if s.Deaths != 1 || s.Builds != 4 || s.Breaker != BreakerClosed || p.setups.Load() != 4 {
		t.Errorf("%+v, %d set up", s, p.setups.Load())
	}
}

func TestTheFirstGuestMustWork(t *testing.T) {
	e := open(t, Default())
	m := compile(t, e, mortal())
	n := 0
	setup := func(*Guest) error {
		if n++; n == 2 { // the first is closed again
			return errors.New("bad config")
		}
		return nil
	}
	_, err := OpenPool(context.Background(), DefaultPool(), Builder{Module: m, Setup: setup})
	if err == nil || err.Error() != "wasm: set up: bad config" {
		t.Errorf("%v", err)
	}
	if _, err := OpenPool(context.Background(), PoolConfig{}, Builder{Module: m}); err == nil {
		t.Error("an empty config is taken")
	}
}

func TestReplacementsAreRateLimited(t *testing.T) {
	p := pool(t, func(c *PoolConfig) { c.BuildsBurst, c.BuildsPerSecond, c.DeathsMax = 2, 1, 1000 })
	for range 2 {
		p.kill()
		p.until("a spare is built", p.spared(1))
	}
	p.kill() // the last spare takes over, none is ordered
	if _, err := p.Guest(p.now); err != nil || p.ordered != 0 {
		t.Fatalf("%v, %d ordered", err, p.ordered)
	}
	p.kill()
	if _, err := p.Guest(p.now); !errors.Is(err, ErrNotReady) || p.ordered != 0 {
		t.Fatalf("%v, %d ordered", err, p.ordered)
	}
	p.now = p.now.Add(time.Second)
	p.until("a second's worth is built", func() bool { g, _ := p.Guest(p.now); return g != nil })
	if s := p.Stats(); s.Builds != 5 || s.Deaths != 4 {
		t.Errorf("%+v", s)
	}
}

func TestAStormOpensTheBreaker(t *testing.T) {
	p := pool(t, func(c *PoolConfig) {
		c.DeathsMax, c.Window, c.CoolDown = 3, 10*time.Second, 5*time.Second
	})
	die := func() {
		t.Helper()
		p.kill()
		p.now = p.now.Add(time.Second)
	}
	state := func(want BreakerState) {
		t.Helper()
		p.Tick(p.now)
		if got := p.Stats().Breaker; got != want {
			t.Fatalf("breaker is %v, not %v", got, want)
		}
	}
	die()
	p.until("spare", p.spared(1))
	die()
	p.until("spare", p.spared(1))
	state(BreakerClosed)
	die()
	state(BreakerOpen)
	if _, err := p.Guest(p.now); !errors.Is(err, ErrBreakerOpen) {
		t.Fatalf("%v", err)
	}
	p.now = p.now.Add(4 * time.Second)
	state(BreakerHalfOpen)
	p.until("spare", p.spared(1))
	die() // one is enough now
	state(BreakerOpen)
	p.now = p.now.Add(5 * time.Second)
	if _, err := p.Guest(p.now); err != nil {
		t.Fatalf("half-open: %v", err)
	}
	p.now = p.now.Add(10 * time.Second)
	state(BreakerClosed)
}

// TestAKilledGuestIsReplacedAndCounted: one that answers garbage did not trap, and must go too.
func TestAKilledGuestIsReplacedAndCounted(t *testing.T) {
	p := pool(t, func(c *PoolConfig) { c.DeathsMax = 2 })
	for range 2 {
		g, err := p.Guest(p.now)
		if err != nil {
			t.Fatal(err)
		}
		f, err := g.Func("f")
		if err != nil {
			t.Fatal(err)
		}
		g.Kill("answered nonsense")
		g.Kill("again") // the first reason stays
		err = g.Call(f, []uint64{0})
		want := "wasm: call f: guest is dead: wasm: killed: answered nonsense"
		if !g.Dead() || !errors.Is(err, ErrDead) || !errors.Is(err, ErrKilled) ||
			err.Error() != want {
			t.Fatalf("%v", err)
		}
		p.Tick(p.now)
		p.until("spare or rest", func() bool { return len(p.spares) == 1 || p.ordered == 0 })
	}
	if s := p.Stats(); s.Deaths != 2 || s.Breaker != BreakerOpen {
		t.Errorf("%+v", s)
	}
}

// TestAFewFuelOutsAreAStorm: each costs the loop a whole budget.
func TestAFewFuelOutsAreAStorm(t *testing.T) {
	p := pool(t, func(c *PoolConfig) {
		c.DeathsMax, c.FuelDeathsMax, c.Limits.Fuel = 10, 3, 100_000
	})
	for i := range 3 {
		if s := p.Stats(); s.Breaker != BreakerClosed {
			t.Fatalf("open after %d", i)
		}
		p.until("spare", p.spared(1))
		p.die("loop", ErrFuel)
	}
	if s := p.Stats(); s.Breaker != BreakerOpen || s.Deaths != 3 {
		t.Errorf("%+v", s)
	}
}

func TestWeightsAddUp(t *testing.T) {
	for deaths := 1; deaths <= 12; deaths++ {
		for outs := 1; outs <= 12; outs++ {
			c := PoolConfig{DeathsMax: deaths, FuelDeathsMax: outs}
			w := c.weight(&TrapError{Cause: ErrFuel})
			if w < 1 || w*outs < deaths || c.weight(&TrapError{Cause: ErrTrap}) != 1 {
				t.Errorf("%d of %d deaths: weight %d", outs, deaths, w)
			}
		}
	}
}

// TestSetupHasABudgetOfItsOwn: reading a large configuration takes more than a message may.
func TestSetupHasABudgetOfItsOwn(t *testing.T) {
	m := asm.New()
	turns := []byte(nil)
	for range 200 {
		turns = append(turns, asm.Op(asm.Nop)...)
	}
	m.ExportFunc("f", m.Func(none, none, none, turns))
	mod := compile(t, open(t, Default()), m)
	call := func(g *Guest) error {
		f, err := g.Func("f")
		if err != nil {
			return err
		}
		return g.Call(f, nil)
	}
	cfg := DefaultPool()
	cfg.Limits = Limits{Fuel: 100, StartFuel: 1000}
	p, err := OpenPool(context.Background(), cfg, Builder{Module: mod, Setup: call})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	g, err := p.Guest(time.Unix(1000, 0))
	if err != nil {
		t.Fatal(err)
	}
	if err := call(g); !errors.Is(err, ErrFuel) {
		t.Errorf("a call after the setup: %v", err)
	}
	cfg.Limits.StartFuel = 100
	_, err = OpenPool(context.Background(), cfg, Builder{Module: mod, Setup: call})
	if !errors.Is(err, ErrFuel) {
		t.Errorf("a setup without end: %v", err)
	}
}

func TestDeathsFarApartAreNoStorm(t *testing.T) {
	p := pool(t, func(c *PoolConfig) { c.DeathsMax, c.Window = 2, time.Second })
	for range 5 {
		p.kill()
		p.now = p.now.Add(2 * time.Second)
		p.until("spare", p.spared(1))
	}
	if s := p.Stats(); s.Breaker != BreakerClosed || s.Deaths != 5 {
		t.Errorf("%+v", s)
	}
}

// TestABrokenReplacementIsAStorm: building over and over would burn a core.
func TestABrokenReplacementIsAStorm(t *testing.T) {
	p := pool(t, func(c *PoolConfig) { c.DeathsMax, c.BuildsBurst = 4, 100 })
	p.broken.Store(true)
	p.kill()
	p.until("the breaker opens", func() bool {
		return p.Stats().Breaker == BreakerOpen && p.ordered == 0
	})
	built := p.setups.Load()
	p.until("nothing more is built", func() bool { return p.ordered == 0 })
	if s := p.Stats(); s.Failed > 5 || p.setups.Load() != built {
		t.Errorf("%+v", s)
	}
	p.broken.Store(false)
	p.now = p.now.Add(DefaultPool().CoolDown)
	p.until("it heals", p.spared(1))
	if _, err := p.Guest(p.now); err != nil {
		t.Error(err)
	}
}

func TestNotReadySaysWhy(t *testing.T) {
	p := pool(t, func(c *PoolConfig) { c.DeathsMax = 100; c.BuildsBurst, c.BuildsPerSecond = 3, 1 })
	p.broken.Store(true)
	p.kill()
	p.kill()
	p.until("builds fail", func() bool { return p.Stats().Failed == 3 })
	_, err := p.Guest(p.now)
	want := "no guest is ready: wasm: set up: bad config"
	if !errors.Is(err, ErrNotReady) || err.Error() != want {
		t.Errorf("%v", err)
	}
}

func TestCloseDrains(t *testing.T) {
	p := pool(t, func(c *PoolConfig) { c.SparesMax = 3 })
	e := p.builder.Module.engine
	for range 3 {
		p.kill()
	}
	p.Close()
	if n := e.Guests(); n != 0 {
		t.Errorf("%d guests are left", n)
	}
	if _, err := p.Guest(p.now); !errors.Is(err, ErrClosed) {
		t.Errorf("%v", err)
	}
}

func TestGuestAllocatesNothing(t *testing.T) {
	p := pool(t, func(*PoolConfig) {})
	if n := testing.AllocsPerRun(100, func() {
		if _, err := p.Guest(p.now); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestBucketFillsWithTime(t *testing.T) {
	b := newBucket(2, 3)
	now := time.Unix(0, 0)
	take := func() (n int) {
		for b.take(now) {
			n++
		}
		return n
	}
	first := take()
	now = now.Add(time.Second)
	second := take()
	now = now.Add(time.Hour)
	third := take()
	now = now.Add(-time.Hour) // a clock that goes back gives nothing
	if fourth := take(); first != 3 || second != 2 || third != 3 || fourth != 0 {
		t.Errorf("%d, %d, %d, %d", first, second, third, fourth)
	}
}
