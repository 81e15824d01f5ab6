package log

import (
	"runtime"
	"unsafe"
)

//go:wasmimport hpmq:broker/log@0.1.0 write
func hostWrite(level uint32, text unsafe.Pointer, size uint32)

// Write adds a line.
func Write(level Level, text string) {
	hostWrite(uint32(level), unsafe.Pointer(unsafe.StringData(text)), uint32(len(text)))
	runtime.KeepAlive(text)
}
