package link

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hpmq/hpmq/lite/broker"
)

// ErrNoCanary: the plan, or who is selected, does not allow a canary. The error says why.
var ErrNoCanary = errors.New("no canary is possible")

// trial is a canary in a table: questions that it selects are answered by the candidate. It never
// changes.
type trial struct {
	selection *selection
	candidate *table
}

// of is the table that answers about that client and topic; active is the one t stands in.
func (t *trial) of(
	active *table, who *broker.Identity, topic []byte, subscription bool,
) *table {
	if t.selection.has(who, topic, subscription) {
		return t.candidate
	}
	return active
}

// answering is the table that answers a question without a topic.
func (ls *listener) answering(who *broker.Identity) *table {
	t := ls.table.Load()
	if t.trial != nil {
		return t.trial.of(t, who, nil, false)
	}
	return t
}

// Canary has the plan answer for those that are selected, the rest as before: both versions stand
// beside each other until Commit, Abort or a wider Selector. A Selector must have all that the one
// before it had, so that nobody goes back. A share of a group goes by what is active.
func (p *Plan) Canary(s Selector) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state != planPrepared {
		return p.over("canary of")
	}
	ready, err := s.ready(p.id)
	if err == nil {
		err = p.allowsCanary(&s)
	}
	if err != nil {
		return fmt.Errorf("link: canary of plan %s: %w: %w", p.id, ErrNoCanary, err)
	}
	defer p.holdAll()()
	if needs, err := p.l.needs(p.shifts()); err != nil {
		return fmt.Errorf("link: canary of plan %s: %w", p.id, err)
	} else if needs != nil {
		return fmt.Errorf("link: canary of plan %s: %w: what its components have in kv is "+
			"migrated with the commit: leave the canary out, and let it be watched", p.id,
			ErrNoCanary)
	}
	for _, pt := range p.parts {
		if pt.ls.gone {
			return fmt.Errorf("link: canary of plan %s: %s: %w", p.id, pt.ls.name,
				ErrUnknownListener)
		}
	}
	if p.selector == nil {
		p.endShadow()
		p.measure()
	}
	shifts := p.shifts()
	for i := range shifts {
		shifts[i].trial = true
	}
	_, err = p.l.move(shifts, func() {
		for _, pt := range p.parts {
			pt.try(ready)
		}
	})
	if err != nil {
		if p.selector == nil {
			p.unmeasure()
		}
		return fmt.Errorf("link: canary of plan %s: %w", p.id, err)
	}
	p.selector = &s
	p.l.ports.Log.Info("link canary", "plan", p.id, "by", p.by, "for", s.String())
	return nil
}

// allowsCanary says why s or the plan does not allow one.
func (p *Plan) allowsCanary(s *Selector) error {
	for _, at := range p.places {
		switch at.Role {
		case RoleCodec:
			return errors.New("a codec has the state of its connections: commit it, they go on")
		case RoleWorker:
			return errors.New("a worker is told, not asked: two would do everything twice")
		case RoleAuthenticator:
			named := s.Percent > 0 || len(s.Clients) > 0
			if !named || s.All && len(s.Tenants)+len(s.Filters) > 0 {
				return errors.New("who is to be authenticated has no tenant or topic yet: select " +
					"by percentage or client id")
			}
		}
	}
	if p.selector != nil && !s.covers(p.selector) {
		return fmt.Errorf("%v leaves out some of %v, and nobody goes back to the old version: "+
			"select more, or abort", s, p.selector)
	}
	return nil
}

// try puts the candidate beside the active table, or has it answer for more. Both record what
// either wants to look back on.
func (pt *part) try(s *selection) {
	if pt.candidate == nil {
		c := *pt.next
		c.answered = make([]decisions, pt.plan.l.cfg.Loops)
		for i := range c.answered {
			c.answered[i].max = pt.plan.l.cfg.DecisionsMax
		}
		c.recorded = both(pt.old.recorded, pt.next.recorded)
		pt.candidate = &c
	}
	pt.plan.l.keep(pt.candidate)
	active := *pt.old
	active.recorded = pt.candidate.recorded
	active.trial = &trial{s, pt.candidate}
	pt.ls.table.Store(&active)
}

// both is what either wants; nil wants nothing.
func both(a, b *interest) *interest {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	all := &interest{}
	all.merge(a)
	all.merge(b)
	return all
}

// endTrial lets what is active answer all again; the listener is held.
func (pt *part) endTrial() {
	if pt.candidate != nil && !pt.ls.gone {
		pt.ls.table.Store(pt.old)
	}
}

// watch starts to count what is done by whom the plan takes the place of, and by whom it brings.
func (p *Plan) watch() {
	p.watched = time.Now()
	for _, at := range p.places {
		at.active, at.candidate = newWatch(at.before), newWatch(at.entry)
		if at.candidate != nil {
			at.candidate.stirs = p.stirs
		}
	}
}

// Stirred has something to receive when a candidate of a canary has failed, or answered one of its
// first questions: then it is worth asking for Health. One goroutine receives.
func (p *Plan) Stirred() <-chan struct{} { return p.stirs }

// measure looks at the clock on both sides.
func (p *Plan) measure() {
	for _, at := range p.places {
		at.active.measure(nil)
		at.candidate.measure(nil)
	}
}

// follow looks at the clock on the side of the candidate alone, which answers all by now.
func (p *Plan) follow() {
	for _, at := range p.places {
		at.active.stop()
		if at.candidate != nil && at.candidate.gauges == nil {
			at.candidate.measure(nil)
		}
	}
}

// unmeasure ends that.
func (p *Plan) unmeasure() {
	for _, at := range p.places {
		at.active.stop()
		at.candidate.stop()
	}
}

// Health is how a plan does beside what it is to replace, since it was prepared.
type Health struct {
	// For is how long that is.
	For time.Duration
	// Candidate and Active are all places together.
	Candidate, Active Vitals
	// Places are the places one by one, in the order of the changes.
	Places []PlaceHealth
}

// PlaceHealth is that of one place. A place that is added has nothing active, one that is removed
// no candidate.
type PlaceHealth struct {
	Listener          string
	Role              Role
	Position          int
	Candidate, Active Vitals
}

// Health may be asked at any time, also after the commit and the end. It is cheap.
func (p *Plan) Health() Health {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := Health{For: time.Since(p.watched)}
	for _, at := range p.places {
		v := PlaceHealth{
			Listener: at.Listener, Role: at.Role, Position: at.Position,
			Candidate: at.candidate.vitals(), Active: at.active.vitals(),
		}
		h.Candidate.Add(&v.Candidate)
		h.Active.Add(&v.Active)
		h.Places = append(h.Places, v)
	}
	return h
}

// Selector is who the candidate answers for; false before the first Canary.
func (p *Plan) Selector() (Selector, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.selector == nil {
		return Selector{}, false
	}
	s := *p.selector
	s.Clients, s.Tenants, s.Filters = slices.Clone(s.Clients), slices.Clone(s.Tenants),
		slices.Clone(s.Filters)
	return s, true
}
