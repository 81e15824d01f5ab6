package follow

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// peer is the broker's end of a connection.
type peer struct {
	t    *testing.T
	conn net.Conn
	have []byte
}

// read is the next packet of that type.
func (p *peer) read(want mqtt.Type) []byte {
	for {
		n, err := mqtt.Frame(p.have, frameBytesMax)
		if err != nil {
			p.t.Error(err)
			return nil
		}
		if n > 0 {
			frame := p.have[:n]
			p.have = p.have[n:]
			if got := mqtt.TypeOf(frame); got != want {
				p.t.Errorf("got %v, want %v", got, want)
			}
			return frame
		}
		room := make([]byte, 1024)
		got, err := p.conn.Read(room)
		if err != nil {
			p.t.Error(err)
			return nil
		}
		p.have = append(p.have, room[:got]...)
	}
}

func (p *peer) write(b []byte) {
	if _, err := p.conn.Write(b); err != nil {
		p.t.Error(err)
	}
}

// with runs a broker of one connection.
func with(t *testing.T, broker func(p *peer)) net.Conn {
	near, far := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		broker(&peer{t: t, conn: far})
		_ = far.Close()
	}()
	t.Cleanup(func() { <-done })
	return near
}

func (p *peer) letIn(code mqtt.ReasonCode) {
	var c mqtt.Connect
	if err := c.Decode(p.read(mqtt.CONNECT)); err != nil || string(c.ClientID) != "f" ||
		string(c.Username) != "u" || string(c.Password) != "p" {
		p.t.Errorf("%v: %+v", err, c)
	}
	p.write((&mqtt.Connack{Reason: code}).Append(nil, version))
}

func (p *peer) subscribe(code mqtt.ReasonCode) {
	var s mqtt.Subscribe
	if err := s.Decode(version, p.read(mqtt.SUBSCRIBE)); err != nil {
		p.t.Error(err)
	}
	if sub, ok := s.Next(); !ok || string(sub.Filter) != "a/#" {
		p.t.Errorf("subscribes to %s", sub.Filter)
	}
	ack := mqtt.Suback{PacketID: s.PacketID, Reasons: []mqtt.ReasonCode{code}}
	p.write(ack.Append(nil, version))
}

func config() Config {
	return Config{ClientID: "f", Username: "u", Password: "p", Filter: "a/#"}
}

func TestMessagesComeAndGo(t *testing.T) {
	conn := with(t, func(p *peer) {
		p.letIn(mqtt.Success)
		p.subscribe(1)
		one := mqtt.Publish{Topic: []byte("a/1"), Payload: []byte("x"), QoS: 1, PacketID: 7}
		two := mqtt.Publish{Topic: []byte("a/2"), Payload: []byte("y"), Retain: true}
		ping := mqtt.Ping{Type: mqtt.PINGRESP}
		both := ping.Append(one.Append(nil, version), version)
		p.write(both[:5]) // in pieces
		p.write(two.Append(both[5:len(both):len(both)], version))
		var ack mqtt.Ack
		if err := ack.Decode(version, p.read(mqtt.PUBACK)); err != nil || ack.PacketID != 7 {
			t.Errorf("%v: %+v", err, ack)
		}
		var got mqtt.Publish
		if err := got.Decode(version, p.read(mqtt.PUBLISH)); err != nil ||
			string(got.Topic) != "b" || string(got.Payload) != "z" {
			t.Errorf("%v: %+v", err, got)
		}
		p.read(mqtt.DISCONNECT)
	})
	f, err := Open(t.Context(), conn, config())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"a/1=x", "a/2=y"} {
		m, err := f.Next()
		if got := string(m.Topic) + "=" + string(m.Payload); err != nil || got != want {
			t.Errorf("%v: %s, want %s", err, got, want)
		}
	}
	if err := f.Publish([]byte("b"), []byte("z"), false); err != nil {
		t.Error(err)
	}
	f.Close()
	f.Close()
}

func TestRefusalsAreTold(t *testing.T) {
	for name, broker := range map[string]func(p *peer){
		"connection":   func(p *peer) { p.letIn(mqtt.NotAuthorized) },
		"subscription": func(p *peer) { p.letIn(mqtt.Success); p.subscribe(0x80) },
	} {
		var refused *RefusedError
		_, err := Open(t.Context(), with(t, func(p *peer) {
			broker(p)
			_, _ = io.Copy(io.Discard, p.conn)
		}), config())
		if !errors.As(err, &refused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := Open(t.Context(), with(t, func(p *peer) {
		p.read(mqtt.CONNECT)
		p.write([]byte{0, 0})
	}), config())
	if err == nil {
		t.Error("a peer that speaks no MQTT")
	}
}

func TestTheContextEndsIt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	conn := with(t, func(p *peer) {
		p.letIn(mqtt.Success)
		p.subscribe(0)
		cancel()
		_, _ = io.Copy(io.Discard, p.conn)
	})
	f, err := Open(ctx, conn, config())
	if err == nil {
		defer f.Close()
		_, err = f.Next()
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
