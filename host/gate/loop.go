package gate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/panjf2000/gnet/v2"
)

// loop is one event loop: one gnet engine with one goroutine. gnet wakes it in three ways: bytes
// arrived (OnTraffic), a connection came or went (OnOpen, OnClose), somebody has work for it
// (turn). Each of them is a turn: the clock is read once, the handler is called, then settle
// writes once to each connection that was touched. Handler calls never nest: what happens to a
// connection while the handler runs waits in ended until settle.
type loop struct {
	gnet.BuiltinEventEngine
	g       *Gate
	index   int
	handler Handler
	client  *gnet.Client
	events  gnet.EventLoop
	run     gnet.Runnable // turn, made once
	slow    *time.Timer   // wakes the loop for the connections in watch
	alarm   *time.Timer   // wakes the loop for the first of naps
	pilot   sync.WaitGroup

	// urgent is true while something is in first: it is looked at in every turn.
	urgent atomic.Bool

	mu      sync.Mutex // guards the next nine
	first   []func(now int64)
	tasks   []func(now int64)
	spare   []func(now int64)
	pending bool // gnet was asked for a turn that has not begun
	tickDue bool
	slowDue bool
	stopped bool
	homing  []homing
	piloted bool // bringHome runs

	// From here on: the goroutine of the loop only.
	now      int64
	busy     bool // between begin and end
	watching bool // slow is set
	bufs     buffers
	clear    []byte   // see plain
	after    []errand // for other loops, see Gate.DoAfter
	dirty    []*Conn  // touched in this turn
	ended    []ending // gone in this turn, the handler does not know yet
	why      error    // of the end that is under way
	watch    []*Conn  // without room, or closing
	unwatch  []*Conn  // the other buffer of watch
	naps     naps     // waiting for tokens
	turns    uint64
	ringing  int64 // when alarm is set to ring, 0 for never

	unfinished unfinished

	conns     atomic.Int64
	packetsIn atomic.Uint64
	bytesIn   atomic.Uint64
	bytesOut  atomic.Uint64
}

// errand is what one loop has for another.
type errand struct {
	to int
	f  func(now int64)
}

// ending is a connection that is gone, and why.
type ending struct {
	conn *Conn
	err  error
}

// probe is the context of the connection that asks a new gnet engine for its event loop.
type probe chan gnet.EventLoop

func openLoop(g *Gate, index int, h Handler) (*loop, error) {
	l := &loop{g: g, index: index, handler: h, now: g.cfg.Now()}
	l.bufs.keep = g.cfg.SpareBytesMax
	l.unfinished.max = (g.cfg.InputBytesMax + g.cfg.Loops - 1) / g.cfg.Loops
	l.unfinished.full.every = 10 * time.Second
	l.run = gnet.RunnableFunc(l.turn)
	l.slow = time.AfterFunc(time.Hour, l.slowSoon)
	l.slow.Stop()
	l.alarm = time.AfterFunc(time.Hour, l.wake)
	l.alarm.Stop()
	client, err := gnet.NewClient(l,
		gnet.WithNumEventLoop(1),
		gnet.WithTCPNoDelay(gnet.TCPDelay), // net.Listener set TCP_NODELAY already: one call less
		gnet.WithLogger(gnetLog{g.log}))
	if err != nil {
		return nil, err
	}
	if err := client.Start(); err != nil {
		return nil, err
	}
	l.client = client
	if err := l.findEvents(); err != nil {
		return nil, errors.Join(err, client.Stop())
	}
	return l, nil
}

// findEvents fetches the handle by which others wake the loop. gnet gives it to connections only,
// so one is made: a datagram socket that sends nothing.
func (l *loop) findEvents() error {
	c, err := net.Dial("udp", "127.0.0.1:9")
	if err != nil {
		return err
	}
	p := make(probe, 1)
	if _, err := l.client.EnrollContext(c, p); err != nil {
		return err
	}
	select {
	case l.events = <-p:
		return nil
	default:
		return errors.New("gnet did not open a connection")
	}
}

// close ends the loop's goroutine. After stopped no one wakes it: gnet would write to a closed
// descriptor, whose number may be another file's by then.
func (l *loop) close() error {
	l.mu.Lock()
	l.stopped = true
	l.mu.Unlock()
	l.slow.Stop()
	l.alarm.Stop()
	l.pilot.Wait() // it needs the loop to end
	err := l.client.Stop()
	l.closeParked()
	return err
}

// closeParked closes the connections that gnet does not know when the loop has ended.
func (l *loop) closeParked() {
	l.begin()
	for _, c := range slices.Clone(l.naps) {
		if c.gc == nil {
			c.end(nil)
		}
	}
	l.end()
}

// wake asks for a turn.
func (l *loop) wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wakeLocked()
}

func (l *loop) do(f func(now int64)) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped {
		return false
	}
	l.tasks = append(l.tasks, f)
	l.wakeLocked()
	return true
}

func (l *loop) doFirst(f func(now int64)) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped {
		return false
	}
	l.first = append(l.first, f)
	l.urgent.Store(true)
	l.wakeLocked()
	return true
}

func (l *loop) tickSoon() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tickDue = true
	l.wakeLocked()
}

func (l *loop) slowSoon() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.slowDue = true
	l.wakeLocked()
}

// wakeLocked asks gnet for a turn unless one is on its way: gnet does not keep the order of what it
// is asked, and one Execute a turn is cheap.
func (l *loop) wakeLocked() {
	if l.pending || l.stopped {
		return
	}
	if err := l.events.Execute(context.Background(), l.run); err != nil {
		l.g.log.Error("gate: wake a loop", "loop", l.index, "err", err)
		return
	}
	l.pending = true
}

// turnFirst is the turn of what comes first, if there is such a thing.
func (l *loop) turnFirst() {
	if !l.urgent.Load() {
		return
	}
	l.mu.Lock()
	list := l.first
	l.first = nil
	l.urgent.Store(false)
	l.mu.Unlock()
	l.begin()
	for _, f := range list {
		l.task(f)
	}
	l.end()
}

// turn does what others brought.
func (l *loop) turn(context.Context) error {
	l.turnFirst()
	l.mu.Lock()
	tasks, tick, slow := l.tasks, l.tickDue, l.slowDue
	l.tasks, l.spare = l.spare[:0], nil
	l.pending, l.tickDue, l.slowDue = false, false, false
	if len(l.first) > 0 { // it came since turnFirst, when this turn was pending yet
		l.wakeLocked()
	}
	l.mu.Unlock()

	l.begin()
	for i, f := range tasks {
		tasks[i] = nil
		l.task(f)
	}
	if tick {
		l.task(l.handler.Tick)
		l.sweep()
	}
	l.mu.Lock()
	l.spare = tasks[:0]
	l.mu.Unlock()
	if slow {
		l.check()
	}
	l.wakeDue()
	l.end()
	return nil
}

// begin and end stand around every turn.
func (l *loop) begin() {
	l.busy = true
	l.now = l.g.cfg.Now()
}

func (l *loop) end() {
	defer func() { l.busy = false }()
	defer l.rescue(nil)
	l.settle()
}

// settle writes what the turn left: once to each connection it touched. A write can find a
// connection dead; the handler then hears of it here, and may touch others.
func (l *loop) settle() {
	for len(l.dirty) > 0 || len(l.ended) > 0 {
		for i := 0; i < len(l.dirty); i++ {
			c := l.dirty[i]
			l.dirty[i] = nil
			c.settle()
		}
		l.dirty = l.dirty[:0]
		for i := 0; i < len(l.ended); i++ {
			e := l.ended[i]
			l.ended[i] = ending{}
			l.closed(e)
		}
		l.ended = l.ended[:0]
	}
	for i, e := range l.after {
		l.after[i] = errand{}
		l.g.loops[e.to].do(e.f)
	}
	l.after = l.after[:0]
	if len(l.watch) > 0 && !l.watching {
		l.watching = true
		l.slow.Reset(l.g.cfg.SlowCheck)
	}
	l.setAlarm()
}

// setAlarm sees to it that the loop wakes when the first of naps is due.
func (l *loop) setAlarm() {
	if len(l.naps) == 0 || l.ringing != 0 && l.ringing <= l.naps[0].meter.due {
		return
	}
	l.ringing = l.naps[0].meter.due
	l.alarm.Reset(time.Duration(max(l.ringing-l.now, 1)) * time.Millisecond)
}

func (l *loop) closed(e ending) {
	defer l.rescue(nil)
	l.handler.Closed(l.now, e.conn, e.err)
}

// check looks at the connections in watch. Those that still wait are put back; so may be those
// whose handler is told that there is room.
func (l *loop) check() {
	l.watching = false
	watch := l.watch
	l.watch, l.unwatch = l.unwatch[:0], nil
	for _, c := range watch {
		c.watched = false
		c.flushSlowly()
		if c.waits() {
			c.watchMe()
		}
		if c.slow && c.state == open && c.relieved() {
			c.slow = false
			l.writable(c)
		}
	}
	clear(watch)
	l.unwatch = watch[:0]
}

func (l *loop) writable(c *Conn) {
	defer l.rescue(c)
	l.handler.Writable(l.now, c)
}

func (l *loop) task(f func(now int64)) {
	defer l.rescue(nil)
	f(l.now)
}

// rescue is deferred around every call of a handler: a panic costs its connection and a log line,
// not the process.
func (l *loop) rescue(c *Conn) {
	v := recover()
	if v == nil {
		return
	}
	l.g.count.panics.Add(1)
	l.g.log.Error("gate: a handler panicked", "loop", l.index, "panic", fmt.Sprint(v),
		"stack", string(debug.Stack()))
	if c != nil {
		c.cut(errPanic)
	}
}

// OnOpen is gnet's: a connection was enrolled.
func (l *loop) OnOpen(gc gnet.Conn) ([]byte, gnet.Action) {
	switch v := gc.Context().(type) {
	case probe:
		v <- gc.EventLoop()
		return nil, gnet.Close
	case *Conn:
		if v.entered {
			return nil, l.home(v, gc)
		}
		l.begin()
		v.gc, v.entered = gc, true
		v.measure()
		l.open(v)
		v.dropAddresses()
		v.opened()
		l.end()
		return nil, v.park()
	}
	return nil, gnet.Close
}

func (l *loop) open(c *Conn) {
	defer l.rescue(c)
	l.handler.Open(l.now, c)
}

// OnTraffic is gnet's: bytes arrived. They are in a buffer that all connections of the loop
// share, so all of them are taken out now.
func (l *loop) OnTraffic(gc gnet.Conn) gnet.Action {
	c, ok := gc.Context().(*Conn)
	if !ok {
		return gnet.Close
	}
	raw, err := gc.Next(-1)
	if err != nil || len(raw) == 0 {
		return gnet.None
	}
	l.bytesIn.Add(uint64(len(raw)))
	l.begin()
	c.measure()
	if c.staged() {
		c.climb(raw)
	} else {
		c.receive(raw)
	}
	l.end()
	l.turnFirst() // gnet asks all connections that sent something before it comes to turn
	return c.park()
}

// OnClose is gnet's: the peer, an error or end closed the connection. It may come from inside a
// write, so the handler hears of it in settle.
func (l *loop) OnClose(gc gnet.Conn, err error) gnet.Action {
	c, ok := gc.Context().(*Conn)
	if !ok || c.state == gone {
		return gnet.None
	}
	if l.busy {
		c.left(err)
		return gnet.None
	}
	l.begin()
	c.left(err)
	l.end()
	return gnet.None
}
