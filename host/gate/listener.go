package gate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
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
	// OutCutBytesMax waiting, the next write cuts the peer. One packet may go beyond both: written
	// while there was room, the part of it above OutBytesMax is added to OutCutBytesMax.
	OutBytesMax    int
	OutCutBytesMax int
	// PacketTimeout is how long a packet may take from its first byte to its last, 0 for ever.
	PacketTimeout time.Duration
	Rates
}

// DefaultLimits suit devices and services behind one edge broker.
func DefaultLimits() Limits {
	return Limits{
		ConnectionsMax:      100_000,   // at 1.5 KB each: 150 MB
		PacketBytesMax:      1 << 20,   // above any telemetry, below any firmware image
		FirstPacketBytesMax: 256 << 10, // a will of 64 KiB, its topic, name, password, properties
		OutBytesMax:         1 << 20,   // a second of a busy subscriber
		OutCutBytesMax:      4 << 20,
		PacketTimeout:       30 * time.Second, // 1 MiB at 35 KB/s
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
	if l.PacketTimeout < 0 {
		return errors.New("gate: packet timeout: not below 0")
	}
	return l.Rates.Validate()
}

// ListenerConfig is one listener.
type ListenerConfig struct {
	// Name is what it is called by; one name, one listener.
	Name string
	// Bind is tcp, tls, ws or wss://host:port, or unix:///path.
	Bind   string
	Limits Limits
	// TLS is for tls and wss, and only for them.
	TLS *TLS
	// WebSocket is for ws and wss, and only for them.
	WebSocket *WebSocket
	// Codec answers who translates for a new connection of a loop, or nil: its bytes are MQTT. It
	// is called when a connection comes, on any goroutine. Not for ws and wss.
	Codec func(loop int) Codec
	// Proxy is for listeners behind a proxy; nil: the socket's peer is who connects.
	Proxy *Proxy
	// SocketMode is who may connect to a unix socket, 0 for what the umask leaves.
	SocketMode fs.FileMode
	// Data is the handler's own, see Conn.Listener.
	Data any
	// Tally counts the connections that come by this; may be nil.
	Tally *Tally

	// newStage makes the stage of a connection above TLS; nil: its bytes are MQTT.
	newStage func() stage
}

// ready makes cfg ready and answers its bind, or says what is wrong with it.
func (cfg *ListenerConfig) ready() (Bind, error) {
	if cfg.Name == "" {
		return Bind{}, errors.New("gate: listen: no name")
	}
	b, err := ParseBind(cfg.Bind)
	if err != nil {
		return b, err
	}
	if err := cfg.Limits.Validate(); err != nil {
		return b, err
	}
	switch {
	case b.TLS() && cfg.TLS == nil:
		return b, fmt.Errorf("gate: bind %q: give it a certificate", cfg.Bind)
	case !b.TLS() && cfg.TLS != nil:
		return b, fmt.Errorf("gate: bind %q: TLS is for tls:// and wss://", cfg.Bind)
	case b.WebSocket() && cfg.WebSocket == nil:
		return b, fmt.Errorf("gate: bind %q: give it a WebSocket path", cfg.Bind)
	case !b.WebSocket() && cfg.WebSocket != nil:
		return b, fmt.Errorf("gate: bind %q: WebSocket is for ws:// and wss://", cfg.Bind)
	case b.WebSocket() && cfg.Codec != nil:
		return b, fmt.Errorf("gate: bind %q: a codec is for what is not WebSocket", cfg.Bind)
	case cfg.SocketMode != 0 && b.Network != "unix":
		return b, fmt.Errorf("gate: bind %q: a socket mode is for unix://", cfg.Bind)
	}
	return b, errors.Join(cfg.TLS.Validate(), cfg.Proxy.Validate(), cfg.readyWebSocket())
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
	// Handshakes is how many connections wait for their peers now, HandshakesFailed how many ended
	// there: at the PROXY header, at TLS, at the request for WebSocket.
	Handshakes       int
	HandshakesFailed uint64
	// Paused is how many connections are not read now, for a rate; PausedTotal counts how often
	// that began.
	Paused      int64
	PausedTotal uint64
}

// listener accepts for one bind, in a goroutine of its own. It lives as long as its connections do.
type listener struct {
	g     *Gate
	name  string
	bind  Bind
	sock  net.Listener
	terms atomic.Pointer[terms] // for the connections that come next

	ctx      context.Context // of the arrivals
	cancel   context.CancelFunc
	arrivals sync.WaitGroup // those that wait for their peer
	lobby    lobby
	stop     chan struct{} // closed by close: ends a backoff
	once     sync.Once
	done     chan struct{} // closed when no connection will follow

	trouble, full, failed, mute, deaf rare // what is logged now and then

	connections atomic.Int64
	accepted    atomic.Uint64
	refused     atomic.Uint64
	unsecured   atomic.Uint64
	paused      atomic.Int64
	pausedTotal atomic.Uint64

	connects tab                   // of the goroutine that accepts
	rates    atomic.Pointer[rates] // of all its connections; nil: none
	totals   [2]total              // messages and bytes of all of them
}

// terms is what a listener offers between two calls of Update. A connection keeps those it came
// by.
type terms struct {
	*listener
	cfg ListenerConfig
}

// waitingMax is how many arrivals may wait for their peers, where any do.
func (t *terms) waitingMax() int {
	if t.cfg.TLS != nil {
		return t.cfg.TLS.HandshakesMax
	}
	return t.cfg.Proxy.HeadersMax
}

// Listen opens a listener and answers the address it got.
func (g *Gate) Listen(cfg ListenerConfig) (net.Addr, error) {
	b, err := cfg.ready()
	if err != nil {
		return nil, err
	}
	return g.serve(cfg, b, func() (net.Listener, error) {
		return listen(b, g.cfg.KeepAlive, cfg.SocketMode)
	})
}

// serve is Listen with a socket that opener opens.
func (g *Gate) serve(
	cfg ListenerConfig, b Bind, opener func() (net.Listener, error),
) (net.Addr, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, ErrClosed
	}
	if g.findLocked(cfg.Name) != nil {
		return nil, fmt.Errorf("%w: %s", ErrExists, cfg.Name)
	}
	sock, err := opener()
	if err != nil {
		return nil, err
	}
	ln := &listener{g: g, name: cfg.Name, bind: b, sock: sock}
	ln.offer(cfg)
	ln.ctx, ln.cancel = context.WithCancel(context.Background())
	ln.stop, ln.done = make(chan struct{}), make(chan struct{})
	for _, r := range []*rare{&ln.trouble, &ln.full, &ln.failed, &ln.mute, &ln.deaf} {
		r.every = 10 * time.Second
	}
	g.listeners = append(g.listeners, ln)
	go ln.accept()
	return sock.Addr(), nil
}

func (g *Gate) findLocked(name string) *listener {
	for _, ln := range g.listeners {
		if ln.name == name {
			return ln
		}
	}
	return nil
}

// Update changes what an open listener offers. The bind must be the one it has, or the one it was
// opened by. Connections that are there go on by the terms they came by, but for the rates: those
// hold for them as soon as they send something.
func (g *Gate) Update(cfg ListenerConfig) error {
	b, err := cfg.ready()
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	ln := g.findLocked(cfg.Name)
	if ln == nil {
		return fmt.Errorf("%w: %s", ErrUnknown, cfg.Name)
	}
	open := ln.bind
	open.Address = ln.sock.Addr().String()
	if b != ln.bind && b != open {
		return fmt.Errorf("gate: update %s: it listens on %s://%s; remove it and add it anew",
			cfg.Name, ln.bind.Scheme, ln.bind.Address)
	}
	if mode := ln.terms.Load().cfg.SocketMode; cfg.SocketMode != mode {
		return fmt.Errorf("gate: update %s: its socket mode stays; remove it and add it anew",
			cfg.Name)
	}
	ln.offer(cfg)
	return nil
}

// offer sets the terms for those who come and the rates for all.
func (ln *listener) offer(cfg ListenerConfig) {
	cfg.Tally.offer()
	old := ln.terms.Swap(&terms{ln, cfg})
	ln.rates.Store(cfg.Limits.measures())
	if old != nil {
		old.cfg.Tally.withdraw()
	}
}

// Unlisten closes a listener and waits until it brings no more connections: those whose handshake
// is not over are closed. Those it brought go on.
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
		if ln.name == name {
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
		vs = append(vs, ListenerView{
			Name: ln.name, Bind: ln.terms.Load().cfg.Bind,
			Address:     ln.bind.Scheme + "://" + ln.sock.Addr().String(),
			Connections: ln.connections.Load(), Accepted: ln.accepted.Load(),
			Refused: ln.refused.Load(), Handshakes: ln.lobby.size(),
			HandshakesFailed: ln.unsecured.Load(),
			Paused:           ln.paused.Load(), PausedTotal: ln.pausedTotal.Load(),
		})
	}
	return vs
}

func (ln *listener) close() {
	ln.once.Do(func() {
		close(ln.stop)
		_ = ln.sock.Close() // its connections are sockets of their own
		<-ln.done
		ln.terms.Load().cfg.Tally.withdraw()
	})
}

// hold answers the terms of a connection that comes now, and counts it. Terms that Update has
// replaced meanwhile may be gone for good.
func (ln *listener) hold() *terms {
	for {
		if t := ln.terms.Load(); t.cfg.Tally.hold() {
			ln.connections.Add(1)
			ln.g.count.connections.Add(1)
			return t
		}
	}
}

// countPaused counts a connection that is not read any more, or is again.
func (ln *listener) countPaused(n int64) {
	ln.paused.Add(n)
	ln.g.count.paused.Add(n)
	if n > 0 {
		ln.pausedTotal.Add(1)
		ln.g.count.pausedTotal.Add(1)
	}
}

// release counts one connection less.
func (t *terms) release() {
	t.listener.release()
	t.cfg.Tally.drop()
}

// release is what terms.release counts for the listener.
func (ln *listener) release() {
	ln.connections.Add(-1)
	if ln.g.count.connections.Add(-1) == 0 {
		select {
		case ln.g.empty <- struct{}{}:
		default:
		}
	}
}
