//go:build unix

package canary

import (
	"fmt"
	"testing"

	"github.com/hpmq/hpmq/sdk/client"
)

// Candidates among devices of two tenants, with those of another listener beside.
func TestCandidates(t *testing.T) {
	w := open(t)
	w.join("main", 10)
	w.user = "acme"
	w.join("main", 10)
	w.join("other", 20)
	w.whoIsSelectedStays()
	w.theThirdTrapIsTheLast()
	w.widens()
}

// each has every device publish a message, and waits until all came.
func (w *world) each(class func(i int) byte) {
	w.Helper()
	for i, d := range w.devs {
		if err := d.publish(class(i)); err != nil {
			w.Fatal(err)
		}
	}
	w.arrived()
}

// arrived waits for all that was sent.
func (w *world) arrived() {
	w.Helper()
	want := w.sent()
	w.until("all messages arrive", func() bool { return w.seen.count() >= want })
}

func harmless(int) byte { return 1 }

// A candidate that traps on one message of ten goes back at the third that it does not answer, as
// long as that takes: until then nobody publishes more.
func (w *world) theThirdTrapIsTheLast() {
	w.Helper()
	w.each(harmless)
	n := w.change("trapping")
	n.Canary = &client.CanaryPlan{
		Tenants: []string{"acme"}, Steps: []client.CanaryStep{{Dwell: "1h"}},
	}
	w.submit(n)
	w.reaches("trapping", "canary")
	w.seen.begin()
	bad := 0
	for i := 0; bad < 3; i++ {
		if i == 1000 {
			w.Fatalf("after %d messages %d have no answer: %+v", i, bad, w.get("trapping"))
		}
		d := w.devs[i%20]
		class := byte(1)
		if (i+i/20)%10 == 9 { // of another device each round
			class = 10
		}
		if err := d.publish(class); err != nil {
			w.Fatal(err)
		}
		w.arrived()
		s, _, _ := w.seen.now()
		bad = int(s.by[byNobody])
	}
	c := w.reaches("trapping", "rolled back")
	w.each(func(int) byte { return 10 })
	s, _, _ := w.seen.now()
	if s.by[byNobody] != 3 || w.seen.wrong > 0 {
		w.Errorf("%d messages were not answered, %d are wrong: %s", s.by[byNobody], w.seen.wrong,
			c.Why)
	}
	w.serves("afterwards", func(int) bool { return false })
}

// Whom a selector names is answered by the candidate, each time, and nobody else is; who is in a
// step is in the next.
func (w *world) whoIsSelectedStays() {
	w.Helper()
	for _, tc := range []struct {
		id   string
		plan client.CanaryPlan
		want func(i int) bool
	}{
		{"clients", client.CanaryPlan{Clients: []string{"dev-3", "dev-30"}},
			func(i int) bool { return i == 3 }},
		{"filter", client.CanaryPlan{Filters: []string{"m/7/+"}},
			func(i int) bool { return i%10 == 7 }},
		{"both", client.CanaryPlan{Clients: []string{"dev-3", "dev-17"},
			Filters: []string{"m/7/#"}, All: true}, func(i int) bool { return i == 17 }},
		{"tenant", client.CanaryPlan{Tenants: []string{"acme"}},
			func(i int) bool { return i >= 10 }},
	} {
		n := w.change("good")
		n.ID, n.Canary = tc.id, &tc.plan
		n.Canary.Steps = []client.CanaryStep{{Percent: 0, Dwell: "1h"}}
		w.submit(n)
		w.reaches(tc.id, "canary")
		want := func(i int) bool { return i < 20 && tc.want(i) }
		// Its record comes before it serves anybody.
		w.until(tc.id+" serves", func() bool { w.each(harmless); return len(w.others(want)) == 0 })
		for range 3 {
			w.each(harmless)
			w.serves(tc.id, want)
		}
		if _, err := w.api.Cancel(w.Context(), tc.id, ""); err != nil {
			w.Fatal(err)
		}
	}
}

// serves says who is answered by the candidate.
func (w *world) serves(id string, want func(i int) bool) {
	w.Helper()
	for _, wrong := range w.others(want) {
		w.Errorf("%s: %s", id, wrong)
	}
}

// others are the devices that are not answered by whom they should.
func (w *world) others(want func(i int) bool) (list []string) {
	for i, mark := range w.seen.marks() {
		if got := mark == byCandidate; got != want(i) {
			list = append(list, fmt.Sprintf("device %d is answered by %c", i, mark))
		}
	}
	return list
}

// widens goes from step to step: nobody goes back.
func (w *world) widens() {
	w.Helper()
	n := w.change("good")
	n.ID, n.Canary = "steps", &client.CanaryPlan{}
	for p := range 4 {
		n.Canary.Steps = append(n.Canary.Steps,
			client.CanaryStep{Percent: float64(p)*20 + 10, Dwell: "500ms"})
	}
	w.each(harmless)
	w.seen.begin()
	w.submit(n)
	for !w.get("steps").Ended {
		w.each(harmless)
	}
	w.reaches("steps", "done")
	w.each(harmless)
	w.serves("steps", func(i int) bool { return i < 20 })
	if _, forth, back := w.seen.now(); forth != 1 || back != 0 || w.seen.wrong > 0 {
		w.Errorf("a device went forth %d times and back %d, %d messages are wrong", forth, back,
			w.seen.wrong)
	}
}
