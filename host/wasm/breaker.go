package wasm

import "time"

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

// breaker counts deaths. Time is an argument and goes forward.
type breaker struct {
	deathsMax int
	window    time.Duration
	coolDown  time.Duration

	state  BreakerState
	since  time.Time   // of the state
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
