package abi

import (
	"testing"
	"unsafe"
)

func fill(p unsafe.Pointer, n uint32, b byte) []byte {
	s := unsafe.Slice((*byte)(p), n)
	for i := range s {
		s[i] = b
	}
	return s
}

func all(s []byte, b byte) bool {
	for _, c := range s {
		if c != b {
			return false
		}
	}
	return true
}

func TestArenaKeepsWhatACallTook(t *testing.T) {
	var a arena
	var taken [][]byte
	for i := range 200 {
		size := uint32(i * 37 % 3000)
		taken = append(taken, fill(a.alloc(size, 1<<(i%4)), size, byte(i)))
	}
	for i, s := range taken {
		if !all(s, byte(i)) {
			t.Fatalf("block %d of %d bytes was written over", i, len(s))
		}
	}
}

func TestArenaAligns(t *testing.T) {
	var a arena
	for i := range 100 {
		align := uint32(1) << (i % 5)
		if p := uintptr(a.alloc(uint32(i%7), align)); p&uintptr(align-1) != 0 {
			t.Fatalf("%#x is not aligned to %d", p, align)
		}
	}
}

func TestArenaIsFreedByTheNextCallOnly(t *testing.T) {
	var a arena
	first := a.alloc(100, 8)
	a.ended = true
	fill(first, 100, 7) // the host reads the answer now
	if again := a.alloc(10, 8); again != first {
		t.Error("the second call did not start over")
	}
	if second := a.alloc(10, 8); second == first {
		t.Error("two blocks of one call are the same")
	}
}

func TestArenaReallocCopies(t *testing.T) {
	var a arena
	p := a.alloc(4, 1)
	fill(p, 4, 9)
	if !all(unsafe.Slice((*byte)(a.realloc(p, 4, 1, 8)), 4), 9) {
		t.Error("the bytes did not come along")
	}
	if !all(unsafe.Slice((*byte)(a.realloc(p, 4, 1, 2)), 2), 9) {
		t.Error("shrunk bytes did not come along")
	}
}

func TestArenaGivesHugeBlocksBack(t *testing.T) {
	var a arena
	a.alloc(arenaKeptBytesMax+1, 1)
	a.ended = true
	a.alloc(1, 1)
	if len(a.block) > arenaKeptBytesMax {
		t.Errorf("kept %d bytes", len(a.block))
	}
}

func TestArenaMakesNoGarbage(t *testing.T) {
	var a arena
	a.alloc(100<<10, 1)
	call := func() {
		a.ended = true
		for range 10 {
			a.alloc(9<<10, 4)
		}
	}
	if n := testing.AllocsPerRun(100, call); n != 0 {
		t.Errorf("%v allocations a call", n)
	}
}
