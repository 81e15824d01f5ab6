package rollout

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// Health counts what a candidate and the version beside it did.
type Health struct {
	Candidate Side `json:"candidate"`
	Active    Side `json:"active"`
	// Places are the same place by place, if there are several: one that fails must not be lost
	// among those that are asked more.
	Places []PlaceHealth `json:"-"`
}

// PlaceHealth is that of one place; Place says which for people.
type PlaceHealth struct {
	Place             string
	Candidate, Active Side
}

// Side counts what one version did.
type Side struct {
	Calls  uint64 `json:"calls"`
	Faults Faults `json:"faults"`
	// Refused are the answers that let something not through.
	Refused uint64 `json:"refused"`
	// Latency has the same bounds each time, ascending.
	Latency []Bucket `json:"latency,omitempty"`
	// Fuel is what the calls in Latency spent.
	Fuel uint64 `json:"fuel,omitempty"`
	// Unheard says that some of it was beside the loops, where time alone does not count.
	Unheard bool `json:"-"`
}

// Faults counts by kind why a question had no answer.
type Faults struct {
	Trap    uint64 `json:"trap"`
	Fuel    uint64 `json:"fuel"`
	Depth   uint64 `json:"depth"`
	Garbage uint64 `json:"garbage"`
	// TooLarge was not shown to a guest.
	TooLarge uint64 `json:"too_large"`
	// Absent had nobody to answer: no guest was ready, or the breaker was open.
	Absent uint64 `json:"absent"`
	Other  uint64 `json:"other"`
}

// Bucket counts the calls that took at most UpTo, and more than the bucket before it.
type Bucket struct {
	UpTo  time.Duration `json:"up_to"`
	Count uint64        `json:"count"`
}

func (f Faults) sum() uint64 {
	return f.Trap + f.Fuel + f.Depth + f.Garbage + f.TooLarge + f.Absent + f.Other
}

// asked is how many questions came: who finds nobody is not a call.
func (s Side) asked() uint64 {
	return max(s.Calls+s.Faults.Absent+s.Faults.TooLarge, s.Faults.sum())
}

// since is what f counted after was.
func (f Faults) since(was Faults) Faults {
	return Faults{
		Trap: minus(f.Trap, was.Trap), Fuel: minus(f.Fuel, was.Fuel),
		Depth: minus(f.Depth, was.Depth), Garbage: minus(f.Garbage, was.Garbage),
		TooLarge: minus(f.TooLarge, was.TooLarge), Absent: minus(f.Absent, was.Absent),
		Other: minus(f.Other, was.Other),
	}
}

// since is what s counted after was.
func (s Side) since(was Side) Side {
	d := Side{Calls: minus(s.Calls, was.Calls), Refused: minus(s.Refused, was.Refused),
		Faults: s.Faults.since(was.Faults), Fuel: minus(s.Fuel, was.Fuel), Unheard: s.Unheard}
	for i, b := range s.Latency {
		if i < len(was.Latency) {
			b.Count = minus(b.Count, was.Latency[i].Count)
		}
		d.Latency = append(d.Latency, b)
	}
	return d
}

// addUnheard adds what the same version did in a shadow. The latencies have the same bounds.
func (s *Side) addUnheard(o *Side) {
	f := &s.Faults
	f.Trap, f.Fuel, f.Depth = f.Trap+o.Faults.Trap, f.Fuel+o.Faults.Fuel, f.Depth+o.Faults.Depth
	f.Garbage, f.TooLarge = f.Garbage+o.Faults.Garbage, f.TooLarge+o.Faults.TooLarge
	f.Absent, f.Other = f.Absent+o.Faults.Absent, f.Other+o.Faults.Other
	s.Calls, s.Refused, s.Fuel = s.Calls+o.Calls, s.Refused+o.Refused, s.Fuel+o.Fuel
	s.Unheard = true
	had := s.Latency
	s.Latency = slices.Clone(o.Latency)
	for i := range min(len(had), len(s.Latency)) {
		s.Latency[i].Count += had[i].Count
	}
}

func minus(a, b uint64) uint64 { return a - min(a, b) }

// slowest is the latency that 90 of 100 calls do not exceed, as the bound of its bucket, and of how
// many calls that is.
func (s Side) slowest() (q time.Duration, calls uint64) { return s.within(90) }

// within is the latency that so many of 100 calls do not exceed.
func (s Side) within(percent uint64) (q time.Duration, calls uint64) {
	for _, b := range s.Latency {
		calls += b.Count
	}
	need, sum := calls-calls*(100-percent)/100, uint64(0)
	for _, b := range s.Latency {
		if sum += b.Count; sum >= need && calls > 0 {
			return b.UpTo, calls
		}
	}
	return 0, calls
}

// Thresholds say when a candidate must go. What is zero is the default.
type Thresholds struct {
	// CallsMin is how many questions a version must have got before a share or a latency of it
	// counts: 50. Faults count as soon as there are as many as a version at the limit has by chance
	// once in chanceOf times: 2 of 18, 3 of 50 or 5 of 100 with the other defaults. FaultsMin,
	// unless it is 0, is how many count before CallsMin instead.
	CallsMin  uint64 `json:"calls_min,omitempty"`
	FaultsMin uint64 `json:"faults_min,omitempty"`
	// Quiet is what becomes of a candidate that had fewer than CallsMin questions in a step of its
	// canary or in its watch, after up to as long again: QuietPromote (the default) goes on, and
	// the next event tells; QuietRollback ends it.
	Quiet string `json:"quiet,omitempty"`
	// Faults is by how much the share of questions without an answer may be above that of the
	// active version: 0.01. 1 judges no faults.
	Faults float64 `json:"faults,omitempty"`
	// LatencyRatio is how many times slower than the active version the candidate may be, in the
	// latency that 90 of 100 calls do not exceed: 4. Below 0 it is not judged. Below LatencyMin, 20
	// µs, nothing is slow. Eight calls are enough where their fuel says the same as their time.
	LatencyRatio float64       `json:"latency_ratio,omitempty"`
	LatencyMin   time.Duration `json:"latency_min,omitempty"`
	// LatencyMax is what that latency may be whatever the active version does; 0 judges nothing.
	LatencyMax time.Duration `json:"latency_max,omitempty"`
	// Refused is how far the share of calls that let something not through may be from that of the
	// active version, either way; 0 judges nothing.
	Refused float64 `json:"refused,omitempty"`
}

func (t Thresholds) validate() error {
	switch {
	case !share(t.Faults) || !share(t.Refused):
		return errors.New("thresholds: faults and refused are shares from 0 to 1")
	case t.LatencyMin < 0 || t.LatencyMax < 0:
		return fmt.Errorf("thresholds: latency_min and latency_max are not below 0")
	case t.LatencyRatio > 0 && t.LatencyRatio < 1:
		return fmt.Errorf("thresholds: latency_ratio: 1 or more, or below 0")
	}
	return validQuiet(t.Quiet)
}

func (t Thresholds) filled() Thresholds {
	if t.CallsMin == 0 {
		t.CallsMin = 50
	}
	if t.Faults == 0 {
		t.Faults = 0.01
	}
	if t.LatencyRatio == 0 {
		t.LatencyRatio = 4
	}
	if t.LatencyMin == 0 {
		t.LatencyMin = 20 * time.Microsecond
	}
	return t
}

// judge answers why the candidate must go, or nothing. whole is what stands for the active version
// where that was asked too little meanwhile.
func (t Thresholds) judge(span Health, whole Side) string {
	c, a := span.Candidate, span.Active
	if a.asked() < t.CallsMin {
		a = whole
	}
	for _, why := range []string{t.faults(c, a), t.latency(c, a, whole), t.refused(c, a)} {
		if why != "" {
			return why
		}
	}
	return ""
}

func (t Thresholds) faults(c, a Side) string {
	if c.Unheard { // of its one guest, which is replaced meanwhile
		c.Faults.Absent = 0
	}
	n, of := c.Faults.sum(), c.asked()
	if of == 0 || t.Faults >= 1 {
		return ""
	}
	beside := 0.0
	if a.asked() >= t.CallsMin {
		beside = ratio(a.Faults.sum(), a.asked())
	}
	if ratio(n, of)-beside <= t.Faults || !t.tells(c, t.Faults+beside) {
		return ""
	}
	f := c.Faults
	return fmt.Sprintf("%d of %d questions had no answer (trap %d, fuel %d, depth %d, garbage %d, "+
		"too large %d, no guest %d, other %d); %.2f %% above the active version are allowed",
		n, of, f.Trap, f.Fuel, f.Depth, f.Garbage, f.TooLarge, f.Absent, f.Other, t.Faults*100)
}

// tells says whether the faults are more than chance makes of that share, which is allowed.
func (t Thresholds) tells(c Side, allowed float64) bool {
	n, of := c.Faults.sum(), c.asked()
	if of < t.CallsMin {
		if t.FaultsMin > 0 {
			return n >= t.FaultsMin
		}
		// Who finds nobody is no evidence of its own: it follows from another fault.
		n, of = n-c.Faults.Absent, of-c.Faults.Absent
	}
	return n > 1 && (float64(of)*allowed > manyFaults || chance(n, of, allowed)*chanceOf <= 1)
}

// manyFaults are so many that chance does not matter.
const manyFaults = 20

// chanceOf: a version whose faults are just at the limit is taken for a worse one once in so many
// times.
const chanceOf = 70

// chance is how likely n or more of so many calls fail if a share p of all does.
func chance(n, of uint64, p float64) float64 {
	if p >= 1 {
		return 1
	}
	exactly, fewer := math.Pow(1-p, float64(of)), 0.0
	for k := range n {
		fewer += exactly
		exactly *= float64(of-k) / float64(k+1) * p / (1 - p)
	}
	return 1 - fewer
}

func (t Thresholds) latency(c, a, whole Side) string {
	slow, calls := c.slowest()
	if calls < t.CallsMin || c.Unheard {
		return t.laborious(c, a)
	}
	if t.LatencyMax > 0 && slow > t.LatencyMax {
		return fmt.Sprintf("10 of 100 calls take up to %s or longer; %s is allowed",
			slow, t.LatencyMax)
	}
	usual, of := a.slowest()
	if of < t.CallsMin {
		usual, of = whole.slowest()
	}
	if of < t.CallsMin || t.LatencyRatio < 0 || slow < t.LatencyMin || usual == 0 ||
		float64(slow) <= t.LatencyRatio*float64(usual) {
		return ""
	}
	return fmt.Sprintf("10 of 100 calls take up to %s or longer, with the active version %s; "+
		"%g times that is allowed", slow, usual, t.LatencyRatio)
}

// laboriousMin calls say enough of a candidate that is slow because it computes more. Time alone
// does not so early: the machine may have been busy with something else.
const laboriousMin = 8

func (t Thresholds) laborious(c, a Side) string {
	slow, calls := c.within(50)
	usual, of := a.slowest()
	if t.LatencyRatio < 0 || calls < laboriousMin || of < t.CallsMin || a.Fuel == 0 ||
		slow < t.LatencyMin || usual == 0 || float64(slow) <= t.LatencyRatio*float64(usual) {
		return ""
	}
	work, had := ratio(c.Fuel, calls), ratio(a.Fuel, of)
	if work <= t.LatencyRatio*had {
		return ""
	}
	return fmt.Sprintf("half of its first %d calls take up to %s or longer and %.0f of fuel, with "+
		"the active version 90 of 100 take up to %s and %.0f; %g times that is allowed", calls,
		slow, work, usual, had, t.LatencyRatio)
}

func (t Thresholds) refused(c, a Side) string {
	if t.Refused == 0 || c.Calls < t.CallsMin || a.Calls < t.CallsMin {
		return ""
	}
	share, usual := ratio(c.Refused, c.Calls), ratio(a.Refused, a.Calls)
	if max(share-usual, usual-share) <= t.Refused {
		return ""
	}
	return fmt.Sprintf("it refuses %.1f %% of what it is asked, the active version %.1f %%; "+
		"a difference of %.1f %% is allowed", share*100, usual*100, t.Refused*100)
}

func ratio(n, of uint64) float64 { return float64(n) / float64(of) }

// recentMin is the least length of the short span that is judged; it ends at twice that.
const recentMin = 2 * time.Second

// watcher judges one candidate through one step.
type watcher struct {
	thresholds    Thresholds
	first         Health // as the step began
	recent, newer Health // the short span began at recent, the next one begins at newer
	turned        time.Time
	places        []*watcher // one by one
}

func newWatcher(at time.Time, t Thresholds, h Health) *watcher {
	w := &watcher{thresholds: t.filled(), first: h, recent: h, newer: h, turned: at}
	for i := range h.Places {
		w.places = append(w.places, newWatcher(at, t, h.Places[i].health()))
	}
	return w
}

func (p *PlaceHealth) health() Health { return Health{Candidate: p.Candidate, Active: p.Active} }

// eased says whether the candidate has begun to answer and is to be waited for.
func (w *watcher) eased(h Health) bool {
	n := h.Candidate.since(w.first.Candidate).asked()
	return n > 0 && n < easedCalls
}

// look answers why the candidate must go, or nothing.
func (w *watcher) look(at time.Time, h Health) string {
	for i, place := range w.places {
		if why := place.look(at, h.Places[i].health()); why != "" {
			return h.Places[i].Place + ": " + why
		}
	}
	for _, was := range []Health{w.first, w.recent} {
		span := Health{Candidate: h.Candidate.since(was.Candidate),
			Active: h.Active.since(was.Active)}
		if why := w.thresholds.judge(span, h.Active); why != "" {
			return why
		}
	}
	if at.Sub(w.turned) >= recentMin {
		w.recent, w.newer, w.turned = w.newer, h, at
	}
	return ""
}
