package rollout

import (
	"fmt"
	"time"
)

// How a canary by percentage alone begins: beside the active version, unheard, until the candidate
// was put unheardCalls questions, for an eighth of the first step's dwell time at most and no
// longer than unheardMax.
const (
	unheardCalls = 256
	unheardPause = 20 * time.Millisecond
	unheardMax   = 5 * time.Second
)

// How it goes on: with easeFrom percent of the clients and twice as many each easePause, until the
// candidate is asked. Then it is to answer easedCalls first. All that takes a quarter of the step's
// dwell time at most, and no more than easeMax; after that it goes on without answers. Where state
// is handed over, what comes next waits easeRest times as long as that took, as the loops stood
// still.
const (
	easeFrom   = 0.01
	easePause  = 200 * time.Millisecond
	easedCalls = 32
	easeMax    = 15 * time.Second
	easeRest   = 100
)

// canary lets the candidate serve some, step by step.
func (w *work) canary() *ending {
	for i, step := range w.q.Canary.Steps {
		if w.hurried() {
			return nil
		}
		r := &record{State: Canary, Step: i + 1, Why: w.told(w.q.Canary.whom(i))}
		if end := w.enter(r); end != nil {
			return end
		}
		until := w.m.ports.Clock.Now().Add(step.Dwell)
		if i == 0 {
			if end := w.rehearse(step.Dwell); end != nil {
				return end
			}
		}
		eye := w.watch()
		if i == 0 {
			w.tried = eye
		}
		if end := w.widen(i, eye); end != nil {
			return end
		}
		if w.hurried() {
			return nil
		}
		what, left := fmt.Sprintf("canary step %d", i+1), until.Sub(w.m.ports.Clock.Now())
		if end := w.prove(what, left, step.Dwell, eye); end != nil {
			return end
		}
	}
	return nil
}

// rehearse has the candidate answer some questions of all clients without effect before it serves
// any. Who is named in the plan is not all, and goes first; nor is it done again after a shadow, or
// where none can be.
func (w *work) rehearse(dwell time.Duration) *ending {
	p, ok := w.plan.(Shadow)
	if !ok || w.q.Shadow.For > 0 || w.q.Canary.named() {
		return nil
	}
	clock := w.m.ports.Clock
	until := clock.Now().Add(min(dwell/8, unheardMax))
	end, err := w.beside(p, 1, func(eye *watcher) *ending {
		for c := p.Compared(); c.Asked < unheardCalls && !w.hurried(); c = p.Compared() {
			left := until.Sub(clock.Now())
			if left <= 0 {
				return nil
			}
			if end := w.dwell(min(left, unheardPause), eye); end != nil {
				return end
			}
		}
		return nil
	})
	if err == nil && end != nil && end.bad {
		end.why = "unheard, before it served anybody: " + end.why
	}
	return end
}

// widen lets the candidate serve who is in a step: more and more of them until it has answered some
// of their questions, or nobody asks. It begins where it ended in the step before, unless it was
// asked enough by then.
func (w *work) widen(step int, eye *watcher) *ending {
	clock, s, dwell := w.m.ports.Clock, w.q.Canary.selector(step), w.q.Canary.Steps[step].Dwell
	until := clock.Now().Add(min(dwell/4, easeMax))
	share := max(easeFrom, 2*w.serves)
	if w.asked(w.tried) >= easedCalls {
		share = s.Percent
	}
	for ; ; share *= 2 {
		few, began := s, clock.Now()
		few.Percent = min(share, s.Percent)
		if err := w.plan.Canary(few); err != nil {
			return refused(string(Canary), err)
		}
		if w.serves = few.Percent; few.Percent == s.Percent {
			return nil
		}
		pause := min(easePause, dwell/64)
		if rest := easeRest * clock.Now().Sub(began); rest <= until.Sub(clock.Now()) {
			pause = max(pause, rest)
		} else if rest > pause {
			share = s.Percent // there is no time for more of them
		}
		if end := w.ease(until, pause, eye); end != nil {
			return end
		}
		if w.hurried() {
			return nil
		}
	}
}

// ease waits for a pause, and then until the candidate has answered those who began to ask it, or
// until then.
func (w *work) ease(until time.Time, pause time.Duration, eye *watcher) *ending {
	clock := w.m.ports.Clock
	for first := true; first || eye.eased(w.plan.Health()); first = false {
		left := until.Sub(clock.Now())
		if !first {
			pause = min(left, easePause)
		}
		if w.hurried() || pause <= 0 {
			return nil
		}
		if end := w.dwell(pause, eye); end != nil {
			return end
		}
	}
	return nil
}
