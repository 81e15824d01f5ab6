package rollout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// work is a change at work. Its goroutine owns what is not said to be another's.
type work struct {
	m      *Machine
	q      Request
	ctx    context.Context // ends with an *ending as its cause
	cancel context.CancelCauseFunc
	done   chan struct{} // closed when the change has ended

	state     State // as recorded
	places    []ChangePlace
	artifacts []*Artifact // by item, nil for one that takes out
	plan      Plan
	live      bool          // the plan is committed
	took      time.Duration // of the commit
	eye       *watcher      // from the commit on
	unheard   bool          // what the candidate does in a shadow is its health
	tried     *watcher      // from the first step of the canary on
	serves    float64       // percents, in the canary
	notes     []string      // what the next record must tell
	was, made []Linked      // before committed, and by it
	wasBefore []Linked      // that an undo brought back before

	// Under the machine's write, but that the goroutine may read hurry. It is closed when what is
	// waited for is not to be waited for.
	hurry     chan struct{}
	hurriedBy string
	hurriedIn State // as recorded then
	committed bool  // the record is there
	over      bool  // the old version is not warm any more
}

// ending is how a change ends.
type ending struct {
	state   State
	of      string // the step that refused
	why, by string
	// bad sends what was linked to quarantine.
	bad bool
	// passive is no reason to go back once it is committed, stopped that the broker is.
	passive, stopped bool
}

// Error is why; an ending is the cause of a context.
func (e *ending) Error() string { return e.why }

func refused(of string, err error) *ending {
	if r := (*Refusal)(nil); errors.As(err, &r) && r.Step != "" {
		of = r.Step
	}
	return &ending{state: Refused, of: of, why: err.Error()}
}

// start begins the work. Needs write.
func (m *Machine) start(q Request, c *Change) {
	w := &work{m: m, q: q, done: make(chan struct{}), hurry: make(chan struct{}), state: Requested,
		places: slices.Clone(c.Places), artifacts: make([]*Artifact, len(q.Items))}
	w.q.Items = slices.Clone(q.Items)
	w.ctx, w.cancel = context.WithCancelCause(context.Background())
	m.works[q.ID] = w
	m.mu.Lock()
	for _, l := range c.listeners() {
		m.busy[l] = q.ID
	}
	m.mu.Unlock()
	m.running.Go(w.run)
}

// stop asks the work to end. Needs write. A nil work has ended.
func (w *work) stop(e *ending) error {
	switch {
	case w == nil:
		return nil
	case e.state == Cancelled && w.committed:
		return ErrCommitted
	case e.state == RolledBack && !w.committed:
		return ErrNotYet
	case e.state == RolledBack && w.q.Config != nil:
		return ErrConfig
	case w.over:
		return ErrEnded
	}
	w.cancel(e)
	return nil
}

// cause is why the work must end, nil if it need not.
func (w *work) cause() *ending {
	e, _ := context.Cause(w.ctx).(*ending)
	return e
}

func (w *work) run() {
	defer w.cancel(nil)
	end := w.toCommit()
	if end == nil {
		end = w.afterCommit()
	}
	w.finish(w.undo(end))
}

// toCommit goes from step to step. What ends it leaves the candidate where it is.
func (w *work) toCommit() *ending {
	for _, step := range []func() *ending{
		w.fetch, w.verify, w.prepare, w.test, w.shadow, w.canary, w.other,
	} {
		end := step()
		if c := w.cause(); c != nil && (end == nil || end.state == Refused) {
			return c // a step that was broken off says so in words of its own
		}
		if end != nil {
			return end
		}
	}
	return w.commit()
}

// enter records that the change is in a state.
func (w *work) enter(r *record) *ending {
	w.m.write.Lock()
	defer w.m.write.Unlock()
	return w.enterLocked(r)
}

func (w *work) enterLocked(r *record) *ending {
	r.Change = w.q.ID
	if err := w.m.append(r); err != nil {
		return &ending{state: RolledBack,
			why: fmt.Sprintf("%v; the old version is linked", err)}
	}
	w.state = r.State
	return nil
}

func (w *work) fetch() *ending {
	for i, it := range w.q.Items { // so that a refusal tells, too
		had := w.m.ports.Links.Serving(it.Listener, it.Role, it.Position)
		if had != nil {
			w.places[i].Old = had.pin()
		}
	}
	if _, err := w.links(); err != nil {
		return refused("request", err)
	}
	all, err := w.m.ports.Source.Fetch(w.ctx, w.q.Items)
	if err != nil {
		return refused(string(Fetched), err)
	}
	for i, a := range all {
		if a != nil {
			w.artifacts[i] = a
			w.fetched(i)
		}
	}
	return w.enter(&record{State: Fetched, Places: slices.Clone(w.places)})
}

// fetched notes what is known of an artifact.
func (w *work) fetched(i int) {
	pin := w.artifacts[i].Pin
	w.places[i].New = &pin
}

func (w *work) verify() *ending {
	for i, a := range w.artifacts {
		if a == nil {
			continue
		}
		err := w.m.Admits(a.Digest)
		if err != nil && !w.q.Force && w.q.Items[i].Back == nil {
			return refused("quarantine", fmt.Errorf("%w; %s if it may be linked all the same", err,
				w.q.byForce()))
		}
		if err := w.m.ports.Source.Verify(w.ctx, w.q.Items[i], a); err != nil {
			return refused(string(Verified), err)
		}
		w.fetched(i) // who vouches for it is known now
		if a.Config != nil {
			w.q.Items[i].Config = a.Config
		}
		if a.Limits != (Limits{}) {
			w.q.Items[i].Limits = a.Limits
		}
	}
	return w.enter(&record{State: Verified, Places: slices.Clone(w.places)})
}

// prepare makes the plan, and goes through the states that are inside of that.
func (w *work) prepare() *ending {
	p := Preparation{ID: w.q.ID, By: w.q.By}
	for i, it := range w.q.Items {
		p.Changes = append(p.Changes, Place{Item: it, Artifact: w.artifacts[i]})
	}
	var stuck *ending
	p.Reached = func(s State) {
		next := w.state.rank() + 1
		if stuck == nil && s.rank() == next && next <= Checked.rank() {
			stuck = w.enter(&record{State: s})
		}
	}
	plan, err := w.m.ports.Links.Prepare(w.ctx, p)
	if err != nil {
		return refused("prepare", err)
	}
	w.hold(plan)
	if stuck != nil {
		return stuck
	}
	if err := w.compare(plan.Views()); err != nil {
		return refused("version", err)
	}
	for stuck == nil && w.state != Warmed {
		r := &record{State: straight[w.state.rank()+1]}
		if r.State == Warmed {
			r.Places = slices.Clone(w.places)
		}
		stuck = w.enter(r)
	}
	return stuck
}

// hold keeps the plan, and ends the work when a listener of it goes.
func (w *work) hold(p Plan) {
	w.plan = p
	w.m.mu.Lock()
	w.m.plans[w.q.ID] = p
	w.m.mu.Unlock()
	w.m.running.Go(func() {
		select {
		case <-p.Gone():
			w.cancel(&ending{state: RolledBack, passive: true,
				why: "a listener of the change was removed"})
		case <-w.ctx.Done():
		}
	})
}

// compare notes what is in the places, and refuses what is older than that.
func (w *work) compare(views []View) error {
	for i := range w.places {
		p := &w.places[i]
		v := find(views, p)
		if v != nil && v.New != nil && p.New != nil && p.New.Digest == "" { // of the configuration
			p.New = v.New.pin()
		}
		if v == nil || v.Old == nil {
			continue
		}
		p.Old = v.Old.pin()
		if v.New == nil || w.q.Force || w.q.Items[i].Back != nil {
			continue
		}
		if err := v.New.older(v.Old); err != nil {
			return w.tooOld(p, err)
		}
		had := w.m.pinned(p)
		if had != nil && p.New != nil && had.Name == p.New.Name &&
			below(p.New.Version, had.Version) {
			return w.tooOld(p, older(had.Name, p.New.Version, had.Version))
		}
	}
	return nil
}

// tooOld names the place, and what to do: of a configuration it may be one that nobody thought of.
func (w *work) tooOld(p *ChangePlace, err error) error {
	what := w.q.byForce() + " if that is wanted"
	if w.q.Config != nil {
		what = "write the version that is linked into the settings too, since another link of " +
			"the settings takes the place of what changes linked; if the older one is wanted, " +
			w.q.byForce()
	}
	return fmt.Errorf("%s %s[%d]: %w; %s", p.Listener, p.Role, p.Position, err, what)
}

func older(name, now, had string) error {
	return fmt.Errorf("%s %s is older than %s, which is linked", name, now, had)
}

func find(views []View, p *ChangePlace) *View {
	i := slices.IndexFunc(views, func(v View) bool {
		return v.Listener == p.Listener && v.Role == p.Role && v.Position == p.Position
	})
	if i < 0 {
		return nil
	}
	return &views[i]
}

// pinned is what an earlier change linked in a place, nil if that is the configuration's.
func (m *Machine) pinned(p *ChangePlace) *Pinned {
	m.mu.Lock()
	defer m.mu.Unlock()
	chain := m.book.links[p.Listener].Chains[p.Role]
	if p.Position >= len(chain) {
		return nil
	}
	return chain[p.Position].Pinned
}

// other changes what is no link. From here on it goes straight to the commit.
func (w *work) other() *ending {
	if w.q.Beside == nil {
		return nil
	}
	if err := w.q.Beside(w.ctx); err != nil {
		return refused("listeners", err)
	}
	return nil
}

func (w *work) test() *ending {
	for i, a := range w.artifacts {
		if a == nil {
			continue
		}
		if err := w.m.ports.Tests.Test(w.ctx, w.q.Items[i], a); err != nil {
			return refused(string(Tested), err)
		}
	}
	return w.enter(&record{State: Tested})
}
