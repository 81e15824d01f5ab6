package abi

import "unsafe"

const (
	// arenaBytes is the first block: the arguments and the answer of a usual call.
	arenaBytes = 4 << 10
	// arenaKeptBytesMax is the largest block kept from one call to the next, so that a stream of
	// large payloads makes no garbage and a single huge one is given back.
	arenaKeptBytesMax = 256 << 10
)

// arena is memory that lives until the call it was taken for is over. The host takes from it
// through cabi_realloc before and during a call, the guest for its answer. The first block taken
// after a call has ended frees all of that call; until then the host may read the answer. So no
// cabi_post export is needed.
type arena struct {
	block []byte
	used  uintptr
	// full are the blocks that ran out in this call; they keep what was taken from them alive.
	full  [][]byte
	ended bool
}

// alloc gives size bytes aligned to align, a power of two.
func (a *arena) alloc(size, align uint32) unsafe.Pointer {
	if a.ended {
		a.reset()
	}
	if a.block == nil {
		a.grow(0)
	}
	off := a.offset(uintptr(align))
	if off+uintptr(size) > uintptr(len(a.block)) {
		a.grow(uintptr(size) + uintptr(align))
		off = a.offset(uintptr(align))
	}
	a.used = off + uintptr(size)
	return unsafe.Add(unsafe.Pointer(unsafe.SliceData(a.block)), off)
}

// offset is where in the block the next bytes with that alignment are.
func (a *arena) offset(align uintptr) uintptr {
	base := uintptr(unsafe.Pointer(unsafe.SliceData(a.block)))
	return (base+a.used+align-1)&^(align-1) - base
}

// realloc gives size bytes that start with the first bytes of old.
func (a *arena) realloc(old unsafe.Pointer, oldSize, align, size uint32) unsafe.Pointer {
	p := a.alloc(size, align)
	if old != nil && oldSize > 0 {
		copy(unsafe.Slice((*byte)(p), size), unsafe.Slice((*byte)(old), oldSize))
	}
	return p
}

func (a *arena) grow(need uintptr) {
	size := max(uintptr(arenaBytes), 2*uintptr(len(a.block)))
	for size < need {
		size *= 2
	}
	if a.block != nil {
		a.full = append(a.full, a.block)
	}
	a.block = make([]byte, size)
	a.used = 0
}

func (a *arena) reset() {
	clear(a.full)
	a.full = a.full[:0]
	if len(a.block) > arenaKeptBytesMax {
		a.block = nil
	}
	a.used = 0
	a.ended = false
}
