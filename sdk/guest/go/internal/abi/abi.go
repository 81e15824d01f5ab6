// Package abi is the canonical ABI of the Component Model, by hand, as far as the contracts in wit/
// need it: where arguments and answers lie in the guest's memory. It works with 32-bit
// pointers in TinyGo and with the 64-bit ones of the standard toolchain, because every
// layout here is of explicit uint32 words.
//
// It does not know the roles; they call Enter and Leave around each export.
//
// One guest instance is one thread and has one host, so the arena here, and in the roles the
// handler and the area of the answer, are package variables: there is nothing else that an exported
// function could find them by.
package abi

import "unsafe"

// Word is a pointer or a number of the canonical ABI in memory.
type Word = uint32

var calls arena

// Enter begins an exported call; its arguments may lie in the arena already.
func Enter() {
	if calls.ended {
		calls.reset()
	}
	Back()
}

// Leave ends an exported call. What was taken from the arena stays until the next call begins.
func Leave() {
	Out()
	calls.ended = true
}

// Words takes n words from the arena, for the elements of a list in an answer.
func Words(n int) []Word {
	return unsafe.Slice((*Word)(calls.alloc(uint32(4*n), 4)), n)
}

// Longs takes n 64-bit words from the arena.
func Longs(n int) []uint64 {
	return unsafe.Slice((*uint64)(calls.alloc(uint32(8*n), 8)), n)
}

// Text is the string argument at p.
func Text(p unsafe.Pointer, n uint32) string { return unsafe.String((*byte)(p), n) }

// Bytes is the list<u8> argument at p, with no room to append.
func Bytes(p unsafe.Pointer, n uint32) []byte { return unsafe.Slice((*byte)(p), n)[:n:n] }

// TextAt is the string whose address stands in memory as a word.
func TextAt(p, n Word) string { return Text(at(p), n) }

// BytesAt is the list<u8> whose address stands in memory as a word.
func BytesAt(p, n Word) []byte { return Bytes(at(p), n) }

// at is the pointer whose value is p. It is read from memory: to LLVM a pointer made by arithmetic
// on nil is nil, and what stands behind it anything it likes, so that comparisons came out wrong.
func at(p Word) unsafe.Pointer {
	wide := uint64(p) // little-endian, as wasm is, for pointers of 32 and of 64 bits
	return *(*unsafe.Pointer)(unsafe.Pointer(&wide))
}

// Address is p as a word.
func Address(p unsafe.Pointer) Word { return Word(uintptr(p)) }

// PutText writes s into the two words of a string; s must hold until the host has read them.
func PutText(w []Word, s string) {
	w[0], w[1] = Address(unsafe.Pointer(unsafe.StringData(s))), Word(len(s))
}

// PutBytes writes b into the two words of a list<u8>.
func PutBytes(w []Word, b []byte) {
	w[0], w[1] = Address(unsafe.Pointer(unsafe.SliceData(b))), Word(len(b))
}

// PutTexts writes list into the two words of a list<string>.
func PutTexts(w []Word, list []string) {
	w[0], w[1] = 0, Word(len(list))
	if len(list) == 0 {
		return
	}
	elems := Words(2 * len(list))
	w[0] = Address(unsafe.Pointer(&elems[0]))
	for i, s := range list {
		PutText(elems[2*i:], s)
	}
}
