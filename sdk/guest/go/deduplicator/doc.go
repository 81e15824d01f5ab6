// Package deduplicator is the role hpmq:broker/deduplicator: what a component that says which
// message is no news answers to. It knows the words of the role and its export; what is news, the
// Handler knows.
package deduplicator

import guest "github.com/hpmq/hpmq/sdk/guest/go"

// Freshness is what a message is.
type Freshness uint32

// The values are those of the WIT enum hpmq:broker/deduplicator.freshness.
const (
	// News goes on.
	News Freshness = iota
	// Repeated was seen before within the window: acknowledged, not delivered.
	Repeated
	// Unchanged differs by no more than the dead band: acknowledged, not delivered.
	Unchanged
)

// Handler answers the role. What it is given is borrowed until return.
type Handler interface {
	// Configure reads the configuration, JSON text. An error is a text for the operator.
	Configure(config string) (guest.Interest, error)
	// Check judges a message after the upstream transformers.
	Check(who *guest.Identity, m *guest.Message) Freshness
}
