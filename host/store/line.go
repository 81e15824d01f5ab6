package store

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hpmq/hpmq/lite/broker"
)

// Errors of a write.
var (
	ErrBusy    = errors.New("store: too much waits for the device")
	ErrClosed  = errors.New("store: closed")
	ErrSpace   = errors.New("store: the file system is almost full")
	ErrDamaged = errors.New("store: the store is damaged")
	ErrGroup   = errors.New("store: a part of the write is missing")
)

// request is one question of a kernel on its way.
type request struct {
	view    *DiskView
	token   broker.Token
	batch   broker.Batch // of a write; the request's own
	notes   []Note       // that go with it, whatever becomes of it
	open    []Note       // that are kept with it or taken back, see Fate
	fate    *Fate        // of open, nil without
	saw     []*Fate      // what the judging of it rests on
	judged  bool         // what is refused by a limit is known
	query   broker.Query
	read    bool
	refused error      // before it came to the device
	told    chan error // of who waits for it and is no kernel, else nil; has room for one
	bytes   int64
}

// asOf has the first page of retained messages know those that were staged before it, and no other.
func (r *request) asOf(t *tx) {
	if r.query.AsOf == 0 {
		r.query.AsOf = t.stamp()
	}
}

// line is where the questions of all kernels wait, in the order they were asked. What is taken from
// it is whole: of a group all parts or none.
type line struct {
	mu      sync.Mutex
	more    sync.Cond
	items   []*request
	busy    []*request // what was taken, until done
	owing   bool       // writes that nobody waits for failed, and are tried again
	whole   int        // items that can be taken
	short   int        // fates that something here rests on, and that are not here yet
	bytes   int64
	max     int64
	closed  bool
	poked   bool
	groups  map[uint64]*group
	torn    map[uint64]struct{} // groups that were given up
	timeout time.Duration
}

// group is what is there of batches that are kept together.
type group struct {
	since time.Time
	share uint64 // of what came
	parts []*request
}

// tornMax bounds the memory of groups that were given up.
const tornMax = 1024

func newLine(c *DiskConfig) *line {
	l := &line{
		max: c.PendingBytesMax, timeout: c.GroupTimeout,
		groups: make(map[uint64]*group), torn: make(map[uint64]struct{}),
	}
	l.more.L = &l.mu
	return l
}

// put puts r at the end. False: the store is closed.
func (l *line) put(r *request) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	if r.token != 0 && !r.read && l.bytes > 0 && l.bytes+r.bytes > l.max {
		r.refused = ErrBusy
	}
	l.bytes += r.bytes
	l.items = append(l.items, r)
	if r.batch.Group != 0 {
		l.joinLocked(r)
	}
	for _, f := range r.saw {
		if !f.here {
			f.waits++
			l.short++
		}
	}
	l.arriveLocked(r.fate)
	if l.wholeLocked() {
		l.more.Signal()
	}
	return true
}

// wholeLocked lets all be taken if nothing is missing.
func (l *line) wholeLocked() bool {
	if len(l.groups) > 0 || l.short > 0 {
		return false
	}
	l.whole = len(l.items)
	return true
}

func (l *line) joinLocked(r *request) {
	id := r.batch.Group
	if _, torn := l.torn[id]; torn {
		r.refused = ErrGroup
		return
	}
	g := l.groups[id]
	if g == nil {
		g = &group{since: time.Now()}
		l.groups[id] = g
	}
	g.share += r.batch.Share
	g.parts = append(g.parts, r)
	if g.share == broker.GroupWhole {
		g.agree()
		delete(l.groups, id)
	}
}

// agree makes the refusal of one part that of all.
func (g *group) agree() {
	var err error
	for _, r := range g.parts {
		err = errors.Join(err, r.refused)
	}
	for _, r := range g.parts {
		r.refused = err
	}
}

// giveUpLocked ends the wait for groups that are not whole for too long.
func (l *line) giveUpLocked() {
	for id, g := range l.groups {
		if !l.closed && time.Since(g.since) < l.timeout {
			continue
		}
		for _, r := range g.parts {
			r.refused = fmt.Errorf("%w: only %d came", ErrGroup, len(g.parts))
		}
		if len(l.torn) >= tornMax {
			clear(l.torn)
		}
		l.torn[id] = struct{}{}
		delete(l.groups, id)
	}
	l.wholeLocked()
}

// take waits for something to do and answers what can be done, perhaps nothing. ok is false at the
// end.
func (l *line) take(dst []*request) (items []*request, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.whole == 0 && !l.closed && !l.poked {
		l.more.Wait()
	}
	if l.poked || l.closed {
		l.giveUpLocked()
	}
	l.poked = false
	items = append(dst, l.items[:l.whole]...)
	for _, r := range items {
		l.bytes -= r.bytes
	}
	n := copy(l.items, l.items[l.whole:])
	clear(l.items[n:])
	l.items, l.whole, l.busy = l.items[:n], 0, items
	return items, !l.closed || len(items) > 0
}

// drained is true if nothing waits.
func (l *line) drained() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.items) == 0
}

// poke makes take return, for work that is due by the clock.
func (l *line) poke() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.poked = true
	l.more.Signal()
}

func (l *line) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.more.Signal()
}
