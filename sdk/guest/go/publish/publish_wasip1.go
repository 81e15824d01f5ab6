package publish

import (
	"runtime"
	"unsafe"

	guest "github.com/hpmq/hpmq/sdk/guest/go"
	"github.com/hpmq/hpmq/sdk/guest/go/internal/abi"
)

//go:wasmimport hpmq:broker/publish@0.1.0 publish
func hostPublish(topic unsafe.Pointer, topicSize uint32, payload unsafe.Pointer, payloadSize uint32,
	qos uint32, retain uint32, ret unsafe.Pointer)

// Publish hands m to the broker, which queues it.
func Publish(m *guest.Message) error {
	ret := abi.Words(1)
	retain := uint32(0)
	if m.Retain {
		retain = 1
	}
	hostPublish(unsafe.Pointer(unsafe.StringData(m.Topic)), uint32(len(m.Topic)),
		unsafe.Pointer(unsafe.SliceData(m.Payload)), uint32(len(m.Payload)),
		uint32(m.QoS), retain, unsafe.Pointer(&ret[0]))
	runtime.KeepAlive(m)
	if ret[0]&0xFF == 0 {
		return nil
	}
	switch ret[0] >> 8 & 0xFF {
	case 0:
		return ErrInvalidTopic
	case 1:
		return ErrTooLarge
	default:
		return ErrQueueFull
	}
}
