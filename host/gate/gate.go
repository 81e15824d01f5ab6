// Package gate knows sockets: it opens listeners, owns the event loops, cuts the bytes that
// arrive into whole MQTT packets, and writes what it is given, each touched connection once per
// turn of its loop. It is the only package that imports gnet.
//
// It does not know what a packet means, who a client is, or what a loop is used for. Of MQTT it
// knows where a packet ends.
//
// A Handler is called on one loop, by one goroutine, and must not block. Everything it is handed
// is borrowed until return.
package gate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

var (
	// ErrClosed answers calls on a gate that was closed.
	ErrClosed = errors.New("gate: closed")
	// ErrExists refuses a listener whose name is taken.
	ErrExists = errors.New("gate: listener exists")
	// ErrUnknown answers for a listener that is not there.
	ErrUnknown = errors.New("gate: no such listener")
	// errPanic is why a connection was cut at which a handler panicked.
	errPanic = errors.New("gate: the handler panicked")
)

// Handler is told what happens on the connections of one loop. now is a reading of Config.Now,
// one per turn. A panic of a handler is logged with its stack and cuts the connection it was
// called for.
type Handler interface {
	Ticker
	// Open brings a new connection. It may write to it and close it.
	Open(now int64, c *Conn)
	// Packet brings one whole control packet, borrowed until return.
	Packet(now int64, c *Conn, frame []byte)
	// Malformed says that what arrived is no packet, or a larger one than allowed. The gate reads
	// no more and closes c after what the handler writes.
	Malformed(now int64, c *Conn, err *mqtt.Error)
	// Writable says that c, whose Room was 0 or less, has room again.
	Writable(now int64, c *Conn)
	// Closed says that the peer or an error ended c. It does not follow Conn.Close.
	Closed(now int64, c *Conn, err error)
}

// Ticker is called every Config.Tick on its loop. A busy loop skips ticks, it does not pile them
// up.
type Ticker interface {
	Tick(now int64)
}

// Config is what a gate is told once.
type Config struct {
	// Loops is how many event loops run, 0 for one per processor Go may use.
	Loops int
	// Tick is the time between two calls of Ticker.Tick.
	Tick time.Duration
	// SlowCheck is how soon a connection without room is looked at again.
	SlowCheck time.Duration
	// CloseTimeout is how long Conn.Close waits for a peer to take what is queued for it.
	CloseTimeout time.Duration
	// LingerTimeout is how long a closed connection waits for the peer's end, so that what was sent
	// last is not lost to a reset.
	LingerTimeout time.Duration
	// KeepAlive is the idle time after which TCP asks whether the peer is still there.
	KeepAlive time.Duration
	// SpareBytesMax bounds the free buffers that each loop keeps for reuse.
	SpareBytesMax int
	// InputBytesMax bounds what all connections together hold of packets that have not ended, in
	// equal shares of the loops. Above it those that hold most are ended; one packet alone may take
	// more than a share.
	InputBytesMax int
	// Now answers milliseconds that never go back. nil is a clock that starts at the wall time.
	Now func() int64
	// OnWrite is called inside each Conn.Write of a build with -tags invariants, for a test that
	// looks at the way a packet came. Other builds never call it.
	OnWrite func()
	// Log gets what nobody is told otherwise; nil is slog.Default().
	Log *slog.Logger
}

// Default suits an edge broker.
func Default() Config {
	return Config{
		Tick:          100 * time.Millisecond, // MQTT counts in seconds
		SlowCheck:     5 * time.Millisecond,   // OutBytesMax of 1 MiB: 200 MB/s to a slow reader
		CloseTimeout:  5 * time.Second,        // more than a few lost segments on a mobile network
		LingerTimeout: time.Second,
		KeepAlive:     60 * time.Second, // finds dead peers whose MQTT keep alive is off
		SpareBytesMax: 4 << 20,
		InputBytesMax: 256 << 20, // 256 of the largest packets, 65,536 small ones
	}
}

// Validate says what is wrong with c.
func (c *Config) Validate() error {
	switch {
	case c.Loops < 0:
		return errors.New("gate: loops: not below 0")
	case c.Tick <= 0 || c.SlowCheck <= 0 || c.CloseTimeout <= 0 || c.LingerTimeout <= 0:
		return errors.New("gate: tick, slow check, close and linger timeout: above 0")
	case c.InputBytesMax < 1:
		return errors.New("gate: input bytes: at least 1")
	case c.KeepAlive < 0 || c.SpareBytesMax < 0:
		return errors.New("gate: keep alive, spare bytes: not below 0")
	}
	return nil
}

// Gate is the event loops and the listeners that feed them. Its methods are safe for concurrent
// use.
type Gate struct {
	cfg   Config
	log   *slog.Logger
	loops []*loop
	count counters
	// empty has a value when the last connection went; see Drain.
	empty chan struct{}
	stop  chan struct{} // closed by Close: ends the ticker
	ended sync.WaitGroup

	mu        sync.Mutex
	listeners []*listener // in the order they were opened
	closed    bool
}

// Open starts the loops. handler is called once for each, before Open returns; it may use g when
// it is called itself.
func Open(cfg Config, handler func(g *Gate, loop int) Handler) (*Gate, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Loops == 0 {
		cfg.Loops = runtime.GOMAXPROCS(0)
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = Clock()
	}
	g := &Gate{cfg: cfg, log: cfg.Log, empty: make(chan struct{}, 1), stop: make(chan struct{})}
	for i := range cfg.Loops {
		l, err := openLoop(g, i, handler(g, i))
		if err != nil {
			g.stopLoops()
			return nil, fmt.Errorf("gate: open loop %d: %w", i, err)
		}
		g.loops = append(g.loops, l)
	}
	g.ended.Add(1)
	go g.tick()
	return g, nil
}

// Clock answers a clock that starts at the wall time and then only goes forward, whatever happens
// to the wall time. In milliseconds since the Unix epoch.
func Clock() func() int64 {
	start := time.Now()
	wall := start.UnixMilli()
	return func() int64 { return wall + int64(time.Since(start)/time.Millisecond) }
}

// Loops is how many loops there are.
func (g *Gate) Loops() int { return len(g.loops) }

// Do runs f on a loop soon. What one goroutine brings to one loop runs in that order. It never
// blocks; false means that the gate is closed and f will not run. A panic of f is logged and
// counted.
func (g *Gate) Do(loop int, f func(now int64)) bool { return g.loops[loop].do(f) }

// DoFirst is Do for what does not wait until all connections that sent something had their turn: it
// comes after the turn that is under way, and before what Do brought.
func (g *Gate) DoFirst(loop int, f func(now int64)) bool { return g.loops[loop].doFirst(f) }

// DoAfter is Do for the goroutine of the loop from: f goes on its way when the turn of from ends,
// so that a turn that has much for another loop wakes it once.
func (g *Gate) DoAfter(from, to int, f func(now int64)) {
	l := g.loops[from]
	l.after = append(l.after, errand{to, f})
}

// CloseListeners stops to accept on all listeners and waits until none is about to bring a
// connection.
func (g *Gate) CloseListeners() {
	g.mu.Lock()
	ls := g.listeners
	g.listeners = nil
	g.mu.Unlock()
	for _, ln := range ls {
		ln.close()
	}
}

// Drain waits until there is no connection, or ctx ends; then it answers how many are left.
func (g *Gate) Drain(ctx context.Context) int {
	for {
		n := int(g.count.connections.Load())
		if n == 0 {
			return 0
		}
		select {
		case <-g.empty:
		case <-ctx.Done():
			return n
		}
	}
}

// Close stops listeners and loops and closes all connections, without waiting for output: see
// Drain. It must not be called from a loop.
func (g *Gate) Close() error {
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		return ErrClosed
	}
	g.closed = true
	g.mu.Unlock()
	g.CloseListeners()
	close(g.stop)
	g.ended.Wait()
	return g.stopLoops()
}

func (g *Gate) stopLoops() error {
	var errs []error
	for _, l := range g.loops {
		if err := l.close(); err != nil {
			errs = append(errs, fmt.Errorf("gate: close loop %d: %w", l.index, err))
		}
	}
	return errors.Join(errs...)
}

func (g *Gate) tick() {
	defer g.ended.Done()
	t := time.NewTicker(g.cfg.Tick)
	defer t.Stop()
	for {
		select {
		case <-g.stop:
			return
		case <-t.C:
		}
		for _, l := range g.loops {
			l.tickSoon()
		}
	}
}

// counters are written by many and read by Stats.
type counters struct {
	connections  atomic.Int64
	accepted     atomic.Uint64
	refused      atomic.Uint64
	acceptErrors atomic.Uint64
	panics       atomic.Uint64
	cut          atomic.Uint64
	unfinished   atomic.Uint64

	handshakesFailed atomic.Uint64
	paused           atomic.Int64
	pausedTotal      atomic.Uint64
}

// Stats counts what the gate did since it was opened; Connections is of now.
type Stats struct {
	Connections int64
	Accepted    uint64
	// Refused counts connections above a listener's limit, AcceptErrors what the system did not
	// give.
	Refused      uint64
	AcceptErrors uint64
	// HandshakesFailed counts connections that ended at the PROXY header, at TLS or at the request
	// for WebSocket.
	HandshakesFailed uint64
	// Paused is how many connections are not read now, for a rate; PausedTotal counts how often
	// that began.
	Paused      int64
	PausedTotal uint64
	// Panics counts panics of handlers, Cut the connections whose peers did not read, Unfinished
	// those that were ended for a packet that took too long or too much.
	Panics     uint64
	Cut        uint64
	Unfinished uint64
	PacketsIn  uint64
	BytesIn    uint64
	BytesOut   uint64
	LoopsStats []LoopStats
}

// LoopStats is what one loop did.
type LoopStats struct {
	Connections int64
	PacketsIn   uint64
	BytesIn     uint64
	BytesOut    uint64
}

// Stats answers the counts of now.
func (g *Gate) Stats() Stats {
	s := Stats{
		Connections:  g.count.connections.Load(),
		Accepted:     g.count.accepted.Load(),
		Refused:      g.count.refused.Load(),
		AcceptErrors: g.count.acceptErrors.Load(),
		Panics:       g.count.panics.Load(),
		Cut:          g.count.cut.Load(),
		Unfinished:   g.count.unfinished.Load(),

		HandshakesFailed: g.count.handshakesFailed.Load(),
		Paused:           g.count.paused.Load(),
		PausedTotal:      g.count.pausedTotal.Load(),
	}
	for _, l := range g.loops {
		ls := LoopStats{
			Connections: l.conns.Load(),
			PacketsIn:   l.packetsIn.Load(),
			BytesIn:     l.bytesIn.Load(),
			BytesOut:    l.bytesOut.Load(),
		}
		s.PacketsIn += ls.PacketsIn
		s.BytesIn += ls.BytesIn
		s.BytesOut += ls.BytesOut
		s.LoopsStats = append(s.LoopsStats, ls)
	}
	return s
}
