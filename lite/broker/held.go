package broker

import "github.com/hpmq/hpmq/sdk/mqtt"

// A QoS 2 message of a durable session has two steps that must be in the Store before the client
// hears of them: its packet identifier before PUBLISH, or after a restart it would be sent under
// another and be taken for another message; and that the client has it before PUBREL, or it would
// be sent once more after the client forgot the identifier. Both are one small record of the
// session (OpFlight), written with others.

//
// What is lost with a restart is sent once more by a publisher that was not answered. So a QoS 2
// message of a durable session goes to those whose copies are not in the Store only when it is
// itself: a copy at QoS 0 would come twice.

// held is a step that waits for the Store.
type held struct {
	sess *session
	id   uint16
	late *late // or a message that goes out behind it
	// fresh: the message itself is in the same write. queued: it waits in memory, back: in the
	// Store alone, and there is no step.
	fresh, queued, back bool
	seq                 uint64 // of what is queued
	size                int    // of what is in the Store alone
}

// holdQueued notes that a message waits which the Store may refuse yet.
func (k *Kernel) holdQueued(s *session, h held) {
	h.sess, h.queued = s, !h.back
	k.fan.held = append(k.fan.held, h)
	s.pending++
}

// pushed notes that the step that was held last came with its message.
func (k *Kernel) pushed(n int) {
	if len(k.fan.held) > n {
		k.fan.held[n].fresh = true
	}
}

// late is a message for a session; at QoS 0 for its connection, if it is still that one.
type late struct {
	conn *Conn
	t    target
	m    *Message
}

// handLater gives m to the session of t when the publication at work is kept.
func (k *Kernel) handLater(t *target, m *Message) {
	x := &late{conn: t.sess.conn, t: *t, m: k.enc.kept(m)}
	x.t.ids = append([]uint32(nil), t.ids...)
	if len(t.ids) == 0 {
		x.t.ids = nil
	}
	k.fan.held = append(k.fan.held, held{sess: t.sess, late: x})
	t.sess.pending++
}

// go hands a late message out.
func (x *late) hand(k *Kernel) {
	s := x.t.sess
	switch {
	case k.sessions[s.id()] != s && x.t.share != "":
		k.begin(nil, 0)
		k.arrivedShared(x.t.share, 1, x.m)
		k.end()
		return
	case k.sessions[s.id()] != s || s.conn != x.conn && x.t.qos == mqtt.AtMostOnce:
		return
	}
	k.enc.reset(x.m)
	k.hand(&x.t, x.m)
	k.enc.reset(nil)
}

func appendFlight(dst []byte, o *outgoing) []byte {
	state := byte(0)
	if o.state == slotKept {
		state = 1
	}
	return append(dst, state, byte(o.id>>8), byte(o.id))
}

// readFlight decodes what appendFlight made: to be sent again, or to be released.
func readFlight(b []byte) (id uint16, state outState, ok bool) {
	if len(b) != 3 || b[0] > 1 {
		return 0, 0, false
	}
	state = slotUnsent
	if b[0] == 1 {
		state = slotToRelease
	}
	return uint16(b[1])<<8 | uint16(b[2]), state, true
}

// hold has the Store keep the step that o is in; o waits.
func (k *Kernel) holdBack(s *session, o *outgoing) {
	at := len(k.fan.opBuf)
	k.fan.opBuf = appendFlight(k.fan.opBuf, o)
	k.put(Op{Kind: OpFlight, Num: s.num, Seq: o.seq, Value: k.fan.opBuf[at:]})
	k.fan.held = append(k.fan.held, held{sess: s, id: o.id})
	s.work.held++
	s.pending++
}

// passed goes on with the steps that the Store kept, or could not keep.
func (k *Kernel) passed(list []held, err error) {
	for _, h := range list {
		s := h.sess
		if h.late != nil {
			if err == nil {
				h.late.hand(k)
			}
			continue
		}
		if h.queued || h.back {
			k.stored(&h, err)
			continue
		}
		o := s.work.find(h.id)
		if o != nil && (o.state == slotHeld || o.state == slotKept) {
			s.work.held--
			if err != nil {
				k.failed(s, o, h.fresh)
			} else {
				k.pass(s, o)
			}
		}
	}
	for _, h := range list {
		if s := h.sess; s.work != nil && s.work.held == 0 {
			k.pump(s)
		}
		k.unpend(h.sess)
	}
}

// stored is the answer for a message that waits. What is read again is what was kept.
func (k *Kernel) stored(h *held, err error) {
	s := h.sess
	switch {
	case s.work == nil:
	case err == nil:
		k.thin(s)
	case h.queued:
		s.work.recall(h.seq, s.live())
		s.spill()
	default:
		s.work.back.less(1, h.size)
	}
	k.account(s)
}

// rewind makes the queue begin with seq again. What was to follow it and has not gone out, perhaps
// behind a write that the Store keeps, follows it still.
func (k *Kernel) rewind(s *session, seq uint64) {
	w := s.work
	n := 1
	w.flight.each(func(o *outgoing) {
		if o.state != slotHeld || o.seq < seq {
			return
		}
		n++
		k.put(Op{Kind: OpFlight, Num: s.num, Seq: o.seq})
		w.held--
		if s.live() && !w.flight.redo {
			w.flight.busy--
		}
		w.flight.remove(o)
	})
	s.spill()
	if b := &w.back; b.from == 0 || seq < b.from {
		b.from = seq
		b.n += n
	}
	w.fly()
	k.account(s)
}

// recall takes a message that was not kept, and was to be sent when it is, out of the window.
func (w *work) recall(seq uint64, live bool) {
	var found *outgoing
	w.flight.each(func(o *outgoing) {
		if o.seq == seq && o.state == slotHeld {
			found = o
		}
	})
	if found == nil {
		return
	}
	w.held--
	if live && !w.flight.redo {
		w.flight.busy--
	}
	w.flight.remove(found)
}

// pass takes the step, now or when the client is back.
func (k *Kernel) pass(s *session, o *outgoing) {
	f := &s.work.flight
	// Behind resend is what this connection has not had yet.
	had := !f.redo || uint16(o.id-f.first) < uint16(f.resend-f.first)
	now := s.live() && had
	switch {
	case o.state == slotHeld && now:
		k.transmit(s, o)
	case o.state == slotHeld:
		o.state = slotUnsent
	case now:
		o.state, o.m = slotReleased, o.m.header()
		a := mqtt.Ack{Type: mqtt.PUBREL, PacketID: o.id}
		k.write(s.conn, a.Append(k.buf[:0], s.conn.version))
	default:
		o.state, o.m = slotToRelease, o.m.header()
	}
}

// failed ends the connection: on the next one it is tried again. A message that came with the
// write that failed is not in the Store either: its publisher was told.
func (k *Kernel) failed(s *session, o *outgoing, fresh bool) {
	if o.state == slotKept {
		o.state = slotPublished
	} else {
		if s.live() && !s.work.flight.redo {
			s.work.flight.busy--
		}
		seq := o.seq
		s.work.flight.remove(o)
		if fresh {
			return
		}
		k.rewind(s, seq)
	}
	if s.conn != nil {
		k.disconnect(s.conn, mqtt.QuotaExceeded)
	}
}
