package broker

import (
	"github.com/hpmq/hpmq/sdk/mqtt"
	"github.com/hpmq/hpmq/sdk/topic"
)

// subscribing is a SUBSCRIBE or UNSUBSCRIBE whose acknowledgement waits: for peers that must know
// the new interest before the client may rely on it, and for the Store.
type subscribing struct {
	sess    *session
	conn    *Conn
	wait    int
	id      uint16
	leaves  bool // it is an UNSUBSCRIBE
	reasons []mqtt.ReasonCode
	// fetch are the subscriptions whose retained messages follow the SUBACK [MQTT-3.3.1-9].
	fetch []*subscription
	// undo is what the subscriptions were before, if the Store may refuse them yet.
	undo []subscribed
}

// subscribed is a subscription, and as it was.
type subscribed struct {
	sub *subscription
	was subscription
}

// doubt is a subscription that the Store may refuse yet.
type doubt struct {
	by      *subscribing // the last to change it
	granted bool         // it was there before
}

func (k *Kernel) onSubscribe(c *Conn, frame []byte) {
	var p mqtt.Subscribe
	if err := p.Decode(c.version, frame); err != nil {
		k.fail(c, err)
		return
	}
	id, given := p.Props.VarInt(mqtt.SubscriptionIdentifier)
	switch {
	case given && id == 0:
		k.disconnect(c, mqtt.ProtocolError)
		return
	case given && c.lis.Limits.IdentifiersOff:
		k.disconnect(c, mqtt.SubscriptionIdentifiersNotSupported) // 3.2.2.3.12
		return
	}
	sg := &subscribing{sess: c.sess, conn: c, id: p.PacketID, wait: 1}
	c.sess.pending++
	for {
		want, ok := p.Next()
		if !ok {
			break
		}
		r, fatal := k.subscribe(sg, &want, id)
		if fatal {
			k.resolve(sg, mqtt.Success)
			k.unpend(c.sess)
			k.disconnect(c, r)
			return
		}
		sg.reasons = append(sg.reasons, c.suback(r))
	}
	k.writeSession(sg)
	k.subSettle(sg, mqtt.Success)
}

// suback is r as this version's SUBACK says it: MQTT 3.1.1 knows one failure [MQTT-3.9.3-2].
func (c *Conn) suback(r mqtt.ReasonCode) mqtt.ReasonCode {
	if c.version != mqtt.V5 && r >= mqtt.UnspecifiedError {
		return mqtt.UnspecifiedError
	}
	return r
}

// subscribe handles one filter of a SUBSCRIBE. fatal ends the connection with the reason.
func (k *Kernel) subscribe(
	sg *subscribing, want *mqtt.Subscription, id uint32,
) (r mqtt.ReasonCode, fatal bool) {
	c := sg.conn
	lim := &c.lis.Limits
	full := string(want.Filter)
	grp, rest, shared, ok := topic.SplitShare(full)
	switch {
	case !ok || !topic.ValidFilter([]byte(rest)):
		return mqtt.TopicFilterInvalid, true // no filter at all [MQTT-4.7.1-1] [MQTT-4.8.2-1]
	case topic.Levels([]byte(rest)) > lim.TopicLevelsMax:
		return mqtt.TopicFilterInvalid, false
	case shared && want.NoLocal:
		return mqtt.ProtocolError, true // [MQTT-3.8.3-4]
	case shared && lim.SharedOff:
		return mqtt.SharedSubscriptionsNotSupported, c.version == mqtt.V5 // 3.2.2.3.13
	case lim.WildcardOff && hasWildcard(rest):
		// 5.0 makes it a protocol error (3.2.2.3.11), 3.1.1 a failure in SUBACK [MQTT-3.8.3-2].
		return mqtt.WildcardSubscriptionsNotSupported, c.version == mqtt.V5
	}
	if c.lis.Policy != nil {
		q := min(want.QoS, lim.QoSMax)
		r := c.lis.Policy.Authorize(k.now, c.who, ActionSubscribe, []byte(rest), q)
		if r != mqtt.Success {
			k.stats.Denied++
			return r, false
		}
	}
	had := c.sess.subs.get(full) != nil
	if !had && c.sess.subs.len() >= lim.SubscriptionsMax {
		return mqtt.QuotaExceeded, false
	}
	sub := k.place(c.sess, full, placing{group: grp, filter: rest, shared: shared, wait: sg})
	if sub == nil {
		return mqtt.QuotaExceeded, false
	}
	if k.durable(c.sess) {
		d, open := k.doubts[sub]
		k.doubts[sub] = doubt{sg, had && (!open || d.granted)}
		sg.undo = append(sg.undo, subscribed{sub, *sub})
	}
	sub.qos = min(want.QoS, lim.QoSMax)
	sub.noLocal, sub.published = want.NoLocal, want.RetainAsPublished
	sub.handling, sub.id = want.RetainHandling, id
	if !shared && (want.RetainHandling == 0 || want.RetainHandling == 1 && !had) {
		sg.fetch = append(sg.fetch, sub) // [MQTT-3.3.1-9..11]
	}
	return mqtt.ReasonCode(sub.qos), false
}

func hasWildcard(f string) bool {
	for i := 0; i < len(f); i++ {
		if f[i] == '+' || f[i] == '#' {
			return true
		}
	}
	return false
}

// placing says where a subscription goes, and what waits for peers to know.
type placing struct {
	group, filter string
	shared        bool
	wait          *subscribing
}

// place answers the subscription of s to full, made if it was not there [MQTT-3.8.4-3]. nil if the
// filter has too many groups.
func (k *Kernel) place(s *session, full string, p placing) *subscription {
	if sub := s.subs.get(full); sub != nil {
		if sub.aud.telling > 0 && p.wait != nil {
			k.tellAdded(sub.aud, p.wait)
		}
		return sub
	}
	a := k.audience(p.filter)
	if !p.shared {
		full = a.filter // one string for all who subscribe to it
	}
	sub := k.spare
	if k.spare = nil; sub == nil {
		sub = &subscription{}
	}
	sub.sess, sub.aud, sub.full = s, a, full
	if p.shared {
		g := k.group(a, p.group, s)
		if g == nil {
			return nil
		}
		sub.group = g
		g.members = append(g.members, sub)
		k.tellGroup(g, p.wait)
	} else {
		sub.at = int32(len(a.members))
		a.members = append(a.members, sub)
		if len(a.members) == 1 || a.telling > 0 && p.wait != nil {
			k.tellAdded(a, p.wait)
		}
	}
	if s.subs == nil {
		s.subs = &subscriptions{}
	}
	s.subs.put(sub)
	k.stats.Subscriptions++
	return sub
}

// unsubscribe removes the subscription of s to full, false if there is none.
func (k *Kernel) unsubscribe(s *session, full string) bool {
	sub := s.subs.get(full)
	if sub == nil {
		return false
	}
	s.subs.remove(sub)
	k.stats.Subscriptions--
	a := sub.aud
	if g := sub.group; g != nil {
		g.remove(sub)
		k.tellGroup(g, nil)
		a.prune(g)
	} else {
		last := len(a.members) - 1
		moved := a.members[last]
		a.members[sub.at], moved.at = moved, sub.at
		a.members[last] = nil
		a.members = a.members[:last]
		if last == 0 {
			a.members = nil
			k.tellRemoved(a.filter)
		}
	}
	if a.empty() {
		k.subs.Delete(a.filter)
	}
	return true
}

// writeSession has the Store keep the subscriptions before they are acknowledged.
func (k *Kernel) writeSession(sg *subscribing) {
	if !k.durable(sg.sess) {
		return
	}
	sg.wait++
	t := k.asks.put(ask{kind: askWrite, sub: sg})
	k.wire = sg.sess.appendRecord(k.wire[:0])
	s := sg.sess
	b := Batch{
		Ops:     []Op{{Kind: OpPutSession, Num: s.num, Key: s.id(), Value: k.wire}},
		Relaxed: sg.conn.lis.Durability == DurableInterval,
	}
	if k.store.Write(t, &b) {
		k.asks.take(t)
		k.resolve(sg, mqtt.Success)
		sg.wait--
	}
}

// saveSession writes the state of a durable session; nobody waits for it.
func (k *Kernel) saveSession(s *session) {
	k.putSession(s)
	k.flushOps()
}

// putSession adds the state of a durable session to what is written.
func (k *Kernel) putSession(s *session) {
	if k.durable(s) && k.sessions[s.id()] == s {
		at := len(k.fan.opBuf)
		k.fan.opBuf = s.appendRecord(k.fan.opBuf)
		k.put(Op{
			Kind: OpPutSession, Num: s.num, Key: s.id(),
			Value: k.fan.opBuf[at:len(k.fan.opBuf):len(k.fan.opBuf)],
		})
	}
}

// resolve makes the subscriptions what the client is told: if they were refused they are what they
// were before.
func (k *Kernel) resolve(sg *subscribing, r mqtt.ReasonCode) {
	for i := range sg.undo {
		u := &sg.undo[i]
		d := k.doubts[u.sub]
		switch {
		case d.by != sg: // one that came later decides
			if d.by != nil && r == mqtt.Success {
				k.doubts[u.sub] = doubt{d.by, true}
			}
			continue
		case r == mqtt.Success:
		case d.granted:
			u.sub.qos, u.sub.id, u.sub.handling = u.was.qos, u.was.id, u.was.handling
			u.sub.noLocal, u.sub.published = u.was.noLocal, u.was.published
		case sg.sess.subs.get(u.sub.full) == u.sub:
			k.unsubscribe(sg.sess, u.sub.full)
		}
		delete(k.doubts, u.sub)
	}
}

func (k *Kernel) subWritten(sg *subscribing, r mqtt.ReasonCode) {
	k.resolve(sg, r)
	if r != mqtt.Success && sg.leaves {
		r = mqtt.UnspecifiedError
		if sg.conn.version != mqtt.V5 && sg.conn.state == connected {
			k.disconnect(sg.conn, r) // UNSUBACK cannot say it
		}
	}
	if r != mqtt.Success {
		for i, was := range sg.reasons {
			if was < mqtt.UnspecifiedError {
				sg.reasons[i] = sg.conn.suback(r)
			}
		}
		sg.fetch = nil
	}
	k.subSettle(sg, r)
}

// subSettle takes one thing off what sg waits for, and at the last acknowledges [MQTT-3.8.4-1].
func (k *Kernel) subSettle(sg *subscribing, _ mqtt.ReasonCode) {
	sg.wait--
	if sg.wait > 0 {
		return
	}
	if c := sg.conn; c.state == connected {
		k.ackSub(c, sg)
		for _, sub := range sg.fetch {
			k.fetch(sub)
		}
	}
	k.unpend(sg.sess)
}

func (k *Kernel) ackSub(c *Conn, sg *subscribing) {
	if sg.leaves {
		a := mqtt.Unsuback{PacketID: sg.id, Reasons: sg.reasons}
		k.write(c, a.Append(k.buf[:0], c.version)) // [MQTT-3.10.4-4]
		return
	}
	a := mqtt.Suback{PacketID: sg.id, Reasons: sg.reasons}
	k.write(c, a.Append(k.buf[:0], c.version))
}

func (k *Kernel) onUnsubscribe(c *Conn, frame []byte) {
	var p mqtt.Unsubscribe
	if err := p.Decode(c.version, frame); err != nil {
		k.fail(c, err)
		return
	}
	sg := &subscribing{sess: c.sess, conn: c, id: p.PacketID, wait: 1, leaves: true}
	c.sess.pending++
	for {
		f, ok := p.Next()
		if !ok {
			break
		}
		r := mqtt.Success
		if !k.unsubscribe(c.sess, string(f)) {
			r = mqtt.NoSubscriptionExisted
		}
		sg.reasons = append(sg.reasons, r)
	}
	k.writeSession(sg)
	k.subSettle(sg, mqtt.Success)
}
