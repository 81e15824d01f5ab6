package broker

import "github.com/hpmq/hpmq/sdk/mqtt"

// A rate holds a connection back for moments: Sink.Room is 0. QoS 0 messages wait through them in a
// queue apart from that of QoS 1 and 2, which may stand still for want of an acknowledgement. Both
// queues together keep to the session's limits. What waits here is in no Store and ends with the
// connection. work.loose is nil unless something waits.

// waiting is how many messages wait for the session.
func (s *session) waiting() int {
	n, _ := s.work.waits()
	return n
}

// loosen lets a QoS 0 message wait, behind those that already do [MQTT-4.6.0-6].
func (k *Kernel) loosen(t *target, m *Message) {
	s := t.sess
	if k.full(s, m) && !k.squeeze(s, m) {
		return
	}
	w := s.busy()
	if w.loose == nil {
		w.loose = &queue{}
	}
	w.loose.push(k.queued(t, m))
	k.account(s)
	k.thin(s)
}

// launchLoose sends the first QoS 0 message that waits if there is room for it.
func (k *Kernel) launchLoose(s *session) bool {
	w := s.work
	if !s.live() || w.loose == nil || s.conn.out.Room() <= 0 {
		return false
	}
	c, e := s.conn, w.loose.pop()
	if w.loose.len() == 0 {
		w.loose = nil
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
	w := s.work
	if !w.looseWaits() {
		return
	}
	k.stats.DroppedSlow += uint64(w.loose.len())
	w.loose = nil
	k.account(s)
}
