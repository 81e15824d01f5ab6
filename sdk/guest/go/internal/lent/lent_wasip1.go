package lent

import (
	"unsafe"

	"github.com/hpmq/hpmq/sdk/guest/go/internal/abi"
)

//go:wasmimport hpmq:broker/payload@0.1.0 [method]body.size
func hostSize(self uint32) uint64

//go:wasmimport hpmq:broker/payload@0.1.0 [method]body.read
func hostRead(self uint32, offset uint64, count uint32, ret unsafe.Pointer)

//go:wasmimport hpmq:broker/payload@0.1.0 [method]body.fingerprint
func hostFingerprint(self uint32) uint64

//go:wasmimport hpmq:broker/payload@0.1.0 [resource-drop]body
func hostDrop(self uint32)

// Body is the guest.Body behind a handle.
type Body struct{ handle uint32 }

// Take makes b the body of the call that runs.
func (b *Body) Take(handle uint32) { b.handle = handle }

// Drop gives it back, before the call returns.
func (b *Body) Drop() {
	hostDrop(b.handle)
	b.handle = 0
}

// Size is body.size.
func (b *Body) Size() uint64 { return hostSize(b.handle) }

// Read is body.read.
func (b *Body) Read(offset uint64, count uint32) []byte {
	ret := abi.Words(2)
	abi.Out()
	hostRead(b.handle, offset, count, unsafe.Pointer(&ret[0]))
	abi.Back()
	return abi.BytesAt(ret[0], ret[1])
}

// Fingerprint is body.fingerprint.
func (b *Body) Fingerprint() uint64 { return hostFingerprint(b.handle) }
