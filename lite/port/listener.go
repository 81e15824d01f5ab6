package port

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hpmq/hpmq/lite/broker"
)

// ListenerConfig is one listener.
type ListenerConfig struct {
	// Bind is tcp://host:port or unix:///path.
	Bind   string
	Limits Limits
	// Broker is the listener as the kernel sees it. Its name names the listener.
	Broker *broker.Listener
}

// ListenerView is what an operator sees of a listener.
type ListenerView struct {
	Name        string
	Address     string // as it was opened, in the form of a bind
	Connections int64
	Refused     uint64
}

// Backoff of accept when the system gives nothing: no descriptors, no memory. What waits stays in
// the backlog.
const (
	backoffMin = 5 * time.Millisecond
	backoffMax = time.Second
)

// complainEvery is how often a listener may write about its troubles.
const complainEvery = 10 * time.Second

// listener accepts for one bind, in a goroutine of its own. Its connections outlive it.
type listener struct {
	port *Port
	cfg  ListenerConfig
	sock net.Listener
	once sync.Once
	stop chan struct{} // closed by close: ends a backoff
	done chan struct{} // closed when no connection will follow

	connections atomic.Int64
	refused     atomic.Uint64
	complained  time.Time // of the accepting goroutine
}

// Listen opens a listener and answers the address it got, in the form of a bind.
func (p *Port) Listen(cfg ListenerConfig) (string, error) {
	if err := errors.Join(cfg.Limits.Validate(), cfg.Broker.Limits.Validate()); err != nil {
		return "", err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return "", ErrClosed
	}
	for _, ln := range p.listeners {
		if ln.cfg.Broker.Name == cfg.Broker.Name {
			return "", fmt.Errorf("%w: %s", ErrExists, cfg.Broker.Name)
		}
	}
	sock, err := listen(cfg.Bind, p.cfg.KeepAlive)
	if err != nil {
		return "", err
	}
	ln := &listener{
		port: p, cfg: cfg, sock: sock, stop: make(chan struct{}), done: make(chan struct{}),
	}
	p.listeners = append(p.listeners, ln)
	go ln.accept()
	return ln.view().Address, nil
}

// Listeners shows the listeners in the order they were opened.
func (p *Port) Listeners() []ListenerView {
	p.mu.Lock()
	defer p.mu.Unlock()
	views := make([]ListenerView, 0, len(p.listeners))
	for _, ln := range p.listeners {
		views = append(views, ln.view())
	}
	return views
}

func (ln *listener) view() ListenerView {
	a := ln.sock.Addr()
	return ListenerView{
		Name: ln.cfg.Broker.Name, Address: a.Network() + "://" + a.String(),
		Connections: ln.connections.Load(), Refused: ln.refused.Load(),
	}
}

func (ln *listener) close() {
	ln.once.Do(func() {
		close(ln.stop)
		_ = ln.sock.Close()
	})
	<-ln.done
}

func (ln *listener) accept() {
	defer close(ln.done)
	var wait time.Duration
	for {
		sock, err := ln.sock.Accept()
		if err == nil {
			wait = 0
			ln.admit(sock)
			continue
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
		wait = min(max(2*wait, backoffMin), backoffMax)
		if now := time.Now(); now.Sub(ln.complained) > complainEvery {
			ln.complained = now
			ln.port.log.Warn("port: accept", "listener", ln.cfg.Broker.Name, "reason", err)
		}
		select {
		case <-ln.stop:
			return
		case <-time.After(wait):
		}
	}
}

// admit starts the reader of a new connection, unless there are too many.
func (ln *listener) admit(sock net.Conn) {
	if ln.connections.Load() >= int64(ln.cfg.Limits.ConnectionsMax) {
		ln.refused.Add(1)
		_ = sock.Close()
		return
	}
	p := ln.port
	c := &Conn{port: p, ln: ln, sock: sock, turn: make(chan struct{}, 1)}
	ln.connections.Add(1)
	p.live.Add(1)
	p.mu.Lock()
	p.conns[c] = struct{}{}
	p.mu.Unlock()
	go c.read()
}

// release forgets a connection whose socket is closed.
func (ln *listener) release(c *Conn) {
	ln.connections.Add(-1)
	p := ln.port
	p.mu.Lock()
	delete(p.conns, c)
	p.mu.Unlock()
	p.live.Done()
}
