package link

import (
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// probes has for each role a function for each of the contract's.
var probes = [roleCount]map[string]func(*Probe, *Question, *Answer) error{
	RoleAuthenticator: {"authenticate": (*Probe).authenticate},
	RoleAuthorizer:    {"authorize": (*Probe).authorize},
	RoleTransformer:   {"upstream": (*Probe).transform, "downstream": (*Probe).transform},
	RoleDeduplicator:  {"check": (*Probe).check},
	RoleRouter:        {"route": (*Probe).route, "share": (*Probe).share},
	RoleWorker: {
		"on-message": (*Probe).told, "on-client": (*Probe).told, "on-timer": (*Probe).told,
		"on-stop": (*Probe).told,
	},
}

// word is the i-th of words.
func word(i uint32, words ...string) (string, error) {
	if int64(i) < int64(len(words)) {
		return words[i], nil
	}
	return "", garbage("case %d of %d", i, len(words))
}

// message is q as a message of the broker's.
func (q *Question) message() *broker.Message {
	return &broker.Message{Topic: q.Topic, Payload: q.Payload, QoS: q.QoS, Retain: q.Retain}
}

func (p *Probe) authorize(q *Question, a *Answer) error {
	in := p.guest
	in.identity(&q.Who)
	in.num(uint64(q.Action))
	text(in, q.Topic)
	in.num(uint64(q.QoS))
	v, err := in.number()
	if err != nil {
		return err
	}
	if !validAnswer(v) {
		return garbage("authorize answered %#x", v)
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
	m := q.message()
	if !p.policy.fits(m) {
		return errTooLarge
	}
	w := &p.policy.passes[ask.dir]
	w.bytes.reset()
	w.next, w.changed = w.next[:0], false
	if err := p.policy.ask(p.guest, ask, m); err != nil {
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
	m := q.message()
	if !p.policy.fits(m) {
		return errTooLarge
	}
	p.guest.identity(&q.Who)
	p.guest.message(m)
	v, err := p.guest.number()
	if err == nil {
		a.Case, err = word(v, "news", "repeated", "unchanged")
	}
	return err
}

func (p *Probe) route(q *Question, a *Answer) error {
	in, m := p.guest, q.message()
	p.policy.routed.reset()
	in.identity(&q.Who)
	text(in, m.Topic)
	in.num(uint64(m.QoS))
	in.flag(m.Retain)
	ptr, err := in.call()
	if err != nil {
		return err
	}
	area, err := in.area(ptr, routedSize, 4)
	if err != nil {
		return err
	}
	if a.Case, err = word(uint32(area[0]), "deliver", "drop", "send"); err != nil {
		return err
	}
	if a.Case == "send" {
		if a.Reach, err = word(uint32(area[20]), "local", "region", "global"); err != nil {
			return err
		}
		if _, err = p.policy.send(in, area[4:], m, &a.Messages); err != nil {
			return err
		}
	}
	return in.post(ptr)
}

func (p *Probe) share(q *Question, a *Answer) error {
	text(p.guest, q.Group)
	text(p.guest, q.Filter)
	v, err := p.guest.number()
	if err == nil {
		a.Case, err = word(v, "round-robin", "random", "sticky", "topic-hash")
	}
	return err
}

func (p *Probe) authenticate(q *Question, a *Answer) error {
	in := p.guest
	ptr, err := in.present(&q.Credentials)
	if err != nil {
		return err
	}
	v, err := in.verdict(ptr, &q.Credentials)
	if err != nil {
		return err
	}
	area, err := in.area(ptr, 32, 4)
	if err != nil {
		return err
	}
	if a.Case, err = word(uint32(area[0]), "allow", "deny", "challenge", "next"); err != nil {
		return err
	}
	a.Grant = v.grant
	if a.Case == "deny" {
		said, err := in.text(area[8:], ownErrorMax)
		if err != nil {
			return err
		}
		a.Reason, a.Text = mqtt.ReasonCode(area[4]), string(said)
	}
	return in.post(ptr)
}

// told tells a worker.
func (p *Probe) told(q *Question, a *Answer) error {
	in, m := p.guest, q.message()
	switch q.Function {
	case "on-message":
		if !p.policy.fits(m) {
			return errTooLarge
		}
		in.identity(&q.Who)
		in.message(m)
	case "on-client":
		in.identity(&q.Who)
		in.flag(q.Gone)
	}
	v, err := in.call()
	a.Case = "told"
	if q.Function == "on-timer" {
		a.Milliseconds = v
	}
	return err
}
