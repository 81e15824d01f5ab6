// Package byhandle is the role hpmq:broker/deduplicator for who does not want large payloads
// copied: what has more than 16 KiB comes as a guest.Lent. It knows the export
// deduplicator-by-handle; the plain one is package deduplicator's.
package byhandle

import (
	guest "github.com/hpmq/hpmq/sdk/guest/go"
	"github.com/hpmq/hpmq/sdk/guest/go/deduplicator"
)

// Handler answers the role. What it is given is borrowed until return.
type Handler interface {
	deduplicator.Handler
	// CheckLent is Check for a message with a large payload. Equal payloads are of one size, so
	// Check never sees one that CheckLent saw.
	CheckLent(who *guest.Identity, m *guest.Lent) deduplicator.Freshness
}
