package broker

import "github.com/hpmq/hpmq/sdk/mqtt"

// What waits is bounded by session and in all. What becomes of a message above either bound the
// listener of its receiver says: it is dropped, or those are that have waited longest, or its
// publisher is told.
//
// The oldest of a durable session go when the Store has the new one, not before: if it is refused,
// nothing is lost for it. Until then, and while it is read which are the oldest, more waits than
// the bound says, at most twice as much.

// QueuePolicy says what becomes of a message for a session for which as much waits as may.
type QueuePolicy uint8

const (
	// DropNewest drops it.
	DropNewest QueuePolicy = iota
	// DropOldest lets it wait in the place of those that have waited longest.
	DropOldest
	// Reject drops it, and its publisher is told (0x97): others may have it, and have it twice
	// when it is published again. MQTT 3 has no word for that, so there it is DropNewest.
	Reject
)

// queueFull is how a kernel tells another that it rejected a message: a reason that means
// something else on the wire, where it never comes, below that of a Store that fails.
const queueFull = mqtt.ReceiveMaximumExceeded

// aged is a message in the Store: which, and its size.
type aged struct {
	seq  uint64
	size int
}

// account brings the kernel's count up to date with what waits for s.
func (k *Kernel) account(s *session) {
	w := s.work
	if w == nil || s.gone {
		return
	}
	n, bytes := w.waits()
	k.stats.Queued += n - w.counted
	k.stats.QueuedBytes += bytes - w.countedBytes
	w.counted, w.countedBytes = n, bytes
}

// discount takes s out of the count, for good.
func (k *Kernel) discount(s *session) {
	if w := s.work; w != nil {
		k.stats.Queued -= w.counted
		k.stats.QueuedBytes -= w.countedBytes
		w.counted, w.countedBytes = 0, 0
	}
	s.gone = true
}

// full is true when so many more bytes in one message would be more than may wait for s.
func (k *Kernel) full(s *session, m *Message) bool {
	n, bytes := s.work.waits()
	lim := &s.lis.Limits
	return n >= lim.QueueMessagesMax || bytes+m.size() > lim.QueueBytesMax || k.over(1, m.size())
}

// over is true when so much more would be more than may wait in all.
func (k *Kernel) over(n, bytes int) bool {
	c := &k.cfg
	return c.QueuedMessagesMax != 0 && k.stats.Queued+n > c.QueuedMessagesMax ||
		c.QueuedBytesMax != 0 && k.stats.QueuedBytes+bytes > c.QueuedBytesMax
}

// squeeze says what becomes of m, which is too much for s: true if it may wait, for thin makes
// room.
func (k *Kernel) squeeze(s *session, m *Message) bool {
	n, bytes := s.work.waits()
	lim := &s.lis.Limits
	switch {
	case lim.QueuePolicy == DropOldest && n > 0 && n/2 < lim.QueueMessagesMax &&
		bytes/2 < lim.QueueBytesMax && m.size() <= lim.QueueBytesMax:
		return true
	case lim.QueuePolicy == Reject && m.QoS != mqtt.AtMostOnce:
		k.fan.rejected = true
		k.stats.Rejected++
	case k.over(1, m.size()):
		k.stats.DroppedTotal++
	default:
		k.stats.DroppedQueue++
	}
	return false
}

// thin drops what has waited longest for s until no more waits than may. What it drops of the Store
// leaves it with the next write.
func (k *Kernel) thin(s *session) {
	if s.work == nil || s.gone || s.lis.Limits.QueuePolicy != DropOldest {
		return
	}
	lim := &s.lis.Limits
	for {
		n, bytes := s.work.waits()
		within := n <= lim.QueueMessagesMax && bytes <= lim.QueueBytesMax
		if within && (n <= 1 || !k.over(0, 0)) || !k.dropOldest(s) {
			return
		}
		k.stats.DroppedOldest++
		k.account(s)
	}
}

// dropOldest drops one message, a QoS 0 message first. False: which it is must be read, and thin
// goes on when it is.
func (k *Kernel) dropOldest(s *session) bool {
	w := s.work
	b := &w.back
	switch {
	case w.loose != nil:
		if w.loose.pop(); w.loose.len() == 0 {
			w.loose = nil
		}
	case w.queue.len() > 0:
		k.popped(s, w.queue.pop().seq, mqtt.AtMostOnce)
	case len(b.old) > 0 && !s.asleep:
		o := b.old[0]
		b.old, b.from = b.old[1:], o.seq+1
		b.less(1, o.size)
		k.popped(s, o.seq, mqtt.AtMostOnce)
	default:
		k.readOldest(s)
		return false
	}
	return true
}

// readOldest asks for the begin of a queue that is in the Store alone. A session that sleeps must
// wake up for it: what is on its way to the client is no part of the queue.
func (k *Kernel) readOldest(s *session) {
	b := &s.work.back
	switch {
	case s.asleep:
		k.wake(s, nil)
	case b.page != nil || b.from == 0:
	case s.live():
		k.refill(s)
	default:
		b.page = &paging{sess: s, upTo: b.nextSeq, ages: true}
		q := Query{Num: s.num, From: b.from, Max: pageMessages, BytesMax: pageBytes}
		k.turn(b.page, q)
	}
}

// Expired takes note of messages that the Store removed because they expired: each an OpPop with
// the Key of the session and the Bytes it had, perhaps of sessions that are not here. gone is
// borrowed until return. What is in memory too is found there to have expired.
func (k *Kernel) Expired(now Time, gone []Record) {
	k.at(now)
	for i := range gone {
		r := &gone[i]
		s := k.sessions[r.Key]
		if s == nil || s.num != r.Num {
			continue
		}
		w := s.work
		if w != nil && !s.asleep && !w.alone(r.Seq) {
			continue
		}
		k.stats.DroppedExpired++
		if w == nil {
			continue
		}
		if w.back.less(1, int(r.Bytes)); w.back.n == 0 {
			w.back.bytes = 0
		}
		k.account(s)
	}
}

// alone is true of a message that is in the Store alone.
func (w *work) alone(seq uint64) bool {
	return w.back.from != 0 && seq >= w.back.from && !w.flight.has(seq)
}

// verdict is what a kernel answers to another that sent it the publication at work.
func (f *fanout) verdict() mqtt.ReasonCode {
	if f.rejected {
		return queueFull
	}
	return mqtt.Success
}

// unwelcome is what a publisher is told of a message that another kernel rejected. The packet
// identifier of one of QoS 2 is free again, so the Store must forget it.
func (k *Kernel) unwelcome(pub *publication) mqtt.ReasonCode {
	s := pub.sess
	if s == nil || s.who.Version != mqtt.V5 {
		return mqtt.Success
	}
	if pub.qos == mqtt.ExactlyOnce && k.durable(s) {
		k.put(Op{Kind: OpReleased, Num: s.num, Seq: uint64(pub.id)})
	}
	return mqtt.QuotaExceeded
}
