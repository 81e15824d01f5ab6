package crash

import (
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

var (
	rounds = flag.Int("rounds", 6, "how often the broker is killed")
	// Of the six rounds that every test run has, 20 makes one of each of the first kinds.
	seed  = flag.Uint64("seed", 20, "of the kinds, points and moments; 0 takes one from the clock")
	built = flag.String("bin", "", "folder of hpmq and hpmq-faults; empty builds them")
	only  = flag.String("kind", "", "of all rounds")
)

func TestCrashes(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the real binary")
	}
	bin := build(t)
	t.Run("nothing acknowledged is lost", func(t *testing.T) { nothingIsLost(t, bin) })
	t.Run("a wrong order is caught", func(t *testing.T) { wrongOrder(t, bin) })
	t.Run("components remember", func(t *testing.T) { componentsRemember(t, bin) })
}

func nothingIsLost(t *testing.T, bin binaries) {
	n := *seed
	if n == 0 {
		n = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed=%d", n)
	w := newWorld(t, bin, n)
	shift := w.rnd.IntN(len(kinds()))
	if *rounds >= len(kinds()) {
		shift = 0
	}
	for i := range *rounds {
		if *only != "" {
			shift = slices.Index(kinds(), *only) - i + len(kinds())*(*rounds)
		}
		w.live(i, choose(w.rnd, i+shift))
	}
	w.start("")
	w.finish()
	for i, f := range w.ledger.faults() {
		if i < 20 {
			t.Errorf("round %d: %s: %s", f.round, f.kind, f.text)
		}
	}
	if n, _ := w.ledger.acknowledged(); n == 0 {
		t.Error("nothing was acknowledged, so nothing could be lost")
	}
	t.Log("\n" + w.tally.table(w.ledger))
}

// A broker that acknowledges before it commits must be caught, or the harness is worth nothing.
func wrongOrder(t *testing.T, bin binaries) {
	w := newWorld(t, bin, 1)
	w.tally = append(w.tally, life{kind: "point"})
	w.ledger.enter(0, false)
	// Slow, so that what is said too early is heard before the end.
	w.start("store.early:50+1h:wrong,store.staged:50+1h:slow=300ms,journal.write:60:kill")
	select {
	case <-w.broker.Done():
	case <-time.After(5 * time.Minute):
		t.Error("the point was not passed")
	}
	w.end()
	w.start("")
	w.patience = 3 * time.Second
	w.quiet()
	w.settle(w.subs[0], whole)
	lost := 0
	for _, f := range w.ledger.faults() {
		if f.kind == "lost" {
			lost++
		}
	}
	if lost == 0 {
		t.Error("the broker acknowledged before it committed, and the harness saw nothing")
	}
	t.Logf("%d lost", lost)
}

// quiet waits until all that publishers sent is acknowledged.
func (w *world) quiet() {
	for _, p := range w.pubs {
		p.end()
	}
	w.again.end()
	w.mortal.end()
	w.until("publishers", func() (left int) {
		for _, p := range w.pubs {
			if !p.ended() {
				left++
			}
		}
		if !w.again.ended() {
			left++
		}
		return left
	})
}

// finish lets all come to rest, and compares.
func (w *world) finish() {
	w.quiet()
	if w.leave == nil {
		w.toggle()
	}
	if !look(w.ctx, w, w.patience) {
		w.ledger.fault("other", "the retained messages were not seen at the end")
	}
	for _, s := range w.subs {
		w.settle(s, whole)
	}
	w.settle(w.chg.subscriber, w.chg.owed)
	w.chg.unwanted()
	for _, s := range []*subscriber{w.subs[0], w.subs[2], w.away} { // at QoS 2
		w.settleOnce(s)
	}
	w.settleShared()
	w.unkept()
	w.settleWills()
	n, excused := w.ledger.relaxed()
	w.t.Logf("interval: %d acknowledged, %d of them just before a power cut", n, excused)
	w.t.Logf("subscriptions changed: %d", w.chg.changes())
}

// settle waits for what a subscriber is owed, and notes what does not come.
func (w *world) settle(s *subscriber, owed func(message, *entry) bool) {
	began := time.Now()
	w.until(s.id, func() (n int) {
		s.missing(owed, func(message, *entry) { n++ })
		return n
	})
	var lost []fault
	s.missing(owed, func(m message, e *entry) {
		lost = append(lost, fault{int(e.round), "lost",
			fmt.Sprintf("%s: %+v never came: %+v", s.id, m, *e)})
	})
	for _, f := range lost {
		w.ledger.faultIn(f.round, f.kind, f.text)
	}
	w.t.Logf("%s at rest after %v", s.id, time.Since(began).Round(time.Millisecond))
}

// settleShared waits for what the members of the group are owed together.
func (w *world) settleShared() {
	one, other := w.shared[0], w.shared[1]
	w.settle(one, func(m message, e *entry) bool {
		return e.topic[0] == 'c' && !other.came(m)
	})
}

// unkept looks for QoS 2 messages that were refused, and came.
func (w *world) unkept() {
	var list []message
	w.ledger.each(func(m message, e *entry) {
		if e.refused && e.qos == mqtt.ExactlyOnce {
			list = append(list, m)
		}
	})
	for _, m := range list {
		if s := w.subs[0]; s.came(m) {
			w.ledger.fault("other", "%s: %+v came, and was refused", s.id, m)
		}
	}
}

// until waits until nothing is left, as long as it becomes less within w.patience.
func (w *world) until(what string, left func() int) {
	end, least := time.Now().Add(w.patience), 1<<62
	for n := left(); n > 0; n = left() {
		if n < least {
			end, least = time.Now().Add(w.patience), n
		}
		if time.Now().After(end) {
			w.ledger.fault("other", "%s: not at rest after %v, %d left", what, w.patience, n)
			return
		}
		rest(w.ctx, 200*time.Millisecond)
	}
}
