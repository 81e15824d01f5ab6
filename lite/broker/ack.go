package broker

import "github.com/hpmq/hpmq/sdk/mqtt"

// ackLine is the acknowledgements a connection is still owed, in the order they must go out
// [MQTT-4.6.0-2] [MQTT-4.6.0-3]. It is empty unless one of them waits for something.
type ackLine struct {
	slots []ackSlot
	head  int
}

func (l *ackLine) empty() bool { return l.head == len(l.slots) }

type ackSlot struct {
	typ    mqtt.Type
	id     uint16
	reason mqtt.ReasonCode
	pub    *publication // nil: ready
}

// answer acknowledges a PUBLISH that was judged with r.
func (k *Kernel) answer(c *Conn, p *mqtt.Publish, r mqtt.ReasonCode) {
	wanted := k.fan.wanted
	if p.QoS == mqtt.AtMostOnce {
		k.end()
		if r == mqtt.PayloadFormatInvalid {
			k.disconnect(c, r) // there is no acknowledgement to tell it by
		}
		return
	}
	if k.fan.rejected && r == mqtt.Success && c.version == mqtt.V5 {
		r = mqtt.QuotaExceeded
	}
	slot := ackSlot{typ: mqtt.PUBACK, id: p.PacketID, reason: r}
	if r == mqtt.Success && !wanted {
		slot.reason = mqtt.NoMatchingSubscribers
	}
	keep := false
	if p.QoS == mqtt.ExactlyOnce {
		slot.typ = mqtt.PUBREC
		keep = r < mqtt.UnspecifiedError || c.version != mqtt.V5
	}
	if keep && k.durable(c.sess) {
		k.put(Op{Kind: OpReceived, Num: c.sess.num, Seq: uint64(p.PacketID)})
	}
	s := c.sess
	slot.pub = k.end()
	if keep {
		s.busy().receive(p.PacketID, slot.pub)
	}
	k.acknowledge(c, slot)
}

// acknowledge sends slot now if nothing is before it in the line and it waits for nothing.
func (k *Kernel) acknowledge(c *Conn, slot ackSlot) {
	if slot.pub != nil && slot.pub.done {
		slot.reason, slot.pub = max(slot.reason, slot.pub.reason), nil
	}
	if slot.pub == nil && (c.rare == nil || c.rare.acks.empty()) {
		k.sendSlot(c, slot)
		return
	}
	l := &c.more().acks
	if slot.pub != nil {
		slot.pub.conn = c
	}
	l.slots = append(l.slots, slot)
}

// flushAcks sends the head of the line as far as it is ready.
func (k *Kernel) flushAcks(c *Conn) {
	if c.rare == nil {
		return
	}
	l := &c.rare.acks
	for c.state == connected && !l.empty() {
		s := l.slots[l.head]
		if s.pub != nil && !s.pub.done {
			return
		}
		if s.pub != nil && s.pub.reason != mqtt.Success {
			s.reason = s.pub.reason
		}
		l.slots[l.head] = ackSlot{}
		l.head++
		k.sendSlot(c, s)
	}
	if l.empty() {
		l.slots, l.head = l.slots[:0], 0
	}
}

// sendSlot writes one acknowledgement. A v3 client cannot be told of a failure: its connection
// ends, so that it sends again.
func (k *Kernel) sendSlot(c *Conn, s ackSlot) {
	switch {
	case s.reason != mqtt.QuotaExceeded:
	case c.version != mqtt.V5:
		k.close(c)
		return
	case s.typ == mqtt.PUBCOMP: // it cannot say that either
		k.disconnect(c, s.reason)
		return
	}
	over := s.typ != mqtt.PUBREC || s.reason >= mqtt.UnspecifiedError
	if over && c.unacked > 0 {
		c.unacked--
	}
	a := mqtt.Ack{Type: s.typ, PacketID: s.id, Reason: s.reason}
	k.write(c, a.Append(k.buf[:0], c.version))
}

// onAck handles PUBACK, PUBREC, PUBREL and PUBCOMP.
func (k *Kernel) onAck(c *Conn, frame []byte) {
	var a mqtt.Ack
	if err := a.Decode(c.version, frame); err != nil {
		k.fail(c, err)
		return
	}
	switch a.Type {
	case mqtt.PUBREL:
		k.onRelease2(c, &a)
	case mqtt.PUBACK:
		k.completed(c, a.PacketID, mqtt.AtLeastOnce, a.Reason)
	case mqtt.PUBREC:
		k.onReceived(c, &a)
	case mqtt.PUBCOMP:
		k.completed(c, a.PacketID, mqtt.ExactlyOnce, a.Reason)
	}
}

// onRelease2 is PUBREL, the second step of a QoS 2 message to us [MQTT-4.3.3-11]. The identifier is
// out of the Store before PUBCOMP, for the client may use it anew.
func (k *Kernel) onRelease2(c *Conn, a *mqtt.Ack) {
	s := c.sess
	slot := ackSlot{typ: mqtt.PUBCOMP, id: a.PacketID}
	pub, ok := s.work.accepted(a.PacketID)
	if !ok {
		if c.version == mqtt.V5 {
			slot.reason = mqtt.PacketIdentifierNotFound
		}
		k.acknowledge(c, slot)
		return
	}
	if pub != nil {
		k.disconnect(c, mqtt.ProtocolError) // released before it was received
		return
	}
	delete(s.work.received, a.PacketID)
	if k.durable(s) {
		k.begin(c, a.PacketID)
		k.fan.qos = mqtt.AtLeastOnce // the Store is waited for
		k.fan.relaxed = false        // or the next message under it could be taken for a repeat
		k.put(Op{Kind: OpReleased, Num: s.num, Seq: uint64(a.PacketID)})
		if slot.pub = k.end(); slot.pub != nil {
			slot.pub.undo = true
		}
	}
	k.acknowledge(c, slot)
}
