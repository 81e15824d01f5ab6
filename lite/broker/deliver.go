package broker

import "github.com/hpmq/hpmq/sdk/mqtt"

// audience is all that is known here about one filter: a value of the subscription tree.
type audience struct {
	filter  string
	members []*subscription
	groups  []*group
	peers   uint64 // a bit for each peer with members of its own
	telling int    // peers that have not answered yet that they know of members here
}

func (a *audience) empty() bool {
	return len(a.members) == 0 && len(a.groups) == 0 && a.peers == 0
}

// subscription is one session's subscription to one filter.
type subscription struct {
	sess      *session
	aud       *audience
	group     *group // nil unless shared
	full      string // as subscribed, with $share
	id        uint32 // Subscription Identifier, 0 for none
	at        int32  // place in members
	place     int32  // in the subscriptions of sess
	qos       mqtt.QoS
	noLocal   bool
	published bool // Retain As Published
	handling  byte // Retain Handling
}

// target is one session that gets the message at work, with what its matching subscriptions add
// up to: the highest QoS [MQTT-3.3.5-1], all identifiers [MQTT-3.3.4-3].
type target struct {
	sess   *session
	qos    mqtt.QoS
	retain bool
	first  uint32
	ids    []uint32 // when there is more than one, or in place of first
	share  string
}

// matcher is the scratch of one fan-out. Sessions carry the mark of the fan-out that saw them
// last, so that one that matches twice is found without a map.
type matcher struct {
	found   []*audience
	targets []target
	mark    uint32
	peers   uint64
	picks   []pick
}

// pick is a shared group whose turn fell to a member at a peer.
type pick struct {
	peer PeerID
	full string
}

// spread keeps m if it is retained, and brings it to whoever wants it, here and at peers. It is
// the end of a message's way through the kernel, and where a message gets its number.
func (k *Kernel) spread(m *Message) {
	if m.Trace != 0 {
		k.traced(m, (*Kernel).spread)
		return
	}
	k.seq++
	m.origin, m.num = k.cfg.Self, k.seq
	if m.Retain {
		k.retain(m)
		k.newer.note(m)
		k.behind.on = k.cfg.Peers > 1
	}
	x := &k.match
	x.found = k.subs.AppendMatches(x.found[:0], m.Topic)
	if len(x.found) == 0 {
		return
	}
	k.collect(m, true)
	if len(x.targets) == 0 && x.peers == 0 && len(x.picks) == 0 {
		return
	}
	k.fan.wanted = true
	k.forward(m)
	k.enc.reset(m)
	for i := range x.targets {
		if t := &x.targets[i]; k.ready(t, m) {
			k.hand(t, m)
		}
	}
	k.enc.reset(nil)
}

// collect fills targets from the audiences found. outward: groups are drawn and peers noted too,
// as the kernel a message was published at does.
func (k *Kernel) collect(m *Message, outward bool) {
	x := &k.match
	x.targets, x.picks, x.peers = x.targets[:0], x.picks[:0], 0
	x.mark++
	for _, a := range x.found {
		for _, sub := range a.members {
			if sub.noLocal && sub.sess.id() == m.From {
				continue // [MQTT-3.8.3-3]
			}
			x.add(sub, m)
		}
		if !outward {
			continue
		}
		x.peers |= a.peers
		for _, g := range a.groups {
			k.draw(g, m)
		}
	}
}

// add puts the session of sub among the targets, or joins sub to what is there of it.
func (x *matcher) add(sub *subscription, m *Message) {
	s := sub.sess
	qos := min(m.QoS, sub.qos)
	retain := m.Retain && sub.published
	if s.mark != x.mark {
		s.mark, s.at = x.mark, int32(len(x.targets))
		x.targets = append(x.targets, target{sess: s, qos: qos, retain: retain, first: sub.id})
		return
	}
	t := &x.targets[s.at]
	t.qos, t.retain = max(t.qos, qos), t.retain || retain
	if sub.id == 0 {
		return
	}
	if t.first == 0 {
		t.first = sub.id
		return
	}
	if t.ids == nil {
		t.ids = append(t.ids, t.first)
	}
	t.ids = append(t.ids, sub.id)
}

// addShared makes a target of its own: a share is apart from the session's other subscriptions.
func (x *matcher) addShared(sub *subscription, m *Message) {
	x.targets = append(x.targets, target{
		sess: sub.sess, qos: min(m.QoS, sub.qos), retain: m.Retain && sub.published,
		first: sub.id, share: sub.full,
	})
}

// deliverAll brings m to the targets.
func (k *Kernel) deliverAll(m *Message) {
	k.enc.reset(m)
	for i := range k.match.targets {
		if t := &k.match.targets[i]; k.ready(t, m) {
			k.hand(t, m)
		}
	}
	k.enc.reset(nil)
}

// ready is false when m went another way: after a session that was handed over, aside while one
// arrives, or through the downstream transformers of the receiver's listener.
func (k *Kernel) ready(t *target, m *Message) bool {
	s := t.sess
	switch {
	case s.passage == nil:
	case s.passage.moved != nil:
		k.relay(s, t, m)
		return false
	case s.passage.arriving != nil:
		s.passage.arriving.keep(k, t, m)
		return false
	}
	return s.lis == nil || s.lis.Policy == nil || k.fan.again || k.downstream(t, m)
}

// downstream asks the Policy of the receiver's listener. True: m goes on as it is.
func (k *Kernel) downstream(t *target, m *Message) bool {
	s := t.sess
	k.down = k.down[:0]
	switch s.lis.Policy.Transform(k.now, Downstream, s.who, m, &k.down) {
	case Keep:
		return true
	case Replace:
		for i := range k.down {
			k.inherit(&k.down[i], m)
			k.enc.reset(&k.down[i])
			k.hand(t, &k.down[i])
		}
		k.enc.reset(m)
	default:
		k.stats.DroppedPolicy++
	}
	return false
}

// handOne is ready and hand for a message that one session gets, which is all here or arriving.
func (k *Kernel) handOne(t *target, m *Message) {
	k.enc.reset(m)
	if lis := t.sess.lis; lis == nil || lis.Policy == nil || k.downstream(t, m) {
		k.hand(t, m)
	}
	k.enc.reset(nil)
}

// hand gives m to the session: QoS 0 to the wire, to wait for a rate, or nowhere when the client is
// away or slow; the others to its window or queue.
func (k *Kernel) hand(t *target, m *Message) {
	c := t.sess.conn
	if k.fan.careful && (t.qos == mqtt.AtMostOnce || !k.durable(t.sess)) {
		k.handLater(t, m)
		return
	}
	if t.qos != mqtt.AtMostOnce && m.QoS != mqtt.AtMostOnce {
		k.handKept(t, m)
		return
	}
	if c == nil || c.state != connected {
		return
	}
	room := c.out.Room()
	switch {
	case room == 0 || t.sess.work.looseWaits():
		k.loosen(t, m)
	case room < 0:
		k.stats.DroppedSlow++
	case m.Expire != 0 && k.now >= m.Expire:
		k.stats.DroppedExpired++
	default:
		q := t.qos
		t.qos = mqtt.AtMostOnce
		frame := k.frame(c, t, m)
		t.qos = q
		if c.packetMax != 0 && uint32(len(frame)) > c.packetMax {
			k.stats.DroppedSize++ // [MQTT-3.1.2-25]
			return
		}
		k.stats.MessagesSent++
		c.out.Write(frame)
	}
}

// handKept gives a QoS 1 or 2 message to the session.
func (k *Kernel) handKept(t *target, m *Message) {
	s := t.sess
	if s.conn == nil && s.expiry == 0 && t.share == "" {
		return // it is about to end; what is shared waits to be its estate
	}
	k.post(s, k.queued(t, m))
}

// queued is m as it waits for the session of t.
func (k *Kernel) queued(t *target, m *Message) queued {
	e := queued{
		m: k.enc.kept(m), share: t.share, qos: min(t.qos, m.QoS), retain: t.retain,
	}
	switch {
	case t.ids != nil:
		e.ids = append([]uint32(nil), t.ids...)
	case t.first != 0:
		e.ids = []uint32{t.first}
	}
	return e
}

// encoder keeps the encodings of the message at work: one for each kind of receiver, by version,
// QoS and retain flag, made when the first of its kind turns up.
type encoder struct {
	m      *Message
	keep   *Message
	frames [12][]byte
	filled uint16
}

func (e *encoder) reset(m *Message) { e.m, e.keep, e.filled = m, nil, 0 }

// kept is the one copy of m that all queues share.
func (e *encoder) kept(m *Message) *Message {
	if e.m != m {
		return m.Keep()
	}
	if e.keep == nil {
		e.keep = m.Keep()
	}
	return e.keep
}

// frame is the PUBLISH of m for t on c: packet identifier 0, no DUP. It holds until the next
// message.
func (k *Kernel) frame(c *Conn, t *target, m *Message) []byte {
	own := c.version == mqtt.V5 && (t.first != 0 || t.ids != nil || c.aliasMax != 0)
	if own || (k.enc.m != m && k.enc.keep != m) {
		k.buf = k.encode(k.buf[:0], c, t, m)
		return k.buf
	}
	i := uint(t.qos) * 4
	if t.retain {
		i += 2
	}
	if c.version == mqtt.V5 {
		i++
	}
	if k.enc.filled&(1<<i) == 0 {
		k.enc.frames[i] = k.encode(k.enc.frames[i][:0], c, t, m)
		k.enc.filled |= 1 << i
	}
	return k.enc.frames[i]
}

// encode appends the PUBLISH of m for t.
func (k *Kernel) encode(dst []byte, c *Conn, t *target, m *Message) []byte {
	p := &k.out
	*p = mqtt.Publish{Retain: t.retain, QoS: t.qos, Topic: m.Topic, Payload: m.Payload}
	if t.qos != mqtt.AtMostOnce {
		p.PacketID = 1 // stamped over
	}
	if c.version == mqtt.V5 {
		k.addProps(c, t, m)
	}
	return p.Append(dst, c.version)
}

// addProps gives k.out what the receiver is told with m: its properties as they came
// [MQTT-3.3.2-17] [MQTT-3.3.2-20], what is left of its expiry [MQTT-3.3.2-6], alias and
// identifiers. A message that may turn out too large gets no alias: the client would never learn
// it.
func (k *Kernel) addProps(c *Conn, t *target, m *Message) {
	d := append(k.outProp[:0], m.Props...)
	if m.Expire != 0 {
		left := (m.Expire - k.now + 999) / 1000
		d = d.AppendUint32(mqtt.MessageExpiryInterval, uint32(max(left, 1)))
	}
	if c.aliasMax != 0 && (c.packetMax == 0 || m.size() < int(c.packetMax)) {
		a, known := c.aliasFor(m.Topic)
		if a != 0 {
			d = d.AppendUint16(mqtt.TopicAlias, a)
		}
		if known {
			k.out.Topic = nil
		}
	}
	for _, id := range t.ids {
		d = d.AppendVarInt(mqtt.SubscriptionIdentifier, id)
	}
	if t.ids == nil && t.first != 0 {
		d = d.AppendVarInt(mqtt.SubscriptionIdentifier, t.first)
	}
	k.outProp, k.out.Props = d, d
}

// aliasFor is the alias of a topic on this connection: 0 if there is none, known if the client
// has it. The first topics that come by get the aliases there are; none is given anew.
func (c *Conn) aliasFor(name []byte) (a uint16, known bool) {
	x := c.more()
	if a, ok := x.aliasOut[string(name)]; ok {
		return a, true
	}
	if len(x.aliasOut) >= int(c.aliasMax) {
		return 0, false
	}
	if x.aliasOut == nil {
		x.aliasOut = make(map[string]uint16)
	}
	a = uint16(len(x.aliasOut) + 1)
	x.aliasOut[string(name)] = a
	return a, false
}

// stamp sets packet identifier and DUP of an encoded PUBLISH.
func stamp(frame []byte, id uint16, dup bool) {
	frame[0] &^= 1 << 3
	if dup {
		frame[0] |= 1 << 3
	}
	at := mqtt.PublishPacketIDOffset(frame)
	frame[at], frame[at+1] = byte(id>>8), byte(id)
}
