package sim

import "github.com/hpmq/hpmq/sdk/mqtt"

// group is the shared subscription of the world. Sessions of its members end: what they leave must
// come to others.
type group struct {
	size    int
	members []*client
	copies  map[int]int // QoS 2 copies, by message number
	got     map[int]int
}

func (g *group) join(c *client) {
	// A session that ends with its connection takes what it had with it when all is killed.
	c.persist, c.member = c.w.durable || c.w.often(2), true
	g.members = append(g.members, c)
	if g.copies == nil {
		g.copies, g.got = map[int]int{}, map[int]int{}
	}
}

// deliver is called with each message that arrived and is not known to be a repeat. It checks what
// can be checked at once.
func (c *client) deliver(m *message, p *mqtt.Publish) {
	in := &c.inbox
	c.w.count.Delivered++
	c.checkGuests(m, p.Payload)
	if p.QoS > m.qos {
		c.w.fail("%s: %v came with QoS %d", c.id, m, p.QoS)
	}
	if !c.wanted(m, p.Retain) {
		c.w.fail("%s: %v matches no subscription", c.id, m)
	}
	if p.Retain {
		if in.kept == nil {
			in.kept = map[string]int{}
		}
		in.kept[m.topic] = m.n
		c.replaced(m, p.QoS)
		return
	}
	if m.retain {
		c.news(m, p.QoS)
	}
	if in.got == nil {
		in.got, in.streams = map[int]*got{}, map[string]int{}
	}
	g := in.got[m.n]
	if g == nil {
		g = &got{}
		in.got[m.n] = g
		c.ordered(m, p)
	}
	g.live++
	if m.qos != mqtt.AtLeastOnce && p.QoS != mqtt.AtLeastOnce {
		if g.certain++; g.certain > 1 {
			c.w.doubled("%s: %v came twice", c.id, m)
		}
	}
	c.shared(m, p)
}

// arrival is when and how a message came, counted in kills and connections.
type arrival struct {
	n, gen, conn int
	qos          mqtt.QoS
}

// news notes that m, which is to be retained, came.
func (c *client) news(m *message, q mqtt.QoS) {
	if c.inbox.newest == nil {
		c.inbox.newest = map[string]arrival{}
	}
	c.inbox.newest[m.topic] = arrival{m.n, c.w.gen, c.conns, q}
}

// replaced: what was retained does not come behind what took its place, unless it waited for the
// window and that did not.
func (c *client) replaced(m *message, q mqtt.QoS) {
	x, ok := c.inbox.newest[m.topic]
	switch {
	case !ok || x.n <= m.n || x.gen != c.w.gen || x.conn != c.conns || c.w.store.hurt != 0:
		return
	case x.qos == mqtt.AtMostOnce && q != mqtt.AtMostOnce:
		return
	}
	if by := c.w.msgs[x.n]; by.from == m.from && !by.again && !by.denied {
		c.w.reordered("%s: %v, which was retained, came after %v", c.id, m, by)
	}
}

// wanted says if a subscription of this session may have matched m between its sending and now.
func (c *client) wanted(m *message, retained bool) bool {
	for _, iv := range c.subs {
		if iv.matches(m) && (retained || iv.gone == 0 || iv.gone >= m.sent) {
			return true
		}
	}
	return false
}

// ordered: messages of one publisher, topic and QoS come in the order they were sent, as far as
// they are seen for the first time [MQTT-4.6.0-5]. Shared subscriptions are exempt [MQTT-4.6.0-6].
func (c *client) ordered(m *message, p *mqtt.Publish) {
	certain := mqtt.AtMostOnce
	if m.qos == mqtt.AtLeastOnce {
		certain = m.qos // at QoS 0 its first copy may have been dropped, and this is its repeat
	}
	if m.again {
		// The order is that of messages of one topic and QoS. What was lost on its way to c at a
		// lower QoS, with a kill or for want of room, and came again when c had subscribed anew,
		// was not among those of this QoS before.
		certain = max(certain, p.QoS)
	}
	if m.topic[0] == 's' || !c.subscribed(m, certain) {
		return // or its first copy may have been too early for c
	}
	if (m.refused || m.denied || m.withheld[c.id]) && m.again {
		// The disk failed for it, or a guest denied it, and not the next one. What is refused was
		// not taken over: for the session it comes in when it is sent again. MQTT 3 has no word for
		// "refused" but the end of the connection, behind which the next one was read already.
		return
	}
	key := m.stream + string('0'+byte(p.QoS))
	if m.seq < c.inbox.streams[key] {
		c.w.reordered("%s: %v came after a later one", c.id, m)
	}
	c.inbox.streams[key] = m.seq
}

// shared counts what members of the group get: of a QoS 2 message one of them one copy.
func (c *client) shared(m *message, p *mqtt.Publish) {
	if m.topic[0] != 's' {
		return
	}
	g := &c.w.group
	g.got[m.n]++
	if p.QoS != mqtt.ExactlyOnce {
		return
	}
	if g.copies[m.n]++; g.copies[m.n] > 1 {
		c.w.doubled("%s: %v came to two members of the group", c.id, m)
	}
}

// subscribed says if a subscription of at least that QoS was acknowledged before m was sent, and
// stands.
func (c *client) subscribed(m *message, q mqtt.QoS) bool {
	for _, iv := range c.subs {
		if iv.acked != 0 && iv.acked < m.sent && iv.open() && iv.granted >= q && iv.matches(m) {
			return true
		}
	}
	return false
}

// due says if m, which was acknowledged, must have come to c: a subscription was acknowledged
// before it was sent, stands to the end, and has QoS 1 or 2.
func (c *client) due(m *message) bool {
	if !m.acked || m.qos == mqtt.AtMostOnce || m.denied || m.withheld[c.id] {
		return false
	}
	return c.subscribed(m, mqtt.AtLeastOnce)
}
