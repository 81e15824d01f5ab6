package link

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/hpmq/hpmq/host/cap/kv"
	"github.com/hpmq/hpmq/host/cap/wasi/state"
	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/lite/broker"
)

// entry is one component in one place of one listener, with a pool of guests for each seat. What
// stands above the seats never changes once the entry is in a table.
type entry struct {
	linker   *Linker
	id       uint64 // of its linker's
	ward     *ward  // of the listener
	ration   ration // of the ward's budget; under ward.mu
	listener string
	role     Role
	name     string // of one place of origin: what is a file is never called like what is shipped
	version  string
	// bundle and bundleVersion are of what it came in, empty without one.
	bundle, bundleVersion string

	shipped bool // it comes with the broker, or from who may ship it
	digest  string
	schema  uint32 // of what it keeps, see manifest
	config  []byte
	env     map[string]string
	wasi    state.Settings // env among them
	grants  []string
	keeps   []string // of them, those that it has from the entry before it
	onFault FaultPolicy
	own     Limits // as the link has them
	limits  Limits // with what they leave open filled in
	self    string // the client id it publishes by
	since   time.Time
	module  *module
	speaks  spoken // chosen once, when it is linked
	// wants is by broker.Direction what the first guest said at configure.
	wants       [2]interest
	usesHistory bool
	usesKV      bool
	// lendsAbove is the size from which on it gets payloads by handle.
	lendsAbove int
	// scratch is of an entry that is to have no effect; else nil.
	scratch *kv.Store

	seats   []seat
	breaker *wasm.Breaker // of all seats
	desk    *desk         // of a worker, else nil
	// use is held for reading by a worker that is in a guest, so that close can wait for it. Loops
	// do not take it: for them there is the Quiescer.
	use    patientLock
	closed bool // under use
	// barred says, under use, that what the component has in kv is of another schema by now.
	barred bool
	// left says that its guests have handed their state over to those of another entry; it is set
	// under use, and no more when e comes into a table again.
	left atomic.Bool

	lost       atomic.Uint64 // tasks that a worker was not told
	lastFault  atomic.Pointer[string]
	lastLogged atomic.Int64
	unlogged   atomic.Int64
}

// seat is where an entry sits on one loop or with one worker, who alone takes from it.
type seat struct {
	pool          *wasm.Pool
	calls, faults atomic.Uint64
	loop          int // noLoop for one beside the loops
	// kinds are the faults, and who was asked for while there was no guest, by kind.
	kinds   [faultKinds]atomic.Uint64
	refused atomic.Uint64 // answers that let something not through
	gauge   atomic.Pointer[gauge]
	// alone is when there was no guest for the first time and for the last, in milliseconds.
	alone [2]atomic.Int64
	_     [8]byte // two cache lines: loops must not share what they count in
}

// noLoop is where those are that no loop asks.
const noLoop = -1

// take answers the guest, nil if there is none now.
func (s *seat) take(now broker.Time) *instance {
	g, err := s.pool.Guest(time.UnixMilli(int64(now)))
	if err != nil {
		s.absent(now)
		return nil
	}
	s.calls.Add(1)
	in := g.Env().(*instance)
	in.past = nil
	if g := s.gauge.Load(); g != nil {
		g.begin(in)
	}
	in.loop, in.warm = s.loop, true
	return in
}

// end is called when the guest has answered, or failed. It answers who wants to compare the answer,
// nil for none.
func (s *seat) end(in *instance) *shadow {
	if g := s.gauge.Load(); g != nil {
		return g.end(in)
	}
	return nil
}

// shadowed is who is to be asked what the component does not want to be asked, nil for none.
func (s *seat) shadowed() *shadow {
	if g := s.gauge.Load(); g != nil && g.draws() {
		return g.shadow
	}
	return nil
}

// stir tells who watches the seat of a fault.
func (s *seat) stir() {
	if g := s.gauge.Load(); g != nil {
		g.stir()
	}
}

// errNoGuest says that a seat is empty for now.
var errNoGuest = errors.New("no guest is ready")

// wanted says whether e is to be asked about m: never about what the component published itself, or
// it could feed itself for ever.
func (e *entry) wanted(d broker.Direction, m *broker.Message) bool {
	return e.wants[d].has(m.Topic) && m.From != e.self
}

// absent counts a question without a guest.
func (s *seat) absent(now broker.Time) {
	s.kinds[faultAbsent].Add(1)
	s.stir()
	s.alone[0].CompareAndSwap(0, int64(now))
	s.alone[1].Store(int64(now))
}

// fault counts, logs and records what in did wrong on that seat when it was asked about a. Its pool
// replaces it if it is dead; one that answered garbage is killed first.
func (e *entry) fault(seat int, in *instance, err error, a about) {
	f := e.failure(err, a)
	f.by(in)
	in.guest.Kill(err.Error())
	e.count(seat, err, f)
}

// pass does so for a fault that leaves the guest alive.
func (e *entry) pass(seat int, err error, a about) { e.count(seat, err, e.failure(err, a)) }

func (e *entry) count(seat int, err error, f *Failure) {
	s := &e.seats[seat]
	s.faults.Add(1)
	s.kinds[kindOf(err)].Add(1)
	s.stir()
	text := err.Error()
	if f.Redacted {
		text = f.Text
	}
	e.lastFault.Store(&text)
	e.logFault(text)
	e.ward.note(f)
}

// faultLogPause is how often an entry may write about its faults.
const faultLogPause = time.Second

func (e *entry) logFault(text string) {
	now := int64(e.linker.ports.Now())
	last := e.lastLogged.Load()
	if now-last < faultLogPause.Milliseconds() || !e.lastLogged.CompareAndSwap(last, now) {
		e.unlogged.Add(1)
		return
	}
	e.linker.ports.Log.Warn("component fault", "listener", e.listener, "role", e.role.String(),
		"component", e.name, "version", e.version, "digest", e.digest, "reason", text,
		"policy", e.onFault.String(), "more", e.unlogged.Swap(0))
}

// close ends all guests and waits for that. No loop may be in a call of one.
func (e *entry) close() {
	if e.desk != nil {
		e.desk.over()
	}
	e.use.Lock()
	defer e.use.Unlock()
	e.closed = true
	for i := range e.seats {
		if p := e.seats[i].pool; p != nil {
			p.Close()
		}
	}
	e.linker.forget(e)
	e.linker.modules.release(e.module)
	e.ward.give(e)
}

// view shows e without its place.
func (e *entry) view() ComponentView {
	v := ComponentView{
		Role: e.role, Name: e.name, Version: e.version, Form: e.module.Form(), Digest: e.digest,
		Contract: track(e.speaks.role.version),
		Size:     e.module.Size(), Grants: e.grants, OnFault: e.onFault, Since: e.since,
		Seats: len(e.seats), Bundle: e.bundle, BundleVersion: e.bundleVersion,
	}
	v.Guests, v.MemoryBytesMax = e.appetite()
	for i := range e.seats {
		s := &e.seats[i]
		v.Calls += s.calls.Load()
		v.Faults += s.faults.Load()
		v.Absent += s.kinds[faultAbsent].Load()
	}
	b := e.breaker.View(e.linker.time())
	v.Breaker, v.BreakerSince, v.BreakerOpened = b.State.String(), b.Since, b.Opened
	if text := e.lastFault.Load(); text != nil {
		v.LastFault = *text
	}
	return v
}
