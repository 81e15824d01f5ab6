//go:build unix

package canary

import (
	"math"
	"testing"
	"time"

	"github.com/hpmq/hpmq/sdk/client"
)

// byOther marks what the differing guest answers in another way: one message of twenty.
const (
	byOther = '?'
	differs = 1.0 / 20
)

// A shadow finds what differs, and nobody else notices it, among few devices.
func TestShadows(t *testing.T) {
	w := open(t)
	w.join("main", 20)
	// What differs is that of the same device each time, in its turn: a sample must not go in step.
	round := func() { w.each(func(i int) byte { return byte(1 + i) }) }
	w.refusesWhatDiffers(shadowed{id: "all", sample: 1, dwell: "2s", traffic: round})
	w.refusesWhatDiffers(shadowed{id: "half", sample: 0.5, dwell: "2s", traffic: round})
	w.promotesWhatMatches(shadowed{id: "enough", sample: 1, dwell: "1s", traffic: round})
	w.seen.begin()
	round()
	if s, _, _ := w.seen.now(); s.by[byOther] != 1 {
		w.Errorf("of %d messages of one that is linked %d are others", s.total, s.by[byOther])
	}
	// What a guest publishes goes its own way, and comes later than what it was asked about.
	w.until("each question was loud", func() bool {
		s, _, _ := w.seen.now()
		return s.loud >= 20
	})
}

// Beside real traffic too, which takes no longer for it.
func TestAShadowBesideTraffic(t *testing.T) {
	if !*full {
		t.Skip("for make canary")
	}
	w := open(t)
	w.join("main", *devices)
	stop := w.flow(*rate)
	// quiet is a span without a shadow.
	quiet := func() {
		w.seen.begin()
		w.until("20 s of messages have come", func() bool {
			s, _, _ := w.seen.now()
			return s.total >= uint64(*rate*20)
		})
		s, _, _ := w.seen.now()
		w.Logf("no shadow: %d messages, 99 of 100 within %v", s.total, s.within())
	}
	await := func() {
		most := w.seen.count() + uint64(*rate/10)
		w.until("some messages have come", func() bool { return w.seen.count() >= most })
	}
	quiet()
	for _, s := range []shadowed{{id: "all", sample: 1}, {id: "tenth", sample: 0.1}} {
		s.dwell, s.traffic = "20s", await
		w.refusesWhatDiffers(s)
		quiet()
	}
	w.promotesWhatMatches(shadowed{id: "enough", sample: 1, dwell: "10s", traffic: await})
	stop()
	w.arrived()
	w.Logf("in all %d messages: %d lost, twice or out of order, %d connections ended", w.sent(),
		w.seen.wrong, len(w.lost))
	if w.seen.wrong > 0 || len(w.lost) > 0 {
		t.Error("clients noticed")
	}
}

// shadowed is a shadow of the differing guest beside traffic, for a time.
type shadowed struct {
	id      string
	sample  float64
	dwell   string
	needs   float64 // the match rate
	traffic func()  // some of it
}

// run answers how that ended, and what was delivered until then.
func (s *shadowed) run(w *world) (client.Change, span) {
	w.Helper()
	s.traffic()
	w.seen.begin()
	n := w.change("differing")
	n.ID, n.Items[0].Grants = s.id, []string{"kv", "publish", "log"}
	n.Shadow = &client.ShadowPlan{For: s.dwell, Sample: s.sample, MatchMin: s.needs}
	w.submit(n)
	c, had := client.Change{}, span{}
	for !c.Ended {
		s.traffic()
		now, _, _ := w.seen.now()
		if c = w.get(s.id); c.State == "shadow" || c.State == "refused" {
			had = now
		}
	}
	if had.by[byActive] != had.total || had.loud > 0 || w.seen.wrong > 0 {
		w.Errorf("%s: the active version answered %d of %d, %d are wrong, a guest published %d",
			s.id, had.by[byActive], had.total, w.seen.wrong, had.loud)
	}
	return c, had
}

// refusesWhatDiffers: one message of twenty is too many, and the report says that it is so many.
func (w *world) refusesWhatDiffers(s shadowed) {
	w.Helper()
	s.needs = 0.99
	c, had := s.run(w)
	if c.State != "refused" || c.Of != "shadow" || c.Shadow == nil || c.Shadow.Asked == 0 {
		w.Fatalf("%s is %s at %q: %s", s.id, c.State, c.Of, c.Why)
	}
	f := c.Shadow
	share, off := 1-f.MatchRate, 4*math.Sqrt(differs*(1-differs)/float64(f.Asked))
	w.Logf("shadow of %g: %d messages, 99 of 100 within %v; %d compared, %.2f %% differ ± %.2f, "+
		"%d left out, %d failed", s.sample, had.total, had.within(), f.Asked, share*100, off*100,
		f.LeftOut, f.Failed)
	most := s.sample*float64(had.total) + 4*math.Sqrt(float64(had.total))
	if math.Abs(share-differs) > off || f.Failed > 0 || float64(f.Asked) > most ||
		len(f.Differences) == 0 {
		w.Errorf("%s: %.2f %% differ, want %.2f ± %.2f: %+v", s.id, share*100, differs*100,
			off*100, f)
	}
}

// promotesWhatMatches: it is linked without hands.
func (w *world) promotesWhatMatches(s shadowed) {
	w.Helper()
	s.needs = 0.9
	began := time.Now()
	c, _ := s.run(w)
	if c.State != "done" || c.Shadow == nil || c.Shadow.MatchRate < s.needs {
		w.Fatalf("%s is %s: %s: %+v", s.id, c.State, c.Why, c.Shadow)
	}
	w.Logf("a match rate of %.4f, %g are needed: %s after %v", c.Shadow.MatchRate, s.needs, c.State,
		time.Since(began).Round(time.Millisecond))
}
