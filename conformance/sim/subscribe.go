package sim

import (
	"slices"

	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
	"github.com/hpmq/hpmq/sdk/topic"
)

// interval is the life of one subscription: asked for, acknowledged, left, gone. Zero is not yet.
type interval struct {
	filter  string
	qos     mqtt.QoS
	asked   broker.Time
	acked   broker.Time
	left    broker.Time
	gone    broker.Time
	granted mqtt.QoS
}

// open subscriptions are neither left nor gone.
func (iv *interval) open() bool { return iv.left == 0 }

func (iv *interval) matches(m *message) bool {
	_, filter, _, _ := topic.SplitShare(iv.filter)
	return topic.Match(filter, []byte(m.topic))
}

// filters are what clients subscribe to. They overlap; none of them matches the topics of the
// group.
func filters() []string {
	return []string{"t/0/x", "t/1/x", "t/+/x", "t/2/#", "t/#", "r/#"}
}

// changeSubscription subscribes to something new, or leaves something.
func (c *client) changeSubscription() {
	f := filters()[c.w.rnd.IntN(len(filters()))]
	i := slices.IndexFunc(c.subs, func(iv *interval) bool { return iv.filter == f && iv.gone == 0 })
	if i < 0 {
		iv := &interval{filter: f, qos: mqtt.QoS(c.w.rnd.IntN(3)), asked: c.w.now}
		c.subs = append(c.subs, iv)
		c.sendSubscribe(c.sock, iv)
		return
	}
	iv := c.subs[i]
	if iv.acked != 0 && iv.open() && c.w.often(3) {
		iv.left = c.w.now
		c.sendUnsubscribe(c.sock, iv)
	}
}

func (c *client) sendSubscribe(s *socket, iv *interval) {
	id := c.newID()
	c.asked[id] = iv
	c.w.trace("%s subscribes to %s, QoS %d", c.id, iv.filter, iv.qos)
	list := []mqtt.Subscription{{Filter: []byte(iv.filter), QoS: iv.qos}}
	s.send(mqtt.AppendSubscribe(nil, c.version, id, nil, list))
}

func (c *client) sendUnsubscribe(s *socket, iv *interval) {
	id := c.newID()
	c.asked[id] = iv
	c.w.trace("%s unsubscribes from %s", c.id, iv.filter)
	s.send(mqtt.AppendUnsubscribe(nil, c.version, id, nil, [][]byte{[]byte(iv.filter)}))
}

// subscribeAgain asks anew for what was not answered on the last connection. A new session
// subscribes to what this client always wants.
func (c *client) subscribeAgain(s *socket) {
	if len(c.subs) == 0 {
		c.wish()
	}
	for _, iv := range c.subs {
		switch {
		case iv.acked == 0:
			c.sendSubscribe(s, iv)
		case iv.left != 0 && iv.gone == 0:
			c.sendUnsubscribe(s, iv)
		}
	}
}

// wish notes a subscription or two, and that of the group.
func (c *client) wish() {
	if c.member {
		c.subs = append(c.subs, &interval{
			filter: "$share/g/s/#", qos: mqtt.ExactlyOnce, asked: c.w.now,
		})
	}
	for _, f := range filters() {
		if c.w.often(3) {
			c.subs = append(c.subs, &interval{
				filter: f, qos: mqtt.QoS(c.w.rnd.IntN(3)), asked: c.w.now,
			})
		}
	}
}

func (c *client) subacked(frame []byte) {
	var a mqtt.Suback
	err := a.Decode(c.version, frame)
	iv := c.asked[a.PacketID]
	if err == nil && iv != nil && len(a.Reasons) == 1 && c.w.refused(a.Reasons[0]) {
		delete(c.asked, a.PacketID)
		c.once(func(s *socket) { c.sendSubscribe(s, iv) })
		return
	}
	if err != nil || iv == nil || len(a.Reasons) != 1 || a.Reasons[0] > 2 {
		c.w.fail("%s: SUBACK %d %v, %v", c.id, a.PacketID, a.Reasons, err)
		return
	}
	delete(c.asked, a.PacketID)
	iv.acked, iv.granted = c.w.now, mqtt.QoS(a.Reasons[0])
	if iv.granted > iv.qos {
		c.w.fail("%s: granted QoS %d, asked for %d", c.id, iv.granted, iv.qos)
	}
}

func (c *client) unsubacked(frame []byte) {
	var a mqtt.Unsuback
	err := a.Decode(c.version, frame)
	iv := c.asked[a.PacketID]
	if err == nil && iv != nil && len(a.Reasons) == 1 && c.w.refused(a.Reasons[0]) {
		delete(c.asked, a.PacketID)
		c.once(func(s *socket) { c.sendUnsubscribe(s, iv) })
		return
	}
	if err != nil || iv == nil {
		c.w.fail("%s: UNSUBACK %d, %v", c.id, a.PacketID, err)
		return
	}
	delete(c.asked, a.PacketID)
	iv.gone = c.w.now
}

// once does something a little later, on the connection of now.
func (c *client) once(do func(*socket)) {
	s := c.sock
	c.w.after(20+c.w.upTo(50), func() {
		if s == c.sock && !s.cut && c.up {
			do(s)
		}
	})
}
