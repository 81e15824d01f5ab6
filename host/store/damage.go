package store

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// damagedMax bounds the places that are told one by one.
const damagedMax = 100

// damage is what of the store cannot be read any more: the device does not give back what it was
// given. Reading it is an error, all else goes on.
type damage struct {
	phase *atomic.Int32
	tell  func(error)

	mu     sync.Mutex
	places map[string]struct{}
	first  string
}

// found is told by the database of one of its files, on any goroutine.
func (x *damage) found(info pebble.DataCorruptionInfo) {
	if x.phase.Load() != phaseFrozen { // then files are missing that were never written
		x.note(info.Path, info.Details)
	}
}

// note tells of each place once.
func (x *damage) note(place string, err error) {
	x.mu.Lock()
	_, known := x.places[place]
	if known = known || len(x.places) >= damagedMax; !known {
		x.places[place] = struct{}{}
	}
	if x.first == "" {
		x.first = place
	}
	x.mu.Unlock()
	if !known && x.tell != nil {
		x.tell(fmt.Errorf("%w: %s: what is there cannot be read (%w); the rest can. Put a backup "+
			"in its place with hpmq-cli store restore, or save the rest with hpmq-cli store "+
			"export --skip-damaged", ErrDamaged, place, err))
	}
}

// places answers how many are damaged, and the first.
func (x *damage) known() (n int, first string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.places), x.first
}
