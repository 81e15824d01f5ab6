package crash

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// where is the address of the broker; it changes when it is started again, and is empty while there
// is none.
type where struct {
	mu sync.Mutex
	at string
}

func (w *where) set(at string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = at
}

func (w *where) get() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

// client is an MQTT client with a session that outlives its connections.
type client struct {
	id      string
	version mqtt.Version
	broker  *where
	// window is the receive maximum of 5.0, 0 for none. fresh begins with a new session each time.
	window uint16
	fresh  bool
	// began is called with each connection that was let in, packet with each packet on it, idle
	// when nothing came for a moment. All run on one goroutine.
	began  func(*link)
	packet func(*link, mqtt.Type, []byte)
	idle   func(*link)
	// known is set when the broker has the session; lost is called when it has it no more.
	known bool
	lost  func()
	// will, if it is not nil, answers topic and payload of the will of the next connection.
	will func() (string, int)
}

// link is one connection. What is written to it goes out before the next read that would wait.
type link struct {
	conn net.Conn
	in   *bufio.Reader
	out  []byte
	v    mqtt.Version
	end  bool
}

// leave ends the connection after the packet at work.
func (l *link) leave() { l.end = true }

func (l *link) flush() error {
	if len(l.out) == 0 {
		return nil
	}
	_, err := l.conn.Write(l.out)
	l.out = l.out[:0]
	return err
}

func (l *link) ack(t mqtt.Type, id uint16) {
	a := mqtt.Ack{Type: t, PacketID: id}
	l.out = a.Append(l.out, l.v)
}

// run connects again and again until ctx ends.
func (c *client) run(ctx context.Context) {
	for ctx.Err() == nil {
		at := c.broker.get()
		var conn net.Conn
		var err error
		if at != "" {
			conn, err = net.DialTimeout("unix", at, time.Second)
		}
		if at == "" || err != nil {
			rest(ctx, 5*time.Millisecond)
			continue
		}
		stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
		if !c.serve(conn) {
			rest(ctx, 50*time.Millisecond) // refused
		}
		stop()
		_ = conn.Close()
	}
}

// rest waits a moment.
func rest(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// serve is one connection. It is false if the client was not let in.
func (c *client) serve(conn net.Conn) bool {
	l := &link{conn: conn, in: bufio.NewReaderSize(conn, 16<<10), v: c.version}
	if !c.open(l) {
		return false
	}
	c.began(l)
	for !l.end {
		frame, err := l.read(5 * time.Millisecond)
		switch {
		case err == nil:
			c.packet(l, mqtt.TypeOf(frame), frame)
		case isTimeout(err):
			c.idle(l)
		default:
			return true
		}
	}
	d := mqtt.Disconnect{}
	l.out = d.Append(l.out, l.v)
	_ = l.flush()
	return true
}

func (c *client) open(l *link) bool {
	p := mqtt.Connect{Version: c.version, ClientID: []byte(c.id), CleanStart: c.fresh}
	if c.version == mqtt.V5 {
		if !c.fresh {
			p.Props = p.Props.AppendUint32(mqtt.SessionExpiryInterval, 1<<32-1)
		}
		if c.window != 0 {
			p.Props = p.Props.AppendUint16(mqtt.ReceiveMaximum, c.window)
		}
	}
	if c.will != nil {
		topic, n := c.will()
		p.HasWill, p.Will = true, mqtt.Will{
			QoS: mqtt.AtLeastOnce, Topic: []byte(topic), Payload: fmt.Append(nil, n),
		}
	}
	l.out = p.Append(l.out)
	var ack mqtt.Connack
	frame, err := l.read(30 * time.Second)
	if err != nil || ack.Decode(c.version, frame) != nil || ack.Reason != mqtt.Success {
		return false
	}
	if c.known && !ack.SessionPresent && c.lost != nil {
		c.lost()
	}
	c.known = !c.fresh
	return true
}

func isTimeout(err error) bool {
	e, ok := err.(net.Error)
	return ok && e.Timeout()
}

// read answers one packet. A packet that has begun is waited for longer than one that has not.
func (l *link) read(wait time.Duration) ([]byte, error) {
	if l.in.Buffered() == 0 {
		if err := l.flush(); err != nil {
			return nil, err
		}
		if err := l.conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
			return nil, err
		}
		if _, err := l.in.Peek(1); err != nil {
			return nil, err
		}
		if err := l.conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
			return nil, err
		}
	}
	head := make([]byte, 1, 5)
	if _, err := io.ReadFull(l.in, head); err != nil {
		return nil, err
	}
	size := 0
	for shift := 0; ; shift += 7 {
		b, err := l.in.ReadByte()
		if err != nil {
			return nil, err
		}
		head = append(head, b)
		size |= int(b&0x7F) << shift
		if b < 0x80 {
			break
		}
	}
	n := len(head)
	frame := append(head, make([]byte, size)...)
	_, err := io.ReadFull(l.in, frame[n:])
	return frame, err
}
