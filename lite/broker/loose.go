package broker

import "github.com/hpmq/hpmq/sdk/mqtt"

// A rate holds a connection back for moments: Sink.Room is 0. QoS 0 messages wait through them in a
// queue apart from that of QoS 1 and 2, which may stand still for want of an acknowledgement. Both
// queues together keep to the session's limits. What waits here is in no Store and ends with the
// connection. session.loose is nil unless something waits.

// full is true when m is more than the session's limits let wait.
func (s *session) full(m *Message) bool {
	n, bytes := s.queue.len(), s.queue.bytes+m.size()
	if s.loose != nil {
		n, bytes = n+s.loose.len(), bytes+s.loose.bytes
	}
	lim := &s.lis.Limits
	return n >= lim.QueueMessagesMax || bytes > lim.QueueBytesMax
}

// waiting is how many messages wait for the session.
func (s *session) waiting() int {
	if s.loose == nil {
		return s.queue.len()
	}
	return s.queue.len() + s.loose.len()
}

// loosen lets a QoS 0 message wait, behind those that already do [MQTT-4.6.0-6].
func (k *Kernel) loosen(t *target, m *Message) {
	s := t.sess
	if s.full(m) {
		k.stats.DroppedQueue++
		return
	}
	if s.loose == nil {
		s.loose = &queue{}
	}
	s.loose.push(k.queued(t, m))
	k.stats.Queued++
}

// launchLoose sends the first QoS 0 message that waits if there is room for it.
func (k *Kernel) launchLoose(s *session) bool {
	if s.conn == nil || s.loose == nil || s.conn.out.Room() <= 0 {
		return false
	}
	c, e := s.conn, s.loose.pop()
	k.stats.Queued--
	if s.loose.len() == 0 {
		s.loose = nil
	}
	if e.m.Expire != 0 && k.now >= e.m.Expire { // [MQTT-3.3.2-5]
		k.stats.DroppedExpired++
		return true
	}
	t := target{sess: s, qos: mqtt.AtMostOnce, retain: e.retain, ids: e.ids}
	frame := k.frame(c, &t, e.m)
	if c.packetMax != 0 && uint32(len(frame)) > c.packetMax { // [MQTT-3.1.2-25]
		k.stats.DroppedSize++
		return true
	}
	k.stats.MessagesSent++
	c.out.Write(frame)
	return true
}

// dropLoose forgets the QoS 0 messages that wait: their connection is gone.
func (k *Kernel) dropLoose(s *session) {
	if s.loose == nil {
		return
	}
	k.stats.Queued -= s.loose.len()
	k.stats.DroppedSlow += uint64(s.loose.len())
	s.loose = nil
}
