//go:build unix

package storm

import (
	"fmt"
	"runtime"
	"time"

	"github.com/hpmq/hpmq/conformance/load"
)

const (
	rateMax  = 50_000
	rateMin  = 500
	shareMax = 0.70 // of the machine, for broker and clients together
	trialFor = 4 * time.Second
	trials   = 12
	heldMin  = 0.98 // of the messages that a rate means
)

// pace lets all publishers together say so many messages a second.
func (y *yard) pace(rate int) {
	y.rate.Store(int64(rate / len(y.pacers)))
}

// trial is what a rate takes.
type trial struct {
	rate        int
	broker, own float64 // cores
	share       float64 // of the machine
	held        bool    // it was sent, and it arrived
}

func (t trial) String() string {
	return fmt.Sprintf("%d msg/s: broker %.2f cores, clients %.2f, %.0f %% of the machine, "+
		"held: %v", t.rate, t.broker, t.own, t.share*100, t.held)
}

// try lets a rate go for a moment, when what a higher one left has arrived.
func (y *yard) try(rate int) trial {
	y.Helper()
	y.pace(0)
	for end := time.Now().Add(patience); y.behind() > 0; {
		if y.wait(10 * time.Millisecond); time.Now().After(end) {
			y.Fatalf("%d messages never arrived\n%s", y.behind(), y.broker.Log())
		}
	}
	y.pace(rate)
	y.wait(time.Second)
	before, sent, began := load.Used(y.broker.PID()), y.sent.Load(), time.Now()
	behind := y.behind()
	y.wait(trialFor)
	after, seconds := load.Used(y.broker.PID()), time.Since(began).Seconds()
	t := trial{rate: rate, broker: (after.Broker - before.Broker) / seconds,
		own: (after.Own - before.Own) / seconds}
	t.share = (t.broker + t.own) / float64(runtime.NumCPU())
	t.held = float64(y.sent.Load()-sent) >= heldMin*float64(rate)*seconds &&
		y.behind() < behind+int64(rate)/2
	return t
}

// behind is how many messages are on their way.
func (y *yard) behind() int64 {
	n := y.sent.Load()
	for _, r := range y.receivers {
		n -= int64(r.arrived.Load())
	}
	return n
}

// search finds the highest rate that takes at most shareMax of the machine, and says what decided.
func (y *yard) search() (best trial, why string) {
	best, top, starved := trial{}, rateMax+1, false
	rate := 4 * rateMin
	for range trials {
		t := y.try(rate)
		y.Log(t)
		if t.held && t.share <= shareMax && t.rate > best.rate {
			best = t
		} else if t.rate > best.rate {
			starved = t.rate < top && t.share <= shareMax || t.rate >= top && starved
			top = min(top, t.rate)
		}
		next := float64(t.rate) * shareMax / max(t.share, 0.01)
		if !t.held {
			next = min(next, float64(t.rate)*0.7)
		}
		rate = min(max(int(next), rateMin), 2*t.rate, rateMax)
		if rate >= top || rate <= best.rate {
			rate = (best.rate + top) / 2
		}
		if best.rate == rateMax || top-best.rate <= top/25 {
			break
		}
	}
	switch {
	case best.rate == rateMax:
		why = "the goal"
	case best.rate == 0:
		best, why = y.try(rateMin), "the lowest that is tried: the machine holds none"
	case starved:
		why = "what arrives in time: others left no more of the machine"
	default:
		why = "70 % of the machine's CPU"
	}
	return best, why
}
