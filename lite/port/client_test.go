package port

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

const patience = 2 * time.Minute // for what happens in milliseconds on an idle machine

// broth is a port with a kernel and one listener.
type broth struct {
	*Port
	t       testing.TB
	address string
	clock   *atomic.Int64 // nil: the real one
	ln      *broker.Listener
}

// serve opens a port; set changes its listener.
func serve(t testing.TB, cfg Config, set func(*ListenerConfig)) *broth {
	t.Helper()
	cfg.CloseTimeout, cfg.LingerTimeout = patience, patience // a slow peer is no dead one
	p := New(cfg)
	p.Start(broker.New(broker.Default(), nil, nil))
	lc := ListenerConfig{
		Bind: "tcp://127.0.0.1:0", Limits: DefaultLimits(),
		Broker: &broker.Listener{Name: "test", Limits: broker.DefaultLimits()},
	}
	if set != nil {
		set(&lc)
	}
	address, err := p.Listen(lc)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close(t.Context()) })
	return &broth{Port: p, t: t, address: address, ln: lc.Broker}
}

// client is an MQTT 5 client, as much of it as a test needs.
type client struct {
	t   testing.TB
	c   net.Conn
	buf []byte
	in  []byte // read, not handed out
}

func (b *broth) dial() *client {
	b.t.Helper()
	network, address, _ := strings.Cut(b.address, "://")
	c, err := net.DialTimeout(network, address, patience)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return &client{t: b.t, c: c}
}

func (c *client) send(p []byte) {
	c.t.Helper()
	if _, err := c.c.Write(p); err != nil {
		c.t.Fatal(err)
	}
}

// read answers the next packet, valid until the next read.
func (c *client) read() ([]byte, error) {
	if c.buf == nil {
		c.buf = make([]byte, 512<<10)
	}
	for {
		n, err := mqtt.Frame(c.in, 0)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			frame := c.in[:n]
			c.in = c.in[n:]
			return frame, nil
		}
		have := copy(c.buf, c.in)
		n, err = c.c.Read(c.buf[have:])
		if err != nil {
			return nil, err
		}
		c.in = c.buf[:have+n]
	}
}

func (c *client) expect(want mqtt.Type) []byte {
	c.t.Helper()
	frame, err := c.read()
	if err != nil || mqtt.TypeOf(frame) != want {
		c.t.Fatalf("want %v, got %.40x, %v", want, frame, err)
	}
	return frame
}

func (c *client) connect(p mqtt.Connect) *client {
	c.t.Helper()
	p.Version = mqtt.V5
	c.send(p.Append(nil))
	var a mqtt.Connack
	if err := a.Decode(mqtt.V5, c.expect(mqtt.CONNACK)); err != nil || a.Reason != mqtt.Success {
		c.t.Fatalf("connack %v, %v", a.Reason, err)
	}
	return c
}

func named(id string) mqtt.Connect { return mqtt.Connect{CleanStart: true, ClientID: []byte(id)} }

func (c *client) subscribe(filter string, q mqtt.QoS) *client {
	c.t.Helper()
	c.send(mqtt.AppendSubscribe(nil, mqtt.V5, 1, nil,
		[]mqtt.Subscription{{Filter: []byte(filter), QoS: q}}))
	c.expect(mqtt.SUBACK)
	return c
}

func packet(topic, payload string, q mqtt.QoS, id uint16) []byte {
	p := mqtt.Publish{Topic: []byte(topic), Payload: []byte(payload), QoS: q, PacketID: id}
	return p.Append(nil, mqtt.V5)
}

func ack(typ mqtt.Type, id uint16) []byte {
	a := mqtt.Ack{Type: typ, PacketID: id}
	return a.Append(nil, mqtt.V5)
}

// message answers the next PUBLISH, acknowledged as its QoS wants it.
func (c *client) message() string {
	c.t.Helper()
	var p mqtt.Publish
	if err := p.Decode(mqtt.V5, c.expect(mqtt.PUBLISH)); err != nil {
		c.t.Fatal(err)
	}
	text := fmt.Sprintf("%s %.20s %d", p.Topic, p.Payload, p.QoS)
	switch p.QoS {
	case mqtt.AtLeastOnce:
		c.send(ack(mqtt.PUBACK, p.PacketID))
	case mqtt.ExactlyOnce:
		c.send(ack(mqtt.PUBREC, p.PacketID))
		c.expect(mqtt.PUBREL)
		c.send(ack(mqtt.PUBCOMP, p.PacketID))
	}
	return text
}

// goodbye reads to the end, which must be a DISCONNECT with r and a clean close.
func (c *client) goodbye(r mqtt.ReasonCode) {
	c.t.Helper()
	var d mqtt.Disconnect
	if err := d.Decode(mqtt.V5, c.expect(mqtt.DISCONNECT)); err != nil || d.Reason != r {
		c.t.Fatalf("disconnect %v, %v", d.Reason, err)
	}
	c.eof()
}

func (c *client) eof() {
	c.t.Helper()
	if rest, err := c.read(); err != io.EOF {
		c.t.Fatalf("after the end: %.40x, %v", rest, err)
	}
	_ = c.c.Close()
}

// alive fails unless the broker answers c.
func (c *client) alive() {
	c.t.Helper()
	ping := mqtt.Ping{Type: mqtt.PINGREQ}
	c.send(ping.Append(nil, mqtt.V5))
	c.expect(mqtt.PINGRESP)
}

// until asks the kernel goroutine again and again.
func (b *broth) until(what string, is func(broker.Stats) bool) {
	b.t.Helper()
	end := time.Now().Add(patience)
	for time.Now().Before(end) {
		var st broker.Stats
		b.Do(func(k *broker.Kernel, _ broker.Time) { st = k.Stats() })
		if is(st) {
			return
		}
	}
	b.t.Fatal("never: " + what)
}
