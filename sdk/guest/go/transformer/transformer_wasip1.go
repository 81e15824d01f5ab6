package transformer

import (
	"unsafe"

	guest "github.com/hpmq/hpmq/sdk/guest/go"
	"github.com/hpmq/hpmq/sdk/guest/go/internal/abi"
	"github.com/hpmq/hpmq/sdk/guest/go/internal/lifecycle"
)

// messageWords is the size of a message record: topic, payload, then qos and retain in one word.
const messageWords = 5

var (
	handler Handler
	message guest.Message
	out     []guest.Message
	// answer is the variant outcome: 0 tag, 1..2 the list of messages.
	answer [3]abi.Word
)

// Serve makes h answer the role. A main package calls it while its variables are set, since main
// itself never runs: var _ = transformer.Serve(h).
func Serve(h Handler) bool {
	handler = h
	lifecycle.Serve(h)
	return true
}

//go:wasmexport hpmq:broker/transformer@0.1.0#upstream
func upstream(p0 unsafe.Pointer, n0 uint32, p1 unsafe.Pointer, n1 uint32,
	p2 unsafe.Pointer, n2 uint32, p3 unsafe.Pointer, n3 uint32, p4 unsafe.Pointer, n4 uint32,
	topic unsafe.Pointer, topicSize uint32, payload unsafe.Pointer, payloadSize uint32,
	qos uint32, retain uint32) unsafe.Pointer {
	abi.Enter()
	begin(topic, topicSize, payload, payloadSize, qos, retain)
	who := lifecycle.Who(p0, n0, p1, n1, p2, n2, p3, n3, p4, n4)
	return end(handler.Upstream(who, &message, &out))
}

//go:wasmexport hpmq:broker/transformer@0.1.0#downstream
func downstream(p0 unsafe.Pointer, n0 uint32, p1 unsafe.Pointer, n1 uint32,
	p2 unsafe.Pointer, n2 uint32, p3 unsafe.Pointer, n3 uint32, p4 unsafe.Pointer, n4 uint32,
	topic unsafe.Pointer, topicSize uint32, payload unsafe.Pointer, payloadSize uint32,
	qos uint32, retain uint32) unsafe.Pointer {
	abi.Enter()
	begin(topic, topicSize, payload, payloadSize, qos, retain)
	who := lifecycle.Who(p0, n0, p1, n1, p2, n2, p3, n3, p4, n4)
	return end(handler.Downstream(who, &message, &out))
}

func begin(topic unsafe.Pointer, topicSize uint32, payload unsafe.Pointer, payloadSize uint32,
	qos uint32, retain uint32) {
	message = guest.Message{
		Topic: abi.Text(topic, topicSize), Payload: abi.Bytes(payload, payloadSize),
		QoS: guest.QoS(qos), Retain: retain != 0,
	}
	out = out[:0]
}

// end lowers the answer. out itself keeps its bytes alive until the host has read them.
func end(o Outcome) unsafe.Pointer {
	answer = [3]abi.Word{abi.Word(o), 0, 0}
	if o == Replace && len(out) > 0 {
		words := abi.Words(messageWords * len(out))
		for i := range out {
			put(words[messageWords*i:], &out[i])
		}
		answer[1], answer[2] = abi.Address(unsafe.Pointer(&words[0])), abi.Word(len(out))
	}
	abi.Leave()
	return unsafe.Pointer(&answer)
}

func put(w []abi.Word, m *guest.Message) {
	abi.PutText(w[0:], m.Topic)
	abi.PutBytes(w[2:], m.Payload)
	w[4] = abi.Word(m.QoS)
	if m.Retain {
		w[4] |= 1 << 8
	}
}
