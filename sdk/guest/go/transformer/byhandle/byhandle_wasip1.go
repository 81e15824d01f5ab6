package byhandle

import (
	"unsafe"

	guest "github.com/hpmq/hpmq/sdk/guest/go"
	"github.com/hpmq/hpmq/sdk/guest/go/internal/abi"
	"github.com/hpmq/hpmq/sdk/guest/go/internal/lent"
	"github.com/hpmq/hpmq/sdk/guest/go/internal/lifecycle"
	"github.com/hpmq/hpmq/sdk/guest/go/transformer"
)

// The sizes of records: of a message topic, payload, then qos and retain in one word; of an
// envelope it is the same without the payload.
const (
	messageWords  = 5
	envelopeWords = 3
)

var (
	handler Handler
	message guest.Lent
	body    lent.Body
	out     Out
	// answer is the variant outcome: 0 tag, 1..2 the list.
	answer [3]abi.Word
)

// Serve makes h answer the role, in place of transformer.Serve.
func Serve(h Handler) bool {
	handler = h
	return transformer.Serve(h)
}

//go:wasmexport hpmq:broker/transformer-by-handle@0.1.0#upstream
func upstream(p0 unsafe.Pointer, n0 uint32, p1 unsafe.Pointer, n1 uint32,
	p2 unsafe.Pointer, n2 uint32, p3 unsafe.Pointer, n3 uint32, p4 unsafe.Pointer, n4 uint32,
	topic unsafe.Pointer, topicSize uint32, payload uint32, qos uint32,
	retain uint32) unsafe.Pointer {
	abi.Enter()
	begin(topic, topicSize, payload, qos, retain)
	who := lifecycle.Who(p0, n0, p1, n1, p2, n2, p3, n3, p4, n4)
	return end(handler.UpstreamLent(who, &message, &out))
}

//go:wasmexport hpmq:broker/transformer-by-handle@0.1.0#downstream
func downstream(p0 unsafe.Pointer, n0 uint32, p1 unsafe.Pointer, n1 uint32,
	p2 unsafe.Pointer, n2 uint32, p3 unsafe.Pointer, n3 uint32, p4 unsafe.Pointer, n4 uint32,
	topic unsafe.Pointer, topicSize uint32, payload uint32, qos uint32,
	retain uint32) unsafe.Pointer {
	abi.Enter()
	begin(topic, topicSize, payload, qos, retain)
	who := lifecycle.Who(p0, n0, p1, n1, p2, n2, p3, n3, p4, n4)
	return end(handler.DownstreamLent(who, &message, &out))
}

func begin(topic unsafe.Pointer, topicSize, payload, qos, retain uint32) {
	body.Take(payload)
	message = guest.Lent{
		Topic: abi.Text(topic, topicSize), Payload: &body,
		QoS: guest.QoS(qos), Retain: retain != 0,
	}
	out.Messages, out.Envelopes = out.Messages[:0], out.Envelopes[:0]
}

// end lowers the answer. out itself keeps its bytes alive until the host has read them.
func end(o transformer.Outcome) unsafe.Pointer {
	body.Drop()
	answer = [3]abi.Word{abi.Word(o), 0, 0}
	switch {
	case o == transformer.Replace && len(out.Messages) > 0:
		words := list(len(out.Messages), messageWords)
		for i := range out.Messages {
			m := &out.Messages[i]
			w := words[messageWords*i:]
			abi.PutBytes(w[2:], m.Payload)
			w[4] = put(w, m.Topic, m.QoS, m.Retain)
		}
	case o == SendAs && len(out.Envelopes) > 0:
		words := list(len(out.Envelopes), envelopeWords)
		for i := range out.Envelopes {
			e := &out.Envelopes[i]
			w := words[envelopeWords*i:]
			w[2] = put(w, e.Topic, e.QoS, e.Retain)
		}
	}
	abi.Leave()
	return unsafe.Pointer(&answer)
}

// list is room for n records, which answer names.
func list(n, words int) []abi.Word {
	all := abi.Words(n * words)
	answer[1], answer[2] = abi.Address(unsafe.Pointer(&all[0])), abi.Word(n)
	return all
}

// put leaves the topic at the start of a record and gives its last word, qos and retain.
func put(w []abi.Word, topic string, qos guest.QoS, retain bool) abi.Word {
	abi.PutText(w, topic)
	if retain {
		return abi.Word(qos) | 1<<8
	}
	return abi.Word(qos)
}
