//go:build unix

package wasm

import (
	"fmt"
	"syscall"

	"github.com/tetratelabs/wazero/experimental"
)

// mapped is memory outside the Go heap, so that guests do not count for garbage collection. The
// whole range is reserved at once and never moves; the system gives pages as they are touched.
type mapped struct{ b []byte }

// reserve panics when the system has no room: the engine has no other way to be told, and
// instantiate turns it into an error.
func reserve(bytesMax uint64) experimental.LinearMemory {
	if bytesMax == 0 {
		return &mapped{}
	}
	b, err := syscall.Mmap(-1, 0, int(bytesMax), syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		panic(fmt.Errorf("reserve %d bytes: %w", bytesMax, err))
	}
	return &mapped{b: b}
}

// Reallocate answers nil beyond the cap.
func (m *mapped) Reallocate(size uint64) []byte {
	if size > uint64(len(m.b)) {
		return nil
	}
	return m.b[:size:size]
}

// Free may be called more than once.
func (m *mapped) Free() {
	if m.b != nil {
		// Unmapping what was mapped by reserve can only fail by a bug here.
		if err := syscall.Munmap(m.b); err != nil {
			panic(fmt.Errorf("wasm: unmap: %w", err))
		}
		m.b = nil
	}
}
