package sim

import (
	"bytes"
	"fmt"

	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// message is one application message, as its publisher knows it.
type message struct {
	n      int // number in the world; the payload says it
	from   *client
	stream string // what it must keep its order in
	seq    int    // in stream
	topic  string
	qos    mqtt.QoS
	retain bool
	sent   broker.Time
	acked  bool // the server took it over: PUBACK, PUBREC
	lost   bool // the publisher forgot it: it may arrive or not
	again  bool // it was sent more than once
	// refused: the disk failed for it, or for a copy of it.
	refused bool
	// Guests denied or dropped it, once at least; or let it pass, once; withheld is from whom.
	denied, passed bool
	withheld       map[string]bool
	// begun has an entry for each session to which its delivery at QoS 2 began, if it is one to the
	// group: it says whether the session is over.
	begun []func() bool
}

func (m *message) String() string {
	return fmt.Sprintf("message %d of %s (%s, QoS %d)", m.n, m.from.id, m.topic, m.qos)
}

// outgoing is a message on its way to the server.
type outgoing struct {
	m        *message
	id       uint16
	released bool
}

// publish sends a new message if the server takes one more.
func (c *client) publish() {
	w := c.w
	m := &message{n: len(w.msgs), from: c, sent: w.now, qos: mqtt.QoS(w.rnd.IntN(3))}
	switch n := w.rnd.IntN(10); {
	case n < 6:
		m.topic = fmt.Sprintf("t/%d/x", w.rnd.IntN(4))
	case n < 8 && w.group.size > 0:
		m.topic = fmt.Sprintf("s/%d", w.rnd.IntN(3))
	case c.persist:
		// One publisher a topic, which never forgets: what is retained in the end is certain.
		// And one QoS: a QoS 1 message may come again after a later one of QoS 2.
		m.qos = mqtt.QoS(1 + w.rnd.IntN(2))
		m.topic, m.retain = fmt.Sprintf("r/%s/%d", c.id, m.qos), true
	default:
		m.topic = "nobody"
	}
	if m.qos > 0 && len(c.out) >= c.serverMax {
		return
	}
	c.started++
	w.count.Published++
	m.seq = c.started
	m.stream = fmt.Sprintf("%s/%d/%s/%d", c.id, c.epoch, m.topic, m.qos)
	if m.qos == 0 {
		m.stream += fmt.Sprintf("/%d", c.conns) // on another loop it may overtake
	}
	w.msgs = append(w.msgs, m)
	o := &outgoing{m: m}
	if m.qos > 0 {
		o.id = c.newID()
		c.out = append(c.out, o)
	}
	w.trace("%s publishes %v id %d", c.id, m, o.id)
	c.sendPublish(c.sock, o, false)
}

// newID is a packet identifier that is not in use [MQTT-2.2.1-3].
func (c *client) newID() uint16 {
	for {
		c.nextID++
		free := c.nextID != 0 && c.asked[c.nextID] == nil
		for _, o := range c.out {
			free = free && o.id != c.nextID
		}
		if free {
			return c.nextID
		}
	}
}

func (c *client) sendPublish(s *socket, o *outgoing, dup bool) {
	p := mqtt.Publish{
		Dup: dup, Retain: o.m.retain, QoS: o.m.qos, PacketID: o.id,
		Topic: []byte(o.m.topic), Payload: o.m.payload(0),
	}
	s.send(p.Append(nil, c.version))
}

// sendAgain sends what was not acknowledged on the last connection again, in order [MQTT-4.4.0-1].
func (c *client) sendAgain(s *socket) {
	for _, o := range c.out {
		if o.released {
			c.sendAck(s, mqtt.PUBREL, o.id)
			continue
		}
		if c.w.cfg.Forget && o.m.qos == mqtt.ExactlyOnce {
			o.id = 0
			o.id = c.newID()
		}
		o.m.again = true
		c.sendPublish(s, o, true)
	}
}

func (c *client) sendAck(s *socket, t mqtt.Type, id uint16) {
	c.w.trace("%s sends acknowledgement %d of %d", c.id, t, id)
	a := mqtt.Ack{Type: t, PacketID: id}
	s.send(a.Append(nil, c.version))
}

// acked handles PUBACK, PUBREC and PUBCOMP.
func (c *client) acked(s *socket, frame []byte) {
	var a mqtt.Ack
	if err := a.Decode(c.version, frame); err != nil {
		c.w.fail("%s: %v: %v", c.id, mqtt.TypeOf(frame), err)
		return
	}
	at := -1
	for i, o := range c.out {
		if o.id == a.PacketID {
			at = i
		}
	}
	if at < 0 {
		c.w.fail("%s: acknowledgement %d of %d, which is not under way", c.id, a.Type, a.PacketID)
		return
	}
	o := c.out[at]
	c.w.trace("%s gets acknowledgement %d of %v: %v", c.id, a.Type, o.m, a.Reason)
	wrong := (a.Type == mqtt.PUBACK) != (o.m.qos == mqtt.AtLeastOnce) ||
		a.Type == mqtt.PUBCOMP && !o.released
	bad := a.Reason >= mqtt.UnspecifiedError && a.Type != mqtt.PUBCOMP
	denied := a.Reason == mqtt.NotAuthorized && o.m.denied
	if bad && !wrong && (denied || c.w.refused(a.Reason)) {
		o.m.lost = true
		c.out = append(c.out[:at], c.out[at+1:]...)
		return
	}
	if wrong || bad {
		c.w.fail("%s: acknowledgement %d %v of %v", c.id, a.Type, a.Reason, o.m)
		return
	}
	o.m.acked = true
	if a.Type == mqtt.PUBREC {
		o.released = true
		c.sendAck(s, mqtt.PUBREL, o.id)
		return
	}
	c.out = append(c.out[:at], c.out[at+1:]...)
}

// message finds the message that an encoded one, or the payload of one, is; nil if it is none.
func (w *world) message(b []byte) *message {
	var n int
	at := bytes.LastIndexByte(b, '#')
	if at < 0 {
		return nil
	}
	if _, err := fmt.Sscanf(string(b[at:]), "#%d ", &n); err != nil || n >= len(w.msgs) {
		return nil
	}
	return w.msgs[n]
}

// begun notes that the delivery of an encoded message at QoS 2 began, to a session.
func (w *world) begun(b []byte, over func() bool) {
	if m := w.message(b); m != nil && m.topic[0] == 's' {
		m.begun = append(m.begun, over)
	}
}

// client answers the client of that name, nil if there is none.
func (w *world) client(id string) *client {
	for _, c := range w.clients {
		if c.id == id {
			return c
		}
	}
	return nil
}
