package broker

import "github.com/hpmq/hpmq/sdk/mqtt"

// ringMax bounds the window of a session: identifiers in flight span less.
const ringMax = 32768

type outState uint8

const (
	slotFree outState = iota
	slotUnsent
	slotPublished // PUBLISH went out on this connection
	slotReleased  // PUBREC came; PUBREL went out on this connection
	slotToRelease // PUBREC came; PUBREL is to be sent again
	slotHeld      // waits for the Store to know its identifier
	slotKept      // PUBREC came, and waits for the Store to know
)

// outgoing is a QoS 1 or 2 message on its way to a client.
type outgoing struct {
	m      *Message
	ids    []uint32 // subscription identifiers
	share  string   // full filter of the shared subscription it came by, or ""
	seq    uint64   // of its record in the Store
	id     uint16
	state  outState
	qos    mqtt.QoS
	retain bool
	sent   bool // on this connection or an earlier one: DUP [MQTT-3.3.1-1]
}

// flight is the window of a session: a ring with the place of an identifier given by the
// identifier. Between first and next lie all identifiers in flight, in the order the messages
// were sent.
type flight struct {
	ring   []outgoing
	first  uint16 // oldest identifier in flight, or next
	next   uint16 // identifier of the next message
	resend uint16 // next identifier to look at after a reconnect
	redo   bool   // resend has not reached next
	count  int
	busy   int // of them on their way on this connection: the client's Receive Maximum counts these
}

func succ(id uint16) uint16 {
	if id++; id == 0 {
		return 1
	}
	return id
}

func (f *flight) slot(id uint16) *outgoing { return &f.ring[int(id)&(len(f.ring)-1)] }

// find answers the message in flight under id, nil if there is none.
func (f *flight) find(id uint16) *outgoing {
	if len(f.ring) == 0 {
		return nil
	}
	if o := f.slot(id); o.state != slotFree && o.id == id {
		return o
	}
	return nil
}

// add takes a new message in and answers its place; nil if the window is as long as it may get.
func (f *flight) add() *outgoing {
	if f.next == 0 {
		f.first, f.next = 1, 1
	}
	if f.count == 0 {
		f.first = f.next
	}
	// More than once when a window that came from a peer has gaps.
	for len(f.ring) == 0 || f.slot(f.next).state != slotFree {
		if !f.grow() {
			return nil
		}
	}
	o := f.slot(f.next)
	*o = outgoing{id: f.next, state: slotUnsent}
	f.next = succ(f.next)
	f.count++
	return o
}

func (f *flight) grow() bool {
	n := max(4, 2*len(f.ring))
	if n > ringMax {
		return false
	}
	old := *f
	f.ring = make([]outgoing, n)
	for id := old.first; len(old.ring) > 0 && id != old.next; id = succ(id) {
		if o := old.find(id); o != nil {
			*f.slot(id) = *o
		}
	}
	return true
}

func (f *flight) remove(o *outgoing) {
	*o = outgoing{}
	f.count--
	for f.first != f.next && f.slot(f.first).state == slotFree {
		f.first = succ(f.first)
	}
}

// shrink gives the ring back when nothing is in flight. It is called when a connection was idle for
// a while or ended: a busy one would only make it anew.
func (f *flight) shrink() {
	if f.count == 0 {
		f.ring = nil
	}
}

// each calls visit for what is in flight, oldest first.
func (f *flight) each(visit func(*outgoing)) {
	if f.count == 0 {
		return
	}
	for id := f.first; id != f.next; id = succ(id) {
		if o := f.find(id); o != nil {
			visit(o)
		}
	}
}

// queued is a message that waits for a place in the window, or for the client to come back.
type queued struct {
	m      *Message
	ids    []uint32
	share  string
	seq    uint64
	qos    mqtt.QoS
	retain bool
}

// queue is first in, first out.
type queue struct {
	items []queued
	head  int
	bytes int
}

func (q *queue) len() int { return len(q.items) - q.head }

func (q *queue) push(e queued) {
	q.items = append(q.items, e)
	q.bytes += e.m.size()
}

func (q *queue) pop() queued {
	e := q.items[q.head]
	q.items[q.head] = queued{}
	q.head++
	q.bytes -= e.m.size()
	switch {
	case q.head == len(q.items):
		q.items, q.head = q.items[:0], 0
		if cap(q.items) > 1024 {
			q.items = nil
		}
	case q.head > 64 && q.head > len(q.items)/2:
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	return e
}

func (m *Message) size() int { return len(m.Topic) + len(m.Payload) + len(m.Props) + 64 }

// post gives a QoS 1 or 2 message to a session: sent now, or to wait.
func (k *Kernel) post(s *session, e queued) {
	now := k.open(s, &e)
	if !now && k.full(s, e.m) && !k.squeeze(s, e.m) {
		return
	}
	if k.durable(s) {
		k.keep(s, &e)
	}
	n := len(k.fan.held)
	if now && k.launch(s, &e) {
		k.pushed(n)
		return
	}
	k.wait(s, e)
	if e.seq == 0 {
		k.thin(s)
	}
}

// open is true if e need not wait: nothing waits before it, and there is room.
func (k *Kernel) open(s *session, e *queued) bool {
	if !s.live() || s.work.queued() > 0 {
		return false
	}
	w, c := s.work, s.conn
	if w == nil {
		return c.out.Room() > 0
	}
	if w.held > 0 && e.qos != mqtt.ExactlyOnce || w.back.from != 0 || w.back.page != nil {
		return false
	}
	return !w.flight.redo && w.flight.busy < int(c.sendMax) && c.out.Room() > 0
}

// launch sends e if the window and the connection have room for it.
func (k *Kernel) launch(s *session, e *queued) bool {
	w := s.busy()
	c, f := s.conn, &w.flight
	if f.redo || f.busy >= int(c.sendMax) || c.out.Room() <= 0 {
		return false
	}
	if w.held > 0 && e.qos != mqtt.ExactlyOnce {
		return false // what is sent again keeps the order
	}
	if e.m.Expire != 0 && k.now >= e.m.Expire { // [MQTT-3.3.2-5]
		k.stats.DroppedExpired++
		k.popped(s, e.seq, mqtt.AtMostOnce)
		return true
	}
	o := f.add()
	if o == nil {
		return false
	}
	o.m, o.ids, o.share, o.seq = e.m, e.ids, e.share, e.seq
	o.qos, o.retain = e.qos, e.retain
	f.busy++
	if e.qos == mqtt.ExactlyOnce && e.seq != 0 {
		o.state = slotHeld
		k.holdBack(s, o)
		return true
	}
	k.transmit(s, o)
	return true
}

// transmit writes the PUBLISH of o. One above the client's Maximum Packet Size is dropped as if it
// had been delivered [MQTT-3.1.2-25].
func (k *Kernel) transmit(s *session, o *outgoing) {
	c := s.conn
	t := target{sess: s, qos: o.qos, retain: o.retain, ids: o.ids}
	frame := k.frame(c, &t, o.m)
	if c.packetMax != 0 && uint32(len(frame)) > c.packetMax {
		k.stats.DroppedSize++
		k.popped(s, o.seq, o.qos)
		s.work.flight.busy--
		s.work.flight.remove(o)
		return
	}
	stamp(frame, o.id, o.sent)
	o.state, o.sent = slotPublished, true
	k.stats.MessagesSent++
	c.out.Write(frame)
}

// pump sends what waits: first again what was in flight when the last connection ended, in its
// order [MQTT-4.4.0-1] [MQTT-4.6.0-1], then the queue, in turns with the QoS 0 messages that wait:
// neither starves when a rate lets little through.
func (k *Kernel) pump(s *session) {
	if s == nil || s.work == nil || !s.live() {
		return
	}
	k.again(s)
	for s.live() {
		kept, loose := k.launchNext(s), k.launchLoose(s)
		if !kept && !loose {
			break
		}
	}
	k.refill(s)
	k.fetchOn(s)
	k.account(s)
	k.flushOps()
}

// launchNext sends the first of the queue if there is room for it.
func (k *Kernel) launchNext(s *session) bool {
	q := &s.work.queue
	if q.len() == 0 || s.work.flight.redo || !k.launch(s, &q.items[q.head]) {
		return false
	}
	q.pop()
	return true
}

// again goes on with the resending after a reconnect as far as there is room.
func (k *Kernel) again(s *session) {
	f := &s.work.flight
	for f.redo {
		if f.resend == f.next {
			f.redo = false
			return
		}
		o := f.find(f.resend)
		if o != nil {
			c := s.conn
			if c.out.Room() <= 0 || f.busy >= int(c.sendMax) || o.state >= slotHeld {
				return
			}
			k.sendAgain(s, o)
		}
		f.resend = succ(f.resend)
	}
}

func (k *Kernel) sendAgain(s *session, o *outgoing) {
	s.work.flight.busy++
	if o.state == slotToRelease {
		o.state = slotReleased
		a := mqtt.Ack{Type: mqtt.PUBREL, PacketID: o.id}
		k.write(s.conn, a.Append(k.buf[:0], s.conn.version))
		return
	}
	k.transmit(s, o)
}

// resume starts sending on a new connection: all that was in flight is to be sent again.
func (k *Kernel) resume(s *session) {
	if s.work == nil {
		return
	}
	f := &s.work.flight
	f.busy = 0
	f.each(func(o *outgoing) {
		switch o.state {
		case slotReleased:
			o.state = slotToRelease
		case slotPublished:
			o.state = slotUnsent
		}
	})
	f.resend, f.redo = f.first, f.count > 0
	k.pump(s)
}

// onReceived is PUBREC: the client has the message, or refused it [MQTT-4.3.3-4].
func (k *Kernel) onReceived(c *Conn, a *mqtt.Ack) {
	o := c.sess.work.find(a.PacketID)
	rel := mqtt.Ack{Type: mqtt.PUBREL, PacketID: a.PacketID}
	switch {
	case o == nil || o.qos != mqtt.ExactlyOnce:
		if c.version == mqtt.V5 {
			rel.Reason = mqtt.PacketIdentifierNotFound
		}
	case a.Reason >= mqtt.UnspecifiedError:
		k.land(c.sess, o)
		return
	case o.state == slotPublished && o.seq != 0:
		o.state = slotKept
		k.holdBack(c.sess, o)
		k.flushOps()
		return
	case o.state == slotKept:
		return
	case o.state == slotPublished:
		o.state = slotReleased
		o.m = o.m.header()
	}
	k.write(c, rel.Append(k.buf[:0], c.version))
}

// header is what must be kept of a message whose payload the client has.
func (m *Message) header() *Message { return &Message{QoS: m.QoS, kept: true} }

// completed is PUBACK of a QoS 1 message or PUBCOMP of a QoS 2 one.
func (k *Kernel) completed(c *Conn, id uint16, q mqtt.QoS, r mqtt.ReasonCode) {
	o := c.sess.work.find(id)
	if o == nil || o.qos != q || o.state == slotUnsent {
		return // an acknowledgement of nothing is let pass: it may be late
	}
	if q == mqtt.ExactlyOnce && o.state != slotReleased {
		return
	}
	k.land(c.sess, o)
}

// land ends the way of o and lets the next ones go.
func (k *Kernel) land(s *session, o *outgoing) {
	k.popped(s, o.seq, o.qos)
	f := &s.work.flight
	f.busy--
	f.remove(o)
	if s.work.queued() > 0 || f.redo || s.work.back.from != 0 || len(s.work.fetches) > 0 {
		k.pump(s)
		return
	}
	k.flushOps()
}
