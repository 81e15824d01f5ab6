package app

import (
	"bufio"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// patience is how long a test waits for what must come.
const patience = 2 * time.Minute

// peer is an MQTT 5 client, no more than these tests need.
type peer struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

// login is what a client says of itself.
type login struct{ id, username, password string }

// dial connects as the given client.
func dial(t *testing.T, address, id string) *peer {
	t.Helper()
	p, got := dialAs(t, address, login{id: id})
	if got != mqtt.Success {
		t.Fatalf("%s: %v", id, got)
	}
	return p
}

// dialAs also answers the reason code of CONNACK.
func dialAs(t *testing.T, address string, who login) (*peer, mqtt.ReasonCode) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return greet(t, conn, who)
}

func newPeer(t *testing.T, conn net.Conn) *peer {
	return &peer{t: t, conn: conn, in: bufio.NewReader(conn)}
}

// greet is dialAs on a connection of any kind.
func greet(t *testing.T, conn net.Conn, who login) (*peer, mqtt.ReasonCode) {
	t.Helper()
	t.Cleanup(func() { _ = conn.Close() })
	p := newPeer(t, conn)
	c := mqtt.Connect{
		Version: mqtt.V5, CleanStart: true, ClientID: []byte(who.id),
		HasUsername: who.username != "", Username: []byte(who.username),
		HasPassword: who.password != "", Password: []byte(who.password),
	}
	p.send(c.Append(nil))
	var ack mqtt.Connack
	if err := ack.Decode(mqtt.V5, p.next()); err != nil {
		t.Fatal(err)
	}
	return p, ack.Reason
}

func (p *peer) send(frame []byte) {
	p.t.Helper()
	if _, err := p.conn.Write(frame); err != nil {
		p.t.Fatal(err)
	}
}

// read answers the next packet, or an error when the connection ended.
func (p *peer) read() ([]byte, error) {
	if err := p.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	for n := 2; ; n++ {
		head, err := p.in.Peek(n)
		if err != nil {
			return nil, err
		}
		if head[n-1]&0x80 != 0 {
			continue // there is more of the length
		}
		size, err := mqtt.Frame(append(head[:n:n], make([]byte, 1<<20)...), 1<<20)
		if err != nil || size == 0 {
			continue
		}
		frame := make([]byte, size)
		_, err = io.ReadFull(p.in, frame)
		return frame, err
	}
}

func (p *peer) next() []byte {
	p.t.Helper()
	frame, err := p.read()
	if err != nil {
		p.t.Fatal(err)
	}
	return frame
}

func (p *peer) subscribe(filter string) {
	p.t.Helper()
	list := []mqtt.Subscription{{Filter: []byte(filter)}}
	p.send(mqtt.AppendSubscribe(nil, mqtt.V5, 1, nil, list))
	if got := mqtt.TypeOf(p.next()); got != mqtt.SUBACK {
		p.t.Fatalf("got %v, want SUBACK", got)
	}
}

func (p *peer) publish(topic, payload string) {
	p.t.Helper()
	m := mqtt.Publish{Topic: []byte(topic), Payload: []byte(payload)}
	p.send(m.Append(nil, mqtt.V5))
}

// receive waits for a message and answers its topic and payload.
func (p *peer) receive() (topic, payload string) {
	p.t.Helper()
	var m mqtt.Publish
	if err := m.Decode(mqtt.V5, p.next()); err != nil {
		p.t.Fatal(err)
	}
	return string(m.Topic), string(m.Payload)
}

// until waits for a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	end := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("waited too long for %s", what)
		}
	}
}

// alive is true if the connection still answers.
func (p *peer) alive() bool {
	ping := mqtt.Ping{Type: mqtt.PINGREQ}
	if _, err := p.conn.Write(ping.Append(nil, mqtt.V5)); err != nil {
		return false
	}
	frame, err := p.read()
	return err == nil && mqtt.TypeOf(frame) == mqtt.PINGRESP
}

// ended waits for a DISCONNECT and the end, and answers the reason.
func (p *peer) ended() mqtt.ReasonCode {
	p.t.Helper()
	var d mqtt.Disconnect
	if err := d.Decode(mqtt.V5, p.next()); err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.read(); !errors.Is(err, io.EOF) {
		p.t.Errorf("after DISCONNECT: %v", err)
	}
	return d.Reason
}
