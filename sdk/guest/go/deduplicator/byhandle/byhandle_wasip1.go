package byhandle

import (
	"unsafe"

	guest "github.com/hpmq/hpmq/sdk/guest/go"
	"github.com/hpmq/hpmq/sdk/guest/go/deduplicator"
	"github.com/hpmq/hpmq/sdk/guest/go/internal/abi"
	"github.com/hpmq/hpmq/sdk/guest/go/internal/lent"
	"github.com/hpmq/hpmq/sdk/guest/go/internal/lifecycle"
)

var (
	handler Handler
	message guest.Lent
	body    lent.Body
)

// Serve makes h answer the role, in place of deduplicator.Serve.
func Serve(h Handler) bool {
	handler = h
	return deduplicator.Serve(h)
}

//go:wasmexport hpmq:broker/deduplicator-by-handle@0.1.0#check
func check(p0 unsafe.Pointer, n0 uint32, p1 unsafe.Pointer, n1 uint32,
	p2 unsafe.Pointer, n2 uint32, p3 unsafe.Pointer, n3 uint32, p4 unsafe.Pointer, n4 uint32,
	topic unsafe.Pointer, topicSize uint32, payload uint32, qos uint32, retain uint32) uint32 {
	abi.Enter()
	body.Take(payload)
	message = guest.Lent{
		Topic: abi.Text(topic, topicSize), Payload: &body,
		QoS: guest.QoS(qos), Retain: retain != 0,
	}
	who := lifecycle.Who(p0, n0, p1, n1, p2, n2, p3, n3, p4, n4)
	answer := handler.CheckLent(who, &message)
	body.Drop()
	abi.Leave()
	return uint32(answer)
}
