// Package kernels tells stories to broker kernels in memory: one, or several joined by Peers. It
// owns the clock, the sockets, the Store and the policy of the story, all fakes that do what the
// script says. It knows no goroutine and never waits.
package kernels

import (
	"fmt"
	"slices"

	"github.com/hpmq/hpmq/conformance/story"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// start is when every story begins: a round number far from zero.
const start broker.Time = 1_700_000_000_000

// settleMax bounds the frames between kernels after one command: more means they never stop.
const settleMax = 100_000

// World is the story.Driver of kernels in memory.
type World struct {
	kernels []*broker.Kernel
	now     broker.Time
	cfg     broker.Config
	lis     *broker.Listener
	store   *store
	policy  *policy
	auth    *auth
	conns   map[string]*conn
	wire    []frame
	asking  *broker.Kernel // at work now: the one an Authenticator is asked by
	holding bool           // frames between kernels wait for the script
	events  []story.Event
}

// frame is on the way from one kernel to another.
type frame struct {
	from, to broker.PeerID
	b        []byte
}

// peers is the way out of one kernel to the others.
type peers struct {
	w    *World
	self broker.PeerID
}

func (p peers) Send(to broker.PeerID, b []byte) {
	p.w.wire = append(p.w.wire, frame{p.self, to, slices.Clone(b)})
}

// New makes the world of one story.
func New() *World {
	w := &World{now: start, cfg: broker.Default(), conns: map[string]*conn{}}
	w.lis = &broker.Listener{Name: "story", Limits: broker.DefaultLimits()}
	return w
}

// build makes the kernels when the first connection comes, so that the script can say before how
// they are.
func (w *World) build() {
	if w.kernels != nil {
		return
	}
	for i := range w.cfg.Peers {
		cfg := w.cfg
		cfg.Self = broker.PeerID(i)
		cfg.Seed = uint64(i + 1)
		var s broker.Store
		if w.store != nil {
			s = shelf{w.store, cfg.Self}
		}
		var p broker.Peers
		if cfg.Peers > 1 {
			p = peers{w, cfg.Self}
		}
		w.kernels = append(w.kernels, broker.New(cfg, s, p))
	}
}

// conn is one connection and the Sink of it.
type conn struct {
	w      *World
	name   string
	kernel *broker.Kernel
	c      *broker.Conn
	room   int
	deaf   bool // its input is held back
	held   broker.Time
	in     []byte // bytes of a packet that is not whole yet
	gone   bool
}

// roomMax is what a connection that is not slow can take.
const roomMax = 1 << 20

func (c *conn) Write(p []byte) {
	e := story.Event{Conn: c.name, Packet: slices.Clone(p)}
	if c.gone {
		e.Wrong = fmt.Sprintf("written after the end: % x", p)
	}
	c.w.events = append(c.w.events, e)
}

func (c *conn) Room() int { return c.room }

func (c *conn) Held() int64 {
	if c.deaf {
		c.held = c.w.now
	}
	return int64(c.held)
}

func (c *conn) Close() {
	e := story.Event{Conn: c.name, Closed: true}
	if c.gone {
		e.Wrong = "closed twice"
	}
	c.gone = true
	c.w.events = append(c.w.events, e)
}

// Open implements story.Driver.
func (w *World) Open(name string, loop int) error {
	w.build()
	if loop < 0 || loop >= len(w.kernels) {
		return fmt.Errorf("no loop %d", loop)
	}
	if old := w.conns[name]; old != nil && !old.gone {
		return fmt.Errorf("connection %s is open", name)
	}
	c := &conn{w: w, name: name, kernel: w.kernels[loop], room: roomMax}
	w.conns[name] = c
	c.c = c.kernel.Open(w.now, w.lis, "192.0.2.1", c)
	return nil
}

// Send implements story.Driver. It frames as a gate does.
func (w *World) Send(name string, p []byte) error {
	c, err := w.conn(name)
	if err != nil {
		return err
	}
	c.in = append(c.in, p...)
	for !c.gone && len(c.in) > 0 {
		n, err := mqtt.Frame(c.in, w.lis.Limits.PacketBytesMax)
		if err != nil {
			c.kernel.Malformed(w.now, c.c, err.(*mqtt.Error))
			return nil
		}
		if n == 0 {
			return nil
		}
		packet := slices.Clone(c.in[:n])
		c.in = c.in[n:]
		w.asking = c.kernel
		c.kernel.Packet(w.now, c.c, packet)
		scribble(packet)
	}
	return nil
}

// scribble spoils bytes that were only lent.
func scribble(b []byte) {
	for i := range b {
		b[i] = 0xdd
	}
}

func (w *World) conn(name string) (*conn, error) {
	c := w.conns[name]
	if c == nil {
		return nil, fmt.Errorf("no connection %q", name)
	}
	if c.gone {
		return nil, fmt.Errorf("connection %s is closed", name)
	}
	return c, nil
}

// Drop implements story.Driver.
func (w *World) Drop(name string) error {
	c, err := w.conn(name)
	if err != nil {
		return err
	}
	c.gone = true
	c.kernel.Closed(w.now, c.c)
	return nil
}

// Settle implements story.Driver: frames go from kernel to kernel until none is left.
func (w *World) Settle() ([]story.Event, error) {
	for n := 0; len(w.wire) > 0 && !w.holding; n++ {
		if n > settleMax {
			return nil, fmt.Errorf("kernels do not come to rest")
		}
		w.move()
	}
	out := w.events
	w.events = nil
	return out, nil
}

// move brings the oldest frame to its kernel.
func (w *World) move() {
	f := w.wire[0]
	w.wire = w.wire[1:]
	w.kernels[f.to].Peer(w.now, f.from, f.b)
	scribble(f.b)
}
