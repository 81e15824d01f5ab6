package wasm

import "github.com/tetratelabs/wazero/experimental"

// linear allocates one guest's memory, with a hard cap: growing beyond it answers -1 to the guest.
type linear struct {
	bytesMax uint64
	memory   experimental.LinearMemory
}

// Allocate reserves the room at once; the engine frees it when the instance is closed.
func (l *linear) Allocate(_, most uint64) experimental.LinearMemory {
	l.memory = reserve(min(most, l.bytesMax))
	return l.memory
}

// free is for an instance that did not come to life.
func (l *linear) free() {
	if l.memory != nil {
		l.memory.Free()
	}
}
