package link

import (
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// question is what an authorizer is asked.
type question struct {
	now    broker.Time
	who    *broker.Identity
	action broker.Action
	topic  []byte
	qos    mqtt.QoS
	from   string // who published, for a delivery
}

// wanted says whether e is to be asked. A subscription is asked about if any topic it stands for is
// wanted.
func (q *question) wanted(e *entry) bool {
	switch q.action {
	case broker.ActionSubscribe:
		return e.wants[broker.Upstream].overlaps(q.topic)
	case broker.ActionDeliver:
		return e.wants[broker.Downstream].has(q.topic) && q.from != e.self
	default:
		return e.wants[broker.Upstream].has(q.topic)
	}
}

// The answer of authorizer.authorize in bits: verdict 0..7, scope 8..9, seconds 10..31.
const (
	answerAllow  = 0
	answerNext   = 1
	scopeOnce    = 0
	scopeTopic   = 1
	scopeAction  = 2
	verdictMask  = 0xff
	scopeShift   = 8
	scopeMask    = 3
	secondsShift = 10
)

// authorize asks the chain until one allows or denies. Answers are remembered per entry, so an
// answer that holds for an action does not stand for an entry that did not want this topic.
func (p *policy) authorize(t *table, c *chain, q question) mqtt.ReasonCode {
	known := p.known(t, c)
	reason := mqtt.Success // of a chain whose entries do not want the topic or are open and faulty
	for i, e := range c.entries {
		if !q.wanted(e) {
			p.unjudged(e, &q)
			continue
		}
		answer, ok := known.get(i, &q)
		if !ok {
			answer, ok = p.decide(known, i, e, &q)
		}
		if !ok && e.onFault == FaultClosed {
			return mqtt.ImplementationSpecificError
		}
		if !ok {
			continue
		}
		switch v := answer & verdictMask; v {
		case answerAllow:
			return mqtt.Success
		case answerNext:
			reason = mqtt.NotAuthorized
		default:
			return denial(q.action, mqtt.ReasonCode(v))
		}
	}
	return reason
}

// known are the answers of that chain of t. Those of a canary are beside those of what is active,
// so that neither is forgotten for the other.
func (p *policy) known(t *table, c *chain) *decisions {
	d := &p.decisions
	if t.answered != nil && d.chain != c {
		d = &t.answered[p.loop]
	}
	d.of(c)
	return d
}

// decide asks the guest of e and remembers its answer. False when it could not answer.
func (p *policy) decide(known *decisions, place int, e *entry, q *question) (uint32, bool) {
	s := &e.seats[p.loop]
	in := s.take(q.now)
	if in == nil {
		return 0, false
	}
	answer, err := e.speaks.role.ask.authorize(in, *q)
	sh := s.end(in)
	if err != nil {
		e.fault(p.loop, in, err, about{q.who.ClientID, q.topic})
		return 0, false
	}
	if answer&verdictMask > answerNext {
		s.refused.Add(1)
	}
	if sh != nil {
		sh.judged(q, in.reply(reply{code: answer & verdictMask}))
	}
	known.put(place, q, answer)
	return answer, true
}

// authorize calls the export and checks its answer.
func (in *instance) authorize(q question) (uint32, error) {
	in.begin(0)
	in.identity(q.who)
	in.num(uint64(q.action))
	text(in, q.topic)
	in.num(uint64(q.qos))
	answer, err := in.number()
	if err == nil && !validAnswer(answer) {
		err = garbage("authorize answered %#x", answer)
	}
	return answer, err
}

func validAnswer(answer uint32) bool {
	v := answer & verdictMask
	return (v <= answerNext || v >= 0x80) && answer>>scopeShift&scopeMask <= scopeAction
}

// denial is the reason as the client may see it: one that the answering packet does not allow
// becomes not authorized.
func denial(a broker.Action, r mqtt.ReasonCode) mqtt.ReasonCode {
	switch r {
	case mqtt.UnspecifiedError, mqtt.ImplementationSpecificError, mqtt.NotAuthorized,
		mqtt.QuotaExceeded:
		return r
	case mqtt.TopicFilterInvalid, mqtt.SharedSubscriptionsNotSupported,
		mqtt.WildcardSubscriptionsNotSupported, mqtt.SubscriptionIdentifiersNotSupported:
		if a == broker.ActionSubscribe { // [MQTT-3.9.3-2]
			return r
		}
	case mqtt.TopicNameInvalid, mqtt.PayloadFormatInvalid:
		if a != broker.ActionSubscribe { // [MQTT-3.4.2-1]
			return r
		}
	}
	return mqtt.NotAuthorized
}
