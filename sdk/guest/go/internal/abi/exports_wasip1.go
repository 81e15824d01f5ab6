package abi

import "unsafe"

//go:wasmexport cabi_realloc
func realloc(old unsafe.Pointer, oldSize, align, size uint32) unsafe.Pointer {
	return calls.realloc(old, oldSize, align, size)
}

// arguments keeps the block that belongs to the host; see wit/README.md, "The argument block".
var arguments []uint64

//go:wasmexport hpmq_arguments
func argumentBlock(size uint32) unsafe.Pointer {
	arguments = make([]uint64, (size+7)/8)
	return unsafe.Pointer(unsafe.SliceData(arguments))
}
