package rollout

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// side counts calls of which each nth faults, at one latency.
func side(calls, nth uint64, latency time.Duration) Side {
	s := Side{Calls: calls}
	if nth > 0 {
		s.Faults.Trap = calls / nth
	}
	for up := time.Microsecond; up <= time.Second; up *= 2 {
		b := Bucket{UpTo: up}
		if latency <= up && latency > up/2 {
			b.Count = calls
		}
		s.Latency = append(s.Latency, b)
	}
	return s
}

// spent is s whose calls took so much fuel each.
func (s Side) spent(each uint64) Side {
	s.Fuel = s.Calls * each
	return s
}

func unheard(s Side) Side {
	var sum Side
	sum.addUnheard(&s)
	return sum
}

func TestJudge(t *testing.T) {
	const quick, slow = 3 * time.Microsecond, 60 * time.Microsecond
	good := side(10000, 0, quick)
	measured := good.spent(1000)
	for _, tc := range []struct {
		name  string
		t     Thresholds
		c, a  Side
		whole Side
		why   string // "" for a good one
	}{
		{"good", Thresholds{}, side(100, 0, quick), good, good, ""},
		{"nobody asked", Thresholds{}, Side{}, good, good, ""},
		{"traps", Thresholds{}, side(100, 10, quick), good, good, "10 of 100 questions"},
		{"traps, too few to say", Thresholds{}, side(20, 10, quick), good, good, ""},
		{"three faults are enough", Thresholds{}, side(30, 10, quick), good, good, "3 of 30"},
		{"two faults at once", Thresholds{}, side(2, 1, quick), good, good, "2 of 2"},
		{"two faults of some", Thresholds{}, side(18, 9, quick), good, good, "2 of 18"},
		{"a first fault", Thresholds{}, side(1, 1, quick), good, good, ""},
		{"a fault that leaves nobody", Thresholds{},
			Side{Calls: 9, Faults: Faults{Trap: 1, Absent: 30}}, good, good, ""},
		{"more is allowed", Thresholds{Faults: 0.2}, side(30, 10, quick), good, good, ""},
		{"more is allowed than so much", Thresholds{Faults: 0.2}, side(12, 1, quick), good, good,
			"12 of 12"},
		{"one of fifty", Thresholds{}, side(50, 50, quick), good, good, ""},
		{"three of fifty", Thresholds{}, side(50, 16, quick), good, good, "3 of 50"},
		{"a little more than is allowed, of many", Thresholds{}, side(100000, 90, quick), good,
			good, "1111 of 100000"},
		{"as many as it says", Thresholds{FaultsMin: 4}, side(30, 10, quick), good, good, ""},
		{"few faults of many", Thresholds{}, side(1000, 200, quick), good, good, ""},
		{"poison for both", Thresholds{}, side(100, 10, quick), side(1000, 10, quick), good, ""},
		{"faults are let be", Thresholds{Faults: 1}, side(100, 2, quick), good, good, ""},
		{"an open breaker", Thresholds{}, Side{Calls: 2, Faults: Faults{Trap: 2, Absent: 500}},
			good, good, "no guest 500"},
		{"20 times slower", Thresholds{}, side(100, 0, slow), good, good, "64µs"},
		{"slower, too few to say", Thresholds{}, side(20, 0, slow), good, good, ""},
		{"slower by work", Thresholds{}, side(8, 0, slow).spent(20000), measured, good,
			"half of its first 8 calls"},
		{"slower by work, too few", Thresholds{}, side(7, 0, slow).spent(20000), measured, good,
			""},
		{"more work in no time", Thresholds{}, side(8, 0, quick).spent(20000), measured, good, ""},
		{"a busy machine", Thresholds{}, side(49, 0, slow).spent(1000), measured, good, ""},
		{"slower by work, let be", Thresholds{LatencyRatio: -1}, side(8, 0, slow).spent(20000),
			measured, good, ""},
		{"unheard, a fault that leaves nobody", Thresholds{},
			unheard(Side{Calls: 100, Faults: Faults{Trap: 1, Absent: 40}}), good, good, ""},
		{"unheard, by time alone", Thresholds{}, unheard(side(100, 0, slow).spent(1000)),
			measured, good, ""},
		{"unheard, by work", Thresholds{}, unheard(side(100, 0, slow).spent(20000)), measured,
			good, "20000 of fuel"},
		{"slower, nobody beside", Thresholds{}, side(100, 0, slow), Side{}, Side{}, ""},
		{"slower than before", Thresholds{}, side(100, 0, slow), Side{}, good, "64µs"},
		{"slow is let be", Thresholds{LatencyRatio: -1}, side(100, 0, slow), good, good, ""},
		{"not slow to a person", Thresholds{LatencyMin: time.Second}, side(100, 0, slow), good,
			good, ""},
		{"above the limit", Thresholds{LatencyRatio: -1, LatencyMax: 50 * time.Microsecond},
			side(100, 0, slow), good, good, "50µs is allowed"},
		{"refuses", Thresholds{Refused: 0.1}, Side{Calls: 100, Refused: 30}, good, good,
			"refuses 30.0 %"},
		{"refuses no more", Thresholds{Refused: 0.1}, Side{Calls: 100},
			Side{Calls: 1000, Refused: 300}, good, "refuses 0.0 %"},
		{"refuses, unjudged", Thresholds{}, Side{Calls: 100, Refused: 30}, good, good, ""},
		{"too large", Thresholds{}, Side{Faults: Faults{TooLarge: 9}}, good, good, "9 of 9"},
	} {
		why := tc.t.filled().judge(Health{Candidate: tc.c, Active: tc.a}, tc.whole)
		if (why == "") != (tc.why == "") || !strings.Contains(why, tc.why) {
			t.Errorf("%s: %q", tc.name, why)
		}
	}
}

// traffic is 1,000 messages a second on listener a. A canary of some percent gets that share, in
// whole messages.
type traffic struct {
	percent        float64
	candidate      func(at time.Duration) (nth uint64, latency time.Duration)
	health         Health
	unheard        Side
	noShadow       error
	share, all     float64
	at             time.Duration
	touched, total uint64
	// decides is when it could be known: from 3 faults on, or 2 of few calls, or 8 slow ones.
	decides time.Duration
}

// tick adds the messages until at, with what of them a canary and a shadow get.
func (f *traffic) tick(at time.Duration, percent, shadow float64) {
	f.all += (at - f.at).Seconds() * 1000
	f.at = at
	messages := uint64(math.Floor(f.all)) - f.total
	f.share += float64(messages) * percent / 100
	n := uint64(math.Floor(f.share))
	f.share -= float64(n)
	nth, latency := f.candidate(at)
	add(&f.health.Candidate, n, nth, latency)
	add(&f.health.Active, messages-n, 0, 3*time.Microsecond)
	add(&f.unheard, uint64(float64(messages)*shadow), nth, latency)
	f.total += messages
	f.touched = f.health.Candidate.Calls
	traps := f.health.Candidate.Faults.Trap
	if f.decides == 0 && (traps >= 3 || traps >= 2 && f.touched <= 18 ||
		nth == 0 && latency > usual && f.touched >= laboriousMin) {
		f.decides = at
	}
}

func add(s *Side, n, nth uint64, latency time.Duration) {
	more := side(n, 0, latency)
	if nth > 0 {
		more.Faults.Trap = (s.Calls+n)/nth - s.Calls/nth
	}
	if s.Latency == nil {
		s.Latency = side(0, 0, 0).Latency
	}
	s.Calls += n
	s.Fuel += n * uint64(latency)
	s.Faults.Trap += more.Faults.Trap
	for i := range s.Latency {
		s.Latency[i].Count += more.Latency[i].Count
	}
}

// drive runs a change over traffic, and answers it with how long the candidate was bad in service.
func drive(
	t *testing.T, q Request, f *traffic, bad time.Duration,
) (Change, time.Duration, *Machine) {
	t.Helper()
	w := newWorld(t)
	w.noShadow = f.noShadow
	m, _ := w.open(Default())
	began := w.now
	var ended time.Time
	w.ticked = func(now time.Time) {
		w.mu.Lock()
		percent, shadow := w.plans[0].gets()
		w.mu.Unlock()
		f.tick(now.Sub(began), percent, shadow)
		ended = now
	}
	w.health = func(*plan) Health {
		h := f.health
		h.Candidate.Latency = slices.Clone(h.Candidate.Latency)
		h.Active.Latency = slices.Clone(h.Active.Latency)
		return h
	}
	w.comparing = func() Comparison {
		c := Comparison{Asked: f.unheard.Calls, Failed: f.unheard.Faults.sum()}
		c.Candidate = f.unheard
		c.Candidate.Latency = slices.Clone(c.Candidate.Latency)
		c.Matched = c.Asked - c.Failed
		return c
	}
	c := submit(t, m, q)
	return c, ended.Sub(began) - bad, m
}

// gets is what of the traffic is the candidate's: percents of the clients, and the share that it is
// asked beside the active version. The world is held.
func (p *plan) gets() (percent, shadow float64) {
	if n := len(p.selected); n > 0 {
		percent = p.selected[n-1].Percent
	}
	if n := len(p.did); n > 0 && p.did[n-1] == "commit" {
		percent = 100
	}
	if n := len(p.shadows); n > 0 {
		shadow = p.shadows[n-1]
	}
	return percent, shadow
}

func steps(q Request, percents ...float64) Request {
	for _, p := range percents {
		q.Canary.Steps = append(q.Canary.Steps, CanaryStep{p, time.Minute})
	}
	return q
}

const usual = 3 * time.Microsecond

var bads = map[string]func(time.Duration) (uint64, time.Duration){
	"traps on 10 %":   func(time.Duration) (uint64, time.Duration) { return 10, usual },
	"traps always":    func(time.Duration) (uint64, time.Duration) { return 1, usual },
	"20 times slower": func(time.Duration) (uint64, time.Duration) { return 0, 20 * usual },
}

// TestABadCanaryServesNobody: it is asked beside the active version first.
func TestABadCanaryServesNobody(t *testing.T) {
	for name, candidate := range bads {
		f := &traffic{candidate: candidate}
		c, took, m := drive(t, steps(swap("1", "rules@2.0.0"), 5, 100), f, 0)
		const says = "unheard, before it served anybody: "
		if c.State != RolledBack || !strings.HasPrefix(c.Why, says) ||
			f.touched > 0 || took > time.Second || len(m.Quarantine()) != 1 {
			t.Errorf("%s: %s after %s and %d messages: %s", name, c.State, took, f.touched, c.Why)
		}
		if s, ok := m.Shadowed("1"); !ok || s.Asked == 0 {
			t.Errorf("%s: nobody is told what it was asked: %+v", name, s)
		}
	}
}

// TestNobodyIsRehearsedTwice, nor before those who are named.
func TestNobodyIsRehearsedTwice(t *testing.T) {
	for what, change := range map[string]func(q *Request){
		"a shadow": func(q *Request) { q.Shadow.For = time.Second },
		"named":    func(q *Request) { q.Canary.Tenants = []string{"acme"} },
	} {
		w := newWorld(t)
		m, _ := w.open(Default())
		q := steps(swap("1", "rules@2.0.0"), 5)
		change(&q)
		c := submit(t, m, q)
		if n := len(w.plans[0].shadows); c.State != Done || n != 2*strings.Count(what, "shadow") {
			t.Errorf("%s: %s with %d shadows", what, c.State, n)
		}
	}
}

// Where it cannot be asked so, it goes back by what few clients ask.
func TestABadCanaryGoesBackByItself(t *testing.T) {
	for name, candidate := range bads {
		f := &traffic{candidate: candidate, noShadow: errors.New("it has a state")}
		c, took, m := drive(t, steps(swap("1", "rules@2.0.0"), 5, 100), f, 0)
		if c.State != RolledBack || routerOf(m) != "config" {
			t.Fatalf("%s: %s: %s", name, c.State, c.Why)
		}
		// The step begins with few clients: of 1,000 messages a second it takes a while until three
		// have no answer.
		if late := took - f.decides; late > lookEvery || f.touched > 55 ||
			f.touched*100 > f.total {
			t.Errorf("%s: went back after %s, %s late, and %d of %d messages: %s", name, took, late,
				f.touched, f.total, c.Why)
		}
		if q := m.Quarantine(); len(q) != 1 || q[0].Digest != "sha256:rules@2.0.0" ||
			q[0].Change != "1" {
			t.Errorf("%s: quarantine %+v", name, q)
		}
	}
}

// A candidate that stirs is looked at though no time goes by.
func TestWhatStirsIsLookedAtAtOnce(t *testing.T) {
	w := newWorld(t)
	w.noShadow = errors.New("it has a state")
	w.stirred = make(chan struct{}, 1)
	w.stuck = func() bool { return true }
	w.health = func(p *plan) Health {
		if p.done() != "" { // it serves
			return Health{Candidate: side(30, 10, usual)}
		}
		return Health{}
	}
	w.wrote = func(s State) {
		if s == Canary {
			w.stirred <- struct{}{}
		}
	}
	m, _ := w.open(Default())
	began := w.Now()
	c := submit(t, m, steps(swap("1", "rules@2.0.0"), 5))
	if c.State != RolledBack || !strings.Contains(c.Why, "3 of 30") {
		t.Errorf("%s: %s", c.State, c.Why)
	}
	if took := w.Now().Sub(began); took > lookEvery {
		t.Errorf("after %s", took)
	}
}

func TestACanaryThatTurnsBadLateGoesBackAsFast(t *testing.T) {
	const late = 50 * time.Second
	for name, bad := range map[string]func() (uint64, time.Duration){
		"traps":  func() (uint64, time.Duration) { return 10, usual },
		"slower": func() (uint64, time.Duration) { return 0, 20 * usual },
	} {
		f := &traffic{candidate: func(at time.Duration) (uint64, time.Duration) {
			if at > late {
				return bad()
			}
			return 0, usual
		}}
		c, took, _ := drive(t, steps(swap("1", "rules@2.0.0"), 50, 100), f, late)
		if c.State != RolledBack || took > 2*time.Second {
			t.Errorf("%s: %s after %s: %s", name, c.State, took, c.Why)
		}
	}
}

// TestAPlaceIsJudgedByItself: what fails at a place with little to do is not lost among the answers
// of another.
func TestAPlaceIsJudgedByItself(t *testing.T) {
	at := time.Unix(0, 0)
	health := func(calls uint64) (h Health) {
		busy, rare := side(calls*100, 0, usual), side(calls, 2, usual)
		h.Candidate = side(calls*101, 0, usual)
		h.Candidate.Faults.Trap = rare.Faults.Trap
		h.Places = []PlaceHealth{
			{Place: "a router[0]", Candidate: busy}, {Place: "b router[0]", Candidate: rare},
		}
		return h
	}
	why := newWatcher(at, Thresholds{}, health(0)).look(at.Add(time.Second), health(400))
	if !strings.HasPrefix(why, "b router[0]: 200 of 400 questions had no answer") {
		t.Errorf("%q", why)
	}
}

// TestLatencyIsJudgedByWhatWasMeasured: in a span in which the active version was asked, and hardly
// measured, its whole life stands for it.
func TestLatencyIsJudgedByWhatWasMeasured(t *testing.T) {
	active := side(1000, 0, usual)
	span := Health{Candidate: side(60, 0, 100*usual), Active: Side{Calls: 600}}
	if why := (Thresholds{}).filled().judge(span, active); !strings.Contains(why, "4 times") {
		t.Errorf("%q", why)
	}
}

func TestWhatTurnsBadAfterTheCommitGoesBackWarm(t *testing.T) {
	const late = 2*time.Minute + 10*time.Second
	f := &traffic{candidate: func(at time.Duration) (uint64, time.Duration) {
		if at > late {
			return 10, usual
		}
		return 0, usual
	}}
	q := steps(swap("1", "rules@2.0.0"), 5, 50)
	q.Watch = time.Minute
	c, took, m := drive(t, q, f, late)
	if c.State != RolledBack || took > 2*time.Second || routerOf(m) != "config" ||
		len(m.Quarantine()) != 1 {
		t.Errorf("%s after %s: %s", c.State, took, c.Why)
	}
}

func TestAGoodCanaryIsPromotedWithoutHands(t *testing.T) {
	f := &traffic{candidate: func(time.Duration) (uint64, time.Duration) { return 0, usual }}
	q := steps(swap("1", "rules@2.0.0"), 1, 10, 100)
	q.Watch = time.Minute
	c, took, m := drive(t, q, f, 0)
	if c.State != Done || routerOf(m) != "rules@2.0.0" || took != 4*time.Minute {
		t.Errorf("%s after %s: %s", c.State, took, c.Why)
	}
}

func TestQuarantine(t *testing.T) {
	w := newWorld(t)
	cfg := Default()
	cfg.QuarantineMax = 2
	m, _ := w.open(cfg)
	bad := func(id, source string, force bool) Change {
		t.Helper()
		w.health = func(*plan) Health {
			n := uint64(w.Now().Unix())
			return Health{Candidate: Side{Calls: n, Faults: Faults{Fuel: n}}}
		}
		q := steps(swap(id, source), 5, 50)
		q.Force = force
		c := submit(t, m, q)
		w.health = nil
		return c
	}
	if c := bad("1", "rules@2.0.0", false); c.State != RolledBack {
		t.Fatalf("%s: %s", c.State, c.Why)
	}
	c := submit(t, m, swap("2", "rules@2.0.0"))
	if c.State != Refused || c.Of != "quarantine" || !strings.Contains(c.Why, "change 1") {
		t.Errorf("again: %+v", c)
	}
	w = w.next()
	m, _ = w.open(cfg)
	if c := submit(t, m, swap("3", "rules@2.0.0")); c.Of != "quarantine" {
		t.Errorf("after a restart: %+v", c)
	}
	if c := bad("4", "rules@2.0.0", true); c.State != RolledBack || len(m.Quarantine()) != 1 {
		t.Errorf("forced and bad: %+v, %+v", c, m.Quarantine())
	}
	q := swap("5", "rules@2.0.0")
	q.Force = true
	if c := submit(t, m, q); c.State != Done || len(m.Quarantine()) != 0 {
		t.Errorf("forced and good: %+v, %+v", c, m.Quarantine())
	}
	bad("6", "x@1.0.0", false)
	bad("7", "y@1.0.0", false)
	bad("8", "z@1.0.0", false)
	if q := m.Quarantine(); len(q) != 2 || q[0].Digest != "sha256:y@1.0.0" {
		t.Errorf("the newest two: %+v", q)
	}
	if err := m.Pardon("sha256:y@1.0.0", "bob"); err != nil || len(m.Quarantine()) != 1 {
		t.Errorf("pardon: %v, %+v", err, m.Quarantine())
	}
}

// TestAShadowThatRefusesMoreIsNoFault, but a difference; the same in a canary is one.
func TestAShadowThatRefusesMoreIsNoFault(t *testing.T) {
	for want, q := range map[State]Request{
		Done:       swap("1", "rules@2.0.0"),
		RolledBack: steps(swap("1", "rules@2.0.0"), 5),
	} {
		w := newWorld(t)
		w.health = func(*plan) Health {
			n := uint64(w.Now().UnixMilli())
			return Health{Candidate: Side{Calls: n, Refused: n}, Active: Side{Calls: n}}
		}
		m, _ := w.open(Default())
		q.Shadow.For, q.Thresholds.Refused = time.Minute, 0.1
		c := submit(t, m, q)
		if c.State != want || want == RolledBack && !strings.Contains(c.Why, "it refuses") ||
			!strings.Contains(states(c), "shadow") {
			t.Errorf("%s, want %s: %s", c.State, want, c.Why)
		}
	}
}
