package link

import (
	"context"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hpmq/hpmq/lite/broker"
)

// alarms are the timers of a test: each sleeper is woken by ring.
type alarms struct {
	mu  sync.Mutex
	set map[time.Duration][]chan time.Time
}

func (a *alarms) after(d time.Duration) <-chan time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := make(chan time.Time, 1)
	a.set[d] = append(a.set[d], c)
	return c
}

// ring wakes one who sleeps for d, false if none does.
func (a *alarms) ring(d time.Duration) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.set[d]) == 0 {
		return false
	}
	a.set[d][0] <- time.Time{}
	a.set[d] = a.set[d][1:]
	return true
}

// told collects what workers publish.
type told struct {
	mu    sync.Mutex
	words []string
}

// Publish is publish.Outlet.
func (o *told) Publish(_ string, m *broker.Message) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.words = append(o.words, string(m.Topic)+" "+string(m.Payload))
}

func (o *told) all() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.words)
}

func workerHouse(t *testing.T, change func(*Config)) (*house, *alarms, *told) {
	h := newHouse(t, change)
	a := &alarms{set: map[time.Duration][]chan time.Time{}}
	h.linker.ports.After = a.after
	out := &told{}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Add(1)
	go func() { defer running.Done(); h.queue.Run(ctx, out) }()
	t.Cleanup(func() { cancel(); running.Wait() })
	return h, a, out
}

func worker(words string) Ref {
	r := ref("worker", words)
	r.Grants = []string{"publish"}
	return r
}

// accept sends a message through the policy of the listener.
func (h *house) accept(topic, payload string) {
	m := broker.Message{Topic: []byte(topic), Payload: []byte(payload)}
	var out []broker.Message
	h.linker.Policy("main", 0).Route(h.clock.now(), &device, &m, &out)
}

func (h *house) hears(o *told, want ...string) {
	h.t.Helper()
	defer func() {
		if h.t.Failed() {
			h.t.Logf("heard %q\nwant %q\n%s", o.all(), want, h.log)
		}
	}()
	h.eventually("the worker tells", func() bool { return slices.Equal(o.all(), want) })
}

func TestAWorkerIsTold(t *testing.T) {
	h, alarm, out := workerHouse(t, nil)
	h.link(Spec{RoleWorker: {worker("every=500")}})
	h.hears(out, "timer ")
	h.accept("a/b", "one")
	h.accept("a/c", "two")
	h.hears(out, "timer ", "told one", "told two")
	p := h.linker.Presence("main")
	p.Came(&device)
	p.Went(&device)
	want := []string{"timer ", "told one", "told two", "came " + device.ClientID,
		"went " + device.ClientID}
	h.hears(out, want...)
	h.eventually("the timer is set", func() bool { return alarm.ring(500 * time.Millisecond) })
	want = append(want, "timer ")
	h.hears(out, want...)
	if err := h.linker.Unlink("main"); err != nil {
		t.Fatal(err)
	}
	h.hears(out, append(want, "stopped ")...)
	h.accept("a/b", "too late")
	p.Came(&device)
	if got := out.all(); len(got) != len(want)+1 {
		t.Errorf("told after the end: %q", got)
	}
}

// The old version is told what waits for it and ends before the new one begins; so does a rollback.
func TestWorkersTakeTurns(t *testing.T) {
	h, _, out := workerHouse(t, nil)
	h.link(Spec{RoleWorker: {worker("")}})
	h.hears(out, "timer ")
	h.accept("a", "1")
	h.swap(RoleWorker, worker("every=9"))
	h.accept("a", "2")
	if _, err := h.linker.Rollback(t.Context(), "main", RoleWorker); err != nil {
		t.Fatal(err)
	}
	h.accept("a", "3")
	h.hears(out, "timer ", "told 1", "stopped ", "timer ", "told 2", "stopped ", "timer ", "told 3")
}

// A worker that fails is replaced and goes on with the next task; nobody else notices.
func TestAWorkerThatFails(t *testing.T) {
	h, alarm, out := workerHouse(t, nil)
	h.link(Spec{RoleWorker: {worker("")}})
	h.hears(out, "timer ")
	h.accept("trap/x", "1")
	h.accept("a", "2")
	h.eventually("the next is told", func() bool {
		alarm.ring(retryPause)
		return slices.Equal(out.all(), []string{"timer ", "told 2"})
	})
	if v := h.seen(RoleWorker, 0); v.Faults != 1 {
		t.Errorf("%d faults", v.Faults)
	}
}

// What does not fit into the queue is left out, counted and said.
func TestAFullDesk(t *testing.T) {
	h, _, out := workerHouse(t, func(c *Config) { c.WorkerQueueMax = 2 })
	h.link(Spec{RoleWorker: {worker("")}})
	h.hears(out, "timer ")
	ls, _ := h.linker.find("main")
	e := ls.table.Load().chains[RoleWorker].entries[0]
	e.use.Lock() // the worker is busy
	h.accept("a", "0")
	h.eventually("the worker has begun", func() bool {
		e.desk.mu.Lock()
		defer e.desk.mu.Unlock()
		return len(e.desk.now.tasks) == 0
	})
	for _, payload := range []string{"1", "2", "3", "4"} {
		h.accept("a", payload)
	}
	e.use.Unlock()
	h.hears(out, "timer ", "told 0", "told 1", "told 2")
	h.eventually("it is said", func() bool { return e.lost.Load() == 2 })
}

// TestWorkersMissNothing while others come in their place: a loop that has found the old ones may
// still be about to tell them, and one that finds the new ones tells those.
func TestWorkersMissNothing(t *testing.T) {
	h, _, out := workerHouse(t, nil)
	h.loops.count = 1
	h.link(Spec{RoleWorker: {worker("")}})
	h.hears(out, "timer ")
	ls := h.linker.listener("main")
	late := broker.Message{Topic: []byte("a"), Payload: []byte("1")}
	tell := func(c *chain) { c.tell(asking{h.clock.now(), &device, 0}, broker.Keep, &late, nil) }
	before := ls.table.Load()
	h.swap(RoleWorker, worker("every=9"))
	h.accept("a", "2")
	tell(before.chains[RoleWorker])
	h.loops.turn(0)
	h.hears(out, "timer ", "told 1", "stopped ", "timer ", "told 2")

	// A loop finds the new ones as soon as they are in the table.
	old, _ := before.chainOf(RoleWorker)
	have, _ := ls.table.Load().chainOf(RoleWorker)
	ls.hold()
	next := ls.table.Load().with(RoleWorker, newChain(old, have))
	ls.put(next)
	late.Payload = []byte("3")
	tell(next.chains[RoleWorker])
	h.linker.engage(before.with(RoleWorker, newChain(have, old)), next)
	ls.unlock()
	h.loops.turn(0)
	h.hears(out, "timer ", "told 1", "stopped ", "timer ", "told 2", "stopped ", "timer ", "told 3")
}

// TestWorkersMissNothingOfALoop that goes on meanwhile.
func TestWorkersMissNothingOfALoop(t *testing.T) {
	h, _, out := workerHouse(t, nil)
	h.loops.count = 1
	h.link(Spec{RoleWorker: {worker("")}})
	heard := func() (all []string) {
		for _, w := range out.all() {
			if n, ok := strings.CutPrefix(w, "told "); ok {
				all = append(all, n)
			}
		}
		return all
	}
	want := make([]string, 0, 200)
	for range 10 {
		h.swapWhile(func() {
			if len(want) < cap(want) {
				want = append(want, strconv.Itoa(len(want)))
				h.accept("a", want[len(want)-1])
			}
		})
	}
	for len(want) < cap(want) {
		want = append(want, strconv.Itoa(len(want)))
		h.accept("a", want[len(want)-1])
	}
	h.eventually("all is told", func() bool {
		h.loops.turn(0)
		return len(heard()) >= len(want)
	})
	if got := heard(); !slices.Equal(got, want) {
		t.Errorf("heard %q", got)
	}
}

// swapWhile swaps the worker of main; the loop calls f in each turn until that is done.
func (h *house) swapWhile(f func()) {
	h.t.Helper()
	swapped := make(chan error, 1)
	go func() {
		_, err := h.linker.Swap(h.t.Context(), Request{
			Listener: "main", Role: RoleWorker, Ref: worker("every=9"),
		})
		swapped <- err
	}()
	for {
		f()
		h.loops.turn(0)
		select {
		case err := <-swapped:
			if err != nil {
				h.t.Fatal(err)
			}
			return
		default:
			runtime.Gosched()
		}
	}
}

// TestAWorkerLeavesItsQueue to the version for which its keys in kv were migrated.
func TestAWorkerLeavesItsQueue(t *testing.T) {
	h, _, out := workerHouse(t, nil)
	h.link(Spec{RoleWorker: {worker("")}})
	h.hears(out, "timer ")
	e := h.linker.listener("main").table.Load().chains[RoleWorker].entries[0]
	e.use.Lock() // as a migration does
	for _, payload := range []string{"1", "2", "3"} {
		h.accept("a", payload)
	}
	h.linker.Presence("main").Came(&device)
	h.swap(RoleWorker, worker("every=9"))
	h.accept("a", "4")
	e.barred = true
	e.use.Unlock()
	h.hears(out, "timer ", "timer ", "told 1", "told 2", "told 3", "came "+device.ClientID,
		"told 4")
	if n := e.lost.Load(); n != 0 {
		t.Errorf("%d lost", n)
	}
}
