package migration

import (
	"unsafe"

	"github.com/hpmq/hpmq/sdk/guest/go/internal/abi"
)

var (
	handler Handler
	// reason keeps the answer until the host has read it.
	reason string
	// answer is result<_, string>: 0 tag, 1..2 the text.
	answer [3]abi.Word
)

// Serve has h migrate, beside the Serve of the role and like that.
func Serve(h Handler) bool {
	handler = h
	return true
}

//go:wasmexport hpmq:broker/migration@0.1.0#migrate
func migrate(from, to uint32, key unsafe.Pointer, size uint32) unsafe.Pointer {
	abi.Enter()
	defer abi.Leave()
	answer[0] = 0
	if err := handler.Migrate(from, to, abi.Text(key, size)); err != nil {
		reason = err.Error()
		answer[0] = 1
		abi.PutText(answer[1:], reason)
	}
	return unsafe.Pointer(&answer)
}
