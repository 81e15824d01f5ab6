package broker

import "github.com/hpmq/hpmq/sdk/mqtt"

// The estate of a session that ended is what it had from shared subscriptions and nobody got: it
// goes to other members of the groups, wherever they are, but for a QoS 2 message that was sent
// [MQTT-4.8.2-5]. It is given out a page at each tick, so that the living are not held up by many
// that end at once.
//
// What a durable session leaves is in the Store, under its number, with estateMark for its state:
// after a restart it is given out on. A message leaves the estate in the write that keeps it for
// its heir, in one group with the heir's kernel, so that no end of the broker loses or doubles it.
type estate struct {
	read   bool // the window and the first page
	failed bool // since the last tick: the next try waits
}

// estateMark is the state of a session that ended: an expiry above Never.
const estateMark = "\x80\x80\x80\x80\x10"

// estateRetry is how long an estate waits after a failure, in ms.
const estateRetry = 1000

// estate answers what s left, nil if it lives.
func (s *session) estate() *estate {
	if s.passage == nil {
		return nil
	}
	return s.passage.estate
}

// bequeaths is true if s may have messages that another member of a group can have.
func (k *Kernel) bequeaths(s *session) bool {
	if s.work == nil && !s.asleep || s.subs == nil {
		return false
	}
	for _, sub := range s.subs.list {
		if g := sub.group; g != nil && (len(g.members) > 1 || len(g.far) > 0) {
			return true
		}
	}
	return false
}

// bequeath makes s, which is out of the kernel's tables, an estate.
func (k *Kernel) bequeath(s *session) {
	w := s.busy()
	left := queue{}
	w.flight.each(func(o *outgoing) {
		switch {
		case o.qos == mqtt.ExactlyOnce && o.sent:
		case s.num == 0:
			left.push(queued{m: o.m, share: o.share})
		case o.qos == mqtt.ExactlyOnce:
			k.put(Op{Kind: OpFlight, Num: s.num, Seq: o.seq}) // it waits like the others
		}
	})
	for _, e := range w.queue.items[w.queue.head:] {
		if s.num == 0 {
			left.push(e)
		}
	}
	w.flight, w.queue, w.back = flight{}, left, backlog{nextSeq: w.back.nextSeq}
	s.asleep = false
	s.moving().estate = &estate{}
	if s.num != 0 {
		k.put(Op{Kind: OpPutSession, Num: s.num, Key: s.id(), Value: []byte(estateMark)})
	}
	k.flushOps()
	k.absences.arm(&s.absence().timer, s, k.now)
}

// giveOut goes on with an estate, at a tick.
func (k *Kernel) giveOut(s *session) {
	e, w := s.passage.estate, s.busy()
	wait := Time(0)
	switch {
	case s.pending > 0: // the Store or a peer owes an answer
	case e.failed:
		e.failed, wait = false, estateRetry
	case w.queue.len() > 0:
		for n := w.queue.len(); n > 0; n-- {
			x := w.queue.pop()
			k.endow(s, x)
		}
	case s.num != 0 && (!e.read || w.back.from != 0):
		p := &paging{sess: s, upTo: w.back.nextSeq}
		if !e.read {
			p.whole = &waking{}
		}
		w.back.page = p
		k.turn(p, Query{
			Num: s.num, From: w.back.from, Whole: !e.read, Max: pageMessages, BytesMax: pageBytes,
		})
	default:
		k.drop(s)
		return
	}
	k.absences.arm(&s.away.timer, s, k.now+wait)
}

// found is the end of a page of an estate. What was sent is nobody else's.
func (k *Kernel) found(p *paging, err error) {
	e := p.sess.passage.estate
	if err != nil {
		e.failed = true
		return
	}
	e.read = true
	if p.whole == nil {
		return
	}
	for _, f := range p.whole.flights {
		k.put(Op{Kind: OpPop, Num: p.sess.num, Seq: f.seq})
		k.put(Op{Kind: OpFlight, Num: p.sess.num, Seq: f.seq})
	}
	k.flushOps()
}

// endow gives x of the estate of s to another member of its group. If there is none it is over.
func (k *Kernel) endow(s *session, x queued) {
	if x.share == "" {
		return
	}
	k.begin(nil, 0)
	f := &k.fan
	f.sess, f.qos, f.again = s, mqtt.AtLeastOnce, true
	if k.cfg.Durable {
		k.together()
	}
	if x.seq != 0 {
		k.put(Op{Kind: OpPop, Num: s.num, Seq: x.seq})
	}
	k.match.targets, k.match.picks, k.match.peers = k.match.targets[:0], k.match.picks[:0], 0
	if g := k.groupOf(x.share); g != nil && (x.m.Expire == 0 || k.now < x.m.Expire) {
		k.draw(g, x.m)
		k.forward(x.m)
		k.deliverAll(x.m)
	}
	if pub := k.end(); pub != nil {
		pub.left = &x
	}
}

// together joins the writes of the publication at work, here and at peers.
func (k *Kernel) together() {
	k.groups++
	k.fan.group, k.fan.share = uint64(k.cfg.Self)<<48|k.groups, GroupWhole
	k.fan.careful = true
}

// returned takes x back into the estate: it was not kept.
func (k *Kernel) returned(s *session, x *queued) {
	s.passage.estate.failed = true
	s.work.queue.push(*x)
}
