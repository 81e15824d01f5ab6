package link

import (
	"errors"
	"math/bits"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/hpmq/hpmq/host/wasm"
)

// The kinds of faults, as a seat counts them.
const (
	faultTrap = iota
	faultFuel
	faultDepth
	faultGarbage
	faultTooLarge
	faultAbsent
	faultOther
	faultKinds
)

// kindOf is the kind of a fault.
func kindOf(err error) int {
	switch {
	case errors.Is(err, wasm.ErrFuel):
		return faultFuel
	case errors.Is(err, wasm.ErrDepth):
		return faultDepth
	case errors.Is(err, ErrGarbage):
		return faultGarbage
	case errors.Is(err, errTooLarge):
		return faultTooLarge
	case errors.Is(err, wasm.ErrTrap):
		return faultTrap
	}
	return faultOther
}

// Faults are questions that the fault policy had to answer, by what went wrong.
type Faults struct {
	// Trap, Fuel, Depth: the guest trapped, used up its budget, nested its calls too deep.
	Trap, Fuel, Depth uint64
	// Garbage is an answer that breaks the contract.
	Garbage uint64
	// TooLarge is a message that is not shown to guests.
	TooLarge uint64
	// Absent is a question while no guest was ready: after a fault, or with the breaker open.
	Absent uint64
	Other  uint64
}

func (f *Faults) of(kind int) *uint64 {
	return [faultKinds]*uint64{
		&f.Trap, &f.Fuel, &f.Depth, &f.Garbage, &f.TooLarge, &f.Absent, &f.Other,
	}[kind]
}

// Sum is all of them.
func (f Faults) Sum() (n uint64) {
	for k := range faultKinds {
		n += *f.of(k)
	}
	return n
}

// Vitals are what a component did. The difference of two tells of the time between them.
type Vitals struct {
	// Calls are the questions that a guest was asked; what is answered by an answer that still
	// holds is none.
	Calls uint64
	// Refused are the answers that let something not through: a denial, a drop, a repetition.
	Refused uint64
	Faults  Faults
	// Latency is of the calls that were measured, failed ones too: all at first, but for the first
	// one of each guest, then some. Calls
	// of an active version are measured beside a shadow or canary, those of a candidate in a
	// canary.
	Latency Latency
	// Fuel is what those calls spent. Unlike time it does not depend on what else the machine does.
	Fuel uint64
}

// Questions are all that a guest was to answer.
func (v *Vitals) Questions() uint64 { return v.Calls + v.Faults.Absent + v.Faults.TooLarge }

// FaultRate is the share of the questions that failed, 0 to 1.
func (v *Vitals) FaultRate() float64 { return share(v.Faults.Sum(), v.Questions()) }

func share(n, of uint64) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

// Sub is what happened since other, an earlier value of the same component.
func (v Vitals) Sub(other Vitals) Vitals {
	v.combine(&other, func(a, b uint64) uint64 { return a - b })
	return v
}

// Add adds what another component did.
func (v *Vitals) Add(other *Vitals) {
	v.combine(other, func(a, b uint64) uint64 { return a + b })
}

func (v *Vitals) combine(other *Vitals, op func(a, b uint64) uint64) {
	v.Calls, v.Refused = op(v.Calls, other.Calls), op(v.Refused, other.Refused)
	for k := range faultKinds {
		n := v.Faults.of(k)
		*n = op(*n, *other.Faults.of(k))
	}
	v.Fuel = op(v.Fuel, other.Fuel)
	for i := range v.Latency.counts {
		n := &v.Latency.counts[i]
		*n = op(*n, other.Latency.counts[i])
	}
}

// latencyOctave is how many steps a histogram has from one power of two to the next, and
// latencyBuckets all of them: from a nanosecond to a minute.
const (
	latencyOctave  = 4
	latencyBuckets = 36 * latencyOctave
)

// Latency is a histogram of how long answers took.
type Latency struct{ counts [latencyBuckets]uint64 }

// bucketOf is where a time of ns nanoseconds is counted.
func bucketOf(ns int64) int {
	n := uint64(max(ns, latencyOctave))
	exp := bits.Len64(n) - 1
	return min(exp*latencyOctave+int(n>>(exp-2))&(latencyOctave-1), latencyBuckets-1)
}

// bucketEnd is the time that bucket i ends before.
func bucketEnd(i int) time.Duration {
	exp, step := i/latencyOctave, i%latencyOctave
	return time.Duration(latencyOctave+step+1) << exp / latencyOctave
}

// Count is how many were measured.
func (l *Latency) Count() (n uint64) {
	for _, c := range l.counts {
		n += c
	}
	return n
}

// Each hands out how many took less than upTo, and no less than the one before: all steps of the
// histogram, the same each time.
func (l *Latency) Each(f func(upTo time.Duration, n uint64)) {
	for i, n := range l.counts {
		f(bucketEnd(i), n)
	}
}

// Quantile is the time that a share q of them stayed below, 0 to 1, at most a quarter too high; 0
// if none was measured.
func (l *Latency) Quantile(q float64) time.Duration {
	all := l.Count()
	if all == 0 {
		return 0
	}
	left := uint64(q * float64(all))
	for i, c := range l.counts {
		if left < c {
			return bucketEnd(i)
		}
		left -= c
	}
	return l.Max()
}

// Max is the longest, at most a quarter too high.
func (l *Latency) Max() time.Duration {
	for i := latencyBuckets - 1; i >= 0; i-- {
		if l.counts[i] > 0 {
			return bucketEnd(i)
		}
	}
	return 0
}

// gauge measures the time of the questions of one seat, whose user alone begins and ends.
type gauge struct {
	epoch  time.Time
	seen   uint64
	began  time.Duration // 0: this one is not measured
	shadow *shadow       // compares some of the answers; nil for none
	drawn  bool          // the one at hand among them
	stirs  chan struct{} // see Plan.Stirred; nil beside a shadow
	counts [latencyBuckets]atomic.Uint64
	fuel   atomic.Uint64
	// fresh of the next questions are measured, whatever came before.
	fresh atomic.Int64
}

// measuredFirst questions are all measured, then one of measuredOf and measuredAnew after each look
// at the health: two looks at the clock take 90 ns, a cheap guest 600, and measuring is to cost
// less than 1 %. Where little is asked nearly all is measured, so that a change shows soon.
const measuredFirst, measuredOf, measuredAnew = 1024, 32, 64

// stirringFirst calls of each seat are told of one by one, as is each fault.
const stirringFirst = 64

// stir says that there is something to look at. It does not block.
func (g *gauge) stir() {
	select {
	case g.stirs <- struct{}{}:
	default:
	}
}

// draws says whether the shadow is to be asked the next question. Drawn, not counted: every other
// one may be that of the same client.
func (g *gauge) draws() bool {
	return g.shadow != nil && rand.Float64() < g.shadow.of.sample
}

func (g *gauge) begin(in *instance) {
	g.drawn = g.draws()
	if g.drawn && in.entry.usesHistory && g.shadow.past != nil {
		in.past = new(past)
	}
	if !in.warm { // a component that makes things when it is first asked is no slow one
		g.began = 0
		return
	}
	g.seen++
	if g.seen > measuredFirst && g.seen%measuredOf != 0 {
		if g.fresh.Load() <= 0 {
			g.began = 0
			return
		}
		g.fresh.Add(-1)
	}
	g.began = max(time.Since(g.epoch), 1)
}

func (g *gauge) end(in *instance) *shadow {
	if g.began != 0 {
		g.counts[bucketOf(int64(time.Since(g.epoch)-g.began))].Add(1)
		g.fuel.Add(in.guest.Fuel())
		g.began = 0
	}
	if g.seen <= stirringFirst {
		g.stir()
	}
	if !g.drawn {
		return nil
	}
	g.drawn = false
	return g.shadow
}

// watch looks at an entry; nil for none. Under the plan's mu.
type watch struct {
	entry  *entry
	before Vitals
	past   Latency // of gauges of before
	spent  uint64  // of those gauges
	stirs  chan struct{}
	gauges []*gauge
}

func newWatch(e *entry) *watch {
	if e == nil {
		return nil
	}
	return &watch{entry: e, before: e.vitals()}
}

// measure begins to look at the clock; sh, which may be nil, compares some of the answers.
func (w *watch) measure(sh *shadow) {
	if w == nil {
		return
	}
	w.stop()
	for i := range w.entry.seats {
		g := &gauge{epoch: time.Now(), shadow: sh, stirs: w.stirs}
		w.gauges = append(w.gauges, g)
		w.entry.seats[i].gauge.Store(g)
	}
}

// stop ends the measuring of time; what was measured stays.
func (w *watch) stop() {
	if w == nil || w.gauges == nil {
		return
	}
	for i := range w.entry.seats {
		w.entry.seats[i].gauge.Store(nil)
	}
	w.past, w.spent, w.gauges = w.latency(), w.fuel(), nil
}

func (w *watch) fuel() uint64 {
	n := w.spent
	for _, g := range w.gauges {
		n += g.fuel.Load()
	}
	return n
}

func (w *watch) latency() Latency {
	l := w.past
	for _, g := range w.gauges {
		g.fresh.Store(measuredAnew)
		for i := range g.counts {
			l.counts[i] += g.counts[i].Load()
		}
	}
	return l
}

// vitals are those since newWatch.
func (w *watch) vitals() Vitals {
	if w == nil {
		return Vitals{}
	}
	v := w.entry.vitals().Sub(w.before)
	v.Latency, v.Fuel = w.latency(), w.fuel()
	return v
}

// vitals are those since e was made, without times.
func (e *entry) vitals() (v Vitals) {
	for i := range e.seats {
		s := &e.seats[i]
		v.Calls += s.calls.Load()
		v.Refused += s.refused.Load()
		for k := range faultKinds {
			*v.Faults.of(k) += s.kinds[k].Load()
		}
	}
	return v
}
