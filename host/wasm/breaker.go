package wasm

import (
	"sync"
	"sync/atomic"
	"time"
)

// BreakerState says whether a pool lets its guests be called.
type BreakerState uint32

// A breaker is closed until deaths come too fast, open for the cool-down, and half open until a
// window has passed without a death.
const (
	BreakerClosed BreakerState = iota
	BreakerOpen
	BreakerHalfOpen
)

func (s BreakerState) String() string {
	return [...]string{"closed", "open", "half-open"}[s]
}

// Breaker stands before all guests of one component: before all pools that are opened with it. All
// methods may be called from any goroutine.
type Breaker struct {
	// state is that of inner as it was last looked at, to be read without mu.
	state atomic.Uint32
	mu    sync.Mutex
	inner breaker
	// last is the latest time given: the clocks of several loops are not one.
	last time.Time
}

// NewBreaker makes one that is closed.
func NewBreaker(cfg PoolConfig) *Breaker {
	return &Breaker{inner: newBreaker(cfg.DeathsMax, cfg.Window, cfg.CoolDown)}
}

// BreakerView is a breaker as seen from outside.
type BreakerView struct {
	State BreakerState
	// Since is when it came into that state, zero if it was never open; Opened is how often it
	// opened.
	Since  time.Time
	Opened uint64
}

// View moves the state on to that time and shows it.
func (b *Breaker) View(now time.Time) BreakerView {
	b.mu.Lock()
	defer b.mu.Unlock()
	return BreakerView{State: b.atLocked(now), Since: b.inner.since, Opened: b.inner.opened}
}

// was is the state as it was last looked at.
func (b *Breaker) was() BreakerState { return BreakerState(b.state.Load()) }

// at moves the state on and returns it.
func (b *Breaker) at(now time.Time) BreakerState {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.atLocked(now)
}

func (b *Breaker) atLocked(now time.Time) BreakerState {
	s := b.inner.at(b.forward(now))
	b.state.Store(uint32(s))
	return s
}

// death notes one that counts as weight of them.
func (b *Breaker) death(now time.Time, weight int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inner.death(b.forward(now), weight)
	b.state.Store(uint32(b.inner.state))
}

// forward is now, or the latest time given before.
func (b *Breaker) forward(now time.Time) time.Time {
	if now.After(b.last) {
		b.last = now
	}
	return b.last
}

// breaker counts deaths. Time is an argument and goes forward.
type breaker struct {
	deathsMax int
	window    time.Duration
	coolDown  time.Duration

	state  BreakerState
	since  time.Time   // of the state
	opened uint64      // how often
	deaths []time.Time // the newest deathsMax, as a ring
	next   int
	count  int
}

func newBreaker(deathsMax int, window, coolDown time.Duration) breaker {
	return breaker{
		deathsMax: deathsMax, window: window, coolDown: coolDown,
		deaths: make([]time.Time, deathsMax),
	}
}

// death notes one that counts as weight of them. One is enough to open a breaker that is half open.
func (b *breaker) death(now time.Time, weight int) {
	for range min(weight, b.deathsMax) {
		b.deaths[b.next] = now
		b.next = (b.next + 1) % b.deathsMax
		b.count = min(b.count+1, b.deathsMax)
	}
	oldest := b.deaths[b.next]
	storm := b.count == b.deathsMax && now.Sub(oldest) <= b.window
	if b.at(now) == BreakerHalfOpen || b.state == BreakerClosed && storm {
		b.set(BreakerOpen, now)
	}
}

// at moves the state on and returns it.
func (b *breaker) at(now time.Time) BreakerState {
	if b.state == BreakerOpen && now.Sub(b.since) >= b.coolDown {
		b.set(BreakerHalfOpen, now)
	}
	if b.state == BreakerHalfOpen && now.Sub(b.since) >= b.window {
		b.set(BreakerClosed, now)
	}
	return b.state
}

func (b *breaker) set(s BreakerState, now time.Time) {
	b.state, b.since = s, now
	b.count = 0
	if s == BreakerOpen {
		b.opened++
	}
}

// bucket lets a burst through and then so many a second.
type bucket struct {
	perSecond, burst float64
	level            float64
	last             time.Time
}

func newBucket(perSecond float64, burst int) bucket {
	return bucket{perSecond: perSecond, burst: float64(burst), level: float64(burst)}
}

// take takes one if there is one.
func (b *bucket) take(now time.Time) bool {
	if passed := now.Sub(b.last); !b.last.IsZero() && passed > 0 {
		b.level = min(b.burst, b.level+passed.Seconds()*b.perSecond)
	}
	b.last = now
	if b.level < 1 {
		return false
	}
	b.level--
	return true
}
