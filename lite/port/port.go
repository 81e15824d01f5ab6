package port

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// Errors of a Port.
var (
	ErrClosed = errors.New("port: closed")
	ErrExists = errors.New("port: a listener of that name is open")
)

// Work runs on the kernel goroutine. It must not wait for anything.
type Work = func(k *broker.Kernel, now broker.Time)

// Port owns one kernel, its goroutine and its sockets. All methods may be called from any
// goroutine.
type Port struct {
	cfg    Config
	log    *slog.Logger
	kernel *broker.Kernel // of the kernel goroutine
	now    broker.Time    // of this turn
	dirty  []*Conn        // touched in this turn
	down   bool           // every client has been told to go; of the kernel goroutine

	events chan event
	wake   chan struct{} // holds a value while posted is not empty
	quit   chan struct{} // closed: the kernel goroutine ends
	done   chan struct{} // closed: it has ended
	bufs   buffers
	live   sync.WaitGroup
	once   sync.Once
	err    error

	mu        sync.Mutex
	posted    []Work
	stopped   bool // nothing is posted any more
	closed    bool // no listener is opened any more
	listeners []*listener
	conns     map[*Conn]struct{}
}

// kind says what an event tells the kernel.
type kind uint8

const (
	opened kind = iota
	frames
	malformed
	writable
	gone
)

// event is what a connection's goroutines tell the kernel goroutine.
type event struct {
	conn *Conn
	kind kind
	data []byte // whole packets, of the reader, which waits
	err  *mqtt.Error
}

// New makes a port without a kernel: what is posted waits for Start. A bad cfg is a bug of the
// caller and panics: see Config.Validate.
func New(cfg Config) *Port {
	if err := cfg.Validate(); err != nil {
		panic(err)
	}
	if cfg.Now == nil {
		cfg.Now = Clock()
	}
	return &Port{
		cfg: cfg, log: cfg.Log, events: make(chan event, cfg.EventsMax),
		wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{}),
		conns: make(map[*Conn]struct{}),
	}
}

// Start runs k, which belongs to the port from now on. Call it once.
func (p *Port) Start(k *broker.Kernel) {
	p.kernel = k
	go p.run()
}

// Now is the clock of the kernel.
func (p *Port) Now() broker.Time { return p.cfg.Now() }

// run is the kernel goroutine. A turn is what waits, up to a bound; output goes out at its end, so
// that many packets to one peer are one write.
func (p *Port) run() {
	defer close(p.done)
	ticks := p.cfg.Ticks
	if ticks == nil {
		t := time.NewTicker(tickEvery)
		defer t.Stop()
		ticks = t.C
	}
	for {
		select {
		case e := <-p.events:
			p.now = p.cfg.Now()
			p.handle(e)
			p.more()
		case <-p.wake:
			p.now = p.cfg.Now()
			p.runPosted()
		case <-ticks:
			p.now = p.cfg.Now()
			p.guard(nil, func() { p.kernel.Tick(p.now) })
		case <-p.quit:
			p.runPosted()
			p.settle()
			return
		}
		p.settle()
	}
}

// turnMax bounds the events of a turn, so that output and timers wait no longer than that.
const turnMax = 64

// more handles events that are there already.
func (p *Port) more() {
	for range turnMax {
		select {
		case e := <-p.events:
			p.handle(e)
		default:
			return
		}
	}
}

// settle sends what this turn wrote.
func (p *Port) settle() {
	for i, c := range p.dirty {
		c.dirty = false
		c.flush()
		p.dirty[i] = nil
	}
	p.dirty = p.dirty[:0]
}

// handle tells the kernel of one event. The reader goes on when it returns.
func (p *Port) handle(e event) {
	c := e.conn
	p.guard(c, func() { p.tell(e) })
	if e.kind == frames || e.kind == malformed {
		c.turn <- struct{}{}
	}
}

func (p *Port) tell(e event) {
	c, k := e.conn, p.kernel
	if c.over {
		return
	}
	switch e.kind {
	case opened:
		if p.down {
			c.over = true
			c.cut()
			return
		}
		c.side = k.Open(p.now, c.ln.cfg.Broker, c.address(), c)
	case frames:
		p.packets(c, e.data)
	case malformed:
		k.Malformed(p.now, c.side, e.err)
	case writable:
		k.Writable(p.now, c.side)
	case gone:
		c.over = true
		k.Closed(p.now, c.side)
	}
}

// packets hands up what the reader found whole.
func (p *Port) packets(c *Conn, data []byte) {
	for len(data) > 0 && !c.over {
		n, err := mqtt.Frame(data, 0)
		if n == 0 || err != nil {
			panic(fmt.Errorf("port: no whole packet in what was found whole: %w", err))
		}
		p.kernel.Packet(p.now, c.side, data[:n])
		if invariants {
			scribble(data[:n])
		}
		data = data[n:]
	}
}

// guard contains a panic of do: it is logged and ends c, if there is one. The kernel goes on.
func (p *Port) guard(c *Conn, do func()) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		p.log.Error("port: panic", "panic", v, "stack", string(debug.Stack()))
		if c == nil || c.over {
			return
		}
		c.over = true
		c.cut()
		if c.side != nil {
			p.guard(nil, func() { p.kernel.Closed(p.now, c.side) })
		}
	}()
	do()
}

// Post brings f to the kernel goroutine and does not wait, so the kernel goroutine may post too.
// What is posted runs in order. False: the port has stopped, f will not run. What posts must bound
// how much it posts.
func (p *Port) Post(f Work) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return false
	}
	p.posted = append(p.posted, f)
	select {
	case p.wake <- struct{}{}:
	default:
	}
	return true
}

// Do is Post that waits until f has run. It must not be called on the kernel goroutine.
func (p *Port) Do(f Work) bool {
	ran := make(chan struct{})
	ok := p.Post(func(k *broker.Kernel, now broker.Time) {
		defer close(ran)
		f(k, now)
	})
	if ok {
		<-ran
	}
	return ok
}

// Quiesce calls done once the kernel goroutine is between two calls of the kernel. It does not
// wait.
func (p *Port) Quiesce(done func()) {
	if !p.Post(func(*broker.Kernel, broker.Time) { done() }) {
		done()
	}
}

// Halt calls f on the kernel goroutine, between two calls of the kernel, and answers how long f
// took. How long it waits for that does not hold that goroutine up, and is not bounded.
func (p *Port) Halt(_ time.Duration, f func()) (stood time.Duration, err error) {
	ran := p.Do(func(*broker.Kernel, broker.Time) {
		began := time.Now()
		f()
		stood = time.Since(began)
	})
	if !ran {
		return 0, ErrClosed
	}
	return stood, nil
}

// runPosted runs what is posted by now.
func (p *Port) runPosted() {
	p.mu.Lock()
	list := p.posted
	p.posted = nil
	p.mu.Unlock()
	for _, f := range list {
		p.guard(nil, func() { f(p.kernel, p.now) })
	}
}

// Close stops accepting, tells every client 0x8B and lets it take what is queued for it until ctx
// ends, then ends the kernel goroutine. It may be called more than once; Start must have been.
func (p *Port) Close(ctx context.Context) error {
	p.once.Do(func() { p.err = p.close(ctx) })
	return p.err
}

func (p *Port) close(ctx context.Context) error {
	p.mu.Lock()
	p.closed = true
	listeners := p.listeners
	p.listeners = nil
	p.mu.Unlock()
	for _, ln := range listeners {
		ln.close()
	}
	p.Do(func(k *broker.Kernel, now broker.Time) {
		p.down = true
		k.Shutdown(now, mqtt.ServerShuttingDown)
	})
	empty := make(chan struct{})
	go func() { p.live.Wait(); close(empty) }()
	var err error
	select {
	case <-empty:
	case <-ctx.Done():
		err = fmt.Errorf("port: close: connections were cut: %w", ctx.Err())
		p.cutAll()
		<-empty
	}
	p.Do(func(*broker.Kernel, broker.Time) {
		p.mu.Lock()
		p.stopped = true
		p.mu.Unlock()
	})
	close(p.quit)
	<-p.done
	return err
}

func (p *Port) cutAll() {
	p.mu.Lock()
	all := slices.Collect(maps.Keys(p.conns)) // cut takes the lock of c, which comes before ours
	p.mu.Unlock()
	for _, c := range all {
		c.cut()
	}
}
