package router

import (
	"unsafe"

	guest "github.com/hpmq/hpmq/sdk/guest/go"
	"github.com/hpmq/hpmq/sdk/guest/go/internal/abi"
	"github.com/hpmq/hpmq/sdk/guest/go/internal/lifecycle"
)

var (
	handler Handler
	message guest.Message
	way     Route
	// answer is the variant outcome: 0 tag, 1..2 copies, 3..4 redirect, 5 reach.
	answer [6]abi.Word
)

// Serve makes h answer the role. A main package calls it while its variables are set, since main
// itself never runs: var _ = router.Serve(h).
func Serve(h Handler) bool {
	handler = h
	lifecycle.Serve(h)
	return true
}

//go:wasmexport hpmq:broker/router@0.1.0#route
func route(p0 unsafe.Pointer, n0 uint32, p1 unsafe.Pointer, n1 uint32,
	p2 unsafe.Pointer, n2 uint32, p3 unsafe.Pointer, n3 uint32, p4 unsafe.Pointer, n4 uint32,
	topic unsafe.Pointer, topicSize uint32, qos uint32, retain uint32) unsafe.Pointer {
	abi.Enter()
	message = guest.Message{
		Topic: abi.Text(topic, topicSize), QoS: guest.QoS(qos), Retain: retain != 0,
	}
	way = Route{Copies: way.Copies[:0], Reach: Region}
	outcome := handler.Route(lifecycle.Who(p0, n0, p1, n1, p2, n2, p3, n3, p4, n4), &message, &way)
	answer[0] = abi.Word(outcome)
	if outcome == Send {
		abi.PutTexts(answer[1:], way.Copies)
		abi.PutText(answer[3:], way.Redirect)
		answer[5] = abi.Word(way.Reach)
	}
	abi.Leave()
	return unsafe.Pointer(&answer)
}

//go:wasmexport hpmq:broker/router@0.1.0#share
func share(group unsafe.Pointer, groupSize uint32,
	filter unsafe.Pointer, filterSize uint32) uint32 {
	abi.Enter()
	s := handler.Share(abi.Text(group, groupSize), abi.Text(filter, filterSize))
	abi.Leave()
	return uint32(s)
}
