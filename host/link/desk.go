package link

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hpmq/hpmq/lite/broker"
)

// The functions of a worker, as in contract01, and so the kinds of tasks.
const (
	fnMessage = iota
	fnClient
	fnTimer
	fnStop
)

// task is something a worker is to be told; all of it is its own.
type task struct {
	what    int
	who     broker.Identity
	message *broker.Message
	gone    bool // of fnClient
}

func (t *task) size() int {
	who := &t.who
	n := len(who.ClientID) + len(who.Username) + len(who.Address) + len(who.Listener) +
		len(who.Tenant)
	if t.message != nil {
		n += len(t.message.Topic) + len(t.message.Payload) + len(t.message.Props)
	}
	return n
}

func (t *task) about() about {
	if t.message == nil {
		return about{client: t.who.ClientID}
	}
	return about{t.who.ClientID, t.message.Topic}
}

// desk is where the tasks of a worker wait. Loops put; one goroutine for each shift takes.
type desk struct {
	entry *entry
	mu    sync.Mutex
	now   *shift // nil before the first begin
}

// shift is from just before a worker comes into the table until it has ended after leaving it.
type shift struct {
	desk  *desk
	wake  chan struct{} // has room for one
	ended chan struct{}

	// Under desk.mu.
	tasks []task
	bytes int
	open  bool   // in the table, or a loop may think so
	lost  uint64 // not told, since it was last said
	// leaving says that the worker stands in the table no more.
	leaving bool
	// heir is the shift of who comes in its place, of the same component; nil for none. It works
	// only when this one has ended. bequest is what it was left by such a one.
	heir         *shift
	bequest      []task
	bequestBytes int
	// given says that its guest's state is with the heir: it tells nothing more.
	given atomic.Bool
	// asked and begun are when it was asked to end, and when it began to work.
	asked, begun broker.Time
}

func newDesk(e *entry) *desk { return &desk{entry: e} }

// put leaves a task, or counts it as lost. It does not block.
func (d *desk) put(t task) {
	cfg := &d.entry.linker.cfg
	d.mu.Lock()
	defer d.mu.Unlock()
	switch s, n := d.now, t.size(); {
	case s == nil || !s.open:
		d.entry.lost.Add(1)
	case len(s.tasks) >= cfg.WorkerQueueMax || s.bytes+n > cfg.WorkerQueueBytesMax:
		s.lost++
	default:
		s.tasks, s.bytes = append(s.tasks, t), s.bytes+n
		s.rouse()
	}
}

// rouse wakes the goroutine, now or at its next sleep.
func (s *shift) rouse() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// take answers all that waits and whether more can come.
func (s *shift) take() (tasks []task, lost uint64, open bool) {
	s.desk.mu.Lock()
	defer s.desk.mu.Unlock()
	tasks, s.tasks, s.bytes = append(s.bequest, s.tasks...), nil, 0
	s.bequest, s.bequestBytes = nil, 0
	lost, s.lost = s.lost, 0
	return tasks, lost, s.open
}

// begin opens a shift, unless one is open that goes on. Its goroutine works when those of before
// have ended, what comes until then waits.
func (d *desk) begin(before []*shift) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.now != nil && d.now.open && !d.now.leaving {
		return
	}
	s := &shift{
		desk: d, wake: make(chan struct{}, 1), ended: make(chan struct{}), open: true,
	}
	if d.now != nil {
		before = append(slices.Clip(before), d.now)
	}
	d.now = s
	d.entry.linker.drains.Add(1)
	go func() {
		defer d.entry.linker.drains.Done()
		defer close(s.ended)
		for _, b := range before {
			<-b.ended
		}
		s.work()
	}()
}

// leave says that the worker leaves the table, and answers the shift that is to end; nil if it
// never began.
func (d *desk) leave() *shift {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.now != nil {
		d.now.leaving = true
	}
	return d.now
}

// give says that the state of the guest is with an heir: what is told of it by now is all it hears.
// A nil desk, and a worker that never began, have none.
func (d *desk) give() {
	if d == nil {
		return
	}
	if s := d.leave(); s != nil {
		s.given.Store(true)
	}
}

// end lets the goroutine finish what waits, tell the guest and end.
func (s *shift) end() {
	s.desk.mu.Lock()
	defer s.desk.mu.Unlock()
	if s.open {
		s.open, s.asked = false, s.desk.entry.linker.ports.Now()
	}
	s.rouse()
}

// inherit makes the shift at hand of to the heir of that of d.
func (d *desk) inherit(to *desk) {
	to.mu.Lock()
	s := to.now
	to.mu.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.now != nil && d.now.heir == nil {
		d.now.heir = s
	}
}

// bequeath leaves tasks to the heir, before all that waits for that, and answers how many it has no
// room for, or wanted but is not shown; without an heir all. There is room for four queues: what s
// was left itself, which may be two, what waited for it, and what came meanwhile.
func (s *shift) bequeath(tasks []task) (lost uint64) {
	s.desk.mu.Lock()
	heir := s.heir
	s.desk.mu.Unlock()
	if heir == nil {
		return uint64(len(tasks))
	}
	d := heir.desk
	d.mu.Lock()
	defer d.mu.Unlock()
	cfg := &d.entry.linker.cfg
	for i := range tasks {
		switch t, n := &tasks[i], tasks[i].size(); {
		case !d.entry.isToldOf(t):
		case len(heir.bequest) >= 4*cfg.WorkerQueueMax,
			heir.bequestBytes+n > 4*cfg.WorkerQueueBytesMax,
			t.message != nil && !d.entry.fits(t.message):
			lost++
		default:
			heir.bequest, heir.bequestBytes = append(heir.bequest, *t), heir.bequestBytes+n
		}
	}
	return lost
}

// isToldOf says whether e wants to be told t.
func (e *entry) isToldOf(t *task) bool {
	if t.what == fnMessage {
		return e.wanted(broker.Upstream, t.message)
	}
	return e.wants[broker.Upstream].has(clientsTopic)
}

// over waits for the end of the goroutine, if it ever began.
func (d *desk) over() {
	if s := d.leave(); s != nil {
		s.end()
		<-s.ended
	}
}

// work tells the guest one task after the other until end.
func (s *shift) work() {
	d := s.desk
	d.mu.Lock()
	s.begun = d.entry.linker.ports.Now()
	d.mu.Unlock()
	timer := s.tell(&task{what: fnTimer})
	for {
		tasks, lost, open := s.take()
		d.say(lost)
		for i := range tasks {
			if s.late() {
				d.say(s.bequeath(tasks[i:]))
				break
			}
			s.tell(&tasks[i])
		}
		if !open {
			s.tell(&task{what: fnStop})
			return
		}
		select {
		case <-s.wake:
		case <-timer:
			timer = s.tell(&task{what: fnTimer})
		}
	}
}

// late is true when the time is over in which a worker that is to end is told what waits.
func (s *shift) late() bool {
	d := s.desk
	d.mu.Lock()
	defer d.mu.Unlock()
	most := broker.Time(d.entry.linker.cfg.WorkerStopTimeout.Milliseconds())
	return !s.open && d.entry.linker.ports.Now() > max(s.asked, s.begun)+most
}

// say counts what the worker was not told, and says so in the log.
func (d *desk) say(lost uint64) {
	if lost == 0 {
		return
	}
	d.entry.lost.Add(lost)
	d.entry.linker.ports.Log.Warn(
		"a worker was not told all: its queue was full, or it was swapped out",
		"listener", d.entry.listener, "component", d.entry.name, "tasks", lost)
}

// retryPause is how long the desk waits for a guest that is being replaced, and retriesMax how
// often: together longer than a breaker stays open. A shift that is to end waits no longer than the
// rest of its time.
const (
	retryPause = 100 * time.Millisecond
	retriesMax = 100
)

// tell tells the guest t. After fnTimer it answers what tells when to do that again, nil for never.
func (s *shift) tell(t *task) <-chan time.Time {
	d := s.desk
	after := d.entry.linker.ports.after()
	for range retriesMax {
		next, err := d.entry.tell(s, t)
		none := err == errNoGuest && t.what != fnStop
		if none && !s.late() {
			<-after(retryPause)
			continue
		}
		if (none || err == errClosedEntry) && t.what != fnTimer && t.what != fnStop {
			// There is nobody any more, or its keys or its state are another's by now.
			d.say(s.bequeath([]task{*t}))
			return nil
		}
		if none {
			return nil
		}
		if t.what == fnTimer && err != nil {
			return after(time.Second) // a worker that once failed is not silent for ever
		}
		if next == 0 {
			return nil
		}
		return after(next)
	}
	d.say(1)
	return nil
}

// tell asks the guest of e once.
func (e *entry) tell(s *shift, t *task) (next time.Duration, err error) {
	e.use.RLock()
	defer e.use.RUnlock()
	if e.gone() || s.given.Load() {
		return 0, errClosedEntry
	}
	in := e.seats[0].take(e.linker.ports.Now())
	if in == nil {
		return 0, errNoGuest
	}
	ms, err := e.askedOf(t).tell(in, t)
	if err != nil {
		e.fault(0, in, err, t.about())
		return 0, err
	}
	if t.what == fnTimer {
		next = time.Duration(ms) * time.Millisecond
	}
	return next, nil
}

// tell calls the export of that kind of task and answers its result, which only fnTimer has.
func (in *instance) tell(t *task) (uint32, error) {
	in.begin(t.what)
	switch t.what {
	case fnMessage:
		in.identity(&t.who)
		in.message(t.message)
	case fnClient:
		in.identity(&t.who)
		in.flag(t.gone)
	}
	return in.call()
}
