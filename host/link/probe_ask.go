package link

import (
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// probeOf is how that function of a role is asked, nil if the role has none of that name. No table:
// a program that asks no probes is not to link them.
func probeOf(r Role, function string) func(*Probe, *Question, *Answer) error {
	switch function {
	case "authenticate":
		return ofRole(r, RoleAuthenticator, (*Probe).authenticate)
	case "authorize":
		return ofRole(r, RoleAuthorizer, (*Probe).authorize)
	case "upstream", "downstream":
		return ofRole(r, RoleTransformer, (*Probe).transform)
	case "check":
		return ofRole(r, RoleDeduplicator, (*Probe).check)
	case "route":
		return ofRole(r, RoleRouter, (*Probe).route)
	case "share":
		return ofRole(r, RoleRouter, (*Probe).share)
	case "decode":
		return ofRole(r, RoleCodec, (*Probe).decode)
	case "encode":
		return ofRole(r, RoleCodec, (*Probe).encode)
	case "on-message", "on-client", "on-timer", "on-stop":
		return ofRole(r, RoleWorker, (*Probe).told)
	}
	return nil
}

func ofRole(
	r, want Role, ask func(*Probe, *Question, *Answer) error,
) func(*Probe, *Question, *Answer) error {
	if r != want {
		return nil
	}
	return ask
}

// word is the i-th of words.
func word(i uint32, words ...string) (string, error) {
	if int64(i) < int64(len(words)) {
		return words[i], nil
	}
	return "", garbage("case %d of %d", i, len(words))
}

// asked is how the component is asked in the version that it speaks.
func (p *Probe) asked() *ways { return &p.entry.speaks.role.ask }

// message is q as a message of the broker's, the Probe's until the next question.
func (p *Probe) message(q *Question) *broker.Message {
	p.msg = broker.Message{Topic: q.Topic, Payload: q.Payload, QoS: q.QoS, Retain: q.Retain}
	return &p.msg
}

func (p *Probe) authorize(q *Question, a *Answer) error {
	v, err := p.asked().authorize(p.guest, question{
		now: p.entry.linker.ports.Now(), who: &q.Who, action: q.Action, topic: q.Topic, qos: q.QoS,
	})
	if err != nil {
		return err
	}
	a.Scope, err = word(v>>scopeShift&scopeMask, "once", "topic", "action")
	a.Seconds = v >> secondsShift
	switch d := v & verdictMask; d {
	case answerAllow:
		a.Case = "allow"
	case answerNext:
		a.Case = "next"
	default:
		a.Case, a.Reason = "deny", mqtt.ReasonCode(d)
	}
	return err
}

func (p *Probe) transform(q *Question, a *Answer) error {
	ask := asking{p.entry.linker.ports.Now(), &q.Who, broker.Upstream}
	if q.Function == "downstream" {
		ask.dir = broker.Downstream
	}
	m := p.message(q)
	if !p.entry.fits(m) {
		return errTooLarge
	}
	w := &p.policy.passes[ask.dir]
	w.bytes.reset()
	w.next, w.changed = w.next[:0], false
	if err := p.entry.asked(m).transform(p.policy, p.guest, ask, m); err != nil {
		return err
	}
	switch {
	case !w.changed:
		a.Case = "keep"
	case len(w.next) == 0:
		a.Case = "drop"
	default:
		a.Case = "replace"
		a.Messages = append(a.Messages, w.next...)
	}
	return nil
}

func (p *Probe) check(q *Question, a *Answer) error {
	m := p.message(q)
	if !p.entry.fits(m) {
		return errTooLarge
	}
	v, err := p.entry.asked(m).check(p.guest, &q.Who, m)
	if err == nil {
		a.Case, err = word(v, "news", "repeated", "unchanged")
	}
	return err
}

func (p *Probe) route(q *Question, a *Answer) error {
	p.policy.routed.reset()
	ask := asking{p.entry.linker.ports.Now(), &q.Who, broker.Upstream}
	r, err := p.asked().route(p.policy, p.guest, ask, p.message(q), &a.Messages)
	if err != nil {
		return err
	}
	if a.Case, err = word(uint32(r.outcome), "deliver", "drop", "send"); err == nil &&
		r.outcome == routeSend {
		a.Reach, err = word(uint32(r.reach), "local", "region", "global")
	}
	return err
}

func (p *Probe) share(q *Question, a *Answer) error {
	v, err := p.asked().share(p.guest, q.Group, q.Filter)
	if err == nil {
		a.Case, err = word(uint32(v), "round-robin", "random", "sticky", "topic-hash")
	}
	return err
}

func (p *Probe) authenticate(q *Question, a *Answer) error {
	v, err := p.asked().authenticate(p.guest, &q.Credentials)
	if err != nil {
		return err
	}
	a.Grant, a.Reason, a.Text = v.grant, v.reason, v.text
	a.Case, err = word(uint32(v.kind), "allow", "deny", "challenge", "next")
	return err
}

// told tells a worker.
func (p *Probe) told(q *Question, a *Answer) error {
	t := task{what: fnTimer, who: q.Who, message: p.message(q), gone: q.Gone}
	switch q.Function {
	case "on-message":
		if t.what = fnMessage; !p.entry.fits(t.message) {
			return errTooLarge
		}
	case "on-client":
		t.what = fnClient
	case "on-stop":
		t.what = fnStop
	}
	v, err := p.entry.askedOf(&t).tell(p.guest, &t)
	a.Case = "told"
	if t.what == fnTimer {
		a.Milliseconds = v
	}
	return err
}

// decode asks about bytes of the Probe's connection.
func (p *Probe) decode(q *Question, a *Answer) error {
	p.codec.bytes.reset()
	a.Case = "decoded"
	err := p.codec.decode(p.guest, p.stateOf(q), q.Input, &a.Decoded)
	return p.left(err, a.Decoded.HasState, a.Decoded.State)
}

// encode asks for the bytes of an event.
func (p *Probe) encode(q *Question, a *Answer) error {
	if m := &q.Event.Message; len(m.Topic)+len(m.Payload) > p.codec.ls.linker.cfg.MessageBytesMax {
		return errTooLarge
	}
	p.codec.bytes.reset()
	a.Case = "encoded"
	err := p.codec.encode(p.guest, p.stateOf(q), &q.Event, &a.Encoded)
	return p.left(err, a.Encoded.HasState, a.Encoded.State)
}

func (p *Probe) stateOf(q *Question) []byte {
	if q.State != nil {
		p.state = append(p.state[:0], q.State...)
	}
	return p.state
}

// left keeps the state that an answer left.
func (p *Probe) left(err error, has bool, state []byte) error {
	if err == nil && has {
		p.state = append(p.state[:0], state...)
	}
	return err
}
