package codec

import (
	"unsafe"

	guest "github.com/hpmq/hpmq/sdk/guest/go"
	"github.com/hpmq/hpmq/sdk/guest/go/internal/abi"
	"github.com/hpmq/hpmq/sdk/guest/go/internal/lifecycle"
)

// requestWords is the size of a request: its case, and the 17 words of a connection.
const requestWords = 18

var (
	handler Handler
	event   Event
	// decoded and encoded keep their bytes until the host has read them.
	decoded Decoded
	encoded Encoded
	// read is the record decoded: 0 tag of the state, 1..2 the state, 3 consumed, 4..5 requests,
	// 6..7 output, 8 tag of close, 9..10 the reason.
	read [11]abi.Word
	// written is the record encoded: 0 tag of the state, 1..2 the state, 3..4 output, 5 wait.
	written [6]abi.Word
)

// Serve makes h answer the role. A main package calls it while its variables are set, since main
// itself never runs: var _ = codec.Serve(h).
func Serve(h Handler) bool {
	handler = h
	lifecycle.Serve(h)
	return true
}

//go:wasmexport hpmq:broker/codec@0.1.0#decode
func decode(state unsafe.Pointer, stateSize uint32, input unsafe.Pointer,
	inputSize uint32) unsafe.Pointer {
	abi.Enter()
	decoded = Decoded{Requests: decoded.Requests[:0]}
	handler.Decode(abi.Bytes(state, stateSize), abi.Bytes(input, inputSize), &decoded)
	d := &decoded
	read = [11]abi.Word{3: abi.Word(d.Consumed)}
	putState(read[:], d.State)
	if n := len(d.Requests); n > 0 {
		words := abi.Words(requestWords * n)
		clear(words)
		for i := range d.Requests {
			put(words[requestWords*i:], &d.Requests[i])
		}
		read[4], read[5] = abi.Address(unsafe.Pointer(&words[0])), abi.Word(n)
	}
	abi.PutBytes(read[6:], d.Output)
	if d.Close {
		read[8] = 1
		abi.PutText(read[9:], d.Reason)
	}
	abi.Leave()
	return unsafe.Pointer(&read)
}

//go:wasmexport hpmq:broker/codec@0.1.0#encode
func encode(state unsafe.Pointer, stateSize uint32, kind uint32,
	a0, a1, a2, a3, a4, a5, a6 uint32) unsafe.Pointer {
	abi.Enter()
	event = Event{Kind: EventKind(kind)}
	switch event.Kind {
	case Connected:
		event.Reason, event.SessionPresent = uint8(a0), a1 != 0
		event.ClientID, event.KeepAlive = abi.TextAt(a2, a3), uint16(a4)
	case Deliver:
		event.Message = guest.Message{
			Topic: abi.TextAt(a0, a1), Payload: abi.BytesAt(a2, a3), QoS: guest.QoS(a4),
			Retain: a5 != 0,
		}
		event.ID = a6
	case Disconnected:
		event.Reason = uint8(a0)
	default:
		event.ID, event.Reason = a0, uint8(a1)
	}
	encoded = Encoded{}
	handler.Encode(abi.Bytes(state, stateSize), &event, &encoded)
	written = [6]abi.Word{5: flag(encoded.Wait)}
	putState(written[:], encoded.State)
	abi.PutBytes(written[3:], encoded.Output)
	abi.Leave()
	return unsafe.Pointer(&written)
}

func flag(b bool) abi.Word {
	if b {
		return 1
	}
	return 0
}

func putState(w []abi.Word, state []byte) {
	if state != nil {
		w[0] = 1
		abi.PutBytes(w[1:], state)
	}
}

func put(w []abi.Word, r *Request) {
	w[0] = abi.Word(r.Kind)
	switch r.Kind {
	case Connect:
		putConnection(w[1:], &r.Connection)
	case Publish:
		putMessage(w[1:], &r.Message)
		w[6] = r.ID
	case Subscribe:
		abi.PutText(w[1:], r.Filter)
		w[3], w[4] = abi.Word(r.QoS), r.ID
	case Unsubscribe:
		abi.PutText(w[1:], r.Filter)
		w[3] = r.ID
	case Received:
		w[1] = r.ID
	}
}

func putConnection(w []abi.Word, c *Connection) {
	abi.PutText(w[0:], c.ClientID)
	w[2] = flag(c.HasUsername)
	abi.PutText(w[3:], c.Username)
	w[5] = flag(c.HasPassword)
	abi.PutBytes(w[6:], c.Password)
	w[8], w[9], w[10] = flag(c.CleanStart), c.SessionExpiry, abi.Word(c.KeepAlive)
	if c.Will != nil {
		w[11] = 1
		putMessage(w[12:], c.Will)
	}
}

func putMessage(w []abi.Word, m *guest.Message) {
	abi.PutText(w[0:], m.Topic)
	abi.PutBytes(w[2:], m.Payload)
	w[4] = abi.Word(m.QoS) | flag(m.Retain)<<8
}
