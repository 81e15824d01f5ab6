package send

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// peer answers a Sender as a broker would, and notes what it is sent.
type peer struct {
	conn   net.Conn
	most   byte
	refuse mqtt.ReasonCode // of messages
	got    chan string
}

func (p *peer) serve() {
	var have []byte
	buf := make([]byte, 4096)
	for {
		n, err := p.conn.Read(buf)
		if err != nil {
			close(p.got)
			return
		}
		have = append(have, buf[:n]...)
		for {
			n, err := mqtt.Frame(have, 1<<20)
			if err != nil || n == 0 {
				break
			}
			p.packet(have[:n])
			have = have[n:]
		}
	}
}

func (p *peer) packet(frame []byte) {
	var m mqtt.Publish
	var a mqtt.Ack
	switch mqtt.TypeOf(frame) {
	case mqtt.CONNECT:
		c := mqtt.Connack{Props: mqtt.Props(nil).AppendByte(mqtt.MaximumQoS, p.most)}
		if p.most == 2 {
			c.Props = nil
		}
		p.answer(c.Append(nil, version))
	case mqtt.PUBLISH:
		_ = m.Decode(version, frame)
		p.got <- fmt.Sprintf("%s=%s q%d #%d", m.Topic, m.Payload, m.QoS, m.PacketID)
		ack := mqtt.Ack{Type: mqtt.PUBACK, PacketID: m.PacketID, Reason: p.refuse}
		if m.QoS == 2 {
			ack.Type = mqtt.PUBREC
		}
		if m.QoS > 0 {
			p.answer(ack.Append(nil, version))
		}
	case mqtt.PUBREL:
		_ = a.Decode(version, frame)
		p.got <- fmt.Sprintf("release #%d", a.PacketID)
		p.answer((&mqtt.Ack{Type: mqtt.PUBCOMP, PacketID: a.PacketID}).Append(nil, version))
	}
}

func (p *peer) answer(b []byte) { _, _ = p.conn.Write(b) }

func start(t *testing.T, p *peer) *Sender {
	t.Helper()
	here, there := net.Pipe()
	p.conn, p.got = there, make(chan string, 10)
	go p.serve()
	s, err := Open(t.Context(), here, Config{ClientID: "c"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Each message is sent at its QoS, or what the broker takes, and is the broker's when Publish
// returns.
func TestPublish(t *testing.T) {
	for most, want := range map[byte][]string{
		2: {"t=0 q0 #0", "t=1 q1 #1", "t=2 q2 #2", "release #2"},
		1: {"t=0 q0 #0", "t=1 q1 #1", "t=2 q1 #2"},
	} {
		p := &peer{most: most}
		s := start(t, p)
		for q := range 3 {
			m := mqtt.Publish{Topic: []byte("t"), Payload: []byte{'0' + byte(q)}, QoS: mqtt.QoS(q)}
			if err := s.Publish(&m); err != nil {
				t.Fatal(err)
			}
		}
		s.Close()
		var got []string
		for line := range p.got {
			got = append(got, line)
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// A message that the broker does not take is an error that says why.
func TestRefused(t *testing.T) {
	s := start(t, &peer{most: 2, refuse: mqtt.QuotaExceeded})
	defer s.Close()
	var refused *RefusedError
	err := s.Publish(&mqtt.Publish{Topic: []byte("t"), QoS: mqtt.AtLeastOnce})
	if !errors.As(err, &refused) || refused.Reason != mqtt.QuotaExceeded {
		t.Errorf("err %v", err)
	}
}
