package sim

import (
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// inbox is what a client knows of messages to it.
type inbox struct {
	received map[uint16]bool // QoS 2 identifiers not yet released: part of the session
	busy     map[uint16]bool // identifiers under way on this connection
	got      map[int]*got    // by message number
	streams  map[string]int  // highest seq of a stream
	alias    map[uint16]string
	connOf   int // the connection alias belongs to
	kept     map[string]int
	newest   map[string]arrival // what was to be retained and came as it was published, by topic
}

// got counts the copies of one message that arrived.
type got struct {
	live, certain int // all, and those of QoS 0 and 2
}

// packet handles one packet from the server.
func (c *client) packet(s *socket, frame []byte) {
	t := mqtt.TypeOf(frame)
	if s == c.sock {
		c.heard = c.w.now
	}
	switch {
	case s != c.sock:
		return // left; nobody reads it
	case !c.up && t == mqtt.CONNACK:
		c.admitted(s, frame)
		return
	case t == mqtt.DISCONNECT:
		c.disconnected(frame)
		return
	case !c.up:
		c.w.fail("%s: packet %d before CONNACK", c.id, t)
		return
	}
	switch t {
	case mqtt.PUBLISH:
		c.arrived(s, frame)
	case mqtt.PUBREL:
		c.releasedBy(s, frame)
	case mqtt.PUBACK, mqtt.PUBREC, mqtt.PUBCOMP:
		c.acked(s, frame)
	case mqtt.SUBACK:
		c.subacked(frame)
	case mqtt.UNSUBACK:
		c.unsubacked(frame)
	case mqtt.PINGRESP:
	default:
		c.w.fail("%s: packet %d", c.id, t)
	}
}

// disconnected: only a take-over is a reason, when a connection that was left is late.
func (c *client) disconnected(frame []byte) {
	var d mqtt.Disconnect
	err := d.Decode(c.version, frame)
	c.told = true
	if c.w.refused(d.Reason) {
		return
	}
	if err != nil || d.Reason != mqtt.SessionTakenOver || c.old == 0 {
		c.w.fail("%s: DISCONNECT %v, %v", c.id, d.Reason, err)
	}
}

// arrived handles a PUBLISH: window, identifier, then the message.
func (c *client) arrived(s *socket, frame []byte) {
	var p mqtt.Publish
	if err := p.Decode(c.version, frame); err != nil {
		c.w.fail("%s: PUBLISH: %v", c.id, err)
		return
	}
	name, ok := c.topicOf(&p)
	if !ok {
		return
	}
	m := c.w.message(p.Payload)
	if m == nil {
		c.w.fail("%s: payload %q", c.id, p.Payload)
		return
	}
	c.w.trace("%s gets %v, QoS %d id %d dup %t", c.id, m, p.QoS, p.PacketID, p.Dup)
	if m.topic != name {
		c.w.fail("%s: %v under topic %s", c.id, m, name)
	}
	if p.QoS > 0 && !c.takeIn(&p) {
		return
	}
	if p.QoS == mqtt.ExactlyOnce {
		if c.inbox.received[p.PacketID] {
			c.later(s, mqtt.PUBREC, p.PacketID)
			return
		}
		c.inbox.note(p.PacketID)
	}
	c.deliver(m, &p)
	switch p.QoS {
	case mqtt.AtLeastOnce:
		c.later(s, mqtt.PUBACK, p.PacketID)
	case mqtt.ExactlyOnce:
		c.later(s, mqtt.PUBREC, p.PacketID)
	}
}

func (in *inbox) note(id uint16) {
	if in.received == nil {
		in.received = map[uint16]bool{}
	}
	in.received[id] = true
}

// topicOf answers the topic of p, by its alias if need be.
func (c *client) topicOf(p *mqtt.Publish) (string, bool) {
	if c.inbox.connOf != c.conns {
		c.inbox.alias, c.inbox.connOf = map[uint16]string{}, c.conns
	}
	a, ok := p.Props.Uint16(mqtt.TopicAlias)
	switch {
	case !ok:
		return string(p.Topic), true
	case len(p.Topic) > 0:
		c.inbox.alias[a] = string(p.Topic)
	case c.inbox.alias[a] == "":
		c.w.fail("%s: unknown topic alias %d", c.id, a)
		return "", false
	}
	return c.inbox.alias[a], true
}

// takeIn checks window and identifier of a QoS 1 or 2 message [MQTT-3.3.4-9] [MQTT-2.2.1-4].
func (c *client) takeIn(p *mqtt.Publish) bool {
	in := &c.inbox
	if in.busy[p.PacketID] {
		c.w.fail("%s: packet identifier %d is in use", c.id, p.PacketID)
		return false
	}
	if p.Dup && c.first {
		c.w.fail("%s: DUP on the first connection of a session", c.id)
		return false
	}
	in.busy[p.PacketID] = true
	if c.version == mqtt.V5 && len(in.busy) > int(c.receiveMax) {
		c.w.fail("%s: %d under way, Receive Maximum is %d", c.id, len(in.busy), c.receiveMax)
		return false
	}
	return true
}

// releasedBy handles PUBREL.
func (c *client) releasedBy(s *socket, frame []byte) {
	var a mqtt.Ack
	err := a.Decode(c.version, frame)
	if err != nil || a.Reason != mqtt.Success {
		c.w.fail("%s: PUBREL %d %v, %v", c.id, a.PacketID, a.Reason, err)
		return
	}
	c.w.trace("%s gets PUBREL %d", c.id, a.PacketID)
	delete(c.inbox.received, a.PacketID)
	c.later(s, mqtt.PUBCOMP, a.PacketID)
}

// later sends an acknowledgement after a while, all of them in order [MQTT-4.6.0-2] [MQTT-4.6.0-3].
func (c *client) later(s *socket, t mqtt.Type, id uint16) {
	w := c.w
	c.ackLast = max(c.ackLast, w.now+w.upTo(15))
	w.after(c.ackLast-w.now, func() {
		if s != c.sock || s.cut {
			return
		}
		if t != mqtt.PUBREC {
			delete(c.inbox.busy, id)
		}
		c.sendAck(s, t, id)
	})
}
