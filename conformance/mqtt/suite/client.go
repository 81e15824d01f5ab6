package suite

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// frameBytesMax bounds one packet from a server.
const frameBytesMax = 16 << 20

// Client is one connection as the suite drives it. It sends what it is told, right or wrong, and
// reads only when it is asked to. It belongs to the goroutine of its case.
type Client struct {
	t       *T
	id      int
	version mqtt.Version
	conn    net.Conn
	have    []byte // read and not yet taken
	noted   int    // bytes at its front that are in the transcript: they were put back
	over    error  // why no more can be read
	nextID  uint16
	// Connack is the server's answer to CONNECT, after T.Connect.
	Connack mqtt.Connack
	// ID is the client identifier, after T.Connect: the assigned one if the server gave one.
	ID string

	trail trail // guarded by the lock of t
}

// How long, and how often, a server that refuses connections is asked again. A case may bring a
// server down; where something starts it again, the next case finds it.
const (
	restartTimeout = time.Second
	restartStep    = 100 * time.Millisecond
)

// Dial opens a connection and sends nothing. The transport's own handshakes are done.
func (t *T) Dial() *Client {
	for end := time.Now().Add(restartTimeout); ; t.Wait(restartStep) {
		conn, err := t.target.dial(t.ctx)
		if err == nil {
			return t.adopt(conn)
		}
		if !errors.Is(err, syscall.ECONNREFUSED) || time.Now().After(end) {
			t.lost(err)
		}
	}
}

func (t *T) adopt(conn net.Conn) *Client {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := &Client{t: t, id: len(t.clients) + 1, version: t.version, conn: conn}
	c.trail.version = t.version
	t.clients = append(t.clients, c)
	return c
}

// Option changes a CONNECT before it is sent.
type Option func(*mqtt.Connect)

// Connecting is a good CONNECT for this case: a client identifier of its own, Clean Start, a keep
// alive of a minute, the user and password of Options.
func (t *T) Connecting(options ...Option) *mqtt.Connect {
	p := &mqtt.Connect{Version: t.version, CleanStart: true, KeepAlive: 60,
		ClientID: []byte(t.newClientID())}
	if o := t.run.opts; o.Username != "" {
		p.HasUsername, p.Username = true, []byte(o.Username)
		p.HasPassword, p.Password = true, []byte(o.Password)
	}
	for _, option := range options {
		option(p)
	}
	return p
}

// Named sets the client identifier.
func Named(id string) Option { return func(p *mqtt.Connect) { p.ClientID = []byte(id) } }

// Keeping asks for a session that outlives the connection, with Clean Start or CleanSession 0 and,
// in 5.0, a Session Expiry Interval of 60 s.
func Keeping(p *mqtt.Connect) {
	p.CleanStart = false
	if p.Version == mqtt.V5 {
		p.Props = p.Props.AppendUint32(mqtt.SessionExpiryInterval, 60)
	}
}

// WithProps adds properties, in 5.0 only.
func WithProps(add func(mqtt.Props) mqtt.Props) Option {
	return func(p *mqtt.Connect) {
		if p.Version == mqtt.V5 {
			p.Props = add(p.Props)
		}
	}
}

// WithWill sets the will.
func WithWill(w mqtt.Will) Option {
	return func(p *mqtt.Connect) { p.HasWill, p.Will = true, w }
}

// Connect dials, sends CONNECT and wants to be let in.
func (t *T) Connect(options ...Option) *Client {
	c := t.Dial()
	c.Connect(t.Connecting(options...))
	return c
}

// Connect sends CONNECT and wants to be let in.
func (c *Client) Connect(p *mqtt.Connect) {
	c.Send(p.Append(nil))
	c.ID = string(p.ClientID)
	c.Connack = c.ReadConnack()
	if c.Connack.Reason != mqtt.Success {
		c.t.Fatalf("client %d: CONNACK %s, want Success", c.id, reasonText(c.Connack.Reason))
	}
	if id, ok := c.Connack.Props.Bytes(mqtt.AssignedClientIdentifier); ok {
		c.ID = string(id)
		c.t.assigned(c)
	}
}

// Version is the version that the client encodes and decodes with.
func (c *Client) Version() mqtt.Version { return c.version }

// NextPacketID is a packet identifier that the client has not used before, or not for the last
// 65534 calls.
func (c *Client) NextPacketID() uint16 {
	if c.nextID++; c.nextID == 0 {
		c.nextID++
	}
	return c.nextID
}

// Send writes bytes, whatever they are. A server that closed already is no fault here: what it does
// is seen by reading.
func (c *Client) Send(b []byte) {
	c.t.sent(c, b)
	_ = c.conn.SetWriteDeadline(c.t.deadline())
	if _, err := c.conn.Write(b); err != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Fatalf("client %d: the server takes nothing more", c.id)
	}
}

// packet is any packet of sdk/mqtt that is encoded for a version.
type packet interface {
	Append(dst []byte, v mqtt.Version) []byte
}

// SendPacket encodes a packet for the client's version and writes it.
func (c *Client) SendPacket(p packet) { c.Send(p.Append(nil, c.version)) }

// Close closes the connection without a DISCONNECT: the network has failed.
func (c *Client) Close() {
	c.t.Note("client %d closes its connection", c.id)
	_ = c.conn.Close()
	c.over = net.ErrClosed
}

// Abort closes the connection by a reset where the transport has one.
func (c *Client) Abort() {
	if tcp, ok := c.conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	c.Close()
}

// Disconnect sends DISCONNECT with reason 0 and closes.
func (c *Client) Disconnect() {
	c.SendPacket(&mqtt.Disconnect{})
	c.Close()
}

// Conn is the connection, for what only a socket can do. What is written to it is not in the
// transcript.
func (c *Client) Conn() net.Conn { return c.conn }

// errQuiet says that nothing came in time.
var errQuiet = errors.New("nothing came")

// next reads one packet. errQuiet: none came within d. Another error: none will.
func (c *Client) next(d time.Duration) ([]byte, error) {
	deadline := time.Now().Add(d)
	if limit := c.t.deadline(); limit.Before(deadline) {
		deadline = limit
	}
	for {
		n, err := mqtt.Frame(c.have, frameBytesMax)
		if err != nil {
			c.t.Fatalf("client %d: the server sent no packet: %v: % x", c.id, err, clip(c.have))
		}
		if n > 0 {
			frame := c.have[:n:n]
			c.have = c.have[n:]
			if c.noted >= n {
				c.noted -= n
				return frame, nil
			}
			c.t.received(c, frame)
			return frame, nil
		}
		if c.over != nil {
			return nil, c.over
		}
		if err := c.fill(deadline); err != nil {
			return nil, err
		}
	}
}

func (c *Client) fill(deadline time.Time) error {
	_ = c.conn.SetReadDeadline(deadline)
	buf := make([]byte, 16<<10)
	n, err := c.conn.Read(buf)
	c.have = append(c.have, buf[:n]...)
	switch {
	case n > 0 || err == nil:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errQuiet
	case errors.Is(err, io.EOF):
		c.t.Note("client %d: the server closed the connection", c.id)
	default:
		c.t.Note("client %d: the connection ended: %v", c.id, err)
	}
	c.over = err
	return err
}
