package rollout

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// shadow lets the candidate answer beside the active version.
func (w *work) shadow() *ending {
	s := w.q.Shadow
	if s.For == 0 {
		return nil
	}
	if w.hurried() {
		return w.uncompared()
	}
	p, ok := w.plan.(Shadow)
	if !ok {
		return refused(string(Shadowing), errors.New("this broker has no shadow: leave it out"))
	}
	if s.Sample == 0 {
		s.Sample = 1
	}
	if end := w.enter(&record{State: Shadowing}); end != nil {
		return end
	}
	end, err := w.beside(p, s.Sample, func(eye *watcher) *ending { return w.dwell(s.For, eye) })
	if err != nil {
		return refused(string(Shadowing), err)
	}
	if end != nil {
		return end
	}
	c := p.Compared()
	if c.Asked == 0 && w.hurried() {
		return w.uncompared()
	}
	if s.MatchMin > 0 && c.Asked == 0 {
		return refused(string(Shadowing), fmt.Errorf("nobody asked in %s what could be compared, "+
			"so nothing says that %.2f %% of the answers are those of the active version: give it "+
			"longer, or leave match_min out", s.For, s.MatchMin*100))
	}
	if s.MatchMin > 0 && c.MatchRate() < s.MatchMin {
		return refused(string(Shadowing), fmt.Errorf("%d of %d answers (%.2f %%) were those of "+
			"the active version; %.2f %% are needed: hpmq-cli change show %s has some that differ",
			c.Matched, c.Asked, c.MatchRate()*100, s.MatchMin*100, w.q.ID))
	}
	return nil
}

// uncompared is the end of a change whose shadow nobody waited for, if that was to show something.
func (w *work) uncompared() *ending {
	least := w.q.Shadow.MatchMin * 100
	if least == 0 {
		return nil
	}
	return refused(string(Shadowing), fmt.Errorf("it was promoted before anything was compared, "+
		"so nothing says that %.2f %% of the answers are those of the active version: ask for it "+
		"again and promote it later, or leave match_min out", least))
}

// beside has the candidate answer without effect while does goes on; the error says why it cannot.
func (w *work) beside(
	p Shadow, sample float64, does func(*watcher) *ending,
) (*ending, error) {
	w.unheard = true
	defer func() { w.unheard = false }()
	eye := w.watch()
	if err := p.Shadow(sample); err != nil {
		return nil, err
	}
	end := does(eye)
	if c := p.Compared(); c.Asked > 0 || w.state == Shadowing {
		w.m.compared(w.q.ID, Shadowed{c, w.plan.Health().Active})
	}
	if err := p.Shadow(0); err != nil && end == nil {
		end = refused(string(w.state), err)
	}
	return end, nil
}

func (w *work) hurried() bool {
	select {
	case <-w.hurry:
		return true
	default:
		return false
	}
}

// watch begins to look at the candidate. It comes before what lets that serve somebody. What it
// refuses beside the active version is a difference, which MatchMin judges, and no fault.
func (w *work) watch() *watcher {
	t := w.q.Thresholds
	if w.unheard {
		t.Refused = 0
	}
	return newWatcher(w.m.ports.Clock.Now(), t, w.health())
}

// health is that of the plan, where what a candidate did beside the active version counts too.
func (w *work) health() Health {
	h := w.plan.Health()
	p, ok := w.plan.(Shadow)
	if !ok || !w.unheard {
		return h
	}
	c := p.Compared()
	h.Candidate.addUnheard(&c.Candidate)
	for i := range min(len(h.Places), len(c.Places)) {
		h.Places[i].Candidate.addUnheard(&c.Places[i])
	}
	return h
}

// dwell waits, looks at the candidate meanwhile, and once more at the end.
func (w *work) dwell(d time.Duration, eye *watcher) *ending {
	clock := w.m.ports.Clock
	until := clock.Now().Add(d)
	for wake, every := w.plan.Stirred(), lookEvery; ; {
		left := until.Sub(clock.Now())
		if left <= 0 {
			return nil
		}
		select {
		case <-w.ctx.Done():
			return w.cause()
		case <-w.hurry:
			return nil
		case <-wake:
			wake, every = nil, stirredPause
		case <-clock.After(min(left, every)):
			wake, every = w.plan.Stirred(), lookEvery
		}
		if why := eye.look(clock.Now(), w.health()); why != "" {
			return &ending{state: RolledBack, why: why + "; the old version is linked", bad: true}
		}
	}
}

// commit is the one step that nobody cancels any more.
func (w *work) commit() *ending {
	if end := w.decide(); end != nil {
		return end
	}
	w.eye = w.watch()
	took, err := w.plan.Commit()
	if err != nil {
		return &ending{state: RolledBack, why: fmt.Sprintf("commit: %v; the old version is linked",
			err)}
	}
	w.live, w.took = true, took
	return nil
}

// decide makes the change durable, unless it was stopped before.
func (w *work) decide() *ending {
	w.m.write.Lock()
	defer w.m.write.Unlock()
	if end := w.cause(); end != nil {
		return end
	}
	links, err := w.links()
	if err != nil {
		return refused(string(Committed), err)
	}
	w.was, w.made, w.wasBefore = w.m.linksOf(links), links, w.m.befores(links)
	r := &record{State: Committed, Links: links}
	if w.q.Config != nil {
		r.Before = w.unforgotten()
	} else {
		r.Before = w.m.undone(w.was, links, &w.q)
	}
	r.Why, r.Promoted = w.told(w.impatient()), w.hurriedIn
	if end := w.enterLocked(r); end != nil {
		return end
	}
	w.committed = true
	// The watch is another wait.
	w.hurry, w.hurriedBy, w.hurriedIn = make(chan struct{}), "", ""
	return nil
}

// impatient says who did not wait, if somebody did not.
func (w *work) impatient() string {
	if w.hurriedBy == "" {
		return ""
	}
	return w.hurriedBy + " did not wait"
}

// linksOf answers what is linked over the configuration to the listeners of list.
func (m *Machine) linksOf(list []Linked) []Linked {
	m.mu.Lock()
	defer m.mu.Unlock()
	return of(m.book.links, list)
}

// links are those of the listeners of the change once it is committed.
func (w *work) links() ([]Linked, error) {
	if w.q.Config != nil {
		return w.configured(), nil
	}
	var names []string
	entries := map[string][]entry{}
	for i, it := range w.q.Items {
		if entries[it.Listener] == nil {
			names = append(names, it.Listener)
		}
		entries[it.Listener] = append(entries[it.Listener], entry{it, w.pin(i)})
	}
	var list []Linked
	for _, had := range w.m.linksOf(listed(names)) {
		base, err := w.m.ports.Links.Base(had.Listener)
		if err != nil {
			return nil, err
		}
		next, err := base.after(had, entries[had.Listener])
		if err != nil {
			return nil, err
		}
		next.Change, next.Since = w.q.ID, w.m.ports.Clock.Now().UTC()
		list = append(list, next)
	}
	return list, nil
}

// configured is what stays linked over the listeners of a configuration.
func (w *work) configured() []Linked {
	list := w.m.linksOf(listed(slices.Sorted(maps.Keys(w.q.Config))))
	for i := range list {
		if list[i].Base != w.q.Config[list[i].Listener] {
			list[i] = Linked{Listener: list[i].Listener}
		}
	}
	return list
}

// unforgotten is what an undo brings back once a configuration is linked: of the roles that it
// leaves alone, where what that was made over is what it was.
func (w *work) unforgotten() (list []Linked) {
	for _, before := range w.wasBefore {
		if before.Base != w.q.Config[before.Listener] {
			continue
		}
		list = append(list, before.without(roles(before.Listener, w.q.Items)))
	}
	return list
}

func listed(names []string) []Linked {
	list := make([]Linked, len(names))
	for i, n := range names {
		list[i].Listener = n
	}
	return list
}

// pin is what an item links for good, nil if it takes out.
func (w *work) pin(i int) *Pinned {
	it := w.q.Items[i]
	if it.Remove {
		return nil
	}
	p := &Pinned{Source: it.Source, Component: it.Component, Settings: it.Settings}
	if a := w.artifacts[i]; a != nil {
		p.Pin = a.Pin
	}
	if w.plan == nil {
		return p
	}
	if v := find(w.plan.Views(), &w.places[i]); v != nil && v.New != nil {
		p.Grants = slices.Clone(v.New.Grants)
	}
	return p
}

// afterCommit watches the new version while the old one is warm, then lets that go.
func (w *work) afterCommit() *ending {
	w.m.write.Lock()
	_ = w.m.appendOwed(&record{Change: w.q.ID, State: Draining, Took: w.took})
	w.state = Draining
	w.m.write.Unlock()
	var end *ending
	if w.q.Watch > 0 {
		end = w.prove("the watch", w.q.Watch, w.q.Watch, w.eye)
	}
	w.m.write.Lock()
	if end == nil {
		end = w.cause() // somebody may have asked to go back just now
	}
	w.over = end == nil || end.passive
	impatient := w.impatient()
	w.m.write.Unlock()
	if !w.over {
		return end
	}
	w.plan.Release()
	if end != nil && end.why != "" {
		return &ending{state: Done, why: end.why + "; the new version is linked"}
	}
	return &ending{state: Done, why: w.told(impatient)}
}

// undo takes back what the change has done, if it does not end well.
func (w *work) undo(end *ending) *ending {
	switch {
	case w.plan == nil || end.state == Done:
	case !w.live:
		w.plan.Abort()
	default:
		err := w.plan.Revert()
		if err == nil {
			break
		}
		w.plan.Release()
		return &ending{state: Done, bad: end.bad, why: fmt.Sprintf(
			"it was to be rolled back (%s), but that failed: %v; the new version is linked",
			end.why, err)}
	}
	return end
}

// finish records the end.
func (w *work) finish(end *ending) {
	m := w.m
	m.write.Lock()
	defer m.write.Unlock()
	r := &record{Change: w.q.ID, State: end.state, Of: end.of, Why: end.why, By: end.by,
		Places: slices.Clone(w.places), Promoted: w.hurriedIn}
	if r.Stopped = end.stopped; end.stopped {
		r.Why = fmt.Sprintf("the broker was stopped in state %s: the old version is linked",
			w.state)
	}
	if w.committed && end.state == RolledBack {
		r.Links, r.Before = w.restored()
	}
	for _, p := range w.places {
		switch {
		case p.New == nil || p.Old != nil && p.Old.Digest == p.New.Digest:
		case end.bad:
			r.Quarantine = append(r.Quarantine, Quarantined{Digest: p.New.Digest, Change: w.q.ID,
				Since: m.ports.Clock.Now().UTC(), Why: cut(end.why)})
		case end.state == Done && w.q.Force && w.q.Config == nil: // a file may name it unawares
			r.Pardon = append(r.Pardon, p.New.Digest)
		}
	}
	_ = m.appendOwed(r)
	delete(m.works, w.q.ID)
	m.mu.Lock()
	delete(m.plans, w.q.ID)
	for l, id := range m.busy {
		if id == w.q.ID {
			delete(m.busy, l)
		}
	}
	m.mu.Unlock()
	close(w.done)
}

// restored is what was linked before, and what an undo of that brought back, but for a listener
// that was dropped meanwhile.
func (w *work) restored() (links, before []Linked) {
	for i, now := range w.m.linksOf(w.was) {
		if now.Change == w.q.ID || len(now.Chains)+len(w.made[i].Chains) == 0 {
			links, before = append(links, w.was[i]), append(before, w.wasBefore[i])
		}
	}
	return links, before
}
