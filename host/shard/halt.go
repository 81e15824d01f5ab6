package shard

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// Halt calls f while every loop stands still between two turns, and nothing that one kernel sent to
// another is on its way: all was delivered. It answers for how long the first of them stood, also
// with an error. If they do not all come to that within a time, f is not called. f runs on a loop,
// the last that came, so that nobody has to be woken before the others go on. One Halt waits for
// the other. It must not be called from a loop.
func (s *Shards) Halt(within time.Duration, f func()) (stood time.Duration, err error) {
	s.halting.Lock()
	defer s.halting.Unlock()
	h := &halt{shards: s, f: f, asked: time.Now(), within: within, goOn: make(chan struct{})}
	h.away.Store(int32(len(s.shards)))
	late := time.NewTimer(within)
	defer late.Stop()
	for i := range s.shards {
		if !s.gate.DoFirst(i, h.stand) {
			h.abandon(ErrClosed)
			break
		}
	}
	select {
	case <-h.goOn:
	case <-s.done:
		h.abandon(ErrClosed)
	case <-late.C:
		h.abandon(fmt.Errorf("shard: halt: a loop was busy for %s", within))
	}
	<-h.goOn
	return h.stood, h.err
}

// spinning is for how long a loop that stands looks whether it may go on before it sleeps. To wake
// it takes longer than the others take to come, but for those that are in a long turn.
const spinning = 100 * time.Microsecond

// halt is loops that come to stand still. Who decides what becomes of it takes decided.
type halt struct {
	shards  *Shards
	f       func()
	asked   time.Time
	within  time.Duration
	away    atomic.Int32 // loops that have not come
	decided atomic.Bool
	over    atomic.Bool
	goOn    chan struct{} // closed when over
	first   atomic.Int64  // when the first came, nanoseconds after asked; 0 for not yet

	// Those of who decided, for others when goOn is closed.
	stood time.Duration
	err   error
}

// stand is the turn in which a loop stands still.
func (h *halt) stand(now int64) {
	began := time.Now()
	h.first.CompareAndSwap(0, max(1, int64(began.Sub(h.asked))))
	if h.away.Add(-1) == 0 {
		h.work(now)
		return
	}
	for time.Since(began) < spinning {
		if h.over.Load() {
			return
		}
	}
	<-h.goOn
}

// work is what the last that came does for all: their kernels are its own until they go on. If one
// of them panics, the gate hears of it as of any other turn.
func (h *halt) work(now int64) {
	if !h.decided.CompareAndSwap(false, true) {
		return // nobody waits any more
	}
	h.err = errors.New("shard: halt: a kernel panicked at what was sent to it")
	defer h.release()
	for h.deliver(now) {
		if time.Since(h.asked) > h.within {
			h.err = fmt.Errorf("shard: halt: what loops had for each other took longer than %s",
				h.within)
			return
		}
	}
	h.f()
	h.err = nil
}

// deliver has each kernel work off what waits for it, as long as there is time. It is false when
// nothing did.
func (h *halt) deliver(now int64) (some bool) {
	for _, sh := range h.shards.shards {
		if sh.box.waiting() > 0 {
			some = true
			sh.deliverUntil(now, h.asked.Add(h.within))
		}
	}
	return some
}

func (h *halt) release() {
	if first := h.first.Load(); first > 0 {
		h.stood = time.Since(h.asked) - time.Duration(first)
	}
	h.over.Store(true)
	close(h.goOn)
}

// abandon has those go on that came, unless all did.
func (h *halt) abandon(why error) {
	if h.decided.CompareAndSwap(false, true) {
		h.err = why
		h.release()
	}
}
