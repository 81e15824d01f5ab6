package abi

import (
	"fmt"
	"unicode/utf8"

	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/host/wasm/canon"
	"github.com/hpmq/hpmq/host/wasm/component"
)

// Text lifts a string: a view with the life of Bytes, or, of a guest whose strings are not UTF-8, a
// copy that is.
func Text(g *wasm.Guest, ptr, n uint64) []byte {
	e := g.Encoding()
	size := canon.TextBytes(e, uint32(n))
	if size > uint64(g.Memory().Size()) || uint32(ptr)%canon.TextAlign(e) != 0 {
		g.Trap(fmt.Sprintf("string of %d bytes at %d is outside the memory or not aligned",
			size, uint32(ptr)))
	}
	b := Bytes(g, ptr, size)
	if e == component.UTF8 {
		if !utf8.Valid(b) {
			g.Trap("a string is not UTF-8")
		}
		return b
	}
	g.Charge(size) // decoding takes about an instruction a byte
	out, err := canon.AppendText(make([]byte, 0, len(b)), b, e, uint32(n))
	if err != nil {
		g.Trap(err.Error())
	}
	return out
}

// PutText is PutList for a string.
func PutText[T string | []byte](g *wasm.Guest, ptr uint64, text T) {
	at, units := placeText(g, text)
	area := Area(g, ptr, 8, 4)
	PutUint32(area, at)
	PutUint32(area[4:], units)
}

// AppendText is AppendList for a string.
func AppendText(g *wasm.Guest, b []byte, text string) []byte {
	at, units := placeText(g, text)
	return AppendUint32(AppendUint32(b, at), units)
}

// placeText copies a string to new memory of the guest, in its encoding.
func placeText[T string | []byte](g *wasm.Guest, text T) (at, units uint32) {
	if len(text) == 0 {
		return 0, 0
	}
	e := g.Encoding()
	size, units := canon.TextSize(e, text)
	at, err := g.Alloc(uint32(size), canon.TextAlign(e))
	if err != nil {
		g.Trap(err.Error()) // a guest without cabi_realloc
	}
	g.Charge(size / bytesPerFuel)
	if e != component.UTF8 {
		g.Charge(size)
	}
	view, _ := g.Memory().Read(at, uint32(size)) // what Alloc answers is in it
	canon.PutText(view, e, units, text)
	return at, units
}
