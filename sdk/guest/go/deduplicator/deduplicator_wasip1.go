package deduplicator

import (
	"unsafe"

	guest "github.com/hpmq/hpmq/sdk/guest/go"
	"github.com/hpmq/hpmq/sdk/guest/go/internal/abi"
	"github.com/hpmq/hpmq/sdk/guest/go/internal/lifecycle"
)

var (
	handler Handler
	message guest.Message
)

// Serve makes h answer the role. A main package calls it while its variables are set, since main
// itself never runs: var _ = deduplicator.Serve(h).
func Serve(h Handler) bool {
	handler = h
	lifecycle.Serve(h)
	return true
}

//go:wasmexport hpmq:broker/deduplicator@0.1.0#check
func check(p0 unsafe.Pointer, n0 uint32, p1 unsafe.Pointer, n1 uint32,
	p2 unsafe.Pointer, n2 uint32, p3 unsafe.Pointer, n3 uint32, p4 unsafe.Pointer, n4 uint32,
	topic unsafe.Pointer, topicSize uint32, payload unsafe.Pointer, payloadSize uint32,
	qos uint32, retain uint32) uint32 {
	abi.Enter()
	message = guest.Message{
		Topic: abi.Text(topic, topicSize), Payload: abi.Bytes(payload, payloadSize),
		QoS: guest.QoS(qos), Retain: retain != 0,
	}
	who := lifecycle.Who(p0, n0, p1, n1, p2, n2, p3, n3, p4, n4)
	answer := handler.Check(who, &message)
	abi.Leave()
	return uint32(answer)
}
