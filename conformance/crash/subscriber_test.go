package crash

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// subscriber notes what comes, and has a session as long as the broker.
type subscriber struct {
	client
	ledger   *ledger
	filters  []mqtt.Subscription
	received map[uint16]bool // QoS 2 identifiers
	subbed   chan struct{}
	shared   bool
	early    func(*entry) bool // what need not come in order, nil for nothing
	// every, if it is not 0, is after how many messages the client leaves, to come back at once.
	every, since int

	mu   sync.Mutex
	got  [publishers + 1][]uint8
	last map[string]int // by topic and QoS, the highest seq
	once map[int]int    // what the repeater sent, how often it came
	// wills of the mortal, how often each came.
	wills map[int]int
}

func newSubscriber(id string, v mqtt.Version, w *world, list ...mqtt.Subscription) *subscriber {
	s := &subscriber{
		ledger: w.ledger, filters: list, received: map[uint16]bool{},
		subbed: make(chan struct{}), last: map[string]int{},
		once: map[int]int{}, wills: map[int]int{},
	}
	s.client = client{id: id, version: v, broker: &w.at, packet: s.take, idle: func(*link) {}}
	s.lost = func() { s.ledger.fault("lost", "%s: its session is lost", id) }
	s.began = func(l *link) {
		select {
		case <-s.subbed:
		default:
			l.out = mqtt.AppendSubscribe(l.out, l.v, 1, nil, s.filters)
		}
	}
	return s
}

// all are filters for whatever publishers send.
func all(q mqtt.QoS) []mqtt.Subscription {
	return []mqtt.Subscription{
		{Filter: []byte("c/#"), QoS: q}, {Filter: []byte("r/#"), QoS: q},
		{Filter: []byte("d/#"), QoS: q}, {Filter: []byte("w/#"), QoS: q},
	}
}

func (s *subscriber) take(l *link, t mqtt.Type, frame []byte) {
	switch t {
	case mqtt.SUBACK:
		close(s.subbed)
	case mqtt.PUBREL:
		var a mqtt.Ack
		if a.Decode(l.v, frame) == nil {
			delete(s.received, a.PacketID)
			l.ack(mqtt.PUBCOMP, a.PacketID)
		}
	case mqtt.PUBLISH:
		s.publish(l, frame)
	}
}

func (s *subscriber) publish(l *link, frame []byte) {
	var p mqtt.Publish
	if p.Decode(l.v, frame) != nil {
		return
	}
	if s.since++; s.every != 0 && s.since%s.every == 0 {
		l.leave()
	}
	if p.QoS == mqtt.AtLeastOnce {
		s.note(&p)
		l.ack(mqtt.PUBACK, p.PacketID)
		return
	}
	if !s.received[p.PacketID] {
		s.received[p.PacketID] = true
		s.note(&p)
	}
	l.ack(mqtt.PUBREC, p.PacketID)
}

// read takes a payload apart. An empty one stands for all that remove a retained message.
func (s *subscriber) read(p *mqtt.Publish) (m message, ok bool) {
	text := string(p.Payload)
	if strings.HasSuffix(string(p.Topic), "/j") {
		var body struct{ M, By string }
		err := json.Unmarshal(p.Payload, &body)
		if err != nil || body.By != "one" && body.By != "two" {
			s.ledger.fault("other", "%s: %s was not transformed: %s", s.id, p.Topic, text)
			return m, false
		}
		text = body.M
	}
	_, err := fmt.Sscan(text, &m.pub, &m.seq)
	if err != nil && text != "" {
		s.ledger.fault("other", "%s: on %s: %q", s.id, p.Topic, text)
	}
	return m, err == nil
}

func (s *subscriber) note(p *mqtt.Publish) {
	if string(p.Topic) == "d/once" {
		x, _ := strconv.Atoi(string(p.Payload))
		s.mu.Lock()
		defer s.mu.Unlock()
		s.once[x]++
		return
	}
	if string(p.Topic) == willTopic {
		x, _ := strconv.Atoi(string(p.Payload))
		s.mu.Lock()
		defer s.mu.Unlock()
		s.wills[x]++
		return
	}
	m, ok := s.read(p)
	if !ok {
		return
	}
	e, ok := s.ledger.get(m)
	if !ok || e.topic != string(p.Topic) {
		s.ledger.fault("other", "%s: nobody sent %+v on %s", s.id, m, p.Topic)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.got[m.pub]) <= m.seq {
		s.got[m.pub] = append(s.got[m.pub], 0)
	}
	n := s.got[m.pub][m.seq]
	s.got[m.pub][m.seq] = min(n, 100) + 1
	if n > 0 {
		if e.qos == mqtt.ExactlyOnce && p.QoS == mqtt.ExactlyOnce {
			s.ledger.fault("doubled", "%s: %+v came twice: %+v", s.id, m, e)
		}
		return
	}
	if s.shared {
		return // what one leaves behind another may get
	}
	key := fmt.Sprint(e.topic, e.qos)
	if last, ok := s.last[key]; ok && m.seq < last {
		by, _ := s.ledger.get(message{m.pub, last})
		if !e.overtaken(&by) && (s.early == nil || !s.early(&e)) {
			s.ledger.fault("reordered", "%s: %+v %+v came after %d %+v", s.id, m, e, last, by)
		}
	}
	s.last[key] = max(s.last[key], m.seq)
}

func (s *subscriber) has(m message) bool {
	return m.seq < len(s.got[m.pub]) && s.got[m.pub][m.seq] > 0
}

// came is has for others.
func (s *subscriber) came(m message) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.has(m)
}

// missing calls visit for what was acknowledged and has not come.
func (s *subscriber) missing(owed func(message, *entry) bool, visit func(message, *entry)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ledger.each(func(m message, e *entry) {
		if e.acked != 0 && !e.empty && !e.excused && !s.has(m) && owed(m, e) {
			visit(m, e)
		}
	})
}

// whole is what a subscriber is owed that never stopped to want all.
func whole(message, *entry) bool { return true }
