//go:build unix

package canary

import (
	"flag"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/hpmq/hpmq/sdk/client"
)

var (
	full    = flag.Bool("full", false, "with real traffic, and judge times")
	rate    = flag.Int("rate", 5000, "messages a second of all devices")
	devices = flag.Int("devices", 300, "connections that publish")
	burners = flag.Int("burners", 2, "goroutines that keep the machine busy beside a good one")
)

// The aims.
const (
	backMax    = 2 * time.Second
	touchedMax = 0.001
)

// Beside real traffic a bad candidate goes back by itself before it matters, a good one is linked
// without hands though the machine has other things to do.
func TestBesideTraffic(t *testing.T) {
	if !*full {
		t.Skip("for make canary")
	}
	w := open(t)
	w.join("main", *devices)
	stop := w.flow(*rate)
	for _, first := range []float64{0.1, 1} {
		steps := []client.CanaryStep{{Percent: first, Dwell: "20s"}, {Percent: 50, Dwell: "20s"}}
		w.bad("trapping", steps)
		w.bad("slow", steps)
	}
	w.good()
	stop()
	w.arrived()
	w.Logf("in all %d messages: %d lost, twice or out of order, %d connections ended", w.sent(),
		w.seen.wrong, len(w.lost))
	if w.seen.wrong > 0 || len(w.lost) > 0 {
		t.Error("clients noticed")
	}
}

// flow has all devices publish, in turn, so many messages a second; the answer ends that.
func (w *world) flow(rate int) (stop func()) {
	const hands = 4
	end := make(chan struct{})
	var working sync.WaitGroup
	for hand := range hands {
		working.Go(func() {
			var mine []*device
			for i := hand; i < len(w.devs); i += hands {
				mine = append(mine, w.devs[i])
			}
			tick := time.NewTicker(2 * time.Millisecond)
			defer tick.Stop()
			began, sent := time.Now(), 0
			for {
				select {
				case <-end:
					return
				case <-tick.C:
				}
				due := int(time.Since(began).Seconds() * float64(rate/hands))
				for ; sent < due; sent++ {
					d := mine[sent%len(mine)]
					// Each class is as frequent as another, with each device.
					if err := d.publish(byte((sent + sent/len(mine)) % 100)); err != nil {
						d.end(err)
						return
					}
				}
			}
		})
	}
	return sync.OnceFunc(func() { close(end); working.Wait() })
}

// run submits a change and answers it when it has ended, with when that was heard.
func (w *world) run(n client.NewChange) (c client.Change, at time.Time) {
	w.Helper()
	w.seen.begin()
	w.submit(n)
	err := w.api.FollowChanges(w.Context(), 0, func(e *client.ChangeEvent) bool {
		at = time.Now()
		return e.Change != n.ID || e.State != "rolled back" && e.State != "done" &&
			e.State != "refused"
	})
	if err != nil {
		w.Fatal(err)
	}
	return w.get(n.ID), at
}

// bad has a candidate that must go back.
func (w *world) bad(name string, steps []client.CanaryStep) {
	w.Helper()
	n := w.change(name)
	n.ID = name + "-" + time.Now().Format("150405")
	n.Canary, n.Force = &client.CanaryPlan{Steps: steps}, true
	c, heard := w.run(n)
	before, _, _ := w.seen.now()
	w.until("what is under way has come", func() bool {
		s, _, _ := w.seen.now()
		return s.total > before.total+uint64(*rate/2)
	})
	s, forth, back := w.seen.now()
	s.total = before.total
	asked := s.by[byNobody] + s.by[byCandidate]
	touched, decides := asked, s.candidates
	if name == "trapping" {
		touched, decides = s.by[byNobody], s.unanswered
	}
	if c.State != "rolled back" || len(decides) < 3 {
		w.Errorf("%s is %s: %s", name, c.State, c.Why)
		return
	}
	decided := decides[min(map[string]int{"trapping": 3, "slow": 8}[name], len(decides))-1]
	share := float64(touched) / float64(s.total)
	w.Logf("%s, first step %g %%: touched %d of %d messages (%.4f %%), asked %d (%.4f %%); "+
		"last one %v after the one that decides, event %v after the first; %s", name,
		steps[0].Percent, touched, s.total, share*100, asked,
		float64(asked)/float64(s.total)*100, s.last.Sub(decided).Round(time.Millisecond/10),
		heard.Sub(decides[0]).Round(time.Millisecond), c.Why)
	if took := max(s.last.Sub(decided), heard.Sub(decides[0])); took > backMax {
		w.Errorf("%s went back after %v", name, took)
	}
	if share >= touchedMax {
		w.Errorf("%s touched %.4f %%", name, share*100)
	}
	if forth > 1 || back > 1 {
		w.Errorf("a device went forth %d times, back %d", forth, back)
	}
}

// good has a candidate that must be linked, while others want the processors too.
func (w *world) good() {
	w.Helper()
	defer burn(*burners)()
	n := w.change("good")
	n.Canary = &client.CanaryPlan{}
	for _, p := range []float64{0.1, 1, 10, 50} {
		n.Canary.Steps = append(n.Canary.Steps, client.CanaryStep{Percent: p, Dwell: "5s"})
	}
	n.Watch = "5s"
	began := time.Now()
	c, heard := w.run(n)
	s, forth, back := w.seen.now()
	w.Logf("good, beside %d burners: %s after %v, %d of %d messages answered by it", *burners,
		c.State, heard.Sub(began).Round(time.Millisecond), s.by[byCandidate], s.total)
	if c.State != "done" || forth != 1 || back != 0 {
		w.Errorf("it is %s: %s; a device went forth %d times, back %d", c.State, c.Why, forth, back)
	}
}

// burn keeps processors busy until the answer is called.
func burn(n int) (stop func()) {
	end := make(chan struct{})
	for range n {
		go func() {
			for {
				select {
				case <-end:
					return
				default:
					for range 1 << 16 {
						runtime.KeepAlive(end)
					}
				}
			}
		}()
	}
	return func() { close(end) }
}
