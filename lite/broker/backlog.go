package broker

import (
	"sort"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// The queue of a durable session is in the Store. Only its first part is in memory too, and only
// while its client is connected: enough to keep the client busy while the next page is read. So a
// session that waits for its client costs no memory for what waits with it.

const (
	pageMessages = 256       // read at once
	pageBytes    = 256 << 10 //
	aheadMax     = 2 * pageMessages
	headEvery    = 256 // messages that go before the Store is told where the queue begins
)

// backlog is what of a queue is in the Store alone.
type backlog struct {
	nextSeq uint64 // of the last message that was kept
	from    uint64 // where it begins, 0 if there is none
	n       int    // how many there are, at most, and their bytes
	bytes   int
	// flown are messages that were in flight when the session woke up, ascending: a page that
	// brings one, which may have landed meanwhile, must not send it again.
	flown []uint64
	gone  int // messages that left since the Store was told of the head
	page  *paging
	old   []aged // where the queue begins, while what waited longest goes (quota.go)
}

// paging is one page under way to memory.
type paging struct {
	sess  *session
	upTo  uint64 // nextSeq when it was asked for
	since int    // bytes kept since
	last  uint64 // Seq of the last record that came
	more  bool
	ages  bool    // only which messages there are is asked for (quota.go)
	whole *waking // nil, or it is the first page of a session that wakes up
}

// waits is how many messages wait for the session of w, in memory or not.
func (w *work) waits() (n, bytes int) {
	if w == nil {
		return 0, 0
	}
	n, bytes = w.queue.len()+w.back.n, w.queue.bytes+w.back.bytes
	if w.loose != nil {
		n, bytes = n+w.loose.len(), bytes+w.loose.bytes
	}
	return n, bytes
}

// keep has the Store keep e in the queue of s, and numbers it.
func (k *Kernel) keep(s *session, e *queued) {
	b := &s.busy().back
	b.nextSeq = max(b.nextSeq, k.cfg.Boot<<bootShift) + 1
	e.seq = b.nextSeq
	f := &k.fan
	if f.bodyOf != e.m {
		at := len(f.opBuf)
		f.opBuf = appendMessage(f.opBuf, e.m)
		f.bodyOf, f.body = e.m, f.opBuf[at:len(f.opBuf):len(f.opBuf)]
	}
	at := len(f.opBuf)
	f.opBuf = appendHead(f.opBuf, e)
	k.put(Op{
		Kind: OpPush, Num: s.num, Seq: e.seq, Value: f.opBuf[at:len(f.opBuf):len(f.opBuf)],
		Body: f.body, Expire: e.m.Expire,
	})
}

// bootShift makes what is numbered in one run of the broker higher than all of the runs before.
const bootShift = 40

// wait lets a message wait: in memory, or if it is kept and there are many, in the Store alone.
func (k *Kernel) wait(s *session, e queued) {
	w := s.busy()
	b := &w.back
	defer k.account(s)
	if e.seq == 0 || b.from == 0 && s.conn != nil && w.queue.len() < aheadMax {
		w.queue.push(e)
		if e.seq != 0 {
			k.holdQueued(s, held{seq: e.seq})
		}
		return
	}
	if b.from == 0 {
		b.from = e.seq
	}
	b.n++
	b.bytes += e.m.size()
	if b.page != nil {
		b.page.since += e.m.size()
	}
	k.holdQueued(s, held{back: true, size: e.m.size()})
	if s.asleep {
		k.tally(s)
	}
}

// spill leaves the queue of a durable session to the Store alone.
func (s *session) spill() {
	w := s.work
	if w == nil || s.num == 0 {
		return
	}
	w.back.page, w.back.old = nil, nil
	w.trim()
	if w.queue.len() == 0 {
		return
	}
	w.back.from = w.queue.items[w.queue.head].seq
	w.back.n += w.queue.len()
	w.back.bytes += w.queue.bytes
	w.queue = queue{}
}

// refill asks for the next page if there is one and little is left in memory.
func (k *Kernel) refill(s *session) {
	w := s.work
	if !s.live() || w == nil || w.back.from == 0 || w.back.page != nil ||
		w.queue.len() >= pageMessages || w.flight.redo {
		return
	}
	p := &paging{sess: s, upTo: w.back.nextSeq}
	w.back.page, w.back.old = p, nil
	k.turn(p, Query{Num: s.num, From: w.back.from, Max: pageMessages, BytesMax: pageBytes})
}

// turn asks for a page. A hand-over waits for it.
func (k *Kernel) turn(p *paging, q Query) {
	p.sess.pending++
	t := k.asks.put(ask{kind: askPage, page: p})
	if k.store.Read(t, q, func(rec Record) { k.leaf(p, &rec) }) {
		k.asks.take(t)
		k.turned(p, nil)
	}
}

// leaf takes one record of a page in.
func (k *Kernel) leaf(p *paging, rec *Record) {
	w := p.sess.work
	if w == nil || w.back.page != p {
		return // the connection it was for is gone
	}
	switch rec.Kind {
	case OpMore:
		p.more = true
	case OpPush:
		if p.whole != nil && p.whole.flight(k, p.sess, rec) {
			return
		}
		p.last = rec.Seq
		if w.back.flew(rec.Seq) {
			return
		}
		e, ok := readQueued(rec)
		if !ok {
			k.stats.BadFrames++
			return
		}
		if p.ages {
			w.back.old = append(w.back.old, aged{rec.Seq, e.m.size()})
			return
		}
		w.queue.push(e)
		w.back.less(1, e.m.size())
	default:
		if p.whole != nil {
			p.whole.record(k, p.sess, rec)
		}
	}
}

// turned is the end of a page. If it cannot be read the connection ends: the next one tries again.
func (k *Kernel) turned(p *paging, err error) {
	s := p.sess
	w := s.work
	wanted := w != nil && w.back.page == p
	if wanted {
		w.back.page = nil
		switch {
		case err != nil:
			k.stats.ReadErrors++
		case !p.ages || len(w.back.old) == 0:
			w.back.turn(p)
			w.trim()
		}
	}
	switch {
	case s.estate() != nil:
		if wanted { // and not from when it lived
			k.found(p, err)
		}
	case p.whole != nil:
		k.woken(p, err)
	case err != nil && s.conn != nil:
		k.disconnect(s.conn, mqtt.UnspecifiedError)
	default:
		k.pump(s)
	}
	k.account(s)
	if err == nil {
		k.thin(s)
	}
	k.unpend(s)
}

// less takes messages out of the count; it is a bound, not exact.
func (b *backlog) less(n, bytes int) {
	b.n, b.bytes = max(0, b.n-n), max(0, b.bytes-bytes)
}

// turn goes on behind a page. What was kept after it was asked for may be in it or not.
func (b *backlog) turn(p *paging) {
	if p.more {
		b.from, b.n = p.last+1, max(1, b.n)
		return
	}
	end := max(p.last, p.upTo)
	if b.nextSeq <= end {
		b.from, b.n, b.bytes = 0, 0, 0
		return
	}
	// Numbers are without gaps within a run of the broker.
	end = max(end, b.nextSeq>>bootShift<<bootShift)
	b.from, b.n, b.bytes = end+1, int(b.nextSeq-end), p.since
}

// flew is true for a message that was in flight when the session woke up.
func (b *backlog) flew(seq uint64) bool {
	i := sort.Search(len(b.flown), func(i int) bool { return b.flown[i] >= seq })
	return i < len(b.flown) && b.flown[i] == seq
}

// trim forgets those that landed: no page that is asked for from now on brings them.
func (w *work) trim() {
	kept := w.back.flown[:0]
	for _, seq := range w.back.flown {
		if w.flight.has(seq) {
			kept = append(kept, seq)
		}
	}
	w.back.flown = kept
}

// fly notes what is in flight and a page may bring.
func (w *work) fly() {
	w.back.flown = w.back.flown[:0]
	w.flight.each(func(o *outgoing) {
		if o.seq >= w.back.from {
			w.back.flown = append(w.back.flown, o.seq)
		}
	})
}

// has is true if a message in flight has the Seq.
func (f *flight) has(seq uint64) bool {
	found := false
	f.each(func(o *outgoing) { found = found || o.seq == seq })
	return found
}

// empty is true for a queue that never held anything.
func (b *backlog) empty() bool { return b.nextSeq == 0 && b.from == 0 && b.n == 0 }

// popped takes a message out of the Store's queue; nobody waits for that.
func (k *Kernel) popped(s *session, seq uint64, q mqtt.QoS) {
	if seq == 0 || s.num == 0 {
		return
	}
	k.put(Op{Kind: OpPop, Num: s.num, Seq: seq})
	if q == mqtt.ExactlyOnce {
		k.put(Op{Kind: OpFlight, Num: s.num, Seq: seq})
	}
	b := &s.busy().back
	if b.gone++; b.gone >= headEvery {
		b.gone = 0
		k.put(Op{Kind: OpHead, Num: s.num, Seq: s.work.head()})
	}
}

// head is the lowest Seq that the queue of a durable session may hold.
func (w *work) head() uint64 {
	low := w.back.nextSeq + 1
	if w.back.from != 0 {
		low = w.back.from
	}
	if w.queue.len() > 0 {
		low = min(low, w.queue.items[w.queue.head].seq)
	}
	w.flight.each(func(o *outgoing) {
		if o.seq != 0 {
			low = min(low, o.seq)
		}
	})
	return low
}
