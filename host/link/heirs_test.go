package link

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// deadWorker has a worker with state whose guest is dead, with the first of tell in hand.
func deadWorker(
	t *testing.T, r Ref, tell ...string,
) (h *house, a *alarms, out *told, e *entry) {
	t.Helper()
	h, a, out = workerHouse(t, func(c *Config) {
		c.HandOverTimeout, c.StateBytesMax, c.WorkerQueueMax = time.Hour, 1000, 2
		c.Pool.DeathsMax = 1
	})
	h.link(Spec{RoleWorker: {r}})
	h.hears(out, "timer ")
	h.accept("trap/x", "dies")
	e = h.workerOf()
	h.eventually("it is dead", func() bool { return e.seats[0].faults.Load() == 1 })
	h.accept("a", tell[0])
	h.eventually("in hand", func() bool { return e.seats[0].kinds[faultAbsent].Load() > 0 })
	for _, p := range tell[1:] {
		h.accept("a", p)
	}
	return h, a, out, e
}

// all waits until the worker says what it knows, and answers all that was said.
func (h *house) all(a *alarms, out *told) []string {
	h.t.Helper()
	h.accept("all/", "")
	h.eventually("it says what it knows", func() bool {
		h.loops.turn(0)
		a.ring(retryPause)
		return slices.ContainsFunc(out.all(), func(s string) bool {
			return strings.HasPrefix(s, "all ")
		})
	})
	return out.all()
}

// TestWhoHasItsStateBackIsNotStopped: the shift that ended with the commit tells it nothing more,
// also if a revert came before that shift was over.
func TestWhoHasItsStateBackIsNotStopped(t *testing.T) {
	two := Change{Listener: "main", Role: RoleWorker, Ref: mindful("two")}
	t.Run("a guest that is dead", func(t *testing.T) {
		h, a, out, _ := deadWorker(t, mindful(""), "0001", "0002")
		p := h.prepare("p", two)
		h.commit(p)
		h.accept("a", "0003")
		h.clock.pass(time.Minute) // its guest may be tried again
		if _, err := p.Revert(); err != nil {
			t.Fatal(err)
		}
		h.accept("a", "0004")
		if all := h.all(a, out); slices.Contains(all, "stopped ") {
			t.Errorf("%q", all)
		}
	})
	t.Run("loops that have not turned", func(t *testing.T) {
		h, a, out := mindfulHouse(t, "", "0001")
		h.hears(out, "timer ", "told 0001")
		h.loops.count = 1
		p := h.prepare("p", two)
		h.commit(p)
		if _, err := p.Revert(); err != nil {
			t.Fatal(err)
		}
		if all := h.all(a, out); slices.Contains(all, "stopped ") {
			t.Errorf("%q", all)
		}
	})
}

// TestTwoSwapsInARowLoseNoTask that had room in the queues.
func TestTwoSwapsInARowLoseNoTask(t *testing.T) {
	h, a, out, first := deadWorker(t, mindful(""), "0001", "0002", "0003")
	h.loops.count = 1
	h.swap(RoleWorker, mindful("two"))
	h.eventually("left to the heir", func() bool {
		a.ring(retryPause)
		s := h.workerOf().desk.now
		s.desk.mu.Lock()
		defer s.desk.mu.Unlock()
		return len(s.bequest) == 3
	})
	h.accept("a", "0004")
	h.accept("a", "0005")
	second := h.workerOf()
	h.swap(RoleWorker, mindful("three"))
	if all := h.all(a, out); first.lost.Load()+second.lost.Load() > 0 {
		t.Errorf("%q, lost %d and %d", all, first.lost.Load(), second.lost.Load())
	}
}

// TestTheTaskInHandIsLeftToo to the heir of a worker without a guest, as those behind it are.
func TestTheTaskInHandIsLeftToo(t *testing.T) {
	h, a, out, first := deadWorker(t, worker("every=9"), "0001", "0002")
	h.swap(RoleWorker, worker("every=99"))
	h.clock.pass(h.linker.cfg.WorkerStopTimeout + time.Millisecond)
	h.eventually("the heir is told", func() bool {
		a.ring(retryPause)
		return slices.Contains(out.all(), "told 0002")
	})
	if !slices.Contains(out.all(), "told 0001") {
		t.Errorf("%q, lost %d", out.all(), first.lost.Load())
	}
}

// TestAnHeirIsLeftSoMuch: four queues full, in bytes too; what does not fit is counted as lost.
func TestAnHeirIsLeftSoMuch(t *testing.T) {
	h, _, _ := mindfulHouse(t, "")
	d := h.workerOf().desk
	m := message("a", "0001")
	one := task{what: fnMessage, message: m}
	for _, c := range []struct{ tasks, bytes, want int }{
		{5, 1000, 20}, {1000, 3 * one.size(), 12}, {1000, 3*one.size() + 1, 12},
	} {
		h.linker.cfg.WorkerQueueMax, h.linker.cfg.WorkerQueueBytesMax = c.tasks, c.bytes
		heir := &shift{desk: d}
		left := &shift{desk: d, heir: heir}
		lost := left.bequeath(slices.Repeat([]task{one}, 30))
		if len(heir.bequest) != c.want || lost != uint64(30-c.want) {
			t.Errorf("%+v: it is left %d, %d are lost", c, len(heir.bequest), lost)
		}
	}
}
