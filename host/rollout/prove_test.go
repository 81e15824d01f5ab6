package rollout

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// busy is the health of a candidate that is asked more each time somebody looks.
func busy() func(*plan) Health {
	var calls atomic.Uint64
	return func(*plan) Health {
		n := calls.Add(100)
		return Health{Candidate: Side{Calls: n}, Active: Side{Calls: n}}
	}
}

// TestAQuietStepIsNotHealthyInSilence: it takes as long again, and what follows tells; or it ends.
func TestAQuietStepIsNotHealthyInSilence(t *testing.T) {
	q := swap("1", "rules@2.0.0")
	q.Canary.Steps = []CanaryStep{{100, time.Minute}}
	q.Watch = time.Minute
	for _, tc := range []struct {
		quiet  string
		health func(*plan) Health
		state  State
		took   time.Duration
		why    string // of the record after the canary
	}{
		{"", nil, Done, 4 * time.Minute, "canary step 1 had nobody who asked in 2m0s, 50"},
		{QuietPromote, busy(), Done, 2 * time.Minute, ""},
		{QuietRollback, busy(), Done, 2 * time.Minute, ""},
		{QuietRollback, nil, RolledBack, 2 * time.Minute, "the old version is linked; to do: give"},
	} {
		w := newWorld(t)
		w.health = tc.health
		m, _ := w.open(Default())
		q.Thresholds.Quiet = tc.quiet
		began := w.Now()
		c := submit(t, m, q)
		if took := w.Now().Sub(began); c.State != tc.state || took != tc.took {
			t.Errorf("%q: %s after %v (%s)", tc.quiet, c.State, took, c.Why)
		}
		after := c.Marks[len(c.Marks)-1]
		for _, k := range c.Marks {
			if k.State == Committed {
				after = k
			}
		}
		if (tc.why == "") != (after.Why == "") || !strings.Contains(after.Why, tc.why) {
			t.Errorf("%q: %s: %q", tc.quiet, after.State, after.Why)
		}
		if quiet := strings.Contains(c.Why, "the watch had nobody who asked in 2m0s"); quiet !=
			(tc.health == nil && tc.state == Done) {
			t.Errorf("%q: at the end: %q", tc.quiet, c.Why)
		}
		if len(m.Quarantine()) > 0 {
			t.Errorf("%q: what nobody asked is in quarantine", tc.quiet)
		}
	}
	q.Thresholds.Quiet = "maybe"
	if err := q.validate(); err == nil {
		t.Error("another word is taken")
	}
}
