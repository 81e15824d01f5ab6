package broker

import (
	"github.com/hpmq/hpmq/sdk/mqtt"
	"github.com/hpmq/hpmq/sdk/topic"
)

// The hand-over of a session from its owner A to the claimant B, with nothing lost, doubled or
// out of order though messages are on their way from any kernel C:
//
//  1. A sends the session to B, with the number of the last message it saw of each origin, and
//     keeps a ghost: its subscriptions stay in A's tree, and what comes for them is relayed to B.
//  2. B puts the subscriptions into its own tree, tells every C the interest, then "I have it now"
//     (peerMove). What matches at B directly is put aside; what A relays is delivered.
//  3. Each C, which sends to B too from now on, sends A a fence: behind it, frames from C on the
//     same way, nothing follows that B does not get as well.
//  4. With all fences in, A drops the ghost and sends B the last word.
//  5. B asks each C for a fence of its own (peerSync): what A relayed C had sent B too if B wants
//     it, and on that way it may be slower than through A. Behind the fence it is in.
//  6. B delivers what it had put aside, less what came through A: what A had seen before it sent
//     the session, and what it relayed. What A got of an origin comes before the rest, so the
//     order is kept.
//
// Only then the home hears that B has the session, so that one hand-over ends before the next
// begins.

// release is the order to hand a session over.
type release struct {
	to    PeerID
	t     Token
	clean bool
}

// moved makes a session a ghost.
type moved struct {
	to     PeerID
	fences int
}

// arrival is the state of a session that is being taken over, until nothing of before is under way.
type arrival struct {
	from    PeerID
	fences  int      // still to come
	seen    []uint64 // by origin, the number of the last message that A gave the session itself
	relayed map[relayKey]struct{}
	aside   []aside
}

// relayKey names a message.
type relayKey struct {
	origin PeerID
	num    uint64
}

// aside is a message that matched here before the former owner let go.
type aside struct {
	m   *Message
	t   target
	pub *publication
	// group and share are its part of what peers write, careful as there.
	group, share uint64
	careful      bool
}

// keep puts m aside. Its publisher's acknowledgement waits.
func (a *arrival) keep(k *Kernel, t *target, m *Message) {
	c := *t
	c.ids = append([]uint32(nil), t.ids...)
	if len(c.ids) == 0 {
		c.ids = nil
	}
	f := &k.fan
	x := aside{
		m: m.Keep(), t: c, pub: k.hold(), group: f.group, share: f.share >> 7, careful: f.careful,
	}
	f.share -= x.share
	a.aside = append(a.aside, x)
}

// onRelease hands the session over, as soon as nothing of it is under way. Its connection ends at
// once.
func (k *Kernel) onRelease(id string, r release) {
	s := k.sessions[id]
	if s == nil {
		k.sendHandover(id, &r, nil)
		return
	}
	r.clean = r.clean || s.expiry == 0
	k.takeOver(s, r.clean)
	k.disarm(s)
	s.moving().leaving = &r
	if s.pending == 0 {
		k.release(s)
	}
}

// release sends s away and leaves a ghost.
func (k *Kernel) release(s *session) {
	r := s.passage.leaving
	s.passage.leaving = nil
	if s.conn != nil {
		k.takeOver(s, r.clean) // it was let in meanwhile
	}
	if r.clean {
		k.forget(s)
		k.flushOps()
		k.sendHandover(s.id(), r, nil)
		return
	}
	k.stats.HandedOver++
	k.disarm(s)
	k.discount(s)
	k.sendHandover(s.id(), r, s)
	delete(k.sessions, s.id())
	s.work, s.num = nil, 0
	s.passage.moved = &moved{to: r.to, fences: k.cfg.Peers - 1}
	k.ghosts[s.id()] = s
}

// sendHandover sends the session, or word that there is none.
func (k *Kernel) sendHandover(id string, r *release, s *session) {
	k.seen[k.cfg.Self] = k.seq
	f := append(k.wire[:0], peerHandover)
	f = appendUint(f, uint64(r.t))
	f = appendBool(appendString(f, id), s != nil)
	if s != nil {
		for p := range k.cfg.Peers {
			f = appendUint(f, k.seen[p])
		}
		f = appendSession(f, s)
	}
	k.send(r.to, f)
}

// onHandover takes the session in, or learns that there was none.
func (k *Kernel) onHandover(from PeerID, t Token, id string, cs *carried) {
	a, ok := k.asks.take(t)
	if !ok || a.kind != askClaim {
		return
	}
	k.unclaim(id)
	here := a.conn.state == claiming
	if cs == nil {
		if here {
			k.claimed(a.conn) // before the home hands it on to who waits
		}
		k.done(id)
		k.gone(id)
		return
	}
	s := cs.sess
	k.sessions[id] = s
	k.account(s)
	s.lis = a.conn.lis
	k.arrivals[id] = &arrival{
		from: from, fences: k.cfg.Peers - 2, seen: cs.seen, relayed: make(map[relayKey]struct{}),
	}
	s.moving().arriving = k.arrivals[id]
	k.settleIn(cs)
	k.others(func(p PeerID) {
		f := appendString(append(k.wire[:0], peerMove), id)
		k.send(p, appendUint(f, uint64(from)))
	})
	if here {
		k.claimed(a.conn)
		return
	}
	if s.expiry != Never {
		s.absence().expireAt = k.now + Time(s.expiry)*1000
	}
	k.armSession(s)
}

// settleIn places the subscriptions that came with a session.
func (k *Kernel) settleIn(cs *carried) {
	for _, c := range cs.subs {
		p := placing{filter: c.full}
		if g, f, shared := splitFull(c.full); shared {
			p = placing{group: g, filter: f, shared: true}
		}
		if sub := k.place(cs.sess, c.full, p); sub != nil {
			sub.qos, sub.id = mqtt.QoS(c.opts&3), c.id
			sub.noLocal, sub.published = c.opts&4 != 0, c.opts&8 != 0
			sub.handling = c.opts >> 4
		}
	}
}

// done tells the home that the session is here.
func (k *Kernel) done(id string) {
	if home := k.homeOf(id); home != k.cfg.Self {
		k.send(home, appendString(append(k.wire[:0], peerDone), id))
		return
	}
	k.homeDone(id, k.cfg.Self)
}

// onMove: the session is at from now, and this kernel knows what it wants. The former owner is
// told.
func (k *Kernel) onMove(from PeerID, id string, former PeerID) {
	if former == k.cfg.Self {
		k.onFence(id)
		return
	}
	k.send(former, appendString(append(k.wire[:0], peerFence), id))
}

// onFence counts. With the last one the ghost of the former owner goes, the arrival of the new
// one ends.
func (k *Kernel) onFence(id string) {
	if id == "" { // no client has this: it is the answer to Restored
		k.untold--
		return
	}
	if a := k.arrivals[id]; a != nil {
		if a.fences--; a.fences == 0 {
			k.settledIn(id, a)
		}
		return
	}
	g := k.ghosts[id]
	if g == nil {
		return
	}
	gone := g.passage.moved
	gone.fences--
	if gone.fences > 0 {
		return
	}
	delete(k.ghosts, id)
	for _, f := range g.filters() {
		k.unsubscribe(g, f)
	}
	k.send(gone.to, appendString(append(k.wire[:0], peerLast), id))
}

// relayed is a message that came for the session at its former owner.
func (k *Kernel) relayed(id, full string, m *Message) {
	s := k.sessions[id]
	if full != "" && (s == nil || s.subs.get(full) == nil) {
		k.arrivedShared(full, 1, m) // the session ended, or left the group, on its way
		return
	}
	if s == nil {
		return
	}
	if a := s.arriving(); full == "" && a != nil {
		a.relayed[relayKey{m.origin, m.num}] = struct{}{}
	}
	x := &k.match
	x.targets = x.targets[:0]
	x.mark++
	if full != "" {
		x.addShared(s.subs.get(full), m)
	} else {
		k.rematch(s, m)
	}
	for i := range x.targets {
		k.handOne(&x.targets[i], m)
	}
}

// rematch makes the target of one session from its own subscriptions.
func (k *Kernel) rematch(s *session, m *Message) {
	for _, f := range s.filters() {
		sub := s.subs.get(f)
		if sub.group != nil || sub.noLocal && s.id() == m.From {
			continue
		}
		if topic.Match(f, m.Topic) {
			k.match.add(sub, m)
		}
	}
}

// onLast: nothing comes through the former owner any more.
func (k *Kernel) onLast(id string) {
	a := k.arrivals[id]
	if a == nil {
		return
	}
	if a.fences == 0 {
		k.settledIn(id, a)
		return
	}
	k.others(func(p PeerID) {
		if p != a.from {
			k.send(p, appendString(append(k.wire[:0], peerSync), id))
		}
	})
}

// settledIn ends the arrival: what was put aside and did not come through the former owner is
// delivered.
func (k *Kernel) settledIn(id string, a *arrival) {
	delete(k.arrivals, id)
	if s := k.sessions[id]; s != nil && s.arriving() == a {
		s.passage.arriving = nil
		if s.passage.leaving == nil {
			s.passage = nil
		}
	}
	for i := range a.aside {
		k.takeAside(a, &a.aside[i])
	}
	k.done(id)
	k.gone(id)
}

func (k *Kernel) takeAside(a *arrival, x *aside) {
	s := x.t.sess
	_, seen := a.relayed[relayKey{x.m.origin, x.m.num}]
	if int(x.m.origin) < len(a.seen) {
		seen = seen || x.m.num <= a.seen[x.m.origin]
	}
	k.begin(nil, 0)
	if x.pub != nil {
		k.fan.qos = mqtt.AtLeastOnce
	}
	k.fan.group, k.fan.share, k.fan.careful = x.group, x.share, x.careful
	switch here := k.sessions[s.id()] == s; {
	case here && (!seen || x.t.share != ""):
		k.handOne(&x.t, x.m)
	case !here && x.t.share != "":
		k.arrivedShared(x.t.share, 1, x.m)
	}
	r := k.fan.verdict()
	if pub := k.end(); pub != nil {
		pub.next, pub.reason = x.pub, r // it waits for the Store too
		return
	}
	k.settle(x.pub, r)
}

func (k *Kernel) peerSessions(kind byte, from PeerID, r *reader) bool {
	t := Token(0)
	if kind == peerRelease || kind == peerHandover {
		t = Token(r.uint())
	}
	id := r.string()
	switch kind {
	case peerRelease:
		rel := release{t: t, clean: r.bool(), to: PeerID(r.upTo(uint64(k.cfg.Peers - 1)))}
		if !r.whole() {
			return false
		}
		k.onRelease(id, rel)
	case peerHandover:
		return k.readHandover(from, t, id, r)
	case peerMove:
		former := PeerID(r.upTo(uint64(k.cfg.Peers - 1)))
		if !r.whole() {
			return false
		}
		k.onMove(from, id, former)
	case peerFence:
		k.onFence(id)
	case peerSync:
		k.send(from, appendString(append(k.wire[:0], peerFence), id))
	default:
		k.onLast(id)
	}
	return r.whole()
}

func (k *Kernel) readHandover(from PeerID, t Token, id string, r *reader) bool {
	if !r.bool() {
		k.onHandover(from, t, id, nil)
		return r.whole()
	}
	seen := make([]uint64, k.cfg.Peers)
	for p := range seen {
		seen[p] = r.uint()
	}
	cs, ok := r.session(id)
	cs.seen = seen
	if !ok {
		k.onHandover(from, t, id, nil)
		return false
	}
	k.onHandover(from, t, id, &cs)
	return true
}
