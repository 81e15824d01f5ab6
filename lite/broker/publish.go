package broker

import (
	"bytes"
	"unicode/utf8"

	"github.com/hpmq/hpmq/sdk/mqtt"
	"github.com/hpmq/hpmq/sdk/topic"
)

// publication is a message on its way whose acknowledgement must wait: for the Store, or for
// peers that have subscribers of it. Most messages need none.
type publication struct {
	wait   int
	reason mqtt.ReasonCode
	sess   *session // of the publisher, nil if there is none
	conn   *Conn    // that gets the acknowledgement, nil if it is gone
	id     uint16
	qos    mqtt.QoS
	reply  Token // or the peer that waits for it
	peer   PeerID
	done   bool
	next   *publication // waits for this one
	undo   bool         // it is a release: if it fails the identifier is still received
	left   *queued      // nil, or it is of the estate of sess
}

// fanout is the state of the publication at work. There is one at a time.
type fanout struct {
	pub    *publication
	sess   *session
	conn   *Conn
	id     uint16
	qos    mqtt.QoS // 0: nobody waits
	reply  Token
	peer   PeerID
	wanted bool
	// relaxed: what is acknowledged need not be safe from a power cut yet.
	relaxed bool
	// group and share join what is written with what peers write of the same publication.
	group uint64
	share uint64
	trace uint64 // of the message at work
	// careful: it is a QoS 2 message of a durable session (held.go).
	careful bool
	// again: it is of an estate, and was transformed for the member that had it.
	again bool
	// rejected: a queue was full whose publishers are told.
	rejected bool
	held     []held
	bodyOf   *Message // encoded in body
	body     []byte
	ops      []Op
	opBuf    []byte
}

// onPublish is the way of a PUBLISH: limits, judge, keep, deliver, forward, acknowledge.
func (k *Kernel) onPublish(c *Conn, frame []byte) {
	p := &k.in
	if err := p.Decode(c.version, frame); err != nil {
		k.fail(c, err)
		return
	}
	m := &k.msg
	if r := k.accept(c, p, m); r != mqtt.Success {
		k.disconnect(c, r)
		return
	}
	k.stats.MessagesReceived++
	if p.QoS == mqtt.ExactlyOnce {
		if pub, dup := c.sess.work.accepted(p.PacketID); dup {
			k.acknowledge(c, ackSlot{typ: mqtt.PUBREC, id: p.PacketID, pub: pub})
			return // [MQTT-4.3.3-10]: acknowledged again, not delivered again
		}
	}
	if p.QoS != mqtt.AtMostOnce {
		if c.unacked >= c.receiveMax() {
			k.disconnect(c, mqtt.ReceiveMaximumExceeded) // [MQTT-3.3.4-7]
			return
		}
		c.unacked++
	}
	k.begin(c, p.PacketID)
	k.fan.qos = p.QoS
	if p.QoS == mqtt.ExactlyOnce && k.durable(c.sess) {
		k.together()
	}
	judging := k.cfg.Judging
	if judging != nil {
		judging(p.QoS != mqtt.AtMostOnce)
	}
	r, keep := k.judge(c, m)
	if keep {
		k.spread(m)
	}
	k.answer(c, p, r)
	if judging != nil {
		judging(false)
	}
}

// receiveMax is how many QoS 1 and 2 messages of c may wait for us. A 3.1.1 client was not told
// of a Receive Maximum and cannot be blamed for passing it: only its packet identifiers bound it.
func (c *Conn) receiveMax() uint16 {
	if c.version != mqtt.V5 {
		return 65535
	}
	return c.lis.Limits.ReceiveMax
}

// accept checks p against the limits and fills m with it. [MQTT-3.3.2-8] [MQTT-3.3.2-9]
func (k *Kernel) accept(c *Conn, p *mqtt.Publish, m *Message) mqtt.ReasonCode {
	lim := &c.lis.Limits
	switch {
	case p.QoS > lim.QoSMax:
		return mqtt.QoSNotSupported // [MQTT-3.2.2-11]
	case p.Retain && lim.RetainOff:
		return mqtt.RetainNotSupported // [MQTT-3.2.2-14]
	case topic.Levels(p.Topic) > lim.TopicLevelsMax:
		return mqtt.TopicNameInvalid
	}
	*m = Message{
		Topic: p.Topic, Payload: p.Payload, From: c.who.ClientID, QoS: p.QoS, Retain: p.Retain,
	}
	if len(p.Props) == 0 {
		return mqtt.Success
	}
	return k.acceptProps(c, p, m)
}

func (k *Kernel) acceptProps(c *Conn, p *mqtt.Publish, m *Message) mqtt.ReasonCode {
	if _, ok := p.Props.VarInt(mqtt.SubscriptionIdentifier); ok {
		return mqtt.ProtocolError // [MQTT-3.3.4-6]
	}
	if a, ok := p.Props.Uint16(mqtt.TopicAlias); ok {
		t, r := c.alias(a, p.Topic)
		if r != mqtt.Success {
			return r
		}
		m.Topic = t
	}
	if e, ok := p.Props.Uint32(mqtt.MessageExpiryInterval); ok {
		m.Expire = k.now + Time(e)*1000
	}
	k.prop = p.Props.AppendForward(k.prop[:0])
	m.Props = k.prop
	return mqtt.Success
}

// alias sets or looks up the alias a client gave [MQTT-3.3.2-10] [MQTT-3.3.2-12].
func (c *Conn) alias(a uint16, name []byte) ([]byte, mqtt.ReasonCode) {
	if a == 0 || a > c.lis.Limits.TopicAliasMax {
		return nil, mqtt.TopicAliasInvalid
	}
	x := c.more()
	if len(name) == 0 {
		if int(a) > len(x.aliasIn) || x.aliasIn[a-1] == nil {
			return nil, mqtt.ProtocolError
		}
		return x.aliasIn[a-1], mqtt.Success
	}
	for int(a) > len(x.aliasIn) {
		x.aliasIn = append(x.aliasIn, nil)
	}
	x.aliasIn[a-1] = append([]byte(nil), name...)
	return name, mqtt.Success
}

// judge asks the Policy. The reason is for the publisher; keep says that m goes on as it is,
// otherwise what became of it is on its way already. A call that ends here and goes on there, so
// that the way of a PUBLISH stays as flat with a Policy as without.
func (k *Kernel) judge(c *Conn, m *Message) (r mqtt.ReasonCode, keep bool) {
	if m.Topic[0] == '$' && reserved(m.Topic) {
		k.stats.Denied++
		return mqtt.NotAuthorized, false
	}
	if c.lis.Limits.PayloadCheck && !textual(m.Props, m.Payload) {
		k.stats.Denied++
		return mqtt.PayloadFormatInvalid, false
	}
	pol := c.lis.Policy
	if pol == nil {
		return mqtt.Success, true
	}
	r = pol.Authorize(k.now, c.who, ActionPublish, m.Topic, m.QoS)
	if r != mqtt.Success {
		k.stats.Denied++
		return r, false
	}
	return mqtt.Success, k.process(pol, c.who, m)
}

// reserved is true for the topics that the broker itself publishes to, and no client (section
// 4.7.2).
func reserved(name []byte) bool {
	rest, ok := bytes.CutPrefix(name, []byte("$SYS"))
	return ok && (len(rest) == 0 || rest[0] == '/')
}

// textual is false for a payload that its sender called UTF-8 and that is none.
func textual(p mqtt.Props, payload []byte) bool {
	f, ok := p.Byte(mqtt.PayloadFormatIndicator)
	return !ok || f == 0 || utf8.Valid(payload)
}

// process runs the upstream transformers, then each message that came out of them goes on. True:
// m is to go on as it is.
func (k *Kernel) process(pol Policy, who *Identity, m *Message) bool {
	k.up = k.up[:0]
	switch pol.Transform(k.now, Upstream, who, m, &k.up) {
	case Keep:
		return k.route(pol, who, m)
	case Replace:
		for i := range k.up {
			k.inherit(&k.up[i], m)
			if k.route(pol, who, &k.up[i]) {
				k.spread(&k.up[i])
			}
		}
	default:
		k.stats.DroppedPolicy++
		k.fan.wanted = true // nothing the publisher should be told
	}
	return false
}

// inherit gives a message that a Policy made what only the kernel knows.
func (k *Kernel) inherit(m, from *Message) {
	m.From, m.Expire, m.kept = from.From, from.Expire, false
}

// route drops what is not fresh and asks where the rest goes. True: m is to go on as it is.
func (k *Kernel) route(pol Policy, who *Identity, m *Message) bool {
	if !pol.Fresh(k.now, who, m) {
		k.stats.Suppressed++
		k.fan.wanted = true
		return false
	}
	k.rt = k.rt[:0]
	switch pol.Route(k.now, who, m, &k.rt) {
	case Keep:
		return true
	case Replace:
		for i := range k.rt {
			k.inherit(&k.rt[i], m)
			k.spread(&k.rt[i])
		}
	default:
		k.stats.DroppedPolicy++
		k.fan.wanted = true
	}
	return false
}

// begin starts a publication whose publisher is c, or nobody.
func (k *Kernel) begin(c *Conn, id uint16) {
	k.flushOps()
	k.sendBehind()
	f := &k.fan
	ops, buf, held := f.ops[:0], f.opBuf[:0], f.held[:0]
	*f = fanout{conn: c, id: id, ops: ops, opBuf: buf, held: held}
	if c != nil {
		f.sess = c.sess
		f.relaxed = c.lis.Durability == DurableInterval
	}
}

// part gives a peer its share of the group of the publication at work. What was noted makes it one:
// it must not be kept without the message, nor the message without it. Nobody is careful for that:
// a message without a note would overtake one with.
func (k *Kernel) part(frame []byte) []byte {
	f := &k.fan
	if f.share == 0 && k.noted() {
		careful := f.careful
		k.together()
		f.careful = careful
	}
	group, give := f.group, f.share>>7
	f.share -= give
	if give == 0 {
		group = 0
	}
	return appendBool(appendUint(appendUint(frame, group), give), f.careful)
}

// hold makes the acknowledgement of the publication at work wait for one thing more; nil if nobody
// waits for it.
func (k *Kernel) hold() *publication {
	f := &k.fan
	if f.qos == mqtt.AtMostOnce {
		return nil
	}
	if f.pub == nil {
		f.pub = &publication{
			sess: f.sess, conn: f.conn, id: f.id, qos: f.qos, reply: f.reply, peer: f.peer,
		}
		if f.sess != nil {
			f.sess.pending++
		}
	}
	f.pub.wait++
	return f.pub
}

// end gives the Store what the publication at work must keep, and answers what is waited for, nil
// if nothing.
func (k *Kernel) end() *publication {
	f := &k.fan
	pub, share := f.pub, f.share
	joined := share != 0 && share != GroupWhole
	f.careful, f.share = false, 0
	if len(f.ops) > 0 || joined || len(f.held) > 0 || k.noted() {
		b := Batch{Relaxed: f.relaxed}
		if joined {
			b.Group, b.Share = f.group, share
		}
		pub = k.hold()
		k.commit(pub, b) // it may begin another
	}
	k.sendBehind()
	if pub != nil && pub.wait == 0 {
		k.settled(pub)
		pub = nil
	}
	return pub
}

// noted is true if the publication at work is to be acknowledged, and its judging noted what must
// be kept then.
func (k *Kernel) noted() bool {
	f := &k.fan
	return k.cfg.Noted != nil && f.qos != mqtt.AtMostOnce && f.conn != nil &&
		f.conn.lis.Durability != DurableMemory && k.cfg.Noted()
}

// commit writes what was put. pub, if it is not nil, waits for one thing more: this.
func (k *Kernel) commit(pub *publication, b Batch) {
	f := &k.fan
	b.Ops = f.ops
	t := Token(0)
	if pub != nil || len(f.held) > 0 {
		t = k.asks.put(ask{kind: askWrite, pub: pub, held: append([]held(nil), f.held...)})
	}
	done := k.store.Write(t, &b)
	// Written again later they would overwrite what another kernel wrote meanwhile.
	list := f.held
	f.ops, f.opBuf, f.held, f.bodyOf = f.ops[:0], f.opBuf[:0], f.held[:0], nil
	if !done || t == 0 {
		return
	}
	if pub != nil {
		pub.wait--
	}
	a, _ := k.asks.take(t)
	if len(list) > 0 {
		k.passed(a.held, nil)
	}
}

// settled ends what a publication held.
func (k *Kernel) settled(pub *publication) {
	pub.done = true
	if s := pub.sess; s != nil {
		if _, ok := s.work.accepted(pub.id); ok && pub.qos == mqtt.ExactlyOnce {
			s.work.received[pub.id] = nil
		}
		k.unpend(s)
	}
}

// refused makes the session what it was before a publication that was not kept: before the session
// may be handed over.
func (k *Kernel) refused(pub *publication) {
	if pub.reason < mqtt.UnspecifiedError || pub.sess == nil || pub.sess.work == nil {
		return
	}
	switch {
	case pub.left != nil:
		k.returned(pub.sess, pub.left)
	case pub.undo:
		pub.sess.work.receive(pub.id, nil)
	default:
		delete(pub.sess.work.received, pub.id)
	}
}

// unpend lets a session that waits to leave go when nothing of it is under way any more.
func (k *Kernel) unpend(s *session) {
	s.pending--
	if s.pending == 0 && s.passage != nil && s.passage.leaving != nil {
		k.release(s)
	}
}

// settle takes one thing off what pub waits for.
func (k *Kernel) settle(pub *publication, r mqtt.ReasonCode) {
	if pub == nil || pub.done {
		return
	}
	pub.wait--
	if r == queueFull && pub.reply == 0 {
		r = k.unwelcome(pub)
	}
	pub.reason = max(pub.reason, r)
	if pub.wait > 0 {
		return
	}
	c := pub.conn
	k.refused(pub)
	k.settled(pub)
	if pub.reply != 0 {
		k.sendAck(pub.peer, pub.reply, pub.reason)
	}
	if c != nil && c.state == connected {
		k.flushAcks(c)
	}
	k.settle(pub.next, pub.reason)
}

// Written brings the answer of the Store to a Write.
func (k *Kernel) Written(now Time, t Token, err error) {
	k.at(now)
	a, ok := k.asks.take(t)
	r := mqtt.Success
	if err != nil {
		r = mqtt.QuotaExceeded
	}
	switch {
	case !ok:
		return
	case a.kind == askAdmit:
		k.admitted(a.conn, err)
	case a.kind != askWrite:
		return
	case a.sub != nil:
		k.subWritten(a.sub, r)
	}
	k.passed(a.held, err)
	k.settle(a.pub, r)
	k.flushOps()
}

// put adds one op to the publication at work.
func (k *Kernel) put(op Op) { k.fan.ops = append(k.fan.ops, op) }

// flushOps writes what was put outside of a publication; nobody waits for it.
func (k *Kernel) flushOps() {
	if len(k.fan.ops) > 0 {
		k.commit(nil, Batch{})
	}
}
