package rollout

import (
	"fmt"
	"time"
)

// Config bounds what a machine keeps.
type Config struct {
	// AtWorkMax is how many changes may be at work at a time, each for other listeners.
	AtWorkMax int
	// HistoryMax is how many changes that ended are kept, the newest. An id that is forgotten may
	// be used again.
	HistoryMax int
	// FindingsMax is how many Findings are kept beside them, the newest: what somebody puts into a
	// folder must not push out what was linked, why, and by whom.
	FindingsMax int
	// EventsMax is how far behind a reader of the events may be.
	EventsMax int
	// QuarantineMax is how many digests are in quarantine, the newest.
	QuarantineMax int
	// TestedMax is how many names of what passed its tests are kept, the newest.
	TestedMax int
	// DealtMax is how many names of what was dealt with are kept, those that were noted last.
	DealtMax int
	// RequestBytesMax bounds one request, as JSON.
	RequestBytesMax int
	// GrowthBytesMax is how much the ledger may grow before it is compacted.
	GrowthBytesMax int
}

// Default is room for a year of careful changes, in a few megabytes.
func Default() Config {
	return Config{
		AtWorkMax: 16, HistoryMax: 256, EventsMax: 4096, QuarantineMax: 256,
		FindingsMax: 16, TestedMax: 1024, DealtMax: 1024,
		RequestBytesMax: 1 << 20, GrowthBytesMax: 4 << 20,
	}
}

// Validate says what is wrong.
func (c Config) Validate() error {
	for name, v := range map[string]int{
		"AtWorkMax": c.AtWorkMax, "HistoryMax": c.HistoryMax, "EventsMax": c.EventsMax,
		"QuarantineMax": c.QuarantineMax, "TestedMax": c.TestedMax,
		"FindingsMax": c.FindingsMax, "DealtMax": c.DealtMax,
		"RequestBytesMax": c.RequestBytesMax,
		"GrowthBytesMax":  c.GrowthBytesMax,
	} {
		if v <= 0 {
			return fmt.Errorf("rollout: config: %s is %d: give it at least 1", name, v)
		}
	}
	return nil
}

// What a request may ask for.
const (
	idBytesMax     = 128
	textBytesMax   = 1024 // of By and Reason
	whyBytesMax    = 4096
	itemsMax       = 64
	canaryStepsMax = 32
	dwellMax       = 30 * 24 * time.Hour
)

// lookEvery is how often the health of a candidate is looked at, if it does not stir; stirredPause
// is the least time after it did.
const (
	lookEvery    = 100 * time.Millisecond
	stirredPause = time.Millisecond
)
