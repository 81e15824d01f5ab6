package rollout

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// What becomes of a candidate that was asked too little to be judged.
const (
	QuietPromote  = "promote"
	QuietRollback = "rollback"
)

func validQuiet(s string) error {
	if s != "" && s != QuietPromote && s != QuietRollback {
		return errors.New("thresholds: quiet: promote or rollback")
	}
	return nil
}

// prove is a dwell in which the candidate must be asked CallsMin questions. Where it is not, that
// takes up to as long again; then Quiet says what becomes of it. It never goes on in silence: the
// next record tells.
//
// left is how long the step is to go on, whole how long all of it was to be.
func (w *work) prove(what string, left, whole time.Duration, eye *watcher) *ending {
	end := w.dwell(left, eye)
	clock, until := w.m.ports.Clock, w.m.ports.Clock.Now().Add(whole)
	for end == nil && !w.hurried() && w.asked(eye) < eye.thresholds.CallsMin {
		left := until.Sub(clock.Now())
		if left <= 0 {
			return w.unproven(what, 2*whole, eye)
		}
		end = w.dwell(min(left, lookEvery), eye)
	}
	return end
}

// asked is how many questions came to the candidate while eye looked.
func (w *work) asked(eye *watcher) uint64 {
	return w.plan.Health().Candidate.since(eye.first.Candidate).asked()
}

// unproven is the end of a step that says nothing of the candidate.
func (w *work) unproven(what string, took time.Duration, eye *watcher) *ending {
	n, need := w.asked(eye), eye.thresholds.CallsMin
	why := fmt.Sprintf("%s had %d questions in %s, %d are needed to judge it", what, n, took, need)
	if n == 0 {
		why = fmt.Sprintf("%s had nobody who asked in %s, %d questions are needed to judge it",
			what, took, need)
	}
	if w.q.Thresholds.Quiet == QuietRollback {
		return &ending{state: RolledBack, why: why + "; the old version is linked; to do: give " +
			"it longer, more clients, or a lower thresholds.calls_min"}
	}
	w.notes = append(w.notes, why)
	return nil
}

// told is why with the notes, once.
func (w *work) told(why string) string {
	if why != "" {
		w.notes = append([]string{why}, w.notes...)
	}
	why, w.notes = strings.Join(w.notes, "; "), nil
	return why
}
