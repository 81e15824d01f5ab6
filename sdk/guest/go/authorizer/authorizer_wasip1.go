package authorizer

import (
	"unsafe"

	guest "github.com/hpmq/hpmq/sdk/guest/go"
	"github.com/hpmq/hpmq/sdk/guest/go/internal/abi"
	"github.com/hpmq/hpmq/sdk/guest/go/internal/lifecycle"
)

var handler Handler

// Serve makes h answer the role. A main package calls it while its variables are set, since main
// itself never runs: var _ = authorizer.Serve(h).
func Serve(h Handler) bool {
	handler = h
	lifecycle.Serve(h)
	return true
}

//go:wasmexport hpmq:broker/authorizer@0.1.0#authorize
func authorize(p0 unsafe.Pointer, n0 uint32, p1 unsafe.Pointer, n1 uint32,
	p2 unsafe.Pointer, n2 uint32, p3 unsafe.Pointer, n3 uint32, p4 unsafe.Pointer, n4 uint32,
	action uint32, topic unsafe.Pointer, topicSize uint32, qos uint32) uint32 {
	abi.Enter()
	who := lifecycle.Who(p0, n0, p1, n1, p2, n2, p3, n3, p4, n4)
	answer := handler.Authorize(who, Action(action), abi.Text(topic, topicSize), guest.QoS(qos))
	abi.Leave()
	return uint32(answer)
}
