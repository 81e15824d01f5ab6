package broker

import (
	"sort"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// session is what a client has here, connected or not [MQTT-4.1.0-1]. It lives in one kernel.
type session struct {
	who  *Identity // of the connection, or of the last one
	lis  *Listener
	conn *Conn
	subs *subscriptions // nil for none
	will *will

	// What follows is nil for most. There may be a hundred thousand sessions that say nothing.
	work    *work
	away    *away
	passage *passage

	// expiry is the Session Expiry Interval in seconds; 0 ends the session with its connection.
	expiry  uint32
	pending int32  // publications of it that are not settled
	mark    uint32 // fan-out that last saw it, and where (deliver.go)
	at      int32
	num     uint32 // in the Store, 0 for a session that is not kept
	asleep  bool   // what it holds is in the Store alone (wake.go)
	tallied bool
	gone    bool // no session of this kernel any more
}

// away is what a session has while its client is away, if it ends or has a will.
type away struct {
	timer    timer[*session]
	expireAt Time // 0 for never
	willAt   Time // 0 or when the will is due
	// connected is only ever true of a session that is about to be restored.
	connected bool
}

// passage is what a session has on its way from kernel to kernel (handover.go).
type passage struct {
	leaving  *release // hand over when pending is 0
	moved    *moved   // set on the ghost of a session that was handed over
	arriving *arrival // set until the former owner let go
	estate   *estate  // of a session that ended
}

func (s *session) id() string { return s.who.ClientID }

// absence answers s.away, made if it is not there.
func (s *session) absence() *away {
	if s.away == nil {
		s.away = &away{}
	}
	return s.away
}

// moving answers s.passage, made if it is not there.
func (s *session) moving() *passage {
	if s.passage == nil {
		s.passage = &passage{}
	}
	return s.passage
}

// arriving answers what there is until the former owner let go, or nil.
func (s *session) arriving() *arrival {
	if s.passage == nil {
		return nil
	}
	return s.passage.arriving
}

// durable: what the session holds must be in the Store before it is acknowledged.
func (k *Kernel) durable(s *session) bool { return s.num != 0 }

// attach gives the session its new connection.
func (k *Kernel) attach(s *session, c *Conn, h *hello) {
	s.conn, s.lis, s.who = c, c.lis, c.who
	s.expiry, s.will = h.expiry, h.will
	k.disarm(s)
	s.away = nil
}

// disarm stops the time that runs while the client of s is away.
func (k *Kernel) disarm(s *session) {
	if s.away != nil {
		k.absences.disarm(&s.away.timer)
	}
}

// parted is what follows from the end of a session's connection: the will now or later, the
// session's end now or later.
func (k *Kernel) parted(s *session, abnormal bool) {
	w := s.will
	if s.expiry == 0 {
		k.endSession(s, abnormal)
		return
	}
	if s.expiry != Never {
		s.absence().expireAt = k.now + Time(s.expiry)*1000
	}
	switch {
	case w == nil || !abnormal:
		s.will = nil
	case w.delay == 0:
		s.will = nil
		k.publishWill(s, w)
	default:
		s.absence().willAt = k.now + Time(w.delay)*1000 // [MQTT-3.1.3-9]
	}
	if k.sessions[s.id()] == s {
		k.armSession(s)
	}
	k.saveSession(s)
}

func (k *Kernel) armSession(s *session) {
	a := s.away
	if a == nil {
		return
	}
	at := a.expireAt
	if a.willAt != 0 && (at == 0 || a.willAt < at) {
		at = a.willAt
	}
	if at != 0 {
		k.absences.arm(&a.timer, s, at)
	}
}

// due is called when the will delay or the session expiry interval has passed.
func (s *session) due(k *Kernel) {
	a := s.away
	if s.estate() != nil {
		k.giveOut(s)
		return
	}
	if s.conn != nil || k.sessions[s.id()] != s {
		return
	}
	if a.willAt != 0 && k.now >= a.willAt {
		w := s.will
		s.will, a.willAt = nil, 0
		if w != nil {
			k.publishWill(s, w)
		}
	}
	if a.expireAt != 0 && k.now >= a.expireAt {
		k.endSession(s, true)
		return
	}
	k.armSession(s)
}

// endSession drops a session with all it holds. A will that still waits is due now [MQTT-3.1.2-8].
func (k *Kernel) endSession(s *session, abnormal bool) {
	w := s.will
	s.will = nil
	if w != nil && abnormal {
		// Before the drop: a kill between the two writes must not lose it, nor keep the session.
		s.absence().expireAt = max(1, k.now)
		k.publishWill(s, w)
	}
	k.forget(s)
	k.gone(s.id())
}

// forget takes s out of this kernel, tree and store, without a word to its home.
func (k *Kernel) forget(s *session) {
	k.disarm(s)
	delete(k.sessions, s.id())
	k.dropLoose(s)
	k.discount(s)
	left := k.bequeaths(s)
	for _, f := range s.filters() {
		k.unsubscribe(s, f)
	}
	if left {
		k.bequeath(s)
		return
	}
	k.drop(s)
}

// drop removes s from the Store. Its number is free for another.
func (k *Kernel) drop(s *session) {
	if s.num != 0 {
		op := Op{Kind: OpDropSession, Num: s.num}
		if s.asleep || s.work != nil {
			op.Seq = 1
		}
		k.put(op)
		k.numbers = append(k.numbers, s.num)
		s.num, s.asleep = 0, false
	}
	if s.work != nil {
		s.work.back = backlog{}
	}
	k.flushOps()
}

// filters are the session's filters in a fixed order.
func (s *session) filters() []string {
	if s.subs == nil {
		return nil
	}
	list := make([]string, 0, len(s.subs.list))
	for _, sub := range s.subs.list {
		list = append(list, sub.full)
	}
	sort.Strings(list)
	return list
}

// newSession makes the session of a client that has none.
func (k *Kernel) newSession(c *Conn) *session {
	s := &session{who: c.who, lis: c.lis}
	k.sessions[s.id()] = s
	return s
}

// takeOver ends the connection that s still has for the sake of a new one [MQTT-3.1.4-3]. clean
// says that the new one starts the session anew.
func (k *Kernel) takeOver(s *session, clean bool) {
	if c := s.conn; c != nil {
		k.stats.TakenOver++
		k.storms.note(k.now, s)
		w := s.will
		s.will = nil
		if w != nil && (clean || s.expiry == 0 || w.delay == 0) {
			k.publishWill(s, w)
		}
		s.conn = nil
		k.dropLoose(s)
		s.spill()
		k.disconnect(c, mqtt.SessionTakenOver)
		return
	}
	if w := s.will; w != nil {
		a := s.absence()
		at := a.willAt
		s.will, a.willAt = nil, 0
		// Within its delay it is not sent if the session goes on [MQTT-3.1.3-9].
		if clean || k.now >= at {
			k.publishWill(s, w)
		}
	}
}
