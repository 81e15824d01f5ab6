package shard

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

const patience = 2 * time.Minute // for what happens in milliseconds on an idle machine

// client is an MQTT 5 client, as much of it as a test needs.
type client struct {
	t   testing.TB
	c   net.Conn
	buf []byte
	in  []byte // read, not handed out
}

func dial(t testing.TB, network, addr string) *client {
	t.Helper()
	c, err := net.DialTimeout(network, addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return &client{t: t, c: c}
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
		c.buf = make([]byte, 256<<10)
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
		c.t.Fatalf("want %v, got %x, %v", want, frame, err)
	}
	return frame
}

func (c *client) connect(id string) *client {
	c.t.Helper()
	p := mqtt.Connect{Version: mqtt.V5, CleanStart: true, ClientID: []byte(id)}
	c.send(p.Append(nil))
	var a mqtt.Connack
	if err := a.Decode(mqtt.V5, c.expect(mqtt.CONNACK)); err != nil || a.Reason != mqtt.Success {
		c.t.Fatalf("connack %v, %v", a.Reason, err)
	}
	return c
}

func (c *client) subscribe(filter string, q mqtt.QoS) *client {
	c.t.Helper()
	c.send(mqtt.AppendSubscribe(nil, mqtt.V5, 1, nil,
		[]mqtt.Subscription{{Filter: []byte(filter), QoS: q}}))
	c.expect(mqtt.SUBACK)
	return c
}

func publish(topic, payload string, retain bool) []byte {
	p := mqtt.Publish{Topic: []byte(topic), Payload: []byte(payload), Retain: retain}
	return p.Append(nil, mqtt.V5)
}

// message answers topic and payload of the next PUBLISH.
func (c *client) message() string {
	c.t.Helper()
	var p mqtt.Publish
	if err := p.Decode(mqtt.V5, c.expect(mqtt.PUBLISH)); err != nil {
		c.t.Fatal(err)
	}
	return fmt.Sprintf("%s %s", p.Topic, p.Payload)
}

// goodbye reads to the end, which must be a DISCONNECT with r and a clean close.
func (c *client) goodbye(r mqtt.ReasonCode) {
	c.t.Helper()
	var d mqtt.Disconnect
	if err := d.Decode(mqtt.V5, c.expect(mqtt.DISCONNECT)); err != nil || d.Reason != r {
		c.t.Fatalf("disconnect %v, %v", d.Reason, err)
	}
	if rest, err := c.read(); err != io.EOF {
		c.t.Fatalf("after the end: %x, %v", rest, err)
	}
	_ = c.c.Close()
}

// alive is true if the broker answers c.
func (c *client) alive() bool {
	ping := mqtt.Ping{Type: mqtt.PINGREQ}
	if _, err := c.c.Write(ping.Append(nil, mqtt.V5)); err != nil {
		return false
	}
	frame, err := c.read()
	return err == nil && bytes.Equal(frame, []byte{0xD0, 0})
}
