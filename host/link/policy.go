package link

import (
	"errors"

	"github.com/hpmq/hpmq/host/cap/history"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// policy is broker.Policy for one listener on one loop. Only that loop uses it.
type policy struct {
	ls        *listener
	cfg       *Config
	loop      int
	decisions decisions
	shares    shares
	// passes is by direction what Transform works with; routed is Route's.
	passes [2]pass
	routed arena
	// stale is the component by which the last Fresh was false, said its answer.
	stale string
	said  uint32
}

func newPolicy(ls *listener, loop int) *policy {
	p := &policy{ls: ls, cfg: &ls.linker.cfg, loop: loop}
	p.decisions.max, p.shares.max = p.cfg.DecisionsMax, p.cfg.SharesMax
	return p
}

// asking is what every question about a message has in common.
type asking struct {
	now broker.Time
	who *broker.Identity
	dir broker.Direction
}

// table is what answers about a client and a topic: what is linked, or a canary beside it.
func (p *policy) table(who *broker.Identity, topic []byte) *table {
	t := p.ls.table.Load()
	if t.trial != nil {
		t = t.trial.of(t, who, topic, false)
	}
	return t
}

// errTooLarge is the fault of a message that is not shown to guests. The guest stays.
var errTooLarge = errors.New("the message is larger than what is shown to components")

// Authorize asks the authorizers; see broker.Policy.
func (p *policy) Authorize(
	now broker.Time, who *broker.Identity, a broker.Action, topic []byte, q mqtt.QoS,
) mqtt.ReasonCode {
	t := p.ls.table.Load()
	if t.trial != nil {
		t = t.trial.of(t, who, topic, a == broker.ActionSubscribe)
	}
	c := t.chains[RoleAuthorizer]
	switch {
	case !t.linked:
		return mqtt.NotAuthorized
	case c == nil:
		return mqtt.Success
	}
	return p.authorize(t, c, question{now: now, who: who, action: a, topic: topic, qos: q})
}

// Transform asks the transformers; see broker.Policy. On the way down the authorizers that want it
// are asked first whether the message may be delivered at all.
func (p *policy) Transform(
	now broker.Time, d broker.Direction, who *broker.Identity, m *broker.Message,
	out *[]broker.Message,
) broker.Verdict {
	t := p.table(who, m.Topic)
	if d == broker.Downstream {
		if c := t.asked(RoleAuthorizer, d, m.Topic); c != nil {
			q := question{now, who, broker.ActionDeliver, m.Topic, m.QoS, m.From}
			if p.authorize(t, c, q) != mqtt.Success {
				return broker.Drop
			}
		}
	}
	c := t.asked(RoleTransformer, d, m.Topic)
	if c == nil {
		return broker.Keep
	}
	return p.transform(c, asking{now, who, d}, m, out)
}

// Fresh asks the deduplicators; see broker.Policy.
func (p *policy) Fresh(now broker.Time, who *broker.Identity, m *broker.Message) bool {
	c := p.table(who, m.Topic).asked(RoleDeduplicator, broker.Upstream, m.Topic)
	return c == nil || p.fresh(c, asking{now, who, broker.Upstream}, m)
}

// Route asks the routers, notes what is delivered and tells the workers; see broker.Policy.
func (p *policy) Route(
	now broker.Time, who *broker.Identity, m *broker.Message, out *[]broker.Message,
) broker.Verdict {
	t := p.table(who, m.Topic)
	v := broker.Keep
	from := len(*out)
	if c := t.asked(RoleRouter, broker.Upstream, m.Topic); c != nil {
		v = p.route(c, asking{now, who, broker.Upstream}, m, out)
	}
	if t.recorded != nil && p.ls.linker.ports.History != nil {
		p.record(t, v, m, (*out)[from:])
	}
	if c := t.chains[RoleWorker]; c != nil {
		c.tell(asking{now, who, broker.Upstream}, v, m, (*out)[from:])
	}
	return v
}

// record notes what goes on for those who ask for history.
func (p *policy) record(t *table, v broker.Verdict, m *broker.Message, out []broker.Message) {
	h, at := p.ls.linker.ports.History, history.Place{Listener: t.listener, Loop: p.loop}
	switch v {
	case broker.Keep:
		h.Record(at, m.Topic, m.Payload, t.recorded.has(m.Topic))
	case broker.Replace:
		for i := range out {
			h.Record(at, out[i].Topic, out[i].Payload, t.recorded.has(out[i].Topic))
		}
	}
}

// Share asks the first router; see broker.Policy.
func (p *policy) Share(group, filter string) broker.Strategy {
	c := p.ls.table.Load().chains[RoleRouter]
	if c == nil {
		return broker.RoundRobin
	}
	return p.share(c, group, filter)
}
