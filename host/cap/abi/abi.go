// Package abi knows how a host function reads its arguments from a guest's memory and leaves its
// results there, as the canonical ABI says: strings and lists as address and length, results that
// do not fit one flat value through a return address. It does not know any interface.
//
// A guest that passes an address outside its memory, or text that is not in its encoding, is
// trapped: the functions here do not return then. What they copy or look through is paid for by the
// guest's fuel.
package abi

import (
	"encoding/binary"
	"fmt"

	"github.com/hpmq/hpmq/host/wasm"
)

// bytesPerFuel is how much the host looks at or copies in the time of one instruction.
const bytesPerFuel = 8

// Bytes lifts a list<u8>. The view is the guest's memory: it holds until the guest runs again.
func Bytes(g *wasm.Guest, ptr, n uint64) []byte {
	if uint32(n) == 0 {
		return nil
	}
	b, ok := g.Memory().Read(uint32(ptr), uint32(n))
	if !ok {
		g.Trap(fmt.Sprintf("list of %d bytes at %d is outside the memory", uint32(n), uint32(ptr)))
	}
	g.Charge(uint64(uint32(n)) / bytesPerFuel)
	return b
}

// Area is the n bytes at a return address, aligned as the ABI wants them.
func Area(g *wasm.Guest, ptr uint64, n, align uint32) []byte {
	p := uint32(ptr)
	b, ok := g.Memory().Read(p, n)
	if !ok || p%align != 0 {
		g.Trap(fmt.Sprintf("return area at %d is outside the memory or not aligned", p))
	}
	return b
}

// PutList copies b to the guest and leaves address and length at ptr. The guest runs in it (its
// cabi_realloc), so no view taken before holds after.
func PutList(g *wasm.Guest, ptr uint64, b []byte) {
	at := place(g, b, 1)
	area := Area(g, ptr, 8, 4)
	PutUint32(area, at)
	PutUint32(area[4:], uint32(len(b)))
}

// PutOption leaves an option<list<u8>> at ptr: some(b) when ok, none when not.
func PutOption(g *wasm.Guest, ptr uint64, b []byte, ok bool) {
	area := Area(g, ptr, 12, 4)
	if !ok {
		area[0] = 0
		return
	}
	area[0] = 1
	PutList(g, uint64(uint32(ptr)+4), b)
}

// PutUint32 leaves a number at the start of b.
func PutUint32(b []byte, v uint32) { binary.LittleEndian.PutUint32(b, v) }
