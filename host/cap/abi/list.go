package abi

import (
	"encoding/binary"
	"fmt"

	"github.com/hpmq/hpmq/host/wasm"
)

// Types are core types by letters: i for I32, I for I64, f for F32, F for F64.
func Types(letters string) []wasm.ValueType {
	types := make([]wasm.ValueType, len(letters))
	for i, c := range []byte(letters) {
		switch c {
		case 'i':
			types[i] = wasm.I32
		case 'I':
			types[i] = wasm.I64
		case 'f':
			types[i] = wasm.F32
		case 'F':
			types[i] = wasm.F64
		default:
			panic("abi: unknown type " + letters)
		}
	}
	return types
}

// Layout is how an element of a list lies in memory, in bytes.
type Layout struct{ Size, Align uint32 }

// Elements lifts a list of n elements as the bytes they are: a view with the life of Bytes.
func Elements(g *wasm.Guest, ptr, n uint64, l Layout) []byte {
	at, size := uint32(ptr), uint64(uint32(n))*uint64(l.Size)
	if size > uint64(g.Memory().Size()) || at%l.Align != 0 {
		g.Trap(fmt.Sprintf("list of %d elements at %d is outside the memory or not aligned",
			uint32(n), at))
	}
	return Bytes(g, ptr, size)
}

// PutElements copies a list to the guest, of elements that are bytes in b, and leaves address and
// number at ptr. The guest runs in it, as in PutList.
func PutElements(g *wasm.Guest, ptr uint64, b []byte, l Layout) {
	at := place(g, b, l.Align)
	area := Area(g, ptr, 8, 4)
	PutUint32(area, at)
	PutUint32(area[4:], uint32(len(b))/l.Size)
}

// place copies b to new memory of the guest.
func place(g *wasm.Guest, b []byte, align uint32) uint32 {
	if len(b) == 0 {
		return 0
	}
	at, err := g.Alloc(uint32(len(b)), align)
	if err != nil {
		g.Trap(err.Error()) // a guest without cabi_realloc
	}
	g.Charge(uint64(len(b)) / bytesPerFuel)
	g.Memory().Write(at, b)
	return at
}

// AppendList copies list to the guest and appends its address and length to b: an element of a
// list of lists on its way.
func AppendList(g *wasm.Guest, b, list []byte) []byte {
	at := place(g, list, 1)
	return AppendUint32(AppendUint32(b, at), uint32(len(list)))
}

// Case lifts the case of a variant, an enum or the like that has so many.
func Case(g *wasm.Guest, v uint64, cases uint32) uint32 {
	if uint32(v) >= cases {
		g.Trap(fmt.Sprintf("case %d of %d", uint32(v), cases))
	}
	return uint32(v)
}

// Bool lowers one.
func Bool(v bool) uint64 {
	if v {
		return 1
	}
	return 0
}

// Uint32 is the number at the start of b.
func Uint32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }

// AppendUint32 appends a number to b.
func AppendUint32(b []byte, v uint32) []byte { return binary.LittleEndian.AppendUint32(b, v) }

// PutUint64 leaves a number at the start of b.
func PutUint64(b []byte, v uint64) { binary.LittleEndian.PutUint64(b, v) }
