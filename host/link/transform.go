package link

import (
	"github.com/hpmq/hpmq/lite/broker"
)

// pass is what Transform of one direction works with: the messages between two entries of the chain
// and the bytes that guests answered, which hold until the next Transform of the direction.
type pass struct {
	bytes     arena
	now, next []broker.Message
	changed   bool
	// left is how many of now the entry at hand has not been asked about yet, lifted the bytes
	// that it has answered with.
	left, lifted int
}

// transform sends m through the chain: what comes out of one entry goes into the next.
func (p *policy) transform(
	c *chain, a asking, m *broker.Message, out *[]broker.Message,
) broker.Verdict {
	w := &p.passes[a.dir]
	w.bytes.reset()
	w.now, w.changed = append(w.now[:0], *m), false
	for _, e := range c.entries {
		w.next, w.lifted = w.next[:0], 0
		for i := range w.now {
			w.left = len(w.now) - 1 - i
			p.step(e, a, &w.now[i])
		}
		w.now, w.next = w.next, w.now
	}
	switch {
	case len(w.now) == 0:
		return broker.Drop
	case !w.changed:
		return broker.Keep
	}
	*out = append(*out, w.now...)
	return broker.Replace
}

// step appends to the next messages of the pass what e makes of m.
func (p *policy) step(e *entry, a asking, m *broker.Message) {
	w := &p.passes[a.dir]
	if !e.wanted(a.dir, m) {
		p.unasked(e, a, m)
		w.next = append(w.next, *m)
		return
	}
	had := len(w.next)
	ok := true
	if !e.fits(m) {
		e.pass(p.loop, errTooLarge, about{a.who.ClientID, m.Topic})
		ok = false
	} else {
		ok = p.made(e, a, m)
	}
	if ok {
		return
	}
	w.next = w.next[:had]
	if e.onFault == FaultClosed {
		w.changed = true
		return
	}
	w.next = append(w.next, *m)
}

// made appends what the guest of e makes of m. False when it could not answer.
func (p *policy) made(e *entry, a asking, m *broker.Message) bool {
	s := &e.seats[p.loop]
	in := s.take(a.now)
	if in == nil {
		return false
	}
	w := &p.passes[a.dir]
	had := len(w.next)
	err := e.asked(m).transform(p, in, a, m)
	sh := s.end(in)
	switch {
	case err != nil:
		e.fault(p.loop, in, err, about{a.who.ClientID, m.Topic})
	case sh != nil:
		sh.saw(a, m, in.reply(reply{messages: w.next[had:]}))
	}
	return err == nil
}

// ask calls upstream or downstream and appends what the guest answered.
func (p *policy) ask(in *instance, a asking, m *broker.Message) error {
	in.begin(int(a.dir))
	in.identity(a.who)
	in.message(m)
	return p.answered(in, a, m)
}

// answered calls and appends what the guest answers about m.
func (p *policy) answered(in *instance, a asking, m *broker.Message) error {
	w := &p.passes[a.dir]
	ptr, err := in.call()
	if err != nil {
		return err
	}
	area, err := in.area(ptr, outcomeSize, 4)
	if err != nil {
		return err
	}
	in.lifted = w.lifted // one bound for all that an entry makes of one message
	changed, err := p.outcome(in, w, area, m)
	w.lifted = in.lifted
	if err != nil {
		return err
	}
	if err := in.post(ptr); err != nil {
		return err
	}
	w.changed = w.changed || changed
	return nil
}

// outcome appends what the variant at area makes of m; send-as is of who was lent the payload.
func (p *policy) outcome(
	in *instance, w *pass, area []byte, m *broker.Message,
) (changed bool, err error) {
	const keep, drop, replace, sendAs = 0, 1, 2, 3
	switch {
	case area[0] == keep:
		w.next = append(w.next, *m)
		return false, nil
	case area[0] == drop:
		in.entry.seats[p.loop].refused.Add(1)
		return true, nil
	case area[0] == replace:
		return true, p.replace(in, w, area[4:], m)
	case area[0] == sendAs && in.entry.lends(m):
		return true, p.sendAs(in, w, area[4:], m)
	}
	return false, garbage("transformer outcome %d", area[0])
}

// room is an error if there is none for n messages beside those that the message of a client has
// become by now.
func (p *policy) room(w *pass, n int) error {
	if all := len(w.next) + n + w.left; all > p.cfg.MessagesMax {
		return garbage("%d messages for one, at most %d are taken", all, p.cfg.MessagesMax)
	}
	return nil
}

// replace copies the list of messages at b out of the guest; each has the rest of m.
func (p *policy) replace(in *instance, w *pass, b []byte, m *broker.Message) error {
	list, err := in.list(b, messageSize, 4)
	if err != nil {
		return err
	}
	if err := p.room(w, len(list)/messageSize); err != nil {
		return err
	}
	for ; len(list) > 0; list = list[messageSize:] {
		got, err := in.liftMessage(list, p.cfg.MessageBytesMax)
		if err != nil {
			return err
		}
		w.next = append(w.next, broker.Message{
			Topic: w.bytes.keep(got.Topic), Payload: w.bytes.keep(got.Payload),
			QoS: got.QoS, Retain: got.Retain,
			Props: m.Props, From: m.From, Expire: m.Expire,
		})
	}
	return nil
}
