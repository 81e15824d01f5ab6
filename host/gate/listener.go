package gate

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Limits bound what the connections of one listener may use.
type Limits struct {
	// ConnectionsMax bounds the connections of the listener; one above is closed at once.
	ConnectionsMax int
	// PacketBytesMax bounds one packet; FirstPacketBytesMax the first, which comes from a stranger.
	PacketBytesMax      uint32
	FirstPacketBytesMax uint32
	// OutBytesMax is how much may wait for one peer before it counts as slow (Conn.Room is 0). With
	// OutCutBytesMax waiting, the next write cuts the peer.
	OutBytesMax    int
	OutCutBytesMax int
}

// DefaultLimits suit devices and services behind one edge broker.
func DefaultLimits() Limits {
	return Limits{
		ConnectionsMax:      100_000, // at 1.5 KB each: 150 MB
		PacketBytesMax:      1 << 20, // above any telemetry, below any firmware image
		FirstPacketBytesMax: 64 << 10,
		OutBytesMax:         1 << 20, // a second of a busy subscriber
		OutCutBytesMax:      4 << 20,
	}
}

// Validate says what is wrong with l.
func (l *Limits) Validate() error {
	switch {
	case l.ConnectionsMax < 1:
		return errors.New("gate: connections: at least 1")
	case l.PacketBytesMax < 64 || l.FirstPacketBytesMax < 64:
		return errors.New("gate: packet bytes: at least 64")
	case l.OutBytesMax < 1 || l.OutCutBytesMax < l.OutBytesMax:
		return errors.New("gate: out bytes: at least 1, and at most what cuts")
	}
	return nil
}

// ListenerConfig is one listener.
type ListenerConfig struct {
	// Name is what it is called by; one name, one listener.
	Name string
	// Bind is tcp://host:port or unix:///path.
	Bind   string
	Limits Limits
	// Data is the handler's own, see Conn.Listener.
	Data any

	// newStage makes the stage of a connection; nil: its bytes are MQTT.
	newStage func() stage
}

// ListenerView is what an operator sees of a listener.
type ListenerView struct {
	Name string
	// Bind is as configured; Address is what was opened, in the same form.
	Bind        string
	Address     string
	Connections int64
	Accepted    uint64
	Refused     uint64
}

// Backoff of accept when the system gives nothing: no descriptors, no memory. What waits stays in
// the backlog.
const (
	backoffMin = 5 * time.Millisecond
	backoffMax = time.Second
)

// listener accepts for one bind, in a goroutine of its own. It lives as long as its connections do.
type listener struct {
	g       *Gate
	cfg     ListenerConfig
	sock    net.Listener
	stop    chan struct{} // closed by close: ends a backoff
	once    sync.Once
	done    chan struct{} // closed when no connection will follow
	trouble rare

	connections atomic.Int64
	accepted    atomic.Uint64
	refused     atomic.Uint64
}

// Listen opens a listener and answers the address it got.
func (g *Gate) Listen(cfg ListenerConfig) (net.Addr, error) {
	if cfg.Name == "" {
		return nil, errors.New("gate: listen: no name")
	}
	if err := cfg.Limits.Validate(); err != nil {
		return nil, err
	}
	return g.serve(cfg, func() (net.Listener, error) { return listen(cfg.Bind, g.cfg.KeepAlive) })
}

// serve is Listen with a socket that opener opens.
func (g *Gate) serve(cfg ListenerConfig, opener func() (net.Listener, error)) (net.Addr, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, ErrClosed
	}
	for _, ln := range g.listeners {
		if ln.cfg.Name == cfg.Name {
			return nil, fmt.Errorf("%w: %s", ErrExists, cfg.Name)
		}
	}
	sock, err := opener()
	if err != nil {
		return nil, err
	}
	ln := &listener{g: g, cfg: cfg, sock: sock}
	ln.stop, ln.done = make(chan struct{}), make(chan struct{})
	ln.trouble.every = 10 * time.Second
	g.listeners = append(g.listeners, ln)
	go ln.accept()
	return sock.Addr(), nil
}

// Unlisten closes a listener and waits until it brings no more connections. Those it brought go on.
func (g *Gate) Unlisten(name string) error {
	ln := g.take(name)
	if ln == nil {
		return fmt.Errorf("%w: %s", ErrUnknown, name)
	}
	ln.close()
	return nil
}

func (g *Gate) take(name string) *listener {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, ln := range g.listeners {
		if ln.cfg.Name == name {
			g.listeners = append(g.listeners[:i:i], g.listeners[i+1:]...)
			return ln
		}
	}
	return nil
}

// Listeners shows the listeners in the order they were opened.
func (g *Gate) Listeners() []ListenerView {
	g.mu.Lock()
	defer g.mu.Unlock()
	vs := make([]ListenerView, 0, len(g.listeners))
	for _, ln := range g.listeners {
		a := ln.sock.Addr()
		vs = append(vs, ListenerView{
			Name: ln.cfg.Name, Bind: ln.cfg.Bind, Address: a.Network() + "://" + a.String(),
			Connections: ln.connections.Load(), Accepted: ln.accepted.Load(),
			Refused: ln.refused.Load(),
		})
	}
	return vs
}

func (ln *listener) close() {
	ln.once.Do(func() {
		close(ln.stop)
		_ = ln.sock.Close() // its connections are sockets of their own
	})
	<-ln.done
}

func (ln *listener) accept() {
	defer close(ln.done)
	var wait time.Duration
	for {
		c, err := ln.sock.Accept()
		if err == nil {
			wait = 0
			ln.admit(c)
			continue
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
		ln.complain("accept", err)
		wait = min(max(2*wait, backoffMin), backoffMax)
		if !ln.pause(wait) {
			return
		}
	}
}

// pause waits; false means that the listener was closed.
func (ln *listener) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ln.stop:
		return false
	case <-t.C:
		return true
	}
}

// complain counts an error of the system and logs it now and then.
func (ln *listener) complain(verb string, err error) {
	ln.g.count.acceptErrors.Add(1)
	if held, ok := ln.trouble.pass(time.Now()); ok {
		ln.g.log.Warn("gate: "+verb, "listener", ln.cfg.Name, "err", err, "not logged", held)
	}
}

// admit gives a new socket to the loop with the fewest connections. It waits for that loop: a
// busy one slows the listener down, not its memory up.
func (ln *listener) admit(nc net.Conn) {
	if ln.connections.Load() >= int64(ln.cfg.Limits.ConnectionsMax) {
		ln.refused.Add(1)
		ln.g.count.refused.Add(1)
		_ = nc.Close()
		return
	}
	l := ln.g.loops[0]
	for _, m := range ln.g.loops[1:] {
		if m.conns.Load() < l.conns.Load() {
			l = m
		}
	}
	c := &Conn{loop: l, ln: ln}
	if ln.cfg.newStage != nil {
		c.stage = ln.cfg.newStage()
	}
	ln.accepted.Add(1)
	ln.g.count.accepted.Add(1)
	ln.connections.Add(1)
	ln.g.count.connections.Add(1)
	l.conns.Add(1)
	// EnrollContext returns when OnOpen did, so entered is safe to read. It closes nc: the socket
	// goes on as a duplicate.
	if _, err := l.client.EnrollContext(nc, c); err != nil || !c.entered {
		ln.complain("enrol", err)
		l.conns.Add(-1)
		ln.release()
	}
}

// release counts one connection less.
func (ln *listener) release() {
	ln.connections.Add(-1)
	if ln.g.count.connections.Add(-1) == 0 {
		select {
		case ln.g.empty <- struct{}{}:
		default:
		}
	}
}
