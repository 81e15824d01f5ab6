package history

import (
	"runtime"
	"unsafe"

	"github.com/hpmq/hpmq/sdk/guest/go/internal/abi"
)

//go:wasmimport hpmq:broker/history@0.1.0 last
func hostLast(topic unsafe.Pointer, size uint32, ret unsafe.Pointer)

// Last is the payload that was delivered last under topic on this listener. It is borrowed: it
// holds until the exported call that runs returns.
func (Log) Last(topic string) ([]byte, bool) {
	ret := abi.Words(3)
	abi.Out()
	hostLast(unsafe.Pointer(unsafe.StringData(topic)), uint32(len(topic)), unsafe.Pointer(&ret[0]))
	abi.Back()
	runtime.KeepAlive(topic)
	if ret[0]&0xFF == 0 {
		return nil, false
	}
	return abi.BytesAt(ret[1], ret[2]), true
}
