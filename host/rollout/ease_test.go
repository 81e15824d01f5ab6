package rollout

import (
	"strings"
	"testing"
	"time"
)

// percents are the shares of the clients that a plan served, one after the other.
func (p *plan) percents() (list []float64) {
	for _, s := range p.selected {
		list = append(list, s.Percent)
	}
	return list
}

// TestAStepThatNobodyAsksIsNoStep: the next one begins with as few as that one ended with, and is
// as wide as it is to be at once where the candidate was asked enough before.
func TestAStepThatNobodyAsksIsNoStep(t *testing.T) {
	for _, tc := range []struct {
		name   string
		asks   float64 // percents from which on the candidate is asked
		second float64 // what the second step begins with
		told   bool
	}{
		{"asked in the first", 0.1, 50, false},
		{"asked in the second", 3, 0.2, true},
		{"never asked", 100, 0.2, true},
	} {
		w := newWorld(t)
		w.noShadow = errDisk
		var calls uint64
		w.ticked = func(time.Time) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if s := w.plans[0].percents(); len(s) > 0 && s[len(s)-1] >= tc.asks {
				calls += 8
			}
		}
		w.health = func(*plan) Health {
			w.mu.Lock()
			defer w.mu.Unlock()
			return Health{Candidate: Side{Calls: calls}, Active: Side{Calls: 1000}}
		}
		m, _ := w.open(Default())
		c := submit(t, m, steps(swap("1", "rules@2.0.0"), 0.1, 50))
		if c.State != Done {
			t.Fatalf("%s: %s: %s", tc.name, c.State, c.Why)
		}
		all := w.plans[0].percents()
		second := len(all)
		for i, p := range all {
			if p > 0.1 {
				second = min(second, i)
			}
		}
		if all[second] != tc.second {
			t.Errorf("%s: %v", tc.name, all)
		}
		told := false
		for _, k := range c.Marks {
			told = told || strings.Contains(k.Why, "canary step 1 had nobody who asked in 2m0s")
		}
		if told != tc.told {
			t.Errorf("%s: %+v", tc.name, c.Marks)
		}
	}
}

// TestWhatStandsStillIsDoneRarely: where loops stand still to hand over a state, for a hundredth of
// the time at most, and not at all to ease in where there is no time for that.
func TestWhatStandsStillIsDoneRarely(t *testing.T) {
	for _, tc := range []struct {
		took time.Duration
		most int // parts of the step
	}{{0, 15}, {10 * time.Millisecond, 15}, {40 * time.Millisecond, 5}, {time.Second, 2}} {
		w := newWorld(t)
		w.noShadow, w.handsOver = errDisk, tc.took
		m, _ := w.open(Default())
		began := w.Now()
		c := submit(t, m, steps(swap("1", "rules@2.0.0"), 100))
		n := len(w.plans[0].selected)
		if c.State != Done || n > tc.most || n < tc.most-1 {
			t.Errorf("%v: %s with %d parts: %v", tc.took, c.State, n, w.plans[0].percents())
		}
		if took := w.Now().Sub(began); took > 2*time.Minute+time.Second+tc.took {
			t.Errorf("%v: it took %v", tc.took, took)
		}
	}
}

// TestAShadowIsJudgedPlaceByPlace, as a canary is: what fails at one with little to do is not lost.
func TestAShadowIsJudgedPlaceByPlace(t *testing.T) {
	w := newWorld(t)
	w.health = func(*plan) Health {
		return Health{Places: []PlaceHealth{{Place: "a router[0]"}, {Place: "b router[0]"}}}
	}
	rare := side(40, 2, usual)
	w.comparing = func() Comparison {
		if len(w.plans[0].shadows) == 0 {
			return Comparison{}
		}
		busy := side(10000, 0, usual)
		sum := side(10040, 0, usual)
		sum.Faults = rare.Faults
		return Comparison{Asked: 10040, Candidate: sum, Places: []Side{busy, rare}}
	}
	m, _ := w.open(Default())
	q := swap("1", "rules@2.0.0")
	q.Shadow.For = time.Minute
	c := submit(t, m, q)
	if c.State != RolledBack || !strings.HasPrefix(c.Why, "b router[0]: 20 of 40 questions") {
		t.Errorf("%s: %s", c.State, c.Why)
	}
}

// TestWhatItRefusesUnheardIsNoFault: that is not counted there.
func TestWhatItRefusesUnheardIsNoFault(t *testing.T) {
	w := newWorld(t)
	var asked uint64
	w.health = func(p *plan) Health {
		h := busy()(p)
		asked += 100
		h.Candidate = Side{}
		h.Active = Side{Calls: asked, Refused: asked}
		if len(p.percents()) > 0 { // it serves, and refuses as much
			h.Candidate = Side{Calls: asked, Refused: asked}
		}
		return h
	}
	w.comparing = func() Comparison {
		return Comparison{Asked: min(asked, unheardCalls-1), Candidate: Side{Calls: asked}}
	}
	m, _ := w.open(Default())
	q := steps(swap("1", "rules@2.0.0"), 5)
	q.Thresholds.Refused = 0.1
	if c := submit(t, m, q); c.State != Done {
		t.Errorf("%s: %s", c.State, c.Why)
	}
}

// TestAStepSaysWhomItServes in the record of the change: the percent alone say nothing of a list.
func TestAStepSaysWhomItServes(t *testing.T) {
	named := CanaryPlan{Steps: []CanaryStep{{0, time.Minute}, {2.5, time.Minute}},
		Clients: []string{"m3"}, Filters: []string{"a/#", "b", "c", "d", "e"}}
	all := CanaryPlan{Steps: []CanaryStep{{5, time.Minute}}, Tenants: []string{"x", "y"}, All: true}
	long := CanaryPlan{Steps: named.Steps, Clients: []string{strings.Repeat("ä", 70)}}
	for want, got := range map[string]string{
		"client m3 or filter a/#, b, c and 2 more":          named.whom(0),
		"2.5 % or client m3 or filter a/#, b, c and 2 more": named.whom(1),
		"5 % and tenant x, y":                               all.whom(0),
		"client " + strings.Repeat("ä", 64):                 long.whom(0),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	w := newWorld(t)
	m, _ := w.open(Default())
	q := swap("1", "rules@2.0.0")
	q.Canary = named
	c := submit(t, m, q)
	var whys []string
	for _, k := range c.Marks {
		if k.State == Canary {
			whys = append(whys, k.Why)
		}
	}
	if len(whys) != 2 || !strings.HasPrefix(whys[0], named.whom(0)) ||
		!strings.HasPrefix(whys[1], named.whom(1)) {
		t.Errorf("%q", whys)
	}
}
