package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// patience is how long a test waits for what must come.
const patience = 2 * time.Minute

// screen is what a program writes, to wait for.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{} // has a value when text grew
}

func newScreen() *screen { return &screen{more: make(chan struct{}, 1)} }

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.more <- struct{}{}:
	default:
	}
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// until waits until text has come n times and answers all there is.
func (s *screen) until(t *testing.T, text string, n int) string {
	t.Helper()
	end := time.After(patience)
	for {
		if all := s.String(); strings.Count(all, text) >= n {
			return all
		}
		select {
		case <-s.more:
		case <-end:
			t.Fatalf("no %q in:\n%s", text, s)
		}
	}
}

// process is a command line at work.
type process struct {
	out, err *screen
	signals  chan os.Signal
	exit     chan int
	address  string
}

var listens = regexp.MustCompile(`listener mqtt tcp://(\S+)`)

// start runs a command line until it is ready.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{newScreen(), newScreen(), make(chan os.Signal, 4), make(chan int, 1), ""}
	go func() {
		p.exit <- run(t.Context(), args, system{out: p.out, err: p.err, signals: p.signals})
		_, _ = p.out.Write([]byte("hpmq-lite: ready: ended\n"))
	}()
	text := p.out.until(t, "hpmq-lite: ready", 1)
	m := listens.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("it did not start:\n%s%s", text, p.err)
	}
	p.address = m[1]
	return p
}

// stop ends a process, which must be content.
func (p *process) stop(t *testing.T, s os.Signal) {
	t.Helper()
	p.signals <- s
	select {
	case code := <-p.exit:
		if code != exitOK {
			t.Errorf("exit %d: %s", code, p.err)
		}
	case <-time.After(patience):
		t.Fatalf("it does not end: %s", p.err)
	}
}

// once runs a command line that ends by itself.
func once(t *testing.T, args ...string) (code int, text string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, system{out: &out, err: &errs})
	return code, out.String() + errs.String()
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := name
	if !filepath.IsAbs(name) {
		path = filepath.Join(t.TempDir(), name)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// client is an MQTT 5 client, as much of it as a test needs.
type client struct {
	t   testing.TB
	c   net.Conn
	buf []byte
	in  []byte // read, not handed out
}

func dial(t testing.TB, address string) *client {
	t.Helper()
	c, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(2 * patience))
	return &client{t: t, c: c, buf: make([]byte, 4<<10)}
}

// read answers the next packet, valid until the next read.
func (c *client) read() ([]byte, error) {
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
		c.t.Fatalf("want %v, got %.60x, %v", want, frame, err)
	}
	return frame
}

func (c *client) send(p []byte) {
	c.t.Helper()
	if _, err := c.c.Write(p); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) connect(p mqtt.Connect) *client {
	c.t.Helper()
	p.Version, p.CleanStart = mqtt.V5, true
	c.send(p.Append(nil))
	var a mqtt.Connack
	if err := a.Decode(mqtt.V5, c.expect(mqtt.CONNACK)); err != nil || a.Reason != mqtt.Success {
		c.t.Fatalf("connack %v, %v", a.Reason, err)
	}
	return c
}

func (c *client) subscribe(filter string) *client {
	c.t.Helper()
	c.send(mqtt.AppendSubscribe(nil, mqtt.V5, 1, nil,
		[]mqtt.Subscription{{Filter: []byte(filter), QoS: mqtt.ExactlyOnce}}))
	c.expect(mqtt.SUBACK)
	return c
}

// message answers the next PUBLISH, acknowledged as its QoS wants it.
func (c *client) message() string {
	c.t.Helper()
	var p mqtt.Publish
	if err := p.Decode(mqtt.V5, c.expect(mqtt.PUBLISH)); err != nil {
		c.t.Fatal(err)
	}
	text := fmt.Sprintf("%s %s %d", p.Topic, p.Payload, p.QoS)
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

func ack(typ mqtt.Type, id uint16) []byte {
	a := mqtt.Ack{Type: typ, PacketID: id}
	return a.Append(nil, mqtt.V5)
}

// publish sends a message of that QoS, retained if so, and waits until the broker has it. It
// answers the reason of the acknowledgement.
func (c *client) publish(topic, payload string, q mqtt.QoS, retain bool) mqtt.ReasonCode {
	c.t.Helper()
	p := mqtt.Publish{
		Topic: []byte(topic), Payload: []byte(payload), QoS: q, PacketID: 9, Retain: retain,
	}
	c.send(p.Append(nil, mqtt.V5))
	var a mqtt.Ack
	var err error
	switch q {
	case mqtt.AtLeastOnce:
		err = a.Decode(mqtt.V5, c.expect(mqtt.PUBACK))
	case mqtt.ExactlyOnce:
		if err = a.Decode(mqtt.V5, c.expect(mqtt.PUBREC)); err == nil && a.Reason < 0x80 {
			c.send(ack(mqtt.PUBREL, 9))
			c.expect(mqtt.PUBCOMP)
		}
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return a.Reason
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
