package crash

import (
	"bufio"
	"context"
	"io"
	"net"
	"sync"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// where is the address of the broker, which changes when it is started again.
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

// client is an MQTT 3.1.1 client with a session that outlives its connections.
type client struct {
	id     string
	broker *where
	// began is called with each connection that was let in, packet with each packet on it, idle
	// when nothing came for a moment. All run on one goroutine.
	began  func(net.Conn)
	packet func(net.Conn, mqtt.Type, []byte)
	idle   func(net.Conn)
}

// run connects again and again until ctx ends.
func (c *client) run(ctx context.Context) {
	for ctx.Err() == nil {
		conn, err := net.DialTimeout("tcp", c.broker.get(), time.Second)
		if err != nil {
			select {
			case <-time.After(5 * time.Millisecond):
			case <-ctx.Done():
			}
			continue
		}
		stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
		c.serve(conn)
		stop()
		_ = conn.Close()
	}
}

func (c *client) serve(conn net.Conn) {
	p := mqtt.Connect{Version: mqtt.V311, ClientID: []byte(c.id)}
	if _, err := conn.Write(p.Append(nil)); err != nil {
		return
	}
	in := bufio.NewReader(conn)
	var ack mqtt.Connack
	frame, err := read(conn, in, 10*time.Second)
	if err != nil || ack.Decode(mqtt.V311, frame) != nil || ack.Reason != mqtt.Success {
		return
	}
	c.began(conn)
	for {
		frame, err := read(conn, in, 5*time.Millisecond)
		switch {
		case err == nil:
			c.packet(conn, mqtt.TypeOf(frame), frame)
		case isTimeout(err):
			c.idle(conn)
		default:
			return
		}
	}
}

func isTimeout(err error) bool {
	e, ok := err.(net.Error)
	return ok && e.Timeout()
}

// read answers one packet. A packet that has begun is waited for longer than one that has not.
func read(conn net.Conn, in *bufio.Reader, wait time.Duration) ([]byte, error) {
	if in.Buffered() == 0 {
		if err := conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
			return nil, err
		}
		if _, err := in.Peek(1); err != nil {
			return nil, err
		}
	}
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return nil, err
	}
	head, n, size := make([]byte, 0, 5), 0, 0
	for shift := 0; ; shift += 7 {
		if len(head) == 0 {
			b, err := in.ReadByte()
			if err != nil {
				return nil, err
			}
			head = append(head, b)
		}
		b, err := in.ReadByte()
		if err != nil {
			return nil, err
		}
		head = append(head, b)
		size |= int(b&0x7F) << shift
		if b < 0x80 {
			break
		}
	}
	n = len(head)
	frame := append(head, make([]byte, size)...)
	_, err := io.ReadFull(in, frame[n:])
	return frame, err
}

func send(conn net.Conn, t mqtt.Type, id uint16) {
	a := mqtt.Ack{Type: t, PacketID: id}
	_, _ = conn.Write(a.Append(nil, mqtt.V311))
}
