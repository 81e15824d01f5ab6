// Package sim is a seeded world: one to three kernels joined by slow links, a Store that answers
// late, and clients whose connections break at any byte and who come back on other loops. It runs
// in virtual time without a goroutine, so that a seed gives the same run every time. It knows what
// MQTT promises about messages and checks it against what the clients saw; it knows nothing of how
// a kernel does it.
//
// What is checked, and where: deliveries, order and matching in check.go, windows and packet
// identifiers in receive.go, retained messages and rest at the end in finish.go.
package sim

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"runtime/debug"

	"github.com/hpmq/hpmq/lite/broker"
)

// Config says which world to run and how it may be broken on purpose.
type Config struct {
	Seed uint64
	// ChaosTime is how long connections break and clients publish; after it everything must come
	// to rest within RestTime. Milliseconds.
	ChaosTime, RestTime broker.Time
	// LoseFrame makes a link between kernels lose one frame in so many; 0 for none. A world with it
	// must fail: it shows that the checks see.
	LoseFrame int
	// Forget makes clients send a QoS 2 message again under a new identifier instead of the old
	// one.
	Forget bool
	// LoseOp makes the Store lose one write in so many though it says it kept it.
	LoseOp int
	// AnswerEarly makes the Store say that it kept what it has yet to keep.
	AnswerEarly bool
	// FlightEarly makes it say so of the steps of a QoS 2 delivery alone. LoseHead makes it leave
	// out the first message of a session that is read again. SplitGroups makes it keep the parts of
	// several kernels one by one. TurnPages makes it bring the messages of a queue last first.
	FlightEarly, LoseHead, SplitGroups, TurnPages bool
	// Count gets what happened added, if it is not nil.
	Count *Count
	// Trace is called with a line for each thing that happens; nil for none.
	Trace func(line string)
}

// Default is a run of two virtual seconds of trouble.
func Default() Config { return Config{ChaosTime: 2000, RestTime: 20_000} }

// event is something that happens at a time; seq keeps those of one time in order.
type event struct {
	at  broker.Time
	seq int
	do  func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].seq < e[j].seq
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	old := *e
	x := old[len(old)-1]
	*e = old[:len(old)-1]
	return x
}

// world is one run.
type world struct {
	cfg     Config
	rnd     *rand.Rand
	now     broker.Time
	calm    bool // no more trouble: what is under way comes to its end
	events  events
	seq     int
	kernels []*broker.Kernel
	links   [][]*link
	store   *store
	lis     *broker.Listener
	clients []*client
	msgs    []*message
	group   group
	err     error // the first thing that went wrong
	durable bool
	gen     int  // kills until now
	down    bool // kernels have started and let nobody in yet
	sockets []*socket
	guests  *guests  // or nil
	current *message // whose PUBLISH is at work
	count   Count
}

// longEvery: one seed in so many is of a world whose trouble lasts longer, so that queues get long.
const longEvery = 20

// start of the clock, away from zero.
const start broker.Time = 1_700_000_000_000

// Run runs the world of a seed to its end and answers the first promise that was broken.
func Run(cfg Config) (err error) {
	w := &world{rnd: rand.New(rand.NewPCG(cfg.Seed, 0)), now: start}
	defer func() {
		if p := recover(); p != nil {
			w.count.Wrong++
			err = fmt.Errorf("sim: seed %d: panic: %v\n%s", cfg.Seed, p, debug.Stack())
		}
		if cfg.Count != nil {
			cfg.Count.Add(&w.count)
		}
	}()
	if cfg.Seed%longEvery == 0 {
		cfg.ChaosTime *= 5
		cfg.RestTime *= 5 // a narrow window takes long to empty a long queue
	}
	w.cfg = cfg
	w.count.Worlds = 1
	w.build()
	w.until(start + cfg.ChaosTime)
	w.calmDown()
	w.until(start + cfg.ChaosTime + cfg.RestTime/2)
	if w.err == nil {
		w.checkRetained()
		w.until(start + cfg.ChaosTime + cfg.RestTime)
	}
	if w.err == nil {
		w.checkEnd()
	}
	if w.err != nil {
		return fmt.Errorf("sim: seed %d: %w", cfg.Seed, w.err)
	}
	return nil
}

// build makes kernels, links, store and clients as the seed says.
func (w *world) build() {
	n := 1 + w.rnd.IntN(3)
	w.lis = &broker.Listener{Name: "sim", Limits: broker.DefaultLimits()}
	w.lis.Limits.ReceiveMax = uint16(2 + w.rnd.IntN(20))
	w.lis.Limits.InflightMax = uint16(1 + w.rnd.IntN(30))
	w.lis.Limits.SessionExpiryMax = broker.Never
	w.store = newStore(w, n)
	w.durable = w.rnd.IntN(3) > 0
	for i := range n {
		w.links = append(w.links, newLinks(w, i, n))
	}
	if w.often(2) {
		w.guests = newGuests(w, n)
		w.lis.Policy = w.guests
	}
	w.start()
	w.tick()
	w.addClients()
	if w.store.slow > 0 {
		w.count.SlowDisks++
	}
	if w.guests != nil {
		for range w.rnd.IntN(4) {
			w.after(w.upTo(int(w.cfg.ChaosTime)), w.guests.swap)
			w.after(w.upTo(int(w.cfg.ChaosTime)), w.guests.trap)
		}
	}
	if w.durable {
		for range w.rnd.IntN(4) {
			w.after(w.upTo(int(w.cfg.ChaosTime)), w.kill)
		}
		for range w.rnd.IntN(3) {
			w.after(w.upTo(int(w.cfg.ChaosTime)), w.breakDisk)
		}
	}
}

// addClients makes three to eight clients of all kinds.
func (w *world) addClients() {
	n := 3 + w.rnd.IntN(6)
	w.group.size = w.rnd.IntN(4)
	for i := range n {
		c := newClient(w, i)
		if i < w.group.size {
			w.group.join(c)
		}
		w.clients = append(w.clients, c)
		w.after(w.upTo(50), c.connect)
	}
	for _, c := range w.clients {
		c.live()
	}
}

// after makes do happen d milliseconds from now.
func (w *world) after(d broker.Time, do func()) {
	w.seq++
	heap.Push(&w.events, event{w.now + d, w.seq, do})
}

// upTo is a random time of 0 to d milliseconds.
func (w *world) upTo(d int) broker.Time { return broker.Time(w.rnd.IntN(d + 1)) }

// often is true once in n times.
func (w *world) often(n int) bool { return w.rnd.IntN(n) == 0 }

// until lets everything happen that is due up to a time, or to the first mistake.
func (w *world) until(end broker.Time) {
	for w.err == nil && len(w.events) > 0 && w.events[0].at <= end {
		e := heap.Pop(&w.events).(event)
		w.now = e.at
		e.do()
	}
	w.now = end
}

// tick tells the kernels the time for as long as the world stands.
func (w *world) tick() {
	for _, k := range w.kernels {
		if !w.down {
			k.Tick(w.now)
		}
	}
	w.after(100, w.tick)
}

// fail notes the first thing that went wrong.
func (w *world) fail(format string, args ...any) {
	if w.err == nil {
		at := fmt.Sprintf("at %d ms: ", w.now-start)
		w.err = fmt.Errorf(at+format, args...)
		w.count.Wrong++
	}
}

func (w *world) trace(format string, args ...any) {
	if w.cfg.Trace != nil {
		w.cfg.Trace(fmt.Sprintf("%5d ", w.now-start) + fmt.Sprintf(format, args...))
	}
}
