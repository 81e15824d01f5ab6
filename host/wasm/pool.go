package wasm

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// PoolConfig bounds how guests are replaced.
type PoolConfig struct {
	Limits Limits
	// SparesMax is how many warm guests wait behind the active one.
	SparesMax int
	// BuildsPerSecond and BuildsBurst bound how fast dead guests are replaced.
	BuildsPerSecond float64
	BuildsBurst     int
	// DeathsMax deaths within Window open the breaker; it half-opens after CoolDown, and closes
	// when Window has passed since without a death.
	DeathsMax int
	// FuelDeathsMax deaths of ErrFuel are enough: each has cost a whole budget of time.
	FuelDeathsMax int
	Window        time.Duration
	CoolDown      time.Duration
	// Breaker is that of all pools of one component; nil for one of its own. It has its numbers
	// from NewBreaker.
	Breaker *Breaker
}

// DefaultPool lets a poisonous message through now and then, and stops a storm within a second.
func DefaultPool() PoolConfig {
	return PoolConfig{
		SparesMax:       1,
		BuildsPerSecond: 10,
		BuildsBurst:     10,
		DeathsMax:       10,
		FuelDeathsMax:   3,
		Window:          10 * time.Second,
		CoolDown:        5 * time.Second,
	}
}

// Validate tells what is wrong.
func (c PoolConfig) Validate() error {
	if c.SparesMax < 1 || c.BuildsPerSecond <= 0 || c.BuildsBurst < 1 || c.DeathsMax < 1 ||
		c.FuelDeathsMax < 1 || c.Window <= 0 || c.CoolDown <= 0 {
		return fmt.Errorf("wasm: validate: every field of PoolConfig but Limits must be above 0")
	}
	return nil
}

// weight is what a death of that error counts: so much that FuelDeathsMax of ErrFuel make
// DeathsMax.
func (c PoolConfig) weight(end error) int {
	if errors.Is(end, ErrFuel) {
		return (c.DeathsMax + c.FuelDeathsMax - 1) / c.FuelDeathsMax
	}
	return 1
}

// Why a pool has no guest to give.
var (
	// ErrNotReady: the replacement of a dead guest is not built yet.
	ErrNotReady = errors.New("no guest is ready")
	// ErrBreakerOpen: guests died too fast.
	ErrBreakerOpen = errors.New("breaker is open")
	// ErrClosed: the pool is closed.
	ErrClosed = errors.New("pool is closed")
)

// Builder makes the guests of a pool. Both functions run off the loop, one at a time, before the
// guest is given to the loop.
type Builder struct {
	Module *Module
	// Env makes the env of a new guest; nil for none.
	Env func() any
	// Setup configures a new guest; an error means that it cannot be used. nil for none. Each of
	// its calls may spend Limits.StartFuel.
	Setup func(g *Guest) error
	// Failed is told on the loop why a guest could not be made in the place of a dead one. nil for
	// nobody.
	Failed func(err error)
}

func (b Builder) build(ctx context.Context, l Limits) (*Guest, error) {
	var env any
	if b.Env != nil {
		env = b.Env()
	}
	g, err := b.Module.Instantiate(ctx, env, l)
	if err != nil {
		return nil, err
	}
	if b.Setup == nil {
		return g, nil
	}
	g.perCall = g.limits.StartFuel
	if err := b.Setup(g); err != nil {
		g.Close()
		return nil, fmt.Errorf("wasm: set up: %w", err)
	}
	g.perCall, g.armed = g.limits.Fuel, false
	return g, nil
}

// PoolStats is a pool as seen from outside.
type PoolStats struct {
	Breaker BreakerState
	Deaths  uint64 // guests that trapped
	Builds  uint64 // guests that were made, the first ones included
	Failed  uint64 // guests that could not be made
}

// Pool keeps one active guest and warm spares for one loop. Guest, Tick and Retire belong to the
// loop's goroutine and never block; Stats may be called by all. One goroutine of the pool's own
// builds and closes guests; it owns a guest until it is in ready, and again once it is in
// graveyard. All decisions that depend on time are made in Guest and Tick, by the time they are
// given.
type Pool struct {
	cfg     PoolConfig
	builder Builder

	active  *Guest
	spares  []*Guest
	ordered int // builds under way
	bucket  bucket
	breaker *Breaker
	retired bool
	// notReady is ErrNotReady, with the error of the last build if that failed.
	notReady error

	// Neither channel blocks its sender: no more guests exist than they have room for, except that
	// a full graveyard makes the loop close the guest itself.
	orders    chan struct{}
	ready     chan built
	graveyard chan *Guest
	stop      context.CancelFunc
	done      chan struct{}

	deaths, builds, failed atomic.Uint64
}

type built struct {
	guest *Guest
	err   error
}

// OpenPool builds the active guest and its spares, so that a module that cannot start or be set up
// is refused here with its own error, then starts the pool's goroutine. It blocks for as long as
// that takes.
func OpenPool(ctx context.Context, cfg PoolConfig, b Builder) (*Pool, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	p := &Pool{
		cfg: cfg, builder: b, notReady: ErrNotReady,
		bucket:    newBucket(cfg.BuildsPerSecond, cfg.BuildsBurst),
		breaker:   cfg.Breaker,
		orders:    make(chan struct{}, cfg.SparesMax+1),
		ready:     make(chan built, cfg.SparesMax+1),
		graveyard: make(chan *Guest, 2*(cfg.SparesMax+1)),
		done:      make(chan struct{}),
	}
	if p.breaker == nil {
		p.breaker = NewBreaker(cfg)
	}
	for range cfg.SparesMax + 1 {
		g, err := b.build(ctx, cfg.Limits)
		if err != nil {
			p.closeAll()
			return nil, err
		}
		p.spares = append(p.spares, g)
		p.builds.Add(1)
	}
	p.promote()
	run, stop := context.WithCancel(context.Background())
	p.stop = stop
	go p.run(run)
	return p, nil
}

// run builds to order until the loop retires the pool, then closes what is left.
func (p *Pool) run(ctx context.Context) {
	defer close(p.done)
	for {
		select {
		case <-ctx.Done():
			p.closeLeft()
			return
		case g := <-p.graveyard:
			g.Close()
		case <-p.orders:
			p.closeDead() // never more are alive than SparesMax and one
			g, err := p.builder.build(ctx, p.cfg.Limits)
			p.ready <- built{guest: g, err: err}
		}
	}
}

func (p *Pool) closeDead() {
	for {
		select {
		case g := <-p.graveyard:
			g.Close()
		default:
			return
		}
	}
}

// closeLeft runs when the loop has let go of the pool: it sends no more.
func (p *Pool) closeLeft() {
	for {
		select {
		case g := <-p.graveyard:
			g.Close()
		case b := <-p.ready:
			if b.guest != nil {
				b.guest.Close()
			}
		default:
			return
		}
	}
}

// Guest gives the active guest, or why there is none: ErrNotReady (with the error of the last
// failed build), ErrBreakerOpen, ErrClosed. The guest stays the pool's; a caller that sees it die
// just asks again, and gets the next spare. 0 allocations while the guest lives.
func (p *Pool) Guest(now time.Time) (*Guest, error) {
	if p.active == nil || p.active.dead || len(p.spares)+p.ordered < p.cfg.SparesMax ||
		p.ordered > 0 || p.breaker.was() != BreakerClosed {
		p.Tick(now)
	}
	switch {
	case p.retired:
		return nil, ErrClosed
	case p.breaker.was() == BreakerOpen:
		return nil, ErrBreakerOpen
	case p.active == nil:
		return nil, p.notReady
	}
	return p.active, nil
}

// Tick lets time pass: it takes in guests that were built, replaces a dead one, orders spares as
// far as the rate allows, and moves the breaker.
func (p *Pool) Tick(now time.Time) {
	if p.retired {
		return
	}
	p.receive(now)
	if p.active != nil && p.active.dead {
		p.deaths.Add(1)
		p.breaker.death(now, p.cfg.weight(p.active.end))
		p.bury(p.active)
		p.active = nil
	}
	if p.active == nil {
		p.promote()
	}
	p.order(now)
	p.breaker.at(now)
}

// receive takes in what was built. A failed build counts as a death: it is a trap storm as well.
func (p *Pool) receive(now time.Time) {
	for p.ordered > 0 {
		select {
		case b := <-p.ready:
			p.ordered--
			if b.err != nil {
				p.miss(now, b.err)
				continue
			}
			p.notReady = ErrNotReady
			p.builds.Add(1)
			p.spares = append(p.spares, b.guest)
		default:
			return
		}
	}
}

// miss notes that a guest could not be made.
func (p *Pool) miss(now time.Time, err error) {
	p.notReady = fmt.Errorf("%w: %w", ErrNotReady, err)
	p.failed.Add(1)
	p.breaker.death(now, p.cfg.weight(err))
	if p.builder.Failed != nil {
		p.builder.Failed(err)
	}
}

func (p *Pool) promote() {
	if len(p.spares) == 0 {
		return
	}
	p.active = p.spares[0]
	p.spares = append(p.spares[:0], p.spares[1:]...)
}

// order asks for what is missing, but not while the breaker is open: a module that cannot start
// burns a core in each try.
func (p *Pool) order(now time.Time) {
	if p.breaker.at(now) == BreakerOpen {
		return
	}
	want := p.cfg.SparesMax + 1
	have := len(p.spares) + p.ordered
	if p.active != nil {
		have++
	}
	for ; have < want && p.bucket.take(now); have++ {
		p.ordered++
		p.orders <- struct{}{}
	}
}

// bury hands a guest over to be closed, for that is a system call.
func (p *Pool) bury(g *Guest) {
	select {
	case p.graveyard <- g:
	default:
		g.Close()
	}
}

// Stats may be called from any goroutine.
func (p *Pool) Stats() PoolStats {
	return PoolStats{
		Breaker: p.breaker.was(), Deaths: p.deaths.Load(),
		Builds: p.builds.Load(), Failed: p.failed.Load(),
	}
}

// Retire ends the pool from its loop, without blocking: its guests are closed in the background,
// and Guest answers ErrClosed from now on.
func (p *Pool) Retire() {
	if p.retired {
		return
	}
	p.retired = true
	if p.active != nil {
		p.bury(p.active)
	}
	for _, g := range p.spares {
		p.bury(g)
	}
	p.active, p.spares = nil, nil
	p.stop()
}

// Done is closed when a retired pool has closed its last guest.
func (p *Pool) Done() <-chan struct{} { return p.done }

// Close retires the pool and waits until its last guest is closed: for as long as one build takes.
// Only the loop may call it, or anybody when the loop has stopped.
func (p *Pool) Close() {
	p.Retire()
	<-p.done
}

// closeAll is for a pool that never ran.
func (p *Pool) closeAll() {
	for _, g := range p.spares {
		g.Close()
	}
}
