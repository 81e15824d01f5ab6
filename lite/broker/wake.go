package broker

import (
	"errors"
	"fmt"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// A session that the Store kept over a restart is asleep: the kernel knows who it is, what it wants
// and when it ends, and so has it in its tree, but not what waits for it. That is read when its
// client comes. A message for it is kept without waking it: only how much waits is asked for then,
// for the limits.

// wakeBytes bounds what is read at once of a session that wakes up.
const wakeBytes = 4 << 20

// tallyStep is how many sleepers are looked at in a tick.
const tallyStep = 256

// errRestore refuses a record that is no session.
var errRestore = errors.New("broker: restore: not the state of a session")

// restored is what is left to do for the sessions of the run before.
type restored struct {
	due   []*session // with an end or a will, until Begin
	sleep []*session // whose queue was not looked at
	begun bool
}

// waking is a session that is read, and the connections that wait for it.
type waking struct {
	conns   []*Conn
	flights []flown
}

// flown is a message that was on its way to the client.
type flown struct {
	seq   uint64
	id    uint16
	state outState
	e     queued
	ok    bool // the message is there
}

// Home is the kernel, of so many, that a restored session belongs to.
func Home(clientID string, peers int) PeerID {
	return PeerID(hash(clientID) % uint64(peers))
}

// Restore takes in a session that the Store kept before this run, as the OpPutSession that put it
// there; rec is borrowed until return. It must come before the first connection, and to the Home of
// the session. A connection that it had is lost now. Begin must follow.
func (k *Kernel) Restore(now Time, rec *Record) error {
	k.at(now)
	x := &sleeper{}
	s := &x.session
	s.who, s.num, s.asleep, s.away = &x.who, rec.Num, true, &x.away
	s.who.ClientID = rec.Key
	if rec.Num != 0 && string(rec.Value) == estateMark {
		s.moving().estate, s.gone = &estate{}, true
		k.restored.due = append(k.restored.due, s)
		return nil
	}
	r := reader{b: rec.Value, text: string(rec.Value)}
	c := carried{sess: s, subs: r.record(s, k.carried[:0])}
	k.carried = c.subs[:0]
	switch {
	case !r.whole() || rec.Num == 0:
		return errRestore
	case k.sessions[rec.Key] != nil:
		return fmt.Errorf("%w: the client has another", errRestore)
	}
	s.lis = k.listener(s.who.Listener)
	s.who.Listener = s.lis.Name // one string for all
	k.sessions[rec.Key] = s
	k.restored.sleep = append(k.restored.sleep, s)
	if len(c.subs) > 0 {
		s.subs = &x.subs
		s.subs.list = x.list[:0]
		k.spare = &x.sub
	}
	k.restoring = true
	k.settleIn(&c)
	k.restoring = false
	a := s.away
	if a.connected {
		a.connected = false
		if s.will != nil {
			a.willAt = max(1, k.now+Time(s.will.delay)*1000)
		}
		if s.expiry != Never {
			a.expireAt = k.now + Time(s.expiry)*1000
		}
	}
	if a.expireAt == 0 && a.willAt == 0 {
		s.away = nil
		return nil
	}
	k.restored.due = append(k.restored.due, s)
	return nil
}

// sleeper is what a session that is restored takes, in one piece: it comes by the million, and most
// have one subscription.
type sleeper struct {
	session
	who  Identity
	away away
	subs subscriptions
	list [1]*subscription
	sub  subscription
}

// Begin ends the restoring: from here on sessions end and wills go out that are due. Every kernel
// must be Ready, and Serve told.
func (k *Kernel) Begin(now Time) {
	k.at(now)
	k.restored.begun = true
	for _, s := range k.restored.due {
		switch {
		case s.estate() != nil:
			k.absences.arm(&s.absence().timer, s, k.now)
		case s.conn == nil && k.sessions[s.id()] == s:
			k.armSession(s)
		}
	}
	k.restored.due = nil
}

// Restored follows the last Restore: it asks every other kernel to say when it knows what the
// sessions here want.
func (k *Kernel) Restored(now Time) {
	k.at(now)
	k.others(func(p PeerID) {
		k.untold++
		k.send(p, appendString(append(k.wire[:0], peerSync), ""))
	})
}

// Ready is true when all of them have.
func (k *Kernel) Ready() bool { return k.untold == 0 }

// listener answers what stands for a listener that restored sessions came by, until their clients
// are back. Serve fills it in.
func (k *Kernel) listener(name string) *Listener {
	x := k.listeners[name]
	if x == nil {
		x = &standIn{lis: Listener{Name: name, Limits: DefaultLimits()}}
		x.lis.Limits.SessionExpiryMax = Never
		k.listeners[name] = x
	}
	return &x.lis
}

// standIn is the listener of restored sessions: what of has.
type standIn struct {
	lis Listener
	of  *Listener
}

// Serve tells the kernel what judges messages for the restored sessions that came by a listener of
// that name. Until it is called nobody does.
func (k *Kernel) Serve(l *Listener) {
	if x := k.listeners[l.Name]; x != nil {
		x.lis, x.of = *l, l
	}
}

// number gives a new session its number in the Store.
func (k *Kernel) number() uint32 {
	if n := len(k.numbers); n > 0 {
		num := k.numbers[n-1]
		k.numbers = k.numbers[:n-1]
		return num
	}
	k.numbered++
	return k.cfg.Numbers + uint32(k.cfg.Self) + 1 + (k.numbered-1)*uint32(k.cfg.Peers)
}

// wake reads what a session holds; c, if it is not nil, is let in after it.
func (k *Kernel) wake(s *session, c *Conn) {
	w := s.busy()
	x := &waking{}
	p := w.back.page
	under := p != nil && p.whole != nil
	if under {
		x = p.whole
	}
	if c != nil {
		x.conns = append(x.conns, c)
	}
	if under {
		return
	}
	p = &paging{sess: s, upTo: w.back.nextSeq, whole: x}
	w.back.page = p
	// The whole window at least: refly looks at what is between the flights.
	n := pageMessages + int(s.lis.Limits.InflightMax)
	k.turn(p, Query{Num: s.num, Whole: true, Max: n, BytesMax: wakeBytes})
}

// record takes in what is not a message.
func (x *waking) record(k *Kernel, s *session, rec *Record) {
	w := s.work
	switch rec.Kind {
	case OpCount:
		w.back.n, w.back.bytes = int(rec.Seq), int(rec.Bytes)
	case OpReceived:
		w.receive(uint16(rec.Seq), nil)
	case OpFlight:
		id, state, ok := readFlight(rec.Value)
		if !ok {
			k.stats.BadFrames++
			return
		}
		x.flights = append(x.flights, flown{seq: rec.Seq, id: id, state: state})
	}
}

// flight is true if rec is the message of the last flight.
func (x *waking) flight(k *Kernel, _ *session, rec *Record) bool {
	n := len(x.flights)
	if n == 0 || x.flights[n-1].seq != rec.Seq {
		return false
	}
	var ok bool
	f := &x.flights[n-1]
	if f.e, ok = readQueued(rec); !ok {
		k.stats.BadFrames++
	}
	f.ok = ok
	return true
}

// woken ends the reading of a session: it has its window back, and its connections are let in.
func (k *Kernel) woken(p *paging, err error) {
	s, x := p.sess, p.whole
	if err == nil && s.asleep && k.sessions[s.id()] == s {
		s.asleep = false
		k.refly(s, x.flights)
	}
	for _, c := range x.conns {
		switch {
		case c.state != claiming:
		case s.asleep && k.sessions[s.id()] == s:
			k.disconnect(c, mqtt.UnspecifiedError)
		default:
			k.claimed(c)
		}
	}
	if s.conn == nil {
		s.spill() // it was woken to be made smaller
	}
}

// refly puts back what was on its way. What has an earlier one behind it that was not, or that has
// a later identifier, never went out: the write of the earlier one had failed. It waits again, in
// its order.
func (k *Kernel) refly(s *session, list []flown) {
	first, q := uint64(0), &s.work.queue
	for i := range q.items[q.head:] {
		if e := &q.items[q.head+i]; e.qos == mqtt.ExactlyOnce {
			first = e.seq
			break
		}
	}
	late := uint64(0)
	for i := range list {
		x := &list[i]
		if first == 0 || x.seq < first || x.state != slotUnsent {
			if k.relaunch(s, x) {
				continue
			}
		}
		if late == 0 {
			late = x.seq
		}
		k.put(Op{Kind: OpFlight, Num: s.num, Seq: x.seq})
	}
	if late != 0 {
		k.rewind(s, late) // it is read again with them
	}
	k.flushOps()
}

// relaunch puts a message back into the window, under its identifier. false: it cannot have gone
// out under that one.
func (k *Kernel) relaunch(s *session, x *flown) bool {
	w := s.work
	f := &w.flight
	at := x.id - f.first
	fits := f.count == 0 || at < ringMax-1 && at >= f.next-f.first
	if !fits && x.ok && x.state == slotUnsent {
		return false
	}
	if w.back.n > 0 {
		w.back.n--
	}
	if !fits || x.id == 0 || !x.ok && x.state == slotUnsent {
		k.put(Op{Kind: OpFlight, Num: s.num, Seq: x.seq})
		return true
	}
	if f.count == 0 {
		f.first = x.id
	}
	f.next = x.id
	o := f.add()
	if o == nil {
		return true
	}
	w.back.flown = append(w.back.flown, x.seq)
	o.m, o.ids, o.share, o.seq = x.e.m, x.e.ids, x.e.share, x.seq
	o.qos, o.retain, o.state, o.sent = mqtt.ExactlyOnce, x.e.retain, x.state, true
	if x.state == slotToRelease || o.m == nil {
		o.m = (&Message{QoS: mqtt.ExactlyOnce}).header()
	}
	return true
}

// tallyOn asks how much waits for the next few sessions that sleep: what waits in all is bounded.
func (k *Kernel) tallyOn() {
	n := min(len(k.restored.sleep), tallyStep)
	for _, s := range k.restored.sleep[:n] {
		if s.asleep && !s.gone {
			k.tally(s)
		}
	}
	if k.restored.sleep = k.restored.sleep[n:]; len(k.restored.sleep) == 0 {
		k.restored.sleep = nil
	}
}

// tally asks how much waits for a session that is asleep, once.
func (k *Kernel) tally(s *session) {
	if s.tallied {
		return
	}
	s.tallied = true
	before, _ := s.work.waits()
	t := k.asks.put(ask{kind: askTally, sess: s, before: before})
	s.pending++
	q := Query{Num: s.num, Whole: true}
	if k.store.Read(t, q, func(r Record) { k.tallied(s, &r, before) }) {
		k.asks.take(t)
		k.unpend(s)
	}
}

// tallied takes the answer: what was kept since the question may be in it or not.
func (k *Kernel) tallied(s *session, rec *Record, before int) {
	if rec.Kind != OpCount || !s.asleep || rec.Seq == 0 {
		return
	}
	b := &s.busy().back
	b.n = int(rec.Seq) + max(0, b.n-before)
	b.bytes = max(b.bytes, int(rec.Bytes))
	k.account(s)
}
