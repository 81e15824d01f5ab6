package shard

import (
	"errors"
	"fmt"
	"time"
)

// Halt calls f while every loop stands still between two turns, and nothing that one kernel sent to
// another is on its way: all was delivered. If they do not all come to that within a time, f is not
// called. One Halt waits for the other. It must not be called from a loop.
func (s *Shards) Halt(within time.Duration, f func()) error {
	s.halting.Lock()
	defer s.halting.Unlock()
	h := halt{shards: s, came: make(chan bool, len(s.shards))}
	defer h.goOn()
	late := time.NewTimer(within)
	defer late.Stop()
	if err := h.stop(); err != nil {
		return err
	}
	for waits := len(s.shards); waits > 0; waits = h.deliver() {
		if err := h.arrived(waits, within, late.C); err != nil {
			return err
		}
	}
	f()
	return nil
}

// halt is loops that stand still.
type halt struct {
	shards *Shards
	came   chan bool // a loop stands; false: it does not any more
	orders []chan struct{}
}

// stop has each loop stand after the turn it is in.
func (h *halt) stop() error {
	for i, sh := range h.shards.shards {
		order := make(chan struct{}, 1)
		h.orders = append(h.orders, order)
		stand := func(now int64) {
			h.came <- true
			for range order {
				h.answer(sh, now)
			}
		}
		if !h.shards.gate.Do(i, stand) {
			return ErrClosed
		}
	}
	return nil
}

// arrived waits for that many loops that stand, until late.
func (h *halt) arrived(n int, within time.Duration, late <-chan time.Time) error {
	for range n {
		select {
		case ok := <-h.came:
			if !ok {
				return errors.New("shard: halt: a kernel panicked at what was sent to it")
			}
		case <-h.shards.done:
			return ErrClosed
		case <-late:
			return fmt.Errorf("shard: halt: a loop was busy for %s", within)
		}
	}
	return nil
}

// answer has the kernel of a loop that stands work off what waits for it. If it panics at that, the
// gate hears of it as of any other turn, and the loop goes on.
func (h *halt) answer(sh *shard, now int64) {
	done := false
	defer func() { h.came <- done }()
	sh.deliver(now)
	done = true
}

// deliver orders all that something waits for to work it off, and says how many they are. All
// stand. What they send each other meanwhile waits for the next round.
func (h *halt) deliver() (ordered int) {
	for i, sh := range h.shards.shards {
		if sh.box.waiting() > 0 {
			h.orders[i] <- struct{}{}
			ordered++
		}
	}
	return ordered
}

func (h *halt) goOn() {
	for _, order := range h.orders {
		close(order)
	}
}
