package broker

import (
	"encoding/binary"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// The encodings that leave a kernel: frames to peers and records in a Store. Numbers are
// uvarints, strings and bytes have their length before them. A reader never trusts a length:
// whatever is cut off or left over makes it bad, and the bytes are dropped and counted.

func appendBytes(dst, b []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(b)))
	return append(dst, b...)
}

func appendString(dst []byte, s string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}

func appendUint(dst []byte, n uint64) []byte { return binary.AppendUvarint(dst, n) }

func appendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, 1)
	}
	return append(dst, 0)
}

// reader takes an encoding apart. After the first fault all answers are zero and bad is set.
type reader struct {
	b   []byte
	bad bool
	// from, if it is set, is a publisher seen before: the same name again costs no allocation.
	from *string
	// text, if it is set, is b as a string: what string answers is part of it.
	text string
}

func (r *reader) uint() uint64 {
	n, used := binary.Uvarint(r.b)
	if used <= 0 {
		r.b, r.bad = nil, true
		return 0
	}
	r.b = r.b[used:]
	return n
}

// upTo is uint with a bound; above it the encoding is bad.
func (r *reader) upTo(limit uint64) uint64 {
	n := r.uint()
	if n > limit {
		r.b, r.bad = nil, true
		return 0
	}
	return n
}

// byte reads one byte as it is, not a uvarint: above 127 they differ.
func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.bad = true
		return 0
	}
	b := r.b[0]
	r.b = r.b[1:]
	return b
}

func (r *reader) bytes() []byte {
	n := r.uint()
	if n > uint64(len(r.b)) {
		r.b, r.bad = nil, true
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) string() string {
	b := r.bytes()
	if at := len(r.text) - len(r.b); at >= len(b) && len(b) > 0 {
		return r.text[at-len(b) : at]
	}
	return string(b)
}

// publisher is a string that is often the one before.
func (r *reader) publisher() string {
	b := r.bytes()
	if r.from == nil {
		return string(b)
	}
	if *r.from != string(b) {
		*r.from = string(b)
	}
	return *r.from
}

func (r *reader) bool() bool { return r.upTo(1) == 1 }

func (r *reader) whole() bool { return !r.bad && len(r.b) == 0 }

// appendMessage encodes m.
func appendMessage(dst []byte, m *Message) []byte {
	flags := byte(m.QoS)
	if m.Retain {
		flags |= 4
	}
	dst = append(dst, flags)
	dst = appendUint(dst, uint64(m.Expire))
	dst = appendUint(dst, uint64(m.origin))
	dst = appendUint(dst, m.num)
	dst = appendString(dst, m.From)
	dst = appendBytes(dst, m.Topic)
	dst = appendBytes(dst, m.Props)
	return appendBytes(dst, m.Payload)
}

// message decodes into m; its bytes stay the reader's.
func (r *reader) message(m *Message) {
	flags := r.upTo(7)
	if flags&3 == 3 {
		r.bad = true
		return
	}
	*m = Message{QoS: mqtt.QoS(flags & 3), Retain: flags&4 != 0}
	m.Expire = Time(r.upTo(1 << 62))
	m.origin = PeerID(r.upTo(0xFFFF))
	m.num = r.uint()
	m.From = r.publisher()
	m.Topic = r.bytes()
	m.Props = mqtt.Props(r.bytes())
	m.Payload = r.bytes()
}

func readMessage(b []byte, m *Message) bool {
	r := reader{b: b}
	r.message(m)
	return r.whole()
}

// appendHead encodes what is the session's own of a message that waits.
func appendHead(dst []byte, e *queued) []byte {
	dst = append(dst, byte(e.qos))
	dst = appendBool(dst, e.retain)
	dst = appendString(dst, e.share)
	dst = appendUint(dst, uint64(len(e.ids)))
	for _, id := range e.ids {
		dst = appendUint(dst, uint64(id))
	}
	return dst
}

func appendQueued(dst []byte, e *queued) []byte {
	return appendMessage(appendUint(appendHead(dst, e), e.seq), e.m)
}

// readQueued decodes an OpPush.
func readQueued(rec *Record) (queued, bool) {
	head := reader{b: rec.Value}
	e := head.head()
	body := reader{b: rec.Body}
	var m Message
	body.message(&m)
	e.m, e.seq = m.Keep(), rec.Seq
	return e, head.whole() && body.whole() && rec.Seq != 0
}

func (r *reader) head() queued {
	var e queued
	e.qos = mqtt.QoS(r.upTo(2))
	e.retain = r.bool()
	e.share = r.string()
	n := r.upTo(uint64(len(r.b)))
	for ; n > 0 && !r.bad; n-- {
		e.ids = append(e.ids, uint32(r.upTo(1<<28)))
	}
	return e
}

func (r *reader) queued() queued {
	e := r.head()
	e.seq = r.uint()
	var m Message
	r.message(&m)
	e.m = m.Keep()
	return e
}

// appendRecord encodes what a session is without its messages: expiry, when it ends, subscriptions.
func (s *session) appendRecord(dst []byte) []byte {
	dst = appendUint(dst, uint64(s.expiry))
	expireAt, willAt := Time(0), Time(0)
	if s.away != nil {
		expireAt, willAt = s.away.expireAt, s.away.willAt
	}
	dst = appendUint(dst, uint64(expireAt))
	dst = appendUint(dst, uint64(willAt))
	dst = appendBool(dst, s.conn != nil)
	dst = s.will.append(dst)
	dst = append(dst, byte(s.who.Version))
	for _, v := range []string{s.who.Username, s.who.Address, s.who.Listener, s.who.Tenant} {
		dst = appendString(dst, v)
	}
	dst = appendUint(dst, uint64(s.subs.len()))
	for _, f := range s.filters() {
		sub := s.subs.get(f)
		dst = appendString(dst, f)
		dst = append(dst, byte(sub.qos)|flag(sub.noLocal, 4)|flag(sub.published, 8)|sub.handling<<4)
		dst = appendUint(dst, uint64(sub.id))
	}
	return dst
}

func flag(b bool, bit byte) byte {
	if b {
		return bit
	}
	return 0
}

// carried is a session on its way from kernel to kernel.
type carried struct {
	sess *session
	subs []carriedSub
	seen []uint64 // by origin, the last message the former owner saw
}

type carriedSub struct {
	full string
	opts byte
	id   uint32
}

// record decodes what appendRecord made of s, and appends the subscriptions to subs.
func (r *reader) record(s *session, subs []carriedSub) []carriedSub {
	s.expiry = uint32(r.upTo(Never))
	if at := Time(r.upTo(1 << 62)); at != 0 {
		s.absence().expireAt = at
	}
	if at := Time(r.upTo(1 << 62)); at != 0 {
		s.absence().willAt = at
	}
	if r.bool() {
		s.absence().connected = true
	}
	s.will = r.will()
	s.who.Version = mqtt.Version(r.byte())
	s.who.Username, s.who.Address = r.string(), r.string()
	s.who.Listener, s.who.Tenant = r.string(), r.string()
	n := r.upTo(uint64(len(r.b)))
	for ; n > 0 && !r.bad; n-- {
		subs = append(subs, carriedSub{r.string(), byte(r.upTo(63)), uint32(r.upTo(1 << 28))})
	}
	return subs
}

// appendSession encodes all of a session: record, QoS 2 identifiers, window, queue.
func appendSession(dst []byte, s *session) []byte {
	dst = s.appendRecord(dst)
	w := s.work
	if w == nil {
		w = &work{}
	}
	dst = appendBool(appendUint(dst, uint64(s.num)), s.asleep)
	b := &w.back
	for _, n := range []uint64{
		b.nextSeq, b.from, uint64(b.n), uint64(b.bytes), uint64(len(b.flown)),
	} {
		dst = appendUint(dst, n)
	}
	for _, seq := range b.flown {
		dst = appendUint(dst, seq)
	}
	ids := w.receivedIDs()
	dst = appendUint(dst, uint64(len(ids)))
	for _, id := range ids {
		dst = appendUint(dst, uint64(id))
	}
	dst = appendUint(dst, uint64(w.flight.next))
	dst = appendUint(dst, uint64(w.flight.count))
	w.flight.each(func(o *outgoing) {
		dst = appendUint(dst, uint64(o.id))
		dst = append(dst, byte(o.state))
		dst = appendBool(dst, o.sent)
		e := queued{m: o.m, ids: o.ids, share: o.share, seq: o.seq, qos: o.qos, retain: o.retain}
		dst = appendQueued(dst, &e)
	})
	q := &w.queue
	dst = appendUint(dst, uint64(q.len()))
	for i := range q.items[q.head:] {
		dst = appendQueued(dst, &q.items[q.head+i])
	}
	return dst
}

// session decodes what appendSession made. The subscriptions are not placed yet.
func (r *reader) session(id string) (carried, bool) {
	s := &session{who: &Identity{ClientID: id}}
	c := carried{sess: s, subs: r.record(s, nil)}
	s.num, s.asleep = uint32(r.upTo(1<<32-1)), r.bool()
	b := &s.busy().back
	b.nextSeq, b.from = r.uint(), r.uint()
	b.n, b.bytes = int(r.upTo(1<<31-1)), int(r.upTo(1<<31-1))
	for n := r.upTo(ringMax); n > 0 && !r.bad; n-- {
		b.flown = append(b.flown, r.uint())
	}
	for n := r.upTo(65535); n > 0 && !r.bad; n-- {
		s.busy().receive(uint16(r.upTo(65535)), nil)
	}
	r.flight(&s.busy().flight)
	for n := r.upTo(uint64(len(r.b))); n > 0 && !r.bad; n-- {
		s.work.queue.push(r.queued())
	}
	w := s.work
	if w.back.empty() && w.flight.next == 0 && w.received == nil && w.queued() == 0 {
		s.work = nil
	}
	return c, r.whole()
}

// flight decodes a window. Identifiers must come in order and fit one ring.
func (r *reader) flight(f *flight) {
	next := uint16(r.upTo(65535))
	n := r.upTo(ringMax)
	last := -1 // the place of the identifier before, counted from the first
	for i := n; i > 0 && !r.bad; i-- {
		id := uint16(r.upTo(65535))
		if i == n {
			f.next, f.first = id, id
		}
		at := int(id - f.first)
		if id == 0 || at <= last || at >= ringMax-1 {
			r.bad = true
			return
		}
		f.next, last = id, at
		o := f.add()
		if o == nil {
			r.bad = true
			return
		}
		o.state = outState(r.upTo(uint64(slotToRelease)))
		o.sent = r.bool()
		e := r.queued()
		o.m, o.ids, o.share, o.seq = e.m, e.ids, e.share, e.seq
		o.qos, o.retain = e.qos, e.retain
		if o.state == slotFree {
			r.bad = true
		}
	}
	if f.count == 0 {
		f.first, f.next = next, next
		return
	}
	if at := int(next - f.first); next == 0 || at <= last || at >= ringMax {
		r.bad = true
	}
	f.next = next
}
