package load

import (
	"fmt"
	"sync/atomic"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// subscriber counts what it gets. Its fields but the atomic ones are its goroutine's until it ends.
type subscriber struct {
	*peer
	clock clock
	// publishers by number; a p2p subscriber has one of them.
	publishers []*publisher
	tracks     []track
	seen       Histogram
	out        []byte

	// measuring is shared by all; latencies are recorded while it is true.
	measuring *atomic.Bool
	delivered atomic.Uint64
}

// read takes messages and acknowledges them until the connection ends.
func (s *subscriber) read() error {
	for {
		if err := s.fill(); err != nil {
			return err
		}
		if err := s.turn(); err != nil {
			return err
		}
	}
}

// turn handles all whole packets of one read, then writes all acknowledgements at once.
func (s *subscriber) turn() error {
	now, measuring := s.clock.now(), s.measuring.Load()
	var n uint64
	for {
		frame, err := s.next()
		if err != nil {
			return err
		}
		if frame == nil {
			break
		}
		st, ok, err := s.packet(frame)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		n++
		s.count(st)
		if measuring {
			s.seen.Add(now - st.sent)
		}
	}
	s.delivered.Add(n)
	if len(s.out) == 0 {
		return nil
	}
	_, err := s.conn.Write(s.out)
	s.out = s.out[:0]
	return err
}

// packet answers one packet; ok when it was a message of this run.
func (s *subscriber) packet(frame []byte) (st stamp, ok bool, err error) {
	switch mqtt.TypeOf(frame) {
	case mqtt.PUBLISH:
		var m mqtt.Publish
		if err := m.Decode(s.v, frame); err != nil {
			return st, false, err
		}
		s.acknowledge(&m)
		st, ok = readStamp(m.Payload)
		return st, ok && int(st.publisher) < len(s.tracks), nil
	case mqtt.PUBREL:
		var release mqtt.Ack
		if err := release.Decode(s.v, frame); err != nil {
			return st, false, err
		}
		done := mqtt.Ack{Type: mqtt.PUBCOMP, PacketID: release.PacketID}
		s.out = done.Append(s.out, s.v)
	case mqtt.DISCONNECT:
		return st, false, fmt.Errorf("load: a subscriber was disconnected")
	}
	return st, false, nil
}

func (s *subscriber) acknowledge(m *mqtt.Publish) {
	ack := mqtt.Ack{Type: mqtt.PUBACK, PacketID: m.PacketID}
	switch m.QoS {
	case mqtt.AtMostOnce:
		return
	case mqtt.ExactlyOnce:
		ack.Type = mqtt.PUBREC
	}
	s.out = ack.Append(s.out, s.v)
}

func (s *subscriber) count(st stamp) {
	t := &s.tracks[st.publisher]
	before := t.next
	t.see(st.seq)
	if t.next > before {
		s.publishers[st.publisher].pass(before, t.next)
	}
}
