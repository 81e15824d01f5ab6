package link

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// PlacesMax is how many places one plan may change: all of a large configuration.
const PlacesMax = 1 << 15

// Change is one place of a plan.
type Change struct {
	Listener string
	Role     Role
	// Position is the place in the chain as it is now, from 0; those after the last add components.
	Position int
	// Ref is what comes there; what it leaves out is as in a Swap.
	Ref Ref
	// Remove takes out what is there, and Ref is not looked at.
	Remove bool
	// Whole says that Ref leaves nothing as it is: it is linked as by Link.
	Whole bool
}

// Errors of plans.
var (
	// ErrBusy: a plan is at work at the listener. It is wrapped in a *BusyError.
	ErrBusy = errors.New("a plan is at work")
	// ErrPlanOver: the plan was committed, aborted or reverted before.
	ErrPlanOver = errors.New("the plan is over")
	// ErrChanged: a listener of the plan was changed after its commit.
	ErrChanged = errors.New("the link was changed since")
)

// BusyError says which plan is in the way of a change. It wraps ErrBusy.
type BusyError struct{ Listener, Plan string }

// Error says what to do.
func (e *BusyError) Error() string {
	return fmt.Sprintf("link: listener %s: plan %s is at work: wait for its end, or abort it",
		e.Listener, e.Plan)
}

// Unwrap is ErrBusy.
func (e *BusyError) Unwrap() error { return ErrBusy }

// Plan is a change of several places, of several roles and listeners, that is made beside what is
// linked and put in its place in one commit, all or none. Its methods may be called by any
// goroutine; one waits for the other. A plan ends by Abort, Revert or Release: until then its
// components are warm.
type Plan struct {
	l         *Linker
	id, by    string
	began     time.Time
	took      time.Duration // until it was prepared
	places    []*place      // as asked for
	parts     []*part       // sorted by listener
	stopBuild context.CancelFunc
	// gone is closed when a listener of it is unlinked before the commit.
	gone chan struct{}
	lost sync.Once

	// mu is held by one method at a time, and taken before any listener's change.
	mu    sync.Mutex
	state planState
	// selector is who the canary is for, nil before the first; watched is since when its components
	// are.
	selector *Selector
	watched  time.Time
	stirs    chan struct{} // holds one
	// shadowing is the last shadow, nil before the first.
	shadowing *shadowing
}

type planState uint8

const (
	planBuilding planState = iota
	planPrepared
	planCommitted
	planOver
)

// place is a change with what it has become.
type place struct {
	Change
	part          *part
	before, entry *entry // nil if the place is free before or after
	// active and candidate look at those two from the end of the building on.
	active, candidate *watch
}

// part is what a plan does to one listener.
type part struct {
	plan *Plan
	ls   *listener
	// old is what it was made from, next what it commits.
	old, next *table
	// candidate is next beside old, nil before the first canary.
	candidate *table
	// The rest is under the listener's change. put is next from the commit on; owed are then the
	// entries that only a revert needs.
	put  *table
	owed []*entry
}

// atWork says whether nothing else may change the listener.
func (pt *part) atWork() bool { return pt != nil && pt.put == nil }

// Prepare makes all that changes ask for, beside what is linked, as far as the commit: it blocks
// for as long as compiling takes. id names the plan to others, by who asks, for the audit. While a
// plan is at work no other change of its listeners is possible, see BusyError; swaps that are at
// work already are waited for. A refusal is a *StepError and leaves nothing.
func (l *Linker) Prepare(
	ctx context.Context, id, by string, changes []Change,
) (*Plan, error) {
	if id == "" || len(changes) == 0 || len(changes) > PlacesMax {
		return nil, fmt.Errorf("link: prepare: a plan has an id and 1 to %d changes", PlacesMax)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	p := &Plan{
		l: l, id: id, by: by, began: time.Now(), stopBuild: stop, gone: make(chan struct{}),
		stirs: make(chan struct{}, 1),
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer l.drains.Done()
	err := p.claim(ctx, changes)
	if err == nil {
		err = p.build(ctx, changes)
	}
	if err = p.prepared(err); err != nil {
		l.ports.Log.Warn("link plan refused", "plan", id, "by", by, "reason", err.Error())
		return nil, err
	}
	return p, nil
}

// enter has Close wait for the plan to be prepared.
func (p *Plan) enter() error {
	p.l.mu.Lock()
	defer p.l.mu.Unlock()
	if p.l.closed {
		return fmt.Errorf("link: prepare: %w", ErrClosed)
	}
	p.l.drains.Add(1)
	return nil
}

// claim keeps others from the listeners, one after the other.
func (p *Plan) claim(ctx context.Context, changes []Change) error {
	names := map[string]bool{}
	for i := range changes {
		names[changes[i].Listener] = true
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		ls, err := p.l.find(name)
		if err != nil {
			return err
		}
		if err := ls.lock(ctx); err != nil {
			return err
		}
		if !ls.table.Load().linked {
			ls.unlock()
			return fmt.Errorf("link: prepare: %s: %w", name, ErrUnknownListener)
		}
		ls.settle() // what another plan could revert is not what this one begins from
		ls.part = &part{plan: p, ls: ls, old: ls.table.Load()}
		p.parts = append(p.parts, ls.part)
		ls.unlock()
	}
	return nil
}

// prepared ends the building, with an error or well.
func (p *Plan) prepared(err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.gone:
		err = fmt.Errorf("link: prepare: %w", ErrUnknownListener)
	default:
	}
	p.took = time.Since(p.began)
	if err == nil {
		p.state = planPrepared
		p.watch()
		return nil
	}
	p.leaveLocked()
	p.closeMade()
	return err
}

// leaveLocked ends the plan and lets others change its listeners.
func (p *Plan) leaveLocked() {
	p.state = planOver
	defer p.holdAll()()
	back := func() {
		for _, pt := range p.parts {
			if pt.ls.part == pt {
				pt.endTrial()
				pt.ls.part = nil
			}
		}
	}
	h := p.l.ports.Halter
	if p.selector == nil || h == nil {
		back()
		return
	}
	if _, late := h.Halt(p.l.cfg.HandOverTimeout, back); late != nil {
		p.l.ports.Log.Warn("a canary ends beside messages that are under way", "plan", p.id,
			"reason", late.Error())
		back()
	}
}

// made are the entries that the plan has built.
func (p *Plan) made() (all []*entry) {
	for _, at := range p.places {
		if at.entry != nil {
			all = append(all, at.entry)
		}
	}
	return all
}

// closeMade closes what nobody was in.
func (p *Plan) closeMade() { closeAll(p.made()) }

// ID is what the plan was named.
func (p *Plan) ID() string { return p.id }

// Gone is closed when a listener of the plan is unlinked before the commit: then it is aborted.
func (p *Plan) Gone() <-chan struct{} { return p.gone }

// Views shows old and new of each place, in the order of the changes.
func (p *Plan) Views() []Result {
	var all []Result
	for _, at := range p.places {
		all = append(all, at.result())
	}
	return all
}

func (at *place) result() Result {
	res := Result{
		Listener: at.Listener, Role: at.Role, Position: at.Position, Prepare: at.part.plan.took,
		Old: at.part.old.component(at.Role, at.Position),
	}
	if at.before == nil {
		res.Old = nil
	}
	if e := at.entry; e != nil {
		entries, _ := at.part.next.chainOf(at.Role)
		res.New, res.Keeps = at.part.next.component(at.Role, slices.Index(entries, e)), e.keeps
	}
	return res
}

// Abort ends a plan that is not committed: what it made is closed, and what is linked answers all
// again. It does nothing to another.
func (p *Plan) Abort() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state == planPrepared {
		p.abortLocked()
		p.l.ports.Log.Info("link plan aborted", "plan", p.id, "by", p.by)
	}
}

func (p *Plan) abortLocked() {
	p.endShadow()
	p.leaveLocked()
	if p.selector == nil {
		p.closeMade()
		return
	}
	p.unmeasure()
	p.l.drain(p.made())
}

// lose tells the plan that one of its listeners is no more.
func (p *Plan) lose() {
	p.lost.Do(func() { close(p.gone) })
	p.stopBuild()
	p.Abort()
}

// over is the error of a method whose time has passed.
func (p *Plan) over(what string) error {
	return fmt.Errorf("link: %s plan %s: %w", what, p.id, ErrPlanOver)
}
