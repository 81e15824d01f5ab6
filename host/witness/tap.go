package witness

import (
	"bytes"

	"github.com/hpmq/hpmq/host/msglog"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// tap is the Policy of a listener that is logged, on one loop: it asks the one behind it and notes
// what that makes of a message. What it does not log costs a look at the topic.
type tap struct {
	broker.Policy
	why    reasoner // or nil
	ledger *ledger
	loop   *loop
}

// reasoner is a Policy that can say why its last Fresh was false.
type reasoner interface {
	Why() (component, reason string)
}

// Authorize notes what may not be published. What may is noted by Transform, which sees it all.
func (t *tap) Authorize(
	now broker.Time, who *broker.Identity, a broker.Action, name []byte, q mqtt.QoS,
) mqtt.ReasonCode {
	r := t.Policy.Authorize(now, who, a, name, q)
	if r != mqtt.Success && a == broker.ActionPublish && t.ledger.filters.has(name) {
		t.loop.denied(t.ledger, now, who, denial{name, q, r.String()})
	}
	return r
}

// Transform notes what arrived, and what came of it.
func (t *tap) Transform(
	now broker.Time, d broker.Direction, who *broker.Identity, m *broker.Message,
	out *[]broker.Message,
) broker.Verdict {
	if d != broker.Upstream || !t.ledger.filters.has(m.Topic) {
		return t.Policy.Transform(now, d, who, m, out)
	}
	trace := t.loop.arrived(t.ledger, now, who, m)
	had := len(*out)
	v := t.Policy.Transform(now, d, who, m, out)
	m.Trace = trace
	if trace == 0 {
		for i := range (*out)[had:] {
			(*out)[had+i].Trace = 0
		}
		return v
	}
	switch {
	case v == broker.Drop || v == broker.Replace && len(*out) == had:
		t.loop.ended(trace, msglog.Dropped, "", "transformer")
	case v == broker.Replace:
		t.became(m, (*out)[had:])
	}
	return v
}

// became notes what a component put in the place of m and gives it traces.
func (t *tap) became(m *broker.Message, out []broker.Message) {
	for i := range out {
		same := bytes.Equal(out[i].Payload, m.Payload)
		out[i].Trace = t.loop.became(t.ledger, m.Trace, &out[i], same)
	}
}

// Fresh notes what is no news, and why.
func (t *tap) Fresh(now broker.Time, who *broker.Identity, m *broker.Message) bool {
	ok := t.Policy.Fresh(now, who, m)
	if !ok && m.Trace != 0 {
		by, why := "", "deduplicator"
		if t.why != nil {
			by, why = t.why.Why()
		}
		t.loop.ended(m.Trace, msglog.Suppressed, by, why)
	}
	return ok
}

// Route notes where a message goes instead.
func (t *tap) Route(
	now broker.Time, who *broker.Identity, m *broker.Message, out *[]broker.Message,
) broker.Verdict {
	had := len(*out)
	v := t.Policy.Route(now, who, m, out)
	if m.Trace == 0 {
		return v
	}
	switch {
	case v == broker.Drop || v == broker.Replace && len(*out) == had:
		t.loop.ended(m.Trace, msglog.Dropped, "", "router")
	case v == broker.Replace:
		t.became(m, (*out)[had:])
		t.loop.ended(m.Trace, msglog.Delivered, "", "routed")
	}
	return v
}
