// Package byhandle is the role hpmq:broker/transformer for who does not want large payloads copied:
// what has more than 16 KiB comes as a guest.Lent. It knows the exports transformer-by-handle; the
// plain ones are package transformer's.
package byhandle

import (
	guest "github.com/hpmq/hpmq/sdk/guest/go"
	"github.com/hpmq/hpmq/sdk/guest/go/transformer"
)

// SendAs, beside the outcomes of package transformer, sends the payload as it is, without a copy,
// once for each of Out.Envelopes in place of the message.
const SendAs transformer.Outcome = 3

// Envelope is the same payload under a topic of its own.
type Envelope struct {
	Topic  string
	QoS    guest.QoS
	Retain bool
}

// Out is what an answer of Replace or SendAs appends to. Its bytes must hold until the next call.
type Out struct {
	// Messages are for transformer.Replace.
	Messages []guest.Message
	// Envelopes are for SendAs.
	Envelopes []Envelope
}

// Handler answers the role. What it is given is borrowed until return.
type Handler interface {
	transformer.Handler
	// UpstreamLent is Upstream for a message with a large payload.
	UpstreamLent(who *guest.Identity, m *guest.Lent, out *Out) transformer.Outcome
	// DownstreamLent is Downstream for one.
	DownstreamLent(who *guest.Identity, m *guest.Lent, out *Out) transformer.Outcome
}
