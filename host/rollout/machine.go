package rollout

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// Why a machine refuses to do what it is asked.
var (
	ErrRequest = errors.New("rollout: the request makes no sense")
	ErrContent = errors.New("rollout: a change of that id asked for something else: " +
		"give this one an id of its own")
	ErrBusy      = errors.New("rollout: the listener is in another change")
	ErrTooMany   = errors.New("rollout: too many changes are at work: wait for one to end")
	ErrUnknown   = errors.New("rollout: no such change is known")
	ErrEnded     = errors.New("rollout: the change has ended")
	ErrCommitted = errors.New("rollout: the change is committed: roll it back")
	ErrLedger    = errors.New("rollout: changes cannot be kept: the ledger cannot be written")
	ErrNotHeld   = errors.New("rollout: the digest is not in quarantine")
	ErrNoBack    = errors.New("rollout: nothing to roll back to")
	ErrNotYet    = errors.New("rollout: the change is not committed: cancel it")
	ErrElsewhere = errors.New("rollout: the change is in another state by now")
	ErrConfig    = errors.New("rollout: the change is one of the configuration: " +
		"write the old one and have that read")
)

// Ports are what a machine needs of the rest of the house. It owns none of them.
type Ports struct {
	Source Source
	Links  Links
	Tests  Tests
	Ledger Ledger
	Clock  Clock
}

// Machine brings changes from state to state, each on a goroutine of its own. Safe for concurrent
// use.
type Machine struct {
	cfg     Config
	ports   Ports
	running sync.WaitGroup
	stream  *stream

	// write is held from before a record is appended until it is true, and while what it depends on
	// is looked at. It is taken before mu.
	write sync.Mutex
	owed  []owing // changed under mu, too
	grown int     // bytes since the ledger was compacted
	works map[string]*work

	// mu is never held while a port is called.
	mu      sync.Mutex
	book    *book
	plans   map[string]Plan // of the changes at work that have one
	busy    map[string]string
	failing error
	// reserved are listeners that changes are kept away from.
	reserved map[string]*Reservation
	closed   bool
	// shadowed is what shadows found, shadows the ids of those changes, the oldest first.
	shadowed map[string]Shadowed
	shadows  []string
}

// Report says what Open found.
type Report struct {
	// Resumed are the changes that were at work, as they ended now.
	Resumed []Change
	// Committed are those that were committed: who links them ends them with Settle.
	Committed []Change
	// Strange are records that make no sense beside the others, the first of them.
	Strange []error
}

// strangeMax is how many of them are reported.
const strangeMax = 16

// unsureMax is how many events may have been told whose records a failing ledger never got. Their
// numbers are not used again.
const unsureMax = 1 << 10

// Open reads the ledger and ends the changes that were at work, see the package comment. It blocks
// for as long as the ledger takes.
func Open(cfg Config, ports Ports) (*Machine, Report, error) {
	var rep Report
	if err := cfg.Validate(); err != nil {
		return nil, rep, err
	}
	m := &Machine{cfg: cfg, ports: ports, book: newBook(cfg), stream: newStream(cfg.EventsMax),
		works: map[string]*work{}, plans: map[string]Plan{}, busy: map[string]string{},
		reserved: map[string]*Reservation{}, shadowed: map[string]Shadowed{}}
	err := ports.Ledger.Load(func(b []byte) error {
		r, err := decode(b)
		if errors.Is(err, ErrVersion) {
			return err
		}
		if err == nil {
			err = m.book.apply(r)
		}
		if err != nil && len(rep.Strange) < strangeMax {
			rep.Strange = append(rep.Strange, err)
		}
		return nil
	})
	if err != nil {
		return nil, rep, fmt.Errorf("rollout: open: %w", err)
	}
	m.replay()
	m.book.seq += unsureMax
	m.write.Lock()
	defer m.write.Unlock()
	rep.Resumed, rep.Committed = m.resume()
	m.compact()
	return m, rep, nil
}

// replay fills the stream with what the changes say of themselves.
func (m *Machine) replay() {
	var list []Event
	for _, c := range m.book.changes {
		list = append(list, c.events()...)
	}
	inOrder(list)
	m.stream.floor = m.book.floor
	for _, e := range list {
		if e.Seq > m.book.floor {
			m.stream.add(e)
		}
	}
}

// resume ends what a crash left at work, but for what is committed. Needs write.
func (m *Machine) resume() (ended, committed []Change) {
	var left []*Change
	for _, c := range m.book.changes {
		if c.Config { // what it linked is linked again, see Lasts
			c.Undone = nil
		}
	}
	for _, id := range m.book.order {
		if c := m.book.changes[id]; !c.State.Ended() {
			left = append(left, c.clone())
		}
	}
	for _, c := range left {
		r := &record{Change: c.ID, State: RolledBack, Step: c.Step, Stopped: true,
			Why: endedIn(c.State, "the old version is linked")}
		switch {
		case c.Config:
			r.Why = endedIn(c.State, "the configuration that it starts with is linked")
			if c.State.Linked() {
				r.State, r.Stopped = Done, false
			}
		case c.State.Linked():
			committed = append(committed, *c)
			continue
		}
		_ = m.appendOwed(r)
		if now := m.book.changes[c.ID]; now != nil {
			c = now.clone()
		}
		ended = append(ended, *c)
	}
	return ended, committed
}

func endedIn(s State, now string) string {
	return fmt.Sprintf("the broker ended in state %s: %s", s, now)
}

// Submit asks for a change and answers it as it is now; it goes on by itself. Asked again under the
// same id it answers the change as it is, ended or not; an id with other content is ErrContent. A
// listener that is in another change, or reserved, is a *BusyError. The request is kept. It blocks
// for as long as the ledger takes.
func (m *Machine) Submit(q Request) (Change, error) { return m.submit(q, nil) }

// submit is Submit of who has the reservation mine.
func (m *Machine) submit(q Request, mine *Reservation) (Change, error) {
	if err := q.validate(); err != nil {
		return Change{}, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	content, bytes, err := q.content()
	if err != nil {
		return Change{}, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	if bytes > m.cfg.RequestBytesMax && q.Config == nil {
		return Change{}, fmt.Errorf("%w: %d bytes, at most %d", ErrRequest, bytes,
			m.cfg.RequestBytesMax)
	}
	m.write.Lock()
	defer m.write.Unlock()
	c := q.change(content)
	if known, err := m.admit(c, mine); known != nil || err != nil {
		if err != nil {
			return Change{}, err
		}
		return *known, nil
	}
	if err := m.append(&record{Change: q.ID, New: c, State: Requested}); err != nil {
		return Change{}, err
	}
	m.start(q, c)
	return m.Change(q.ID)
}

// change is the audit record that a request begins.
func (q *Request) change(content string) *Change {
	c := &Change{ID: q.ID, By: q.By, Reason: q.Reason, Force: q.Force, Content: content,
		Config: q.Config != nil, Undo: q.Undo && len(q.Items) > 0}
	for _, it := range q.Items {
		c.Places = append(c.Places, ChangePlace{Listener: it.Listener, Role: it.Role,
			Position: it.Position, Source: it.Source, Remove: it.Remove})
	}
	return c
}

// admit answers the change if it is known, or why it may not begin.
func (m *Machine) admit(c *Change, mine *Reservation) (*Change, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if known := m.book.changes[c.ID]; known != nil {
		if known.Content != c.Content {
			return nil, fmt.Errorf("%w (%s)", ErrContent, c.ID)
		}
		return known.clone(), nil
	}
	if m.closed {
		return nil, ErrClosed
	}
	if err := m.freeLocked(c.listeners(), mine); err != nil {
		return nil, err
	}
	if len(m.works) >= m.cfg.AtWorkMax {
		return nil, fmt.Errorf("%w (%d)", ErrTooMany, m.cfg.AtWorkMax)
	}
	return nil, nil
}

// Cancel ends a change before it is committed and answers it once it has ended. Cancelling what is
// cancelled is no error. by says who, for the audit.
func (m *Machine) Cancel(ctx context.Context, id, by string) (Change, error) {
	return m.stopWork(ctx, id, &ending{state: Cancelled, by: by})
}

// Rollback brings the old version back while a change is draining, and answers the change once it
// has ended.
func (m *Machine) Rollback(ctx context.Context, id, by string) (Change, error) {
	return m.stopWork(ctx, id, &ending{state: RolledBack, by: by,
		why: "somebody asked for it: the old version is linked"})
}

func (m *Machine) stopWork(ctx context.Context, id string, e *ending) (Change, error) {
	m.write.Lock()
	w := m.works[id]
	err := w.stop(e)
	m.write.Unlock()
	if w == nil {
		c, err := m.Change(id)
		if err == nil && c.State != e.state {
			err = m.tooLate(&c, e.state)
		}
		return c, err
	}
	switch {
	case errors.Is(err, ErrCommitted):
		return Change{}, fmt.Errorf("%w: hpmq-cli change rollback %s", err, id)
	case errors.Is(err, ErrNotYet):
		return Change{}, fmt.Errorf("%w: hpmq-cli change cancel %s", err, id)
	case err != nil:
		return Change{}, fmt.Errorf("%w (%s)", err, id)
	}
	c, err := m.Wait(ctx, id)
	if err == nil && c.State != e.state {
		err = m.tooLate(&c, e.state)
	}
	return c, err
}

// tooLate says that c has ended before somebody had it end as want. What is done has a way back of
// its own, place by place.
func (m *Machine) tooLate(c *Change, want State) error {
	err := fmt.Errorf("%w: %s is %s", ErrEnded, c.ID, c.State)
	if want != RolledBack || c.State != Done {
		return err
	}
	commands, reasons := m.waysBack(c)
	for _, why := range reasons {
		err = fmt.Errorf("%w; %s", err, why)
	}
	if len(commands) == 0 {
		return err
	}
	return fmt.Errorf("%w; its places go back one by one: %s; or submit a change that links what "+
		"was there", err, strings.Join(commands, "; "))
}

// Wait answers a change once it has ended.
func (m *Machine) Wait(ctx context.Context, id string) (Change, error) {
	m.write.Lock()
	w := m.works[id]
	m.write.Unlock()
	if w != nil {
		select {
		case <-w.done:
		case <-ctx.Done():
			return Change{}, fmt.Errorf("rollout: wait: %w", context.Cause(ctx))
		}
	}
	return m.Change(id)
}

// Close ends the changes at work: those before committed are rolled back, those behind are done. It
// waits for that, and for ports that are at work. The ports are not closed.
func (m *Machine) Close() {
	m.write.Lock()
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	for _, w := range m.works {
		w.cancel(&ending{state: RolledBack, stopped: true, passive: true})
	}
	m.write.Unlock()
	m.running.Wait()
	m.stream.close()
}
