package state

import (
	"unsafe"

	"github.com/hpmq/hpmq/sdk/guest/go/internal/abi"
)

var (
	handler Handler
	// given and reason keep the answer until the host has read it.
	given  []byte
	reason string
	// answer is result<list<u8>, string>: 0 tag, 1..2 the list or the text.
	answer [3]abi.Word
)

// Serve has h give and take the state, beside the Serve of the role and like that.
func Serve(h Handler) bool {
	handler = h
	return true
}

//go:wasmexport hpmq:broker/state@0.1.0#export-state
func exportState() unsafe.Pointer {
	abi.Enter()
	defer abi.Leave()
	var err error
	if given, err = handler.ExportState(); err != nil {
		return refuse(err)
	}
	answer[0] = 0
	abi.PutBytes(answer[1:], given)
	return unsafe.Pointer(&answer)
}

//go:wasmexport hpmq:broker/state@0.1.0#import-state
func importState(schema uint32, state unsafe.Pointer, size uint32) unsafe.Pointer {
	abi.Enter()
	defer abi.Leave()
	if err := handler.ImportState(schema, abi.Bytes(state, size)); err != nil {
		return refuse(err)
	}
	answer[0] = 0
	return unsafe.Pointer(&answer)
}

func refuse(err error) unsafe.Pointer {
	reason = err.Error()
	answer[0] = 1
	abi.PutText(answer[1:], reason)
	return unsafe.Pointer(&answer)
}
