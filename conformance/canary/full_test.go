//go:build unix

package canary

import (
	"flag"
	"fmt"
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
	others  = flag.Int("others", 1000, "the same with so many")
	burners = flag.Int("burners", 2, "goroutines that keep the machine busy beside a good one")
)

// The aims.
const (
	backMax    = 2 * time.Second
	touchedMax = 0.1 // percent
	// fewMax messages are enough to know a bad one where it is not asked unheard first. What
	// percent of all they are is up to how many came meanwhile.
	fewMax = 64
)

// Beside real traffic a bad candidate goes back by itself before it matters, a good one is linked
// without hands though the machine has other things to do.
func TestBesideTraffic(t *testing.T) {
	if !*full {
		t.Skip("for make canary")
	}
	for _, n := range []int{*devices, *others} {
		t.Run(fmt.Sprint(n, " devices"), func(t *testing.T) { besideTraffic(t, n) })
	}
}

func besideTraffic(t *testing.T, devices int) {
	w := open(t)
	w.join("main", devices)
	stop := w.flow(*rate)
	for _, first := range []float64{0.1, 1} {
		for _, name := range []string{"trapping", "slow"} {
			w.bad(name, first, false)
			w.bad(name, first, true)
		}
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
					if err := d.publish(byte((int(d.next) + 7*d.n) % 100)); err != nil {
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

// bad has a candidate that must go back: at once by what it answers unheard, or by the few clients
// that are first where it is not asked so, as before those who are named.
func (w *world) bad(name string, first float64, heard bool) {
	w.Helper()
	n := w.change(name)
	n.ID = name + "-" + time.Now().Format("150405.000")
	n.Force = true
	n.Canary = &client.CanaryPlan{Steps: []client.CanaryStep{
		{Percent: first, Dwell: "20s"}, {Percent: 50, Dwell: "20s"}}}
	if heard {
		n.Canary.Clients = []string{"nobody"}
	}
	c, at := w.run(n)
	before, _, _ := w.seen.now()
	w.until("what is under way has come", func() bool {
		s, _, _ := w.seen.now()
		return s.total > before.total+uint64(*rate/2)
	})
	s, forth, back := w.seen.now()
	b := badly{name: name, first: first, change: c, span: s, event: at}
	b.total = before.total
	if c.State != "rolled back" {
		w.Errorf("%s is %s: %s", name, c.State, c.Why)
		return
	}
	if forth > 1 || back > 1 {
		w.Errorf("a device went forth %d times, back %d", forth, back)
	}
	if heard {
		b.heard(w)
	} else {
		b.unheard(w)
	}
}

// badly is how a bad candidate fared.
type badly struct {
	name   string
	first  float64
	change client.Change
	event  time.Time // when it was heard that it went
	span
}

// asked is what a candidate was asked for good, well answered or not.
func (b *badly) asked() uint64 { return b.by[byNobody] + b.by[byCandidate] + b.by[byOther] }

func (b *badly) percent(n uint64) float64 { return float64(n) / float64(b.total) * 100 }

// unheard: nobody is touched.
func (b *badly) unheard(w *world) {
	w.Helper()
	took := b.took("canary")
	put := uint64(0)
	if b.change.Shadow != nil {
		put = b.change.Shadow.Asked
	}
	w.Logf("%s, first step %g %%: touched %d of %d messages, put %d (%.2f %%) to it unheard, gone "+
		"%v after the canary began; %s", b.name, b.first, b.asked(), b.total, put, b.percent(put),
		took.Round(time.Millisecond), b.change.Why)
	if took > backMax || b.percent(b.asked()) >= touchedMax {
		w.Errorf("%s went back after %v and %d messages", b.name, took, b.asked())
	}
}

// took is how long after the first of that state it ended.
func (b *badly) took(state string) time.Duration {
	all := b.change.Marks
	for _, m := range all {
		if m.State == state {
			return all[len(all)-1].At.Sub(m.At)
		}
	}
	return 0
}

// heard: few are touched. How soon there is enough evidence is up to how often those few publish.
func (b *badly) heard(w *world) {
	w.Helper()
	decides, few, failed := b.candidates, 8, b.asked()
	if b.name == "trapping" {
		decides, few, failed = b.unanswered, 3, b.by[byNobody]
	}
	if len(decides) == 0 {
		w.Errorf("%s touched nobody: %s", b.name, b.change.Why)
		return
	}
	decided := decides[min(few, len(decides))-1]
	late := b.last.Sub(decided)
	w.Logf("%s, first step %g %%, with names: %d of %d messages badly (%.4f %%), asked %d (%.4f "+
		"%%); last one %v after the one that decides, event %v after the first; %s", b.name,
		b.first, failed, b.total, b.percent(failed), b.asked(), b.percent(b.asked()),
		late.Round(time.Millisecond/10), b.event.Sub(decides[0]).Round(time.Millisecond),
		b.change.Why)
	if late > backMax || b.asked() > fewMax {
		w.Errorf("%s went back %v late, when it was asked %d", b.name, late, b.asked())
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
