package link

import (
	"fmt"
	"time"
)

// hold takes the listener for a moment, whoever is at work at it.
func (ls *listener) hold() { ls.change <- struct{}{} }

// holdAll takes all listeners of the plan, in the order all plans do; the answer lets go of them.
func (p *Plan) holdAll() (letGo func()) {
	for _, pt := range p.parts {
		pt.ls.hold()
	}
	return func() {
		for _, pt := range p.parts {
			pt.ls.unlock()
		}
	}
}

// Commit puts all places in their place, each listener by one store of a pointer, or none: an error
// says that nothing has changed. What was there stays warm until Release.
func (p *Plan) Commit() ([]Result, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state != planPrepared {
		return nil, p.over("commit")
	}
	defer p.holdAll()()
	for _, pt := range p.parts {
		if pt.ls.gone {
			return nil, fmt.Errorf("link: commit plan %s: %s: %w", p.id, pt.ls.name,
				ErrUnknownListener)
		}
	}
	took, err := p.commitHeld()
	if err != nil {
		return nil, err
	}
	p.state = planCommitted
	p.endShadow()
	p.follow()
	return p.audited("", took, p.took), nil
}

// commitHeld commits, or changes nothing; all listeners are held.
func (p *Plan) commitHeld() (took time.Duration, err error) {
	took, err = p.l.move(p.shifts(), func() {
		for _, pt := range p.parts {
			pt.ls.put(pt.next)
		}
	})
	if err != nil {
		return 0, err
	}
	for _, pt := range p.parts {
		pt.owed, pt.put = released(pt.old, pt.next), pt.next
		p.l.engage(pt.old, pt.next)
	}
	return took, nil
}

// shifts are those of all listeners of the plan.
func (p *Plan) shifts() (all []turnover) {
	for _, pt := range p.parts {
		all = append(all, turnover{old: pt.old, next: pt.next})
	}
	return all
}

// audited writes a line for each place into the audit and answers what became of it.
func (p *Plan) audited(use string, took, prepare time.Duration) (all []Result) {
	for _, at := range p.places {
		res := at.result()
		res.Prepare, res.Commit = prepare, took
		c := change{
			listener: at.Listener, role: at.Role, by: p.by, plan: p.id, use: at.Ref.Use,
			began: p.began, took: res.Commit, result: &res,
		}
		if use != "" {
			c.use, res.Old, res.New, res.Keeps = use, res.New, res.Old, nil
		}
		p.l.audit(c)
		all = append(all, res)
	}
	return all
}

// put makes t the table of the listener: every question asked from now on is answered by it. engage
// must follow.
func (ls *listener) put(t *table) {
	ls.linker.keep(t)
	relieve(ls.table.Load(), t)
	ls.table.Store(t)
}

// commit makes t the table of the listener, for who has no plan.
func (ls *listener) commit(t *table) {
	ls.settle()
	old := ls.table.Load()
	ls.put(t)
	ls.linker.engage(old, t)
}

// settle lets go of what only the revert of a plan needs: it is too late for that. The listener is
// held.
func (ls *listener) settle() {
	if pt := ls.part; pt != nil && !pt.atWork() {
		ls.linker.drain(pt.owed)
		ls.part, pt.owed = nil, nil
	}
}

// Revert puts back what was there before Commit, whose components are warm still; the plan's own
// are closed. If one of the listeners was changed since, nothing is put back and ErrChanged is the
// answer.
func (p *Plan) Revert() ([]Result, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state != planCommitted {
		return nil, p.over("revert")
	}
	began := time.Now()
	defer p.holdAll()()
	for _, pt := range p.parts {
		if pt.ls.part != pt {
			return nil, fmt.Errorf("link: revert plan %s: listener %s: %w", p.id, pt.ls.name,
				ErrChanged)
		}
	}
	back := make([]*table, len(p.parts))
	var all []turnover
	for i, pt := range p.parts {
		back[i] = pt.put.after(pt.old.chains)
		all = append(all, turnover{old: pt.put, next: back[i]})
	}
	took, err := p.l.moveBack(all, func() {
		for i, pt := range p.parts {
			pt.ls.put(back[i])
		}
	})
	if err != nil {
		return nil, err
	}
	for i, pt := range p.parts {
		p.l.engage(pt.put, back[i])
		p.l.drain(released(pt.put, back[i]))
		pt.ls.part, pt.owed = nil, nil
	}
	p.state = planOver
	p.unmeasure()
	return p.audited("revert", took, time.Since(began)), nil
}

// Release ends a plan that is committed: what only Revert needed is closed. It does nothing to
// another.
func (p *Plan) Release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state != planCommitted {
		return
	}
	p.state = planOver
	p.unmeasure()
	defer p.holdAll()()
	for _, pt := range p.parts {
		if pt.ls.part == pt {
			pt.ls.settle()
		}
	}
}
