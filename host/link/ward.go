package link

import (
	"fmt"
	"sync"
)

// ward is what a listener keeps of its components for bad days: what they take of its budget and
// how they failed last. It is not asked while all is well.
type ward struct {
	mu       sync.Mutex
	taken    ration
	failures []*Failure
}

// ration is a part of a listener's budget.
type ration struct {
	guests int
	bytes  uint64
}

// appetite is how many guests e may have, and what their memories may take together.
func (e *entry) appetite() (guests int, bytes uint64) {
	guests = len(e.seats) * (e.linker.cfg.Pool.SparesMax + 1)
	return guests, uint64(guests) * e.memory()
}

// memory is what one guest of e may have.
func (e *entry) memory() uint64 {
	if most := e.limits.MemoryBytesMax; most != 0 {
		return uint64(most)
	}
	return uint64(e.linker.engine.MemoryBytesMax())
}

// budget takes what e may take of the listener's budget, or refuses. What e may take counts, not
// what it takes: so that it never meets the bound when it is linked, and others never by it.
func (b *build) budget(e *entry) error {
	guests, bytes := e.appetite()
	had, ok := e.ward.take(e, ration{guests, bytes})
	if ok {
		return nil
	}
	cfg := &b.l.cfg
	if most := cfg.ListenerGuestsMax; most > 0 && had.guests+guests > most {
		err := fmt.Errorf("it would have %d instances beside %d of other components, of a canary "+
			"and of what a rollback brings back; all of listener %s together may have %d",
			guests, had.guests, b.listener, most)
		return b.refuse(StepBudget, err, fmt.Sprintf("take components out of the listener, or "+
			"write wasm: {listener_guests_max: %d} into the configuration and restart the broker",
			had.guests+guests))
	}
	err := fmt.Errorf("its %d instances may take %s of memory beside %s of other components, of a "+
		"canary and of what a rollback brings back; all of listener %s together may take %s",
		guests, sizeText(bytes), sizeText(had.bytes), b.listener,
		sizeText(cfg.ListenerMemoryBytesMax))
	do := fmt.Sprintf("write wasm: {listener_memory_max: %s} into the configuration and restart "+
		"the broker", sizeText(had.bytes+bytes))
	if room := cfg.ListenerMemoryBytesMax - min(had.bytes, cfg.ListenerMemoryBytesMax); room >=
		uint64(guests)*pageBytes {
		each := room / uint64(guests) / pageBytes * pageBytes
		do = fmt.Sprintf("write memory: %s, or less, in its entry of the configuration, if it can "+
			"live with that; or %s", sizeText(each), do)
	}
	return b.refuse(StepBudget, err, do)
}

// pageBytes is the step of a memory.
const pageBytes = 64 << 10

// sizeText is a multiple of a page as the configuration has it.
func sizeText(n uint64) string {
	if n%(1<<20) == 0 {
		return fmt.Sprintf("%dMiB", n>>20)
	}
	return fmt.Sprintf("%dKiB", n>>10)
}

// take gives e that ration, or answers false. had is what others have.
func (w *ward) take(e *entry, s ration) (had ration, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	cfg := &e.linker.cfg
	had = w.taken
	guests, bytes := cfg.ListenerGuestsMax, cfg.ListenerMemoryBytesMax
	if guests > 0 && had.guests+s.guests > guests || bytes > 0 && had.bytes+s.bytes > bytes {
		return had, false
	}
	w.taken = ration{had.guests + s.guests, had.bytes + s.bytes}
	e.ration = s
	return had, true
}

// give takes back what e has, once: from when nobody asks it any more.
func (w *ward) give(e *entry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.taken.guests -= e.ration.guests
	w.taken.bytes -= e.ration.bytes
	e.ration = ration{}
}
