//go:build !unix

package wasm

import "github.com/tetratelabs/wazero/experimental"

// slice is memory on the Go heap, where there is no mmap to be had.
type slice struct {
	b   []byte
	max uint64
}

func reserve(bytesMax uint64) experimental.LinearMemory { return &slice{max: bytesMax} }

// Reallocate doubles the room, so that growing page by page is linear; nil beyond the cap.
func (s *slice) Reallocate(size uint64) []byte {
	if size > s.max {
		return nil
	}
	if size > uint64(cap(s.b)) {
		grown := make([]byte, size, min(s.max, max(size, 2*uint64(cap(s.b)))))
		copy(grown, s.b)
		s.b = grown
	}
	s.b = s.b[:size]
	return s.b[:size:size]
}

// Free leaves it to the garbage collector.
func (s *slice) Free() { s.b = nil }
