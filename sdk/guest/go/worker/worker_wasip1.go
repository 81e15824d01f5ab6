package worker

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
// itself never runs: var _ = worker.Serve(h).
func Serve(h Handler) bool {
	handler = h
	lifecycle.Serve(h)
	return true
}

//go:wasmexport hpmq:broker/worker@0.1.0#on-message
func onMessage(p0 unsafe.Pointer, n0 uint32, p1 unsafe.Pointer, n1 uint32,
	p2 unsafe.Pointer, n2 uint32, p3 unsafe.Pointer, n3 uint32, p4 unsafe.Pointer, n4 uint32,
	topic unsafe.Pointer, topicSize uint32, payload unsafe.Pointer, payloadSize uint32,
	qos uint32, retain uint32) {
	abi.Enter()
	message = guest.Message{
		Topic: abi.Text(topic, topicSize), Payload: abi.Bytes(payload, payloadSize),
		QoS: guest.QoS(qos), Retain: retain != 0,
	}
	handler.OnMessage(lifecycle.Who(p0, n0, p1, n1, p2, n2, p3, n3, p4, n4), &message)
	abi.Leave()
}

//go:wasmexport hpmq:broker/worker@0.1.0#on-client
func onClient(p0 unsafe.Pointer, n0 uint32, p1 unsafe.Pointer, n1 uint32,
	p2 unsafe.Pointer, n2 uint32, p3 unsafe.Pointer, n3 uint32, p4 unsafe.Pointer, n4 uint32,
	what uint32) {
	abi.Enter()
	handler.OnClient(lifecycle.Who(p0, n0, p1, n1, p2, n2, p3, n3, p4, n4), Presence(what))
	abi.Leave()
}

//go:wasmexport hpmq:broker/worker@0.1.0#on-timer
func onTimer() uint32 {
	abi.Enter()
	ms := handler.OnTimer()
	abi.Leave()
	return ms
}

//go:wasmexport hpmq:broker/worker@0.1.0#on-stop
func onStop() {
	abi.Enter()
	handler.OnStop()
	abi.Leave()
}
