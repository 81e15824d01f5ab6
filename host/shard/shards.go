// Package shard knows which loop owns what: it runs one kernel on each event loop, gives it the
// connections of that loop, carries frames between the kernels, and brings answers from other
// goroutines to the kernel that waits for them.
//
// It does not know what a frame says, what a packet means, or what a kernel does with either. A
// kernel is called by the goroutine of its loop and no other.
package shard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"sync"

	"github.com/hpmq/hpmq/host/gate"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// ErrClosed answers calls on shards that were closed.
var ErrClosed = errors.New("shard: closed")

// Config is what the shards are told once.
type Config struct {
	// Gate is the loops and how they treat connections. Gate.Loops 0 is one per processor, at most
	// broker.PeersMax.
	Gate gate.Config
	// MailboxBytesMax is how much may wait for one kernel from the others before Full is true and
	// Stats.MailboxesOver grows. It is not a wall: what is in the mailbox has been acknowledged.
	MailboxBytesMax int
}

// Default suits an edge broker.
func Default() Config {
	return Config{
		Gate:            gate.Default(),
		MailboxBytesMax: 16 << 20, // what a kernel works off in some tens of milliseconds
	}
}

// Validate says what is wrong with c.
func (c *Config) Validate() error {
	if err := c.Gate.Validate(); err != nil {
		return err
	}
	if c.Gate.Loops > broker.PeersMax {
		return fmt.Errorf("shard: loops: at most %d", broker.PeersMax)
	}
	if c.MailboxBytesMax < 1 {
		return errors.New("shard: mailbox bytes: at least 1")
	}
	return nil
}

// Shards is the kernels of a process and the door to them. Its methods are safe for concurrent use.
type Shards struct {
	cfg    Config
	log    *slog.Logger
	gate   *gate.Gate
	shards []*shard
	done   chan struct{} // closed when no loop runs any more
	once   sync.Once
	// halting is held by a Halt: two at once would wait for each other.
	halting sync.Mutex

	mu        sync.Mutex
	listeners map[string]*entry
}

// entry is a listener as each kernel knows it, by loop. It is the Data of the gate's listener.
type entry struct{ kernel []*broker.Listener }

// Loops is how many loops cfg makes: what a kernel's Config.Peers must be.
func (c *Config) Loops() int {
	if c.Gate.Loops > 0 {
		return c.Gate.Loops
	}
	return min(runtime.GOMAXPROCS(0), broker.PeersMax)
}

// Open starts the loops. newKernel is called once for each of them, before Open returns; the
// kernel it makes must be number loop of Config.Loops, and belongs to the loop from then on.
func Open(
	cfg Config, newKernel func(loop int, peers broker.Peers) *broker.Kernel,
) (*Shards, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg.Gate.Loops = cfg.Loops()
	if cfg.Gate.Log == nil {
		cfg.Gate.Log = slog.Default()
	}
	s := &Shards{
		cfg: cfg, log: cfg.Gate.Log, listeners: make(map[string]*entry), done: make(chan struct{}),
	}
	for i := range cfg.Gate.Loops {
		s.shards = append(s.shards, newShard(s, i))
	}
	for i, sh := range s.shards {
		sh.kernel = newKernel(i, &port{s, broker.PeerID(i)})
		sh.kernel.OnEnd(sh.ended)
	}
	g, err := gate.Open(cfg.Gate, func(g *gate.Gate, loop int) gate.Handler {
		s.shards[loop].gate = g
		return s.shards[loop]
	})
	if err != nil {
		return nil, fmt.Errorf("shard: open: %w", err)
	}
	s.gate = g
	return s, nil
}

// Loops is how many loops run.
func (s *Shards) Loops() int { return len(s.shards) }

// ListenerConfig is one listener, as the gate knows it. Data is the shards' own. Limits are the
// sockets'. The kernel's are in the broker.Listener; of both, the lower packet size holds.
type ListenerConfig = gate.ListenerConfig

// View is what an operator sees of a listener.
type View = gate.ListenerView

// AddListener opens a listener and answers the address it got. listener is called once for each
// loop, before AddListener returns; what it makes is that loop's kernel's.
func (s *Shards) AddListener(cfg ListenerConfig,
	listener func(loop int) *broker.Listener) (net.Addr, error) {
	e := s.entry(listener)
	e.enter(&cfg)
	s.mu.Lock()
	defer s.mu.Unlock()
	addr, err := s.gate.Listen(cfg)
	if err != nil {
		return nil, fmt.Errorf("shard: add listener: %w", err)
	}
	s.listeners[cfg.Name] = e
	return addr, nil
}

// UpdateListener changes what an open listener offers to those who come from now on. listener
// makes the kernels' side anew, as for AddListener; nil keeps it. Connections that are there go on
// by what they came by, but for the rates.
func (s *Shards) UpdateListener(
	cfg ListenerConfig, listener func(loop int) *broker.Listener,
) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.listeners[cfg.Name]
	if e == nil {
		return fmt.Errorf("shard: update listener: %w: %s", gate.ErrUnknown, cfg.Name)
	}
	if listener != nil {
		e = s.entry(listener)
	}
	e.enter(&cfg)
	if err := s.gate.Update(cfg); err != nil {
		return fmt.Errorf("shard: update listener: %w", err)
	}
	s.listeners[cfg.Name] = e
	return nil
}

func (s *Shards) entry(listener func(loop int) *broker.Listener) *entry {
	e := &entry{}
	for i := range s.shards {
		e.kernel = append(e.kernel, listener(i))
	}
	return e
}

// enter makes cfg that of e.
func (e *entry) enter(cfg *ListenerConfig) {
	l := &cfg.Limits
	l.PacketBytesMax = min(l.PacketBytesMax, e.kernel[0].Limits.PacketBytesMax)
	l.FirstPacketBytesMax = min(l.FirstPacketBytesMax, l.PacketBytesMax)
	cfg.Data = e
}

// RemoveListener closes a listener. Its connections are told so and closed if drop, and go on
// otherwise.
func (s *Shards) RemoveListener(name string, drop bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.gate.Unlisten(name); err != nil {
		return fmt.Errorf("shard: remove listener: %w", err)
	}
	e := s.listeners[name]
	delete(s.listeners, name)
	if !drop {
		return nil
	}
	for i, l := range e.kernel {
		s.Post(i, func(k *broker.Kernel, now broker.Time) {
			k.CloseListener(now, l, mqtt.AdministrativeAction)
		})
	}
	return nil
}

// Listeners shows the listeners in the order they were added.
func (s *Shards) Listeners() []View { return s.gate.Listeners() }

// Post runs f on a loop soon, with its kernel. What one goroutine posts to one loop runs in that
// order. It never blocks; false means that the shards are closed and f will not run.
func (s *Shards) Post(loop int, f func(k *broker.Kernel, now broker.Time)) bool {
	sh := s.shards[loop]
	return sh.gate.Do(loop, func(now int64) { f(sh.kernel, broker.Time(now)) })
}

// Each runs f on every loop, on all at once, and waits for the last. It must not be called from a
// loop.
func (s *Shards) Each(ctx context.Context,
	f func(loop int, k *broker.Kernel, now broker.Time)) error {
	ran := make(chan struct{}, len(s.shards))
	for i := range s.shards {
		ok := s.Post(i, func(k *broker.Kernel, now broker.Time) {
			defer func() { ran <- struct{}{} }()
			f(i, k, now)
		})
		if !ok {
			return ErrClosed
		}
	}
	for range s.shards {
		select {
		case <-ran:
		case <-s.done:
			return ErrClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Settle waits until what the kernels had sent each other when it was called has arrived. It must
// not be called from a loop.
func (s *Shards) Settle(ctx context.Context) error {
	// The first round ends the turns in which it was sent, the second comes behind it.
	for range 2 {
		err := s.Each(ctx, func(int, *broker.Kernel, broker.Time) {})
		if err != nil {
			return err
		}
	}
	return nil
}

// Quiesce calls f when every loop has ended the turn it is in now: nothing that was in use when
// Quiesce was called, and is reachable no more, is in use then. f runs on a loop and must not
// block. Of closed shards it is called at once.
func (s *Shards) Quiesce(f func()) {
	var mu sync.Mutex
	left := len(s.shards)
	passed := func() {
		mu.Lock()
		left--
		last := left == 0
		mu.Unlock()
		if last {
			f()
		}
	}
	for i := range s.shards {
		if !s.shards[i].gate.Do(i, func(int64) { passed() }) {
			passed()
		}
	}
}

// Full is true while more than Config.MailboxBytesMax waits for a kernel: who can drop, should.
func (s *Shards) Full(to broker.PeerID) bool {
	return s.shards[to].box.waiting() > s.cfg.MailboxBytesMax
}

// Close tells every connection that the server shuts down, waits until what is queued for them is
// sent and they are gone, or until ctx ends, and stops the loops. It must not be called from a
// loop.
func (s *Shards) Close(ctx context.Context) error {
	err := ErrClosed
	s.once.Do(func() { err = s.close(ctx) })
	return err
}

func (s *Shards) close(ctx context.Context) error {
	s.gate.CloseListeners()
	err := s.Each(ctx, func(_ int, k *broker.Kernel, now broker.Time) {
		k.Shutdown(now, mqtt.ServerShuttingDown)
	})
	if err == nil {
		if left := s.gate.Drain(ctx); left > 0 {
			err = fmt.Errorf("%d connections did not end in time", left)
		}
	}
	err = errors.Join(err, s.gate.Close())
	close(s.done)
	if err != nil {
		return fmt.Errorf("shard: close: %w", err)
	}
	return nil
}
