package link

import (
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/topic"
)

// route asks the chain; the first entry that does not say deliver decides. Each entry is asked
// once, about the topic as it came, so redirects cannot go in circles.
func (p *policy) route(
	c *chain, a asking, m *broker.Message, out *[]broker.Message,
) broker.Verdict {
	p.routed.reset()
	for _, e := range c.entries {
		if !e.wanted(broker.Upstream, m) {
			p.unasked(e, a, m)
			continue
		}
		had := len(*out)
		v, ok := p.direct(e, a, m, out)
		if !ok {
			*out = (*out)[:had]
			if e.onFault == FaultClosed {
				return broker.Drop
			}
			continue
		}
		if v != broker.Keep {
			return v
		}
	}
	return broker.Keep
}

// direct asks the guest of e. ok is false when it could not answer.
func (p *policy) direct(
	e *entry, a asking, m *broker.Message, out *[]broker.Message,
) (v broker.Verdict, ok bool) {
	s := &e.seats[p.loop]
	in := s.take(a.now)
	if in == nil {
		return broker.Keep, false
	}
	had := len(*out)
	r, err := e.speaks.role.ask.route(p, in, a, m, out)
	sh := s.end(in)
	if err != nil {
		e.fault(p.loop, in, err, about{a.who.ClientID, m.Topic})
		return broker.Keep, false
	}
	if sh != nil {
		sh.saw(a, m, in.reply(reply{code: r.code(), messages: (*out)[had:]}))
	}
	if r.outcome == routeDrop {
		s.refused.Add(1)
	}
	return r.verdict, true
}

// routing is the WIT variant outcome of a router: its case, of a send the reach, and what becomes
// of the message. The reach has no effect on a node that stands alone: region and global are what
// local is.
type routing struct {
	outcome, reach uint8
	verdict        broker.Verdict
}

// code is what of r is compared beside the messages.
func (r routing) code() uint32 { return uint32(r.outcome) | uint32(r.reach)<<8 }

// The cases of outcome.
const routeDeliver, routeDrop, routeSend = 0, 1, 2

// routedBy calls the export and appends the messages it answers to out.
func (p *policy) routedBy(
	in *instance, a asking, m *broker.Message, out *[]broker.Message,
) (r routing, err error) {
	in.begin(0)
	in.identity(a.who)
	text(in, m.Topic)
	in.num(uint64(m.QoS))
	in.flag(m.Retain)
	ptr, err := in.call()
	if err != nil {
		return r, err
	}
	area, err := in.area(ptr, routedSize, 4)
	if err != nil {
		return r, err
	}
	switch r.outcome = area[0]; r.outcome {
	case routeDeliver:
		r.verdict = broker.Keep
	case routeDrop:
		r.verdict = broker.Drop
	case routeSend:
		if r.reach = area[20]; r.reach > 2 {
			return r, garbage("reach %d", r.reach)
		}
		if r.verdict, err = p.send(in, area[4:], m, out); err != nil {
			return r, err
		}
	default:
		return r, garbage("router outcome %d", r.outcome)
	}
	return r, in.post(ptr)
}

// send appends the messages of the WIT record route at b.
func (p *policy) send(
	in *instance, b []byte, m *broker.Message, out *[]broker.Message,
) (broker.Verdict, error) {
	list, err := in.list(b, textSize, 4)
	if err != nil {
		return broker.Keep, err
	}
	if n := len(list) / textSize; n >= p.cfg.MessagesMax {
		return broker.Keep, garbage("%d copies, at most %d are made", n, p.cfg.MessagesMax-1)
	}
	first := *m
	redirect, err := in.text(b[8:], topic.BytesMax)
	switch {
	case err != nil:
		return broker.Keep, err
	case len(redirect) == 0 && len(list) == 0:
		return broker.Keep, nil
	case len(redirect) > 0:
		if first, err = p.elsewhere(in, b[8:], m); err != nil {
			return broker.Keep, err
		}
	}
	*out = append(*out, first)
	for ; len(list) > 0; list = list[textSize:] {
		other, err := p.elsewhere(in, list, m)
		if err != nil {
			return broker.Keep, err
		}
		*out = append(*out, other)
	}
	return broker.Replace, nil
}

// elsewhere is m under the topic name at b.
func (p *policy) elsewhere(in *instance, b []byte, m *broker.Message) (broker.Message, error) {
	name, err := in.topicName(b)
	if err != nil {
		return broker.Message{}, err
	}
	return broker.Message{
		Topic: p.routed.keep(name), Payload: m.Payload, Props: m.Props,
		From: m.From, Expire: m.Expire, QoS: m.QoS, Retain: m.Retain,
	}, nil
}

// shares remembers what routers of one chain said about shared subscriptions.
type shares struct {
	max   int
	chain *chain
	known map[shareKey]broker.Strategy
}

type shareKey struct{ group, filter string }

// share asks the first router that can answer.
func (p *policy) share(c *chain, group, filter string) broker.Strategy {
	s := &p.shares
	if s.chain != c || len(s.known) >= s.max {
		s.chain, s.known = c, map[shareKey]broker.Strategy{}
	}
	key := shareKey{group, filter}
	if v, ok := s.known[key]; ok {
		return v
	}
	for _, e := range c.entries {
		in := e.seats[p.loop].take(p.ls.linker.ports.Now())
		if in == nil {
			continue
		}
		v, err := e.speaks.role.ask.share(in, group, filter)
		if err != nil {
			e.fault(p.loop, in, err, about{topic: []byte(filter)})
			continue
		}
		if len(group)+len(filter) <= rememberedBytesMax {
			s.known[key] = v
		}
		return v
	}
	return broker.RoundRobin
}

// share calls the export.
func (in *instance) share(group, filter string) (broker.Strategy, error) {
	in.begin(1)
	text(in, group)
	text(in, filter)
	v, err := in.number()
	if err == nil && v > uint32(broker.TopicHash) {
		err = garbage("strategy %d", v)
	}
	return broker.Strategy(v), err
}
