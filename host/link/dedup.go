package link

import "github.com/hpmq/hpmq/lite/broker"

// fresh asks the chain; the first entry that has seen m before ends its way.
func (p *policy) fresh(c *chain, a asking, m *broker.Message) bool {
	for _, e := range c.entries {
		if !e.wanted(broker.Upstream, m) {
			p.unasked(e, a, m)
			continue
		}
		said, ok := p.check(e, a, m)
		switch {
		case ok && said == isNews, !ok && e.onFault == FaultOpen:
			continue
		case !ok:
			said = noAnswer
		}
		p.stale, p.said = e.name, said
		return false
	}
	return true
}

// Why answers the component that the last Fresh to be false asked, and what it said: a case of the
// WIT enum freshness, or that it failed.
func (p *policy) Why() (component, reason string) {
	return p.stale, [...]string{"news", "repeated", "unchanged", "failed"}[p.said]
}

// check asks the guest of e. ok is false when it could not answer.
func (p *policy) check(e *entry, a asking, m *broker.Message) (said uint32, ok bool) {
	if !e.fits(m) {
		e.pass(p.loop, errTooLarge, about{a.who.ClientID, m.Topic})
		return 0, false
	}
	s := &e.seats[p.loop]
	in := s.take(a.now)
	if in == nil {
		return 0, false
	}
	freshness, err := e.asked(m).check(in, a.who, m)
	sh := s.end(in)
	if err != nil {
		e.fault(p.loop, in, err, about{a.who.ClientID, m.Topic})
		return 0, false
	}
	if sh != nil {
		sh.saw(a, m, in.reply(reply{code: freshness}))
	}
	if freshness != isNews {
		s.refused.Add(1)
	}
	return freshness, true
}

// The WIT enum freshness.
const isNews, unchanged = 0, 2

// noAnswer is what a component that failed said.
const noAnswer = unchanged + 1

// check calls the export and answers the case of freshness.
func (in *instance) check(who *broker.Identity, m *broker.Message) (uint32, error) {
	in.begin(0)
	in.identity(who)
	in.message(m)
	return in.freshness()
}

// freshness calls and lifts the answer.
func (in *instance) freshness() (uint32, error) {
	freshness, err := in.number()
	if err == nil && freshness > unchanged {
		err = garbage("freshness %d", freshness)
	}
	return freshness, err
}
