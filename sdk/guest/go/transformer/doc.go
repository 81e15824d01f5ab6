// Package transformer is the role hpmq:broker/transformer: what a component that changes messages
// on their way answers to. It knows the words of the role and its exports; what to change, the
// Handler knows.
package transformer

import guest "github.com/hpmq/hpmq/sdk/guest/go"

// Outcome is what becomes of a message.
type Outcome uint32

// The values are those of the WIT variant hpmq:broker/transformer.outcome.
const (
	// Keep lets it go on unchanged.
	Keep Outcome = iota
	// Drop ends its way; a publisher still gets its acknowledgement.
	Drop
	// Replace sends what was appended to out in its place.
	Replace
)

// Handler answers the role. What it is given is borrowed until return.
type Handler interface {
	// Configure reads the configuration, JSON text. An error is a text for the operator.
	Configure(config string) (guest.Interest, error)
	// Upstream is asked about a message from who. What it appends to out goes on if it answers
	// Replace; the bytes of it must hold until the next call.
	Upstream(who *guest.Identity, m *guest.Message, out *[]guest.Message) Outcome
	// Downstream is asked about a message to who.
	Downstream(who *guest.Identity, m *guest.Message, out *[]guest.Message) Outcome
}
