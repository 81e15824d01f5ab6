package wasm

import "github.com/tetratelabs/wazero/experimental"

// linear allocates the memories of one guest, with a hard cap on all of them together: growing
// beyond it answers -1 to the guest. What the memories start with is put aside for them.
type linear struct {
	growth   uint64 // bytes that they may grow by
	refused  bool   // more was asked for than that, in the call at hand
	memories []experimental.LinearMemory
}

// Allocate reserves the room at once; the engine frees it when the instance is closed. low is what
// the memory starts with.
func (l *linear) Allocate(low, most uint64) experimental.LinearMemory {
	m := reserve(min(most, low+l.growth))
	l.memories = append(l.memories, m)
	return &capped{LinearMemory: m, all: l, size: low}
}

// free is for memories whose instance did not come to life; the others' may be freed twice.
func (l *linear) free() {
	for _, m := range l.memories {
		m.Free()
	}
}

// capped is one of them.
type capped struct {
	experimental.LinearMemory
	all  *linear
	size uint64
}

// Reallocate answers nil beyond the cap.
func (c *capped) Reallocate(size uint64) []byte {
	more := max(size, c.size) - c.size
	if more > c.all.growth {
		c.all.refused = true
		return nil
	}
	b := c.LinearMemory.Reallocate(size)
	if b != nil {
		c.all.growth -= more
		c.size += more
	}
	return b
}
